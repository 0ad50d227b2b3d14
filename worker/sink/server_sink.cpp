#include "worker/sink/server_sink.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr auto kFirstPause = 100ms;
constexpr auto kLongestPause = 30'000ms;
/// While lines keep coming they are sent in batches this far apart; the first one leaves at once.
constexpr auto kBatchPause = 20ms;
/// News of records alone wait this long for company: most steps that begin end soon.
constexpr auto kRecordPause = 10ms;
constexpr auto kWaitSlice = 250ms;
constexpr std::size_t kRecordsPerCall = 100;
/// Bytes of a log kept in memory until they are acknowledged.
constexpr std::size_t kRecentBytes = 256U << 10U;
/// So many more acknowledged bytes of a log give their room on the disk back: a flood of output
/// needs room for what the server has not, not for all of it.
constexpr std::uint64_t kForgetBytes = 16U << 20U;

/// The server says that this job is none of ours any more.
bool isGone(const HttpReply &reply)
{
    if (reply.status == 401 || reply.status == 403)
        return true;
    if (reply.status != 409 && reply.status != 404)
        return false;
    const auto json = Json::parse(reply.body, nullptr, false);
    return json.is_object() && json.contains("code") && json["code"] == "leaseLost";
}

/// Into the log of the job processes, for whoever looks after the worker.
void complain(const Spool &spool, const char *what, const schema::Error &error)
{
    if (error.code != ErrorCode::Canceled)
        std::fprintf(stderr, "job %s: %s: %s\n", spool.folder().filename().c_str(), what,
                     error.message.c_str());
}

/// Later members win, as the server would have it.
void mergeInto(schema::protocol::RecordUpdate &into, const schema::protocol::RecordUpdate &update)
{
    const auto take = [](auto &member, const auto &newer) {
        if (newer)
            member = newer;
    };
    into.parentId = update.parentId;
    into.type = update.type;
    into.sequence = update.sequence;
    take(into.name, update.name);
    take(into.refName, update.refName);
    take(into.currentOperation, update.currentOperation);
    take(into.workerName, update.workerName);
    take(into.order, update.order);
    take(into.percentComplete, update.percentComplete);
    take(into.state, update.state);
    take(into.result, update.result);
    take(into.startTime, update.startTime);
    take(into.finishTime, update.finishTime);
    take(into.issues, update.issues);
    take(into.errorCount, update.errorCount);
    take(into.warningCount, update.warningCount);
    take(into.taskId, update.taskId);
    take(into.taskName, update.taskName);
    take(into.taskVersion, update.taskVersion);
}

schema::Error gone()
{
    return {ErrorCode::Canceled, "the server gave this job up"};
}

} // namespace

Result<std::unique_ptr<ServerSink>> ServerSink::create(Spool &spool,
                                                       const schema::protocol::JobMessage &message,
                                                       StopSignal &stop,
                                                       const std::string &authorityFile)
{
    ASSIGN_OR_RETURN(auto delivery,
                     HttpClient::create(message.serverUrl, message.jobToken, authorityFile));
    ASSIGN_OR_RETURN(auto calls,
                     HttpClient::create(message.serverUrl, message.jobToken, authorityFile));
    return std::unique_ptr<ServerSink>(
        new ServerSink(spool, stop, "/_apis/slipway/jobs/" + pathSegment(message.jobId) + "/",
                       std::move(delivery), std::move(calls)));
}

ServerSink::ServerSink(Spool &spool, StopSignal &stop, std::string base,
                       std::unique_ptr<HttpClient> delivery, std::unique_ptr<HttpClient> calls)
    : m_spool(spool)
    , m_stop(stop)
    , m_base(std::move(base))
    , m_delivery(std::move(delivery))
    , m_calls(std::move(calls))
{}

ServerSink::~ServerSink()
{
    {
        const std::lock_guard lock(m_mutex);
        m_quit = true;
    }
    m_wake.notify_all();
    if (m_thread.joinable())
        m_thread.join();
}

void ServerSink::noteFailure(Status status)
{
    if (status || !m_health)
        return;
    m_health = std::move(status);
    m_stop.request(StopReason::Canceled);
}

void ServerSink::record(const schema::protocol::RecordUpdate &update)
{
    noteFailure(m_spool.appendRecord(update));
    {
        const std::lock_guard lock(m_mutex);
        const auto known = std::find_if(m_records.begin(), m_records.end(),
                                        [&](const auto &other) { return other.id == update.id; });
        if (known == m_records.end())
            m_records.push_back(update);
        else
            mergeInto(*known, update);
        m_last = update;
        m_news = true;
    }
}

Status ServerSink::confirm()
{
    std::unique_lock lock(m_mutex);
    m_drained.wait(lock, [this] { return !m_sending; });
    if (m_lost)
        return gone();
    auto batch = take();
    if (!batch)
        return std::move(batch).error();
    // A repeated record is harmless, and an answer is what this is about.
    if (batch->delivery.records.empty() && m_last)
        batch->delivery.records.push_back(*m_last);
    m_sending = true;
    lock.unlock();
    auto answer = send(*batch, Patience::UntilCanceled);
    lock.lock();
    m_sending = false;
    m_drained.notify_all();
    m_wake.notify_all();
    if (!answer) {
        putBack(std::move(*batch));
        return std::move(answer).error();
    }
    return {};
}

bool ServerSink::endsPatience(Patience patience) const
{
    const StopReason reason = m_stop.reason();
    return reason == StopReason::LeaseLost ||
           (patience == Patience::UntilCanceled && reason != StopReason::None);
}

void ServerSink::log(const std::string &recordId, std::string_view bytes)
{
    if (!m_health)
        return;
    if (auto status = m_spool.appendLog(recordId, bytes); !status) {
        noteFailure(std::move(status));
        return;
    }
    bool wake = false;
    {
        const std::lock_guard lock(m_mutex);
        Log &entry = m_logs[recordId];
        entry.written += bytes.size();
        entry.hasRecent = entry.hasRecent && entry.recent.size() + bytes.size() <= kRecentBytes;
        if (entry.hasRecent)
            entry.recent += bytes;
        else
            entry.recent.clear();
        m_dirty.insert(recordId);
        m_printed = true;
        // A flood without a pause still moves on.
        wake = entry.written - entry.acknowledged > schema::protocol::kMaxLogChunkBytes / 4;
        m_urgent |= wake;
    }
    if (wake)
        m_wake.notify_one();
}

void ServerSink::flush()
{
    {
        const std::lock_guard lock(m_mutex);
        const bool printed = std::exchange(m_printed, false);
        const bool news = std::exchange(m_news, false);
        if (isEmpty())
            return;
        // What a running command printed is waited for; the begin and end of a step can wait for
        // what follows at once.
        m_urgent = m_urgent || (printed && !news);
        if (!m_thread.joinable())
            m_thread = std::thread([this] { background(); });
    }
    m_wake.notify_one();
}

bool ServerSink::wait(std::chrono::milliseconds pause, Patience patience)
{
    // In slices, because a lost lease arrives as a signal that no condition variable hears.
    const auto until = Clock::now() + pause;
    std::unique_lock lock(m_mutex);
    while (Clock::now() < until) {
        if (m_lost || m_quit || endsPatience(patience))
            return false;
        m_wake.wait_until(lock, std::min(until, Clock::now() + kWaitSlice),
                          [this] { return m_lost || m_quit; });
    }
    return !m_lost && !m_quit;
}

Result<HttpReply> ServerSink::insist(const std::function<Result<HttpReply>()> &attempt,
                                     Patience patience)
{
    std::chrono::milliseconds pause = kFirstPause;
    while (true) {
        if (endsPatience(patience))
            return gone();
        auto reply = attempt();
        if (reply && isGone(*reply)) {
            {
                const std::lock_guard lock(m_mutex);
                m_lost = true;
            }
            m_wake.notify_all();
            m_drained.notify_all();
            m_stop.request(StopReason::LeaseLost);
            return gone();
        }
        const bool tryAgain =
            reply ? (reply->status >= 500 && reply->status != 507) || reply->status == 429
                  : reply.error().code == ErrorCode::Unavailable;
        if (!tryAgain)
            return reply;
        if (!wait(pause, patience))
            return gone();
        pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
    }
}

Result<ServerSink::Batch> ServerSink::take()
{
    Batch batch;
    const std::size_t count = std::min(m_records.size(), kRecordsPerCall);
    const auto end = m_records.begin() + static_cast<std::ptrdiff_t>(count);
    batch.delivery.records.assign(std::make_move_iterator(m_records.begin()),
                                  std::make_move_iterator(end));
    m_records.erase(m_records.begin(), end);
    std::size_t room = schema::protocol::kMaxLogChunkBytes;
    // A log comes after the record it belongs to. The first is the one behind that which filled the
    // delivery before: a log without pauses leaves the others their turn.
    auto at = m_dirty.upper_bound(m_filledBy);
    for (auto left = m_dirty.size(); left > 0 && room > 0 && m_records.empty(); --left) {
        if (at == m_dirty.end())
            at = m_dirty.begin();
        Log &entry = m_logs[*at];
        std::string bytes;
        if (entry.hasRecent) {
            bytes = entry.recent.substr(0, room);
        } else {
            const auto wanted = std::min<std::uint64_t>(room, entry.written - entry.acknowledged);
            auto read = m_spool.readLog(*at, entry.acknowledged, static_cast<std::size_t>(wanted));
            if (!read) {
                putBack(std::move(batch));
                return std::move(read).error();
            }
            bytes = std::move(*read);
        }
        const bool whole = entry.acknowledged + bytes.size() >= entry.written;
        room -= bytes.size();
        if (!bytes.empty())
            batch.delivery.logs.push_back({*at, entry.acknowledged, std::move(bytes)});
        if (!whole)
            m_filledBy = *at;
        at = whole ? m_dirty.erase(at) : std::next(at);
    }
    batch.more = !isEmpty();
    return batch;
}

void ServerSink::putBack(Batch batch)
{
    // What was reported meanwhile is newer.
    for (auto &update : batch.delivery.records) {
        const auto known = std::find_if(m_records.begin(), m_records.end(),
                                        [&](const auto &other) { return other.id == update.id; });
        if (known != m_records.end()) {
            mergeInto(update, *known);
            m_records.erase(known);
        }
    }
    m_records.insert(m_records.begin(), std::make_move_iterator(batch.delivery.records.begin()),
                     std::make_move_iterator(batch.delivery.records.end()));
    for (const auto &piece : batch.delivery.logs)
        m_dirty.insert(piece.recordId);
}

Result<schema::protocol::Delivered> ServerSink::send(const Batch &batch, Patience patience)
{
    const auto body = encode(batch.delivery);
    ASSIGN_OR_RETURN(const auto reply, insist(
                                           [&] {
                                               return m_delivery->call("POST", m_base + "deliver",
                                                                       body,
                                                                       "application/octet-stream");
                                           },
                                           patience));
    if (!reply.ok())
        return replyError(reply);
    ASSIGN_OR_RETURN(auto answer,
                     schema::protocol::deliveredFromJson(Json::parse(reply.body, nullptr, false)));
    if (answer.lengths.size() != batch.delivery.logs.size())
        return {ErrorCode::Internal, "the server's answer does not fit the delivery"};
    std::unique_lock lock(m_mutex);
    std::vector<std::pair<std::string, std::uint64_t>> forget;
    for (std::size_t i = 0; i < answer.lengths.size(); ++i) {
        const auto &piece = batch.delivery.logs[i];
        Log &entry = m_logs[piece.recordId];
        const std::uint64_t length = answer.lengths[i];
        if (entry.hasRecent && length >= entry.acknowledged &&
            length - entry.acknowledged <= entry.recent.size())
            entry.recent.erase(0, static_cast<std::size_t>(length - entry.acknowledged));
        else
            entry.hasRecent = false;
        entry.acknowledged = length;
        if (!entry.hasRecent && entry.acknowledged >= entry.written) {
            entry.hasRecent = true; // from here on it is kept again
            entry.recent.clear();
        }
        // What an earlier process left is asked for from its begin; the server knows how much it
        // has.
        if (entry.acknowledged < entry.written)
            m_dirty.insert(piece.recordId);
        if (entry.acknowledged >= entry.forgotten + kForgetBytes) {
            entry.forgotten = entry.acknowledged;
            forget.emplace_back(piece.recordId, entry.acknowledged);
        }
    }
    lock.unlock();
    for (const auto &[recordId, length] : forget)
        m_spool.forgetLog(recordId, length);
    return answer;
}

void ServerSink::background()
{
    std::unique_lock lock(m_mutex);
    while (true) {
        m_wake.wait(
            lock, [this] { return m_lost || m_quit || m_finishing || (!m_sending && !isEmpty()); });
        if (m_lost || m_quit || m_finishing)
            return;
        m_wake.wait_for(lock, kRecordPause,
                        [this] { return m_urgent || m_finishing || m_lost || m_quit; });
        if (m_lost || m_quit || m_finishing)
            return;
        if (m_sending)
            continue; // the job's own thread took it meanwhile
        m_urgent = false;
        auto batch = take();
        if (!batch)
            return complain(m_spool, "the log", batch.error()); // complete() tries once more
        m_sending = true;
        lock.unlock();
        // What the server refuses for good cannot be mended by trying again; the rest goes on.
        if (const auto answer = send(*batch, Patience::UntilGivenUp); !answer)
            complain(m_spool, "a delivery", answer.error());
        lock.lock();
        m_sending = false;
        m_drained.notify_all();
        if (!batch->more)
            m_wake.wait_for(lock, kBatchPause, [this] { return m_finishing || m_lost || m_quit; });
    }
}

Status ServerSink::complete(const schema::protocol::JobCompletion &completion)
{
    RETURN_IF_ERROR(m_spool.writeCompletion(completion));
    std::unique_lock lock(m_mutex);
    m_finishing = true;
    m_wake.notify_all();
    m_drained.wait(lock, [this] { return m_lost || !m_sending; });
    while (!m_lost) {
        auto batch = take();
        if (!batch) {
            complain(m_spool, "the log", batch.error());
            batch = Batch(); // a folder that cannot be read any more must not keep the job open
        }
        if (!batch->more)
            batch->delivery.completion = completion;
        lock.unlock();
        auto answer = send(*batch, Patience::UntilGivenUp);
        lock.lock();
        if (answer && answer->completed)
            return {};
        if (answer && batch->delivery.completion && isEmpty())
            return {ErrorCode::Internal, "the server took everything but the end of the job"};
        if (!answer && !batch->delivery.completion) {
            complain(m_spool, "a delivery",
                     answer.error()); // refused for good; the end is still to be said
            continue;
        }
        if (!answer && batch->delivery.records.empty() && batch->delivery.logs.empty())
            return std::move(answer).error();
        if (!answer)
            complain(m_spool, "the last delivery",
                     answer.error()); // once more without what was refused
    }
    return gone();
}

void ServerSink::adopt(const Spool::Left &left)
{
    const std::lock_guard lock(m_mutex);
    for (const auto &update : left.records) {
        const auto known = std::find_if(m_records.begin(), m_records.end(),
                                        [&](const auto &other) { return other.id == update.id; });
        if (known == m_records.end())
            m_records.push_back(update);
        else
            mergeInto(*known, update);
    }
    // From the beginning: what the server has already, it skips, and it answers how much that is.
    for (const auto &recordId : left.logIds) {
        m_logs[recordId].written = m_spool.logLength(recordId);
        m_logs[recordId].hasRecent = false;
        m_dirty.insert(recordId);
    }
}

} // namespace worker
