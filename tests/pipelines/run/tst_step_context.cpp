#include "pipelines/run/step_context.h"

#include <QTest>

#include <map>

using namespace pipelines::run;
using schema::TaskResult;

namespace {

VariableLookup sample()
{
    static const std::map<std::string, std::string> values{
        {"a", "1"},    {"b", "$(a)"},         {"x", "$(y)"},
        {"y", "$(x)"}, {"list", "$(a)-$(b)"}, {"half", "$(nope)-$(a)"},
        {"s.v", "out"}};
    return [](std::string_view name) -> std::optional<std::string> {
        std::string key(name);
        for (char &c : key)
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const auto found = values.find(key);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

} // namespace

class TestStepContext : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void expands_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("result");
        const auto row = [](const char *text, const char *result) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(result);
        };
        row("$(b)", "1");
        row("$(A)", "1");
        row("$(nope)", "$(nope)");
        row("$(z$(a))", "$(z1)");
        row("$$(a)", "$1");
        row("$(a", "$(a");
        row("$()", "$()");
        row("no macro", "no macro");
        row("$(list)!", "1-1!");
        row("$(half)", "$(nope)-1");
        row("$(x)", "$(y)");
        row("$(echo $(a))", "$(echo 1)");
    }

    void expands()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, result);
        QCOMPARE(QByteArray::fromStdString(expandMacros(text.toStdString(), sample())), result);
    }

    void decides_data()
    {
        QTest::addColumn<QByteArray>("condition");
        QTest::addColumn<int>("job");
        QTest::addColumn<bool>("canceled");
        QTest::addColumn<bool>("run");
        const auto row = [](const char *condition, TaskResult job, bool canceled, bool run) {
            QTest::addRow("%s/%d/%d", condition, static_cast<int>(job), canceled)
                << QByteArray(condition) << static_cast<int>(job) << canceled << run;
        };
        row("", TaskResult::Succeeded, false, true);
        row("", TaskResult::SucceededWithIssues, false, true);
        row("", TaskResult::Failed, false, false);
        row("", TaskResult::Succeeded, true, false);
        row("always()", TaskResult::Failed, true, true);
        row("failed()", TaskResult::Failed, false, true);
        row("failed()", TaskResult::Succeeded, false, false);
        row("canceled()", TaskResult::Canceled, true, true);
        row("succeededOrFailed()", TaskResult::Failed, false, true);
        row("succeededOrFailed()", TaskResult::Canceled, true, false);
        row("and(succeeded(), eq(variables['s.v'], 'OUT'))", TaskResult::Succeeded, false, true);
        row("eq(variables.nope, '')", TaskResult::Failed, false, true);
        row("false", TaskResult::Succeeded, false, false);
    }

    void decides()
    {
        QFETCH(QByteArray, condition);
        QFETCH(int, job);
        QFETCH(bool, canceled);
        QFETCH(bool, run);
        const auto outcome = evaluateStepCondition(
            condition.toStdString(), {static_cast<TaskResult>(job), canceled}, sample());
        QVERIFY2(outcome, outcome ? "" : outcome.error().message.c_str());
        QCOMPARE(outcome->run, run);
    }

    void explainsItself()
    {
        const auto outcome =
            evaluateStepCondition("and(succeeded(), eq(variables.a, '2'))", {}, sample());
        QCOMPARE(outcome->trace, std::string("and(succeeded(), eq(variables.a, '2')) => "
                                             "and(True, eq('1', '2')) => False"));
        const auto plain = evaluateStepCondition("", {}, sample());
        QCOMPARE(plain->trace, std::string("succeeded() => True"));
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("condition");
        QTest::addColumn<QByteArray>("message");
        QTest::newRow("syntax") << QByteArray("eq(1")
                                << QByteArray("Unclosed function: 'eq'. Located at position 1 "
                                              "within expression: 'eq(1'");
        QTest::newRow("unknown name")
            << QByteArray("dependencies.A.result") << QByteArray("Unrecognized value");
        QTest::newRow("arguments")
            << QByteArray("succeeded('A')") << QByteArray("status functions take no arguments");
        QTest::newRow("conversion")
            << QByteArray("lt(1, 'x')") << QByteArray("Unable to convert from String to Number");
    }

    void refuses()
    {
        QFETCH(QByteArray, condition);
        QFETCH(QByteArray, message);
        const auto outcome = evaluateStepCondition(condition.toStdString(), {}, sample());
        QVERIFY(!outcome);
        QVERIFY2(QByteArray::fromStdString(outcome.error().message).contains(message),
                 outcome.error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(TestStepContext)
#include "tst_step_context.moc"
