// Beginning and ending of stages and phases, and the steps of the graph.
#include "schema/base/guid.h"
#include "server/scheduler/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace server::scheduler {
void Decider::start(const std::string &name)
{
    StageRow &stage = m_copy.editStage(name);
    endChecks(stage, TaskResult::Succeeded);
    stage.phase = StagePhase::Running;
    stage.waitingReason.clear();
    stage.startedAt = m_now;
}

void Decider::releaseLocks(const std::string &stage)
{
    for (const LockRow &lock : m_copy.locks()) {
        if (lock.stage == stage)
            m_copy.release(lock);
    }
}

void Decider::endStage(const std::string &name, TaskResult result, std::string reason)
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

void Decider::endPhase(const PhaseKey &key, TaskResult result, std::string message)
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

void Decider::settle()
{
    // Ends by itself: every step moves something forward. The bound turns a defect into a stop.
    for (int round = 0; round < 100'000 && m_copy.run().status != RunStatus::Completed; ++round) {
        auto progress = m_copy.progress();
        const std::vector<pipelines::run::Step> steps = pipelines::run::advance(m_plan, progress);
        if (steps.empty())
            return;
        for (const pipelines::run::Step &step : steps)
            std::visit([this](const auto &s) { take(s); }, step);
    }
}

void Decider::take(const pipelines::run::StageReady &step)
{
    StageRow &stage = m_copy.editStage(step.stage);
    stage.phase = StagePhase::Checking;
    const schema::Stage *planned = findStage(m_plan, step.stage);
    if (waitsForPerson(stage)) {
        stage.waitingReason = "waits for being started by a person";
        started();
        return;
    }
    const bool deploys =
        planned && std::any_of(planned->jobs.begin(), planned->jobs.end(),
                               [](const schema::Job &job) { return job.environment.has_value(); });
    if (deploys || (planned && planned->lockBehavior))
        m_decision.queries.push_back({step.stage});
    else
        start(step.stage);
}

void Decider::take(const pipelines::run::StageSkipped &step)
{
    endStage(step.stage, TaskResult::Skipped, step.reason);
}

void Decider::take(const pipelines::run::StageCompleted &step)
{
    const std::string why = m_copy.findStage(step.stage)->waitingReason;
    endStage(step.stage, step.result, why);
}

void Decider::take(const pipelines::run::JobSkipped &step)
{
    endPhase({step.stage, step.job}, TaskResult::Skipped, step.reason);
}

void Decider::take(const pipelines::run::JobCompleted &step)
{
    endPhase({step.stage, step.job}, step.result, step.message);
}

void Decider::take(const pipelines::run::RunCompleted &step)
{
    store::RunRow &run = m_copy.editRun();
    run.status = RunStatus::Completed;
    run.result = step.result;
    run.finishedAt = m_now;
    if (!run.startedAt)
        run.startedAt = m_now;
}

void Decider::take(const pipelines::run::JobExpanded &step)
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

void Decider::create(const PhaseRow &phase, const pipelines::run::JobInstance &instance)
{
    JobRow job;
    job.id = schema::nameGuid(
        m_copy.run().planId,
        fmt::format("job:{}:{}:{}:{}", instance.stage, instance.job, instance.name, phase.attempt));
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
    // The graph goes on with the next instances of a matrix; in a canceled stage they end at once.
    if (m_copy.findStage(instance.stage)->waitingReason == kStageCanceled)
        endJob(job, TaskResult::Canceled, kStageCanceled);
    m_copy.put(
        JobCreated{std::move(job), std::make_shared<const pipelines::run::JobInstance>(instance)});
}

} // namespace server::scheduler
