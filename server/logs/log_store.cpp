#include "server/logs/log_store.h"

#include "server/logs/chunk_reader.h"
#include "server/store/timeline_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <mutex>
#include <unistd.h>

namespace server::logs {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::ChunkCodec;
using store::LogChunkRow;
using store::LogChunkStore;

namespace {

/// Longest line given by lines(), bytes.
constexpr std::size_t kLongestLine = 1U << 20U;
/// What is shown of a line that matches, bytes.
constexpr std::size_t kLongestMatch = 4096;
/// Lines of one answer at most.
constexpr std::uint64_t kMostLines = 100'000;
/// Bytes of one answer at most.
constexpr std::size_t kMostBytes = 32U << 20U;
/// Pieces from this size on are compressed as they come.
constexpr std::size_t kCompressFrom = 16U << 10U;
/// Pieces from this size on go to the log's file.
constexpr std::size_t kFileFrom = 128U << 10U;
/// A plain chunk grows up to this size before the next one begins: one page.
constexpr std::size_t kPlainBytes = 3U << 10U;
/// So many bytes of plain chunks become one compressed one.
constexpr std::uint64_t kCompactBytes = 64U << 10U;
constexpr int kSlots = 64;

Error ioError(std::string_view doing, const fs::path &path)
{
    const int code = errno;
    const char *remedy = code == ENOSPC   ? "; free space on that disk"
                         : code == EACCES ? "; give the server's user write permission"
                                          : "";
    return {code == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Io,
            fmt::format("{} {}: {}{}", doing, path.string(), std::strerror(code), remedy)};
}

class Descriptor
{
public:
    explicit Descriptor(int fd)
        : m_fd(fd)
    {}

    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;

    ~Descriptor()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    [[nodiscard]] int get() const { return m_fd; }

private:
    int m_fd;
};

/// Writes compressed chunks from `place` on and flushes them.
Status writeFile(const fs::path &path, std::string_view bytes, std::uint64_t place)
{
    int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const bool created = fd < 0 && errno == ENOENT;
    if (created) {
        std::error_code ignored; // open() says what is wrong
        fs::create_directories(path.parent_path(), ignored);
        fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    }
    const Descriptor file(fd);
    if (fd < 0)
        return ioError("open log", path);
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(place));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ioError("append to", path);
        place += static_cast<std::uint64_t>(put);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fdatasync(fd) != 0)
        return ioError("flush", path);
    if (created) { // its name must survive as well
        const Descriptor folder(
            ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder.get() < 0 || ::fsync(folder.get()) != 0)
            return ioError("flush", path.parent_path());
    }
    return {};
}

std::vector<Piece::Part> partsOf(std::string_view bytes)
{
    std::vector<Piece::Part> parts;
    const bool plain = bytes.size() < kCompressFrom;
    for (std::size_t at = 0; at < bytes.size(); at += kChunkBytes) {
        Piece::Part &part = parts.emplace_back();
        part.begin = at;
        part.size = std::min(kChunkBytes, bytes.size() - at);
        const std::string_view chunk = bytes.substr(at, part.size);
        part.facts = factsOf(chunk);
        part.stored = part.size;
        if (!plain) {
            part.codec = ChunkCodec::Zstd;
            part.data = compress(chunk);
            part.stored = part.data.size();
        }
    }
    return parts;
}

/// Makes one compressed chunk of the plain ones at the end of a log.
void compact(LogChunkStore &chunks, LogKey key)
{
    const std::vector<LogChunkRow> tail = chunks.plainTail(key.runId, key.logId);
    if (tail.size() < 2)
        return;
    std::string bytes;
    for (const LogChunkRow &row : tail)
        bytes += chunks.data(row);
    chunks.removeFrom(key.runId, key.logId, tail.front().firstByte);
    LogChunkRow whole = tail.front();
    for (const Piece::Part &part : partsOf(bytes)) {
        whole.bytes = part.size;
        whole.lines = part.facts.lines;
        whole.openLine = part.facts.openLine;
        whole.firstTime = part.facts.firstTime;
        whole.codec = part.codec;
        whole.stored = part.stored;
        chunks.insert(whole, part.codec == ChunkCodec::Plain
                                 ? std::string_view(bytes).substr(part.begin, part.size)
                                 : std::string_view(part.data));
        whole.firstByte = whole.endByte();
        whole.firstLine = whole.endLine();
    }
}

} // namespace

struct LogStore::State
{
    store::Database &database;
    fs::path root;
    std::array<std::mutex, kSlots> slots; ///< one writer per log, for append()

    fs::path folderOf(std::int64_t runId) const
    {
        // A thousand runs per folder keeps every directory small.
        return root / std::to_string(runId / 1000) / std::to_string(runId);
    }

    fs::path fileOf(LogKey key) const
    {
        return folderOf(key.runId) / fmt::format("{}.zst", key.logId);
    }

    template <typename Body> auto inside(LogKey key, Body body) const
    {
        return database.read([&](store::Connection &connection) {
            ChunkReader reader(connection, key, fileOf(key));
            return body(reader);
        });
    }
};

LogStore::LogStore(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

LogStore::~LogStore() = default;

Result<std::unique_ptr<LogStore>> LogStore::open(store::Database &database, const fs::path &root)
{
    std::error_code failed;
    fs::create_directories(root, failed);
    if (failed)
        return Error{failed == std::errc::permission_denied ? ErrorCode::PermissionDenied
                                                            : ErrorCode::Io,
                     fmt::format("create {}: {}; give the server's user write permission",
                                 root.string(), failed.message())};
    return std::unique_ptr<LogStore>(
        new LogStore(std::unique_ptr<State>(new State{database, root, {}})));
}

Result<Piece> LogStore::prepare(const std::optional<LogKey> &key, std::uint64_t offset,
                                std::span<const char> bytes)
{
    Piece piece;
    piece.offset = offset;
    piece.bytes = bytes;
    piece.parts = partsOf({bytes.data(), bytes.size()});
    if (!key || bytes.size() < kFileFrom)
        return piece;
    auto place =
        m_state->database.read([&](store::Connection &connection) -> Result<std::uint64_t> {
            return LogChunkStore(connection).fileEnd(key->runId, key->logId);
        });
    if (!place)
        return place.error();
    std::string all;
    for (Piece::Part &part : piece.parts) {
        part.codec = ChunkCodec::ZstdFile;
        part.place = *place + all.size();
        all += part.data;
        part.data.clear();
    }
    // What a crash leaves behind the last chunk is overwritten: no row knows of it.
    RETURN_IF_ERROR(writeFile(m_state->fileOf(*key), all, *place));
    return piece;
}

Appended LogStore::write(store::Connection &connection, LogKey key, const Piece &piece)
{
    LogChunkStore chunks(connection);
    auto last = chunks.last(key.runId, key.logId);
    const std::uint64_t end = last ? last->endByte() : 0;
    if (piece.offset > end)
        return {end, true};
    const std::uint64_t known = end - piece.offset;
    if (known >= piece.bytes.size())
        return {end, false}; // all of it is a repeat
    const std::string_view bytes =
        std::string_view(piece.bytes.data(), piece.bytes.size()).substr(known);
    // A repeat with more bytes does not fit the parts that were made ready.
    const std::vector<Piece::Part> again = known > 0 ? partsOf(bytes) : std::vector<Piece::Part>();
    for (const Piece::Part &part : known > 0 ? again : piece.parts) {
        const std::string_view content = bytes.substr(part.begin, part.size);
        if (part.codec == ChunkCodec::Plain && last && last->codec == ChunkCodec::Plain &&
            last->bytes + part.size <= kPlainBytes) {
            const std::string joined = chunks.data(*last).append(content);
            last->bytes += part.size;
            last->stored = last->bytes;
            last->lines += part.facts.lines;
            last->openLine = part.facts.openLine;
            if (!last->firstTime)
                last->firstTime = factsOf(joined).firstTime;
            chunks.replace(*last, joined);
            continue;
        }
        if (part.codec != ChunkCodec::Plain && last && last->codec == ChunkCodec::Plain) {
            compact(chunks, key);
            last = chunks.last(key.runId, key.logId);
        }
        LogChunkRow row;
        row.runId = key.runId;
        row.logId = key.logId;
        row.firstByte = last ? last->endByte() : 0;
        row.bytes = part.size;
        row.firstLine = last ? last->endLine() : 0;
        row.lines = part.facts.lines;
        row.openLine = part.facts.openLine;
        row.firstTime = part.facts.firstTime;
        row.codec = part.codec;
        row.place = part.place;
        row.stored = part.stored;
        chunks.insert(row, part.codec == ChunkCodec::Plain ? content : std::string_view(part.data));
        last = row;
    }
    if (last->codec == ChunkCodec::Plain && last->endByte() / kCompactBytes != end / kCompactBytes)
        compact(chunks, key);
    return {last->endByte(), false};
}

Status LogStore::pack(store::Connection &connection, std::int64_t runId, const std::string &jobId,
                      const std::vector<int> &logIds)
{
    LogChunkStore chunks(connection);
    std::vector<std::pair<int, std::string>> logs;
    std::vector<int> packed;
    std::size_t size = 0;
    for (const int logId : logIds) {
        const auto last = chunks.last(runId, logId);
        if (!last || size + last->endByte() > kPackBytes)
            continue;
        std::string bytes;
        for (auto row = chunks.find(runId, logId, 0); row;
             row = chunks.find(runId, logId, row->endByte())) {
            if (row->codec == ChunkCodec::ZstdFile)
                break;
            const std::string stored = chunks.data(*row);
            if (row->codec == ChunkCodec::Plain) {
                bytes += stored;
            } else {
                ASSIGN_OR_RETURN(const std::string plain, decompress(stored, row->bytes));
                bytes += plain;
            }
        }
        if (bytes.size() != last->endByte())
            continue; // some of it stands in a file, which stays
        size += bytes.size();
        logs.emplace_back(logId, std::move(bytes));
        packed.push_back(logId);
    }
    if (!packed.empty())
        chunks.pack(runId, jobId, packed, LogPack::make(logs));
    return {};
}

Result<std::uint64_t> LogStore::append(LogKey key, std::uint64_t offset,
                                       std::span<const char> bytes)
{
    const std::size_t slot = std::hash<std::int64_t>()(key.runId * 1009 + key.logId) % kSlots;
    const std::scoped_lock lock(m_state->slots[slot]);
    ASSIGN_OR_RETURN(const Piece piece, prepare(key, offset, bytes));
    return m_state->database.write([&](store::Connection &connection) -> Result<std::uint64_t> {
        ChunkReader reader(connection, key, m_state->fileOf(key));
        if (reader.isSealed()) {
            ASSIGN_OR_RETURN(const auto last, reader.last());
            const std::uint64_t end = last ? last->endByte() : 0;
            if (offset + bytes.size() > end)
                return Error{ErrorCode::Conflict, "the log is already complete"};
            return end;
        }
        const Appended appended = write(connection, key, piece);
        if (appended.gap)
            return Error{
                ErrorCode::Conflict,
                fmt::format("offset {} is beyond the stored length {}", offset, appended.length)};
        return appended.length;
    });
}

Result<LogLength> LogStore::length(LogKey key) const
{
    return m_state->inside(key, [&](ChunkReader &reader) -> Result<LogLength> {
        LogLength length;
        ASSIGN_OR_RETURN(const auto last, reader.last());
        if (last) {
            length.bytes = last->endByte();
            length.lines = last->endLine() + (last->openLine ? 1 : 0);
        }
        length.sealed = reader.isSealed();
        return length;
    });
}

Result<std::string> LogStore::read(LogKey key, std::uint64_t offset, std::size_t limit) const
{
    limit = std::min(limit, kMostBytes);
    return m_state->inside(key, [&](ChunkReader &reader) -> Result<std::string> {
        std::string out;
        ASSIGN_OR_RETURN(auto chunk, reader.atByte(offset));
        while (chunk && out.size() < limit) {
            const std::uint64_t at = offset + out.size();
            if (at >= chunk->endByte())
                break; // beyond the end
            ASSIGN_OR_RETURN(const std::string bytes, reader.bytes(*chunk));
            out += std::string_view(bytes).substr(at - chunk->firstByte, limit - out.size());
            chunk = reader.after(*chunk);
        }
        return out;
    });
}

Result<LogLines> LogStore::lines(LogKey key, std::uint64_t from, std::uint64_t count) const
{
    count = std::min(count, kMostLines);
    return m_state->inside(key, [&](ChunkReader &reader) -> Result<LogLines> {
        LogLines answer;
        answer.from = from;
        answer.sealed = reader.isSealed();
        ASSIGN_OR_RETURN(const auto last, reader.last());
        if (!last)
            return answer;
        answer.total = last->endLine() + (last->openLine ? 1 : 0);
        if (from >= answer.total || count == 0)
            return answer;
        std::size_t given = 0;
        RETURN_IF_ERROR(
            reader.eachLine(from, kLongestLine, [&](std::uint64_t, std::string_view text) {
                answer.lines.emplace_back(text);
                given += text.size();
                return answer.lines.size() < count && given < kMostBytes;
            }));
        return answer;
    });
}

Result<std::uint64_t> LogStore::lineAt(LogKey key, schema::TimePoint time) const
{
    return m_state->inside(key, [&](ChunkReader &reader) -> Result<std::uint64_t> {
        ASSIGN_OR_RETURN(const auto chunk, reader.atTime(time));
        if (!chunk)
            return std::uint64_t{0};
        std::uint64_t found = 0;
        RETURN_IF_ERROR(reader.eachLine(chunk->firstLine, kLongestLine,
                                        [&](std::uint64_t line, std::string_view text) {
                                            const auto stamp = stampOf(text);
                                            found = line;
                                            if (stamp && *stamp >= time)
                                                return false;
                                            found = line + 1;
                                            return true;
                                        }));
        return found;
    });
}

Result<LogMatches> LogStore::search(LogKey key, std::string_view text, std::uint64_t from,
                                    const SearchBounds &bounds) const
{
    if (text.empty())
        return Error{ErrorCode::InvalidArgument, "the text to search for must not be empty"};
    const auto lower = [](std::string_view in, std::string &out) {
        out.resize(in.size());
        std::transform(in.begin(), in.end(), out.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
    };
    std::string wanted;
    lower(text, wanted);
    return m_state->inside(key, [&](ChunkReader &reader) -> Result<LogMatches> {
        LogMatches answer;
        answer.sealed = reader.isSealed();
        ASSIGN_OR_RETURN(const auto last, reader.last());
        if (last)
            answer.total = last->endLine() + (last->openLine ? 1 : 0);
        std::string folded;
        RETURN_IF_ERROR(
            reader.eachLine(from, kLongestLine, [&](std::uint64_t line, std::string_view content) {
                const bool late =
                    line % 1024 == 1023 && std::chrono::steady_clock::now() >= bounds.until;
                if (late || answer.matches.size() >= bounds.matches) {
                    answer.next = line;
                    return false;
                }
                lower(content, folded);
                if (::memmem(folded.data(), folded.size(), wanted.data(), wanted.size()) != nullptr)
                    answer.matches.push_back({line, std::string(content.substr(0, kLongestMatch))});
                return true;
            }));
        return answer;
    });
}

Result<RunMatches> LogStore::searchRun(std::int64_t runId, std::string_view text, RunPlace from,
                                       const SearchBounds &bounds) const
{
    ASSIGN_OR_RETURN(
        const auto logs,
        m_state->database.read(
            [&](store::Connection &connection) -> Result<std::vector<std::pair<int, std::string>>> {
                return store::TimelineStore(connection).stepLogs(runId);
            }));
    RunMatches all;
    SearchBounds rest = bounds;
    for (const auto &[logId, recordId] : logs) {
        if (logId < from.logId)
            continue;
        const std::uint64_t line = logId == from.logId ? from.line : 0;
        rest.matches = bounds.matches - all.matches.size();
        if (rest.matches == 0 || std::chrono::steady_clock::now() >= bounds.until) {
            all.next = RunPlace{logId, line};
            break;
        }
        ASSIGN_OR_RETURN(auto found, search({runId, logId}, text, line, rest));
        for (LogMatch &match : found.matches)
            all.matches.push_back({logId, recordId, match.line, std::move(match.text)});
        if (found.next) {
            all.next = RunPlace{logId, *found.next};
            break;
        }
    }
    return all;
}

Status LogStore::removeRun(std::int64_t runId)
{
    RETURN_IF_ERROR(m_state->database.write([&](store::Connection &connection) -> Status {
        LogChunkStore(connection).removeRun(runId);
        return {};
    }));
    std::error_code failed;
    const fs::path folder = m_state->folderOf(runId);
    fs::remove_all(folder, failed);
    if (failed)
        return Error{ErrorCode::Io,
                     fmt::format("remove {}: {}", folder.string(), failed.message())};
    return {};
}

} // namespace server::logs
