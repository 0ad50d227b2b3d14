#include "server/scheduler/state_machine.h"

#include "schema/base/guid.h"
#include "server/scheduler/decider.h"

#include <algorithm>

namespace server::scheduler {

bool succeeded(const std::optional<schema::TaskResult> &result)
{
    return result == schema::TaskResult::Succeeded ||
           result == schema::TaskResult::SucceededWithIssues;
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

Decision Decider::run(const RunEvent &event)
{
    std::optional<Error> refused = std::visit([this](const auto &e) { return on(e); }, event);
    if (refused) {
        Decision decision;
        decision.refused = std::move(refused);
        return decision;
    }
    const bool always = std::holds_alternative<RunCreated>(event);
    switch (always ? WorkingCopy::Moved::Anything : m_copy.moved()) {
    case WorkingCopy::Moved::Nothing:
        break;
    case WorkingCopy::Moved::Jobs:
        settleJobs();
        break;
    case WorkingCopy::Moved::Anything:
        settle();
        break;
    }
    m_decision.changes = m_copy.takeChanges();
    return std::move(m_decision);
}

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
        store::StageRow row;
        row.runId = run.id;
        row.name = stage.name;
        row.recordId =
            stage.id.empty() ? schema::nameGuid(run.planId, "stage:" + stage.name) : stage.id;
        row.ordinal = ++stageOrdinal;
        changes.emplace_back(row);
        for (const schema::Job &job : stage.jobs) {
            store::PhaseRow phase;
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
