// Beginning and ending of stages and phases, and the steps of the graph.
#include "pipelines/run/advance_jobs.h"
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

std::set<std::string> Decider::dependenciesOf(const PlanIndex::Place &place) const
{
    const PlanIndex &index = planIndexOf(m_copy.before());
    std::set<std::string> names{place.job->name};
    std::vector<const schema::Job *> open{place.job};
    while (!open.empty()) {
        const schema::Job *job = open.back();
        open.pop_back();
        for (const std::string &name : job->dependsOn) {
            const PlanIndex::Place *other = index.find(place.stage->name, name);
            if (names.insert(name).second && other)
                open.push_back(other->job);
        }
    }
    return names;
}

bool Decider::mayMove(const PlanIndex::Place &place) const
{
    const PhaseKey key{place.stage->name, place.job->name};
    const PhaseRow *phase = m_copy.findPhase(key);
    if (!phase || phase->state == RecordState::Completed)
        return false;
    if (phase->state == RecordState::InProgress)
        return place.job->isDeployment || !place.job->maxParallel.empty() ||
               m_copy.openJobsOf(key) == 0;
    return std::all_of(place.job->dependsOn.begin(), place.job->dependsOn.end(),
                       [&](const std::string &name) {
                           const PhaseRow *other = m_copy.findPhase({place.stage->name, name});
                           return other && other->state == RecordState::Completed;
                       });
}

void Decider::settleJobs()
{
    const PlanIndex &index = planIndexOf(m_copy.before());
    std::vector<const PlanIndex::Place *> open;
    for (const PhaseKey &key : m_copy.endedPhases()) {
        const PlanIndex::Place *place = index.find(key.first, key.second);
        if (!place)
            return settle();
        open.push_back(place);
    }
    while (!open.empty()) {
        const PlanIndex::Place &place = *open.back();
        open.pop_back();
        if (!mayMove(place))
            continue;
        // succeeded('Job') may name a job that this one does not wait for.
        if (place.job->condition.find('\'') != std::string::npos)
            return settle();
        const PhaseKey key{place.stage->name, place.job->name};
        const auto progress = m_copy.progress(*place.stage, dependenciesOf(place));
        const auto steps = pipelines::run::advanceJobs(m_plan, progress, *place.stage, {place.job});
        for (const pipelines::run::Step &step : steps)
            std::visit([this](const auto &s) { take(s); }, step);
        if (m_copy.findPhase(key)->state != RecordState::Completed) {
            // Instances that were created may have ended at once, in a canceled stage.
            if (!steps.empty() && m_copy.openJobsOf(key) == 0)
                open.push_back(&place);
            continue;
        }
        if (m_copy.openPhasesOf(place.stage->name) == 0)
            return settle(); // the stage ends, and what follows is the whole run's business
        for (const schema::Job *dependent : place.dependents)
            open.push_back(index.find(place.stage->name, dependent->name));
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
    const PlanIndex::Place *place = planIndexOf(m_copy.before()).find(step.stage, step.job);
    if (place && place->job->isDeployment && !m_copy.editDeployment(key)) {
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
