#pragma once
/// The bytes of logs: one append-only file per log below `<data>/logs`, found by run and log
/// number. Appends are idempotent by offset; lines are found through an index, so that a range of a
/// huge log opens without reading what stands before it.
///
/// Durability: append() returns when the bytes are in the file (they survive `kill -9` of the
/// process); seal() flushes to the disk. The number of bytes acknowledged is the length of the file
/// itself: no database write per append.

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
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

/// All methods are thread-safe.
class LogStore
{
public:
    /// `root` is created when missing. Errors: Io, PermissionDenied with path and remedy.
    static schema::Result<std::unique_ptr<LogStore>> open(const std::filesystem::path &root);
    ~LogStore();
    LogStore(const LogStore &) = delete;
    LogStore &operator=(const LogStore &) = delete;

    /// Appends `bytes` that begin at `offset` of the log; what is already stored is skipped, so a
    /// repeat is harmless. Creates the log at offset 0. Gives the stored length afterwards.
    /// Errors: Conflict when `offset` is beyond the stored length (nothing is written; ask
    /// length()) or the log is sealed and `bytes` reaches beyond its end; Io (disk full) with the
    /// length kept whole.
    schema::Result<std::uint64_t> append(LogKey key, std::uint64_t offset,
                                         std::span<const char> bytes);
    /// Marks the log as ended and flushes it; repeating it is harmless, an unknown log becomes an
    /// empty one.
    schema::Status seal(LogKey key);

    /// Length now; zero for a log that has no byte yet.
    schema::Result<LogLength> length(LogKey key) const;
    /// At most `limit` bytes from `offset`; empty at or beyond the end. Errors: Io.
    schema::Result<std::string> read(LogKey key, std::uint64_t offset, std::size_t limit) const;
    /// At most `count` lines from line `from` (0-based). Lines longer than 1 MiB are cut. Errors:
    /// Io.
    schema::Result<LogLines> lines(LogKey key, std::uint64_t from, std::uint64_t count) const;
    /// Removes every log of a run.
    schema::Status removeRun(std::int64_t runId);

private:
    struct State;
    explicit LogStore(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::logs
