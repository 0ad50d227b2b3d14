// Events of jobs and workers, and how a job changes its state.
#include "schema/base/guid.h"
#include "server/scheduler/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace server::scheduler {
namespace {

using namespace std::chrono_literals;

/// After the job's own cancel time-out the worker kills it; this much later the server stops
/// waiting for the news (worker-and-tasks 7.2).
constexpr auto kCancelGrace = 60s;

} // namespace

Decider::Refusal Decider::on(const JobAssigned &event)
{
    const JobRow *found = m_copy.findJob(event.jobId);
    if (!found || (found->state != JobState::Queued && found->state != JobState::Assigned))
        return Error{ErrorCode::Conflict, "the job is not in the queue"};
    JobRow &job = m_copy.editJob(event.jobId);
    job.state = JobState::Assigned;
    job.workerId = event.workerId;
    job.tokenHash = event.tokenHash;
    job.leasedUntil = event.leasedUntil;
    job.assignedAt = m_now;
    return {};
}

Decider::Refusal Decider::on(const JobUnassignable &event)
{
    const JobRow *found = m_copy.findJob(event.jobId);
    if (found && found->state != JobState::Completed && found->state != JobState::Running)
        endJob(m_copy.editJob(event.jobId), TaskResult::Failed, event.message);
    return {};
}

Decider::Refusal Decider::on(const JobAccepted &event)
{
    const JobRow *found = holding(event.jobId, event.workerId);
    if (!found) {
        m_decision.actions.emplace_back(SendLeaseLost{event.workerId, event.jobId});
        return {};
    }
    JobRow &job = m_copy.editJob(event.jobId);
    job.leasedUntil = event.leasedUntil;
    if (job.state == JobState::Assigned)
        begin(job);
    if (job.cancelAt)
        m_decision.actions.emplace_back(SendCancel{event.workerId, event.jobId, job.message});
    return {};
}

Decider::Refusal Decider::on(const LeaseRenewed &event)
{
    // A renewal for an offer whose acceptance got lost says the same as the acceptance.
    return on(JobAccepted{event.jobId, event.workerId, {}, event.leasedUntil});
}

Decider::Refusal Decider::on(const JobRefused &event)
{
    const JobRow *found = holding(event.jobId, event.workerId);
    if (found && found->state == JobState::Assigned)
        backToQueue(m_copy.editJob(event.jobId));
    return {};
}

Decider::Refusal Decider::on(const JobLost &event)
{
    const JobRow *found = holding(event.jobId, event.workerId);
    if (!found)
        return {};
    JobRow &job = m_copy.editJob(event.jobId);
    if (job.state == JobState::Assigned)
        backToQueue(job);
    else
        endJob(job, TaskResult::Abandoned, event.reason);
    return {};
}

Decider::Refusal Decider::on(const JobCompleted &event)
{
    const JobRow *found = m_copy.findJob(event.jobId);
    if (!found)
        return Error{ErrorCode::NotFound, fmt::format("job {} is unknown", event.jobId)};
    if (found->state == JobState::Completed)
        return {}; // a repeat
    if (found->state == JobState::Queued)
        return Error{ErrorCode::Conflict, "leaseLost: the job is not assigned"};
    JobRow &job = m_copy.editJob(event.jobId);
    if (job.state == JobState::Assigned)
        begin(job);
    const store::Blob token = job.tokenHash;
    const std::string why =
        job.cancelAt && event.completion.message.empty() ? job.message : event.completion.message;
    const TaskResult result = event.completion.result == TaskResult::Abandoned
                                  ? TaskResult::Failed
                                  : event.completion.result;
    SecretOutputs secrets{job.id, {}};
    for (const auto &output : event.completion.outputs)
        (output.isSecret ? secrets.outputs : job.outputs).push_back(output);
    if (!secrets.outputs.empty())
        m_copy.put(std::move(secrets));
    endJob(job, result, succeeded(result) ? event.completion.message : why);
    job.tokenHash = token; // so that a repeat of the call is recognised
    return {};
}

Decider::Refusal Decider::on(const TimerDue &)
{
    for (const std::string &id : m_copy.openJobs()) {
        const JobRow &job = *m_copy.findJob(id);
        if (job.state == JobState::Queued)
            continue;
        if (job.leasedUntil && *job.leasedUntil <= m_now)
            leaseEnded(m_copy.editJob(id));
        else if (job.cancelAt && *job.cancelAt <= m_now)
            giveUp(m_copy.editJob(id), TaskResult::Canceled,
                   job.message + "; the worker did not end the job in time");
        else if (!job.cancelAt && job.timeoutAt && *job.timeoutAt <= m_now)
            askToCancel(m_copy.editJob(id),
                        fmt::format("The job ran longer than the maximum time of {} minutes",
                                    job.timeoutMinutes));
    }
    std::vector<std::string> expired;
    for (const auto &[id, before] : m_copy.before().approvals) {
        const ApprovalRow *approval = m_copy.findApproval(id);
        if (approval->status == ApprovalStatus::Pending && approval->expiresAt <= m_now)
            expired.push_back(id);
    }
    for (const std::string &id : expired) {
        ApprovalRow &approval = m_copy.editApproval(id);
        if (approval.status != ApprovalStatus::Pending)
            continue; // ended together with its stage by the one before
        endApproval(approval, ApprovalStatus::TimedOut);
        endStage(approval.stage, TaskResult::Skipped, "nobody approved in time");
    }
    return {};
}

Decider::Refusal Decider::on(const ClockJumped &event)
{
    for (const std::string &id : m_copy.openJobs()) {
        if (m_copy.findJob(id)->state == JobState::Queued)
            continue;
        JobRow &job = m_copy.editJob(id);
        for (auto *deadline : {&job.leasedUntil, &job.timeoutAt, &job.cancelAt}) {
            if (*deadline)
                **deadline += event.by;
        }
    }
    return {};
}

const store::JobRow *Decider::holding(const std::string &jobId, std::int64_t workerId) const
{
    const JobRow *job = m_copy.findJob(jobId);
    const bool holds = job && job->workerId == workerId &&
                       (job->state == JobState::Assigned || job->state == JobState::Running);
    return holds ? job : nullptr;
}

void Decider::begin(JobRow &job)
{
    job.state = JobState::Running;
    job.startedAt = m_now;
    if (job.timeoutMinutes > 0)
        job.timeoutAt = m_now + std::chrono::minutes(job.timeoutMinutes);
    if (DeploymentState *deployment = m_copy.editDeployment({job.stage, job.phase});
        deployment && !deployment->startedAt)
        deployment->startedAt = m_now;
    started();
}

void Decider::started()
{
    if (m_copy.run().status == RunStatus::NotStarted)
        m_copy.editRun().status = RunStatus::InProgress;
    if (!m_copy.run().startedAt)
        m_copy.editRun().startedAt = m_now;
}

void Decider::endJob(JobRow &job, TaskResult result, std::string message)
{
    job.state = JobState::Completed;
    job.result = result;
    job.message = std::move(message);
    job.finishedAt = m_now;
    job.leasedUntil = job.timeoutAt = job.cancelAt = std::nullopt;
    job.tokenHash.clear();
    job.instanceSealed.clear();
}

void Decider::giveUp(JobRow &job, TaskResult result, std::string message)
{
    if (job.workerId)
        m_decision.actions.emplace_back(SendLeaseLost{*job.workerId, job.id});
    endJob(job, result, std::move(message));
}

void Decider::leaseEnded(JobRow &job)
{
    if (job.state == JobState::Running) {
        giveUp(job, TaskResult::Abandoned,
               "We stopped hearing from the worker that ran this job. Check that its machine "
               "is up and can reach "
               "the server, then retry the stage");
        return;
    }
    m_decision.actions.emplace_back(SendLeaseLost{*job.workerId, job.id});
    backToQueue(job);
}

void Decider::backToQueue(JobRow &job)
{
    job.workerId.reset();
    job.assignedAt.reset();
    job.leasedUntil.reset();
    job.tokenHash.clear();
    if (job.cancelAt)
        endJob(job, TaskResult::Canceled, job.message);
    else
        job.state = JobState::Queued;
}

void Decider::askToCancel(JobRow &job, std::string reason)
{
    if (job.state == JobState::Queued) {
        endJob(job, TaskResult::Canceled, std::move(reason));
        return;
    }
    if (job.cancelAt)
        return;
    job.message = reason;
    job.cancelAt =
        m_now + std::chrono::minutes(std::max(1, job.cancelTimeoutMinutes)) + kCancelGrace;
    m_decision.actions.emplace_back(SendCancel{*job.workerId, job.id, std::move(reason)});
}

} // namespace server::scheduler
