// What each command means.
#include "pipelines/base/text.h"
#include "pipelines/run/step_context.h"
#include "schema/base/guid.h"
#include "schema/model/plan_json.h"
#include "server/scheduler/batch.h"
#include "server/scheduler/job_message.h"
#include "server/scheduler/queue_explanation.h"
#include "server/store/check_store.h"
#include "server/store/identity_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/token.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace server::scheduler {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Status;
using store::JobRow;
using store::JobState;

/// A worker that refused a job is not asked again for this long.
constexpr auto kRefusalPause = std::chrono::seconds(5);

std::string textOf(const schema::TextMap &map)
{
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const auto &[name, value] : map)
        object[name] = value;
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string replaced(std::string text, std::string_view what, const std::string &with)
{
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

/// True when the text contains the value of a secret variable of the run's groups.
bool holdsSecret(const std::string &text, const RunSnapshot &snapshot)
{
    for (const auto &[name, values] : snapshot.groups) {
        for (const auto &variable : values) {
            if (variable.isSecret && !variable.value.empty() &&
                text.find(variable.value) != std::string::npos)
                return true;
        }
    }
    return false;
}

/// The run's number with the `$(name)` of root variables that were evaluated just now.
std::string withRootValues(const std::string &number, const RunSnapshot &snapshot)
{
    const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
        for (const auto &[root, value] : snapshot.rootValues) {
            if (pipelines::equalIgnoringCase(root, name) && !holdsSecret(value, snapshot))
                return value;
        }
        return std::nullopt;
    };
    return pipelines::run::expandMacros(number, lookup).substr(0, 255);
}

/// What RunRow::validationJson holds, for one error without a place.
std::string diagnosticsOf(const Error &error)
{
    return nlohmann::json::array({{{"severity", "error"},
                                   {"code", "invalid-variable"},
                                   {"message", error.message},
                                   {"file", ""},
                                   {"line", 0},
                                   {"column", 0},
                                   {"hint", ""}}})
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace

schema::Result<std::int64_t> Batch::create(NewRun &run)
{
    store::RunStore runs(m_connection);
    for (const std::string &name : run.stagesToSkip) {
        const auto stage = std::find_if(run.plan.stages.begin(), run.plan.stages.end(),
                                        [&](const auto &s) { return s.name == name; });
        if (stage == run.plan.stages.end())
            return Error{ErrorCode::InvalidArgument,
                         fmt::format("stagesToSkip: the pipeline has no stage '{}'", name)};
        if (!stage->isSkippable)
            return Error{
                ErrorCode::InvalidArgument,
                fmt::format("stagesToSkip: stage '{}' must not be skipped (isSkippable: false)",
                            name)};
    }
    if (!store::PipelineStore(m_connection).find(run.pipelineId))
        return Error{ErrorCode::NotFound, fmt::format("pipeline {} is unknown", run.pipelineId)};
    auto one = std::make_unique<RunContext>();
    store::RunRow &row = one->snapshot.run;
    row.pipelineId = run.pipelineId;
    row.planId = std::move(run.planId);
    row.reason = run.reason;
    row.sourceBranch = std::move(run.sourceBranch);
    row.sourceVersion = std::move(run.sourceVersion);
    row.commitMessage = std::move(run.commitMessage);
    row.commitAuthor = std::move(run.commitAuthor);
    row.requestedBy = std::move(run.requestedBy);
    row.parametersJson = textOf(run.parameters);
    row.variablesJson = textOf(run.variables);
    row.stagesToSkip = std::move(run.stagesToSkip);
    row.priority = run.priority;
    row.triggerJson = textOf(run.triggerVariables);
    row.validationJson = std::move(run.validationJson);
    row.queuedAt = m_now;
    row.compiledPlanId = runs.putPlan(schema::planToText(run.plan), run.finalYaml);
    if (!run.valid) {
        row.status = schema::RunStatus::Completed;
        row.result = schema::RunResult::Failed;
        row.startedAt = row.finishedAt = m_now;
    }
    row.id = runs.insert(row);
    row.number = replaced(std::move(run.number), "$(Build.BuildId)", std::to_string(row.id));
    runs.update(row);
    if (auto facts = runs.facts(row.id))
        one->facts = std::move(*facts);
    const std::int64_t runId = row.id;
    if (!run.valid) {
        changedRuns[runId] = {one->facts.projectId, 1};
        return runId;
    }
    auto plan = m_state.plans.get(m_connection, row.compiledPlanId);
    if (!plan) // half a run must not be committed
        throw store::SqlError(plan.error());
    one->snapshot.plan = std::move(*plan);
    loadVariables(*one, m_secrets);
    if (const Status evaluated = evaluateRootVariables(m_connection, *one, m_secrets); !evaluated) {
        // As a mistake in the file: the run is there, failed, and says why.
        row.status = schema::RunStatus::Completed;
        row.result = schema::RunResult::Failed;
        row.startedAt = row.finishedAt = m_now;
        row.validationJson = diagnosticsOf(evaluated.error());
        runs.update(row);
        changedRuns[runId] = {one->facts.projectId, 1};
        return runId;
    }
    if (!one->snapshot.rootValues.empty()) {
        row.number = withRootValues(row.number, one->snapshot);
        runs.update(row);
        loadVariables(*one, m_secrets); // Build.BuildNumber
    }
    RunContext &stored = *m_state.runs.emplace(runId, std::move(one)).first->second;
    std::vector<Change> rows = initialRows(stored.snapshot.run, *stored.snapshot.plan);
    write(stored, rows);
    RETURN_IF_ERROR(happen(runId, RunCreated{}));
    return runId;
}

void Batch::take(CreateRunCommand &command)
{
    auto created = create(*command.run);
    replies.emplace_back(
        [reply = command.reply, created = std::move(created)] { reply->set_value(created); });
}

void Batch::take(RunEventCommand &command)
{
    Status status = happen(command.runId, command.event);
    if (command.reply)
        replies.emplace_back(
            [reply = command.reply, status = std::move(status)] { reply->set_value(status); });
}

void Batch::take(PriorityCommand &command)
{
    Status status = happen(command.runId, PriorityChanged{command.priority});
    if (status)
        requeueRun(m_state, *context(command.runId));
    replies.emplace_back(
        [reply = command.reply, status = std::move(status)] { reply->set_value(status); });
}

void Batch::take(RenameCommand &command)
{
    Status status = happen(command.runId, RunRenamed{std::move(command.number)});
    if (status) {
        RunContext &one = *context(command.runId);
        one.snapshot.variables = runVariables(one.snapshot.run, one.facts); // Build.BuildNumber
    }
    replies.emplace_back(
        [reply = command.reply, status = std::move(status)] { reply->set_value(status); });
}

void Batch::take(DecideApprovalCommand &command)
{
    Status status;
    const auto approval = store::CheckStore(m_connection).findApproval(command.approvalId);
    if (!approval) {
        status =
            Error{ErrorCode::NotFound, fmt::format("approval {} is unknown", command.approvalId)};
    } else {
        std::string name = command.identityId;
        if (const auto identity = store::IdentityStore(m_connection).find(command.identityId))
            name = identity->displayName;
        status = happen(approval->runId, ApprovalDecided{command.approvalId, command.identityId,
                                                         name, command.approve, command.comment});
    }
    replies.emplace_back(
        [reply = command.reply, status = std::move(status)] { reply->set_value(status); });
}

schema::Result<bool> Batch::deliver(JobDelivery &delivery)
{
    const Error lost{ErrorCode::Conflict, "leaseLost: the server gave this job up"};
    const auto run = m_state.runOfJob.find(delivery.jobId);
    if (run == m_state.runOfJob.end()) {
        const auto job = store::RunStore(m_connection).findJob(delivery.jobId);
        if (!job)
            return Error{ErrorCode::NotFound, fmt::format("job {} is unknown", delivery.jobId)};
        // Ended by this very process, which repeats itself because it did not hear the answer; else
        // ended or taken back by the server, or a stranger: the one who holds the job knows its
        // token.
        const bool repeated = delivery.completion && job->state == JobState::Completed &&
                              store::sameHash(job->tokenHash, delivery.tokenHash);
        if (!repeated)
            return lost;
        return true;
    }
    const std::int64_t runId = run->second;
    RunContext &one = *context(runId);
    const JobRow &job = one.snapshot.jobs.at(delivery.jobId);
    const bool held = job.state == JobState::Assigned || job.state == JobState::Running;
    if (!held || !store::sameHash(job.tokenHash, delivery.tokenHash))
        return lost;
    m_touched.insert(runId);
    ASSIGN_OR_RETURN(const bool whole, delivery.write(m_connection, job, m_writer.change(one)));
    if (delivery.completion && whole) {
        const auto workerId = job.workerId;
        RETURN_IF_ERROR(
            happen(runId, JobCompleted{delivery.jobId, std::move(*delivery.completion)}));
        // Its slot takes the next job while the process ends.
        if (const auto worker = m_state.workers.find(workerId.value_or(0));
            worker != m_state.workers.end()) {
            worker->second.jobs.erase(delivery.jobId);
            noteWorker(m_state, worker->first);
        }
        return true;
    }
    if (job.state == JobState::Assigned && job.workerId)
        tell(runId, JobAccepted{delivery.jobId, *job.workerId, {}, leaseEnd()});
    return false;
}

void Batch::take(DeliverCommand &command)
{
    auto delivered = deliver(*command.delivery);
    replies.emplace_back(
        [reply = command.reply, delivered = std::move(delivered)] { reply->set_value(delivered); });
}

void Batch::take(WorkerUpCommand &command)
{
    const auto found = m_state.workers.find(command.workerId);
    if (found == m_state.workers.end()) { // registered after the last look
        auto row = store::WorkerStore(m_connection).find(command.workerId);
        if (!row)
            return;
        m_state.workers[command.workerId].row = std::move(*row);
    }
    ConnectedWorker &worker = m_state.workers[command.workerId];
    worker.connected = true;
    worker.ready = false;
    worker.serverUrl = command.serverUrl;
    noteWorker(m_state, command.workerId);
}

void Batch::take(WorkerDownCommand &command)
{
    const auto found = m_state.workers.find(command.workerId);
    if (found == m_state.workers.end())
        return;
    found->second.connected = found->second.ready = false;
    found->second.row.online = false;
    noteWorker(m_state, command.workerId);
    store::WorkerStore(m_connection).setOnline(command.workerId, false, m_now);
    workerNotices.push_back({command.workerId, false});
}

void Batch::take(WorkerFrameCommand &command)
{
    const auto found = m_state.workers.find(command.workerId);
    if (found == m_state.workers.end() || !found->second.connected)
        return;
    std::visit([&](const auto &f) { frame(found->second, f); }, command.frame);
    noteWorker(m_state, command.workerId);
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Hello &hello)
{
    store::WorkerRow &row = worker.row;
    row.version = hello.version;
    row.slots = std::clamp(hello.slots, 1, 1000);
    row.capabilities = hello.capabilities;
    row.online = true;
    row.statusChangedAt = m_now;
    store::WorkerStore(m_connection).update(row);
    workerNotices.push_back({row.id, true});
    worker.ready = true;
    outbox.emplace_back(row.id, schema::protocol::Welcome{m_options.leaseSeconds, row.name});

    const std::set<std::string> running(hello.running.begin(), hello.running.end());
    const std::set<std::string> before = std::exchange(worker.jobs, running);
    for (const std::string &jobId : running) {
        const auto run = m_state.runOfJob.find(jobId);
        if (run == m_state.runOfJob.end())
            act(SendLeaseLost{row.id, jobId});
        else
            tell(run->second, JobAccepted{jobId, row.id, row.name, leaseEnd()});
    }
    for (const std::string &jobId : before) {
        const auto run = m_state.runOfJob.find(jobId);
        if (running.contains(jobId) || run == m_state.runOfJob.end())
            continue;
        // An offer that never arrived goes back to the queue, from where it comes to this worker
        // again; a running job that the worker no longer knows is lost.
        tell(run->second,
             JobLost{jobId, row.id,
                     fmt::format("worker '{}' was restarted and lost this job; retry the stage",
                                 row.name)});
    }
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::CapabilitiesChanged &changed)
{
    worker.row.capabilities = changed.capabilities;
    store::WorkerStore(m_connection).update(worker.row);
    workerNotices.push_back({worker.row.id, worker.row.online});
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Accepted &accepted)
{
    const auto run = m_state.runOfJob.find(accepted.jobId);
    if (run == m_state.runOfJob.end())
        return; // ended before the news of its beginning came: nothing is left to grant or to take
    // An offer that its worker took stays an offer on disk until the job process says its first
    // words, or the lease is renewed: one commit for both.
    const JobRow &job = context(run->second)->snapshot.jobs.at(accepted.jobId);
    if (job.state == JobState::Assigned && job.workerId == worker.row.id)
        return;
    tell(run->second, JobAccepted{accepted.jobId, worker.row.id, worker.row.name, leaseEnd()});
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Refused &refused)
{
    worker.jobs.erase(refused.jobId);
    const auto run = m_state.runOfJob.find(refused.jobId);
    if (run == m_state.runOfJob.end())
        return;
    tell(run->second, JobRefused{refused.jobId, worker.row.id});
    if (QueuedJob *queued = queuedJob(m_state, refused.jobId)) {
        queued->refusedBy.insert(worker.row.id);
        if (!m_state.refusalsEnd)
            m_state.refusalsEnd = m_now + kRefusalPause;
    }
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Renew &renew)
{
    schema::protocol::Renewed renewed;
    for (const std::string &jobId : renew.jobIds) {
        const auto run = m_state.runOfJob.find(jobId);
        if (run == m_state.runOfJob.end()) {
            // Completed by its process a moment ago, or given up: only in the second case must it
            // stop.
            const auto job = store::RunStore(m_connection).findJob(jobId);
            if (!job || job->tokenHash.empty())
                act(SendLeaseLost{worker.row.id, jobId});
            continue;
        }
        tell(run->second, LeaseRenewed{jobId, worker.row.id, leaseEnd()});
        const auto one = m_state.runs.find(run->second);
        if (one != m_state.runs.end()) {
            const auto job = one->second->snapshot.jobs.find(jobId);
            if (job != one->second->snapshot.jobs.end() && job->second.workerId == worker.row.id)
                renewed.jobIds.push_back(jobId);
        }
    }
    if (!renewed.jobIds.empty())
        outbox.emplace_back(worker.row.id, std::move(renewed));
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Finished &finished)
{
    worker.jobs.erase(finished.jobId);
    const auto run = m_state.runOfJob.find(finished.jobId);
    if (run != m_state.runOfJob.end())
        tell(
            run->second,
            JobLost{finished.jobId, worker.row.id,
                    fmt::format("the job's process on worker '{}' ended without reporting a result",
                                worker.row.name)});
}

void Batch::take(JobSeenCommand &command)
{
    const auto run = m_state.runOfJob.find(command.jobId);
    if (run == m_state.runOfJob.end())
        return;
    const RunContext *one = context(run->second);
    const JobRow &job = one->snapshot.jobs.at(command.jobId);
    if (job.state == JobState::Assigned && job.workerId)
        tell(run->second, JobAccepted{command.jobId, *job.workerId, {}, leaseEnd()});
}

void Batch::take(ConfigurationCommand &)
{
    loadConfiguration(m_connection, m_state);
    store::WorkerStore workers(m_connection);
    std::set<std::int64_t> known;
    for (store::WorkerRow &row : workers.workers()) {
        known.insert(row.id);
        m_state.workers[row.id].row = std::move(row);
    }
    std::erase_if(m_state.workers, [&](const auto &entry) { return !known.contains(entry.first); });
    m_state.idle.clear();
    for (const auto &[id, worker] : m_state.workers)
        noteWorker(m_state, id);
    for (auto &[id, one] : m_state.runs)
        loadVariables(*one, m_secrets);
}

void Batch::take(LocksCommand &command)
{
    m_dirtyLocks.insert(command.key);
}

void Batch::take(ExplainCommand &command)
{
    replies.emplace_back(
        [reply = command.reply, waiting = waitingInQueues(m_state, command.runId, m_now)] {
            reply->set_value(waiting);
        });
}

} // namespace server::scheduler
