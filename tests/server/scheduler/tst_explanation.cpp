// The sentences about runs, from rows alone.
#include "server/scheduler/explanation.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace server;
using namespace server::scheduler;
using schema::RunResult;
using schema::RunStatus;
using schema::TaskResult;
using store::StagePhase;

class TestExplanation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysHowARunIs_data();
    void saysHowARunIs();
    void namesHolderAndPlace();
    void saysWhatRunsAtATime();
};

namespace {

struct Case
{
    RunStatus status = RunStatus::InProgress;
    RunResult result = RunResult::None;
    std::vector<store::StageRow> stages;
    std::vector<store::ApprovalRow> approvals;
    std::vector<store::TimelineRow> failures;
    std::set<std::string> queued = {};
};

store::StageRow row(const std::string &name, StagePhase phase,
                    std::optional<TaskResult> result = {}, const std::string &reason = {})
{
    store::StageRow stage;
    stage.name = name;
    stage.phase = phase;
    stage.result = result;
    stage.waitingReason = reason;
    return stage;
}

store::TimelineRow record(schema::RecordType type, const std::string &name,
                          const std::string &message)
{
    store::TimelineRow failure;
    failure.jobId = "job-1";
    failure.type = type;
    failure.name = name;
    failure.result = TaskResult::Failed;
    if (!message.empty())
        failure.issuesJson = R"([{"type":"warning","message":"old"},{"type":"error","message":")" +
                             message + R"(","data":{}}])";
    return failure;
}

store::ApprovalRow approval(std::vector<std::string> names)
{
    store::ApprovalRow asked;
    asked.stage = "Production";
    asked.status = store::ApprovalStatus::Pending;
    asked.createdAt = schema::fromEpochMillis(1'800'000'000'000);
    for (std::string &name : names)
        asked.steps.push_back({name, name, store::ApprovalStatus::Pending, {}, {}});
    return asked;
}

} // namespace

Q_DECLARE_METATYPE(Case)

void TestExplanation::saysHowARunIs_data()
{
    using schema::RecordType;
    QTest::addColumn<Case>("given");
    QTest::addColumn<QString>("sentence");
    const auto add = [](const char *name, Case given, const char *sentence) {
        QTest::newRow(name) << std::move(given) << QString::fromUtf8(sentence);
    };
    const auto ended = [](std::vector<store::TimelineRow> failures) {
        return Case{RunStatus::Completed,
                    RunResult::Failed,
                    {row("Build", StagePhase::Completed, TaskResult::Failed),
                     row("Deploy", StagePhase::Completed, TaskResult::Skipped)},
                    {},
                    std::move(failures)};
    };
    add("new", {RunStatus::NotStarted, RunResult::None, {row("A", StagePhase::Pending)}, {}, {}},
        "is about to start");
    add("running",
        {RunStatus::InProgress,
         RunResult::None,
         {row("A", StagePhase::Running), row("B", StagePhase::Running)},
         {},
         {}},
        "runs stages 'A', 'B'");
    add("queued",
        {RunStatus::InProgress,
         RunResult::None,
         {row("A", StagePhase::Running), row("B", StagePhase::Running),
          row("C", StagePhase::Checking, {}, "waits for the exclusive lock")},
         {},
         {},
         {"A", "B"}},
        "stages 'A', 'B' wait for a worker; stage 'C' waits for the exclusive lock");
    add("queued, no stages in the file",
        {RunStatus::InProgress,
         RunResult::None,
         {row("__default", StagePhase::Running)},
         {},
         {},
         {"__default"}},
        "waits for a worker");
    add("running, no stages in the file",
        {RunStatus::InProgress, RunResult::None, {row("__default", StagePhase::Running)}, {}, {}},
        "runs");
    add("a check, no stages in the file",
        {RunStatus::InProgress,
         RunResult::None,
         {row("__default", StagePhase::Checking, {}, "waits for the exclusive lock")},
         {},
         {}},
        "waits for the exclusive lock");
    add("failed, no stages in the file",
        {RunStatus::Completed,
         RunResult::Failed,
         {row("__default", StagePhase::Completed, TaskResult::Failed)},
         {},
         {}},
        "failed");
    add("failed in a job, no stages in the file",
        {RunStatus::Completed,
         RunResult::Failed,
         {row("__default", StagePhase::Completed, TaskResult::Failed)},
         {},
         {record(RecordType::Task, "Build web", "exit code 1"),
          record(RecordType::Job, "docker", "")}},
        "failed in job docker, step 'Build web': exit code 1");
    add("one of two queued",
        {RunStatus::InProgress,
         RunResult::None,
         {row("A", StagePhase::Running), row("B", StagePhase::Running)},
         {},
         {},
         {"B"}},
        "runs stage 'A'");
    add("approval",
        {RunStatus::InProgress,
         RunResult::None,
         {row("Production", StagePhase::Checking, {}, "waits for approval")},
         {approval({"Ann", "Bob"})},
         {}},
        "stage 'Production' waits for approval of Ann, Bob since 2027-01-15 08:00 UTC");
    add("lock",
        {RunStatus::InProgress,
         RunResult::None,
         {row("Production", StagePhase::Checking, {}, "waits for the exclusive lock")},
         {},
         {}},
        "stage 'Production' waits for the exclusive lock");
    add("step",
        ended({record(RecordType::Task, "Build web", "exit code 1\\nmore"),
               record(RecordType::Job, "docker", "")}),
        "failed in stage Build, job docker, step 'Build web': exit code 1");
    add("job", ended({record(RecordType::Job, "docker", "We stopped hearing from the worker")}),
        "failed in stage Build, job docker: We stopped hearing from the worker");
    add("stage", ended({}), "failed in stage Build");
    add("file", {RunStatus::Completed, RunResult::Failed, {}, {}, {}},
        "could not start: the pipeline has errors");
    add("succeeded", {RunStatus::Completed, RunResult::Succeeded, {}, {}, {}}, "succeeded");
    add("canceled", {RunStatus::Completed, RunResult::Canceled, {}, {}, {}}, "was canceled");
}

void TestExplanation::saysHowARunIs()
{
    QFETCH(const Case, given);
    QFETCH(const QString, sentence);
    store::RunRow run;
    run.status = given.status;
    run.result = given.result;
    std::vector<std::string> names;
    for (const auto &stage : given.stages)
        names.push_back(stage.name);
    const std::string first = names.empty() ? std::string() : names.front();
    const RunPicture picture{
        run,         given.stages, names, given.approvals, given.failures, {{"job-1", first}},
        given.queued};
    QCOMPARE(QString::fromStdString(sentenceOf(picture)), sentence);
}

void TestExplanation::namesHolderAndPlace()
{
    const auto use = [](std::int64_t run, int minute, bool granted) {
        LockUse one;
        one.lock.environmentId = 7;
        one.lock.runId = run;
        one.lock.stage = "Production";
        one.lock.requestedAt = schema::fromEpochMillis(1'800'000'000'000 + minute * 60'000);
        if (granted)
            one.lock.grantedAt = one.lock.requestedAt;
        one.runNumber = std::to_string(run);
        one.pipelineName = "web";
        return one;
    };
    const auto now = schema::fromEpochMillis(1'800'000'000'000 + 10 * 60'000);
    std::vector<LockUse> uses{use(5, 4, false), use(3, 1, true), use(4, 3, false)};
    const Waiting second = waitingForLock(uses[0].lock, uses, "the lock", "Production", now);
    QCOMPARE(second.position, 2);
    QCOMPARE(second.queueLength, 2);
    QVERIFY(second.heldBy && second.heldBy->id == 3);
    QCOMPARE(second.sentence,
             std::string("stage 'Production' waits for the lock, which run 3 of web holds since "
                         "2027-01-15 08:01 UTC; 2nd of 2 in the queue"));
    QCOMPARE(waitingForLock(uses[2].lock, uses, "the lock", "Production", now).position, 1);
    QVERIFY(!second.estimatedAt); // nothing is known of how long such a stage takes
    for (LockUse &one : uses)
        one.usual = std::chrono::minutes(20);
    // Held since 08:01 for 20 minutes, then run 4 for as long.
    const Waiting estimated = waitingForLock(uses[0].lock, uses, "the lock", "Production", now);
    QCOMPARE(QString::fromStdString(schema::toIso8601(estimated.estimatedAt.value())).left(16),
             u"2027-01-15T08:41");
}

void TestExplanation::saysWhatRunsAtATime()
{
    schema::Job legs = tests::job("Legs");
    legs.matrix = {{"a", {}}, {"b", {}}, {"c", {}}};
    legs.maxParallel = "2";
    const schema::RunPlan plan = tests::plan({tests::stage("Build", {legs})});
    store::PhaseRow phase;
    phase.stage = "Build";
    phase.name = "Legs";
    phase.state = schema::RecordState::InProgress;
    store::JobRow one;
    one.stage = "Build";
    one.phase = "Legs";
    const auto waiting = waitingForRoom(plan, {phase}, {one, one});
    QCOMPARE(waiting.size(), 1U);
    QCOMPARE(waiting[0].kind, std::string("parallel"));
    QCOMPARE(waiting[0].sentence,
             std::string("1 more of job 'Legs' wait: at most 2 of them at a time (maxParallel)"));
    QVERIFY(waitingForRoom(plan, {phase}, {one, one, one}).empty());
}

QTEST_GUILESS_MAIN(TestExplanation)
#include "tst_explanation.moc"
