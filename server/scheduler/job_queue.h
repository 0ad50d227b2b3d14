#pragma once
/// The jobs that wait in one pool, and the order in which they get workers. Pure.
///
/// More urgent jobs go first, and a job becomes more urgent by waiting: one step of priority each
/// kPriorityStep, up to the highest, so that nothing waits forever behind urgent work. Among
/// equally urgent jobs the pipeline goes first of which the pool's workers hold the fewest jobs; of
/// several, the one that got a worker the longest ago: a pipeline with a thousand jobs does not
/// hold up one with a single job. Within a pipeline it is the job that was queued first.

#include "schema/base/time.h"
#include "schema/model/states.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace server::scheduler {

/// Waiting for so long counts as much as the next higher priority.
inline constexpr auto kPriorityStep = std::chrono::minutes(10);

struct QueuedJob
{
    std::string jobId;
    std::int64_t runId = 0;
    std::int64_t pipelineId = 0;
    std::int64_t poolId = 0;
    std::vector<std::string> demands;
    schema::TimePoint queuedAt;
    std::pair<int, int> position; ///< of its phase in the plan, and its own within the phase
    schema::RunPriority priority = schema::RunPriority::Normal;
    std::set<std::int64_t> refusedBy; ///< workers that just said no
};

/// What the pipelines got of one pool so far.
struct Shares
{
    std::map<std::int64_t, int> held; ///< jobs that workers hold, by pipeline; none: not in it
    /// When a pipeline last got a worker, counted in jobs given out; never: not in it. Lost at a
    /// restart, which costs a pipeline one turn at most.
    std::map<std::int64_t, std::uint64_t> served;
    std::uint64_t turn = 0;

    /// A job of the pipeline is held from now on.
    void take(std::int64_t pipelineId);
    /// One is held no longer.
    void giveBack(std::int64_t pipelineId);

    /// A job of the pipeline gets a worker: others have their turn before it.
    void serve(std::int64_t pipelineId) { served[pipelineId] = ++turn; }
};

class JobQueue
{
public:
    [[nodiscard]] bool isEmpty() const { return m_places.empty(); }

    [[nodiscard]] std::size_t size() const { return m_places.size(); }

    /// Puts a job in, at its place; one that is there already stays as it is.
    void put(QueuedJob job);
    /// Nothing happens when it is not in the queue.
    void remove(const std::string &jobId);
    /// nullptr when it is not in the queue. Valid until the job is removed.
    [[nodiscard]] QueuedJob *find(const std::string &jobId);
    [[nodiscard]] const QueuedJob *find(const std::string &jobId) const;
    /// Workers that refused a job may be asked again.
    void forgetRefusals();

private:
    friend class QueueOrder;

    /// Oldest first, then by run, then in the plan's order: a stage queues all its jobs at once.
    using Place = std::tuple<schema::TimePoint, std::int64_t, std::pair<int, int>, std::string>;
    using Jobs = std::map<Place, QueuedJob>;
    static constexpr std::size_t kLevels = 5;
    /// By urgency, the least urgent first.
    using Levels = std::array<Jobs, kLevels>;

    static std::size_t levelOf(schema::RunPriority priority);

    struct Where
    {
        std::int64_t pipelineId = 0;
        std::size_t level = 0;
        Place place;
    };

    std::map<std::int64_t, Levels> m_pipelines;
    std::map<std::string, Where> m_places; ///< by job id
};

/// One walk through a queue. The queue must not change meanwhile.
class QueueOrder
{
public:
    /// `shares`: a copy, on which the walk keeps its own account.
    QueueOrder(const JobQueue &queue, Shares shares, schema::TimePoint now);

    /// The next job; nullptr at the end. Whoever asks says what became of the one before: taken(),
    /// or nothing when no worker can take it.
    const QueuedJob *next();
    /// The job that next() gave last gets a worker.
    void taken();
    /// No further job of the pipeline of that job.
    void skipPipeline();

private:
    struct Cursor
    {
        std::array<JobQueue::Jobs::const_iterator, JobQueue::kLevels> at, end;
    };

    /// Least first: urgency (negative), jobs held, last turn, age.
    using Rank = std::tuple<int, int, std::uint64_t, JobQueue::Place, std::int64_t /* pipeline */>;

    /// Ranks the pipeline by the job that it would be next with.
    void enter(std::int64_t pipelineId);
    /// The level whose first job is next, and that job's urgency; -1 when none is left.
    [[nodiscard]] std::pair<int, int> best(const Cursor &cursor) const;

    Shares m_shares;
    schema::TimePoint m_now;
    std::map<std::int64_t, Cursor> m_cursors;
    std::set<Rank> m_ranks;
    std::int64_t m_current = 0; ///< pipeline of the job given last; 0: none
};

} // namespace server::scheduler
