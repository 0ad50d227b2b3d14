#pragma once
/// Walks over the chunks of one log within a read transaction. Internal to server/logs.

#include "server/logs/log_pack.h"
#include "server/logs/log_store.h"

#include <filesystem>

namespace server::logs {

class ChunkReader
{
public:
    /// `file`: that of the log; need not exist.
    ChunkReader(store::Connection &connection, LogKey key, std::filesystem::path file)
        : m_chunks(connection)
        , m_key(key)
        , m_file(std::move(file))
    {}

    /// The bytes of a chunk. Errors: Io.
    schema::Result<std::string> bytes(const store::LogChunkRow &chunk);
    std::optional<store::LogChunkRow> after(const store::LogChunkRow &chunk);
    /// As those of store::LogChunkStore; a packed log is one chunk. Errors: Io.
    schema::Result<std::optional<store::LogChunkRow>> last();
    schema::Result<std::optional<store::LogChunkRow>> atByte(std::uint64_t byte);
    schema::Result<std::optional<store::LogChunkRow>> atLine(std::uint64_t line);
    schema::Result<std::optional<store::LogChunkRow>> atTime(schema::TimePoint time);

    bool isSealed() { return m_chunks.isSealed(m_key.runId, m_key.logId); }

    /// Calls `take(line number, text) -> bool` for the lines from `from` on, until it gives false;
    /// a last line without line feed is a line. Lines are cut after `longest` bytes. Errors: Io.
    using Take = std::function<bool(std::uint64_t line, std::string_view text)>;
    schema::Status eachLine(std::uint64_t from, std::size_t longest, const Take &take);

private:
    /// `row`, or the chunk that stands for the packed log.
    schema::Result<std::optional<store::LogChunkRow>>
    orPacked(std::optional<store::LogChunkRow> row);

    store::LogChunkStore m_chunks;
    std::optional<LogPack> m_pack; ///< once a packed log was asked for
    LogKey m_key;
    std::filesystem::path m_file;
    int m_fd = -1;

public:
    ~ChunkReader();
    ChunkReader(const ChunkReader &) = delete;
    ChunkReader &operator=(const ChunkReader &) = delete;
};

} // namespace server::logs
