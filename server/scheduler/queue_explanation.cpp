#include "server/scheduler/queue_explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace server::scheduler {
namespace {

/// Runs that are named as the users of a limit.
constexpr std::size_t kMostRuns = 10;

std::string poolName(const LoopState &state, std::int64_t poolId)
{
    for (const store::PoolRow &row : state.pools) {
        if (row.id == poolId)
            return row.name;
    }
    return std::to_string(poolId);
}

std::vector<RunReference> usersOf(const LoopState &state, const Limit &limit, const QueuedJob &job)
{
    std::set<std::int64_t> ids;
    for (const auto &[id, held] : state.held) {
        if (limit.ofPool ? held.poolId == job.poolId
                         : held.limited && held.pipelineId == job.pipelineId)
            ids.insert(held.runId);
    }
    std::vector<RunReference> runs;
    for (const std::int64_t id : ids) {
        const auto run = state.runs.find(id);
        if (run == state.runs.end() || runs.size() == kMostRuns)
            continue;
        runs.push_back({id, run->second->snapshot.run.number, run->second->facts.pipelineName});
    }
    return runs;
}

std::string named(const std::vector<RunReference> &runs)
{
    std::vector<std::string> names;
    names.reserve(runs.size());
    for (const RunReference &run : runs)
        names.push_back(fmt::format("run {} of {}", run.number, run.pipelineName));
    return names.empty() ? std::string() : fmt::format(": {}", fmt::join(names, ", "));
}

/// What is known of one pool, so that it is worked out once.
class PoolView
{
public:
    PoolView(const LoopState &state, std::int64_t poolId)
        : m_state(state)
        , m_name(poolName(state, poolId))
        , m_slots(workerSlots(state))
    {}

    Waiting explain(const QueuedJob &queued, const store::JobRow &job)
    {
        Waiting one;
        one.stage = job.stage;
        one.job = job.displayName;
        one.jobId = job.id;
        one.since = job.queuedAt;
        one.pool = m_name;
        if (const auto limit = limitOf(m_state, queued)) {
            one.kind = "limit";
            one.limit = ReachedLimit{limit->ofPool, limit->name, limit->maximum, limit->inUse,
                                     usersOf(m_state, *limit, queued)};
            one.sentence = fmt::format("job '{}' waits: {}{}", job.displayName, sentenceOf(*limit),
                                       named(one.limit->runs));
            return one;
        }
        one.kind = "worker";
        auto known = m_shortages.find(queued.demands);
        if (known == m_shortages.end())
            known = m_shortages.emplace(queued.demands, whyWaiting(queued, m_name, m_slots)).first;
        one.sentence =
            fmt::format("job '{}' waits for a worker: {}", job.displayName, known->second.sentence);
        one.nearestWorker = known->second.nearest;
        one.missing = known->second.missing;
        return one;
    }

private:
    const LoopState &m_state;
    std::string m_name;
    std::vector<WorkerSlot> m_slots;
    std::map<std::vector<std::string>, Shortage> m_shortages; ///< by demands
};

} // namespace

std::vector<Waiting> waitingInQueues(const LoopState &state, std::int64_t runId, TimePoint now)
{
    std::vector<Waiting> list;
    const auto run = state.runs.find(runId);
    if (run == state.runs.end())
        return list;
    std::map<std::int64_t, std::size_t> left; // queued jobs of the run, by pool
    for (const auto &[id, job] : run->second->snapshot.jobs) {
        if (const auto pool = state.poolOfQueued.find(id); pool != state.poolOfQueued.end())
            ++left[pool->second];
    }
    for (auto &[poolId, count] : left) {
        const JobQueue &queue = state.queues.at(poolId);
        const auto shares = state.shares.find(poolId);
        QueueOrder order(queue, shares == state.shares.end() ? Shares() : shares->second, now);
        PoolView view(state, poolId);
        int position = 0;
        while (const QueuedJob *queued = count > 0 ? order.next() : nullptr) {
            order.taken();
            ++position;
            if (queued->runId != runId)
                continue;
            --count;
            Waiting one = view.explain(*queued, run->second->snapshot.jobs.at(queued->jobId));
            one.position = position;
            one.queueLength = static_cast<int>(queue.size());
            one.sentence += fmt::format("; {} of {} in the queue of pool '{}'", position,
                                        queue.size(), one.pool);
            list.push_back(std::move(one));
        }
    }
    return list;
}

} // namespace server::scheduler
