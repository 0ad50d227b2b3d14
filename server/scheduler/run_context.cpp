#include "server/scheduler/run_context.h"

#include "pipelines/run/groups.h"
#include "schema/model/plan_json.h"
#include "server/scheduler/job_instance_codec.h"
#include "server/scheduler/job_message.h"
#include "server/scheduler/state_machine.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/pipeline_store.h"

#include <fmt/format.h>

#include <span>

namespace server::scheduler {
namespace {

using schema::Error;
using schema::ErrorCode;

std::string textOf(const store::Blob &bytes)
{
    return {bytes.begin(), bytes.end()};
}

schema::Status openOutputs(RunSnapshot &snapshot, const store::JobRow &job, SecretSource &secrets)
{
    if (job.outputsSealed.empty())
        return {};
    ASSIGN_OR_RETURN(const store::Blob plain, secrets.open(job.outputsSealed));
    ASSIGN_OR_RETURN(snapshot.secretOutputs[job.id], outputsFromText(textOf(plain)));
    return {};
}

} // namespace

schema::Result<std::shared_ptr<const schema::RunPlan>> PlanCache::get(store::Connection &connection,
                                                                      std::int64_t compiledPlanId)
{
    std::weak_ptr<const schema::RunPlan> &known = m_plans[compiledPlanId];
    if (auto plan = known.lock())
        return plan;
    ASSIGN_OR_RETURN(schema::RunPlan parsed,
                     schema::planFromText(store::RunStore(connection).planText(compiledPlanId)));
    auto plan = std::make_shared<const schema::RunPlan>(std::move(parsed));
    known = plan;
    std::erase_if(m_plans, [](const auto &entry) { return entry.second.expired(); });
    return plan;
}

void loadVariables(RunContext &context, SecretSource &secrets)
{
    context.snapshot.variables = runVariables(context.snapshot.run, context.facts);
    context.snapshot.groups.clear();
    for (const std::string &name : pipelines::run::groupsOf(*context.snapshot.plan)) {
        // A group that vanished has no values; creating the run checked that it existed.
        if (auto values = secrets.variableGroup(context.facts.projectId, name))
            context.snapshot.groups[name] = std::move(*values);
    }
}

schema::Status evaluateRootVariables(store::Connection &connection, RunContext &context,
                                     SecretSource &secrets)
{
    RunSnapshot &snapshot = context.snapshot;
    store::PipelineStore pipelines(connection);
    const auto counter = [&](const std::string &prefix, std::int64_t seed) {
        return pipelines.nextCounter(snapshot.run.pipelineId, "counter:" + prefix, seed);
    };
    ASSIGN_OR_RETURN(snapshot.rootValues, pipelines::run::resolveRootVariables(
                                              *snapshot.plan, progressOf(snapshot), counter));
    if (snapshot.rootValues.empty())
        return {};
    const std::string text = pairsToText(snapshot.rootValues);
    const std::span bytes(reinterpret_cast<const std::uint8_t *>(text.data()), text.size());
    store::RunStore(connection).putRootValues(snapshot.run.id, secrets.seal(bytes));
    return {};
}

schema::Result<std::unique_ptr<RunContext>> loadContext(store::Connection &connection,
                                                        SecretSource &secrets, PlanCache &plans,
                                                        std::int64_t runId)
{
    store::RunStore runs(connection);
    auto context = std::make_unique<RunContext>();
    RunSnapshot &snapshot = context->snapshot;
    auto run = runs.find(runId);
    auto facts = runs.facts(runId);
    if (!run || !facts)
        return Error{ErrorCode::NotFound, fmt::format("run {} is unknown", runId)};
    snapshot.run = std::move(*run);
    context->facts = std::move(*facts);
    ASSIGN_OR_RETURN(snapshot.plan, plans.get(connection, snapshot.run.compiledPlanId));

    // Rows come in order of their attempts: applyChange() keeps what counts for the newest.
    for (store::StageRow &row : runs.stages(runId))
        applyChange(snapshot, Change(std::move(row)));
    for (store::PhaseRow &row : runs.phases(runId))
        applyChange(snapshot, Change(std::move(row)));
    for (store::JobRow &row : runs.jobs(runId)) {
        const auto phase = snapshot.phases.find({row.stage, row.phase});
        if (phase == snapshot.phases.end() || !countsFor(row, phase->second))
            continue;
        RETURN_IF_ERROR(openOutputs(snapshot, row, secrets));
        applyChange(snapshot, Change(std::move(row)));
    }
    store::CheckStore checks(connection);
    for (store::ApprovalRow &row : checks.approvalsOfRun(runId)) {
        const auto stage = snapshot.stages.find(row.stage);
        if (stage != snapshot.stages.end() && stage->second.attempt == row.stageAttempt)
            applyChange(snapshot, Change(std::move(row)));
    }
    for (store::LockRow &row : checks.locksOfRun(runId))
        applyChange(snapshot, Change(std::move(row)));
    for (const store::DeploymentRow &row :
         store::EnvironmentStore(connection).deploymentsOfRun(runId)) {
        const auto phase = snapshot.phases.find({row.stage, row.phase});
        if (phase != snapshot.phases.end() && phase->second.attempt == row.phaseAttempt)
            applyChange(snapshot, Change(DeploymentState{
                                      row.stage, row.phase, row.stageAttempt, row.phaseAttempt,
                                      row.environmentId, row.resourceId, row.requestIdentifier,
                                      row.queuedAt, row.startedAt, row.finishedAt, row.result}));
    }
    if (const store::Blob sealed = runs.rootValues(runId); !sealed.empty()) {
        ASSIGN_OR_RETURN(const store::Blob plain, secrets.open(sealed));
        ASSIGN_OR_RETURN(snapshot.rootValues, pairsFromText(textOf(plain)));
    }
    loadVariables(*context, secrets);
    return context;
}

schema::Result<std::shared_ptr<const pipelines::run::JobInstance>>
instanceOf(RunContext &context, const std::string &jobId, SecretSource &secrets)
{
    if (const auto known = context.instances.find(jobId); known != context.instances.end())
        return known->second;
    const auto row = context.snapshot.jobs.find(jobId);
    if (row == context.snapshot.jobs.end())
        return Error{ErrorCode::NotFound, fmt::format("job {} is unknown", jobId)};
    ASSIGN_OR_RETURN(const store::Blob plain, secrets.open(row->second.instanceSealed));
    ASSIGN_OR_RETURN(pipelines::run::JobInstance instance, instanceFromText(textOf(plain)));
    auto shared = std::make_shared<const pipelines::run::JobInstance>(std::move(instance));
    context.instances[jobId] = shared;
    return shared;
}

} // namespace server::scheduler
