#pragma once
/// Runs by the clock: `schedules:` of every pipeline, read from each branch's own file
/// (pipeline-language 5.4).

#include "server/triggers/pipeline_service.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace server::triggers {

/// Used by one thread. A due time is served once, also over a restart in the same minute: a
/// scheduled run queued since then counts as its run. Times that passed while no server ran are not
/// made up for.
class ScheduleEvaluator
{
public:
    /// All must outlive the evaluator.
    ScheduleEvaluator(RepositoryService &repositories, PipelineService &pipelines,
                      scheduler::RunService &runs);

    /// Queues what became due after `after` and until `now`. Gives the number of runs.
    schema::Result<int> evaluate(schema::TimePoint after, schema::TimePoint now);

private:
    using Schedules = std::vector<pipelines::Triggers::Schedule>;

    const Schedules &schedulesOf(const store::Pipeline &pipeline, const GitRepository &git,
                                 const Ref &branch);
    schema::Result<bool> start(const store::Pipeline &pipeline, const Ref &branch,
                               const pipelines::Triggers::Schedule &schedule,
                               schema::TimePoint due);

    RepositoryService &m_repositories;
    PipelineService &m_pipelines;
    scheduler::RunService &m_runs;
    /// By pipeline and commit; forgotten with the branch heads that are no more.
    std::map<std::pair<std::int64_t, std::string>, Schedules> m_cache, m_used;
};

} // namespace server::triggers
