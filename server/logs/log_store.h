#pragma once
/// The bytes of logs, found by run and log number: append-only chunks with the lines counted in
/// front of each, so that any line of a huge log opens without reading what stands before it. Small
/// pieces stand in the database, big ones compressed in a file per log (README.md beside this
/// file).
///
/// Durability: what append() or a committed write() took is on disk. Appends are idempotent by
/// offset.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "server/logs/chunk.h"
#include "server/store/log_chunk_store.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace server::logs {

struct LogKey
{
    std::int64_t runId = 0;
    int logId = 0;
    auto operator<=>(const LogKey &) const = default;
};

struct LogLength
{
    std::uint64_t bytes = 0;
    std::uint64_t lines = 0; ///< complete lines, plus one for a last line without line feed
    bool sealed = false;     ///< no more will come
};

struct LogLines
{
    std::uint64_t from = 0;  ///< index of the first line given, 0-based
    std::uint64_t total = 0; ///< lines in the log now
    bool sealed = false;
    std::vector<std::string> lines; ///< without line ends
};

struct LogMatch
{
    std::uint64_t line = 0; ///< 0-based
    std::string text;       ///< of the line, cut after 4 KiB
};

struct LogMatches
{
    std::uint64_t total = 0; ///< lines in the log now
    bool sealed = false;
    std::vector<LogMatch> matches;
    std::optional<std::uint64_t> next; ///< line to go on from; nothing when the end was reached
};

struct RunMatch
{
    int logId = 0;
    std::string recordId;
    std::uint64_t line = 0;
    std::string text;
};

/// A line in one of a run's logs.
struct RunPlace
{
    int logId = 0;
    std::uint64_t line = 0;
};

struct RunMatches
{
    std::vector<RunMatch> matches;
    std::optional<RunPlace> next; ///< where to go on; nothing when all logs were searched
};

/// What a search may cost.
struct SearchBounds
{
    std::size_t matches = 100;
    std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

/// Bytes to be appended, made ready (compressed, in the file) outside of any transaction.
struct Piece
{
    struct Part
    {
        std::size_t begin = 0, size = 0; ///< of `bytes`
        Facts facts;
        store::ChunkCodec codec = store::ChunkCodec::Plain;
        std::string data; ///< compressed; empty for Plain and ZstdFile
        std::uint64_t place = 0, stored = 0;
    };

    std::uint64_t offset = 0;
    std::span<const char> bytes; ///< must live as long as the piece
    std::vector<Part> parts;
};

struct Appended
{
    std::uint64_t length = 0; ///< stored now
    bool gap = false;         ///< nothing was taken: the offset is beyond `length`
};

/// All methods are thread-safe.
class LogStore
{
public:
    /// `root` is created when missing; the database must outlive the store. Errors: Io,
    /// PermissionDenied with path and remedy.
    static schema::Result<std::unique_ptr<LogStore>> open(store::Database &database,
                                                          const std::filesystem::path &root);
    ~LogStore();
    LogStore(const LogStore &) = delete;
    LogStore &operator=(const LogStore &) = delete;

    /// Appends `bytes` that begin at `offset` of the log; what is already stored is skipped, so a
    /// repeat is harmless. Gives the stored length afterwards. Errors: Conflict when `offset` is
    /// beyond the stored length (nothing is written; ask length()) or the log is sealed and `bytes`
    /// reaches beyond its end; Io (disk full).
    schema::Result<std::uint64_t> append(LogKey key, std::uint64_t offset,
                                         std::span<const char> bytes);

    /// Makes bytes ready for write(). With a key, big ones go to the log's file now; then nobody
    /// else may prepare bytes of this log until write() was committed or given up. Errors: Io.
    schema::Result<Piece> prepare(const std::optional<LogKey> &key, std::uint64_t offset,
                                  std::span<const char> bytes);
    /// Appends a piece within the caller's transaction; does not look whether the log is sealed.
    /// Throws store::SqlError.
    static Appended write(store::Connection &connection, LogKey key, const Piece &piece);

    /// Makes one pack of the small ones among the logs of a job that has ended, within the caller's
    /// transaction; they read as before. Errors: Io when a chunk is damaged. Throws
    /// store::SqlError.
    static schema::Status pack(store::Connection &connection, std::int64_t runId,
                               const std::string &jobId, const std::vector<int> &logIds);

    /// Length now; zero for a log that has no byte yet.
    schema::Result<LogLength> length(LogKey key) const;
    /// At most `limit` bytes from `offset`; empty at or beyond the end. Errors: Io.
    schema::Result<std::string> read(LogKey key, std::uint64_t offset, std::size_t limit) const;
    /// At most `count` lines from line `from` (0-based). Lines longer than 1 MiB are cut. Errors:
    /// Io.
    schema::Result<LogLines> lines(LogKey key, std::uint64_t from, std::uint64_t count) const;
    /// The first line at or after a moment, by the lines' time stamps; the number of lines when all
    /// are earlier. Errors: Io.
    schema::Result<std::uint64_t> lineAt(LogKey key, schema::TimePoint time) const;
    /// Lines that contain `text` (ASCII letters of any case), from line `from` on, within the
    /// bounds. Errors: InvalidArgument (empty text), Io.
    schema::Result<LogMatches> search(LogKey key, std::string_view text, std::uint64_t from,
                                      const SearchBounds &bounds) const;
    /// The same in all logs of a run's steps, in the order of their ids, from `from` on.
    schema::Result<RunMatches> searchRun(std::int64_t runId, std::string_view text, RunPlace from,
                                         const SearchBounds &bounds) const;
    /// Removes every log of a run.
    schema::Status removeRun(std::int64_t runId);

private:
    struct State;
    explicit LogStore(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::logs
