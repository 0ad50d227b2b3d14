// The scheduler with a real database: what runs do, over restarts, losses, checks and locks.
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

class TestScheduler : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void runsAChainOfStages();
    void tellsTheJobWhatItNeeds();
    void keepsSecretsOutOfTheDatabase();
    void offersAgainAfterARestart();
    void keepsRunningJobsOverARestart();
    void abandonsAJobWhoseLeaseEnded();
    void takesBackAnOfferThatNobodyAnswered();
    void refusesTheOldTokenOfATakenBackOffer();
    void cancelsAtEveryState();
    void endsAJobThatRanTooLong();
    void retriesAFailedStageOnly();
    void waitsForApproval();
    void endsARejectedStage();
    void doesNotLetTheRequesterApprove();
    void letsApprovalsExpire();
    void letsOneRunHoldALock();
    void failsOnAnUnknownEnvironmentOfAnAutomaticRun();
    void createsAnEnvironmentAPersonAsksFor();
    void saysWhyAJobWaits();
    void failsAJobOfAnUnknownPool();
    void createsAFailedRunFromABrokenFile();
    void repeatsAreHarmless();
};

namespace {

server::store::StageRow stageOf(const server::scheduler::RunDetail &detail, const std::string &name)
{
    for (const auto &stage : detail.stages) {
        if (stage.name == name)
            return stage;
    }
    qFatal("no stage %s", name.c_str());
}

} // namespace

void TestScheduler::runsAChainOfStages()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    QVERIFY(world.channel.take<schema::protocol::Welcome>(worker));
    const auto id =
        world.queue(plan({stage("Build", {job("A")}), stage("Test", {job("B")}, {"Build"})}));
    auto detail = world.detail(id);
    QCOMPARE(detail.run.number, "20261121." + std::to_string(id));
    QVERIFY(detail.run.status == RunStatus::NotStarted);
    world.run(worker);
    QVERIFY(world.detail(id).run.status == RunStatus::InProgress);
    QVERIFY(stageOf(world.detail(id), "Build").result == TaskResult::Succeeded);
    world.run(worker);
    detail = world.detail(id);
    QVERIFY(detail.run.status == RunStatus::Completed);
    QVERIFY(detail.run.result == RunResult::Succeeded);
    QCOMPARE(detail.sentence, std::string("succeeded"));
    for (const auto &record : detail.records)
        QVERIFY2(record.state == schema::RecordState::Completed, record.name.c_str());
    QCOMPARE(detail.records.size(), 6U); // stage, phase and job, twice
}

void TestScheduler::tellsTheJobWhatItNeeds()
{
    World world;
    schema::protocol::ServiceConnection registry;
    registry.id = "33333333-3333-3333-3333-333333333333";
    registry.name = "Container Registry Connection";
    registry.parameters = {{"password", "hunter2"}};
    world.secrets.connections[registry.name] = registry;
    schema::protocol::ServiceConnection unused;
    unused.name = "Other";
    world.secrets.connections["Other"] = unused;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    schema::Job build = job("Images");
    build.steps.front().inputs = {{"containerRegistry", "container registry connection"}};
    world.queue(plan({stage("Build", {build})}));
    const auto offer = world.channel.take<JobOffer>(worker);
    QVERIFY(offer);
    const auto &message = offer->job;
    QCOMPARE(message.connections.size(), 1U);
    QCOMPARE(message.connections.front().name, registry.name);
    QCOMPARE(message.repositories.front().url,
             std::string("http://server:8480/space-game/_git/space-game"));
    QCOMPARE(message.repositories.front().version, std::string("c1"));
    const auto value = [&](const std::string &name) -> std::string {
        for (const auto &variable : message.variables) {
            if (variable.name == name)
                return variable.value;
        }
        return "(missing)";
    };
    QCOMPARE(value("Build.SourceBranchName"), std::string("main"));
    QCOMPARE(value("Build.Reason"), std::string("IndividualCI"));
    QCOMPARE(value("System.StageName"), std::string("Build"));
    QCOMPARE(value("System.AccessToken"), message.jobToken);
    QCOMPARE(value("System.CollectionUri"), std::string("http://server:8480/"));
    QVERIFY(world.jobs->authorize(message.jobToken));
    QVERIFY(!world.jobs->authorize("guess"));
}

void TestScheduler::keepsSecretsOutOfTheDatabase()
{
    World world;
    world.secrets.groups["Release"] = {{"apiKey", "s3cr3t-group-value", true, false}};
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    schema::RunPlan secretive =
        plan({stage("Build", {job("A")}), stage("Next", {job("B")}, {"Build"})});
    schema::VariableEntry group;
    group.group = "Release";
    secretive.variables = {group};
    const auto id = world.queue(secretive);
    const auto message = world.accept(worker);
    world.complete(worker, message, TaskResult::Succeeded,
                   {{"CmdLine1", "token", "s3cr3t-output-value", true}});
    world.accept(worker);
    world.scheduler->stop();
    Q_UNUSED(id);
    // Everything that is on disk, the write-ahead log included.
    for (const auto &entry :
         std::filesystem::recursive_directory_iterator(world.dir.path().toStdString())) {
        if (!entry.is_regular_file())
            continue;
        QFile file(QString::fromStdString(entry.path().string()));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray bytes = file.readAll();
        for (const std::string &secret : {std::string("s3cr3t-group-value"),
                                          std::string("s3cr3t-output-value"), message.jobToken})
            QVERIFY2(!bytes.contains(secret.c_str()), entry.path().c_str());
    }
}

void TestScheduler::offersAgainAfterARestart()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(plan({stage("Build", {job("A")})}));
    const auto lost =
        world.channel.take<JobOffer>(worker); // the crash comes before the worker answers
    QVERIFY(lost);
    world.restart();
    world.connect(worker);
    const auto message = world.run(worker);
    QCOMPARE(message.jobId, lost->job.jobId);
    QVERIFY(message.jobToken != lost->job.jobToken);
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
}

void TestScheduler::keepsRunningJobsOverARestart()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id =
        world.queue(plan({stage("Build", {job("A")}), stage("Test", {job("B")}, {"Build"})}));
    const auto message = world.accept(worker);
    world.restart();
    world.connect(worker, 1, {message.jobId});
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(worker));
    QVERIFY(!world.channel.has<LeaseLost>(worker));
    world.complete(worker, message, TaskResult::Succeeded);
    world.run(worker);
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
}

void TestScheduler::abandonsAJobWhoseLeaseEnded()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(plan({stage("Build", {job("A")})}));
    const auto message = world.accept(worker);
    world.moveClock(30s);
    world.scheduler->workerFrame(worker, schema::protocol::Renew{{message.jobId}});
    QVERIFY(world.channel.take<schema::protocol::Renewed>(worker));
    world.moveClock(59s);
    QVERIFY(world.detail(id).run.status == RunStatus::InProgress);
    world.moveClock(2s);
    const auto detail = world.detail(id);
    QVERIFY(detail.run.status == RunStatus::Completed);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY(detail.jobs.front().result == TaskResult::Abandoned);
    QVERIFY(world.channel.take<LeaseLost>(worker));
    // The worker comes back with a result that nobody waits for any more.
    const auto late = world.jobs->complete(message.jobId, message.jobToken, {});
    QVERIFY(!late);
    QVERIFY(late.error().message.starts_with("leaseLost"));
}

void TestScheduler::takesBackAnOfferThatNobodyAnswered()
{
    World world;
    const auto first = world.addWorker("w1");
    const auto second = world.addWorker("w2");
    world.connect(first);
    world.queue(plan({stage("Build", {job("A")})}));
    const auto offer = world.channel.take<JobOffer>(first);
    QVERIFY(offer);
    world.scheduler->workerDisconnected(first);
    world.connect(second);
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(second)); // the first may have begun: its lease decides
    world.moveClock(61s);
    const auto again = world.channel.take<JobOffer>(second);
    QVERIFY(again);
    QCOMPARE(again->job.jobId, offer->job.jobId);
    world.connect(first, 1, {offer->job.jobId});
    QVERIFY(world.channel.take<LeaseLost>(first));
}

void TestScheduler::refusesTheOldTokenOfATakenBackOffer()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    world.queue(plan({stage("Build", {job("A")})}));
    const auto offer = world.channel.take<JobOffer>(worker);
    world.moveClock(61s);
    const auto again = world.channel.take<JobOffer>(worker);
    QVERIFY(again);
    schema::protocol::RecordUpdate update;
    update.id = schema::nameGuid("x", "step");
    update.parentId = offer->job.recordId;
    update.sequence = 1;
    const auto old = world.jobs->mergeRecords(offer->job.jobId, offer->job.jobToken, {update});
    QVERIFY(!old);
    QVERIFY(old.error().message.starts_with("leaseLost"));
    QVERIFY(world.jobs->mergeRecords(offer->job.jobId, again->job.jobToken, {update}));
}

void TestScheduler::cancelsAtEveryState()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    // Queued: nobody to ask.
    const auto queued = world.queue(plan({stage("Build", {job("A")})}));
    QVERIFY(world.runs->cancelRun(queued, ann));
    QVERIFY(world.detail(queued).run.result == RunResult::Canceled);
    QVERIFY(!world.runs->cancelRun(queued, ann));

    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto running =
        world.queue(plan({stage("Build", {job("A")}), stage("Next", {job("B")}, {"Build"})}));
    const auto message = world.accept(worker);
    QVERIFY(world.runs->cancelRun(running, ann));
    const auto cancel = world.channel.take<CancelJob>(worker);
    QVERIFY(cancel);
    QCOMPARE(cancel->jobId, message.jobId);
    QVERIFY(world.detail(running).run.status == RunStatus::Cancelling);
    world.complete(worker, message, TaskResult::Canceled);
    QVERIFY(world.detail(running).run.result == RunResult::Canceled);

    // A worker that does not obey: the server ends the job itself after the cancel time-out.
    const auto stubborn = world.queue(plan({stage("Build", {job("A")})}));
    const auto held = world.accept(worker);
    QVERIFY(world.runs->cancelRun(stubborn, ann));
    for (int minute = 0; minute < 7; ++minute) {
        world.scheduler->workerFrame(worker, schema::protocol::Renew{{held.jobId}});
        world.moveClock(55s);
    }
    QVERIFY(world.channel.take<LeaseLost>(worker));
    QVERIFY(world.detail(stubborn).run.result == RunResult::Canceled);
}

void TestScheduler::endsAJobThatRanTooLong()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    schema::Job slow = job("A");
    slow.timeoutMinutes = "1";
    const auto id = world.queue(plan({stage("Build", {slow})}));
    const auto message = world.accept(worker);
    world.moveClock(50s);
    world.scheduler->workerFrame(worker, schema::protocol::Renew{{message.jobId}});
    world.moveClock(11s);
    const auto cancel = world.channel.take<CancelJob>(worker);
    QVERIFY(cancel);
    QVERIFY(cancel->reason.find("maximum time of 1 minutes") != std::string::npos);
    world.complete(worker, message, TaskResult::Canceled);
    QVERIFY(world.detail(id).run.status == RunStatus::Completed);
}

void TestScheduler::retriesAFailedStageOnly()
{
    World world;
    const std::string ann = world.addIdentity("ann");
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(
        plan({stage("Build", {job("A")}), stage("Test", {job("Good"), job("Bad")}, {"Build"}),
              stage("Deploy", {job("D")}, {"Test"})}));
    world.run(worker);
    for (int i = 0; i < 2; ++i) {
        const auto message = world.accept(worker);
        world.complete(worker, message,
                       message.jobName == "Bad" ? TaskResult::Failed : TaskResult::Succeeded);
    }
    auto detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY(stageOf(detail, "Deploy").result == TaskResult::Skipped);
    QCOMPARE(detail.sentence, std::string("failed in stage 'Test'"));
    QVERIFY(!world.runs->retryStage(id, "Build", false, ann)); // succeeded
    QVERIFY(!world.runs->retryStage(id, "Nothing", false, ann));
    QVERIFY(world.runs->retryStage(id, "Test", false, ann));
    const auto again = world.run(worker);
    QCOMPARE(again.jobName, std::string("Bad"));
    QCOMPARE(again.attempt, 2);
    QCOMPARE(world.run(worker).jobName, std::string("D"));
    detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Succeeded);
    QCOMPARE(stageOf(detail, "Test").attempt, 2);
    QCOMPARE(stageOf(detail, "Build").attempt, 1);
    QCOMPARE(detail.jobs.size(), 5U); // A, Good, Bad twice, D
}

void TestScheduler::waitsForApproval()
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
    QCOMPARE(detail.sentence, std::string("stage 'Production' waits for approval"));
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

void TestScheduler::endsARejectedStage()
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

void TestScheduler::doesNotLetTheRequesterApprove()
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

void TestScheduler::letsApprovalsExpire()
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

void TestScheduler::letsOneRunHoldALock()
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

void TestScheduler::failsOnAnUnknownEnvironmentOfAnAutomaticRun()
{
    World world;
    const auto id = world.queue(plan({stage("Dev", {deployment("D", "dev", "default")})}));
    const auto detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY(stageOf(detail, "Dev").waitingReason.find("environment 'dev' does not exist") !=
            std::string::npos);
}

void TestScheduler::createsAnEnvironmentAPersonAsksFor()
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

void TestScheduler::saysWhyAJobWaits()
{
    World world;
    schema::Job demanding = job("A");
    demanding.pool.demands = {"docker", "Agent.OS -equals Linux"};
    const auto id =
        world.queue(plan({stage("Build", {demanding}), stage("Test", {job("B")}, {"Build"})}));
    auto explained = world.runs->explain(id);
    QVERIFY(explained && explained->waiting.size() == 2);
    QVERIFY2(explained->waiting[1].sentence.find("has no worker") != std::string::npos,
             explained->waiting[1].sentence.c_str());
    QVERIFY(explained->waiting[0].sentence == "stage 'Test' waits for stage 'Build'");
    const auto worker = world.addWorker("w1");
    world.connect(worker, 1, {}, {{"Agent.OS", "Linux"}});
    explained = world.runs->explain(id);
    QVERIFY2(explained->waiting[1].sentence.find("lacks: docker") != std::string::npos,
             explained->waiting[1].sentence.c_str());
    world.connect(worker, 1, {}, {{"Agent.OS", "linux"}, {"docker", "/usr/bin/docker"}});
    world.run(worker);
}

void TestScheduler::failsAJobOfAnUnknownPool()
{
    World world;
    schema::Job lost = job("A");
    lost.pool.name = "Nowhere";
    const auto id = world.queue(plan({stage("Build", {lost})}));
    const auto detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY(detail.jobs.front().message.find(
                "pool 'Nowhere' does not exist; pools here: Default") != std::string::npos);
}

void TestScheduler::createsAFailedRunFromABrokenFile()
{
    World world;
    server::scheduler::NewRun run;
    run.pipelineId = world.pipelineId;
    run.number = "1";
    run.valid = false;
    run.validationJson = R"([{"message":"unexpected value"}])";
    const auto id = world.runs->createRun(run);
    QVERIFY(id);
    const auto detail = world.detail(*id);
    QVERIFY(detail.run.status == RunStatus::Completed);
    QVERIFY(detail.run.result == RunResult::Failed);
    QCOMPARE(detail.run.validationJson, run.validationJson);
    run.pipelineId = 4711;
    QCOMPARE(int(world.runs->createRun(run).error().code), int(schema::ErrorCode::NotFound));
}

void TestScheduler::repeatsAreHarmless()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(plan({stage("Build", {job("A")})}));
    const auto message = world.accept(worker);
    world.scheduler->workerFrame(worker, schema::protocol::Accepted{message.jobId});
    schema::protocol::JobCompletion done;
    done.result = TaskResult::Succeeded;
    QVERIFY(world.jobs->complete(message.jobId, message.jobToken, done));
    done.result = TaskResult::Failed;
    QVERIFY(
        world.jobs->complete(message.jobId, message.jobToken, done)); // a repeat changes nothing
    world.scheduler->workerFrame(worker, schema::protocol::Accepted{message.jobId});
    world.scheduler->workerFrame(worker, schema::protocol::Finished{message.jobId});
    world.settle();
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
    QVERIFY(!world.channel.has<LeaseLost>(worker));
}

QTEST_GUILESS_MAIN(TestScheduler)
#include "tst_scheduler.moc"
