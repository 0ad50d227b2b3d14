#include "server/scheduler/scheduler.h"

#include "server/events/event_hub.h"
#include "server/logs/log_store.h"
#include "server/scheduler/batch.h"
#include "server/scheduler/loop_state.h"
#include "server/store/token.h"

#include <QLoggingCategory>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace server::scheduler {
namespace {

Q_LOGGING_CATEGORY(lcScheduler, "server.scheduler")

using schema::Error;
using schema::ErrorCode;
using schema::Status;

/// After a commit that failed (disk full), the next attempt comes this much later.
constexpr auto kRetryPause = std::chrono::seconds(1);
/// Commands of one transaction at most, so that callers at the front do not wait for a flood behind
/// them.
constexpr std::size_t kBatchLimit = 256;

const char *noteOf(const Command &command)
{
    return command.index() == 0 ? "create" : "event";
}

struct Refuse
{
    const Error &error;

    template <typename C> void operator()(C &command) const
    {
        if constexpr (requires { command.reply; }) {
            if (command.reply)
                command.reply->set_value(error);
        }
    }
};

} // namespace

struct Scheduler::State
{
    store::Database &database;
    SecretSource &secrets;
    logs::LogStore &logs;
    events::EventHub &events;
    SchedulerOptions options;
    WorkerChannel *channel = nullptr;

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Command> queue;
    bool stopping = false;
    bool running = false;

    LoopState memory; // the loop's thread only
    ClockReading clock;
    bool stale = false;
    std::atomic<std::uint64_t> completed = 0;
    std::jthread thread;

    void loop();
    Status process(std::vector<Command> &commands);
    std::optional<std::chrono::milliseconds> untilDeadline() const;
    void afterCommit(Batch &batch);

    bool push(Command command)
    {
        {
            const std::scoped_lock lock(mutex);
            if (!running || stopping) {
                const Error error{ErrorCode::Unavailable,
                                  "the server is stopping; try again when it is back"};
                std::visit(Refuse{error}, command);
                return false;
            }
            queue.push_back(std::move(command));
        }
        changed.notify_one();
        return true;
    }

    template <typename T, typename C> schema::Result<T> ask(C command)
    {
        command.reply = std::make_shared<std::promise<schema::Result<T>>>();
        auto answer = command.reply->get_future();
        push(std::move(command));
        return answer.get();
    }
};

std::chrono::milliseconds steadyClockNow()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
}

Scheduler::Scheduler(store::Database &database, SecretSource &secrets, logs::LogStore &logs,
                     events::EventHub &events, SchedulerOptions options)
    : m_state(new State{database,
                        secrets,
                        logs,
                        events,
                        std::move(options),
                        nullptr,
                        {},
                        {},
                        {},
                        false,
                        false,
                        {},
                        {},
                        false,
                        0,
                        {}})
{}

Scheduler::~Scheduler()
{
    stop();
}

Status Scheduler::start(WorkerChannel &channel)
{
    State &state = *m_state;
    state.channel = &channel;
    state.clock = {state.options.now(), state.options.steady()};
    const TimePoint now = state.clock.wall;
    const TimePoint grace = now + std::chrono::seconds(state.options.leaseSeconds);
    const Status loaded = state.database.write([&](store::Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        workers.setAllOffline(now);
        // Nobody could renew a lease while the server was down: everybody gets one more to come
        // back.
        workers.extendLeases(grace);
        RETURN_IF_ERROR(loadState(connection, state.secrets, state.memory));
        std::vector<Command> commands;
        commands.reserve(commands.size() + state.memory.runs.size());
        for (const auto &[runId, context] : state.memory.runs)
            commands.emplace_back(RunEventCommand{runId, RunCreated{}, nullptr});
        for (auto &[key, entries] : state.memory.locks)
            commands.emplace_back(LocksCommand{key});
        Batch batch(state.memory, connection, state.secrets, state.options, now);
        batch.run(commands);
        return {};
    });
    RETURN_IF_ERROR(loaded);
    {
        const std::scoped_lock lock(state.mutex);
        state.running = true;
    }
    state.thread = std::jthread([this] { m_state->loop(); });
    return {};
}

void Scheduler::stop()
{
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->stopping = true;
    }
    m_state->changed.notify_all();
    if (m_state->thread.joinable())
        m_state->thread.join();
}

std::optional<std::chrono::milliseconds> Scheduler::State::untilDeadline() const
{
    if (stale)
        return kRetryPause;
    return scheduler::untilDeadline(memory, options.now());
}

void Scheduler::State::loop()
{
    while (true) {
        std::vector<Command> commands;
        {
            std::unique_lock lock(mutex);
            const auto ready = [&] { return stopping || !queue.empty(); };
            if (const auto wait = untilDeadline())
                changed.wait_for(lock, *wait, ready);
            else
                changed.wait(lock, ready);
            if (stopping && queue.empty())
                return;
            const std::size_t count = std::min(queue.size(), kBatchLimit);
            commands.assign(
                std::make_move_iterator(queue.begin()),
                std::make_move_iterator(queue.begin() + static_cast<std::ptrdiff_t>(count)));
            queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
        }
        const Status status = process(commands);
        if (!status) {
            qCWarning(lcScheduler, "commit failed, %zu commands refused (first: %s): %s",
                      commands.size(), commands.empty() ? "timer" : noteOf(commands.front()),
                      status.error().message.c_str());
            for (Command &command : commands)
                std::visit(Refuse{status.error()}, command);
            stale = true;
        }
    }
}

Status Scheduler::State::process(std::vector<Command> &commands)
{
    std::optional<Batch> batch;
    const ClockReading reading{options.now(), options.steady()};
    const auto jump = jumpBetween(clock, reading);
    if (jump.count() != 0)
        qCWarning(lcScheduler, "the wall clock was set by %lld ms; deadlines of jobs move along",
                  static_cast<long long>(jump.count()));
    Status status = database.write([&](store::Connection &connection) -> Status {
        if (stale)
            RETURN_IF_ERROR(loadState(connection, secrets, memory));
        batch.emplace(memory, connection, secrets, options, reading.wall);
        batch->run(commands, jump);
        return {};
    });
    if (!status || !batch)
        return status;
    stale = false;
    clock = reading; // a jump that was not committed is found again
    afterCommit(*batch);
    return {};
}

void Scheduler::State::afterCommit(Batch &batch)
{
    completed += batch.jobsCompleted;
    // Workers first: the next command of a pipeline waits for this.
    for (const auto &[workerId, frame] : batch.outbox)
        channel->send(workerId, frame); // not connected: hello and the lease settle it
    for (const auto &reply : batch.replies)
        reply();
    for (const auto &[runId, change] : batch.changedRuns)
        events.publish("run", change.first,
                       fmt::format(R"({{"runId":{},"changeId":{}}})", runId, change.second));
    for (const Notices::Approval &approval : batch.notices.approvals)
        events.publish("approval", approval.projectId,
                       fmt::format(R"({{"approvalId":"{}","runId":{},"status":"{}"}})", approval.id,
                                   approval.runId, approval.status));
    for (const Notices::Cell &cell : batch.notices.cells)
        events.publish("matrix", cell.projectId,
                       fmt::format(R"({{"serviceId":{},"environmentId":{},"resourceId":{}}})",
                                   cell.serviceId, cell.environmentId, cell.resourceId));
    for (const WorkerNotice &worker : batch.workerNotices)
        events.publish(
            "worker", {},
            fmt::format(R"({{"workerId":{},"online":{}}})", worker.workerId, worker.online));
    for (const Notices::Log &log : batch.notices.sealed) {
        events.publish("log", log.projectId,
                       fmt::format(R"({{"runId":{},"logId":{},"length":{},"sealed":true}})",
                                   log.row.runId, log.row.logId, log.bytes));
    }
}

// ---- calls from other threads ----------------------------------------------------------------

schema::Result<std::int64_t> Scheduler::createRun(NewRun run)
{
    return m_state->ask<std::int64_t>(
        CreateRunCommand{std::make_shared<NewRun>(std::move(run)), nullptr});
}

Status Scheduler::cancelRun(std::int64_t runId, const std::string &identityId)
{
    return m_state->ask<std::monostate>(
        RunEventCommand{runId, CancelRequested{identityId}, nullptr});
}

Status Scheduler::retryStages(std::int64_t runId, const std::vector<std::string> &stages,
                              bool allJobs, const std::string &identityId)
{
    return m_state->ask<std::monostate>(
        RunEventCommand{runId, RetryRequested{stages, allJobs, identityId}, nullptr});
}

Status Scheduler::startStage(std::int64_t runId, const std::string &stage,
                             const std::string &identityId)
{
    return m_state->ask<std::monostate>(
        RunEventCommand{runId, StageStarted{stage, identityId}, nullptr});
}

Status Scheduler::cancelStage(std::int64_t runId, const std::string &stage,
                              const std::string &identityId)
{
    return m_state->ask<std::monostate>(
        RunEventCommand{runId, StageCancelRequested{stage, identityId}, nullptr});
}

Status Scheduler::cancelJob(std::int64_t runId, const std::string &jobId,
                            const std::string &identityId)
{
    return m_state->ask<std::monostate>(
        RunEventCommand{runId, JobCancelRequested{jobId, identityId}, nullptr});
}

Status Scheduler::retryJob(std::int64_t runId, const std::string &jobId,
                           const std::string &identityId)
{
    return m_state->ask<std::monostate>(
        RunEventCommand{runId, JobRetryRequested{jobId, identityId}, nullptr});
}

Status Scheduler::setPriority(std::int64_t runId, schema::RunPriority priority)
{
    return m_state->ask<std::monostate>(PriorityCommand{runId, priority, nullptr});
}

Status Scheduler::rename(std::int64_t runId, std::string number)
{
    return m_state->ask<std::monostate>(RenameCommand{runId, std::move(number), nullptr});
}

Status Scheduler::decideApproval(const std::string &approvalId, const std::string &identityId,
                                 bool approve, const std::string &comment)
{
    return m_state->ask<std::monostate>(
        DecideApprovalCommand{approvalId, identityId, approve, comment, nullptr});
}

schema::Result<bool> Scheduler::deliver(JobDelivery delivery)
{
    return m_state->ask<bool>(
        DeliverCommand{std::make_shared<JobDelivery>(std::move(delivery)), nullptr});
}

void Scheduler::workerConnected(std::int64_t workerId, std::string serverUrl)
{
    m_state->push(WorkerUpCommand{workerId, std::move(serverUrl)});
}

void Scheduler::workerDisconnected(std::int64_t workerId)
{
    m_state->push(WorkerDownCommand{workerId});
}

void Scheduler::workerFrame(std::int64_t workerId, schema::protocol::WorkerFrame frame)
{
    m_state->push(WorkerFrameCommand{workerId, std::move(frame)});
}

void Scheduler::configurationChanged()
{
    m_state->push(ConfigurationCommand{});
}

void Scheduler::jobSeen(const std::string &jobId)
{
    m_state->push(JobSeenCommand{jobId});
}

std::uint64_t Scheduler::jobsCompleted() const
{
    return m_state->completed;
}

schema::Result<std::vector<Waiting>> Scheduler::waitingForWorkers(std::int64_t runId)
{
    return m_state->ask<std::vector<Waiting>>(ExplainCommand{runId, nullptr});
}

} // namespace server::scheduler
