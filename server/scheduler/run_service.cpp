#include "server/scheduler/run_service.h"

#include "schema/model/plan_json.h"
#include "server/scheduler/scheduler.h"
#include "server/store/check_store.h"
#include "server/store/timeline_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace server::scheduler {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::RunResult;
using schema::RunStatus;
using schema::TaskResult;
using store::Connection;
using store::StagePhase;
using store::StageRow;

std::vector<StageRow> newest(std::vector<StageRow> rows)
{
    std::vector<StageRow> kept; // rows of one stage follow each other, oldest attempt first
    for (StageRow &row : rows) {
        if (!kept.empty() && kept.back().name == row.name)
            kept.back() = std::move(row);
        else
            kept.push_back(std::move(row));
    }
    return kept;
}

std::vector<store::PhaseRow> newest(std::vector<store::PhaseRow> rows)
{
    std::vector<store::PhaseRow> kept;
    for (store::PhaseRow &row : rows) {
        if (!kept.empty() && kept.back().stage == row.stage && kept.back().name == row.name)
            kept.back() = std::move(row);
        else
            kept.push_back(std::move(row));
    }
    return kept;
}

std::vector<std::string> displayNames(const std::vector<StageRow> &stages,
                                      const std::vector<store::TimelineRow> &records)
{
    std::map<std::string, std::string> names;
    for (const store::TimelineRow &record : records) {
        if (record.type == schema::RecordType::Stage)
            names[record.id] = record.name;
    }
    std::vector<std::string> list;
    for (const StageRow &stage : stages) {
        const auto name = names.find(stage.recordId);
        list.push_back(name == names.end() || name->second.empty() ? stage.name : name->second);
    }
    return list;
}

std::string quoted(const std::vector<std::string> &names)
{
    return names.size() == 1 ? fmt::format("stage '{}'", names.front())
                             : fmt::format("stages '{}'", fmt::join(names, "', '"));
}

/// The run in one sentence, from its rows alone.
std::string sentenceOf(const store::RunRow &run, const std::vector<StageRow> &stages,
                       const std::vector<std::string> &names)
{
    std::vector<std::string> running, failed, waiting;
    std::string reason;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const StageRow &stage = stages[i];
        if (stage.phase == StagePhase::Running)
            running.push_back(names[i]);
        if (stage.phase == StagePhase::Checking) {
            waiting.push_back(names[i]);
            reason = stage.waitingReason;
        }
        if (stage.phase == StagePhase::Completed &&
            (stage.result == TaskResult::Failed || stage.result == TaskResult::Abandoned))
            failed.push_back(names[i]);
    }
    if (run.status == RunStatus::Completed) {
        switch (run.result) {
        case RunResult::Succeeded:
            return "succeeded";
        case RunResult::PartiallySucceeded:
            return "succeeded with issues";
        case RunResult::Canceled:
            return "was canceled";
        default:
            return failed.empty() ? std::string("could not start: the pipeline has errors")
                                  : fmt::format("failed in {}", quoted(failed));
        }
    }
    if (run.status == RunStatus::Cancelling)
        return "is being canceled";
    if (!running.empty())
        return fmt::format("runs {}{}", quoted(running),
                           failed.empty() ? "" : fmt::format("; {} failed", quoted(failed)));
    if (!waiting.empty())
        return fmt::format("{} {}", quoted(waiting),
                           reason.empty() ? std::string("waits for its checks") : reason);
    return "is about to start";
}

} // namespace

RunService::RunService(store::Database &database, Scheduler &scheduler)
    : m_database(database)
    , m_scheduler(scheduler)
{}

schema::Result<std::int64_t> RunService::createRun(NewRun run)
{
    return m_scheduler.createRun(std::move(run));
}

schema::Status RunService::cancelRun(std::int64_t runId, const std::string &identityId)
{
    return m_scheduler.cancelRun(runId, identityId);
}

schema::Status RunService::retryStage(std::int64_t runId, const std::string &stage, bool allJobs,
                                      const std::string &identityId)
{
    return m_scheduler.retryStages(runId, {stage}, allJobs, identityId);
}

schema::Status RunService::startStage(std::int64_t runId, const std::string &stage,
                                      const std::string &identityId)
{
    return m_scheduler.startStage(runId, stage, identityId);
}

schema::Status RunService::cancelStage(std::int64_t runId, const std::string &stage,
                                       const std::string &identityId)
{
    return m_scheduler.cancelStage(runId, stage, identityId);
}

schema::Status RunService::retryRun(std::int64_t runId, const std::string &identityId)
{
    return m_scheduler.retryStages(runId, {}, false, identityId);
}

schema::Result<std::vector<RunOverview>> RunService::list(const store::RunFilter &filter)
{
    return m_database.read([&](Connection &connection) -> schema::Result<std::vector<RunOverview>> {
        store::RunStore runs(connection);
        store::TimelineStore timeline(connection);
        std::vector<RunOverview> overviews;
        for (store::RunRow &row : runs.list(filter)) {
            RunOverview overview;
            overview.stages = newest(runs.stages(row.id));
            overview.displayNames = displayNames(overview.stages, timeline.stageRecords(row.id));
            overview.sentence = sentenceOf(row, overview.stages, overview.displayNames);
            overview.run = std::move(row);
            overviews.push_back(std::move(overview));
        }
        return overviews;
    });
}

schema::Result<RunDetail> RunService::detail(std::int64_t runId)
{
    return m_database.read([&](Connection &connection) -> schema::Result<RunDetail> {
        store::RunStore runs(connection);
        store::TimelineStore timeline(connection);
        auto run = runs.find(runId);
        if (!run)
            return Error{ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
        RunDetail detail;
        detail.run = std::move(*run);
        ASSIGN_OR_RETURN(detail.plan,
                         schema::planFromText(runs.planText(detail.run.compiledPlanId)));
        detail.finalYaml = runs.finalYaml(detail.run.compiledPlanId);
        detail.stages = newest(runs.stages(runId));
        detail.phases = newest(runs.phases(runId));
        detail.jobs = runs.jobs(runId);
        detail.records = timeline.list(runId);
        detail.logs = timeline.logs(runId);
        detail.sentence =
            sentenceOf(detail.run, detail.stages, displayNames(detail.stages, detail.records));
        return detail;
    });
}

schema::Result<store::RunRow> RunService::run(std::int64_t runId)
{
    return m_database.read([&](Connection &connection) -> schema::Result<store::RunRow> {
        auto run = store::RunStore(connection).find(runId);
        if (!run)
            return Error{ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
        return std::move(*run);
    });
}

schema::Result<std::vector<store::TimelineRow>> RunService::timeline(std::int64_t runId,
                                                                     std::int64_t changedAfter)
{
    return m_database.read(
        [&](Connection &connection) -> schema::Result<std::vector<store::TimelineRow>> {
            if (!store::RunStore(connection).find(runId))
                return Error{ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
            return store::TimelineStore(connection).list(runId, changedAfter);
        });
}

schema::Result<std::vector<store::LogRow>> RunService::logs(std::int64_t runId)
{
    return m_database.read(
        [&](Connection &connection) -> schema::Result<std::vector<store::LogRow>> {
            if (!store::RunStore(connection).find(runId))
                return Error{ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
            return store::TimelineStore(connection).logs(runId);
        });
}

schema::Result<Explanation> RunService::explain(std::int64_t runId)
{
    ASSIGN_OR_RETURN(const RunDetail detail, this->detail(runId));
    Explanation explanation;
    explanation.sentence = fmt::format("run {} {}", detail.run.number, detail.sentence);
    if (detail.run.status == RunStatus::Completed)
        return explanation;
    const std::vector<std::string> names = displayNames(detail.stages, detail.records);
    for (std::size_t i = 0; i < detail.stages.size(); ++i) {
        const StageRow &stage = detail.stages[i];
        if (stage.phase == StagePhase::Checking) {
            const bool lock = stage.waitingReason.find("lock") != std::string::npos;
            explanation.waiting.push_back(
                {lock ? "lock" : "approval",
                 stage.name,
                 {},
                 fmt::format("stage '{}' {}", names[i], stage.waitingReason)});
        } else if (stage.phase == StagePhase::Pending && i < detail.plan.stages.size()) {
            std::vector<std::string> open;
            for (const std::string &dependency : detail.plan.stages[i].dependsOn) {
                const auto row = std::find_if(detail.stages.begin(), detail.stages.end(),
                                              [&](const auto &s) { return s.name == dependency; });
                if (row != detail.stages.end() && row->phase != StagePhase::Completed)
                    open.push_back(dependency);
            }
            if (!open.empty())
                explanation.waiting.push_back(
                    {"dependency",
                     stage.name,
                     {},
                     fmt::format("stage '{}' waits for {}", names[i], quoted(open))});
        }
    }
    ASSIGN_OR_RETURN(std::vector<Waiting> workers, m_scheduler.waitingForWorkers(runId));
    for (Waiting &waiting : workers) {
        waiting.sentence =
            fmt::format("job '{}' waits for a worker: {}", waiting.job, waiting.sentence);
        explanation.waiting.push_back(std::move(waiting));
    }
    return explanation;
}

} // namespace server::scheduler
