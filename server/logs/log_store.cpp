#include "server/logs/log_store.h"

#include "server/logs/line_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace server::logs {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

/// Open logs kept at hand; the least recently used one is closed beyond that.
constexpr std::size_t kOpenLogs = 256;
/// Longest line given by lines(), bytes.
constexpr std::size_t kLongestLine = 1U << 20U;
/// Lines of one answer at most.
constexpr std::uint64_t kMostLines = 100'000;
/// Bytes of one answer at most.
constexpr std::size_t kMostBytes = 32U << 20U;

class Descriptor
{
public:
    explicit Descriptor(int fd = -1)
        : m_fd(fd)
    {}

    Descriptor(Descriptor &&other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {}

    Descriptor &operator=(Descriptor &&other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }

    ~Descriptor()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    [[nodiscard]] int get() const { return m_fd; }

private:
    int m_fd;
};

Error ioError(std::string_view doing, const fs::path &path)
{
    const int code = errno;
    const char *remedy = code == ENOSPC   ? "; free space on that disk"
                         : code == EACCES ? "; give the server's user write permission"
                                          : "";
    return {code == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Io,
            fmt::format("{} {}: {}{}", doing, path.string(), std::strerror(code), remedy)};
}

/// One log with its line index, which is built while bytes come by and caught up after a restart.
struct OpenLog
{
    std::mutex mutex;
    fs::path path;
    Descriptor file;
    std::uint64_t length = 0;
    bool sealed = false;
    LineIndex index;
};

Result<std::size_t> readAt(int fd, char *into, std::size_t size, std::uint64_t offset,
                           const fs::path &path)
{
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(fd, into + done, size - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ioError("read", path);
        if (got == 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Status catchUp(OpenLog &log)
{
    std::vector<char> buffer(256U << 10U);
    while (log.index.indexedBytes() < log.length) {
        const std::uint64_t from = log.index.indexedBytes();
        const std::size_t want = std::min<std::uint64_t>(buffer.size(), log.length - from);
        ASSIGN_OR_RETURN(const std::size_t got,
                         readAt(log.file.get(), buffer.data(), want, from, log.path));
        if (got == 0)
            return Error{ErrorCode::Io,
                         fmt::format("{} is shorter than it was", log.path.string())};
        log.index.add({buffer.data(), got});
    }
    return {};
}

} // namespace

struct LogStore::State
{
    fs::path root;
    mutable std::mutex mutex;
    mutable std::list<std::pair<LogKey, std::shared_ptr<OpenLog>>> recent; ///< newest use first
    mutable std::map<LogKey, decltype(recent)::iterator> open;

    fs::path folderOf(std::int64_t runId) const
    {
        // A thousand runs per folder keeps every directory small.
        return root / std::to_string(runId / 1000) / std::to_string(runId);
    }

    fs::path pathOf(LogKey key) const
    {
        return folderOf(key.runId) / fmt::format("{}.log", key.logId);
    }

    fs::path sealOf(LogKey key) const
    {
        return folderOf(key.runId) / fmt::format("{}.sealed", key.logId);
    }

    Result<std::shared_ptr<OpenLog>> get(LogKey key, bool create) const;
};

Result<std::shared_ptr<OpenLog>> LogStore::State::get(LogKey key, bool create) const
{
    const std::scoped_lock lock(mutex);
    if (const auto known = open.find(key); known != open.end()) {
        recent.splice(recent.begin(), recent, known->second);
        return known->second->second;
    }
    auto log = std::make_shared<OpenLog>();
    log->path = pathOf(key);
    int fd = ::open(log->path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && create) {
        std::error_code failed;
        fs::create_directories(log->path.parent_path(), failed);
        fd = ::open(log->path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    }
    if (fd < 0 && errno == ENOENT)
        return Error{ErrorCode::NotFound, "the log has no bytes yet"};
    if (fd < 0)
        return ioError("open log", log->path);
    log->file = Descriptor(fd);
    struct stat facts{};
    if (::fstat(fd, &facts) != 0)
        return ioError("examine", log->path);
    log->length = static_cast<std::uint64_t>(facts.st_size);
    log->sealed = ::access(sealOf(key).c_str(), F_OK) == 0;
    recent.emplace_front(key, log);
    open[key] = recent.begin();
    // Somebody may still use the one that is dropped: the last user closes it. While that one
    // appends, nobody may open it a second time, so only logs that nobody else holds are dropped.
    for (auto at = std::prev(recent.end()); recent.size() > kOpenLogs && at != recent.begin();) {
        const auto candidate = at--;
        if (candidate->second.use_count() > 1)
            continue;
        open.erase(candidate->first);
        recent.erase(candidate);
    }
    return log;
}

LogStore::LogStore(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

LogStore::~LogStore() = default;

Result<std::unique_ptr<LogStore>> LogStore::open(const fs::path &root)
{
    std::error_code failed;
    fs::create_directories(root, failed);
    if (failed)
        return Error{failed == std::errc::permission_denied ? ErrorCode::PermissionDenied
                                                            : ErrorCode::Io,
                     fmt::format("create {}: {}; give the server's user write permission",
                                 root.string(), failed.message())};
    auto state = std::make_unique<State>();
    state->root = root;
    return std::unique_ptr<LogStore>(new LogStore(std::move(state)));
}

Result<std::uint64_t> LogStore::append(LogKey key, std::uint64_t offset,
                                       std::span<const char> bytes)
{
    ASSIGN_OR_RETURN(const std::shared_ptr<OpenLog> log, m_state->get(key, true));
    const std::scoped_lock lock(log->mutex);
    if (offset > log->length)
        return Error{ErrorCode::Conflict,
                     fmt::format("offset {} is beyond the stored length {}", offset, log->length)};
    const std::uint64_t known = log->length - offset;
    if (known >= bytes.size())
        return log->length; // all of it is a repeat
    if (log->sealed)
        return Error{ErrorCode::Conflict, "the log is already complete"};
    std::span<const char> rest = bytes.subspan(static_cast<std::size_t>(known));
    while (!rest.empty()) {
        const ssize_t put =
            ::pwrite(log->file.get(), rest.data(), rest.size(), static_cast<off_t>(log->length));
        if (put < 0 && errno == EINTR)
            continue;
        // What was written so far stays; the length says how much, and the sender goes on from
        // there.
        if (put < 0)
            return ioError("append to", log->path);
        if (log->index.indexedBytes() == log->length)
            log->index.add(rest.first(static_cast<std::size_t>(put)));
        log->length += static_cast<std::uint64_t>(put);
        rest = rest.subspan(static_cast<std::size_t>(put));
    }
    return log->length;
}

Status LogStore::seal(LogKey key)
{
    ASSIGN_OR_RETURN(const std::shared_ptr<OpenLog> log, m_state->get(key, true));
    const std::scoped_lock lock(log->mutex);
    if (log->sealed)
        return {};
    if (::fdatasync(log->file.get()) != 0)
        return ioError("flush", log->path);
    const fs::path mark = m_state->sealOf(key);
    const Descriptor file(::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
    if (file.get() < 0)
        return ioError("create", mark);
    log->sealed = true;
    return {};
}

Result<LogLength> LogStore::length(LogKey key) const
{
    const auto found = m_state->get(key, false);
    if (!found && found.error().code == ErrorCode::NotFound)
        return LogLength{};
    if (!found)
        return found.error();
    OpenLog &log = **found;
    const std::scoped_lock lock(log.mutex);
    RETURN_IF_ERROR(catchUp(log));
    return LogLength{log.length, log.index.lines(), log.sealed};
}

Result<std::string> LogStore::read(LogKey key, std::uint64_t offset, std::size_t limit) const
{
    const auto found = m_state->get(key, false);
    if (!found && found.error().code == ErrorCode::NotFound)
        return std::string();
    if (!found)
        return found.error();
    OpenLog &log = **found;
    std::uint64_t length = 0;
    {
        const std::scoped_lock lock(log.mutex);
        length = log.length;
    }
    if (offset >= length)
        return std::string();
    std::string bytes(std::min<std::uint64_t>({limit, kMostBytes, length - offset}), '\0');
    ASSIGN_OR_RETURN(const std::size_t got,
                     readAt(log.file.get(), bytes.data(), bytes.size(), offset, log.path));
    bytes.resize(got);
    return bytes;
}

Result<LogLines> LogStore::lines(LogKey key, std::uint64_t from, std::uint64_t count) const
{
    LogLines answer;
    answer.from = from;
    const auto found = m_state->get(key, false);
    if (!found && found.error().code == ErrorCode::NotFound)
        return answer;
    if (!found)
        return found.error();
    OpenLog &log = **found;
    const std::scoped_lock lock(log.mutex);
    RETURN_IF_ERROR(catchUp(log));
    answer.total = log.index.lines();
    answer.sealed = log.sealed;
    if (from >= answer.total)
        return answer;
    count = std::min({count, kMostLines, answer.total - from});
    const LineIndex::Place place = log.index.before(from);
    std::uint64_t skip = from - place.line;
    std::uint64_t offset = place.offset;
    std::vector<char> buffer(64U << 10U);
    std::string line;
    std::size_t given = 0;
    while (answer.lines.size() < count && offset < log.length && given < kMostBytes) {
        ASSIGN_OR_RETURN(const std::size_t got,
                         readAt(log.file.get(), buffer.data(),
                                std::min<std::uint64_t>(buffer.size(), log.length - offset), offset,
                                log.path));
        if (got == 0)
            break;
        offset += got;
        std::string_view rest(buffer.data(), got);
        while (!rest.empty() && answer.lines.size() < count) {
            const std::size_t end = rest.find('\n');
            const std::string_view piece = rest.substr(0, end);
            if (skip == 0 && line.size() < kLongestLine)
                line.append(piece.substr(0, kLongestLine - line.size()));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            if (end == std::string_view::npos)
                break;
            if (skip > 0) {
                --skip;
                continue;
            }
            if (!line.empty() && line.back() == '\r')
                line.pop_back();
            given += line.size();
            answer.lines.push_back(std::exchange(line, {}));
        }
    }
    if (answer.lines.size() < count && offset >= log.length && !line.empty())
        answer.lines.push_back(std::move(line)); // the last line has no end yet
    return answer;
}

Status LogStore::removeRun(std::int64_t runId)
{
    {
        const std::scoped_lock lock(m_state->mutex);
        for (auto at = m_state->recent.begin(); at != m_state->recent.end();) {
            if (at->first.runId != runId) {
                ++at;
                continue;
            }
            m_state->open.erase(at->first);
            at = m_state->recent.erase(at);
        }
    }
    std::error_code failed;
    const fs::path folder = m_state->folderOf(runId);
    fs::remove_all(folder, failed);
    if (failed)
        return Error{ErrorCode::Io,
                     fmt::format("remove {}: {}", folder.string(), failed.message())};
    return {};
}

} // namespace server::logs
