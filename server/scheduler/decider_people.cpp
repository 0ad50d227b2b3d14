// Events that people and the loop bring: cancel, retry, decisions, locks.
#include "schema/base/guid.h"
#include "server/scheduler/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace server::scheduler {
Decider::Refusal Decider::on(const RunCreated &)
{
    // After a restart: stages in the middle of their checks are looked at again.
    for (const auto &[name, stage] : m_copy.before().stages) {
        if (stage.phase == StagePhase::Checking && !pendingApprovals(name))
            m_decision.queries.push_back({name});
    }
    return {};
}

Decider::Refusal Decider::on(const StageResolved &event)
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

Decider::Refusal Decider::on(const ApprovalDecided &event)
{
    const ApprovalRow *found = m_copy.findApproval(event.approvalId);
    if (!found)
        return Error{ErrorCode::NotFound, fmt::format("approval {} is unknown", event.approvalId)};
    if (found->status != ApprovalStatus::Pending)
        return Error{ErrorCode::Conflict,
                     fmt::format("this approval is already {}", store::toString(found->status))};
    const auto isDecider = [&](const store::ApprovalStepRow &step) {
        return step.identityId == event.identityId && step.status == ApprovalStatus::Pending;
    };
    if (std::none_of(found->steps.begin(), found->steps.end(), isDecider))
        return Error{ErrorCode::PermissionDenied,
                     fmt::format("{} is not asked for this approval", event.displayName)};
    if (event.approve && found->requesterBarred && isRequester(found->stage, event.identityId))
        return Error{
            ErrorCode::PermissionDenied,
            fmt::format("{} asked for this run and the check does not let its requester approve; "
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

Decider::Refusal Decider::on(const LockGranted &event)
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

Decider::Refusal Decider::on(const LockSuperseded &event)
{
    endStage(event.stage, TaskResult::Canceled,
             fmt::format("run {} is newer and took this run's place in the queue for the lock",
                         event.byRunNumber));
    return {};
}

Decider::Refusal Decider::on(const StageStarted &event)
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

Decider::Refusal Decider::on(const CancelRequested &event)
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

Decider::Refusal Decider::on(const StageCancelRequested &event)
{
    const StageRow *stage = m_copy.findStage(event.stage);
    if (!stage)
        return Error{ErrorCode::NotFound,
                     fmt::format("run {} has no stage '{}'", m_copy.run().number, event.stage)};
    if (stage->phase == StagePhase::Completed)
        return Error{ErrorCode::Conflict,
                     fmt::format("stage '{}' is already completed", event.stage)};
    if (stage->phase != StagePhase::Running) {
        endStage(event.stage, TaskResult::Canceled, kStageCanceled);
        return {};
    }
    m_copy.editStage(event.stage).waitingReason = kStageCanceled;
    for (const std::string &id : m_copy.openJobs()) {
        if (m_copy.findJob(id)->stage == event.stage)
            askToCancel(m_copy.editJob(id), kStageCanceled);
    }
    // What has not begun does not begin.
    for (const PhaseKey &key : m_copy.phasesOf(event.stage)) {
        if (m_copy.findPhase(key)->state == RecordState::Pending)
            endPhase(key, TaskResult::Canceled, kStageCanceled);
    }
    return {};
}

Decider::Refusal Decider::on(const PriorityChanged &event)
{
    if (m_copy.run().status == RunStatus::Completed)
        return Error{ErrorCode::Conflict,
                     fmt::format("run {} is already completed", m_copy.run().number)};
    if (m_copy.run().priority != event.priority)
        m_copy.editRun().priority = event.priority;
    return {};
}

Decider::Refusal Decider::on(const RunRenamed &event)
{
    if (m_copy.run().status == RunStatus::Completed)
        return Error{ErrorCode::Conflict,
                     fmt::format("run {} is already completed", m_copy.run().number)};
    if (m_copy.run().number != event.number)
        m_copy.editRun().number = event.number;
    return {};
}

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
            const int from = !carries                ? 0
                             : phase.carriesFrom > 0 ? phase.carriesFrom
                                                     : phase.attempt;
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

} // namespace server::scheduler
