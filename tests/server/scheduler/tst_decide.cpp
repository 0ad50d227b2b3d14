// decide() by table: one snapshot, one event, what follows. No database, no threads, no clock.
#include "server/scheduler/state_machine.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace server;
using namespace server::scheduler;
using namespace std::chrono_literals;
using schema::RunStatus;
using schema::TaskResult;
using store::JobState;
using store::StagePhase;

namespace {

const schema::TimePoint kNow = schema::fromEpochMillis(1'800'000'000'000);

/// A run of one stage "Build" with one job "A" in the given state, held by worker 7 where somebody
/// has it.
RunSnapshot snapshotOf(JobState state)
{
    RunSnapshot snapshot;
    snapshot.run.id = 1;
    snapshot.run.planId = "11111111-1111-1111-1111-111111111111";
    snapshot.run.queuedAt = kNow;
    snapshot.plan = std::make_shared<const schema::RunPlan>(
        tests::plan({tests::stage("Build", {tests::job("A")})}));
    for (const Change &change : initialRows(snapshot.run, *snapshot.plan))
        applyChange(snapshot, change);
    const Decision created = decide(snapshot, RunCreated{}, kNow);
    for (const Change &change : created.changes)
        applyChange(snapshot, change);
    if (snapshot.jobs.size() != 1)
        qFatal("the plan has one job");
    store::JobRow &job = snapshot.jobs.begin()->second;
    job.state = state;
    if (state == JobState::Assigned || state == JobState::Running) {
        job.workerId = 7;
        job.tokenHash = {1};
        job.leasedUntil = kNow + 60s;
        snapshot.run.status = RunStatus::InProgress;
    }
    if (state == JobState::Running) {
        job.startedAt = kNow;
        job.timeoutAt = kNow + 1h;
    }
    if (state == JobState::Completed) {
        job.result = TaskResult::Succeeded;
        job.finishedAt = kNow;
    }
    return snapshot;
}

/// Events by a name in a table; `job` is the snapshot's only one.
RunEvent eventOf(const QString &name, const std::string &job)
{
    schema::protocol::JobCompletion completion;
    completion.result = TaskResult::Succeeded;
    if (name == u"assigned")
        return JobAssigned{job, 7, {1}, kNow + 60s};
    if (name == u"accepted")
        return JobAccepted{job, 7, "w", kNow + 60s};
    if (name == u"accepted by another")
        return JobAccepted{job, 8, "x", kNow + 60s};
    if (name == u"refused")
        return JobRefused{job, 7};
    if (name == u"refused by another")
        return JobRefused{job, 8};
    if (name == u"renewed")
        return LeaseRenewed{job, 7, kNow + 90s};
    if (name == u"lost")
        return JobLost{job, 7, "gone"};
    if (name == u"lost by another")
        return JobLost{job, 8, "gone"};
    if (name == u"completed")
        return JobCompleted{job, completion};
    if (name == u"unassignable")
        return JobUnassignable{job, "no such pool"};
    if (name == u"cancel")
        return CancelRequested{"ann"};
    if (name == u"cancel stage")
        return StageCancelRequested{"Build", "ann"};
    if (name == u"cancel job")
        return JobCancelRequested{job, "ann"};
    if (name == u"retry job")
        return JobRetryRequested{job, "ann"};
    if (name == u"clock")
        return ClockJumped{1h};
    if (name == u"timer")
        return TimerDue{};
    qFatal("event %s", qPrintable(name));
}

const char *wordOf(JobState state)
{
    static constexpr const char *kWords[] = {"queued", "assigned", "running", "completed"};
    return kWords[static_cast<std::size_t>(state)];
}

} // namespace

class TestDecide : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void movesAJob_data();
    void movesAJob();
    void endsByTime_data();
    void endsByTime();
    void isPure();
};

void TestDecide::movesAJob_data()
{
    QTest::addColumn<int>("before");
    QTest::addColumn<QString>("event");
    QTest::addColumn<QString>("after"); ///< state of the job; "refused": the event is not allowed
    QTest::addColumn<QString>("result");
    QTest::addColumn<QString>("told"); ///< what a worker is told: "", "cancel", "leaseLost"
    const auto row = [](JobState before, const char *event, const char *after,
                        const char *result = "", const char *told = "") {
        QTest::addRow("%s, %s", wordOf(before), event)
            << int(before) << QString::fromLatin1(event) << QString::fromLatin1(after)
            << QString::fromLatin1(result) << QString::fromLatin1(told);
    };
    using enum JobState;
    row(Queued, "assigned", "assigned");
    row(Queued, "accepted", "queued", "", "leaseLost");
    row(Queued, "renewed", "queued", "", "leaseLost");
    row(Queued, "lost", "queued");
    row(Queued, "completed", "refused");
    row(Queued, "unassignable", "completed", "failed");
    row(Queued, "cancel", "completed", "canceled");
    row(Queued, "cancel stage", "completed", "canceled");
    row(Queued, "cancel job", "completed", "canceled");
    row(Queued, "retry job", "refused");
    row(Queued, "timer", "queued");
    row(Assigned, "assigned", "assigned");
    row(Assigned, "accepted", "running");
    row(Assigned, "accepted by another", "assigned", "", "leaseLost");
    row(Assigned, "renewed", "running"); // the acceptance got lost
    row(Assigned, "refused", "queued");
    row(Assigned, "refused by another", "assigned");
    row(Assigned, "lost", "queued");
    row(Assigned, "lost by another", "assigned");
    row(Assigned, "completed", "completed", "succeeded"); // so did everything but the result
    row(Assigned, "cancel", "assigned", "", "cancel");
    row(Running, "assigned", "refused");
    row(Running, "accepted", "running");
    row(Running, "accepted by another", "running", "", "leaseLost");
    row(Running, "refused", "running");
    row(Running, "lost", "completed", "abandoned");
    row(Running, "lost by another", "running");
    row(Running, "completed", "completed", "succeeded");
    row(Running, "unassignable", "running");
    row(Running, "cancel", "running", "", "cancel");
    row(Running, "cancel stage", "running", "", "cancel");
    row(Running, "cancel job", "running", "", "cancel");
    row(Running, "retry job", "refused");
    row(Running, "clock", "running");
    row(Completed, "assigned", "refused");
    row(Completed, "completed", "completed", "succeeded"); // a repeat
    row(Completed, "lost", "completed", "succeeded");
    row(Completed, "cancel job", "refused");
    row(Completed, "unassignable", "completed", "succeeded");
}

void TestDecide::movesAJob()
{
    QFETCH(const int, before);
    QFETCH(const QString, event);
    QFETCH(const QString, after);
    QFETCH(const QString, result);
    QFETCH(const QString, told);
    RunSnapshot snapshot = snapshotOf(static_cast<JobState>(before));
    const std::string id = snapshot.jobs.begin()->first;
    const Decision decision = decide(snapshot, eventOf(event, id), kNow + 1s);
    QCOMPARE(decision.refused.has_value(), after == u"refused");
    if (decision.refused) {
        QVERIFY(decision.changes.empty());
        return;
    }
    for (const Change &change : decision.changes)
        applyChange(snapshot, change);
    const store::JobRow &job = snapshot.jobs.at(id);
    QCOMPARE(QString::fromLatin1(wordOf(job.state)), after);
    const std::string word(job.result ? schema::toString(*job.result) : "");
    QCOMPARE(QString::fromStdString(word), result);
    QString said;
    for (const Action &action : decision.actions)
        said = std::holds_alternative<SendCancel>(action) ? QStringLiteral("cancel")
                                                          : QStringLiteral("leaseLost");
    QCOMPARE(said, told);
    if (job.state == JobState::Completed)
        QVERIFY(!job.leasedUntil && !job.timeoutAt && job.finishedAt);
    QCOMPARE(job.state == JobState::Queued, !job.workerId && !job.finishedAt);
}

void TestDecide::endsByTime_data()
{
    QTest::addColumn<int>("before");
    QTest::addColumn<qint64>("seconds"); ///< after which the timer comes
    QTest::addColumn<qint64>("jump");    ///< seconds that the wall clock was set by before that
    QTest::addColumn<QString>("after");
    QTest::newRow("lease stands") << int(JobState::Running) << qint64(59) << qint64(0) << "running";
    QTest::newRow("lease ended") << int(JobState::Running) << qint64(60) << qint64(0)
                                 << "completed";
    QTest::newRow("offer ended") << int(JobState::Assigned) << qint64(60) << qint64(0) << "queued";
    QTest::newRow("clock set forward")
        << int(JobState::Running) << qint64(3600 + 59) << qint64(3600) << "running";
    QTest::newRow("clock set forward, lease ended")
        << int(JobState::Running) << qint64(3600 + 60) << qint64(3600) << "completed";
    QTest::newRow("clock set back, lease ended")
        << int(JobState::Running) << qint64(-3600 + 60) << qint64(-3600) << "completed";
}

void TestDecide::endsByTime()
{
    QFETCH(const int, before);
    QFETCH(const qint64, seconds);
    QFETCH(const qint64, jump);
    QFETCH(const QString, after);
    RunSnapshot snapshot = snapshotOf(static_cast<JobState>(before));
    const std::string id = snapshot.jobs.begin()->first;
    const auto apply = [&](const RunEvent &event, std::chrono::seconds since) {
        for (const Change &change : decide(snapshot, event, kNow + since).changes)
            applyChange(snapshot, change);
    };
    if (jump != 0)
        apply(ClockJumped{std::chrono::seconds(jump)}, std::chrono::seconds(jump));
    apply(TimerDue{}, std::chrono::seconds(seconds));
    QCOMPARE(QString::fromLatin1(wordOf(snapshot.jobs.at(id).state)), after);
}

void TestDecide::isPure()
{
    const RunSnapshot snapshot = snapshotOf(JobState::Running);
    const std::string id = snapshot.jobs.begin()->first;
    schema::protocol::JobCompletion completion;
    completion.result = TaskResult::Failed;
    const Decision one = decide(snapshot, JobCompleted{id, completion}, kNow);
    const Decision two = decide(snapshot, JobCompleted{id, completion}, kNow);
    QCOMPARE(one.changes.size(), two.changes.size());
    for (std::size_t i = 0; i < one.changes.size(); ++i) {
        QCOMPARE(one.changes[i].index(), two.changes[i].index());
        if (const auto *job = std::get_if<store::JobRow>(&one.changes[i]))
            QVERIFY(*job == std::get<store::JobRow>(two.changes[i]));
    }
    QVERIFY(snapshot.jobs.at(id).state == JobState::Running);
}

QTEST_GUILESS_MAIN(TestDecide)
#include "tst_decide.moc"
