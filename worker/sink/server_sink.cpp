#include "worker/sink/server_sink.h"

#include "worker/artifact/archive_stream.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr auto kFirstPause = 100ms;
constexpr auto kLongestPause = 30'000ms;
/// While lines keep coming they are sent in batches this far apart; the first one leaves at once.
constexpr auto kBatchPause = 20ms;
constexpr auto kWaitSlice = 250ms;
constexpr std::size_t kRecordsPerCall = 100;

std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

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

/// Into the job process's own log, for whoever looks after the worker.
void complain(const std::string &what, const Status &status)
{
    if (!status && status.error().code != ErrorCode::Canceled)
        std::fprintf(stderr, "%s: %s\n", what.c_str(), status.error().message.c_str());
}

schema::Error gone()
{
    return {ErrorCode::Canceled, "the server gave this job up"};
}

schema::Error replyError(const HttpReply &reply)
{
    ErrorCode code = ErrorCode::InvalidArgument;
    if (reply.status == 404)
        code = ErrorCode::NotFound;
    else if (reply.status == 409)
        code = ErrorCode::AlreadyExists;
    else if (reply.status == 413 || reply.status == 507)
        code = ErrorCode::LimitExceeded;
    return {code, replyMessage(reply)};
}

} // namespace

Result<std::unique_ptr<ServerSink>>
ServerSink::create(Spool &spool, const schema::protocol::JobMessage &message, StopSignal &stop)
{
    ASSIGN_OR_RETURN(auto delivery, HttpClient::create(message.serverUrl, message.jobToken));
    ASSIGN_OR_RETURN(auto calls, HttpClient::create(message.serverUrl, message.jobToken));
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
    , m_thread([this] { deliver(); })
{}

ServerSink::~ServerSink()
{
    {
        const std::lock_guard lock(m_mutex);
        m_quit = true;
    }
    m_wake.notify_all();
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
    const std::lock_guard lock(m_mutex);
    m_records.push_back(update);
    m_last = update;
}

Status ServerSink::confirm()
{
    // What waits to be sent goes now and by this thread; a repeated record is harmless.
    std::vector<schema::protocol::RecordUpdate> updates;
    std::size_t taken = 0;
    {
        const std::lock_guard lock(m_mutex);
        updates.assign(m_records.begin(), m_records.end());
        taken = updates.size();
        m_records.clear();
        if (updates.empty() && m_last)
            updates.push_back(*m_last);
    }
    auto status = sendRecords(*m_calls, updates, Patience::UntilCanceled);
    if (!status) {
        const std::lock_guard lock(m_mutex);
        m_records.insert(m_records.begin(), updates.begin(),
                         updates.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    return status;
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
        m_dirty.insert(recordId);
        // A flood without a pause still moves on.
        wake = entry.written - entry.acknowledged > schema::protocol::kMaxLogChunkBytes / 4;
        m_pending |= wake;
    }
    if (wake)
        m_wake.notify_one();
}

void ServerSink::flush()
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_records.empty() && m_dirty.empty())
            return;
        m_pending = true;
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

template <typename Attempt> Result<HttpReply> ServerSink::insist(Attempt attempt, Patience patience)
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

Status ServerSink::sendRecords(HttpClient &client,
                               const std::vector<schema::protocol::RecordUpdate> &updates,
                               Patience patience)
{
    for (std::size_t at = 0; at < updates.size(); at += kRecordsPerCall) {
        Json list = Json::array();
        for (std::size_t i = at; i < std::min(updates.size(), at + kRecordsPerCall); ++i)
            list.push_back(toJson(updates[i]));
        const auto body = dump({{"records", std::move(list)}});
        ASSIGN_OR_RETURN(
            const auto reply,
            insist([&] { return client.call("PATCH", m_base + "records", body); }, patience));
        if (!reply.ok())
            return replyError(reply);
    }
    return {};
}

Status ServerSink::sendLog(const std::string &recordId)
{
    while (true) {
        std::uint64_t offset = 0;
        {
            const std::lock_guard lock(m_mutex);
            offset = m_logs[recordId].acknowledged;
        }
        ASSIGN_OR_RETURN(const auto bytes,
                         m_spool.readLog(recordId, offset, schema::protocol::kMaxLogChunkBytes));
        if (bytes.empty())
            return {};
        ASSIGN_OR_RETURN(const auto reply, insist([&] {
                             return m_delivery->call("POST",
                                                     m_base + "logs/" + pathSegment(recordId) +
                                                         "?offset=" + std::to_string(offset),
                                                     bytes, "application/octet-stream");
                         }));
        const auto json = Json::parse(reply.body, nullptr, false);
        const bool hasLength =
            json.is_object() && json.contains("length") && json["length"].is_number_unsigned();
        if (!reply.ok() && !(reply.status == 409 && hasLength))
            return replyError(reply);
        const std::uint64_t length =
            hasLength ? json["length"].get<std::uint64_t>() : offset + bytes.size();
        const std::lock_guard lock(m_mutex);
        if (length == offset)
            return {ErrorCode::Internal, "the server took nothing of a log"};
        m_logs[recordId].acknowledged = length;
    }
}

void ServerSink::deliver()
{
    std::unique_lock lock(m_mutex);
    while (true) {
        m_busy = false;
        if (m_records.empty() && m_dirty.empty())
            m_drained.notify_all();
        m_wake.wait(lock, [this] {
            return m_lost || m_quit ||
                   ((m_pending || m_finishing) && !(m_records.empty() && m_dirty.empty()));
        });
        if (m_lost || m_quit)
            return;
        m_busy = true;
        m_pending = false;
        const std::vector<schema::protocol::RecordUpdate> records(m_records.begin(),
                                                                  m_records.end());
        m_records.clear();
        const auto dirty = std::exchange(m_dirty, {});
        const bool finishing = m_finishing;
        lock.unlock();
        // What the server refuses for good cannot be mended by trying again; the rest goes on.
        complain("records", sendRecords(*m_delivery, records, Patience::UntilGivenUp));
        for (const auto &recordId : dirty)
            complain("the log " + recordId, sendLog(recordId));
        lock.lock();
        if (!finishing && !m_finishing)
            m_wake.wait_for(lock, kBatchPause, [this] { return m_finishing || m_lost || m_quit; });
    }
}

Status ServerSink::callWithBody(const std::string &path, const std::string &body)
{
    ASSIGN_OR_RETURN(const auto reply,
                     insist([&] { return m_calls->call("POST", m_base + path, body); }));
    if (!reply.ok())
        return replyError(reply);
    return {};
}

Result<ArtifactInfo> ServerSink::publishArtifact(const std::string &name, const fs::path &path)
{
    ArtifactInfo info;
    ASSIGN_OR_RETURN(const auto reply, insist([&]() {
                         return m_calls->upload("PUT", m_base + "artifacts/" + pathSegment(name),
                                                "application/zstd",
                                                [&](std::ostream &out) -> Status {
                                                    ASSIGN_OR_RETURN(info, packArtifact(path, out));
                                                    return {};
                                                });
                     }));
    if (!reply.ok())
        return replyError(reply);
    info.name = name;
    return info;
}

Result<std::vector<std::string>> ServerSink::artifacts()
{
    return artifactNames("artifacts");
}

Result<std::vector<std::string>> ServerSink::artifactsOf(std::int64_t runId)
{
    return artifactNames("runs/" + std::to_string(runId) + "/artifacts");
}

Result<std::vector<std::string>> ServerSink::artifactNames(const std::string &path)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] { return m_calls->call("GET", m_base + path); }));
    if (!reply.ok())
        return replyError(reply);
    auto json = Json::parse(reply.body, nullptr, false);
    if (json.is_object() && json.contains("value"))
        json = Json(json["value"]);
    if (json.is_object() && json.contains("artifacts"))
        json = Json(json["artifacts"]);
    if (!json.is_array())
        return {ErrorCode::InvalidArgument, "the server's list of artifacts is no list"};
    std::vector<std::string> names;
    for (const auto &entry : json) {
        if (entry.is_string())
            names.push_back(entry.get<std::string>());
        else if (entry.is_object() && entry.contains("name") && entry["name"].is_string())
            names.push_back(entry["name"].get<std::string>());
    }
    return names;
}

Result<ArtifactInfo>
ServerSink::downloadArtifact(const std::string &name, const fs::path &target,
                             const std::function<bool(const std::string &path)> &wanted)
{
    return fetchArtifact("artifacts/", name, target, wanted);
}

Result<ArtifactInfo>
ServerSink::downloadArtifactOf(std::int64_t runId, const std::string &name, const fs::path &target,
                               const std::function<bool(const std::string &path)> &wanted)
{
    return fetchArtifact("runs/" + std::to_string(runId) + "/artifacts/", name, target, wanted);
}

Result<ArtifactInfo>
ServerSink::fetchArtifact(const std::string &path, const std::string &name, const fs::path &target,
                          const std::function<bool(const std::string &path)> &wanted)
{
    ArtifactInfo info;
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->download(
                             m_base + path + pathSegment(name), [&](std::istream &in) -> Status {
                                 ASSIGN_OR_RETURN(info, unpackArtifact(in, target, wanted));
                                 return {};
                             });
                     }));
    if (reply.status == 404)
        return {ErrorCode::NotFound, "the run has no artifact '" + name + "'"};
    if (!reply.ok())
        return replyError(reply);
    info.name = name;
    return info;
}

Status ServerSink::publishTestRun(const schema::protocol::TestRunUpload &run)
{
    return callWithBody("testruns", dump(toJson(run)));
}

Status ServerSink::publishCoverage(const schema::protocol::CoverageUpload &coverage)
{
    return callWithBody("coverage", dump(toJson(coverage)));
}

Result<schema::protocol::RunFound> ServerSink::findRun(const schema::protocol::RunQuery &query)
{
    const auto body = dump(toJson(query));
    ASSIGN_OR_RETURN(const auto reply,
                     insist([&] { return m_calls->call("POST", m_base + "runs/find", body); }));
    if (!reply.ok())
        return replyError(reply);
    return schema::protocol::runFoundFromJson(Json::parse(reply.body, nullptr, false));
}

Status ServerSink::secureFile(const std::string &name, const fs::path &target)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->download(m_base + "securefiles/" + pathSegment(name),
                                                  [&target](std::istream &in) -> Status {
                                                      const std::string bytes{
                                                          std::istreambuf_iterator<char>(in), {}};
                                                      return writeFile(target, bytes, 0600);
                                                  });
                     }));
    if (!reply.ok())
        return replyError(reply);
    return {};
}

Status ServerSink::publishImage(const schema::protocol::PushedImage &image)
{
    return callWithBody("images", dump(toJson(image)));
}

Status ServerSink::publishDeployed(const std::vector<schema::protocol::DeployedItem> &items)
{
    Json list = Json::array();
    for (const auto &item : items)
        list.push_back(toJson(item));
    return callWithBody("deployed", dump({{"items", std::move(list)}}));
}

Status ServerSink::attach(const std::string &recordId, const std::string &type,
                          const std::string &name, const fs::path &path)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->upload(
                             "PUT",
                             m_base + "attachments/" + pathSegment(recordId) + "/" +
                                 pathSegment(type) + "/" + pathSegment(name),
                             "application/octet-stream", [&path](std::ostream &out) -> Status {
                                 std::ifstream in(path, std::ios::binary);
                                 if (!in)
                                     return {ErrorCode::Io, "read '" + path.string() + "'"};
                                 if (in.peek() != std::ifstream::traits_type::eof())
                                     out << in.rdbuf();
                                 return {};
                             });
                     }));
    if (!reply.ok())
        return replyError(reply);
    return {};
}

Status ServerSink::updateRun(const std::vector<std::string> &addTags, const std::string &runNumber)
{
    Json body = {{"addTags", addTags}};
    if (!runNumber.empty())
        body["runNumber"] = runNumber;
    return callWithBody("run", dump(body));
}

Status ServerSink::complete(const schema::protocol::JobCompletion &completion)
{
    RETURN_IF_ERROR(m_spool.writeCompletion(completion));
    {
        std::unique_lock lock(m_mutex);
        m_finishing = true;
        m_wake.notify_all();
        m_drained.wait(
            lock, [this] { return m_lost || (!m_busy && m_records.empty() && m_dirty.empty()); });
        if (m_lost)
            return gone();
    }
    return callWithBody("complete", dump(toJson(completion)));
}

Status ServerSink::adoptSpool()
{
    ASSIGN_OR_RETURN(const auto records, m_spool.readRecords());
    const std::lock_guard lock(m_mutex);
    m_records.insert(m_records.end(), records.begin(), records.end());
    // From the beginning: what the server has already, it skips, and it answers how much that is.
    for (const auto &recordId : m_spool.logIds()) {
        m_logs[recordId].written = 1;
        m_dirty.insert(recordId);
    }
    return {};
}

} // namespace worker
