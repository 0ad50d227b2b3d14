#include "server/scheduler/loop_state.h"

#include "server/store/check_store.h"

namespace server::scheduler {

std::chrono::milliseconds jumpBetween(const ClockReading &before, const ClockReading &after)
{
    const auto jump = (after.wall - before.wall) - (after.steady - before.steady);
    return std::chrono::abs(jump) < std::chrono::seconds(2) ? std::chrono::milliseconds(0) : jump;
}

void indexJob(LoopState &state, const store::JobRow &job)
{
    if (const auto key = state.queueKeys.find(job.id);
        key != state.queueKeys.end() && job.state != store::JobState::Queued) {
        const auto queue = state.queues.find(key->second.first);
        queue->second.erase(key->second.second);
        if (queue->second.empty())
            state.queues.erase(queue);
        state.queueKeys.erase(key);
    }
    if (job.state == store::JobState::Completed) {
        state.runOfJob.erase(job.id);
        return;
    }
    state.runOfJob[job.id] = job.runId;
    if (job.state == store::JobState::Queued && job.poolId) {
        const QueueKey key{job.queuedAt, job.runId, job.ordinal, job.id};
        state.queues[*job.poolId].try_emplace(
            key, QueuedJob{job.id, job.runId, *job.poolId, job.demands, job.queuedAt, {}});
        state.queueKeys.try_emplace(job.id, *job.poolId, key);
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
        for (const auto &[id, job] : context->second->snapshot.jobs)
            state.runOfJob.erase(id);
        state.runs.erase(context);
    }
}

schema::Status loadState(store::Connection &connection, SecretSource &secrets, LoopState &state)
{
    std::map<std::int64_t, ConnectedWorker> before = std::move(state.workers);
    state = LoopState();
    store::WorkerStore workers(connection);
    state.pools = workers.pools();
    state.images = workers.images();
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
            indexJob(state, job);
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
    const auto key = state.queueKeys.find(jobId);
    return key == state.queueKeys.end()
               ? nullptr
               : &state.queues.at(key->second.first).at(key->second.second);
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
            &worker.row.capabilities};
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
    if (slot.online && slot.enabled && slot.busy < slot.slots)
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
