// Approvals, locks and their timeline records.
#include "schema/base/guid.h"
#include "server/scheduler/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace server::scheduler {
bool Decider::isRequester(const std::string &stage, const std::string &identity) const
{
    const StageRow *row = m_copy.findStage(stage);
    return m_copy.run().requestedBy == identity || (row && row->requestedBy == identity);
}

bool Decider::pendingApprovals(const std::string &stage) const
{
    for (const auto &[id, before] : m_copy.approvals()) {
        if (before->stage == stage && before->status == ApprovalStatus::Pending)
            return true;
    }
    return false;
}

bool Decider::waitsForPerson(const StageRow &stage) const
{
    const schema::Stage *planned = findStage(m_plan, stage.name);
    return planned && planned->manualTrigger && !stage.requestedBy;
}

void Decider::continueChecks(const StageResolved &resolved)
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

void Decider::requestApprovals(const StageResolved &resolved)
{
    StageRow &stage = m_copy.editStage(resolved.stage);
    std::vector<std::string> names;
    int ordinal = 0;
    for (const store::CheckRow &check : resolved.checks) {
        if (check.type != store::CheckType::Approval)
            continue;
        ApprovalRow approval;
        approval.id =
            schema::nameGuid(m_copy.run().planId,
                             fmt::format("approval:{}:{}:{}", stage.name, stage.attempt, check.id));
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
        stage.waitingReason =
            ordinal == 1 ? "waits for approval" : fmt::format("waits for {} approvals", ordinal);
        started();
    }
}

std::optional<std::int64_t> Decider::nextLock(const StageResolved &resolved) const
{
    std::set<std::int64_t> wanted;
    for (const store::CheckRow &check : resolved.checks) {
        if (check.type == store::CheckType::ExclusiveLock)
            wanted.insert(check.environmentId);
    }
    const schema::Stage *planned = findStage(m_plan, resolved.stage);
    if (wanted.empty() && planned && planned->lockBehavior)
        wanted.insert(0); // lockBehavior on a stage means a lock also without the check (B8)
    for (const LockRow &lock : m_copy.locks()) {
        if (lock.stage != resolved.stage)
            continue;
        if (!lock.grantedAt)
            return std::nullopt;
        wanted.erase(lock.environmentId);
    }
    return wanted.empty() ? std::nullopt : std::optional(*wanted.begin());
}

void Decider::requestLock(const StageResolved &resolved, std::int64_t environment)
{
    StageRow &stage = m_copy.editStage(resolved.stage);
    const schema::Stage *planned = findStage(m_plan, stage.name);
    const auto behavior =
        planned && planned->lockBehavior ? *planned->lockBehavior : m_plan.lockBehavior;
    const LockRow lock{environment,     m_copy.run().pipelineId,
                       m_copy.run().id, stage.name,
                       stage.attempt,   behavior == schema::LockBehavior::RunLatest,
                       m_now,           {}};
    m_copy.put(lock);
    beginCheckpoint(stage);
    checkpoint(lockRecord(lock, RecordState::InProgress, {}));
    std::string name = std::to_string(environment);
    for (const auto &target : resolved.targets) {
        if (target.environmentId == environment)
            name = target.environmentName;
    }
    stage.waitingReason =
        environment == 0 ? std::string("waits for its turn: other runs are in this stage")
                         : fmt::format("waits for the exclusive lock of environment '{}'", name);
}

std::string Decider::checkpointId(const StageRow &stage) const
{
    return schema::nameGuid(m_copy.run().planId, "checkpoint:" + stage.name);
}

void Decider::beginCheckpoint(const StageRow &stage)
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

CheckpointRecord Decider::lockRecord(const LockRow &lock, RecordState state,
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

void Decider::checkpoint(CheckpointRecord record)
{
    m_copy.put(std::move(record));
}

void Decider::endApproval(ApprovalRow &approval, ApprovalStatus status)
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

void Decider::endChecks(const StageRow &stage, TaskResult result)
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

} // namespace server::scheduler
