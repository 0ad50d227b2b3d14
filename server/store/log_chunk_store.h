#pragma once
/// Rows of log_chunk and packs of logs: what the logs of runs consist of. What the bytes mean is
/// server/logs' business.

#include "schema/base/time.h"
#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

using schema::TimePoint;

enum class ChunkCodec : std::uint8_t {
    Plain,    ///< `data` as it is
    Zstd,     ///< `data` compressed
    ZstdFile, ///< compressed, at `place` of the log's file
    Packed,   ///< never stored: a whole log in the pack of its ended job (server/logs/log_pack.h)
};

/// Where a chunk stands in its log, without its bytes.
struct LogChunkRow
{
    std::int64_t runId = 0;
    int logId = 0;
    std::uint64_t firstByte = 0, bytes = 0; ///< of the log, uncompressed
    std::uint64_t firstLine = 0, lines = 0; ///< line feeds before it, in it
    bool openLine = false;                  ///< its last byte is no line feed
    std::optional<TimePoint> firstTime;     ///< stamp of its first whole line
    ChunkCodec codec = ChunkCodec::Plain;
    std::uint64_t place = 0, stored = 0;

    [[nodiscard]] std::uint64_t endByte() const { return firstByte + bytes; }

    [[nodiscard]] std::uint64_t endLine() const { return firstLine + lines; }
};

/// Statements on chunks, within the caller's transaction. Methods throw SqlError.
class LogChunkStore
{
public:
    explicit LogChunkStore(Connection &connection)
        : m_connection(connection)
    {}

    /// The newest chunk of a log.
    std::optional<LogChunkRow> last(std::int64_t runId, int logId);
    /// The chunk that holds the byte, or the newest one before it.
    std::optional<LogChunkRow> atByte(std::int64_t runId, int logId, std::uint64_t byte);
    /// The chunk that holds the line feed number `line` (1-based); nothing beyond the last one.
    std::optional<LogChunkRow> atLine(std::int64_t runId, int logId, std::uint64_t line);
    /// The newest chunk that began before the moment, else the first one.
    std::optional<LogChunkRow> atTime(std::int64_t runId, int logId, TimePoint time);
    /// The chunk that begins at `byte`.
    std::optional<LogChunkRow> find(std::int64_t runId, int logId, std::uint64_t byte);
    /// `data` of a chunk.
    std::string data(const LogChunkRow &chunk);
    /// Plain chunks at the end of the log, oldest first.
    std::vector<LogChunkRow> plainTail(std::int64_t runId, int logId);
    /// First byte of the file that no chunk of the log uses.
    std::uint64_t fileEnd(std::int64_t runId, int logId);

    /// The pack that holds the log; empty when it has chunks of its own.
    Blob packOf(std::int64_t runId, int logId);
    /// Puts the pack of a job's logs in the place of the chunks of these.
    void pack(std::int64_t runId, const std::string &jobId, const std::vector<int> &logIds,
              const Blob &pack);

    void insert(const LogChunkRow &chunk, std::string_view data);
    /// Replaces a chunk by a longer one that begins at the same byte.
    void replace(const LogChunkRow &chunk, std::string_view data);
    /// Removes the chunks from `byte` on.
    void removeFrom(std::int64_t runId, int logId, std::uint64_t byte);
    void removeRun(std::int64_t runId);
    /// Whether the log has ended; false for an unknown one.
    bool isSealed(std::int64_t runId, int logId);

private:
    Connection &m_connection;
};

} // namespace server::store
