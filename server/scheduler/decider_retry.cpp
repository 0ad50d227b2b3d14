// What people want of a single job: end it, or run it again while its stage goes on.
#include "server/scheduler/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace server::scheduler {

Decider::Refusal Decider::on(const JobCancelRequested &event)
{
    const JobRow *job = m_copy.findJob(event.jobId);
    if (!job)
        return Error{ErrorCode::NotFound, fmt::format("run {} has no job {} in its newest attempt",
                                                      m_copy.run().number, event.jobId)};
    if (job->state == JobState::Completed)
        return Error{ErrorCode::Conflict, "the job is already completed"};
    askToCancel(m_copy.editJob(event.jobId), "the job was canceled");
    return {};
}

std::vector<PhaseKey> Decider::skippedBehind(const std::string &stage, const std::string &job) const
{
    const schema::Stage *planned = findStage(m_plan, stage);
    std::set<std::string> behind{job};
    std::vector<PhaseKey> keys;
    for (bool grew = planned != nullptr; grew;) {
        grew = false;
        for (const schema::Job &one : planned->jobs) {
            const bool waits =
                std::any_of(one.dependsOn.begin(), one.dependsOn.end(),
                            [&](const std::string &name) { return behind.contains(name); });
            if (waits && behind.insert(one.name).second) {
                keys.emplace_back(stage, one.name);
                grew = true;
            }
        }
    }
    return keys;
}

Decider::Refusal Decider::on(const JobRetryRequested &event)
{
    if (m_copy.run().status == RunStatus::Cancelling)
        return Error{ErrorCode::Conflict,
                     fmt::format("run {} is being canceled", m_copy.run().number)};
    const JobRow *job = m_copy.findJob(event.jobId);
    if (!job)
        return Error{ErrorCode::NotFound, fmt::format("run {} has no job {} in its newest attempt",
                                                      m_copy.run().number, event.jobId)};
    const PhaseKey key{job->stage, job->phase};
    const StageRow &stage = *m_copy.findStage(key.first);
    const PhaseRow *phase = m_copy.findPhase(key);
    if (!phase || phase->state != RecordState::Completed)
        return Error{ErrorCode::Conflict, fmt::format("job '{}' has not ended yet", key.second)};
    if (succeeded(phase->result))
        return Error{ErrorCode::Conflict, fmt::format("job '{}' succeeded", key.second)};
    if (stage.phase == StagePhase::Completed)
        return on(RetryRequested{{key.first}, false, event.identityId});
    if (stage.waitingReason == kStageCanceled)
        return Error{ErrorCode::Conflict, fmt::format("stage '{}' is being canceled", key.first)};
    // What was skipped because of the job gets its chance; what ran already saw that it failed.
    std::vector<PhaseKey> again{key};
    for (const PhaseKey &behind : skippedBehind(key.first, key.second)) {
        const PhaseRow *row = m_copy.findPhase(behind);
        if (!row || row->state == RecordState::Pending)
            continue;
        if (row->state != RecordState::Completed || row->result != TaskResult::Skipped)
            return Error{ErrorCode::Conflict,
                         fmt::format("job '{}', which depends on it, has begun already; retry the "
                                     "stage when it has ended",
                                     behind.second)};
        again.push_back(behind);
    }
    for (const PhaseKey &one : again) {
        const PhaseRow old = *m_copy.findPhase(one);
        const schema::Job *planned = findJob(m_plan, one.first, one.second);
        const bool carries = one == key && planned && !planned->isDeployment;
        PhaseRow next;
        next.runId = old.runId;
        next.stage = old.stage;
        next.name = old.name;
        next.attempt = old.attempt + 1;
        next.recordId = old.recordId;
        next.ordinal = old.ordinal;
        next.carriesFrom = !carries ? 0 : old.carriesFrom > 0 ? old.carriesFrom : old.attempt;
        // The stage's checks were passed for this target; it stays.
        next.environmentId = old.environmentId;
        next.resourceId = old.resourceId;
        m_copy.put(next);
    }
    return {};
}

} // namespace server::scheduler
