#include "server/workers/server_worker.h"

#include "server/scheduler/assignment.h"
#include "server/store/server_job_store.h"
#include "server/store/worker_store.h"
#include "server/workers/rest_call.h"

#include <QLoggingCategory>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

namespace server::workers {
namespace {

Q_LOGGING_CATEGORY(lcServerJobs, "server.jobs")

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
namespace protocol = schema::protocol;

constexpr const char *kWorkerName = "server";
constexpr int kSlots = 1000;
constexpr auto kRenewEvery = std::chrono::seconds(protocol::kLeaseSeconds / 3);
/// A deadline is looked at again after this long, should the wall clock be set.
constexpr auto kLongestSleep = std::chrono::seconds(10);

std::span<const std::uint8_t> bytesOf(const std::string &text)
{
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

struct ServerWorker::State : scheduler::WorkerChannel
{
    struct Command
    {
        std::string jobId; ///< empty with an offer
        ServerEvent event;
        std::optional<protocol::JobMessage> offer;
        bool lost = false;
        std::shared_ptr<std::promise<Status>> reply;
    };

    store::Database &database;
    scheduler::Scheduler &scheduler;
    scheduler::SecretSource &secrets;
    JobService &jobs;
    Clock now;
    scheduler::WorkerChannel *others = nullptr;
    std::int64_t workerId = 0;

    std::mutex mutex;
    std::condition_variable changed, callsChanged;
    std::deque<Command> queue;
    std::deque<std::pair<std::string, RestRequest>> calls;
    std::map<std::string, ServerJob> running; ///< guarded as well: pending() reads it
    bool stopping = false;
    std::thread loopThread, callThread;

    State(store::Database &db, scheduler::Scheduler &sched, scheduler::SecretSource &secret,
          JobService &service, Clock clock)
        : database(db)
        , scheduler(sched)
        , secrets(secret)
        , jobs(service)
        , now(std::move(clock))
    {}

    bool send(std::int64_t worker, const protocol::ServerFrame &frame) override
    {
        if (worker != workerId)
            return others != nullptr && others->send(worker, frame);
        if (const auto *offer = std::get_if<protocol::JobOffer>(&frame))
            push({{}, Tick{}, offer->job, false, nullptr});
        else if (const auto *cancel = std::get_if<protocol::CancelJob>(&frame))
            push({cancel->jobId, CancelWanted{cancel->reason}, std::nullopt, false, nullptr});
        else if (const auto *lost = std::get_if<protocol::LeaseLost>(&frame))
            push({lost->jobId, Tick{}, std::nullopt, true, nullptr});
        return true;
    }

    void push(Command command)
    {
        {
            const std::scoped_lock lock(mutex);
            queue.push_back(std::move(command));
        }
        changed.notify_all();
    }

    Status save(const ServerJob &job)
    {
        const auto text = toText(job);
        const auto sealed = secrets.seal(bytesOf(text));
        return database.write([&](Connection &connection) -> Status {
            store::ServerJobStore(connection).put(job.message.jobId, sealed);
            return {};
        });
    }

    void forget(const std::string &jobId)
    {
        const Status removed = database.write([&](Connection &connection) -> Status {
            store::ServerJobStore(connection).remove(jobId);
            return {};
        });
        if (!removed)
            qCWarning(lcServerJobs, "job=%s: %s", jobId.c_str(), removed.error().message.c_str());
        const std::scoped_lock lock(mutex);
        running.erase(jobId);
    }

    /// Lines and records to where those of workers go. False: the job is none of ours any more.
    bool deliver(ServerJob &job, const ServerStep &step)
    {
        const auto &id = job.message.jobId;
        const auto &token = job.message.jobToken;
        if (!step.records.empty()) {
            const auto merged = jobs.mergeRecords(id, token, step.records);
            if (!merged)
                qCWarning(lcServerJobs, "job=%s: %s", id.c_str(), merged.error().message.c_str());
            if (!merged && merged.error().code == ErrorCode::Conflict)
                return false;
        }
        std::map<std::size_t, std::string> texts;
        for (const auto &[index, line] : step.lines)
            texts[index] += schema::toIso8601(now()) + " " + line + "\n";
        for (const auto &[index, text] : texts) {
            const auto appended =
                jobs.appendLog(id, token, stepRecordId(job, index), job.logBytes[index], text);
            if (appended)
                job.logBytes[index] = appended->length;
            else
                qCWarning(lcServerJobs, "log job=%s: %s", id.c_str(),
                          appended.error().message.c_str());
        }
        return true;
    }

    Status apply(const std::string &jobId, const ServerEvent &event)
    {
        ServerJob job;
        {
            const std::scoped_lock lock(mutex);
            const auto found = running.find(jobId);
            if (found == running.end())
                return {ErrorCode::NotFound, "the job does not run any more"};
            job = found->second;
        }
        const auto step = advance(job, event, now());
        if (step.refused)
            return *step.refused;
        const bool silent =
            step.records.empty() && step.lines.empty() && !step.call && !step.completion;
        if (silent)
            return {};
        // On disk before anybody sees it; a call that was begun is known to have been.
        RETURN_IF_ERROR(save(job));
        if (!deliver(job, step)) {
            forget(jobId);
            return {};
        }
        {
            const std::scoped_lock lock(mutex);
            running[jobId] = job;
            if (step.call)
                calls.emplace_back(jobId, *step.call);
        }
        callsChanged.notify_all();
        if (step.completion) {
            const auto completed = jobs.complete(jobId, job.message.jobToken, *step.completion);
            if (!completed && completed.error().code != ErrorCode::Conflict)
                return completed.error();
            forget(jobId);
            scheduler.workerFrame(workerId, protocol::Finished{jobId});
        }
        return {};
    }

    void take(Command &command)
    {
        Status status;
        if (command.offer) {
            ServerJob job;
            job.message = std::move(*command.offer);
            command.jobId = job.message.jobId;
            status = save(job);
            if (status) {
                {
                    const std::scoped_lock lock(mutex);
                    running[command.jobId] = std::move(job);
                }
                scheduler.workerFrame(workerId, protocol::Accepted{command.jobId});
                status = apply(command.jobId, Tick{});
            } else {
                scheduler.workerFrame(workerId,
                                      protocol::Refused{command.jobId, status.error().message});
            }
        } else if (command.lost) {
            forget(command.jobId);
        } else {
            status = apply(command.jobId, command.event);
        }
        if (command.reply)
            command.reply->set_value(status);
        else if (!status)
            qCWarning(lcServerJobs, "job=%s: %s", command.jobId.c_str(),
                      status.error().message.c_str());
    }

    void loop()
    {
        auto renewAt = std::chrono::steady_clock::now() + kRenewEvery;
        while (true) {
            std::optional<Command> command;
            std::vector<std::string> ids;
            {
                std::unique_lock lock(mutex);
                auto sleep = std::chrono::milliseconds(kLongestSleep);
                for (const auto &[id, job] : running) {
                    if (job.due)
                        sleep = std::clamp<std::chrono::milliseconds>(
                            std::chrono::ceil<std::chrono::milliseconds>(*job.due - now()),
                            std::chrono::milliseconds(0), sleep);
                }
                changed.wait_for(lock, sleep, [this] { return stopping || !queue.empty(); });
                if (stopping)
                    return;
                if (!queue.empty()) {
                    command = std::move(queue.front());
                    queue.pop_front();
                }
                for (const auto &[id, job] : running)
                    ids.push_back(id);
            }
            if (command)
                take(*command);
            for (const auto &id : ids) {
                bool over = false;
                {
                    const std::scoped_lock lock(mutex);
                    const auto found = running.find(id);
                    over =
                        found != running.end() && found->second.due && *found->second.due <= now();
                }
                if (over)
                    static_cast<void>(apply(id, Tick{}));
            }
            if (std::chrono::steady_clock::now() >= renewAt) {
                renewAt = std::chrono::steady_clock::now() + kRenewEvery;
                if (!ids.empty())
                    scheduler.workerFrame(workerId, protocol::Renew{ids});
            }
        }
    }

    void callLoop()
    {
        while (true) {
            std::pair<std::string, RestRequest> next;
            {
                std::unique_lock lock(mutex);
                callsChanged.wait(lock, [this] { return stopping || !calls.empty(); });
                if (stopping)
                    return;
                next = std::move(calls.front());
                calls.pop_front();
            }
            push({next.first, CallEnded{restCall(next.second)}, std::nullopt, false, nullptr});
        }
    }
};

ServerWorker::ServerWorker(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ServerWorker::~ServerWorker()
{
    stop();
}

Result<std::unique_ptr<ServerWorker>> ServerWorker::create(store::Database &database,
                                                           scheduler::Scheduler &scheduler,
                                                           scheduler::SecretSource &secrets,
                                                           JobService &jobs, Clock now)
{
    auto state = std::make_unique<State>(database, scheduler, secrets, jobs, std::move(now));
    std::vector<std::pair<std::string, store::Blob>> stored;
    const Status ready = database.write([&](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        const auto pool = workers.findPool(scheduler::kServerPool);
        const auto poolId =
            pool ? pool->id : workers.insertPool(scheduler::kServerPool, state->now());
        if (const auto known = workers.find(poolId, kWorkerName)) {
            state->workerId = known->id;
        } else {
            store::WorkerRow row;
            row.poolId = poolId;
            row.name = kWorkerName;
            row.slots = kSlots;
            row.statusChangedAt = row.createdAt = state->now();
            state->workerId = workers.insert(row);
        }
        stored = store::ServerJobStore(connection).all();
        return {};
    });
    RETURN_IF_ERROR(ready);
    for (const auto &[id, sealed] : stored) {
        ASSIGN_OR_RETURN(const auto plain, secrets.open(sealed));
        ASSIGN_OR_RETURN(auto job, serverJobFromText(std::string(plain.begin(), plain.end())));
        state->running.emplace(id, std::move(job));
    }
    return std::unique_ptr<ServerWorker>(new ServerWorker(std::move(state)));
}

scheduler::WorkerChannel &ServerWorker::channel(scheduler::WorkerChannel &others)
{
    m_state->others = &others;
    return *m_state;
}

Status ServerWorker::start()
{
    State &state = *m_state;
    protocol::Hello hello;
    hello.version = "server";
    hello.slots = kSlots;
    for (const auto &[id, job] : state.running) {
        hello.running.push_back(id);
        state.queue.push_back({id, Tick{}, std::nullopt, false, nullptr});
    }
    state.scheduler.workerConnected(state.workerId, {});
    state.scheduler.workerFrame(state.workerId, std::move(hello));
    state.loopThread = std::thread([&state] { state.loop(); });
    state.callThread = std::thread([&state] { state.callLoop(); });
    return {};
}

void ServerWorker::stop()
{
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->stopping = true;
        for (auto &command : m_state->queue) {
            if (command.reply)
                command.reply->set_value(
                    schema::Error{ErrorCode::Unavailable, "the server is stopping"});
        }
        m_state->queue.clear();
    }
    m_state->changed.notify_all();
    m_state->callsChanged.notify_all();
    if (m_state->loopThread.joinable())
        m_state->loopThread.join();
    if (m_state->callThread.joinable())
        m_state->callThread.join();
}

void ServerWorker::wake()
{
    m_state->changed.notify_all();
}

std::vector<PendingValidation> ServerWorker::pending()
{
    std::vector<PendingValidation> out;
    const std::scoped_lock lock(m_state->mutex);
    for (const auto &[id, job] : m_state->running) {
        if (auto validation = validationOf(job))
            out.push_back({std::move(*validation), job.message.runId, job.message.runNumber,
                           job.message.project, job.message.pipelineName, job.message.stageName,
                           job.message.displayName});
    }
    return out;
}

Status ServerWorker::answer(const std::string &recordId, bool approve, const std::string &byName,
                            const std::string &comment)
{
    std::string jobId;
    {
        const std::scoped_lock lock(m_state->mutex);
        for (const auto &[id, job] : m_state->running) {
            const auto validation = validationOf(job);
            if (validation && validation->recordId == recordId)
                jobId = id;
        }
    }
    if (jobId.empty())
        return {ErrorCode::NotFound, "no validation '" + recordId + "' waits for an answer"};
    auto reply = std::make_shared<std::promise<Status>>();
    auto answer = reply->get_future();
    {
        const std::scoped_lock lock(m_state->mutex);
        if (m_state->stopping)
            return {ErrorCode::Unavailable, "the server is stopping"};
        m_state->queue.push_back(
            {jobId, Answered{recordId, approve, byName, comment}, std::nullopt, false, reply});
    }
    m_state->changed.notify_all();
    return answer.get();
}

} // namespace server::workers
