// What may be given as a variable when a run is queued.
#include "server/triggers/queue_variables.h"

#include <QTest>

#include <vector>

using server::triggers::checkQueueVariables;

class TestQueueVariables : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesOnlyWhatHasAnEffect_data();
    void takesOnlyWhatHasAnEffect();
};

void TestQueueVariables::takesOnlyWhatHasAnEffect_data()
{
    QTest::addColumn<QStringList>("names");
    QTest::addColumn<QString>("refusal"); // empty: taken
    const auto row = [](const char *name, const std::vector<const char *> &names,
                        const char *refusal) {
        QStringList list;
        for (const char *given : names)
            list.append(QString::fromLatin1(given));
        QTest::newRow(name) << list << QString::fromLatin1(refusal);
    };
    row("none", {}, "");
    row("own", {"target"}, "");
    row("diagnostics", {"system.debug"}, "");
    row("predefined", {"Build.SourceBranch"}, "'Build.SourceBranch' is set by the server");
    row("predefined, other case", {"build.REASON"}, "'build.REASON' is set by the server");
    row("of the worker", {"Agent.TempDirectory"}, "is set by the server");
    row("a secret of the server", {"system.accesstoken"}, "is set by the server");
    row("in the file", {"configuration"}, "is defined in the pipeline's file");
    row("twice", {"a", "b", "A"}, "'A' is given twice");
    row("no name", {""}, "needs a name");
}

void TestQueueVariables::takesOnlyWhatHasAnEffect()
{
    QFETCH(const QStringList, names);
    QFETCH(const QString, refusal);
    schema::RunPlan plan;
    schema::VariableEntry group;
    group.group = "secrets";
    schema::VariableEntry own;
    own.name = "Configuration";
    plan.variables = {group, own};
    schema::TextMap variables;
    for (const QString &name : names)
        variables.emplace_back(name.toStdString(), "value");
    const auto checked = checkQueueVariables(variables, &plan);
    const std::string message = checked ? "" : checked.error().message;
    QCOMPARE(static_cast<bool>(checked), refusal.isEmpty());
    QVERIFY2(QString::fromStdString(message).contains(refusal), message.c_str());
}

QTEST_GUILESS_MAIN(TestQueueVariables)
#include "tst_queue_variables.moc"
