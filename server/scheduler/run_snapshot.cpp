#include "server/scheduler/run_snapshot.h"

#include <algorithm>
#include <tuple>

namespace server::scheduler {

using store::JobRow;
using store::JobState;
using store::StagePhase;

bool countsFor(const JobRow &job, const store::PhaseRow &phase)
{
    if (job.attempt == phase.attempt)
        return true;
    return phase.carriesFrom > 0 && job.attempt >= phase.carriesFrom &&
           job.attempt < phase.attempt &&
           (job.result == schema::TaskResult::Succeeded ||
            job.result == schema::TaskResult::SucceededWithIssues);
}

const PlanIndex &planIndexOf(const RunSnapshot &snapshot)
{
    if (!snapshot.planIndex)
        snapshot.planIndex = std::make_shared<const PlanIndex>(*snapshot.plan);
    return *snapshot.planIndex;
}

pipelines::run::RunProgress emptyProgressOf(const RunSnapshot &snapshot)
{
    pipelines::run::RunProgress progress;
    progress.cancelRequested = snapshot.run.status == schema::RunStatus::Cancelling;
    progress.skippedStages = snapshot.run.stagesToSkip;
    progress.variables = snapshot.variables;
    progress.groups = snapshot.groups;
    progress.rootValues = snapshot.rootValues;
    progress.startTime = schema::toEpochMillis(snapshot.run.queuedAt);
    return progress;
}

pipelines::run::StageProgress stageProgressOf(const store::StageRow &row)
{
    using pipelines::run::Progress;
    pipelines::run::StageProgress stage;
    stage.ready = row.phase == StagePhase::Checking;
    stage.progress = row.phase == StagePhase::Completed ? Progress::Completed
                     : row.phase == StagePhase::Running ? Progress::Running
                                                        : Progress::Pending;
    stage.result = row.result;
    return stage;
}

pipelines::run::JobProgress jobProgressOf(const store::PhaseRow &row,
                                          std::vector<const JobRow *> jobs,
                                          const RunSnapshot &snapshot)
{
    using pipelines::run::Progress;
    pipelines::run::JobProgress job;
    job.progress = row.state == schema::RecordState::Completed    ? Progress::Completed
                   : row.state == schema::RecordState::InProgress ? Progress::Running
                                                                  : Progress::Pending;
    job.result = row.result;
    std::sort(jobs.begin(), jobs.end(), [](const JobRow *a, const JobRow *b) {
        return std::tie(a->finishedAt, a->ordinal, a->name) <
               std::tie(b->finishedAt, b->ordinal, b->name);
    });
    for (const JobRow *one : jobs) {
        if (one->state != JobState::Completed) {
            job.running.push_back(one->name);
            continue;
        }
        pipelines::run::InstanceResult result{
            one->name, one->result.value_or(schema::TaskResult::Failed), one->outputs};
        if (const auto secret = snapshot.secretOutputs.find(one->id);
            secret != snapshot.secretOutputs.end())
            result.outputs.insert(result.outputs.end(), secret->second.begin(),
                                  secret->second.end());
        job.finished.push_back(std::move(result));
    }
    return job;
}

pipelines::run::RunProgress progressOf(const RunSnapshot &snapshot)
{
    pipelines::run::RunProgress progress = emptyProgressOf(snapshot);
    for (const auto &[name, row] : snapshot.stages)
        progress.stages[name] = stageProgressOf(row);
    std::map<PhaseKey, std::vector<const JobRow *>> jobs;
    for (const auto &[id, row] : snapshot.jobs)
        jobs[{row.stage, row.phase}].push_back(&row);
    for (const auto &[key, row] : snapshot.phases)
        progress.stages[key.first].jobs[key.second] =
            jobProgressOf(row, std::move(jobs[key]), snapshot);
    return progress;
}

std::optional<TimePoint> nextDeadline(const RunSnapshot &snapshot)
{
    std::optional<TimePoint> earliest;
    const auto consider = [&](const std::optional<TimePoint> &time) {
        if (time && (!earliest || *time < *earliest))
            earliest = time;
    };
    for (const std::string &id : snapshot.index.held) {
        const JobRow &job = snapshot.jobs.at(id);
        consider(job.leasedUntil);
        consider(job.cancelAt ? job.cancelAt : job.timeoutAt);
    }
    for (const auto &[id, approval] : snapshot.approvals) {
        if (approval.status == store::ApprovalStatus::Pending)
            consider(approval.expiresAt);
    }
    return earliest;
}

bool isRetryable(const store::StageRow &stage)
{
    return stage.phase == StagePhase::Completed && stage.result &&
           *stage.result != schema::TaskResult::Succeeded &&
           *stage.result != schema::TaskResult::SucceededWithIssues;
}

} // namespace server::scheduler
