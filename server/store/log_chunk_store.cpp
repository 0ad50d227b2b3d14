#include "server/store/log_chunk_store.h"

#include <algorithm>
#include <span>

namespace server::store {
namespace {

#define SLIPWAY_CHUNK_COLUMNS                                                                      \
    "SELECT first_byte, bytes, first_line, lines, open_line, first_time, codec, place, stored "    \
    "FROM log_chunk WHERE run_id = ?1 AND log_id = ?2 "

LogChunkRow read(const Statement &s, std::int64_t runId, int logId)
{
    return {runId,
            logId,
            s.get<std::uint64_t>(0),
            s.get<std::uint64_t>(1),
            s.get<std::uint64_t>(2),
            s.get<std::uint64_t>(3),
            s.get<bool>(4),
            s.get<std::optional<TimePoint>>(5),
            s.get<ChunkCodec>(6),
            s.get<std::uint64_t>(7),
            s.get<std::uint64_t>(8)};
}

std::optional<LogChunkRow> one(Statement s, std::int64_t runId, int logId)
{
    if (!s.step())
        return std::nullopt;
    return read(s, runId, logId);
}

Blob blobOf(std::string_view data)
{
    return {data.begin(), data.end()};
}

} // namespace

std::optional<LogChunkRow> LogChunkStore::last(std::int64_t runId, int logId)
{
    Statement s = m_connection.prepare(SLIPWAY_CHUNK_COLUMNS "ORDER BY first_byte DESC LIMIT 1");
    s.bind(runId, logId);
    return one(std::move(s), runId, logId);
}

std::optional<LogChunkRow> LogChunkStore::atByte(std::int64_t runId, int logId, std::uint64_t byte)
{
    Statement s = m_connection.prepare(SLIPWAY_CHUNK_COLUMNS
                                       "AND first_byte <= ?3 ORDER BY first_byte DESC LIMIT 1");
    s.bind(runId, logId, byte);
    return one(std::move(s), runId, logId);
}

std::optional<LogChunkRow> LogChunkStore::atLine(std::int64_t runId, int logId, std::uint64_t line)
{
    // Chunks are big: walking over their heads is cheap (the bytes stand on pages of their own).
    Statement s = m_connection.prepare(SLIPWAY_CHUNK_COLUMNS
                                       "AND first_line + lines >= ?3 ORDER BY first_byte LIMIT 1");
    s.bind(runId, logId, line);
    return one(std::move(s), runId, logId);
}

std::optional<LogChunkRow> LogChunkStore::atTime(std::int64_t runId, int logId, TimePoint time)
{
    Statement s =
        m_connection.prepare(SLIPWAY_CHUNK_COLUMNS "AND (first_time < ?3 OR first_byte = 0) "
                                                   "ORDER BY first_byte DESC LIMIT 1");
    s.bind(runId, logId, time);
    return one(std::move(s), runId, logId);
}

std::optional<LogChunkRow> LogChunkStore::find(std::int64_t runId, int logId, std::uint64_t byte)
{
    Statement s = m_connection.prepare(SLIPWAY_CHUNK_COLUMNS "AND first_byte = ?3");
    s.bind(runId, logId, byte);
    return one(std::move(s), runId, logId);
}

std::string LogChunkStore::data(const LogChunkRow &chunk)
{
    Statement s = m_connection.prepare(
        "SELECT data FROM log_chunk WHERE run_id = ? AND log_id = ? AND first_byte = ?");
    s.bind(chunk.runId, chunk.logId, chunk.firstByte);
    if (!s.step())
        return {};
    const Blob bytes = s.get<Blob>(0);
    return {bytes.begin(), bytes.end()};
}

std::vector<LogChunkRow> LogChunkStore::plainTail(std::int64_t runId, int logId)
{
    std::vector<LogChunkRow> tail;
    Statement s = m_connection.prepare(SLIPWAY_CHUNK_COLUMNS "ORDER BY first_byte DESC");
    s.bind(runId, logId);
    while (s.step()) {
        LogChunkRow row = read(s, runId, logId);
        if (row.codec != ChunkCodec::Plain)
            break;
        tail.push_back(row);
    }
    std::reverse(tail.begin(), tail.end());
    return tail;
}

std::uint64_t LogChunkStore::fileEnd(std::int64_t runId, int logId)
{
    Statement s = m_connection.prepare(
        "SELECT place + stored FROM log_chunk WHERE run_id = ? AND log_id = ? AND codec = 2 "
        "ORDER BY first_byte DESC LIMIT 1");
    s.bind(runId, logId);
    return s.step() ? s.get<std::uint64_t>(0) : 0;
}

Blob LogChunkStore::packOf(std::int64_t runId, int logId)
{
    Statement s = m_connection.prepare(
        "SELECT p.logs FROM log l JOIN job_pack p ON p.job_number = l.job_number "
        "WHERE l.run_id = ? AND l.log_id = ? AND l.packed = 1");
    s.bind(runId, logId);
    return s.step() ? s.get<Blob>(0) : Blob();
}

void LogChunkStore::pack(std::int64_t runId, const std::string &jobId,
                         const std::vector<int> &logIds, const Blob &pack)
{
    m_connection.run("INSERT INTO job_pack(job_number, logs) VALUES((SELECT number FROM job WHERE "
                     "id = ?),?) ON CONFLICT(job_number) DO UPDATE SET logs=excluded.logs",
                     Guid{jobId}, pack);
    for (const int logId : logIds) {
        m_connection.run("DELETE FROM log_chunk WHERE run_id = ? AND log_id = ?", runId, logId);
        m_connection.run("UPDATE log SET packed = 1 WHERE run_id = ? AND log_id = ?", runId, logId);
    }
}

void LogChunkStore::insert(const LogChunkRow &chunk, std::string_view data)
{
    m_connection.run(
        "INSERT INTO log_chunk(run_id, log_id, first_byte, bytes, first_line, lines, open_line, "
        "first_time, codec, place, stored, data) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
        chunk.runId, chunk.logId, chunk.firstByte, chunk.bytes, chunk.firstLine, chunk.lines,
        chunk.openLine, chunk.firstTime, chunk.codec, chunk.place, chunk.stored,
        chunk.codec == ChunkCodec::ZstdFile ? std::nullopt : std::optional(blobOf(data)));
}

void LogChunkStore::replace(const LogChunkRow &chunk, std::string_view data)
{
    m_connection.run("UPDATE log_chunk SET bytes = ?, lines = ?, open_line = ?, first_time = ?, "
                     "stored = ?, data = ? WHERE run_id = ? AND log_id = ? AND first_byte = ?",
                     chunk.bytes, chunk.lines, chunk.openLine, chunk.firstTime, chunk.stored,
                     blobOf(data), chunk.runId, chunk.logId, chunk.firstByte);
}

void LogChunkStore::removeFrom(std::int64_t runId, int logId, std::uint64_t byte)
{
    m_connection.run("DELETE FROM log_chunk WHERE run_id = ? AND log_id = ? AND first_byte >= ?",
                     runId, logId, byte);
}

void LogChunkStore::removeRun(std::int64_t runId)
{
    m_connection.run("DELETE FROM log_chunk WHERE run_id = ?", runId);
}

bool LogChunkStore::isSealed(std::int64_t runId, int logId)
{
    Statement s = m_connection.prepare("SELECT sealed FROM log WHERE run_id = ? AND log_id = ?");
    s.bind(runId, logId);
    return s.step() && s.get<bool>(0);
}

} // namespace server::store
