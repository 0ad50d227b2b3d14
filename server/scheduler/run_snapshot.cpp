#include "server/scheduler/run_snapshot.h"

#include <algorithm>

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

pipelines::run::RunProgress progressOf(const RunSnapshot &snapshot)
{
    using pipelines::run::Progress;
    pipelines::run::RunProgress progress;
    progress.cancelRequested = snapshot.run.status == schema::RunStatus::Cancelling;
    progress.skippedStages = snapshot.run.stagesToSkip;
    progress.variables = snapshot.variables;
    progress.groups = snapshot.groups;
    progress.rootValues = snapshot.rootValues;
    progress.startTime = schema::toEpochMillis(snapshot.run.queuedAt);
    for (const auto &[name, row] : snapshot.stages) {
        pipelines::run::StageProgress &stage = progress.stages[name];
        stage.ready = row.phase == StagePhase::Checking;
        stage.progress = row.phase == StagePhase::Completed ? Progress::Completed
                         : row.phase == StagePhase::Running ? Progress::Running
                                                            : Progress::Pending;
        stage.result = row.result;
    }
    for (const auto &[key, row] : snapshot.phases) {
        pipelines::run::JobProgress &job = progress.stages[key.first].jobs[key.second];
        job.progress = row.state == schema::RecordState::Completed    ? Progress::Completed
                       : row.state == schema::RecordState::InProgress ? Progress::Running
                                                                      : Progress::Pending;
        job.result = row.result;
    }
    std::vector<const JobRow *> ended;
    for (const auto &[id, row] : snapshot.jobs) {
        if (row.state == JobState::Completed)
            ended.push_back(&row);
        else
            progress.stages[row.stage].jobs[row.phase].running.push_back(row.name);
    }
    std::sort(ended.begin(), ended.end(), [](const JobRow *a, const JobRow *b) {
        return std::tie(a->finishedAt, a->ordinal, a->name) <
               std::tie(b->finishedAt, b->ordinal, b->name);
    });
    for (const JobRow *row : ended) {
        pipelines::run::InstanceResult result{
            row->name, row->result.value_or(schema::TaskResult::Failed), row->outputs};
        if (const auto secret = snapshot.secretOutputs.find(row->id);
            secret != snapshot.secretOutputs.end())
            result.outputs.insert(result.outputs.end(), secret->second.begin(),
                                  secret->second.end());
        progress.stages[row->stage].jobs[row->phase].finished.push_back(std::move(result));
    }
    return progress;
}

std::optional<TimePoint> nextDeadline(const RunSnapshot &snapshot)
{
    std::optional<TimePoint> earliest;
    const auto consider = [&](const std::optional<TimePoint> &time) {
        if (time && (!earliest || *time < *earliest))
            earliest = time;
    };
    for (const auto &[id, job] : snapshot.jobs) {
        if (job.state != JobState::Assigned && job.state != JobState::Running)
            continue;
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
