#include "tests/server/support/world.h"

#include "schema/base/guid.h"
#include "server/store/identity_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/project_store.h"
#include "server/store/repository_store.h"
#include "server/store/worker_store.h"

#include <QTest>

#include <algorithm>

namespace tests {

using namespace server;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

template <typename T> T must(Result<T> result)
{
    if (!result)
        qFatal("%s", result.error().message.c_str());
    return std::move(*result);
}

void must(const Status &status)
{
    if (!status)
        qFatal("%s", status.error().message.c_str());
}

} // namespace

Result<std::vector<schema::protocol::JobVariable>>
FakeSecrets::variableGroup(const std::string &, const std::string &name)
{
    const auto group = groups.find(name);
    if (group == groups.end())
        return Error{ErrorCode::NotFound, "variable group '" + name + "' does not exist"};
    return group->second;
}

Result<schema::protocol::ServiceConnection>
FakeSecrets::serviceConnection(const std::string &, const std::string &nameOrId)
{
    const auto connection = connections.find(nameOrId);
    if (connection == connections.end())
        return Error{ErrorCode::NotFound, "service connection '" + nameOrId + "' does not exist"};
    return connection->second;
}

Result<std::vector<std::string>> FakeSecrets::connectionNames(const std::string &)
{
    std::vector<std::string> names;
    for (const auto &[name, connection] : connections)
        names.push_back(name);
    return names;
}

bool FakeChannel::send(std::int64_t workerId, const schema::protocol::ServerFrame &frame)
{
    {
        const std::scoped_lock lock(m_mutex);
        m_frames[workerId].push_back(frame);
    }
    m_changed.notify_all();
    return true;
}

Result<std::vector<environments::Commit>>
FakeCommits::between(const std::string &, const std::string &from, const std::string &to, int limit)
{
    std::vector<environments::Commit> commits;
    const auto end = std::find(history.begin(), history.end(), to);
    if (end == history.end())
        return Error{ErrorCode::NotFound, "commit " + to};
    const auto begin = std::find(history.begin(), history.end(), from);
    for (auto at = end + 1; at != history.begin() && static_cast<int>(commits.size()) < limit;) {
        --at;
        if (begin != history.end() && at <= begin)
            break;
        commits.push_back({*at, "change " + *at, "Ann", std::nullopt});
    }
    return commits;
}

Result<bool> FakeCommits::isAncestor(const std::string &, const std::string &ancestor,
                                     const std::string &commit)
{
    return std::find(history.begin(), history.end(), ancestor) <
           std::find(history.begin(), history.end(), commit);
}

World::World()
{
    start();
    must(database->write([&](store::Connection &c) -> Status {
        const schema::TimePoint now = schema::wallClockNow();
        store::ProjectStore(c).insert({projectId, "space-game", "", now});
        store::Repository repository;
        repository.id = repositoryId;
        repository.projectId = projectId;
        repository.name = "space-game";
        repository.url = "space-game.git";
        repository.createdAt = now;
        store::RepositoryStore(c).insert(repository);
        store::Pipeline pipeline;
        pipeline.projectId = projectId;
        pipeline.name = "space-game";
        pipeline.repositoryId = repositoryId;
        pipeline.yamlPath = "/azure-pipelines.yml";
        pipeline.createdAt = now;
        pipelineId = store::PipelineStore(c).insert(pipeline);
        return {};
    }));
    poolId = must(pools->createPool("Default")).id;
    must(pools->mapImage("*", poolId));
}

World::~World()
{
    stop();
}

void World::start()
{
    const std::filesystem::path data = dir.path().toStdString();
    database = must(store::Database::open(data / "slipway.db"));
    logs = must(logs::LogStore::open(*database, data / "logs"));
    events = std::make_unique<events::EventHub>();
    artifacts = must(artifacts::ArtifactStore::open(*database, data / "artifacts"));
    scheduler::SchedulerOptions options;
    options.now = [this] { return schema::fromEpochMillis(m_clock + m_skew); };
    options.steady = [this] { return std::chrono::milliseconds(m_clock); };
    scheduler = std::make_unique<scheduler::Scheduler>(*database, secrets, *logs, *events, options);
    runs = std::make_unique<scheduler::RunService>(*database, *scheduler);
    approvals = std::make_unique<checks::ApprovalService>(*database, *scheduler);
    environments = std::make_unique<environments::EnvironmentService>(*database, commits);
    pools = std::make_unique<workers::PoolService>(*database, *scheduler, *events);
    jobs = std::make_unique<workers::JobService>(*database, *scheduler, *logs, *artifacts, *events);
    must(scheduler->start(channel));
}

void World::stop()
{
    scheduler->stop();
    jobs.reset();
    pools.reset();
    environments.reset();
    approvals.reset();
    runs.reset();
    scheduler.reset();
    artifacts.reset();
    events.reset();
    logs.reset();
    database.reset();
}

void World::restart()
{
    stop();
    start();
}

LeftWorld::LeftWorld(const std::function<void(World &)> &fill)
{
    World world;
    fill(world);
    world.dir.setAutoRemove(false);
    m_data = world.dir.path().toStdString();
}

LeftWorld::~LeftWorld()
{
    std::error_code ignored;
    std::filesystem::remove_all(m_data, ignored);
}

void World::moveClock(std::chrono::milliseconds by)
{
    m_clock += by.count();
    scheduler->configurationChanged(); // any command makes the loop look at its deadlines
    settle();
}

void World::setClock(std::chrono::milliseconds by)
{
    m_skew += by.count();
    scheduler->configurationChanged();
    settle();
}

std::int64_t World::addWorker(const std::string &name, int slots)
{
    store::WorkerRow row;
    row.poolId = poolId;
    row.name = name;
    row.secretHash = {1};
    row.slots = slots;
    const std::int64_t id = must(database->write([&](store::Connection &c) -> Result<std::int64_t> {
        return store::WorkerStore(c).insert(row);
    }));
    scheduler->configurationChanged();
    return id;
}

void World::connect(std::int64_t workerId, int slots, std::vector<std::string> running,
                    std::vector<schema::protocol::Capability> capabilities)
{
    scheduler->workerConnected(workerId, "http://server:8480");
    schema::protocol::Hello hello;
    hello.version = "0.1.0";
    hello.slots = slots;
    hello.running = std::move(running);
    hello.capabilities = std::move(capabilities);
    scheduler->workerFrame(workerId, hello);
}

std::string World::addIdentity(const std::string &name)
{
    const std::string id = schema::nameGuid("identity", name);
    must(database->write([&](store::Connection &c) -> Status {
        store::IdentityStore(c).insert({id, name, name, false}, schema::wallClockNow());
        return {};
    }));
    return id;
}

std::int64_t World::queue(schema::RunPlan plan, const std::string &by, const std::string &branch)
{
    scheduler::NewRun run;
    run.pipelineId = pipelineId;
    run.plan = std::move(plan);
    run.finalYaml = "stages: []\n";
    run.number = "20261121.$(Build.BuildId)";
    run.sourceBranch = branch;
    run.sourceVersion = "c1";
    run.reason = by.empty() ? schema::RunReason::IndividualCI : schema::RunReason::Manual;
    if (!by.empty())
        run.requestedBy = by;
    return must(runs->createRun(std::move(run)));
}

schema::protocol::JobMessage World::accept(std::int64_t workerId)
{
    auto offer = channel.take<schema::protocol::JobOffer>(workerId);
    if (!offer)
        qFatal("worker %lld was not offered a job", static_cast<long long>(workerId));
    scheduler->workerFrame(workerId, schema::protocol::Accepted{offer->job.jobId});
    must(jobs->mergeRecords(offer->job.jobId, offer->job.jobToken, {})); // its first words
    settle();
    return offer->job;
}

void World::complete(std::int64_t workerId, const schema::protocol::JobMessage &job,
                     schema::TaskResult result,
                     std::vector<schema::protocol::OutputVariable> outputs)
{
    schema::protocol::JobCompletion completion;
    completion.result = result;
    completion.outputs = std::move(outputs);
    must(jobs->complete(job.jobId, job.jobToken, completion));
    scheduler->workerFrame(workerId, schema::protocol::Finished{job.jobId});
    settle();
}

schema::protocol::JobMessage World::run(std::int64_t workerId, schema::TaskResult result)
{
    schema::protocol::JobMessage message = accept(workerId);
    complete(workerId, message, result);
    return message;
}

scheduler::RunDetail World::detail(std::int64_t runId)
{
    return must(runs->detail(runId));
}

void World::settle()
{
    (void)scheduler->waitingForWorkers(0);
}

schema::Stage stage(const std::string &name, std::vector<schema::Job> jobs,
                    std::vector<std::string> dependsOn)
{
    schema::Stage stage;
    stage.id = schema::nameGuid("stage", name);
    stage.name = name;
    stage.displayName = name;
    stage.jobs = std::move(jobs);
    for (schema::Job &job : stage.jobs)
        job.id = schema::nameGuid(stage.id, job.name);
    stage.dependsOn = std::move(dependsOn);
    return stage;
}

schema::Job job(const std::string &name)
{
    schema::Job job;
    job.name = name;
    job.displayName = name;
    schema::Step step;
    step.id = schema::nameGuid("step", name);
    step.name = "CmdLine1";
    step.task = "CmdLine";
    step.taskVersion = "2";
    step.inputs = {{"script", "true"}};
    job.steps.push_back(step);
    return job;
}

schema::Job deployment(const std::string &name, const std::string &environment,
                       const std::string &resource)
{
    schema::Job one = job(name);
    one.isDeployment = true;
    schema::EnvironmentReference reference;
    reference.name = environment;
    reference.resourceName = resource;
    one.environment = reference;
    schema::DeploymentHook hook;
    hook.kind = schema::HookKind::Deploy;
    hook.steps = std::move(one.steps);
    one.steps.clear();
    one.hooks.push_back(hook);
    return one;
}

schema::RunPlan plan(std::vector<schema::Stage> stages)
{
    schema::RunPlan plan;
    plan.stages = std::move(stages);
    return plan;
}

store::StageRow stageOf(const scheduler::RunDetail &detail, const std::string &name)
{
    for (const auto &stage : detail.stages) {
        if (stage.name == name)
            return stage;
    }
    qFatal("no stage %s", name.c_str());
}

} // namespace tests
