#include "worker/sink/spool.h"

#include "worker/base/text.h"
#include "worker/sink/journal.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;

/// So much of one log, and of all logs of a job, stands in the journal. It is kept in memory, too.
constexpr std::size_t kHeadBytes = 4U << 10U;
constexpr std::size_t kHeadsBytes = 512U << 10U;
constexpr std::size_t kMostJournalBytes = 512U << 20U;
/// Open files of long logs; they are opened again when needed.
constexpr std::size_t kMostOpenFiles = 16;
constexpr const char *kMessageFile = "job.json";
constexpr const char *kJournalFile = "journal";
constexpr const char *kPidFile = "pid";
constexpr std::string_view kLogPrefix = "log-";

std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

UniqueFd openAppend(const fs::path &path)
{
    return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

/// Start time of a process in clock ticks since boot: with the pid it names one process for good.
std::string startTime(int pid)
{
    const auto stat = readFile("/proc/" + std::to_string(pid) + "/stat", 1U << 16U);
    if (!stat)
        return {};
    const auto end = stat->rfind(')');
    if (end == std::string::npos)
        return {};
    const auto fields = listEntries(std::string_view(*stat).substr(end + 1), " ");
    if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X")
        return {};
    return fields[19];
}

} // namespace

Spool::Spool(fs::path folder)
    : m_folder(std::move(folder))
{}

Status Spool::create(const fs::path &folder, const schema::protocol::JobMessage &message)
{
    RETURN_IF_ERROR(makeDirectories(folder));
    std::error_code ignored;
    fs::permissions(folder, fs::perms::owner_all, ignored);
    return writeFile(folder / kMessageFile, dump(toJson(message)), 0600);
}

Status Spool::remove(const fs::path &folder)
{
    ::unlink((folder / kMessageFile).c_str());
    return removeTree(folder);
}

fs::path Spool::logFile(const std::string &recordId) const
{
    return m_folder / (std::string(kLogPrefix) + recordId);
}

Result<schema::protocol::JobMessage> Spool::readMessage() const
{
    const auto path = m_folder / kMessageFile;
    ASSIGN_OR_RETURN(const auto text, readFile(path));
    const auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
        return {ErrorCode::InvalidArgument, "'" + path.string() + "' is no job message"};
    return schema::protocol::jobMessageFromJson(json);
}

Status Spool::openJournal()
{
    if (m_journal)
        return {};
    const auto path = m_folder / kJournalFile;
    m_journal = openAppend(path);
    return m_journal ? Status() : systemError("write", path, errno);
}

Status Spool::append(const std::string &frame)
{
    RETURN_IF_ERROR(openJournal());
    const auto path = m_folder / kJournalFile;
    if (auto status = writeAll(m_journal.get(), frame, path); !status) {
        // Half a frame would make what follows unreadable.
        if (::ftruncate(m_journal.get(), static_cast<off_t>(m_journalLength)) != 0)
            return {ErrorCode::Io, status.error().message +
                                       "; and the journal cannot be cut: " + std::strerror(errno)};
        return status;
    }
    m_journalLength += frame.size();
    return {};
}

Status Spool::appendRecord(const schema::protocol::RecordUpdate &update)
{
    return append(encode({JournalKind::Record, {}, dump(toJson(update))}));
}

Status Spool::appendLog(const std::string &recordId, std::string_view bytes)
{
    bool inJournal = false;
    {
        const std::lock_guard lock(m_mutex);
        Head &head = m_heads[recordId];
        inJournal = !head.closed && head.bytes.size() + bytes.size() <= kHeadBytes &&
                    m_headBytes + bytes.size() <= kHeadsBytes;
        head.closed = !inJournal;
    }
    if (inJournal) {
        RETURN_IF_ERROR(append(encode({JournalKind::Log, recordId, bytes})));
        const std::lock_guard lock(m_mutex);
        m_heads[recordId].bytes += bytes;
        m_headBytes += bytes.size();
        return {};
    }
    const auto path = logFile(recordId);
    auto known = m_files.find(recordId);
    if (known == m_files.end()) {
        if (m_files.size() >= kMostOpenFiles)
            m_files.clear();
        UniqueFd file = openAppend(path);
        if (!file)
            return systemError("write", path, errno);
        known = m_files.emplace(recordId, std::move(file)).first;
    }
    return writeAll(known->second.get(), bytes, path);
}

void Spool::forgetLog(const std::string &recordId, std::uint64_t length) const
{
    std::uint64_t before = 0;
    {
        const std::lock_guard lock(m_mutex);
        if (const auto head = m_heads.find(recordId); head != m_heads.end())
            before = head->second.bytes.size();
    }
    const UniqueFd fd(::open(logFile(recordId).c_str(), O_WRONLY | O_CLOEXEC));
    if (fd && length > before) // where it cannot be done, the bytes stay until the job ends
        ::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    static_cast<off_t>(length - before));
}

Status Spool::writeCompletion(const schema::protocol::JobCompletion &completion)
{
    // Survives the process, as the rest of the folder does; a power failure ends the job anyway.
    return append(encode({JournalKind::End, {}, dump(toJson(completion))}));
}

Result<Spool::Left> Spool::readLeft()
{
    Left left;
    auto text = readFile(m_folder / kJournalFile, kMostJournalBytes);
    if (!text && text.error().code != ErrorCode::NotFound)
        return std::move(text).error();
    const std::lock_guard lock(m_mutex);
    m_heads.clear();
    m_headBytes = 0;
    const std::size_t whole =
        readJournal(text ? std::string_view(*text) : std::string_view(), [&](const auto &frame) {
            if (frame.kind == JournalKind::Log) {
                m_heads[std::string(frame.id)].bytes += frame.bytes;
                m_headBytes += frame.bytes.size();
                return;
            }
            const auto json = Json::parse(frame.bytes, nullptr, false);
            if (json.is_discarded())
                return;
            if (frame.kind == JournalKind::Record) {
                if (auto update = schema::protocol::recordUpdateFromJson(json))
                    left.records.push_back(std::move(*update));
            } else if (auto completion = schema::protocol::jobCompletionFromJson(json)) {
                left.completion = std::move(*completion);
            }
        });
    std::error_code error;
    for (fs::directory_iterator it(m_folder, error), end; !error && it != end; it.increment(error))
        if (const auto name = it->path().filename().string(); name.starts_with(kLogPrefix))
            m_heads[name.substr(kLogPrefix.size())].closed = true;
    for (const auto &[id, head] : m_heads)
        left.logIds.push_back(id);
    if (!text)
        return left;
    RETURN_IF_ERROR(openJournal());
    if (::ftruncate(m_journal.get(), static_cast<off_t>(whole)) != 0)
        return systemError("write", m_folder / kJournalFile, errno);
    m_journalLength = whole;
    return left;
}

Result<std::string> Spool::readLog(const std::string &recordId, std::uint64_t offset,
                                   std::size_t limit) const
{
    std::string out;
    bool inFile = false;
    std::uint64_t before = 0;
    {
        const std::lock_guard lock(m_mutex);
        if (const auto known = m_heads.find(recordId); known != m_heads.end()) {
            const Head &head = known->second;
            before = head.bytes.size();
            inFile = head.closed;
            if (offset < before)
                out = head.bytes.substr(static_cast<std::size_t>(offset), limit);
        }
    }
    if (!inFile || out.size() == limit)
        return out;
    const auto path = logFile(recordId);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT)
        return out; // its first bytes are about to be written
    if (!fd)
        return systemError("read", path, errno);
    std::size_t length = out.size();
    const std::uint64_t from = offset + length - before;
    const std::size_t begin = length;
    out.resize(limit);
    while (length < limit) {
        const auto count = ::pread(fd.get(), out.data() + length, limit - length,
                                   static_cast<off_t>(from + length - begin));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return systemError("read", path, errno);
        if (count == 0)
            break;
        length += static_cast<std::size_t>(count);
    }
    out.resize(length);
    return out;
}

std::uint64_t Spool::logLength(const std::string &recordId) const
{
    std::uint64_t length = 0;
    {
        const std::lock_guard lock(m_mutex);
        if (const auto head = m_heads.find(recordId); head != m_heads.end())
            length = head->second.bytes.size();
    }
    std::error_code error;
    const auto size = fs::file_size(logFile(recordId), error);
    return length + (error ? 0 : size);
}

Status Spool::markDone()
{
    const auto path = m_folder / kMessageFile;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return systemError("delete", path, errno);
    return {};
}

bool Spool::isDone() const
{
    std::error_code error;
    return !fs::exists(m_folder / kMessageFile, error);
}

fs::path Spool::lockFile(const fs::path &folder)
{
    return folder / kPidFile;
}

Status Spool::writePid() const
{
    // Always of the same length and never cut: what stands there is a process at any moment.
    const int pid = ::getpid();
    const std::string started = startTime(pid);
    std::string text = std::to_string(pid) + " " + started;
    text.resize(std::max<std::size_t>(text.size(), 40), ' ');
    text += '\n';
    const auto path = m_folder / kPidFile;
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!fd)
        return systemError("write", path, errno);
    return writeAll(fd.get(), text, path);
}

bool Spool::hasBegun() const
{
    std::error_code error;
    const auto size = fs::file_size(m_folder / kPidFile, error);
    return !error && size > 0;
}

int Spool::livingPid() const
{
    const auto text = readFile(m_folder / kPidFile, 4096);
    if (!text)
        return 0;
    const auto fields = listEntries(trimmed(*text), " ");
    if (fields.size() != 2 || fields[0].size() > 9 ||
        fields[0].find_first_not_of("0123456789") != std::string::npos)
        return 0;
    const int pid = std::stoi(fields[0]);
    return startTime(pid) == fields[1] ? pid : 0;
}

} // namespace worker
