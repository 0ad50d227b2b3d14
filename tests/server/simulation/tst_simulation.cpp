// The real decisions, scheduler batches and SQL under a simulated clock, network and workers, with
// seeded faults: connections break with everything in flight, calls get lost or repeated, the
// server dies between decision and commit or between commit and telling anybody, clocks jump,
// workers restart and lie. After every commit the invariants of `check()` must hold, and when the
// faults end every run must end.
//
// SLIPWAY_SIMULATION_SECONDS (default 3), SLIPWAY_SIMULATION_SEED and SLIPWAY_SIMULATION_RUNS steer
// it; each world of some runs has its own seed, which is printed when something is wrong.
#include "schema/base/guid.h"
#include "server/scheduler/batch.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/identity_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/project_store.h"
#include "server/store/repository_store.h"
#include "server/store/token.h"
#include "tests/server/support/world.h"

#include <QTest>
#include <queue>

#include <fmt/format.h>

#include <chrono>
#include <random>

using namespace server;
using namespace server::scheduler;
using namespace std::chrono_literals;
using schema::Status;
using schema::TaskResult;
using schema::TimePoint;
using store::JobState;
using store::StagePhase;

namespace {

constexpr const char *kProject = "11111111-1111-1111-1111-111111111111";
constexpr const char *kApprover = "99999999-9999-9999-9999-999999999999";

struct Violation : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

class Simulation
{
public:
    explicit Simulation(std::uint64_t seed)
        : m_random(seed)
    {
        auto opened = store::Database::open(":memory:");
        if (!opened)
            qFatal("%s", opened.error().message.c_str());
        m_database = std::move(*opened);
        populate();
        for (std::int64_t id : m_workerIds)
            m_workers[id].slots = 1 + static_cast<int>(pick(2));
    }

    /// Simulates a world with so many runs.
    void run(int runs)
    {
        m_faults = true;
        for (int i = 0; i < runs; ++i)
            after(millis(0, 120'000), [this] { createRun(); });
        for (const std::int64_t id : m_workerIds) {
            after(millis(0, 5'000), [this, id] { connect(id); });
            after(20s, [this, id] { renew(id); });
        }
        after(5s, [this] { approve(); });
        after(3s, [this] { meddle(); });
        after(1s, [this] { tick(); });
        advanceUntil([this] { return m_clock > 15min; });
        m_faults = false;
        advanceUntil([this] { return m_memoryFresh && m_inbox.empty() && m_memory.runs.empty(); });
        finalCheck(runs);
    }

    [[nodiscard]] std::uint64_t commits() const { return m_database->commits(); }

private:
    struct SimulatedJob
    {
        std::string token;
        bool finished = false;
        TaskResult result = TaskResult::Succeeded;
    };

    struct SimulatedWorker
    {
        int slots = 1;
        bool connected = false;
        std::uint64_t connection = 0; ///< grows with each one: frames of an earlier one are gone
        std::map<std::string, SimulatedJob> jobs;
    };

    using Clock = std::chrono::milliseconds; ///< since the beginning of the world

    // ---- randomness and time ----

    std::uint64_t pick(std::uint64_t below) { return m_random() % below; }

    bool chance(int percent) { return pick(100) < static_cast<std::uint64_t>(percent); }

    bool fault(int perMille)
    {
        return m_faults && pick(1000) < static_cast<std::uint64_t>(perMille);
    }

    std::chrono::milliseconds millis(std::int64_t from, std::int64_t to)
    {
        return std::chrono::milliseconds(
            from + static_cast<std::int64_t>(pick(static_cast<std::uint64_t>(to - from + 1))));
    }

    void after(std::chrono::milliseconds delay, std::function<void()> what)
    {
        m_events.push({m_clock + delay, ++m_sequence, std::move(what)});
    }

    TimePoint now() const
    {
        return schema::fromEpochMillis(1'800'000'000'000 + m_clock.count() + m_skew.count());
    }

    void advanceUntil(const std::function<bool()> &done)
    {
        for (int steps = 0; !done(); ++steps) {
            if (steps > 3'000'000 || m_events.empty())
                throw Violation("runs did not end: " + describeOpen());
            auto event = m_events.top();
            m_events.pop();
            m_clock = std::max(m_clock, event.at);
            event.what();
        }
    }

    // ---- the server ----

    void populate()
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
            pipeline.name = "p";
            pipeline.repositoryId = repository.id;
            pipeline.yamlPath = "/a.yml";
            pipeline.createdAt = time;
            m_pipeline = store::PipelineStore(c).insert(pipeline);
            store::IdentityStore(c).insert({kApprover, "ann", "ann", false}, time);
            store::WorkerStore workers(c);
            const std::int64_t pool = workers.insertPool("Default", time);
            workers.putImage({"*", pool});
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

    void send(Command command)
    {
        m_inbox.push_back(std::move(command));
        if (!m_scheduled) {
            m_scheduled = true;
            after(millis(0, 3), [this] { process(); });
        }
    }

    void tick()
    {
        if (!m_scheduled) {
            m_scheduled = true;
            process();
        }
        after(1s, [this] { tick(); });
    }

    void process()
    {
        m_scheduled = false;
        std::vector<Command> commands = std::exchange(m_inbox, {});
        const bool dieBeforeCommit = fault(15);
        const bool dieAfterCommit = fault(15);
        std::optional<Batch> batch;
        const Status done = m_database->write([&](store::Connection &c) -> Status {
            if (!m_memoryFresh)
                start(c, commands);
            batch.emplace(m_memory, c, m_secrets, m_options, now());
            batch->run(commands);
            check(c);
            return dieBeforeCommit ? Status(schema::ErrorCode::Internal, "power cut") : Status();
        });
        if (!done && !dieBeforeCommit)
            throw Violation("a batch failed: " + done.error().message);
        if (dieBeforeCommit || dieAfterCommit) {
            die();
            return;
        }
        remember();
        for (const auto &[workerId, frame] : batch->outbox)
            deliver(workerId, frame);
        for (const auto &reply : batch->replies)
            reply();
    }

    /// As Scheduler::start() does it.
    void start(store::Connection &c, std::vector<Command> &commands)
    {
        m_memory = LoopState();
        store::WorkerStore workers(c);
        workers.setAllOffline(now());
        workers.extendLeases(now() + 60s);
        if (const Status loaded = loadState(c, m_secrets, m_memory); !loaded)
            throw Violation("state cannot be loaded: " + loaded.error().message);
        std::vector<Command> first;
        for (const auto &[runId, context] : m_memory.runs)
            first.emplace_back(RunEventCommand{runId, RunCreated{}, nullptr});
        for (const auto &[environment, entries] : m_memory.locks)
            first.emplace_back(LocksCommand{environment});
        commands.insert(commands.begin(), std::make_move_iterator(first.begin()),
                        std::make_move_iterator(first.end()));
        m_memoryFresh = true;
    }

    void die()
    {
        m_memoryFresh = false;
        m_inbox.clear();
        for (auto &[id, worker] : m_workers)
            disconnect(id, false);
    }

    // ---- the network and the workers ----

    void disconnect(std::int64_t id, bool serverNotices)
    {
        SimulatedWorker &worker = m_workers[id];
        if (!worker.connected)
            return;
        worker.connected = false;
        ++worker.connection;
        if (serverNotices)
            send(WorkerDownCommand{id});
        after(millis(100, 30'000), [this, id] { connect(id); });
    }

    void connect(std::int64_t id)
    {
        SimulatedWorker &worker = m_workers[id];
        if (worker.connected)
            return;
        worker.connected = true;
        ++worker.connection;
        if (fault(100)) // the worker's machine was restarted: its processes are gone
            worker.jobs.clear();
        send(WorkerUpCommand{id, "http://s"});
        schema::protocol::Hello hello;
        hello.slots = worker.slots;
        for (const auto &[jobId, job] : worker.jobs)
            hello.running.push_back(jobId);
        toServer(id, hello);
    }

    /// Control frames are in order and arrive, or the connection is broken.
    void toServer(std::int64_t id, schema::protocol::WorkerFrame frame)
    {
        SimulatedWorker &worker = m_workers[id];
        if (!worker.connected)
            return;
        if (fault(10)) {
            disconnect(id, true);
            return;
        }
        // Equal delays keep the order of one connection.
        after(2ms, [this, id, connection = worker.connection, frame = std::move(frame)] {
            const SimulatedWorker &same = m_workers[id];
            if (!same.connected || same.connection != connection)
                return;
            send(WorkerFrameCommand{id, frame});
            if (fault(20)) // a retransmission bug or an old proxy: the frame comes twice
                send(WorkerFrameCommand{id, frame});
        });
    }

    void deliver(std::int64_t id, const schema::protocol::ServerFrame &frame)
    {
        SimulatedWorker &worker = m_workers[id];
        if (!worker.connected)
            return;
        if (fault(10)) {
            disconnect(id, true);
            return;
        }
        after(2ms, [this, id, connection = worker.connection, frame] {
            SimulatedWorker &same = m_workers[id];
            if (same.connected && same.connection == connection)
                std::visit([&](const auto &f) { receive(id, same, f); }, frame);
        });
    }

    void receive(std::int64_t id, SimulatedWorker &worker, const schema::protocol::JobOffer &offer)
    {
        const std::string &jobId = offer.job.jobId;
        if (!worker.jobs.contains(jobId)) {
            if (chance(3)) {
                toServer(id, schema::protocol::Refused{jobId, "busy"});
                return;
            }
            SimulatedJob job;
            job.token = offer.job.jobToken;
            job.result = chance(80)   ? TaskResult::Succeeded
                         : chance(70) ? TaskResult::Failed
                                      : TaskResult::SucceededWithIssues;
            worker.jobs[jobId] = job;
            if (fault(30))
                return; // its machine dies before it says anything; the process lives on nowhere
            after(millis(500, 90'000), [this, id, jobId] { finish(id, jobId); });
        }
        toServer(id, schema::protocol::Accepted{jobId});
    }

    void receive(std::int64_t id, SimulatedWorker &worker,
                 const schema::protocol::CancelJob &cancel)
    {
        const auto job = worker.jobs.find(cancel.jobId);
        if (job == worker.jobs.end() || chance(10)) // some do not obey
            return;
        job->second.result = TaskResult::Canceled;
        after(millis(10, 5'000), [this, id, jobId = cancel.jobId] { finish(id, jobId); });
    }

    void receive(std::int64_t, SimulatedWorker &worker, const schema::protocol::LeaseLost &lost)
    {
        worker.jobs.erase(lost.jobId);
    }

    template <typename Frame> void receive(std::int64_t, SimulatedWorker &, const Frame &) {}

    void renew(std::int64_t id)
    {
        after(20s, [this, id] { renew(id); });
        schema::protocol::Renew frame;
        for (const auto &[jobId, job] : m_workers[id].jobs)
            frame.jobIds.push_back(jobId);
        if (!frame.jobIds.empty())
            toServer(id, frame);
    }

    void finish(std::int64_t id, const std::string &jobId)
    {
        SimulatedWorker &worker = m_workers[id];
        const auto job = worker.jobs.find(jobId);
        if (job == worker.jobs.end())
            return;
        job->second.finished = true;
        if (fault(100)) { // request or answer is lost: the process tries again
            if (chance(50))
                complete(id, jobId, job->second);
            after(millis(500, 20'000), [this, id, jobId] { finish(id, jobId); });
            return;
        }
        auto answer = complete(id, jobId, job->second);
        after(millis(50, 500), [this, id, jobId, answer] { answered(id, jobId, answer); });
    }

    std::shared_ptr<std::future<schema::Result<>>> complete(std::int64_t, const std::string &jobId,
                                                            const SimulatedJob &job)
    {
        CompleteJobCommand command;
        command.jobId = jobId;
        command.tokenHash = store::tokenHash(job.token);
        command.completion.result = job.result;
        command.reply = std::make_shared<std::promise<schema::Result<>>>();
        auto answer = std::make_shared<std::future<schema::Result<>>>(command.reply->get_future());
        send(std::move(command));
        return answer;
    }

    void answered(std::int64_t id, const std::string &jobId,
                  const std::shared_ptr<std::future<schema::Result<>>> &answer)
    {
        SimulatedWorker &worker = m_workers[id];
        if (!worker.jobs.contains(jobId))
            return;
        if (answer->wait_for(0s) != std::future_status::ready) { // the server is slow or dead
            after(millis(500, 5'000), [this, id, jobId] { finish(id, jobId); });
            return;
        }
        try {
            if (const auto status = answer->get(); status) {
                if (const auto [at, fresh] = m_acknowledged.emplace(jobId, id);
                    !fresh && at->second != id)
                    throw Violation(fmt::format("two workers completed job {}", jobId));
            }
        } catch (const std::future_error &) { // the server died with the request
            after(millis(500, 5'000), [this, id, jobId] { finish(id, jobId); });
            return;
        }
        worker.jobs.erase(jobId);
        toServer(id, schema::protocol::Finished{jobId});
    }

    // ---- people, and mischief ----

    void createRun()
    {
        CreateRunCommand command;
        command.run = std::make_shared<NewRun>();
        command.reply = std::make_shared<std::promise<schema::Result<std::int64_t>>>();
        NewRun &run = *command.run;
        run.pipelineId = m_pipeline;
        run.number = "$(Build.BuildId)";
        run.sourceBranch = chance(80) ? "refs/heads/main" : "refs/heads/hotfix";
        std::vector<schema::Stage> stages;
        const std::size_t count = 1 + pick(4);
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<std::string> dependencies;
            if (!stages.empty() && chance(80))
                dependencies.push_back(stages[pick(stages.size())].name);
            const std::string name = fmt::format("S{}", i);
            if (chance(40)) {
                stages.push_back(
                    tests::stage(name, {tests::deployment("D", chance(60) ? "production" : "dev")},
                                 dependencies));
            } else {
                std::vector<schema::Job> jobs;
                for (std::size_t j = 0; j <= pick(3); ++j)
                    jobs.push_back(tests::job(fmt::format("J{}", j)));
                if (chance(20))
                    jobs.back().matrix = {{"a", {}}, {"b", {}}};
                if (jobs.size() > 1 && chance(50)) {
                    jobs.back().dependsOn = {jobs.front().name};
                    jobs.back().condition = chance(50) ? "always()" : "";
                }
                stages.push_back(tests::stage(name, std::move(jobs), dependencies));
            }
            if (chance(15))
                stages.back().condition = "always()";
        }
        run.plan = tests::plan(std::move(stages));
        run.plan.lockBehavior =
            chance(50) ? schema::LockBehavior::Sequential : schema::LockBehavior::RunLatest;
        auto answer = std::make_shared<std::future<schema::Result<std::int64_t>>>(
            command.reply->get_future());
        send(std::move(command));
        after(1s, [this, answer] {
            if (answer->wait_for(0s) != std::future_status::ready) {
                after(1s, [this] { createRun(); });
                return;
            }
            try {
                if (const auto id = answer->get(); id)
                    m_created.insert(*id);
                else
                    throw Violation("a run was refused: " + id.error().message);
            } catch (const std::future_error &) { // lost with the server: the person asks again
                createRun();
            }
        });
    }

    void approve()
    {
        after(millis(1'000, 20'000), [this] { approve(); });
        if (!m_memoryFresh)
            return;
        for (const auto &[runId, context] : m_memory.runs) {
            for (const auto &[id, approval] : context->snapshot.approvals) {
                if (approval.status != store::ApprovalStatus::Pending || chance(50))
                    continue;
                DecideApprovalCommand command{id, kApprover, !m_faults || chance(85), "",
                                              std::make_shared<std::promise<schema::Result<>>>()};
                send(std::move(command));
            }
        }
    }

    void meddle()
    {
        after(millis(1'000, 10'000), [this] { meddle(); });
        if (!m_faults || !m_memoryFresh)
            return;
        if (!m_created.empty() && chance(30)) {
            auto run = m_created.begin();
            std::advance(run, static_cast<std::ptrdiff_t>(pick(m_created.size())));
            if (chance(30))
                send(RunEventCommand{*run, CancelRequested{kApprover}, nullptr});
            else
                send(RunEventCommand{*run, RetryRequested{{}, chance(20), kApprover}, nullptr});
        }
        const std::int64_t worker = m_workerIds[pick(m_workerIds.size())];
        if (chance(10)) // a long silence: leases end
            disconnect(worker, chance(50));
        if (chance(10) &&
            !m_memory.runOfJob.empty()) { // a worker that speaks of jobs it does not hold
            auto job = m_memory.runOfJob.begin();
            std::advance(job, static_cast<std::ptrdiff_t>(pick(m_memory.runOfJob.size())));
            if (!m_workers[worker].jobs.contains(job->first)) {
                const std::string id = job->first;
                switch (pick(3)) {
                case 0:
                    toServer(worker, schema::protocol::Renew{{id}});
                    break;
                case 1:
                    toServer(worker, schema::protocol::Refused{id, "lie"});
                    break;
                default: {
                    auto reply = std::make_shared<std::promise<schema::Result<>>>();
                    send(CompleteJobCommand{id, store::tokenHash("guess"), {}, reply});
                }
                }
            }
        }
        if (chance(3))
            m_skew += millis(-100'000, 100'000);
    }

    // ---- what must always hold ----

    void check(store::Connection &c)
    {
        std::map<std::int64_t, int> holders;
        for (const store::LockRow &lock : store::CheckStore(c).allLocks()) {
            if (lock.grantedAt && ++holders[lock.environmentId] > 1)
                throw Violation("two runs hold one lock");
        }
        int deploying = 0;
        for (const auto &[runId, context] : m_memory.runs) {
            const RunSnapshot &snapshot = context->snapshot;
            for (const auto &[id, job] : snapshot.jobs)
                checkJob(snapshot, job, deploying);
        }
        if (deploying > 1)
            throw Violation("two runs deploy to one locked environment");
        if (chance(2))
            compareWithDisk(c);
    }

    void checkJob(const RunSnapshot &snapshot, const store::JobRow &job, int &deploying)
    {
        const auto &phase = snapshot.phases.at({job.stage, job.phase});
        const bool open = job.state != JobState::Completed;
        if (open && snapshot.run.status == schema::RunStatus::Completed)
            throw Violation(
                fmt::format("run {} is over, its job {} is not", snapshot.run.id, job.identifier));
        if (open && snapshot.stages.at(job.stage).phase != StagePhase::Running)
            throw Violation(fmt::format("job {} of a stage that does not run", job.identifier));
        if (phase.environmentId == m_production) {
            bool approved = false;
            for (const auto &[id, approval] : snapshot.approvals)
                approved = approved || (approval.stage == job.stage &&
                                        approval.status == store::ApprovalStatus::Approved);
            if (open && !approved)
                throw Violation(fmt::format("job {} deploys without approval", job.identifier));
            deploying += open ? 1 : 0;
        }
        if (const auto before = m_running.find(job.id); before != m_running.end()) {
            if (job.state == JobState::Queued || job.state == JobState::Assigned)
                throw Violation(
                    fmt::format("job {} was running and is given out again", job.identifier));
            if (job.state == JobState::Running && job.workerId != before->second)
                throw Violation(fmt::format("job {} changed its worker", job.identifier));
        }
        if ((job.state == JobState::Assigned || job.state == JobState::Running) &&
            (!job.workerId || job.tokenHash.empty() || !job.leasedUntil))
            throw Violation(
                fmt::format("job {} is given out without worker, token or lease", job.identifier));
    }

    /// What is committed may be relied upon from now on.
    void remember()
    {
        for (const auto &[runId, context] : m_memory.runs) {
            for (const auto &[id, job] : context->snapshot.jobs) {
                if (job.state == JobState::Running)
                    m_running[id] = *job.workerId;
            }
        }
    }

    void compareWithDisk(store::Connection &c)
    {
        LoopState loaded;
        if (const Status status = loadState(c, m_secrets, loaded); !status)
            throw Violation("state cannot be loaded: " + status.error().message);
        if (loaded.runs.size() != m_memory.runs.size())
            throw Violation("memory and disk know different runs");
        for (const auto &[runId, context] : m_memory.runs) {
            const RunSnapshot &a = context->snapshot;
            const RunSnapshot &b = loaded.runs.at(runId)->snapshot;
            const auto same = [&](bool equal, const char *what) {
                if (!equal)
                    throw Violation(
                        fmt::format("run {}: {} in memory and on disk differ", runId, what));
            };
            same(a.stages == b.stages, "stages");
            same(a.phases == b.phases, "phases");
            same(a.jobs == b.jobs, "jobs");
            same(a.deployments == b.deployments, "deployments");
            same(a.locks.size() == b.locks.size(), "locks");
            same(a.approvals.size() == b.approvals.size(), "approvals");
            for (const auto &[id, approval] : a.approvals)
                same(b.approvals.at(id).status == approval.status, "approvals");
            same(a.run.status == b.run.status, "status");
        }
        if (loaded.queue.size() != m_memory.queue.size())
            throw Violation("memory and disk have different queues");
    }

    void finalCheck(int runs)
    {
        if (m_created.size() < static_cast<std::size_t>(runs))
            throw Violation("an acknowledged run is missing");
        const Status read = m_database->write([&](store::Connection &c) -> Status {
            store::RunStore store(c);
            for (const std::int64_t id : m_created) {
                const auto run = store.find(id);
                if (!run)
                    throw Violation(fmt::format("run {} is gone", id));
                if (run->status != schema::RunStatus::Completed ||
                    run->result == schema::RunResult::None)
                    throw Violation(fmt::format("run {} has no end", id));
                for (const auto &job : store.jobs(id)) {
                    if (job.state != JobState::Completed || !job.result)
                        throw Violation(fmt::format("job {} has no end", job.identifier));
                }
                for (const auto &stage : store.stages(id)) {
                    if (stage.phase != StagePhase::Completed)
                        throw Violation(
                            fmt::format("stage {} of run {} has no end", stage.name, id));
                }
            }
            if (!store::CheckStore(c).allLocks().empty())
                throw Violation("a lock is held by nobody");
            if (!store::EnvironmentStore(c).openDeployments(kProject).empty())
                throw Violation("a deployment has no end");
            return {};
        });
        if (!read)
            throw Violation(read.error().message);
    }

    std::string describeOpen() const
    {
        std::string text;
        for (const auto &[runId, context] : m_memory.runs) {
            text += fmt::format("run {} (status {})", runId,
                                static_cast<int>(context->snapshot.run.status));
            for (const auto &[name, stage] : context->snapshot.stages)
                text += fmt::format(" {}:{}", name, static_cast<int>(stage.phase));
            for (const auto &[id, job] : context->snapshot.jobs)
                text += fmt::format(" {}:{}", job.identifier, static_cast<int>(job.state));
            text += "; ";
        }
        return text;
    }

    struct Event
    {
        Clock at;
        std::uint64_t sequence;
        std::function<void()> what;

        bool operator<(const Event &other) const
        {
            return std::tie(at, sequence) > std::tie(other.at, other.sequence);
        }
    };

    std::mt19937_64 m_random;
    std::priority_queue<Event> m_events;
    std::uint64_t m_sequence = 0;
    Clock m_clock{0};
    std::chrono::milliseconds m_skew{0};
    bool m_faults = false;
    std::unique_ptr<store::Database> m_database;
    tests::FakeSecrets m_secrets;
    SchedulerOptions m_options;
    LoopState m_memory;
    bool m_memoryFresh = false;
    bool m_scheduled = false;
    std::vector<Command> m_inbox;
    std::int64_t m_pipeline = 0;
    std::int64_t m_production = 0;
    std::vector<std::int64_t> m_workerIds;
    std::map<std::int64_t, SimulatedWorker> m_workers;
    std::set<std::int64_t> m_created;
    std::map<std::string, std::int64_t> m_running, m_acknowledged;
};

std::uint64_t fromEnvironment(const char *name, std::uint64_t otherwise)
{
    bool ok = false;
    const qulonglong value = qEnvironmentVariable(name).toULongLong(&ok);
    return ok ? value : otherwise;
}

constexpr int kRunsPerWorld = 8;

/// Empty, or what went wrong.
std::string simulate(std::uint64_t seed)
{
    try {
        Simulation(seed).run(kRunsPerWorld);
        return {};
    } catch (const std::exception &error) {
        return fmt::format("seed {}: {}", seed, error.what());
    }
}

} // namespace

class TestSimulation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holdsInvariantsUnderFaults();
};

void TestSimulation::holdsInvariantsUnderFaults()
{
    const auto random =
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) %
        1'000'000'000;
    const std::uint64_t first = fromEnvironment("SLIPWAY_SIMULATION_SEED", random);
    const std::uint64_t runs = fromEnvironment("SLIPWAY_SIMULATION_RUNS", 0);
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::seconds(fromEnvironment("SLIPWAY_SIMULATION_SECONDS", 3));
    std::uint64_t worlds = 0;
    while (runs > 0 ? worlds * kRunsPerWorld < runs : std::chrono::steady_clock::now() < until) {
        const std::string problem = simulate(first + worlds);
        QVERIFY2(problem.empty(), problem.c_str());
        ++worlds;
    }
    qInfo("%llu simulated runs, seeds %llu to %llu",
          static_cast<unsigned long long>(worlds * kRunsPerWorld),
          static_cast<unsigned long long>(first),
          static_cast<unsigned long long>(first + worlds - 1));
    QVERIFY(worlds > 0);
}

QTEST_GUILESS_MAIN(TestSimulation)
#include "tst_simulation.moc"
