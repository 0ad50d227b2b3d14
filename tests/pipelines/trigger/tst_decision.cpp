#include "pipelines/trigger/decision.h"

#include <QTest>

#include <array>

using namespace pipelines;
using namespace pipelines::trigger;

class TestDecision : public QObject
{
    Q_OBJECT

    static Triggers triggersOf(const char *text)
    {
        std::vector<Diagnostic> problems;
        Triggers triggers = scanTriggers("/azure-pipelines.yml", text, problems);
        if (!problems.empty())
            qFatal("%s", problems[0].message.c_str());
        return triggers;
    }

private Q_SLOTS:

    void push_data()
    {
        QTest::addColumn<QByteArray>("trigger");
        QTest::addColumn<QByteArray>("message");
        QTest::addColumn<bool>("active");
        QTest::addColumn<int>("action");
        const auto row = [](const char *name, const char *trigger, const char *message, bool active,
                            Action action) {
            QTest::newRow(name) << QByteArray(trigger) << QByteArray(message) << active
                                << static_cast<int>(action);
        };
        const char *const plain = "trigger: [main]\n";
        const char *const batch = "trigger: {batch: true, branches: {include: [main]}}\n";
        const char *const other = "trigger: {batch: true, branches: {include: [other]}}\n";
        row("starts", plain, "a", false, Action::Start);
        row("starts beside another run", plain, "a", true, Action::Start);
        row("batch starts the first", batch, "a", false, Action::Start);
        row("batch waits", batch, "a", true, Action::Wait);
        row("another branch", other, "a", true, Action::Ignore);
        row("skip marker", plain, "a [skip ci]", false, Action::Ignore);
        row("skip marker does not wait", batch, "a ***NO_CI***", true, Action::Ignore);
        row("switched off", "trigger: none\n", "a", false, Action::Ignore);
    }

    void push()
    {
        QFETCH(QByteArray, trigger);
        QFETCH(QByteArray, message);
        QFETCH(bool, active);
        QFETCH(int, action);
        const std::array<std::string, 1> paths{"src/a.c"};
        QCOMPARE(static_cast<int>(onPush(triggersOf(trigger.constData()).push, "refs/heads/main",
                                         paths, message.toStdString(), active)),
                 action);
    }

    void batchedRunEnded()
    {
        Triggers::Push trigger;
        trigger.batch = true;
        QVERIFY(onBatchedRunEnded(trigger, true) == Action::Start);
        QVERIFY(onBatchedRunEnded(trigger, false) == Action::Ignore);
        trigger.enabled = false;
        QVERIFY(onBatchedRunEnded(trigger, true) == Action::Ignore);
    }

    void pushToAResource()
    {
        const Triggers triggers =
            triggersOf("resources:\n  repositories:\n  - repository: lib\n    name: lib\n"
                       "    trigger: {batch: true, branches: {include: [main]}}\n");
        QCOMPARE(triggers.resources.size(), 1U);
        const auto &resource = triggers.resources[0];
        QVERIFY(onPush(resource, "refs/heads/main", {}, "a", false) == Action::Start);
        QVERIFY(onPush(resource, "refs/heads/main", {}, "a", true) == Action::Wait);
        QVERIFY(onPush(resource, "refs/heads/x", {}, "a", true) == Action::Ignore);
        QVERIFY(onPush(resource, "refs/heads/main", {}, "[ci skip]", false) == Action::Ignore);
    }

    void pullRequest_data()
    {
        QTest::addColumn<QByteArray>("trigger");
        QTest::addColumn<bool>("draft");
        QTest::addColumn<bool>("start");
        QTest::addColumn<bool>("cancel");
        const auto row = [](const char *trigger, bool draft, bool start, bool cancel) {
            QTest::addRow("%s%s", trigger, draft ? " draft" : "")
                << QByteArray(trigger) << draft << start << cancel;
        };
        row("pr: [main]\n", false, true, true);
        row("pr: [main]\n", true, true, true);
        row("pr: {branches: [main], drafts: false}\n", true, false, false);
        row("pr: {branches: [main], drafts: false}\n", false, true, true);
        row("pr: {branches: [main], autoCancel: false}\n", false, true, false);
        row("pr: {branches: [other]}\n", false, false, false);
        row("pr: {branches: [main], paths: {include: [docs]}}\n", false, false, false);
        row("pr: none\n", false, false, false);
        row("steps: []\n", false, true, true);
    }

    void pullRequest()
    {
        QFETCH(QByteArray, trigger);
        QFETCH(bool, draft);
        const std::array<std::string, 1> paths{"src/a.c"};
        const auto decision = onPullRequest(triggersOf(trigger.constData()).pullRequest,
                                            "refs/heads/main", paths, draft);
        QTEST(decision.start, "start");
        QTEST(decision.cancelEarlier, "cancel");
    }

    /// The table of pipeline-language 5.4.
    void due_data()
    {
        QTest::addColumn<bool>("always");
        QTest::addColumn<bool>("batch");
        QTest::addColumn<bool>("changed");
        QTest::addColumn<bool>("active");
        QTest::addColumn<bool>("start");
        for (int bits = 0; bits < 16; ++bits) {
            const bool always = (bits & 1) != 0;
            const bool batch = (bits & 2) != 0;
            const bool changed = (bits & 4) != 0;
            const bool active = (bits & 8) != 0;
            // As it is written there: four rows, each with its own sentence.
            const bool start = !always && !batch  ? changed
                               : !always && batch ? changed && !active
                               : always && !batch ? true
                                                  : !active;
            QTest::addRow("always %d batch %d changed %d active %d", always, batch, changed, active)
                << always << batch << changed << active << start;
        }
    }

    void due()
    {
        QFETCH(bool, always);
        QFETCH(bool, batch);
        QFETCH(bool, changed);
        QFETCH(bool, active);
        Triggers::Schedule schedule;
        schedule.always = always;
        schedule.batch = batch;
        QTEST(onDue(schedule, {changed, active}) == Action::Start, "start");
    }

    void versionOfATriggeredRun()
    {
        Completion completion;
        completion.branch = "refs/heads/feature";
        completion.commit = "abc";
        const auto same = triggeredVersion(completion, true, "refs/heads/main");
        QCOMPARE(same.branch, std::string("refs/heads/feature"));
        QCOMPARE(same.commit, std::string("abc"));
        const auto other = triggeredVersion(completion, false, "refs/heads/main");
        QCOMPARE(other.branch, std::string("refs/heads/main"));
        QCOMPARE(other.commit, std::string());
        QCOMPARE(categoryOf(Triggers::Resource::Kind::Pipeline), std::string_view("pipeline"));
    }
};

QTEST_GUILESS_MAIN(TestDecision)
#include "tst_decision.moc"
