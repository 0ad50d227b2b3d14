#include "server/scheduler/batch.h"

#include "pipelines/run/step_context.h"
#include "schema/base/guid.h"
#include "schema/model/plan_json.h"
#include "server/scheduler/job_message.h"
#include "server/scheduler/stage_targets.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/identity_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/repository_store.h"
#include "server/store/token.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>

namespace server::scheduler {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Status;
using store::JobRow;
using store::JobState;

/// Rounds of giving out locks and jobs in one batch.
constexpr int kMostRounds = 10'000;

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

bool sameName(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
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
            if (sameName(root, name) && !holdsSecret(value, snapshot))
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

Batch::Batch(LoopState &state, store::Connection &connection, SecretSource &secrets,
             const SchedulerOptions &options, TimePoint now)
    : m_state(state)
    , m_connection(connection)
    , m_secrets(secrets)
    , m_options(options)
    , m_now(now)
    , m_writer(connection, secrets, now, notices, [this](std::int64_t id) {
        const auto worker = m_state.workers.find(id);
        return worker == m_state.workers.end() ? std::string() : worker->second.row.name;
    })
{}

TimePoint Batch::leaseEnd() const
{
    return m_now + std::chrono::seconds(m_options.leaseSeconds);
}

TimePoint Batch::offerEnd() const
{
    return m_now + std::chrono::seconds(m_options.offerSeconds);
}

void Batch::moveDeadlines(std::chrono::milliseconds by)
{
    if (by.count() == 0)
        return;
    for (const auto &[runId, one] : m_state.runs)
        m_events.emplace_back(runId, ClockJumped{by});
    drain();
    for (const auto &[runId, one] : m_state.runs)
        indexRun(m_state, *one);
    if (m_state.refusalsEnd)
        *m_state.refusalsEnd += by;
}

void Batch::run(std::vector<Command> &commands, std::chrono::milliseconds clockJump)
{
    moveDeadlines(clockJump);
    for (Command &command : commands) {
        std::visit([this](auto &c) { take(c); }, command);
        drain();
    }
    while (!m_state.deadlines.empty() && m_state.deadlines.begin()->first <= m_now) {
        const std::int64_t runId = m_state.deadlines.begin()->second;
        m_state.deadlines.erase(m_state.deadlines.begin()); // set again by indexRun
        m_state.deadlineOf.erase(runId);
        m_touched.insert(runId);
        tell(runId, TimerDue{});
        drain();
    }
    if (m_state.refusalsEnd && *m_state.refusalsEnd <= m_now) {
        m_state.refusalsEnd.reset();
        for (auto &[key, job] : m_state.queue)
            job.refusedBy.clear();
    }
    // Ends by itself: every round gives out locks or jobs. The bound turns a defect into an error
    // of the batch.
    int rounds = 0;
    for (bool moved = true; moved;) {
        if (++rounds > kMostRounds)
            throw store::SqlError(
                {ErrorCode::Internal, "the scheduler gives out the same locks or jobs forever"});
        moved = grantLocks();
        drain();
        moved = assignJobs() || moved;
        drain();
    }
    for (const std::int64_t runId : m_touched) {
        const auto found = m_state.runs.find(runId);
        if (found == m_state.runs.end())
            continue;
        RunContext &one = *found->second;
        if (one.changeId != 0)
            changedRuns[runId] = {one.facts.projectId, std::exchange(one.changeId, 0)};
        if (one.snapshot.run.status == schema::RunStatus::Completed)
            forgetRun(m_state, runId);
        else
            indexRun(m_state, one);
    }
}

void Batch::drain()
{
    while (!m_events.empty()) {
        const auto [runId, event] = std::move(m_events.front());
        m_events.pop_front();
        tell(runId, event);
    }
}

RunContext *Batch::context(std::int64_t runId)
{
    if (const auto known = m_state.runs.find(runId); known != m_state.runs.end())
        return known->second.get();
    auto loaded = loadContext(m_connection, m_secrets, m_state.plans, runId);
    if (!loaded) {
        if (loaded.error().code == ErrorCode::NotFound)
            return nullptr;
        throw store::SqlError(loaded.error());
    }
    return m_state.runs.emplace(runId, std::move(*loaded)).first->second.get();
}

Status Batch::happen(std::int64_t runId, const RunEvent &event)
{
    RunContext *one = context(runId);
    if (!one)
        return {ErrorCode::NotFound, fmt::format("run {} is unknown", runId)};
    m_touched.insert(runId);
    Decision decision = decide(one->snapshot, event, m_now);
    if (decision.refused)
        return *decision.refused;
    write(*one, decision.changes);
    for (const Action &action : decision.actions)
        act(action);
    for (const ResolveStage &query : decision.queries)
        resolve(*one, query);
    return {};
}

void Batch::tell(std::int64_t runId, const RunEvent &event)
{
    if (!happen(runId, event))
        return;
}

void Batch::write(RunContext &one, std::vector<Change> &changes)
{
    for (Change &change : changes) {
        if (auto *created = std::get_if<JobCreated>(&change);
            created && created->row.state == JobState::Queued) {
            auto pool = resolvePool(created->instance->pool, m_state.pools, m_state.images);
            if (pool)
                created->row.poolId = *pool;
            else
                m_events.emplace_back(one.snapshot.run.id,
                                      JobUnassignable{created->row.id, pool.error().message});
        }
        m_writer.write(one, change);
        applyChange(one.snapshot, change);
        noteChange(one, change);
    }
}

void Batch::noteChange(RunContext &one, const Change &change)
{
    const store::RunRow &run = one.snapshot.run;
    if (const auto *created = std::get_if<JobCreated>(&change)) {
        indexJob(m_state, created->row);
    } else if (const auto *job = std::get_if<JobRow>(&change)) {
        indexJob(m_state, *job);
    } else if (const auto *lock = std::get_if<store::LockRow>(&change)) {
        auto &entries = m_state.locks[lock->key()];
        std::erase_if(entries, [&](const LockEntry &e) {
            return e.lock.runId == lock->runId && e.lock.stage == lock->stage &&
                   e.lock.stageAttempt == lock->stageAttempt;
        });
        entries.push_back({*lock, run.pipelineId, run.sourceBranch, run.number});
        m_dirtyLocks.insert(lock->key());
    } else if (const auto *released = std::get_if<LockReleased>(&change)) {
        std::erase_if(m_state.locks[released->lock.key()], [&](const LockEntry &e) {
            return e.lock.runId == released->lock.runId && e.lock.stage == released->lock.stage &&
                   e.lock.stageAttempt == released->lock.stageAttempt;
        });
        m_dirtyLocks.insert(released->lock.key());
    }
}

void Batch::resolve(RunContext &one, const ResolveStage &query)
{
    m_events.emplace_back(one.snapshot.run.id,
                          resolveTargets(m_connection, one, query.stage, m_now));
}

void Batch::act(const Action &action)
{
    if (const auto *cancel = std::get_if<SendCancel>(&action)) {
        outbox.emplace_back(cancel->workerId,
                            schema::protocol::CancelJob{cancel->jobId, cancel->reason});
    } else if (const auto *lost = std::get_if<SendLeaseLost>(&action)) {
        outbox.emplace_back(lost->workerId, schema::protocol::LeaseLost{lost->jobId});
        if (const auto worker = m_state.workers.find(lost->workerId);
            worker != m_state.workers.end())
            worker->second.jobs.erase(lost->jobId);
    }
}

bool Batch::grantLocks()
{
    bool moved = false;
    for (const store::LockKey &key : std::exchange(m_dirtyLocks, {})) {
        const LockDecision decision = grantLock(m_state.locks[key]);
        for (const LockEntry &entry : decision.granted) {
            m_events.emplace_back(entry.lock.runId,
                                  LockGranted{entry.lock.stage, key.environmentId});
            moved = true;
        }
        for (const auto &[entry, by] : decision.superseded) {
            m_events.emplace_back(entry.lock.runId,
                                  LockSuperseded{entry.lock.stage, key.environmentId, by});
            moved = true;
        }
    }
    return moved;
}

bool Batch::assignJobs()
{
    if (m_state.queue.empty())
        return false;
    std::vector<WorkerSlot> slots = workerSlots(m_state);
    if (std::none_of(slots.begin(), slots.end(),
                     [](const WorkerSlot &w) { return w.online && w.enabled && w.busy < w.slots; }))
        return false;
    std::vector<const QueuedJob *> queue;
    queue.reserve(m_state.queue.size());
    for (const auto &[key, job] : m_state.queue)
        queue.push_back(&job);
    bool moved = false;
    for (const Assignment &assignment : assign(queue, std::move(slots))) {
        RunContext *one = context(assignment.runId);
        if (one)
            moved = offer(*one, assignment.jobId, m_state.workers.at(assignment.workerId)) || moved;
    }
    return moved;
}

bool Batch::offer(RunContext &one, const std::string &jobId, ConnectedWorker &worker)
{
    const JobRow &job = one.snapshot.jobs.at(jobId);
    const auto unassignable = [&](const std::string &why) {
        m_events.emplace_back(one.snapshot.run.id, JobUnassignable{jobId, why});
        return true;
    };
    auto instance = instanceOf(one, jobId, m_secrets);
    if (!instance)
        return unassignable("the job cannot be prepared: " + instance.error().message);
    MessageInput input;
    input.snapshot = &one.snapshot;
    input.facts = &one.facts;
    input.job = &job;
    input.instance = instance->get();
    input.serverUrl = worker.serverUrl;
    input.jobToken = store::randomToken();
    store::EnvironmentStore environments(m_connection);
    const store::PhaseRow &phase = one.snapshot.phases.at({job.stage, job.phase});
    if (phase.environmentId != 0)
        input.environment = environments.find(phase.environmentId);
    if (phase.resourceId != 0)
        input.resource = environments.findResource(phase.resourceId);
    if (!one.snapshot.plan->repositories.empty())
        input.repositories = store::RepositoryStore(m_connection).list(one.facts.projectId);
    schema::protocol::JobMessage message = buildMessage(input);
    if (auto known = m_secrets.connectionNames(one.facts.projectId)) {
        for (const std::string &name : connectionsOf(message, *known)) {
            auto connection = m_secrets.serviceConnection(one.facts.projectId, name);
            if (!connection)
                return unassignable("service connection: " + connection.error().message);
            const auto same = [&](const auto &other) { return other.id == connection->id; };
            if (std::none_of(message.connections.begin(), message.connections.end(), same))
                message.connections.push_back(std::move(*connection));
        }
    } else {
        return unassignable("service connections: " + known.error().message);
    }
    const Status assigned =
        happen(one.snapshot.run.id,
               JobAssigned{jobId, worker.row.id, store::tokenHash(input.jobToken), offerEnd()});
    if (!assigned)
        return false;
    worker.jobs.insert(jobId);
    outbox.emplace_back(worker.row.id, schema::protocol::JobOffer{std::move(message)});
    return true;
}

// ---- commands --------------------------------------------------------------------------------

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
    row.planId = schema::randomGuid();
    row.reason = run.reason;
    row.sourceBranch = std::move(run.sourceBranch);
    row.sourceVersion = std::move(run.sourceVersion);
    row.commitMessage = std::move(run.commitMessage);
    row.commitAuthor = std::move(run.commitAuthor);
    row.requestedBy = std::move(run.requestedBy);
    row.parametersJson = textOf(run.parameters);
    row.variablesJson = textOf(run.variables);
    row.stagesToSkip = std::move(run.stagesToSkip);
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

void Batch::take(CompleteJobCommand &command)
{
    Status status;
    const auto job = store::RunStore(m_connection).findJob(command.jobId);
    if (!job) {
        status = Error{ErrorCode::NotFound, fmt::format("job {} is unknown", command.jobId)};
    } else if (!store::sameHash(job->tokenHash, command.tokenHash)) {
        // Ended or taken back by the server, or a stranger: the one who holds the job knows its
        // token.
        status = Error{ErrorCode::Conflict, "leaseLost: the server gave this job up"};
    } else {
        status = happen(job->runId, JobCompleted{command.jobId, std::move(command.completion)});
    }
    replies.emplace_back(
        [reply = command.reply, status = std::move(status)] { reply->set_value(status); });
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
}

void Batch::take(WorkerDownCommand &command)
{
    const auto found = m_state.workers.find(command.workerId);
    if (found == m_state.workers.end())
        return;
    found->second.connected = found->second.ready = false;
    found->second.row.online = false;
    store::WorkerStore(m_connection).setOnline(command.workerId, false, m_now);
    workerNotices.push_back({command.workerId, false});
}

void Batch::take(WorkerFrameCommand &command)
{
    const auto found = m_state.workers.find(command.workerId);
    if (found == m_state.workers.end() || !found->second.connected)
        return;
    std::visit([&](const auto &f) { frame(found->second, f); }, command.frame);
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

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Accepted &accepted)
{
    const auto run = m_state.runOfJob.find(accepted.jobId);
    if (run == m_state.runOfJob.end())
        return; // ended before the news of its beginning came: nothing is left to grant or to take
    tell(run->second, JobAccepted{accepted.jobId, worker.row.id, worker.row.name, leaseEnd()});
}

void Batch::frame(ConnectedWorker &worker, const schema::protocol::Refused &refused)
{
    worker.jobs.erase(refused.jobId);
    const auto run = m_state.runOfJob.find(refused.jobId);
    if (run == m_state.runOfJob.end())
        return;
    tell(run->second, JobRefused{refused.jobId, worker.row.id});
    if (const auto key = m_state.queueKeys.find(refused.jobId); key != m_state.queueKeys.end()) {
        m_state.queue.at(key->second).refusedBy.insert(worker.row.id);
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
    store::WorkerStore workers(m_connection);
    m_state.pools = workers.pools();
    m_state.images = workers.images();
    std::set<std::int64_t> known;
    for (store::WorkerRow &row : workers.workers()) {
        known.insert(row.id);
        m_state.workers[row.id].row = std::move(row);
    }
    std::erase_if(m_state.workers, [&](const auto &entry) { return !known.contains(entry.first); });
    for (auto &[id, one] : m_state.runs)
        loadVariables(*one, m_secrets);
}

void Batch::take(LocksCommand &command)
{
    m_dirtyLocks.insert(command.key);
}

void Batch::take(ExplainCommand &command)
{
    std::vector<Waiting> waiting;
    const std::vector<WorkerSlot> slots = workerSlots(m_state);
    for (const auto &[key, queued] : m_state.queue) {
        if (queued.runId != command.runId)
            continue;
        std::string pool = std::to_string(queued.poolId);
        for (const store::PoolRow &row : m_state.pools) {
            if (row.id == queued.poolId)
                pool = row.name;
        }
        const auto run = m_state.runs.find(queued.runId);
        if (run == m_state.runs.end())
            continue;
        const JobRow &job = run->second->snapshot.jobs.at(queued.jobId);
        Shortage shortage = whyWaiting(queued, pool, slots);
        Waiting one;
        one.kind = "worker";
        one.stage = job.stage;
        one.job = job.displayName;
        one.sentence = std::move(shortage.sentence);
        one.since = job.queuedAt;
        one.pool = std::move(pool);
        one.nearestWorker = std::move(shortage.nearest);
        one.missing = std::move(shortage.missing);
        waiting.push_back(std::move(one));
    }
    replies.emplace_back(
        [reply = command.reply, waiting = std::move(waiting)] { reply->set_value(waiting); });
}

} // namespace server::scheduler
