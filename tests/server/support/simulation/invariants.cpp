// What must hold after every commit, and at the end.
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "tests/server/support/simulation/simulation.h"

#include <fmt/format.h>

#include <algorithm>

namespace tests {

using namespace std::chrono_literals;
using namespace server;
using namespace server::scheduler;
using schema::Status;
using schema::TaskResult;
using store::JobState;
using store::StagePhase;

void Simulation::check(store::Connection &c)
{
    std::map<store::LockKey, int> holders;
    for (const store::LockRow &lock : store::CheckStore(c).allLocks()) {
        if (lock.grantedAt && ++holders[lock.key()] > 1)
            throw Violation("two runs hold one lock");
    }
    int deploying = 0;
    for (const auto &[runId, context] : m_memory.runs) {
        const RunSnapshot &snapshot = context->snapshot;
        for (const auto &[id, job] : snapshot.jobs)
            checkJob(snapshot, job, deploying);
        const auto known = m_rootValue.find(runId);
        if (known != m_rootValue.end() && known->second != snapshot.rootValues.at(0).second)
            throw Violation(fmt::format("run {}: counter() counted again", runId));
    }
    if (deploying > 1)
        throw Violation("two runs deploy to one locked environment");
    checkShares();
    if (chance(2))
        compareWithDisk(c);
}

namespace {

/// Urgency of a queued job, worked out a second time: 0 (low) to 4 (high).
std::int64_t urgencyOf(const RunSnapshot &snapshot, const store::JobRow &job, TimePoint now)
{
    const std::int64_t waited = std::max<std::int64_t>(0, (now - job.queuedAt) / 10min);
    return std::min<std::int64_t>(4, 5 - static_cast<std::int64_t>(snapshot.run.priority) + waited);
}

} // namespace

void Simulation::checkShares()
{
    std::map<std::string, store::Blob> held;
    std::map<std::int64_t, int> heldBy, givenTo;
    std::vector<const store::JobRow *> given, waiting;
    const auto pipelineOf = [&](const store::JobRow &job) {
        return m_memory.runs.at(job.runId)->snapshot.run.pipelineId;
    };
    for (const auto &[runId, context] : m_memory.runs) {
        for (const auto &[id, job] : context->snapshot.jobs) {
            if (job.state == JobState::Assigned || job.state == JobState::Running) {
                held.emplace(id, job.tokenHash);
                ++heldBy[context->snapshot.run.pipelineId];
                // One whose offer ended may be offered again in the same batch: a turn as well.
                const auto before = m_heldBefore.find(id);
                if (before == m_heldBefore.end() || before->second != job.tokenHash) {
                    given.push_back(&job);
                    ++givenTo[context->snapshot.run.pipelineId];
                }
            } else if (const QueuedJob *queued = queuedJob(m_memory, id);
                       queued && queued->refusedBy.empty()) {
                waiting.push_back(&job);
            }
        }
    }
    if (m_poolLimit > 0 && held.size() > static_cast<std::size_t>(m_poolLimit))
        throw Violation(
            fmt::format("{} jobs of a pool of at most {} are held", held.size(), m_poolLimit));
    for (const auto &[pipeline, limit] : m_pipelineLimits) {
        if (heldBy[pipeline] > limit)
            throw Violation(fmt::format("{} jobs of a pipeline of at most {} are held",
                                        heldBy[pipeline], limit));
    }
    for (const std::int64_t pipeline : m_pipelines) {
        const auto limit = m_pipelineLimits.find(pipeline);
        if (limit != m_pipelineLimits.end() && heldBy[pipeline] >= limit->second) {
            m_passed[pipeline] = 0;
            continue;
        }
        std::int64_t urgency = -1; // of jobs that were there before this batch
        for (const store::JobRow *job : waiting) {
            if (pipelineOf(*job) == pipeline && job->queuedAt < now() - 1s)
                urgency = std::max(urgency,
                                   urgencyOf(m_memory.runs.at(job->runId)->snapshot, *job, now()));
        }
        const bool served = std::any_of(given.begin(), given.end(), [&](const auto *job) {
            return pipelineOf(*job) == pipeline;
        });
        if (served || urgency < 0)
            m_passed[pipeline] = 0;
        if (served || urgency < 0)
            continue;
        for (const store::JobRow *job : given) {
            const std::int64_t other = pipelineOf(*job);
            const std::int64_t of = urgencyOf(m_memory.runs.at(job->runId)->snapshot, *job, now());
            if (of <= urgency && heldBy[pipeline] <= heldBy[other] - givenTo[other])
                ++m_passed[pipeline];
        }
        // Each other pipeline may have its turn.
        if (m_passed[pipeline] > static_cast<int>(m_pipelines.size()))
            throw Violation(
                fmt::format("pipeline {} was passed over {} times", pipeline, m_passed[pipeline]));
    }
    m_heldBefore = std::move(held);
}

void Simulation::checkJob(const RunSnapshot &snapshot, const store::JobRow &job, int &deploying)
{
    const auto &phase = snapshot.phases.at({job.stage, job.phase});
    const bool open = job.state != JobState::Completed;
    if (open && snapshot.run.status == schema::RunStatus::Completed)
        throw Violation(
            fmt::format("run {} is over, its job {} is not", snapshot.run.id, job.identifier));
    if (open && snapshot.stages.at(job.stage).phase != StagePhase::Running)
        throw Violation(fmt::format("job {} of a stage that does not run", job.identifier));
    if (phase.environmentId == m_production) {
        bool approved = false;
        for (const auto &[id, approval] : snapshot.approvals)
            approved = approved || (approval.stage == job.stage &&
                                    approval.status == store::ApprovalStatus::Approved);
        if (open && !approved)
            throw Violation(fmt::format("job {} deploys without approval", job.identifier));
        deploying += open ? 1 : 0;
    }
    if (const auto before = m_running.find(job.id); before != m_running.end()) {
        if (job.state == JobState::Queued || job.state == JobState::Assigned)
            throw Violation(
                fmt::format("job {} was running and is given out again", job.identifier));
        if (job.state == JobState::Running && job.workerId != before->second)
            throw Violation(fmt::format("job {} changed its worker", job.identifier));
    }
    checkLease(job);
    if ((job.state == JobState::Assigned || job.state == JobState::Running) &&
        (!job.workerId || job.tokenHash.empty() || !job.leasedUntil))
        throw Violation(
            fmt::format("job {} is given out without worker, token or lease", job.identifier));
}

/// A lease is a duration: a clock that is set must not end it.
void Simulation::checkLease(const store::JobRow &job)
{
    if (job.state != JobState::Completed || job.result != TaskResult::Abandoned ||
        !job.message.starts_with("We stopped hearing"))
        return;
    const auto heard = m_lastHeard.find(job.id);
    if (heard == m_lastHeard.end())
        return;
    const auto silence = m_clock - heard->second;
    m_lastHeard.erase(heard);
    // Rounding and small steps of the wall clock are no jump (jumpBetween()).
    if (silence < 60s - 2s)
        throw Violation(fmt::format("job {} was given up {} ms after its worker spoke of it",
                                    job.identifier, silence.count()));
}

void Simulation::heard(const Command &command)
{
    const auto *sent = std::get_if<WorkerFrameCommand>(&command);
    if (!sent)
        return;
    const auto note = [&](const std::string &jobId) {
        const auto run = m_memory.runOfJob.find(jobId);
        if (run == m_memory.runOfJob.end())
            return;
        const auto &jobs = m_memory.runs.at(run->second)->snapshot.jobs;
        const auto job = jobs.find(jobId);
        if (job != jobs.end() && job->second.workerId == sent->workerId)
            m_lastHeard[jobId] = m_clock;
    };
    if (const auto *renew = std::get_if<schema::protocol::Renew>(&sent->frame))
        std::for_each(renew->jobIds.begin(), renew->jobIds.end(), note);
    if (const auto *hello = std::get_if<schema::protocol::Hello>(&sent->frame))
        std::for_each(hello->running.begin(), hello->running.end(), note);
    if (const auto *accepted = std::get_if<schema::protocol::Accepted>(&sent->frame))
        note(accepted->jobId);
}

void Simulation::remember()
{
    for (const auto &[runId, context] : m_memory.runs) {
        m_rootValue[runId] = context->snapshot.rootValues.at(0).second;
        for (const auto &[id, job] : context->snapshot.jobs) {
            if (job.state == JobState::Running)
                m_running[id] = *job.workerId;
        }
    }
}

void Simulation::compareWithDisk(store::Connection &c)
{
    LoopState loaded;
    if (const Status status = loadState(c, m_secrets, loaded); !status)
        throw Violation("state cannot be loaded: " + status.error().message);
    if (loaded.runs.size() != m_memory.runs.size())
        throw Violation("memory and disk know different runs");
    for (const auto &[runId, context] : m_memory.runs) {
        const RunSnapshot &a = context->snapshot;
        const RunSnapshot &b = loaded.runs.at(runId)->snapshot;
        const auto same = [&](bool equal, const char *what) {
            if (!equal)
                throw Violation(
                    fmt::format("run {}: {} in memory and on disk differ", runId, what));
        };
        same(a.stages == b.stages, "stages");
        same(a.phases == b.phases, "phases");
        same(a.jobs == b.jobs, "jobs");
        same(a.deployments == b.deployments, "deployments");
        same(a.locks.size() == b.locks.size(), "locks");
        same(a.approvals.size() == b.approvals.size(), "approvals");
        for (const auto &[id, approval] : a.approvals)
            same(b.approvals.at(id).status == approval.status, "approvals");
        same(a.run.status == b.run.status, "status");
        same(a.run.number == b.run.number, "number");
        same(a.rootValues == b.rootValues, "root variables");
        same(a.index == b.index, "indexes");
        // Decisions look at what changed only; nothing may be left that a look at the whole finds.
        if (!pipelines::run::advance(*a.plan, progressOf(a)).empty())
            throw Violation(fmt::format("run {}: the graph was not followed to its end", runId));
    }
    if (loaded.poolOfQueued != m_memory.poolOfQueued)
        throw Violation("memory and disk have different queues");
    if (loaded.heldOfPool != m_memory.heldOfPool ||
        loaded.heldOfPipeline != m_memory.heldOfPipeline)
        throw Violation("memory and disk count different jobs as held");
}

void Simulation::finalCheck(int runs)
{
    if (m_created.size() < static_cast<std::size_t>(runs))
        throw Violation("an acknowledged run is missing");
    const Status read = m_database->write([&](store::Connection &c) -> Status {
        for (const std::int64_t id : m_created)
            checkEnded(c, id);
        if (!store::CheckStore(c).allLocks().empty())
            throw Violation("a lock is held by nobody");
        if (!store::EnvironmentStore(c).openDeployments(kProject).empty())
            throw Violation("a deployment has no end");
        std::set<std::pair<std::int64_t, std::string>> serials; // counters belong to pipelines
        for (const auto &[runId, serial] : m_rootValue) {
            if (!serials.emplace(store::RunStore(c).find(runId)->pipelineId, serial).second)
                throw Violation(fmt::format("counter() gave {} twice", serial));
        }
        return {};
    });
    if (!read)
        throw Violation(read.error().message);
}

void Simulation::checkEnded(store::Connection &c, std::int64_t runId)
{
    store::RunStore store(c);
    const auto run = store.find(runId);
    if (!run)
        throw Violation(fmt::format("run {} is gone", runId));
    if (run->status != schema::RunStatus::Completed || run->result == schema::RunResult::None)
        throw Violation(fmt::format("run {} has no end", runId));
    for (const auto &job : store.jobs(runId)) {
        if (job.state != JobState::Completed || !job.result)
            throw Violation(fmt::format("job {} has no end", job.identifier));
    }
    for (const auto &stage : store.stages(runId)) {
        if (stage.phase != StagePhase::Completed)
            throw Violation(fmt::format("stage {} of run {} has no end", stage.name, runId));
    }
}

std::string Simulation::describeOpen() const
{
    std::string text;
    for (const auto &[runId, context] : m_memory.runs) {
        text += fmt::format("run {} (status {})", runId,
                            static_cast<int>(context->snapshot.run.status));
        for (const auto &[name, stage] : context->snapshot.stages)
            text += fmt::format(" {}:{}", name, static_cast<int>(stage.phase));
        for (const auto &[id, job] : context->snapshot.jobs)
            text += fmt::format(" {}:{}", job.identifier, static_cast<int>(job.state));
        text += "; ";
    }
    return text;
}

} // namespace tests
