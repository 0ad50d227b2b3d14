#include "server/scheduler/loop_state.h"

#include "server/store/check_store.h"
#include "server/store/pipeline_store.h"

#include <algorithm>

namespace server::scheduler {

std::chrono::milliseconds jumpBetween(const ClockReading &before, const ClockReading &after)
{
    const auto jump = (after.wall - before.wall) - (after.steady - before.steady);
    return std::chrono::abs(jump) < std::chrono::seconds(2) ? std::chrono::milliseconds(0) : jump;
}

namespace {

int countOf(const std::map<std::int64_t, int> &counts, std::int64_t key)
{
    const auto count = counts.find(key);
    return count == counts.end() ? 0 : count->second;
}

const store::PoolRow *poolOf(const LoopState &state, std::int64_t poolId)
{
    const auto pool = std::find_if(state.pools.begin(), state.pools.end(),
                                   [&](const store::PoolRow &row) { return row.id == poolId; });
    return pool == state.pools.end() ? nullptr : &*pool;
}

/// Jobs of `pool: server` only wait; they use up nobody's share.
bool isServerPool(const LoopState &state, std::int64_t poolId)
{
    const store::PoolRow *pool = poolOf(state, poolId);
    return pool && pool->name == kServerPool;
}

void leaveQueue(LoopState &state, const std::string &jobId)
{
    const auto pool = state.poolOfQueued.find(jobId);
    if (pool == state.poolOfQueued.end())
        return;
    const auto queue = state.queues.find(pool->second);
    queue->second.remove(jobId);
    if (queue->second.isEmpty())
        state.queues.erase(queue);
    state.poolOfQueued.erase(pool);
}

void discount(std::map<std::int64_t, int> &counts, std::int64_t key)
{
    const auto count = counts.find(key);
    if (count != counts.end() && --count->second <= 0)
        counts.erase(count);
}

void giveBack(LoopState &state, const std::string &jobId)
{
    const auto held = state.held.find(jobId);
    if (held == state.held.end())
        return;
    const CountedJob job = held->second;
    state.held.erase(held);
    state.shares[job.poolId].giveBack(job.pipelineId);
    discount(state.heldOfPool, job.poolId);
    if (job.limited)
        discount(state.heldOfPipeline, job.pipelineId);
}

void hold(LoopState &state, const store::RunRow &run, const store::JobRow &job)
{
    const std::int64_t poolId = job.poolId.value_or(0);
    const CountedJob counted{poolId, run.pipelineId, run.id, !isServerPool(state, poolId)};
    if (!state.held.try_emplace(job.id, counted).second)
        return;
    Shares &shares = state.shares[counted.poolId];
    shares.take(counted.pipelineId);
    shares.serve(counted.pipelineId);
    ++state.heldOfPool[counted.poolId];
    if (counted.limited)
        ++state.heldOfPipeline[counted.pipelineId];
}

/// A job for which no pool was found is ended in the same batch and waits in no queue.
void enqueue(LoopState &state, const RunSnapshot &run, const store::JobRow &job)
{
    if (!job.poolId)
        return;
    const auto phase = run.phases.find({job.stage, job.phase});
    state.queues[*job.poolId].put(
        {job.id,
         job.runId,
         run.run.pipelineId,
         *job.poolId,
         job.demands,
         job.queuedAt,
         {phase == run.phases.end() ? 0 : phase->second.ordinal, job.ordinal},
         run.run.priority,
         {}});
    state.poolOfQueued.try_emplace(job.id, *job.poolId);
}

} // namespace

void indexJob(LoopState &state, const RunSnapshot &run, const store::JobRow &job)
{
    using store::JobState;
    if (job.state != JobState::Queued)
        leaveQueue(state, job.id);
    if (job.state == JobState::Assigned || job.state == JobState::Running)
        hold(state, run.run, job);
    else
        giveBack(state, job.id);
    if (job.state == JobState::Completed) {
        state.runOfJob.erase(job.id);
        return;
    }
    state.runOfJob[job.id] = job.runId;
    if (job.state == JobState::Queued)
        enqueue(state, run, job);
}

void requeueRun(LoopState &state, const RunContext &context)
{
    for (const auto &[id, job] : context.snapshot.jobs) {
        if (!state.poolOfQueued.contains(id))
            continue;
        leaveQueue(state, id);
        enqueue(state, context.snapshot, job);
    }
}

void indexRun(LoopState &state, const RunContext &context)
{
    const std::int64_t runId = context.snapshot.run.id;
    if (const auto known = state.deadlineOf.find(runId); known != state.deadlineOf.end()) {
        state.deadlines.erase({known->second, runId});
        state.deadlineOf.erase(known);
    }
    if (const auto deadline = nextDeadline(context.snapshot)) {
        state.deadlines.emplace(*deadline, runId);
        state.deadlineOf[runId] = *deadline;
    }
}

void forgetRun(LoopState &state, std::int64_t runId)
{
    if (const auto known = state.deadlineOf.find(runId); known != state.deadlineOf.end()) {
        state.deadlines.erase({known->second, runId});
        state.deadlineOf.erase(known);
    }
    if (const auto context = state.runs.find(runId); context != state.runs.end()) {
        for (const auto &[id, job] : context->second->snapshot.jobs) {
            state.runOfJob.erase(id);
            leaveQueue(state, id);
            giveBack(state, id);
        }
        state.runs.erase(context);
    }
}

schema::Status loadState(store::Connection &connection, SecretSource &secrets, LoopState &state)
{
    std::map<std::int64_t, ConnectedWorker> before = std::move(state.workers);
    state = LoopState();
    loadConfiguration(connection, state);
    store::WorkerStore workers(connection);
    for (store::WorkerRow &row : workers.workers()) {
        ConnectedWorker worker;
        if (const auto known = before.find(row.id); known != before.end())
            worker = std::move(known->second);
        worker.jobs.clear();
        worker.row = std::move(row);
        state.workers.emplace(worker.row.id, std::move(worker));
    }
    for (const auto &[workerId, jobId] : workers.heldJobs()) {
        if (const auto worker = state.workers.find(workerId); worker != state.workers.end())
            worker->second.jobs.insert(jobId);
    }
    for (const auto &[workerId, worker] : state.workers)
        noteWorker(state, workerId);
    for (const std::int64_t runId : store::RunStore(connection).openRuns()) {
        ASSIGN_OR_RETURN(auto context, loadContext(connection, secrets, state.plans, runId));
        for (const auto &[id, job] : context->snapshot.jobs)
            indexJob(state, context->snapshot, job);
        indexRun(state, *context);
        for (const store::LockRow &lock : context->snapshot.locks) {
            const store::RunRow &run = context->snapshot.run;
            state.locks[lock.key()].push_back({lock, run.pipelineId, run.sourceBranch, run.number});
        }
        state.runs.emplace(runId, std::move(context));
    }
    return {};
}

QueuedJob *queuedJob(LoopState &state, const std::string &jobId)
{
    const auto pool = state.poolOfQueued.find(jobId);
    return pool == state.poolOfQueued.end() ? nullptr : state.queues.at(pool->second).find(jobId);
}

Room roomOf(const LoopState &state, std::int64_t poolId)
{
    Room room;
    const store::PoolRow *pool = poolOf(state, poolId);
    if (pool && pool->maxParallelism > 0)
        room.pool = pool->maxParallelism - countOf(state.heldOfPool, poolId);
    if (isServerPool(state, poolId))
        return room;
    for (const auto &[pipelineId, limit] : state.pipelineLimits)
        room.pipelines[pipelineId] = limit - countOf(state.heldOfPipeline, pipelineId);
    return room;
}

std::optional<Limit> limitOf(const LoopState &state, const QueuedJob &job)
{
    if (isServerPool(state, job.poolId))
        return std::nullopt;
    if (const auto limit = state.pipelineLimits.find(job.pipelineId);
        limit != state.pipelineLimits.end()) {
        const int inUse = countOf(state.heldOfPipeline, job.pipelineId);
        const auto run = state.runs.find(job.runId);
        if (inUse >= limit->second)
            return Limit{false,
                         run == state.runs.end() ? std::to_string(job.pipelineId)
                                                 : run->second->facts.pipelineName,
                         limit->second, inUse};
    }
    const store::PoolRow *pool = poolOf(state, job.poolId);
    const int inUse = countOf(state.heldOfPool, job.poolId);
    if (pool && pool->maxParallelism > 0 && inUse >= pool->maxParallelism)
        return Limit{true, pool->name, pool->maxParallelism, inUse};
    return std::nullopt;
}

void loadConfiguration(store::Connection &connection, LoopState &state)
{
    store::WorkerStore workers(connection);
    state.pools = workers.pools();
    state.images = workers.images();
    state.pipelineLimits = store::PipelineStore(connection).limits();
}

std::optional<std::chrono::milliseconds> untilDeadline(const LoopState &state, TimePoint now)
{
    constexpr auto kLongestWait = std::chrono::milliseconds(30'000);
    std::optional<TimePoint> next = state.refusalsEnd;
    if (!state.deadlines.empty() && (!next || state.deadlines.begin()->first < *next))
        next = state.deadlines.begin()->first;
    if (!next)
        return std::nullopt;
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(*next - now);
    return std::clamp(wait, std::chrono::milliseconds(0), kLongestWait);
}

WorkerSlot slotOf(const ConnectedWorker &worker)
{
    return {worker.row.id,
            worker.row.name,
            worker.row.poolId,
            worker.connected && worker.ready,
            worker.row.enabled,
            worker.row.slots,
            static_cast<int>(worker.jobs.size()),
            &worker.row.capabilities,
            unavailability(worker.row.capabilities)};
}

void noteWorker(LoopState &state, std::int64_t workerId)
{
    const auto found = state.workers.find(workerId);
    if (found == state.workers.end()) {
        for (auto &[pool, workers] : state.idle)
            workers.erase(workerId);
        return;
    }
    const WorkerSlot slot = slotOf(found->second);
    if (slot.online && slot.enabled && slot.unavailable.empty() && slot.busy < slot.slots)
        state.idle[slot.poolId].insert(workerId);
    else if (const auto pool = state.idle.find(slot.poolId); pool != state.idle.end())
        pool->second.erase(workerId);
}

std::vector<WorkerSlot> workerSlots(const LoopState &state)
{
    std::vector<WorkerSlot> slots;
    slots.reserve(state.workers.size());
    for (const auto &[id, worker] : state.workers)
        slots.push_back(slotOf(worker));
    return slots;
}

} // namespace server::scheduler
