#include "server/logs/chunk_reader.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace server::logs {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::ChunkCodec;
using store::LogChunkRow;

ChunkReader::~ChunkReader()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

Result<std::optional<LogChunkRow>> ChunkReader::orPacked(std::optional<LogChunkRow> row)
{
    if (row)
        return row;
    if (!m_pack) {
        const store::Blob blob = m_chunks.packOf(m_key.runId, m_key.logId);
        if (blob.empty())
            return row;
        ASSIGN_OR_RETURN(auto pack, LogPack::open(blob));
        m_pack.emplace(std::move(pack));
    }
    const auto log = m_pack->find(m_key.logId);
    if (!log || log->bytes == 0)
        return row;
    row.emplace();
    row->runId = m_key.runId;
    row->logId = m_key.logId;
    row->bytes = log->bytes;
    row->lines = log->facts.lines;
    row->openLine = log->facts.openLine;
    row->firstTime = log->facts.firstTime;
    row->codec = ChunkCodec::Packed;
    return row;
}

Result<std::optional<LogChunkRow>> ChunkReader::last()
{
    return orPacked(m_chunks.last(m_key.runId, m_key.logId));
}

Result<std::optional<LogChunkRow>> ChunkReader::atByte(std::uint64_t byte)
{
    return orPacked(m_chunks.atByte(m_key.runId, m_key.logId, byte));
}

Result<std::optional<LogChunkRow>> ChunkReader::atLine(std::uint64_t line)
{
    ASSIGN_OR_RETURN(auto row, orPacked(m_chunks.atLine(m_key.runId, m_key.logId, line)));
    // In a packed log the line may be beyond the end.
    return row && row->endLine() < line ? std::nullopt : row;
}

Result<std::optional<LogChunkRow>> ChunkReader::atTime(schema::TimePoint time)
{
    return orPacked(m_chunks.atTime(m_key.runId, m_key.logId, time));
}

Result<std::string> ChunkReader::bytes(const LogChunkRow &chunk)
{
    if (chunk.codec == ChunkCodec::Packed) {
        if (!m_pack)
            return std::string(); // orPacked() made the chunk, and opened the pack before
        const auto log = m_pack->find(chunk.logId);
        return log ? m_pack->bytes(*log) : Result<std::string>(std::string());
    }
    if (chunk.codec == ChunkCodec::Plain)
        return m_chunks.data(chunk);
    std::string stored;
    if (chunk.codec == ChunkCodec::Zstd) {
        stored = m_chunks.data(chunk);
    } else {
        if (m_fd < 0)
            m_fd = ::open(m_file.c_str(), O_RDONLY | O_CLOEXEC);
        stored.resize(chunk.stored);
        std::size_t done = 0;
        while (m_fd >= 0 && done < stored.size()) {
            const ssize_t got = ::pread(m_fd, stored.data() + done, stored.size() - done,
                                        static_cast<off_t>(chunk.place + done));
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        if (done < stored.size())
            return Error{
                ErrorCode::Io,
                fmt::format("{} is missing or shorter than it was; restore it from a backup",
                            m_file.string())};
    }
    return decompress(stored, chunk.bytes);
}

std::optional<LogChunkRow> ChunkReader::after(const LogChunkRow &chunk)
{
    return m_chunks.find(m_key.runId, m_key.logId, chunk.endByte());
}

Status ChunkReader::eachLine(std::uint64_t from, std::size_t longest, const Take &take)
{
    ASSIGN_OR_RETURN(auto chunk, from == 0 ? atByte(0) : atLine(from));
    if (!chunk)
        return {};
    std::uint64_t line = chunk->firstLine;
    std::string open; ///< begin of a line that an earlier chunk ended in
    bool isOpen = false;
    // The rest of a line that began before the first chunk is skipped with it: `from` comes later.
    while (chunk) {
        ASSIGN_OR_RETURN(const std::string bytes, this->bytes(*chunk));
        std::string_view rest = bytes;
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            const std::string_view piece = rest.substr(0, end);
            const bool wanted = line >= from;
            if (end == std::string_view::npos) {
                isOpen = true;
                if (wanted && open.size() < longest)
                    open.append(piece.substr(0, longest - open.size()));
                break;
            }
            rest.remove_prefix(end + 1);
            if (wanted) {
                std::string_view text = piece;
                if (!open.empty()) {
                    open.append(piece.substr(0, longest - std::min(longest, open.size())));
                    text = open;
                }
                if (text.ends_with('\r'))
                    text.remove_suffix(1);
                if (!take(line, text.substr(0, longest)))
                    return {};
            }
            open.clear();
            isOpen = false;
            ++line;
        }
        chunk = after(*chunk);
    }
    if (isOpen && line >= from)
        take(line, open);
    return {};
}

} // namespace server::logs
