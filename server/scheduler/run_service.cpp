#include "server/scheduler/run_service.h"

#include "pipelines/run/run_number.h"
#include "schema/model/plan_json.h"
#include "server/scheduler/explanation.h"
#include "server/scheduler/scheduler.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/timeline_store.h"
#include "server/store/worker_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace server::scheduler {
namespace {

using schema::Error;
using schema::ErrorCode;
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

Timeline timelineOf(Connection &connection, std::int64_t runId, std::int64_t changedAfter,
                    int attempt)
{
    store::TimelineStore store(connection);
    Timeline timeline{store.list(runId, changedAfter, attempt), {}};
    // Few runs are tried again, and only then is the whole run read once more.
    if (std::any_of(timeline.records.begin(), timeline.records.end(),
                    [](const store::TimelineRow &row) { return row.attempt > 1; }))
        timeline.earlierAttempts = store.earlierAttempts(runId);
    return timeline;
}

/// What sentenceOf() needs beyond the run and its stages; read only where it is told.
RunPicture pictureOf(Connection &connection, const store::RunRow &run,
                     const std::vector<StageRow> &stages, const std::vector<std::string> &names)
{
    RunPicture picture{run, stages, names, {}, {}, {}, {}};
    const auto runs = [](const StageRow &stage) { return stage.phase == StagePhase::Running; };
    if (std::any_of(stages.begin(), stages.end(), runs))
        picture.queuedStages = store::RunStore(connection).queuedStages(run.id);
    const auto waits = [](const StageRow &stage) { return stage.phase == StagePhase::Checking; };
    if (std::any_of(stages.begin(), stages.end(), waits))
        picture.approvals = store::CheckStore(connection).approvalsOfRun(run.id);
    if (run.status == RunStatus::Completed && run.result == schema::RunResult::Failed) {
        picture.failures = store::TimelineStore(connection).failures(run.id);
        if (!picture.failures.empty())
            picture.jobStages = store::RunStore(connection).jobStages(run.id);
    }
    return picture;
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

schema::Status RunService::cancelJob(std::int64_t runId, const std::string &jobId,
                                     const std::string &identityId)
{
    return m_scheduler.cancelJob(runId, jobId, identityId);
}

schema::Status RunService::retryJob(std::int64_t runId, const std::string &jobId,
                                    const std::string &identityId)
{
    return m_scheduler.retryJob(runId, jobId, identityId);
}

schema::Status RunService::setPriority(std::int64_t runId, schema::RunPriority priority)
{
    return m_scheduler.setPriority(runId, priority);
}

schema::Status RunService::rename(std::int64_t runId, const std::string &number)
{
    RETURN_IF_ERROR(pipelines::run::checkRunNumber(number));
    return m_scheduler.rename(runId, number);
}

void RunService::limitsChanged()
{
    m_scheduler.configurationChanged();
}

schema::Status RunService::retryRun(std::int64_t runId, const std::string &identityId)
{
    return m_scheduler.retryStages(runId, {}, false, identityId);
}

schema::Result<std::vector<store::RunRow>> RunService::list(const store::RunFilter &filter)
{
    return m_database.read([&](Connection &connection) {
        return schema::Result(store::RunStore(connection).list(filter));
    });
}

schema::Result<std::map<schema::RunStatus, std::int64_t>> RunService::openCounts()
{
    return m_database.read([&](Connection &connection) {
        return schema::Result(store::RunStore(connection).openCounts());
    });
}

schema::Result<std::string> RunService::finalYaml(std::int64_t runId)
{
    return m_database.read([&](Connection &connection) -> schema::Result<std::string> {
        store::RunStore runs(connection);
        const auto run = runs.find(runId);
        if (!run)
            return Error{ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
        return runs.finalYaml(run->compiledPlanId);
    });
}

schema::Result<std::vector<RunOverview>> RunService::overviews(const store::RunFilter &filter)
{
    return m_database.read([&](Connection &connection) -> schema::Result<std::vector<RunOverview>> {
        store::RunStore runs(connection);
        store::TimelineStore timeline(connection);
        std::vector<RunOverview> overviews;
        for (store::RunRow &row : runs.list(filter)) {
            RunOverview overview;
            overview.stages = newest(runs.stages(row.id));
            overview.displayNames = displayNames(overview.stages, timeline.stageRecords(row.id));
            RunPicture picture = pictureOf(connection, row, overview.stages, overview.displayNames);
            overview.sentence = sentenceOf(picture);
            overview.queuedStages = std::move(picture.queuedStages);
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
        Timeline timeline = timelineOf(connection, runId, 0, store::kNewestAttempt);
        detail.records = std::move(timeline.records);
        detail.earlierAttempts = std::move(timeline.earlierAttempts);
        detail.logs = store::TimelineStore(connection).logs(runId);
        const std::vector<std::string> names = displayNames(detail.stages, detail.records);
        RunPicture picture = pictureOf(connection, detail.run, detail.stages, names);
        detail.sentence = sentenceOf(picture);
        detail.queuedStages = std::move(picture.queuedStages);
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

schema::Result<Timeline> RunService::timeline(std::int64_t runId, std::int64_t changedAfter,
                                              int attempt)
{
    return m_database.read([&](Connection &connection) -> schema::Result<Timeline> {
        if (!store::RunStore(connection).find(runId))
            return Error{ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
        return timelineOf(connection, runId, changedAfter, attempt);
    });
}

schema::Result<std::vector<store::TimelineRow>> RunService::attempts(std::int64_t runId,
                                                                     const std::string &recordId)
{
    auto rows = m_database.read([&](Connection &connection) {
        return schema::Result(store::TimelineStore(connection).attempts(runId, recordId));
    });
    if (rows && rows->empty())
        return Error{ErrorCode::NotFound, fmt::format("run {} has no record {}", runId, recordId)};
    return rows;
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

schema::Result<store::LogRow> RunService::log(std::int64_t runId, std::int64_t logId)
{
    return m_database.read([&](Connection &connection) -> schema::Result<store::LogRow> {
        auto found = store::TimelineStore(connection).findLog(runId, logId);
        if (!found)
            return Error{ErrorCode::NotFound, fmt::format("run {} has no log {}", runId, logId)};
        return *std::move(found);
    });
}

namespace {

std::string describe(const store::JobRow &job, const std::string &worker)
{
    const std::string at = worker.empty() ? std::string() : fmt::format(" on worker '{}'", worker);
    switch (job.state) {
    case store::JobState::Queued:
        return fmt::format("waits for a worker since {}", shortTime(job.queuedAt));
    case store::JobState::Assigned:
        return fmt::format("was offered{} and is about to start", at);
    case store::JobState::Running:
        return fmt::format("runs{} since {}", at, shortTime(job.startedAt.value_or(job.queuedAt)));
    case store::JobState::Completed:
        break;
    }
    const std::string how(schema::toString(job.result.value_or(TaskResult::Failed)));
    return job.message.empty() ? how : fmt::format("{}: {}", how, job.message);
}

bool isOver(const store::JobRow &job)
{
    return job.state == store::JobState::Completed &&
           (job.result == TaskResult::Succeeded || job.result == TaskResult::SucceededWithIssues);
}

std::vector<JobExplanation> jobsOf(Connection &connection, const RunDetail &detail)
{
    std::map<std::int64_t, std::string> workers;
    for (const store::WorkerRow &worker : store::WorkerStore(connection).workers())
        workers[worker.id] = worker.name;
    std::vector<JobExplanation> list;
    for (const store::JobRow &job : detail.jobs) {
        const auto phase =
            std::find_if(detail.phases.begin(), detail.phases.end(), [&](const auto &row) {
                return row.stage == job.stage && row.name == job.phase;
            });
        if (phase == detail.phases.end() || phase->attempt != job.attempt || isOver(job))
            continue;
        const auto worker = job.workerId ? workers.find(*job.workerId) : workers.end();
        list.push_back(
            {job.id, job.stage, job.displayName, job.identifier, job.state, job.result,
             fmt::format("job '{}' {}", job.displayName,
                         describe(job, worker == workers.end() ? std::string() : worker->second))});
    }
    return list;
}

std::vector<LockUse> usesOf(Connection &connection, const store::LockKey &key)
{
    std::vector<LockUse> uses;
    store::RunStore runs(connection);
    for (store::LockRow &row : store::CheckStore(connection).allLocks()) {
        if (row.key() != key)
            continue;
        LockUse use{std::move(row), {}, {}, {}};
        if (const auto run = runs.find(use.lock.runId)) {
            use.runNumber = run->number;
            use.pipelineName = run->pipelineName;
            use.usual = usualDuration(runs.stageDurations(run->pipelineId, use.lock.stage));
        }
        uses.push_back(std::move(use));
    }
    return uses;
}

} // namespace

void RunService::explainStage(Connection &connection, const RunDetail &detail, std::size_t index,
                              const std::string &name, Explanation &explanation)
{
    const StageRow &stage = detail.stages[index];
    const std::string subject = stagesInWords({name});
    Waiting waiting;
    waiting.stage = stage.name;
    if (stage.phase == StagePhase::Pending && index < detail.plan.stages.size()) {
        std::vector<std::string> open;
        for (const std::string &dependency : detail.plan.stages[index].dependsOn) {
            const auto row = std::find_if(detail.stages.begin(), detail.stages.end(),
                                          [&](const auto &s) { return s.name == dependency; });
            if (row != detail.stages.end() && row->phase != StagePhase::Completed)
                open.push_back(dependency);
        }
        if (open.empty())
            return;
        waiting.kind = "dependency";
        waiting.sentence = fmt::format("{} waits for {}", subject, stagesInWords(open));
        explanation.waiting.push_back(std::move(waiting));
        return;
    }
    if (stage.phase != StagePhase::Checking)
        return;
    store::CheckStore checks(connection);
    const auto asked = askedFor(stage, checks.approvalsOfRun(detail.run.id));
    if (asked) {
        waiting.kind = "approval";
        waiting.approvers = asked->names;
        waiting.since = asked->since;
        waiting.sentence = fmt::format("{} waits for approval of {} since {}", subject,
                                       fmt::join(asked->names, ", "), shortTime(asked->since));
        explanation.waiting.push_back(std::move(waiting));
        return;
    }
    for (const store::LockRow &lock : checks.locksOfRun(detail.run.id)) {
        if (lock.stage != stage.name || lock.grantedAt)
            continue;
        std::string what = "its turn in this stage (lockBehavior)";
        if (lock.environmentId != 0) {
            const auto environment = store::EnvironmentStore(connection).find(lock.environmentId);
            what = fmt::format("the exclusive lock of environment '{}'",
                               environment ? environment->name : std::string("?"));
        }
        explanation.waiting.push_back(waitingForLock(lock, usesOf(connection, lock.key()), what,
                                                     name, schema::wallClockNow()));
        return;
    }
    waiting.kind =
        stage.waitingReason.find("by a person") != std::string::npos ? "person" : "approval";
    waiting.sentence =
        fmt::format("{} {}", subject,
                    stage.waitingReason.empty() ? "waits for its checks" : stage.waitingReason);
    explanation.waiting.push_back(std::move(waiting));
}

schema::Result<Explanation> RunService::explain(std::int64_t runId)
{
    ASSIGN_OR_RETURN(const RunDetail detail, this->detail(runId));
    const std::vector<std::string> names = displayNames(detail.stages, detail.records);
    ASSIGN_OR_RETURN(Explanation explanation,
                     m_database.read([&](Connection &connection) -> schema::Result<Explanation> {
                         Explanation found;
                         found.sentence = withRun(detail.run.number, detail.sentence);
                         found.jobs = jobsOf(connection, detail);
                         if (detail.run.status == RunStatus::Completed)
                             return found;
                         for (std::size_t i = 0; i < detail.stages.size(); ++i)
                             explainStage(connection, detail, i, names[i], found);
                         return found;
                     }));
    if (detail.run.status == RunStatus::Completed)
        return explanation;
    const auto add = [&](std::vector<Waiting> list) {
        std::move(list.begin(), list.end(), std::back_inserter(explanation.waiting));
    };
    add(waitingForJobs(detail.plan, detail.stages, detail.phases));
    add(waitingForRoom(detail.plan, detail.phases, detail.jobs));
    ASSIGN_OR_RETURN(std::vector<Waiting> workers, m_scheduler.waitingForWorkers(runId));
    add(std::move(workers));
    return explanation;
}

} // namespace server::scheduler
