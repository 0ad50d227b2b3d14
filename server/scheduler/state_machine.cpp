#include "server/scheduler/state_machine.h"

#include "schema/base/guid.h"
#include "server/scheduler/working_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace server::scheduler {
namespace {

using namespace std::chrono_literals;
using schema::Error;
using schema::ErrorCode;
using schema::RecordState;
using schema::RecordType;
using schema::RunStatus;
using schema::TaskResult;
using store::ApprovalRow;
using store::ApprovalStatus;
using store::JobRow;
using store::JobState;
using store::LockRow;
using store::PhaseRow;
using store::StagePhase;
using store::StageRow;

/// After the job's own cancel time-out the worker kills it; this much later the server stops
/// waiting for the news (worker-and-tasks 7.2).
constexpr auto kCancelGrace = 60s;

bool succeeded(const std::optional<TaskResult> &result)
{
    return result == TaskResult::Succeeded || result == TaskResult::SucceededWithIssues;
}

const schema::Stage *findStage(const schema::RunPlan &plan, const std::string &name)
{
    const auto at = std::find_if(plan.stages.begin(), plan.stages.end(),
                                 [&](const schema::Stage &stage) { return stage.name == name; });
    return at == plan.stages.end() ? nullptr : &*at;
}

const schema::Job *findJob(const schema::RunPlan &plan, const std::string &stage,
                           const std::string &job)
{
    const schema::Stage *owner = findStage(plan, stage);
    if (!owner)
        return nullptr;
    const auto at = std::find_if(owner->jobs.begin(), owner->jobs.end(),
                                 [&](const schema::Job &one) { return one.name == job; });
    return at == owner->jobs.end() ? nullptr : &*at;
}

/// One decision in the making: events edit a working copy, settle() lets the graph follow.
class Decider
{
public:
    Decider(const RunSnapshot &snapshot, TimePoint now)
        : m_copy(snapshot)
        , m_plan(*snapshot.plan)
        , m_now(now)
    {}

    Decision run(const RunEvent &event)
    {
        std::optional<Error> refused = std::visit([this](const auto &e) { return on(e); }, event);
        if (refused) {
            Decision decision;
            decision.refused = std::move(refused);
            return decision;
        }
        settle();
        m_decision.changes = m_copy.takeChanges();
        return std::move(m_decision);
    }

private:
    using Refusal = std::optional<Error>;

    // ---- what people and the loop say ----

    Refusal on(const RunCreated &)
    {
        // After a restart: stages in the middle of their checks are looked at again.
        for (const auto &[name, stage] : m_copy.before().stages) {
            if (stage.phase == StagePhase::Checking && !pendingApprovals(name))
                m_decision.queries.push_back({name});
        }
        return {};
    }

    Refusal on(const StageResolved &event)
    {
        const StageRow *stage = m_copy.findStage(event.stage);
        if (!stage || stage->phase != StagePhase::Checking)
            return {};
        if (!event.error.empty()) {
            endStage(event.stage, TaskResult::Failed, event.error);
            return {};
        }
        for (const StageResolved::Target &target : event.targets) {
            PhaseRow &phase = m_copy.editPhase({event.stage, target.phase});
            phase.environmentId = target.environmentId;
            phase.resourceId = target.resourceId;
        }
        continueChecks(event);
        return {};
    }

    Refusal on(const ApprovalDecided &event)
    {
        const ApprovalRow *found = m_copy.findApproval(event.approvalId);
        if (!found)
            return Error{ErrorCode::NotFound,
                         fmt::format("approval {} is unknown", event.approvalId)};
        if (found->status != ApprovalStatus::Pending)
            return Error{ErrorCode::Conflict, fmt::format("this approval is already {}",
                                                          store::toString(found->status))};
        const auto isDecider = [&](const store::ApprovalStepRow &step) {
            return step.identityId == event.identityId && step.status == ApprovalStatus::Pending;
        };
        if (std::none_of(found->steps.begin(), found->steps.end(), isDecider))
            return Error{ErrorCode::PermissionDenied,
                         fmt::format("{} is not asked for this approval", event.displayName)};
        if (event.approve && found->requesterBarred && isRequester(found->stage, event.identityId))
            return Error{
                ErrorCode::PermissionDenied,
                fmt::format(
                    "{} asked for this run and the check does not let its requester approve; "
                    "ask another approver",
                    event.displayName)};
        ApprovalRow &approval = m_copy.editApproval(event.approvalId);
        const auto step = std::find_if(approval.steps.begin(), approval.steps.end(), isDecider);
        step->status = event.approve ? ApprovalStatus::Approved : ApprovalStatus::Rejected;
        step->comment = event.comment;
        step->decidedAt = m_now;
        if (!event.approve) {
            endApproval(approval, ApprovalStatus::Rejected);
            endStage(approval.stage, TaskResult::Skipped,
                     event.comment.empty()
                         ? fmt::format("rejected by {}", event.displayName)
                         : fmt::format("rejected by {}: {}", event.displayName, event.comment));
            return {};
        }
        const auto approved =
            std::count_if(approval.steps.begin(), approval.steps.end(),
                          [](const auto &one) { return one.status == ApprovalStatus::Approved; });
        if (approved >= approval.minRequired) {
            endApproval(approval, ApprovalStatus::Approved);
            if (!pendingApprovals(approval.stage))
                m_decision.queries.push_back({approval.stage});
        }
        return {};
    }

    Refusal on(const LockGranted &event)
    {
        for (LockRow lock : m_copy.locks()) {
            if (lock.stage != event.stage || lock.environmentId != event.environmentId)
                continue;
            lock.grantedAt = m_now;
            m_copy.put(lock);
            checkpoint(lockRecord(lock, RecordState::Completed, TaskResult::Succeeded));
            m_decision.queries.push_back({event.stage});
            break;
        }
        return {};
    }

    Refusal on(const LockSuperseded &event)
    {
        endStage(
            event.stage, TaskResult::Canceled,
            fmt::format(
                "run {} is newer and took this run's place in the queue for the environment's lock",
                event.byRunNumber));
        return {};
    }

    Refusal on(const StageStarted &event)
    {
        const StageRow *stage = m_copy.findStage(event.stage);
        if (!stage || stage->phase != StagePhase::Checking || !waitsForPerson(*stage))
            return Error{ErrorCode::Conflict,
                         fmt::format("stage '{}' does not wait for being started", event.stage)};
        StageRow &row = m_copy.editStage(event.stage);
        row.requestedBy = event.identityId;
        row.waitingReason.clear();
        m_decision.queries.push_back({event.stage});
        return {};
    }

    Refusal on(const CancelRequested &event)
    {
        if (m_copy.run().status == RunStatus::Completed)
            return Error{ErrorCode::Conflict,
                         fmt::format("run {} is already completed", m_copy.run().number)};
        if (m_copy.run().status == RunStatus::Cancelling)
            return {};
        store::RunRow &run = m_copy.editRun();
        run.status = RunStatus::Cancelling;
        run.cancelRequestedBy = event.identityId;
        for (const std::string &id : m_copy.openJobs())
            askToCancel(m_copy.editJob(id), "The run was canceled");
        for (const auto &[name, before] : m_copy.before().stages) {
            if (m_copy.findStage(name)->phase == StagePhase::Checking)
                endStage(name, TaskResult::Canceled, "the run was canceled");
        }
        return {};
    }

    Refusal on(const RetryRequested &event);

    // ---- jobs and workers ----

    Refusal on(const JobAssigned &event)
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

    Refusal on(const JobUnassignable &event)
    {
        const JobRow *found = m_copy.findJob(event.jobId);
        if (found && found->state != JobState::Completed && found->state != JobState::Running)
            endJob(m_copy.editJob(event.jobId), TaskResult::Failed, event.message);
        return {};
    }

    Refusal on(const JobAccepted &event)
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

    Refusal on(const LeaseRenewed &event)
    {
        // A renewal for an offer whose acceptance got lost says the same as the acceptance.
        return on(JobAccepted{event.jobId, event.workerId, {}, event.leasedUntil});
    }

    Refusal on(const JobRefused &event)
    {
        const JobRow *found = holding(event.jobId, event.workerId);
        if (found && found->state == JobState::Assigned)
            backToQueue(m_copy.editJob(event.jobId));
        return {};
    }

    Refusal on(const JobLost &event)
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

    Refusal on(const JobCompleted &event)
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
        const std::string why = job.cancelAt && event.completion.message.empty()
                                    ? job.message
                                    : event.completion.message;
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

    Refusal on(const TimerDue &)
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

    // ---- parts ----

    const JobRow *holding(const std::string &jobId, std::int64_t workerId) const
    {
        const JobRow *job = m_copy.findJob(jobId);
        const bool holds = job && job->workerId == workerId &&
                           (job->state == JobState::Assigned || job->state == JobState::Running);
        return holds ? job : nullptr;
    }

    void begin(JobRow &job)
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

    void started()
    {
        if (m_copy.run().status == RunStatus::NotStarted)
            m_copy.editRun().status = RunStatus::InProgress;
        if (!m_copy.run().startedAt)
            m_copy.editRun().startedAt = m_now;
    }

    void endJob(JobRow &job, TaskResult result, std::string message)
    {
        job.state = JobState::Completed;
        job.result = result;
        job.message = std::move(message);
        job.finishedAt = m_now;
        job.leasedUntil = job.timeoutAt = job.cancelAt = std::nullopt;
        job.tokenHash.clear();
        job.instanceSealed.clear();
    }

    /// Ends a job that a worker may still hold.
    void giveUp(JobRow &job, TaskResult result, std::string message)
    {
        if (job.workerId)
            m_decision.actions.emplace_back(SendLeaseLost{*job.workerId, job.id});
        endJob(job, result, std::move(message));
    }

    void leaseEnded(JobRow &job)
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

    /// An offer that came to nothing. Its token dies with it: a process that was started
    /// nevertheless learns at its first call that the job is not its own.
    void backToQueue(JobRow &job)
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

    void askToCancel(JobRow &job, std::string reason)
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

    // ---- checks ----

    bool isRequester(const std::string &stage, const std::string &identity) const
    {
        const StageRow *row = m_copy.findStage(stage);
        return m_copy.run().requestedBy == identity || (row && row->requestedBy == identity);
    }

    bool pendingApprovals(const std::string &stage) const
    {
        for (const auto &[id, before] : m_copy.approvals()) {
            if (before->stage == stage && before->status == ApprovalStatus::Pending)
                return true;
        }
        return false;
    }

    bool waitsForPerson(const StageRow &stage) const
    {
        const schema::Stage *planned = findStage(m_plan, stage.name);
        return planned && planned->manualTrigger && !stage.requestedBy;
    }

    void continueChecks(const StageResolved &resolved)
    {
        const std::string &name = resolved.stage;
        bool asked = false;
        for (const auto &[id, approval] : m_copy.approvals())
            asked = asked || approval->stage == name;
        for (const LockRow &lock : m_copy.locks())
            asked = asked || lock.stage == name;
        if (!asked) // what is added to an environment later does not apply to this attempt (B1)
            requestApprovals(resolved);
        if (pendingApprovals(name))
            return;
        if (const std::optional<std::int64_t> environment = nextLock(resolved)) {
            requestLock(resolved, *environment);
            return;
        }
        for (const LockRow &lock : m_copy.locks()) {
            if (lock.stage == name && !lock.grantedAt)
                return;
        }
        start(name);
    }

    void requestApprovals(const StageResolved &resolved)
    {
        StageRow &stage = m_copy.editStage(resolved.stage);
        std::vector<std::string> names;
        int ordinal = 0;
        for (const store::CheckRow &check : resolved.checks) {
            if (check.type != store::CheckType::Approval)
                continue;
            ApprovalRow approval;
            approval.id =
                schema::nameGuid(m_copy.run().planId, fmt::format("approval:{}:{}:{}", stage.name,
                                                                  stage.attempt, check.id));
            approval.checkId = check.id;
            approval.runId = m_copy.run().id;
            approval.stage = stage.name;
            approval.stageAttempt = stage.attempt;
            approval.instructions = check.instructions;
            const int all = static_cast<int>(check.approvers.size());
            approval.minRequired = check.minRequired == 0 ? all : std::min(check.minRequired, all);
            approval.requesterBarred = check.requesterBarred;
            approval.createdAt = m_now;
            approval.expiresAt = m_now + std::chrono::minutes(check.timeoutMinutes);
            for (const std::string &identity : check.approvers)
                approval.steps.push_back({identity, {}, ApprovalStatus::Pending, {}, {}});
            beginCheckpoint(stage);
            checkpoint({approval.id,
                        checkpointId(stage),
                        stage.name,
                        stage.attempt,
                        RecordType::CheckpointApproval,
                        "Approval",
                        ++ordinal,
                        RecordState::InProgress,
                        {},
                        m_now,
                        {},
                        {}});
            m_copy.put(std::move(approval));
        }
        if (ordinal > 0) {
            stage.waitingReason = ordinal == 1 ? "waits for approval"
                                               : fmt::format("waits for {} approvals", ordinal);
            started();
        }
    }

    /// First environment, in ascending order (no deadlock), whose lock this stage neither holds nor
    /// waits for; nothing while it waits for one.
    std::optional<std::int64_t> nextLock(const StageResolved &resolved) const
    {
        std::set<std::int64_t> wanted;
        for (const store::CheckRow &check : resolved.checks) {
            if (check.type == store::CheckType::ExclusiveLock)
                wanted.insert(check.environmentId);
        }
        for (const LockRow &lock : m_copy.locks()) {
            if (lock.stage != resolved.stage)
                continue;
            if (!lock.grantedAt)
                return std::nullopt;
            wanted.erase(lock.environmentId);
        }
        return wanted.empty() ? std::nullopt : std::optional(*wanted.begin());
    }

    void requestLock(const StageResolved &resolved, std::int64_t environment)
    {
        StageRow &stage = m_copy.editStage(resolved.stage);
        const schema::Stage *planned = findStage(m_plan, stage.name);
        const auto behavior =
            planned && planned->lockBehavior ? *planned->lockBehavior : m_plan.lockBehavior;
        const LockRow lock{environment,
                           m_copy.run().id,
                           stage.name,
                           stage.attempt,
                           behavior == schema::LockBehavior::RunLatest,
                           m_now,
                           {}};
        m_copy.put(lock);
        beginCheckpoint(stage);
        checkpoint(lockRecord(lock, RecordState::InProgress, {}));
        std::string name = std::to_string(environment);
        for (const auto &target : resolved.targets) {
            if (target.environmentId == environment)
                name = target.environmentName;
        }
        stage.waitingReason = fmt::format("waits for the exclusive lock of environment '{}'", name);
    }

    std::string checkpointId(const StageRow &stage) const
    {
        return schema::nameGuid(m_copy.run().planId, "checkpoint:" + stage.name);
    }

    void beginCheckpoint(const StageRow &stage)
    {
        if (!m_copy.hasCheckpoint(checkpointId(stage)))
            checkpoint({checkpointId(stage),
                        stage.recordId,
                        stage.name,
                        stage.attempt,
                        RecordType::Checkpoint,
                        "Checkpoint",
                        0,
                        RecordState::InProgress,
                        {},
                        m_now,
                        {},
                        {}});
    }

    CheckpointRecord lockRecord(const LockRow &lock, RecordState state,
                                std::optional<TaskResult> result) const
    {
        const StageRow &stage = *m_copy.findStage(lock.stage);
        const bool ended = state == RecordState::Completed;
        return {schema::nameGuid(m_copy.run().planId,
                                 fmt::format("lock:{}:{}", lock.stage, lock.environmentId)),
                checkpointId(stage),
                lock.stage,
                lock.stageAttempt,
                RecordType::CheckpointExclusiveLock,
                "Exclusive lock",
                100,
                state,
                result,
                lock.requestedAt,
                ended ? std::optional(m_now) : std::nullopt,
                {}};
    }

    void checkpoint(CheckpointRecord record) { m_copy.put(std::move(record)); }

    void endApproval(ApprovalRow &approval, ApprovalStatus status)
    {
        approval.status = status;
        approval.decidedAt = m_now;
        const StageRow &stage = *m_copy.findStage(approval.stage);
        const TaskResult result = status == ApprovalStatus::Approved   ? TaskResult::Succeeded
                                  : status == ApprovalStatus::Canceled ? TaskResult::Canceled
                                                                       : TaskResult::Failed;
        checkpoint({approval.id,
                    checkpointId(stage),
                    stage.name,
                    stage.attempt,
                    RecordType::CheckpointApproval,
                    "Approval",
                    1,
                    RecordState::Completed,
                    result,
                    approval.createdAt,
                    m_now,
                    {}});
    }

    void endChecks(const StageRow &stage, TaskResult result)
    {
        bool any = false;
        for (const auto &[id, approval] : m_copy.approvals()) {
            if (approval->stage != stage.name)
                continue;
            any = true;
            if (approval->status == ApprovalStatus::Pending)
                endApproval(m_copy.editApproval(id), ApprovalStatus::Canceled);
        }
        for (const LockRow &lock : m_copy.locks()) {
            if (lock.stage != stage.name)
                continue;
            any = true;
            if (!lock.grantedAt && result != TaskResult::Succeeded)
                checkpoint(lockRecord(lock, RecordState::Completed, TaskResult::Canceled));
        }
        if (any)
            checkpoint({checkpointId(stage),
                        stage.recordId,
                        stage.name,
                        stage.attempt,
                        RecordType::Checkpoint,
                        "Checkpoint",
                        0,
                        RecordState::Completed,
                        result,
                        {},
                        m_now,
                        {}});
    }

    // ---- stages ----

    void start(const std::string &name)
    {
        StageRow &stage = m_copy.editStage(name);
        endChecks(stage, TaskResult::Succeeded);
        stage.phase = StagePhase::Running;
        stage.waitingReason.clear();
        stage.startedAt = m_now;
    }

    void releaseLocks(const std::string &stage)
    {
        for (const LockRow &lock : m_copy.locks()) {
            if (lock.stage == stage)
                m_copy.release(lock);
        }
    }

    /// Ends a stage that does not get to run, or whose run is over.
    void endStage(const std::string &name, TaskResult result, std::string reason)
    {
        StageRow &stage = m_copy.editStage(name);
        if (stage.phase == StagePhase::Completed)
            return;
        if (stage.phase == StagePhase::Checking)
            endChecks(stage,
                      result == TaskResult::Canceled ? TaskResult::Canceled : TaskResult::Failed);
        stage.phase = StagePhase::Completed;
        stage.result = result;
        stage.waitingReason = std::move(reason);
        stage.finishedAt = m_now;
        for (const PhaseKey &key : m_copy.phasesOf(name)) {
            if (m_copy.findPhase(key)->state != RecordState::Completed)
                endPhase(key, TaskResult::Skipped, {});
        }
        releaseLocks(name);
    }

    void endPhase(const PhaseKey &key, TaskResult result, std::string message)
    {
        PhaseRow &phase = m_copy.editPhase(key);
        phase.state = RecordState::Completed;
        phase.result = result;
        phase.message = std::move(message);
        phase.finishedAt = m_now;
        if (DeploymentState *deployment = m_copy.editDeployment(key);
            deployment && !deployment->finishedAt) {
            deployment->finishedAt = m_now;
            deployment->result = result;
        }
    }

    // ---- the graph ----

    void settle()
    {
        // Ends by itself: every step moves something forward. The bound turns a defect into a stop.
        for (int round = 0; round < 100'000 && m_copy.run().status != RunStatus::Completed;
             ++round) {
            auto progress = m_copy.progress();
            const std::vector<pipelines::run::Step> steps =
                pipelines::run::advance(m_plan, progress);
            if (steps.empty())
                return;
            for (const pipelines::run::Step &step : steps)
                std::visit([this](const auto &s) { take(s); }, step);
        }
    }

    void take(const pipelines::run::StageReady &step)
    {
        StageRow &stage = m_copy.editStage(step.stage);
        stage.phase = StagePhase::Checking;
        const schema::Stage *planned = findStage(m_plan, step.stage);
        if (waitsForPerson(stage)) {
            stage.waitingReason = "waits for being started by a person";
            started();
            return;
        }
        const bool deploys = planned && std::any_of(planned->jobs.begin(), planned->jobs.end(),
                                                    [](const schema::Job &job) {
                                                        return job.environment.has_value();
                                                    });
        if (deploys)
            m_decision.queries.push_back({step.stage});
        else
            start(step.stage);
    }

    void take(const pipelines::run::StageSkipped &step)
    {
        endStage(step.stage, TaskResult::Skipped, step.reason);
    }

    void take(const pipelines::run::StageCompleted &step)
    {
        const std::string why = m_copy.findStage(step.stage)->waitingReason;
        endStage(step.stage, step.result, why);
    }

    void take(const pipelines::run::JobSkipped &step)
    {
        endPhase({step.stage, step.job}, TaskResult::Skipped, step.reason);
    }

    void take(const pipelines::run::JobCompleted &step)
    {
        endPhase({step.stage, step.job}, step.result, step.message);
    }

    void take(const pipelines::run::RunCompleted &step)
    {
        store::RunRow &run = m_copy.editRun();
        run.status = RunStatus::Completed;
        run.result = step.result;
        run.finishedAt = m_now;
        if (!run.startedAt)
            run.startedAt = m_now;
    }

    void take(const pipelines::run::JobExpanded &step)
    {
        const PhaseKey key{step.stage, step.job};
        PhaseRow &phase = m_copy.editPhase(key);
        phase.state = RecordState::InProgress;
        if (!phase.startedAt)
            phase.startedAt = m_now;
        const schema::Job *planned = findJob(m_plan, step.stage, step.job);
        if (planned && planned->isDeployment && !m_copy.editDeployment(key)) {
            DeploymentState deployment;
            deployment.stage = step.stage;
            deployment.phase = step.job;
            deployment.stageAttempt = m_copy.findStage(step.stage)->attempt;
            deployment.phaseAttempt = phase.attempt;
            deployment.environmentId = phase.environmentId;
            deployment.resourceId = phase.resourceId;
            deployment.requestIdentifier = fmt::format("{}.{}", step.stage, step.job);
            deployment.queuedAt = m_now;
            m_copy.put(std::move(deployment));
        }
        for (const pipelines::run::JobInstance &instance : step.instances)
            create(phase, instance);
    }

    void create(const PhaseRow &phase, const pipelines::run::JobInstance &instance)
    {
        JobRow job;
        job.id = schema::nameGuid(m_copy.run().planId,
                                  fmt::format("job:{}:{}:{}:{}", instance.stage, instance.job,
                                              instance.name, phase.attempt));
        job.runId = m_copy.run().id;
        job.stage = instance.stage;
        job.phase = instance.job;
        job.name = instance.name;
        job.attempt = phase.attempt;
        job.identifier = instance.identifier;
        job.recordId = schema::nameGuid(phase.recordId, instance.name);
        job.displayName = instance.displayName;
        job.ordinal = instance.position;
        job.hook = instance.hook ? std::string(schema::toString(*instance.hook)) : std::string();
        job.demands = instance.pool.demands;
        job.timeoutMinutes = static_cast<int>(instance.timeoutMinutes);
        job.cancelTimeoutMinutes = static_cast<int>(instance.cancelTimeoutMinutes);
        job.queuedAt = m_now;
        m_copy.put(JobCreated{std::move(job),
                              std::make_shared<const pipelines::run::JobInstance>(instance)});
    }

    WorkingCopy m_copy;
    const schema::RunPlan &m_plan;
    TimePoint m_now;
    Decision m_decision;
};

Decider::Refusal Decider::on(const RetryRequested &event)
{
    if (m_copy.run().status == RunStatus::Cancelling)
        return Error{ErrorCode::Conflict,
                     fmt::format("run {} is being canceled", m_copy.run().number)};
    std::vector<std::string> wanted = event.stages;
    if (wanted.empty()) {
        for (const schema::Stage &stage : m_plan.stages) {
            const StageRow *row = m_copy.findStage(stage.name);
            // What was skipped because of an earlier stage comes along with that stage.
            if (row && isRetryable(*row) && row->result != TaskResult::Skipped)
                wanted.push_back(stage.name);
        }
    }
    if (wanted.empty()) { // rejected or timed-out checks leave nothing but skipped stages
        const auto &skip = m_copy.run().stagesToSkip;
        for (const schema::Stage &stage : m_plan.stages) {
            const StageRow *row = m_copy.findStage(stage.name);
            const bool chosen = std::find(skip.begin(), skip.end(), stage.name) != skip.end();
            if (row && isRetryable(*row) && !chosen)
                wanted.push_back(stage.name);
        }
    }
    if (wanted.empty())
        return Error{ErrorCode::Conflict,
                     fmt::format("run {} has no stage that failed", m_copy.run().number)};
    std::set<std::string> again;
    for (const std::string &name : wanted) {
        const StageRow *row = m_copy.findStage(name);
        if (!row)
            return Error{ErrorCode::NotFound,
                         fmt::format("run {} has no stage '{}'", m_copy.run().number, name)};
        if (row->phase != StagePhase::Completed)
            return Error{ErrorCode::Conflict, fmt::format("stage '{}' is not completed yet", name)};
        if (!event.allJobs && !isRetryable(*row))
            return Error{
                ErrorCode::Conflict,
                fmt::format("stage '{}' succeeded; ask for all its jobs to run it again", name)};
        again.insert(name);
    }
    std::set<std::string> dependents;
    for (bool grew = true; grew;) {
        grew = false;
        for (const schema::Stage &stage : m_plan.stages) {
            const bool depends = std::any_of(
                stage.dependsOn.begin(), stage.dependsOn.end(), [&](const std::string &name) {
                    return again.contains(name) || dependents.contains(name);
                });
            if (depends && !again.contains(stage.name))
                grew = dependents.insert(stage.name).second || grew;
        }
    }
    for (const std::string &name : dependents) {
        const StageRow *row = m_copy.findStage(name);
        if (row && row->phase != StagePhase::Completed && row->phase != StagePhase::Pending)
            return Error{ErrorCode::Conflict,
                         fmt::format("stage '{}', which depends on it, is running", name)};
    }
    const auto restart = [&](const std::string &name, bool allJobs) {
        const StageRow old = *m_copy.findStage(name);
        if (old.phase == StagePhase::Pending)
            return;
        m_copy.put(StageRow{old.runId,
                            old.name,
                            old.attempt + 1,
                            old.recordId,
                            old.ordinal,
                            StagePhase::Pending,
                            {},
                            {},
                            event.identityId,
                            {},
                            {}});
        for (const PhaseKey &key : m_copy.phasesOf(name)) {
            const PhaseRow phase = *m_copy.findPhase(key);
            if (!allJobs && succeeded(phase.result))
                continue;
            const schema::Job *planned = findJob(m_plan, key.first, key.second);
            const bool carries = !allJobs && planned && !planned->isDeployment;
            // What was carried into the old attempt is carried on.
            const int from = !carries ? 0 : phase.carriesFrom > 0 ? phase.carriesFrom : phase.attempt;
            m_copy.put(PhaseRow{phase.runId,
                                phase.stage,
                                phase.name,
                                phase.attempt + 1,
                                phase.recordId,
                                phase.ordinal,
                                RecordState::Pending,
                                {},
                                {},
                                from,
                                0,
                                0,
                                {},
                                {}});
        }
    };
    for (const std::string &name : again)
        restart(name, event.allJobs);
    for (const std::string &name : dependents)
        restart(name, true);
    store::RunRow &run = m_copy.editRun();
    run.status = RunStatus::InProgress;
    run.result = schema::RunResult::None;
    run.finishedAt.reset();
    run.cancelRequestedBy.reset();
    return {};
}

} // namespace

Decision decide(const RunSnapshot &snapshot, const RunEvent &event, TimePoint now)
{
    return Decider(snapshot, now).run(event);
}

std::vector<Change> initialRows(const store::RunRow &run, const schema::RunPlan &plan)
{
    std::vector<Change> changes;
    int stageOrdinal = 0;
    int phaseOrdinal = 0;
    for (const schema::Stage &stage : plan.stages) {
        StageRow row;
        row.runId = run.id;
        row.name = stage.name;
        row.recordId =
            stage.id.empty() ? schema::nameGuid(run.planId, "stage:" + stage.name) : stage.id;
        row.ordinal = ++stageOrdinal;
        changes.emplace_back(row);
        for (const schema::Job &job : stage.jobs) {
            PhaseRow phase;
            phase.runId = run.id;
            phase.stage = stage.name;
            phase.name = job.name;
            phase.recordId = job.id.empty() ? schema::nameGuid(row.recordId, job.name) : job.id;
            phase.ordinal = ++phaseOrdinal;
            changes.emplace_back(phase);
        }
    }
    return changes;
}

} // namespace server::scheduler
