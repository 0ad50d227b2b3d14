// Runs of the scheduler with a real database, from their creation to their end.
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
    void cancelsAtEveryState();
    void retriesAFailedStageOnly();
    void saysWhyAJobWaits();
    void keepsAndExplainsLimits();
    void passesByAWorkerThatTakesNoJobs();
    void takesJobsOfAStageInThePlansOrder();
    void keepsTheNumberThatAStepGave();
    void failsAJobOfAnUnknownPool();
    void createsAFailedRunFromABrokenFile();
    void repeatsAreHarmless();
    void countsOnceForEachRun();
    void failsARunWithABadRootVariable();
    void cancelsOneStage();
    void cancelsOneJob();
    void retriesOneJobWhileTheStageGoesOn();
    void refusesToRetryWhatOthersSaw();
};

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
    QCOMPARE(detail.sentence, std::string("failed in stage Test, job Bad"));
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
    QVERIFY(world.detail(id).queuedStages == std::set<std::string>{"Build"});
    const auto worker = world.addWorker("w1");
    world.connect(worker, 1, {}, {{"Agent.OS", "Linux"}});
    explained = world.runs->explain(id);
    QVERIFY2(explained->waiting[1].sentence.find("lacks: docker") != std::string::npos,
             explained->waiting[1].sentence.c_str());
    world.connect(worker, 1, {}, {{"Agent.OS", "linux"}, {"docker", "/usr/bin/docker"}});
    const auto message = world.accept(worker);
    const auto running = world.detail(id);
    QVERIFY(running.queuedStages.empty());
    QCOMPARE(running.sentence, std::string("runs stage 'Build'"));
    world.complete(worker, message, TaskResult::Succeeded);
}

/// Its disk is full: what it was offered goes to another worker, and nothing more comes to it.
void TestScheduler::passesByAWorkerThatTakesNoJobs()
{
    using schema::protocol::CapabilitiesChanged;
    using schema::protocol::JobOffer;
    const std::vector<schema::protocol::Capability> able{{"docker", "/usr/bin/docker"}};
    auto full = able;
    full.push_back({schema::protocol::kUnavailable, "no disk space: 7 KiB free"});
    World world;
    schema::Job demanding = job("A");
    demanding.pool.demands = {"docker"};
    const auto first = world.addWorker("w1");
    world.connect(first, 1, {}, able);
    const auto id = world.queue(plan({stage("Build", {demanding})}));
    const auto offer = world.channel.take<JobOffer>(first);
    QVERIFY(offer);
    world.scheduler->workerFrame(first, CapabilitiesChanged{full});
    world.scheduler->workerFrame(first,
                                 schema::protocol::Refused{offer->job.jobId, "no disk space"});
    auto explained = world.runs->explain(id);
    QVERIFY(explained && explained->waiting.size() == 1);
    const std::string &why = explained->waiting.front().sentence;
    QVERIFY2(why.find("no worker of pool 'Default' takes jobs now; 'w1' would suit, but takes no "
                      "jobs: no disk space: 7 KiB free") != std::string::npos,
             why.c_str());
    const auto second = world.addWorker("w2");
    world.connect(second, 1, {}, {{"git", "/usr/bin/git"}});
    explained = world.runs->explain(id);
    const std::string &nearest = explained->waiting.front().sentence;
    QVERIFY2(nearest.find("'w2', lacks: docker; 'w1' would suit") != std::string::npos,
             nearest.c_str());
    world.scheduler->workerFrame(second, CapabilitiesChanged{able});
    world.run(second);
    // Nothing goes to the first one although it is idle, until it has room again.
    const auto next = world.queue(plan({stage("Build", {demanding})}));
    world.run(second);
    QVERIFY(world.detail(next).run.result == RunResult::Succeeded);
    world.scheduler->workerDisconnected(second);
    world.queue(plan({stage("Build", {demanding})}));
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(first));
    world.scheduler->workerFrame(first, CapabilitiesChanged{able});
    world.run(first);
}

/// They are queued at the same moment; their ids say nothing.
void TestScheduler::takesJobsOfAStageInThePlansOrder()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const std::vector<std::string> names{"Zulu", "Alpha", "Mike", "Kilo", "Bravo", "Yankee"};
    std::vector<schema::Job> jobs;
    for (const std::string &name : names)
        jobs.push_back(job(name));
    world.queue(plan({stage("Build", jobs)}));
    for (const std::string &name : names)
        QCOMPARE(world.run(worker).jobName, name);
}

void TestScheduler::keepsAndExplainsLimits()
{
    World world;
    const auto worker = world.addWorker("w1");
    const auto poolId = world.pools->pools()->front().id;
    QVERIFY(world.pools->updatePool(poolId, std::nullopt, 1));
    world.connect(worker, 4);
    const auto first = world.queue(plan({stage("Build", {job("A")})}));
    const auto held = world.accept(worker);
    const auto second = world.queue(plan({stage("Build", {job("B")})}));
    const auto third = world.queue(plan({stage("Build", {job("C")})}));
    const auto explained = world.runs->explain(third);
    QVERIFY(explained);
    QCOMPARE(explained->waiting.size(), std::size_t(1));
    const server::scheduler::Waiting &why = explained->waiting.front();
    QCOMPARE(why.kind, std::string("limit"));
    QCOMPARE(why.position, 2);
    QCOMPARE(why.queueLength, 2);
    QVERIFY(why.limit && why.limit->ofPool && why.limit->inUse == 1);
    QCOMPARE(why.limit->runs.front().id, first);
    QVERIFY2(why.sentence.find("runs 1 of at most 1 jobs at once") != std::string::npos,
             why.sentence.c_str());
    // The last one becomes the most urgent.
    QVERIFY(world.runs->setPriority(third, schema::RunPriority::High));
    QCOMPARE(world.runs->explain(third)->waiting.front().position, 1);
    QCOMPARE(world.runs->explain(second)->waiting.front().position, 2);
    world.complete(worker, held, TaskResult::Succeeded);
    QCOMPARE(world.run(worker).jobName, std::string("C"));
    QCOMPARE(world.run(worker).jobName, std::string("B"));
    QVERIFY(!world.runs->setPriority(first, schema::RunPriority::Low)); // it is over
}

/// `build.updatebuildnumber`: later jobs see it, and it is there when the run has ended.
void TestScheduler::keepsTheNumberThatAStepGave()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id =
        world.queue(plan({stage("Build", {job("A")}), stage("Test", {job("B")}, {"Build"})}));
    const auto first = world.accept(worker);
    QVERIFY(!world.runs->rename(id, "7/8"));
    QVERIFY(!world.runs->rename(id, ""));
    QVERIFY(world.runs->rename(id, "7.8-rc"));
    world.complete(worker, first, TaskResult::Succeeded);
    const auto second = world.run(worker);
    QCOMPARE(second.jobName, std::string("B"));
    QCOMPARE(second.runNumber, std::string("7.8-rc"));
    const auto named = std::find_if(second.variables.begin(), second.variables.end(),
                                    [](const auto &v) { return v.name == "Build.BuildNumber"; });
    QVERIFY(named != second.variables.end());
    QCOMPARE(named->value, std::string("7.8-rc"));
    const auto detail = world.runs->detail(id).value();
    QVERIFY(detail.run.status == schema::RunStatus::Completed);
    QCOMPARE(detail.run.number, std::string("7.8-rc"));
    QVERIFY(!world.runs->rename(id, "7.9")); // it is over
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

void TestScheduler::countsOnceForEachRun()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    world.secrets.groups["Release"] = {{"prefix", "v", false, false},
                                       {"apiKey", "s3cr3t-group-value", true, false}};
    schema::RunPlan counting =
        plan({stage("Build", {job("A")}), stage("Next", {job("B")}, {"Build"})});
    schema::VariableEntry group;
    group.group = "Release";
    schema::VariableEntry minor;
    minor.name = "minor";
    minor.value = "$[counter(variables['prefix'], 7)]";
    schema::VariableEntry hidden;
    hidden.name = "hidden";
    hidden.value = "$[variables['apiKey']]";
    counting.variables = {group, minor, hidden};
    const auto minorOf = [](const schema::protocol::JobMessage &message) {
        for (const auto &variable : message.variables) {
            if (variable.name == "minor")
                return variable.value;
        }
        return std::string("(missing)");
    };
    const auto first = world.queue(counting);
    const auto second = world.queue(counting);
    QCOMPARE(minorOf(world.run(worker)), std::string("7"));
    QVERIFY(world.channel.take<JobOffer>(worker)); // dies with the process
    world.restart();                               // the value is the run's, not the process's
    world.connect(worker);
    std::vector<std::string> values;
    for (int i = 0; i < 3; ++i)
        values.push_back(minorOf(world.run(worker)));
    std::sort(values.begin(), values.end());
    QCOMPARE(values, (std::vector<std::string>{"7", "8", "8"}));
    QVERIFY(world.detail(first).run.result == RunResult::Succeeded);
    QVERIFY(world.detail(second).run.result == RunResult::Succeeded);
    world.scheduler->stop();
    QFile file(world.dir.filePath(QStringLiteral("slipway.db")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(!file.readAll().contains("s3cr3t-group-value"));
}

void TestScheduler::failsARunWithABadRootVariable()
{
    World world;
    schema::RunPlan bad = plan({stage("Build", {job("A")})});
    schema::VariableEntry wrong;
    wrong.name = "wrong";
    wrong.value = "$[nosuch('a')]";
    bad.variables = {wrong};
    const auto detail = world.detail(world.queue(bad));
    QVERIFY(detail.run.status == RunStatus::Completed);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY2(detail.run.validationJson.find("wrong") != std::string::npos,
             detail.run.validationJson.c_str());
}

void TestScheduler::cancelsOneStage()
{
    World world;
    const auto worker = world.addWorker("w1", 3);
    world.connect(worker, 3);
    const auto ann = world.addIdentity("ann");
    schema::Job legs = job("Legs");
    legs.matrix = {{"a", {}}, {"b", {}}, {"c", {}}};
    legs.maxParallel = "1";
    const auto id =
        world.queue(plan({stage("Build", {legs, job("B")}), stage("Other", {job("C")})}));
    std::vector<schema::protocol::JobMessage> jobs;
    for (int i = 0; i < 3; ++i)
        jobs.push_back(world.accept(worker));
    QVERIFY(world.runs->cancelStage(id, "Build", ann));
    const auto isOther = [&](const schema::protocol::JobMessage &message) {
        for (const auto &row : world.detail(id).jobs) {
            if (row.id == message.jobId)
                return row.stage == "Other";
        }
        return false;
    };
    const auto other = std::partition(jobs.begin(), jobs.end(),
                                      [&](const auto &message) { return !isOther(message); });
    QCOMPARE(other - jobs.begin(), 2);
    for (auto at = jobs.begin(); at != other; ++at)
        world.complete(worker, *at, TaskResult::Canceled);
    QVERIFY(stageOf(world.detail(id), "Build").result == TaskResult::Canceled);
    QVERIFY(world.detail(id).run.status == RunStatus::InProgress);
    QVERIFY(world.runs->cancelStage(id, "Build", ann).error().code == schema::ErrorCode::Conflict);
    world.complete(worker, *other, TaskResult::Succeeded); // the other stage goes on
    QVERIFY(world.detail(id).run.status == RunStatus::Completed);
}

void TestScheduler::cancelsOneJob()
{
    World world;
    const auto worker = world.addWorker("w1", 2);
    world.connect(worker, 2);
    const auto id = world.queue(plan({stage("Build", {job("A"), job("B")})}));
    const auto first = world.accept(worker);
    const auto second = world.accept(worker);
    QVERIFY(world.runs->cancelJob(id, first.jobId, "ann"));
    QCOMPARE(world.channel.take<CancelJob>(worker)->jobId, first.jobId);
    world.complete(worker, first, TaskResult::Canceled);
    QVERIFY(world.detail(id).run.status == RunStatus::InProgress);
    world.complete(worker, second, TaskResult::Succeeded);
    const auto detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Canceled);
    for (const auto &job : detail.jobs)
        QVERIFY(job.result ==
                (job.id == first.jobId ? TaskResult::Canceled : TaskResult::Succeeded));
    QVERIFY(world.runs->cancelJob(id, first.jobId, "ann").error().code ==
            schema::ErrorCode::Conflict);
    QVERIFY(world.runs->cancelJob(id, "absent", "ann").error().code == schema::ErrorCode::NotFound);
}

void TestScheduler::retriesOneJobWhileTheStageGoesOn()
{
    World world;
    const auto worker = world.addWorker("w1", 2);
    world.connect(worker, 2);
    auto after = job("C");
    after.dependsOn = {"A"};
    const auto id = world.queue(plan({stage("Build", {job("A"), job("B"), after})}));
    auto first = world.accept(worker);
    auto other = world.accept(worker);
    if (first.jobName != "A")
        std::swap(first, other);
    QVERIFY(world.runs->retryJob(id, first.jobId, "ann").error().code ==
            schema::ErrorCode::Conflict); // it has not ended
    world.complete(worker, first, TaskResult::Failed);
    QVERIFY(world.runs->retryJob(id, first.jobId, "ann"));
    QVERIFY(stageOf(world.detail(id), "Build").phase == StagePhase::Running);
    const auto again = world.accept(worker);
    QCOMPARE(again.jobName, std::string("A"));
    QCOMPARE(again.attempt, 2);
    world.complete(worker, again, TaskResult::Succeeded);
    // What had been skipped because of the failure runs now.
    const auto behind = world.accept(worker);
    QCOMPARE(behind.jobName, std::string("C"));
    world.complete(worker, behind, TaskResult::Succeeded);
    world.complete(worker, other, TaskResult::Succeeded);
    const auto detail = world.detail(id);
    QVERIFY(detail.run.result == RunResult::Succeeded);
    QCOMPARE(stageOf(detail, "Build").attempt, 1);
    // Both attempts are kept.
    QCOMPARE(std::count_if(detail.jobs.begin(), detail.jobs.end(),
                           [](const auto &job) { return job.phase == "A"; }),
             2);
    // A timeline shows the newest attempts, and another one the run as it was in the first.
    const auto attemptOf = [](const server::scheduler::Timeline &timeline,
                              const std::string &name) {
        for (const auto &record : timeline.records)
            if (record.type == schema::RecordType::Job && record.name == name)
                return std::pair(record.attempt, record.result);
        return std::pair(0, std::optional<TaskResult>());
    };
    const auto newest = *world.runs->timeline(id);
    QCOMPARE(attemptOf(newest, "A"), std::pair(2, std::optional(TaskResult::Succeeded)));
    QCOMPARE(attemptOf(newest, "B"), std::pair(1, std::optional(TaskResult::Succeeded)));
    const auto before = *world.runs->timeline(id, 0, 1);
    QCOMPARE(attemptOf(before, "A"), std::pair(1, std::optional(TaskResult::Failed)));
    QCOMPARE(attemptOf(before, "B"), std::pair(1, std::optional(TaskResult::Succeeded)));
    QVERIFY(newest.earlierAttempts.contains(again.recordId));
    QCOMPARE(newest.earlierAttempts.at(again.recordId), std::vector<int>{1});
    QVERIFY(!newest.earlierAttempts.contains(other.recordId));
    QVERIFY(world.runs->retryJob(id, again.jobId, "ann").error().code ==
            schema::ErrorCode::Conflict); // it succeeded
}

void TestScheduler::refusesToRetryWhatOthersSaw()
{
    World world;
    const auto ann = world.addIdentity("ann");
    const auto worker = world.addWorker("w1", 2);
    world.connect(worker, 2);
    auto after = job("C");
    after.dependsOn = {"A"};
    after.condition = "always()";
    const auto id = world.queue(plan({stage("Build", {job("A"), after})}));
    const auto first = world.accept(worker);
    world.complete(worker, first, TaskResult::Failed);
    const auto behind = world.accept(worker);
    QCOMPARE(behind.jobName, std::string("C"));
    const auto refused = world.runs->retryJob(id, first.jobId, ann);
    QVERIFY(!refused);
    QVERIFY2(refused.error().message.find("has begun already") != std::string::npos,
             refused.error().message.c_str());
    world.complete(worker, behind, TaskResult::Succeeded);
    // When the stage has ended, the job is retried with it.
    const auto retried = world.runs->retryJob(id, first.jobId, ann);
    QVERIFY2(retried, retried ? "" : retried.error().message.c_str());
    QCOMPARE(world.accept(worker).jobName, std::string("A"));
}

QTEST_GUILESS_MAIN(TestScheduler)
#include "tst_scheduler.moc"
