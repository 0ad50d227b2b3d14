// The server of a simulated world: a data set, an inbox, batches that may die, a start from the
// disk.
#include "schema/base/guid.h"
#include "server/store/environment_store.h"
#include "server/store/identity_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/project_store.h"
#include "server/store/repository_store.h"
#include "tests/server/support/simulation/simulation.h"

#include <QTest>

#include <fmt/format.h>

namespace tests {

using namespace std::chrono_literals;
using namespace server;
using namespace server::scheduler;
using schema::Status;
using schema::TaskResult;
using store::JobState;
using store::StagePhase;

void Simulation::populate()
{
    const Status made = m_database->write([&](store::Connection &c) -> Status {
        const TimePoint time = now();
        store::ProjectStore(c).insert({kProject, "p", "", time});
        store::Repository repository;
        repository.id = schema::nameGuid("r", "r");
        repository.projectId = kProject;
        repository.name = "r";
        repository.createdAt = time;
        store::RepositoryStore(c).insert(repository);
        store::Pipeline pipeline;
        pipeline.projectId = kProject;
        pipeline.repositoryId = repository.id;
        pipeline.yamlPath = "/a.yml";
        pipeline.createdAt = time;
        for (int i = 0; i < 3; ++i) {
            pipeline.name = fmt::format("p{}", i);
            pipeline.maxParallelism = static_cast<int>(pick(4));
            m_pipelines.push_back(store::PipelineStore(c).insert(pipeline));
            if (pipeline.maxParallelism > 0)
                m_pipelineLimits[m_pipelines.back()] = pipeline.maxParallelism;
        }
        store::IdentityStore(c).insert({kApprover, "ann", "ann", false}, time);
        store::WorkerStore workers(c);
        const std::int64_t pool = workers.insertPool("Default", time);
        workers.putImage({"*", pool});
        m_poolLimit = static_cast<int>(pick(5));
        workers.updatePool({pool, "Default", time, m_poolLimit});
        for (int i = 0; i < 3; ++i) {
            store::WorkerRow row;
            row.poolId = pool;
            row.name = fmt::format("w{}", i);
            row.secretHash = {static_cast<std::uint8_t>(i)};
            m_workerIds.push_back(workers.insert(row));
        }
        for (const char *name : {"dev", "production"}) {
            store::EnvironmentRow environment;
            environment.projectId = kProject;
            environment.name = name;
            environment.createdAt = time;
            const std::int64_t id = store::EnvironmentStore(c).insert(environment);
            if (std::string_view(name) == "dev")
                continue;
            m_production = id;
            store::CheckRow approval;
            approval.environmentId = id;
            approval.approvers = {kApprover};
            approval.timeoutMinutes = 60;
            store::CheckStore(c).insertCheck(approval);
            store::CheckRow lock;
            lock.environmentId = id;
            lock.type = store::CheckType::ExclusiveLock;
            store::CheckStore(c).insertCheck(lock);
        }
        return {};
    });
    if (!made)
        qFatal("%s", made.error().message.c_str());
}

void Simulation::send(Command command)
{
    m_inbox.push_back(std::move(command));
    if (!m_scheduled) {
        m_scheduled = true;
        after(millis(0, 3), [this] { process(); });
    }
}

void Simulation::arm()
{
    const std::uint64_t alarm = ++m_alarm;
    std::optional<std::chrono::milliseconds> wait = millis(100, 2'000);
    if (m_memoryFresh)
        wait = untilDeadline(m_memory, now());
    if (!wait)
        return;
    const std::uint64_t commits = m_database->commits();
    after(std::max(*wait, 1ms), [this, alarm, commits] {
        if (alarm != m_alarm || m_scheduled)
            return;
        process();
        m_idleWakes = m_database->commits() == commits ? m_idleWakes + 1 : 0;
        // Hours of waiting for a person are some hundred wakes of half a minute.
        if (m_idleWakes > 2'000)
            throw Violation("the server wakes again and again and changes nothing");
    });
}

void Simulation::process()
{
    m_scheduled = false;
    std::vector<Command> commands = std::exchange(m_inbox, {});
    const bool dieBeforeCommit = fault(15);
    const bool dieAfterCommit = fault(15);
    std::optional<Batch> batch;
    bool checked = false;
    const Status done = m_database->write([&](store::Connection &c) -> Status {
        if (!m_memoryFresh)
            start(c, commands);
        const ClockReading reading = clocks();
        for (const Command &command : commands)
            heard(command);
        if (m_sabotage == Sabotage::FavourOne) {
            for (auto &[pool, shares] : m_memory.shares)
                shares.held[m_pipelines.front()] = -1'000;
        }
        batch.emplace(m_memory, c, m_secrets, m_options, reading.wall);
        batch->run(commands, m_sabotage == Sabotage::IgnoreClockJumps
                                 ? 0ms
                                 : jumpBetween(m_lastReading, reading));
        m_lastReading = reading;
        check(c);
        checked = true;
        return dieBeforeCommit ? Status(schema::ErrorCode::Internal, "power cut") : Status();
    });
    if (!done && !(checked && dieBeforeCommit))
        throw Violation("a batch failed: " + done.error().message);
    if (dieBeforeCommit || dieAfterCommit) {
        die();
        arm();
        return;
    }
    arm();
    remember();
    for (const auto &[workerId, frame] : batch->outbox)
        deliver(workerId, frame);
    for (const auto &reply : batch->replies)
        reply();
}

void Simulation::start(store::Connection &c, std::vector<Command> &commands)
{
    m_memory = LoopState();
    m_lastReading = clocks();
    store::WorkerStore workers(c);
    workers.setAllOffline(now());
    workers.extendLeases(now() + 60s);
    if (const Status loaded = loadState(c, m_secrets, m_memory); !loaded)
        throw Violation("state cannot be loaded: " + loaded.error().message);
    std::vector<Command> first;
    for (const auto &[runId, context] : m_memory.runs)
        first.emplace_back(RunEventCommand{runId, RunCreated{}, nullptr});
    for (const auto &[key, entries] : m_memory.locks)
        first.emplace_back(LocksCommand{key});
    commands.insert(commands.begin(), std::make_move_iterator(first.begin()),
                    std::make_move_iterator(first.end()));
    m_memoryFresh = true;
}

void Simulation::die()
{
    m_memoryFresh = false;
    m_passed.clear(); // turns are memory
    m_inbox.clear();
    for (auto &[id, worker] : m_workers)
        disconnect(id, false);
}

} // namespace tests
