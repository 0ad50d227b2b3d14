// What holds a stage back: approvals, locks, environments, people.
#include "schema/base/guid.h"
#include "server/store/check_store.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace tests;
using namespace std::chrono_literals;
using schema::RunResult;
using schema::RunStatus;
using schema::TaskResult;
using schema::protocol::CancelJob;
using schema::protocol::JobOffer;
using schema::protocol::LeaseLost;
using server::store::StagePhase;

class TestStageChecks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void waitsForApproval();
    void endsARejectedStage();
    void doesNotLetTheRequesterApprove();
    void letsApprovalsExpire();
    void letsOneRunHoldALock();
    void failsOnAnUnknownEnvironmentOfAnAutomaticRun();
    void createsAnEnvironmentAPersonAsksFor();
    void locksAStageWithoutACheck_data();
    void locksAStageWithoutACheck();
    void startsAManualStageWhenAsked();
};

void TestStageChecks::waitsForApproval()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    const std::string bob = world.addIdentity("bob");
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    server::environments::Environment production;
    production.projectId = world.projectId;
    production.name = "production";
    const auto environment = world.environments->create(production);
    QVERIFY(environment);
    server::checks::Check check;
    check.environmentId = environment->id;
    check.approval.approvers = {ann, bob};
    check.approval.minRequired = 1;
    QVERIFY(world.approvals->addCheck(check));
    const auto id =
        world.queue(plan({stage("Build", {job("A")}),
                          stage("Production", {deployment("D", "production")}, {"Build"})}));
    world.run(worker);
    auto detail = world.detail(id);
    QVERIFY(stageOf(detail, "Production").phase == StagePhase::Checking);
    QVERIFY2(detail.sentence.starts_with("stage 'Production' waits for approval of "),
             detail.sentence.c_str());
    QVERIFY2(detail.sentence.ends_with("since 2027-01-15 08:00 UTC"), detail.sentence.c_str());
    auto waiting = world.approvals->approvals(
        {world.projectId, server::checks::ApprovalStatus::Pending, {}, {}, 10});
    QVERIFY(waiting && waiting->size() == 1);
    QCOMPARE(waiting->front().environmentName, std::string("production"));
    world.restart(); // an approval outlives the process
    world.connect(worker);
    QVERIFY(!world.channel.has<JobOffer>(worker));
    const auto decided = world.approvals->decide(waiting->front().id, ann, true, "looks good");
    QVERIFY2(decided, decided ? "" : decided.error().message.c_str());
    QVERIFY(decided->status == server::checks::ApprovalStatus::Approved);
    QVERIFY(!world.approvals->decide(waiting->front().id, bob, false, ""));
    const auto message = world.run(worker);
    QVERIFY(message.environment);
    QCOMPARE(message.environment->name, std::string("production"));
    detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Succeeded);
    bool approvalRecord = false;
    for (const auto &record : detail.records)
        approvalRecord = approvalRecord || (record.type == schema::RecordType::CheckpointApproval &&
                                            record.id == waiting->front().id);
    QVERIFY(approvalRecord);
}

void TestStageChecks::endsARejectedStage()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    server::environments::Environment production;
    production.projectId = world.projectId;
    production.name = "production";
    const auto environment = world.environments->create(production);
    server::checks::Check check;
    check.environmentId = environment->id;
    check.approval.approvers = {ann};
    QVERIFY(world.approvals->addCheck(check));
    const auto id = world.queue(plan({stage("Production", {deployment("D", "production")}),
                                      stage("After", {job("X")}, {"Production"})}));
    const auto waiting = world.approvals->approvals({});
    QVERIFY(waiting && waiting->size() == 1);
    QVERIFY(world.approvals->decide(waiting->front().id, ann, false, "not today"));
    const auto detail = world.detail(id);
    QVERIFY(detail.run.status == RunStatus::Completed);
    QVERIFY(stageOf(detail, "Production").result == TaskResult::Skipped);
    QCOMPARE(stageOf(detail, "Production").waitingReason,
             std::string("rejected by ann: not today"));
    QVERIFY(detail.jobs.empty()); // nothing was executed past the check
    QVERIFY(world.runs->retryStage(id, "Production", false, ann));
    QCOMPARE(world.approvals->approvals({})->size(),
             2U); // asked again, the first answer stays on record
}

void TestStageChecks::doesNotLetTheRequesterApprove()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    const std::string bob = world.addIdentity("bob");
    server::environments::Environment production;
    production.projectId = world.projectId;
    production.name = "production";
    server::checks::Check check;
    check.environmentId = world.environments->create(production)->id;
    check.approval.approvers = {ann, bob};
    check.approval.minRequired = 1;
    check.approval.requesterCannotBeApprover = true;
    QVERIFY(world.approvals->addCheck(check));
    world.queue(plan({stage("Production", {deployment("D", "production")})}), ann);
    const auto approval = world.approvals->approvals({})->front();
    QVERIFY(!approval.canDecide(ann));
    QVERIFY(approval.canDecide(bob));
    const auto own = world.approvals->decide(approval.id, ann, true, "");
    QVERIFY(!own);
    QCOMPARE(int(own.error().code), int(schema::ErrorCode::PermissionDenied));
    QVERIFY(world.approvals->decide(approval.id, bob, true, ""));
}

void TestStageChecks::letsApprovalsExpire()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    server::environments::Environment production;
    production.projectId = world.projectId;
    production.name = "production";
    server::checks::Check check;
    check.environmentId = world.environments->create(production)->id;
    check.approval.approvers = {ann};
    check.timeoutMinutes = 10;
    QVERIFY(world.approvals->addCheck(check));
    const auto id = world.queue(plan({stage("Production", {deployment("D", "production")})}));
    world.moveClock(9min);
    QVERIFY(world.detail(id).run.status != RunStatus::Completed);
    world.moveClock(2min);
    QVERIFY(world.detail(id).run.status == RunStatus::Completed);
    QVERIFY(world.approvals->approvals({})->front().status ==
            server::checks::ApprovalStatus::TimedOut);
}

void TestStageChecks::letsOneRunHoldALock()
{
    World world;
    const auto worker = world.addWorker("w1", 4);
    world.connect(worker, 4);
    server::environments::Environment production;
    production.projectId = world.projectId;
    production.name = "production";
    server::checks::Check lock;
    lock.environmentId = world.environments->create(production)->id;
    lock.type = server::checks::CheckType::ExclusiveLock;
    QVERIFY(world.approvals->addCheck(lock));
    QVERIFY(!world.approvals->addCheck(lock)); // one is enough
    const auto deploy = [&](schema::LockBehavior behavior, const std::string &branch) {
        schema::RunPlan wanted = plan({stage("Production", {deployment("D", "production")})});
        wanted.lockBehavior = behavior;
        return world.queue(wanted, {}, branch);
    };
    const auto first = deploy(schema::LockBehavior::RunLatest, "refs/heads/main");
    const auto held = world.accept(worker);
    const auto second = deploy(schema::LockBehavior::RunLatest, "refs/heads/main");
    const auto hotfix = deploy(schema::LockBehavior::RunLatest, "refs/heads/hotfix");
    const auto third = deploy(schema::LockBehavior::RunLatest, "refs/heads/main");
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(worker));
    QCOMPARE(
        world.detail(third).sentence,
        std::string("stage 'Production' waits for the exclusive lock of environment 'production'"));
    const auto explained = world.runs->explain(third);
    QVERIFY(explained && explained->waiting.size() == 1);
    const auto &waiting = explained->waiting.front();
    QCOMPARE(waiting.kind, std::string("lock"));
    QVERIFY(waiting.heldBy && waiting.heldBy->id == first);
    QCOMPARE(waiting.position, 3);
    QCOMPARE(waiting.queueLength, 3);
    QVERIFY2(waiting.sentence.find("3rd of 3 in the queue") != std::string::npos,
             waiting.sentence.c_str());
    world.restart(); // who holds it is on disk
    world.connect(worker, 4, {held.jobId});
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(worker));
    world.complete(worker, held, TaskResult::Succeeded);
    QVERIFY(world.detail(first).run.result == RunResult::Succeeded);
    QVERIFY(stageOf(world.detail(second), "Production").result == TaskResult::Canceled &&
            world.detail(second).run.status == RunStatus::Completed);
    const auto next = world.accept(worker);
    QCOMPARE(next.runId,
             hotfix); // asked before the third, and no run of another branch takes its place
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(worker));
    world.complete(worker, next, TaskResult::Succeeded);
    QCOMPARE(world.run(worker).runId, third);
    QVERIFY(world.detail(third).run.result == RunResult::Succeeded);
}

void TestStageChecks::failsOnAnUnknownEnvironmentOfAnAutomaticRun()
{
    World world;
    const auto id = world.queue(plan({stage("Dev", {deployment("D", "dev", "default")})}));
    const auto detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY(stageOf(detail, "Dev").waitingReason.find("environment 'dev' does not exist") !=
            std::string::npos);
}

void TestStageChecks::createsAnEnvironmentAPersonAsksFor()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(plan({stage("Dev", {deployment("D", "dev")})}), ann);
    world.run(worker);
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
    const auto environment = world.environments->findByName(world.projectId, "DEV");
    QVERIFY(environment);
    const auto records = world.environments->deployments(environment->id, std::nullopt, 10);
    QVERIFY(records && records->size() == 1);
    QVERIFY(records->front().finishedAt && records->front().result == TaskResult::Succeeded);
    // A resource that is not there is named, with those that are.
    const auto missing = world.queue(plan({stage("Dev", {deployment("D", "dev", "orders")})}), ann);
    QVERIFY(stageOf(world.detail(missing), "Dev").waitingReason.find("no resource 'orders'") !=
            std::string::npos);
}

void TestStageChecks::locksAStageWithoutACheck_data()
{
    using schema::LockBehavior;
    QTest::addColumn<int>("ofPipeline"); // -1: not given
    QTest::addColumn<int>("ofStage");
    QTest::addColumn<bool>("locked");
    QTest::addColumn<bool>("oldestWaiterSurvives");
    const int sequential = int(LockBehavior::Sequential);
    const int latest = int(LockBehavior::RunLatest);
    QTest::newRow("nothing said") << -1 << -1 << false << true;
    QTest::newRow("pipeline alone makes no lock") << sequential << -1 << false << true;
    QTest::newRow("stage sequential") << -1 << sequential << true << true;
    QTest::newRow("stage runLatest") << -1 << latest << true << false;
    QTest::newRow("the stage wins") << sequential << latest << true << false;
}

/// environments-and-portal B8: three runs of a stage without the check on any environment.
void TestStageChecks::locksAStageWithoutACheck()
{
    QFETCH(const int, ofPipeline);
    QFETCH(const int, ofStage);
    QFETCH(const bool, locked);
    QFETCH(const bool, oldestWaiterSurvives);
    World world;
    const auto worker = world.addWorker("w1", 3);
    world.connect(worker, 3);
    schema::RunPlan one = plan({stage("Deploy", {job("A")})});
    if (ofPipeline >= 0)
        one.lockBehavior = static_cast<schema::LockBehavior>(ofPipeline);
    if (ofStage >= 0)
        one.stages.front().lockBehavior = static_cast<schema::LockBehavior>(ofStage);
    const auto first = world.queue(one);
    const auto message = world.accept(worker);
    const auto second = world.queue(one);
    const auto third = world.queue(one);
    const auto phase = [&](std::int64_t id) { return stageOf(world.detail(id), "Deploy").phase; };
    QVERIFY(phase(second) == (locked ? StagePhase::Checking : StagePhase::Running));
    QVERIFY(phase(third) == phase(second));
    if (!locked)
        return;
    world.complete(worker, message, TaskResult::Succeeded);
    QVERIFY(world.detail(first).run.result == RunResult::Succeeded);
    if (oldestWaiterSurvives) {
        QVERIFY(phase(second) == StagePhase::Running);
        QVERIFY(phase(third) == StagePhase::Checking);
        world.run(worker);
    } else {
        QVERIFY(stageOf(world.detail(second), "Deploy").result == TaskResult::Canceled);
    }
    QVERIFY(phase(third) == StagePhase::Running);
    world.run(worker);
    QVERIFY(world.detail(third).run.result == RunResult::Succeeded);
}

void TestStageChecks::startsAManualStageWhenAsked()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto ann = world.addIdentity("ann");
    schema::RunPlan manual = plan({stage("Deploy", {job("A")})});
    manual.stages.front().manualTrigger = true;
    const auto id = world.queue(manual);
    QVERIFY(stageOf(world.detail(id), "Deploy").phase == StagePhase::Checking);
    QVERIFY(world.runs->startStage(id, "Nothing", ann).error().code == schema::ErrorCode::Conflict);
    QVERIFY(world.runs->startStage(id, "Deploy", ann));
    QVERIFY(!world.runs->startStage(id, "Deploy", ann));
    world.run(worker);
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
}

QTEST_GUILESS_MAIN(TestStageChecks)
#include "tst_stage_checks.moc"
