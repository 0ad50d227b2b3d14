#include "server/scheduler/batch.h"

#include "server/scheduler/job_message.h"
#include "server/scheduler/stage_targets.h"
#include "server/scheduler/wait_metrics.h"
#include "server/store/environment_store.h"
#include "server/store/identity_store.h"
#include "server/store/repository_store.h"
#include "server/store/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace server::scheduler {
namespace {

using schema::ErrorCode;
using schema::Status;
using store::JobRow;
using store::JobState;

/// Rounds of giving out locks and jobs in one batch.
constexpr int kMostRounds = 10'000;

/// Counts how long a job waited, when this change is the end of the waiting.
void noteWait(const RunSnapshot &before, const Change &change)
{
    const auto *after = std::get_if<JobRow>(&change);
    if (!after || !after->assignedAt)
        return;
    const auto known = before.jobs.find(after->id);
    if (known == before.jobs.end() || known->second.state == after->state)
        return;
    if (after->state == JobState::Assigned)
        queueWaits().add(*after->assignedAt - after->queuedAt);
    else if (after->state == JobState::Running && after->startedAt)
        dispatches().add(*after->startedAt - *after->assignedAt);
}

} // namespace

Batch::Batch(LoopState &state, store::Connection &connection, SecretSource &secrets,
             const SchedulerOptions &options, TimePoint now)
    : m_state(state)
    , m_connection(connection)
    , m_secrets(secrets)
    , m_options(options)
    , m_now(now)
    , m_writer(connection, secrets, now, notices, [this](std::int64_t id) {
        const auto worker = m_state.workers.find(id);
        return worker == m_state.workers.end() ? std::string() : worker->second.row.name;
    })
{}

TimePoint Batch::leaseEnd() const
{
    return m_now + std::chrono::seconds(m_options.leaseSeconds);
}

TimePoint Batch::offerEnd() const
{
    return m_now + std::chrono::seconds(m_options.offerSeconds);
}

void Batch::moveDeadlines(std::chrono::milliseconds by)
{
    if (by.count() == 0)
        return;
    for (const auto &[runId, one] : m_state.runs)
        m_events.emplace_back(runId, ClockJumped{by});
    drain();
    for (const auto &[runId, one] : m_state.runs)
        indexRun(m_state, *one);
    if (m_state.refusalsEnd)
        *m_state.refusalsEnd += by;
}

void Batch::run(std::vector<Command> &commands, std::chrono::milliseconds clockJump)
{
    moveDeadlines(clockJump);
    for (Command &command : commands) {
        std::visit([this](auto &c) { take(c); }, command);
        drain();
    }
    while (!m_state.deadlines.empty() && m_state.deadlines.begin()->first <= m_now) {
        const std::int64_t runId = m_state.deadlines.begin()->second;
        m_state.deadlines.erase(m_state.deadlines.begin()); // set again by indexRun
        m_state.deadlineOf.erase(runId);
        m_touched.insert(runId);
        tell(runId, TimerDue{});
        drain();
    }
    if (m_state.refusalsEnd && *m_state.refusalsEnd <= m_now) {
        m_state.refusalsEnd.reset();
        for (auto &[pool, queue] : m_state.queues)
            queue.forgetRefusals();
    }
    // Ends by itself: every round gives out locks or jobs. The bound turns a defect into an error
    // of the batch.
    int rounds = 0;
    for (bool moved = true; moved;) {
        if (++rounds > kMostRounds)
            throw store::SqlError(
                {ErrorCode::Internal, "the scheduler gives out the same locks or jobs forever"});
        moved = grantLocks();
        drain();
        moved = assignJobs() || moved;
        drain();
    }
    for (const std::int64_t runId : m_touched) {
        const auto found = m_state.runs.find(runId);
        if (found == m_state.runs.end())
            continue;
        RunContext &one = *found->second;
        if (one.changeId != 0)
            changedRuns[runId] = {one.facts.projectId, std::exchange(one.changeId, 0)};
        if (one.snapshot.run.status == schema::RunStatus::Completed)
            forgetRun(m_state, runId);
        else
            indexRun(m_state, one);
    }
}

void Batch::drain()
{
    while (!m_events.empty()) {
        const auto [runId, event] = std::move(m_events.front());
        m_events.pop_front();
        tell(runId, event);
    }
}

RunContext *Batch::context(std::int64_t runId)
{
    if (const auto known = m_state.runs.find(runId); known != m_state.runs.end())
        return known->second.get();
    auto loaded = loadContext(m_connection, m_secrets, m_state.plans, runId);
    if (!loaded) {
        if (loaded.error().code == ErrorCode::NotFound)
            return nullptr;
        throw store::SqlError(loaded.error());
    }
    return m_state.runs.emplace(runId, std::move(*loaded)).first->second.get();
}

Status Batch::happen(std::int64_t runId, const RunEvent &event)
{
    RunContext *one = context(runId);
    if (!one)
        return {ErrorCode::NotFound, fmt::format("run {} is unknown", runId)};
    m_touched.insert(runId);
    Decision decision = decide(one->snapshot, event, m_now);
    if (decision.refused)
        return *decision.refused;
    write(*one, decision.changes);
    for (const Action &action : decision.actions)
        act(action);
    for (const ResolveStage &query : decision.queries)
        resolve(*one, query);
    return {};
}

void Batch::tell(std::int64_t runId, const RunEvent &event)
{
    if (!happen(runId, event))
        return;
}

void Batch::write(RunContext &one, std::vector<Change> &changes)
{
    for (Change &change : changes) {
        if (auto *created = std::get_if<JobCreated>(&change);
            created && created->row.state == JobState::Queued) {
            auto pool = resolvePool(created->instance->pool, m_state.pools, m_state.images);
            if (pool)
                created->row.poolId = *pool;
            else
                m_events.emplace_back(one.snapshot.run.id,
                                      JobUnassignable{created->row.id, pool.error().message});
        }
        m_writer.write(one, change);
        noteWait(one.snapshot, change);
        applyChange(one.snapshot, change);
        noteChange(one, change);
    }
}

void Batch::noteChange(RunContext &one, const Change &change)
{
    const store::RunRow &run = one.snapshot.run;
    if (const auto *created = std::get_if<JobCreated>(&change)) {
        indexJob(m_state, one.snapshot, created->row);
    } else if (const auto *job = std::get_if<JobRow>(&change)) {
        indexJob(m_state, one.snapshot, *job);
        jobsCompleted += job->state == JobState::Completed ? 1 : 0;
    } else if (const auto *lock = std::get_if<store::LockRow>(&change)) {
        auto &entries = m_state.locks[lock->key()];
        std::erase_if(entries, [&](const LockEntry &e) {
            return e.lock.runId == lock->runId && e.lock.stage == lock->stage &&
                   e.lock.stageAttempt == lock->stageAttempt;
        });
        entries.push_back({*lock, run.pipelineId, run.sourceBranch, run.number});
        m_dirtyLocks.insert(lock->key());
    } else if (const auto *released = std::get_if<LockReleased>(&change)) {
        std::erase_if(m_state.locks[released->lock.key()], [&](const LockEntry &e) {
            return e.lock.runId == released->lock.runId && e.lock.stage == released->lock.stage &&
                   e.lock.stageAttempt == released->lock.stageAttempt;
        });
        m_dirtyLocks.insert(released->lock.key());
    }
}

void Batch::resolve(RunContext &one, const ResolveStage &query)
{
    m_events.emplace_back(one.snapshot.run.id,
                          resolveTargets(m_connection, one, query.stage, m_now));
}

void Batch::act(const Action &action)
{
    if (const auto *cancel = std::get_if<SendCancel>(&action)) {
        outbox.emplace_back(cancel->workerId,
                            schema::protocol::CancelJob{cancel->jobId, cancel->reason});
    } else if (const auto *lost = std::get_if<SendLeaseLost>(&action)) {
        outbox.emplace_back(lost->workerId, schema::protocol::LeaseLost{lost->jobId});
        if (const auto worker = m_state.workers.find(lost->workerId);
            worker != m_state.workers.end()) {
            worker->second.jobs.erase(lost->jobId);
            noteWorker(m_state, lost->workerId);
        }
    }
}

bool Batch::grantLocks()
{
    bool moved = false;
    for (const store::LockKey &key : std::exchange(m_dirtyLocks, {})) {
        const LockDecision decision = grantLock(m_state.locks[key]);
        for (const LockEntry &entry : decision.granted) {
            m_events.emplace_back(entry.lock.runId,
                                  LockGranted{entry.lock.stage, key.environmentId});
            moved = true;
        }
        for (const auto &[entry, by] : decision.superseded) {
            m_events.emplace_back(entry.lock.runId,
                                  LockSuperseded{entry.lock.stage, key.environmentId, by});
            moved = true;
        }
    }
    return moved;
}

bool Batch::assignJobs()
{
    std::vector<std::int64_t> pools; // offers change the queues
    pools.reserve(m_state.queues.size());
    for (const auto &[pool, queue] : m_state.queues)
        pools.push_back(pool);
    bool moved = false;
    for (const std::int64_t pool : pools)
        moved = assignJobsOf(pool) || moved;
    return moved;
}

bool Batch::assignJobsOf(std::int64_t pool)
{
    const auto idle = m_state.idle.find(pool);
    const auto queue = m_state.queues.find(pool);
    if (idle == m_state.idle.end() || idle->second.empty() || queue == m_state.queues.end())
        return false;
    Room room = roomOf(m_state, pool);
    if (room.pool <= 0)
        return false;
    std::vector<WorkerSlot> slots;
    for (const std::int64_t workerId : idle->second)
        slots.push_back(slotOf(m_state.workers.at(workerId)));
    const std::vector<Assignment> assignments = assign(
        QueueOrder(queue->second, m_state.shares[pool], m_now), std::move(room), std::move(slots));
    bool moved = false;
    for (const Assignment &assignment : assignments) {
        RunContext *one = context(assignment.runId);
        if (one)
            moved = offer(*one, assignment.jobId, m_state.workers.at(assignment.workerId)) || moved;
    }
    return moved;
}

bool Batch::offer(RunContext &one, const std::string &jobId, ConnectedWorker &worker)
{
    const JobRow &job = one.snapshot.jobs.at(jobId);
    const auto unassignable = [&](const std::string &why) {
        m_events.emplace_back(one.snapshot.run.id, JobUnassignable{jobId, why});
        return true;
    };
    auto instance = instanceOf(one, jobId, m_secrets);
    if (!instance)
        return unassignable("the job cannot be prepared: " + instance.error().message);
    MessageInput input;
    input.snapshot = &one.snapshot;
    input.facts = &one.facts;
    input.job = &job;
    input.instance = instance->get();
    input.serverUrl = worker.serverUrl;
    input.jobToken = store::randomToken();
    input.workerId = worker.row.id;
    const auto stage = one.snapshot.stages.find(job.stage);
    if (stage != one.snapshot.stages.end()) {
        if (const auto &by = stage->second.requestedBy)
            input.stageRequestedBy = store::IdentityStore(m_connection).find(*by);
    }
    store::EnvironmentStore environments(m_connection);
    const store::PhaseRow &phase = one.snapshot.phases.at({job.stage, job.phase});
    if (phase.environmentId != 0)
        input.environment = environments.find(phase.environmentId);
    if (phase.resourceId != 0)
        input.resource = environments.findResource(phase.resourceId);
    if (!one.snapshot.plan->repositories.empty())
        input.repositories = store::RepositoryStore(m_connection).list(one.facts.projectId);
    schema::protocol::JobMessage message = buildMessage(input);
    if (auto known = m_secrets.connectionNames(one.facts.projectId)) {
        for (const std::string &name : connectionsOf(message, *known)) {
            auto connection = m_secrets.serviceConnection(one.facts.projectId, name);
            if (!connection)
                return unassignable("service connection: " + connection.error().message);
            const auto same = [&](const auto &other) { return other.id == connection->id; };
            if (std::none_of(message.connections.begin(), message.connections.end(), same))
                message.connections.push_back(std::move(*connection));
        }
    } else {
        return unassignable("service connections: " + known.error().message);
    }
    const Status assigned =
        happen(one.snapshot.run.id,
               JobAssigned{jobId, worker.row.id, store::tokenHash(input.jobToken), offerEnd()});
    if (!assigned)
        return false;
    worker.jobs.insert(jobId);
    noteWorker(m_state, worker.row.id);
    outbox.emplace_back(worker.row.id, schema::protocol::JobOffer{std::move(message)});
    return true;
}

} // namespace server::scheduler
