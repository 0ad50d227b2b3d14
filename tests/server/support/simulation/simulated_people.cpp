// People who queue and approve, and mischief.
#include "schema/base/guid.h"
#include "server/store/token.h"
#include "tests/server/support/simulation/simulation.h"

#include <fmt/format.h>

namespace tests {

using namespace std::chrono_literals;
using namespace server;
using namespace server::scheduler;
using schema::Status;
using schema::TaskResult;
using store::JobState;
using store::StagePhase;

void Simulation::createRun()
{
    CreateRunCommand command;
    command.run = std::make_shared<NewRun>();
    command.reply = std::make_shared<std::promise<schema::Result<std::int64_t>>>();
    NewRun &run = *command.run;
    run.planId = schema::nameGuid("simulated plan", fmt::format("{} {}", m_seed, ++m_plans));
    run.pipelineId = m_pipelines[pick(m_pipelines.size())];
    run.priority = static_cast<schema::RunPriority>(chance(70) ? 3 : 1 + pick(5));
    run.number = "$(Build.BuildId)";
    run.sourceBranch = chance(80) ? "refs/heads/main" : "refs/heads/hotfix";
    std::vector<schema::Stage> stages;
    const std::size_t count = 1 + pick(4);
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<std::string> dependencies;
        if (!stages.empty() && chance(80))
            dependencies.push_back(stages[pick(stages.size())].name);
        const std::string name = fmt::format("S{}", i);
        if (chance(40)) {
            stages.push_back(tests::stage(
                name, {tests::deployment("D", chance(60) ? "production" : "dev")}, dependencies));
        } else {
            std::vector<schema::Job> jobs;
            for (std::size_t j = 0; j <= pick(3); ++j)
                jobs.push_back(tests::job(fmt::format("J{}", j)));
            if (chance(20))
                jobs.back().matrix = {{"a", {}}, {"b", {}}};
            if (jobs.size() > 1 && chance(50)) {
                jobs.back().dependsOn = {jobs.front().name};
                jobs.back().condition = chance(50) ? "always()" : "";
            }
            stages.push_back(tests::stage(name, std::move(jobs), dependencies));
        }
        if (chance(15))
            stages.back().condition = "always()";
        if (chance(10))
            stages.back().lockBehavior = schema::LockBehavior::Sequential;
    }
    run.plan = tests::plan(std::move(stages));
    schema::VariableEntry serial;
    serial.name = "serial";
    serial.value = "$[counter('', 1)]";
    run.plan.variables = {serial};
    run.plan.lockBehavior =
        chance(50) ? schema::LockBehavior::Sequential : schema::LockBehavior::RunLatest;
    auto answer =
        std::make_shared<std::future<schema::Result<std::int64_t>>>(command.reply->get_future());
    send(std::move(command));
    after(1s, [this, answer] {
        if (answer->wait_for(0s) != std::future_status::ready) {
            after(1s, [this] { createRun(); });
            return;
        }
        try {
            if (const auto id = answer->get(); id)
                m_created.insert(*id);
            else
                throw Violation("a run was refused: " + id.error().message);
        } catch (const std::future_error &) { // lost with the server: the person asks again
            createRun();
        }
    });
}

void Simulation::approve()
{
    after(millis(1'000, 20'000), [this] { approve(); });
    if (!m_memoryFresh)
        return;
    for (const auto &[runId, context] : m_memory.runs) {
        for (const auto &[id, approval] : context->snapshot.approvals) {
            if (approval.status != store::ApprovalStatus::Pending || chance(50))
                continue;
            DecideApprovalCommand command{id, kApprover, !m_faults || chance(85), "",
                                          std::make_shared<std::promise<schema::Result<>>>()};
            send(std::move(command));
        }
    }
}

void Simulation::meddle()
{
    after(millis(1'000, 10'000), [this] { meddle(); });
    if (!m_faults || !m_memoryFresh)
        return;
    if (!m_created.empty() && chance(30)) {
        auto run = m_created.begin();
        std::advance(run, static_cast<std::ptrdiff_t>(pick(m_created.size())));
        if (chance(30))
            send(RunEventCommand{*run, CancelRequested{kApprover}, nullptr});
        else if (chance(20))
            send(PriorityCommand{*run, static_cast<schema::RunPriority>(1 + pick(5)),
                                 std::make_shared<std::promise<schema::Result<>>>()});
        else if (chance(20))
            send(RenameCommand{*run, fmt::format("renamed {}", pick(100)),
                               std::make_shared<std::promise<schema::Result<>>>()});
        else if (chance(20))
            send(RunEventCommand{*run, StageCancelRequested{"S0", kApprover}, nullptr});
        else
            send(RunEventCommand{*run, RetryRequested{{}, chance(20), kApprover}, nullptr});
    }
    const std::int64_t worker = m_workerIds[pick(m_workerIds.size())];
    if (chance(10)) // a long silence: leases end
        disconnect(worker, chance(50));
    if (chance(10))
        lie(worker);
    if (chance(30))
        sabotage();
    if (chance(3))
        m_skew += millis(-100'000, 100'000);
}

/// A worker that speaks of jobs it does not hold.
void Simulation::lie(std::int64_t worker)
{
    if (m_memory.runOfJob.empty())
        return;
    auto job = m_memory.runOfJob.begin();
    std::advance(job, static_cast<std::ptrdiff_t>(pick(m_memory.runOfJob.size())));
    if (m_workers[worker].jobs.contains(job->first))
        return;
    const std::string id = job->first;
    switch (pick(3)) {
    case 0:
        toServer(worker, schema::protocol::Renew{{id}});
        break;
    case 1:
        toServer(worker, schema::protocol::Refused{id, "lie"});
        break;
    default: {
        SimulatedJob guess;
        guess.token = "guess";
        say(id, guess, true);
    }
    }
}

void Simulation::sabotage()
{
    if (m_sabotage == Sabotage::ForgetLockHolders) {
        for (auto &[key, entries] : m_memory.locks) {
            for (LockEntry &entry : entries)
                entry.lock.grantedAt.reset();
            send(LocksCommand{key});
        }
    }
    if (m_sabotage == Sabotage::IgnoreLimits) {
        m_memory.pipelineLimits.clear();
        for (store::PoolRow &pool : m_memory.pools)
            pool.maxParallelism = 0;
    }
    if (m_sabotage == Sabotage::GiveOutTwice) {
        for (auto &[runId, context] : m_memory.runs) {
            for (auto &[id, job] : context->snapshot.jobs) {
                if (job.state == JobState::Running)
                    job.state = JobState::Queued;
            }
        }
    }
}

} // namespace tests
