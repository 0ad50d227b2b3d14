#include "server/triggers/schedule_evaluator.h"

#include "pipelines/cron/schedule.h"
#include "pipelines/trigger/filter.h"

#include <algorithm>

namespace server::triggers {

using schema::Result;

namespace {

constexpr std::size_t kMaxFileBytes = 10U << 20U;

} // namespace

ScheduleEvaluator::ScheduleEvaluator(RepositoryService &repositories, PipelineService &pipelines,
                                     scheduler::RunService &runs)
    : m_repositories(repositories)
    , m_pipelines(pipelines)
    , m_runs(runs)
{}

const ScheduleEvaluator::Schedules &ScheduleEvaluator::schedulesOf(const store::Pipeline &pipeline,
                                                                   const GitRepository &git,
                                                                   const Ref &branch)
{
    const auto key = std::make_pair(pipeline.id, branch.commit);
    if (const auto used = m_used.find(key); used != m_used.end())
        return used->second;
    if (auto cached = m_cache.extract(key))
        return m_used.insert(std::move(cached)).position->second;
    Schedules schedules;
    if (const auto text = git.readFile(branch.commit, pipeline.yamlPath, kMaxFileBytes)) {
        // Mistakes in the block are reported when the file is compiled.
        std::vector<pipelines::Diagnostic> ignored;
        schedules = pipelines::scanTriggers(pipeline.yamlPath, *text, ignored).schedules;
    }
    return m_used.emplace(key, std::move(schedules)).first->second;
}

Result<bool> ScheduleEvaluator::start(const store::Pipeline &pipeline, const Ref &branch,
                                      const pipelines::Triggers::Schedule &schedule,
                                      schema::TimePoint due)
{
    store::RunFilter filter;
    filter.pipelineId = pipeline.id;
    filter.branch = branch.name;
    filter.reason = schema::RunReason::Schedule;
    filter.top = 50;
    ASSIGN_OR_RETURN(const auto earlier, m_runs.list(filter));
    for (const auto &run : earlier) {
        const bool active = run.status != schema::RunStatus::Completed;
        const bool sameCommit =
            run.sourceVersion == branch.commit && run.result == schema::RunResult::Succeeded;
        if (run.queuedAt >= due || (schedule.batch && active) || (!schedule.always && sameCommit))
            return false;
    }
    QueueRequest request;
    request.pipelineId = pipeline.id;
    request.reason = schema::RunReason::Schedule;
    request.branch = branch.name;
    request.version = branch.commit;
    request.scheduleName = schedule.displayName;
    ASSIGN_OR_RETURN(const auto queued, m_pipelines.queue(request));
    return queued.runId != 0;
}

Result<int> ScheduleEvaluator::evaluate(schema::TimePoint after, schema::TimePoint now)
{
    int started = 0;
    m_used.clear();
    ASSIGN_OR_RETURN(const auto repositories, m_repositories.hosted());
    for (const auto &repository : repositories) {
        ASSIGN_OR_RETURN(const auto candidates, m_pipelines.ofRepository(repository.id));
        if (candidates.empty())
            continue;
        ASSIGN_OR_RETURN(const auto git, m_repositories.open(repository));
        ASSIGN_OR_RETURN(const auto refs, git.refs());
        for (const auto &pipeline : candidates) {
            if (pipeline.queueStatus != 0)
                continue;
            for (const auto &ref : refs) {
                if (!ref.name.starts_with("refs/heads/"))
                    continue;
                for (const auto &schedule : schedulesOf(pipeline, git, ref)) {
                    const auto cron = pipelines::cron::Schedule::parse(schedule.cron);
                    if (!cron || !pipelines::trigger::matches(schedule, ref.name))
                        continue;
                    const auto due = cron->next(after);
                    if (!due || *due > now)
                        continue;
                    ASSIGN_OR_RETURN(const bool queued, start(pipeline, ref, schedule, *due));
                    started += queued ? 1 : 0;
                }
            }
        }
    }
    m_cache = std::move(m_used);
    m_used.clear();
    return started;
}

} // namespace server::triggers
