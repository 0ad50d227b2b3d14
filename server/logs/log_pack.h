#pragma once
/// The small logs of a job that has ended, as one blob (job_pack.logs): what each log is, then all
/// of their bytes, compressed with a dictionary of typical lines. Logs of a job repeat each other
/// (that of the whole job repeats its steps') and those of other jobs, so together they become a
/// tenth.

#include "schema/base/result.h"
#include "server/logs/chunk.h"
#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::logs {

/// Bytes of all logs of one pack at most, before compression; bigger logs keep their chunks.
inline constexpr std::size_t kPackBytes = kChunkBytes;

struct PackedLog
{
    int logId = 0;
    std::uint64_t begin = 0, bytes = 0; ///< in the unpacked bytes
    Facts facts;
};

class LogPack
{
public:
    /// `logs`: number and bytes of each.
    static store::Blob make(const std::vector<std::pair<int, std::string>> &logs);
    /// Errors: Io when the blob is damaged or of a newer format.
    static schema::Result<LogPack> open(std::span<const std::uint8_t> blob);

    [[nodiscard]] std::optional<PackedLog> find(int logId) const;
    /// Errors: Io when the blob is damaged.
    [[nodiscard]] schema::Result<std::string> bytes(const PackedLog &log) const;

private:
    std::vector<PackedLog> m_logs;
    std::string m_compressed;
    std::uint64_t m_bytes = 0;
};

/// What packs of format 1 are compressed against: lines as job processes write them. Part of the
/// format: never change it, add another one.
std::string_view typicalLog();

} // namespace server::logs
