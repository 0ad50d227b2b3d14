#pragma once
/// What a chunk of a log is made of: bytes, the line feeds in them, a time, and zstd.

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace server::logs {

/// Bytes of a compressed chunk before compression: what is read and unpacked to see one line of it.
inline constexpr std::size_t kChunkBytes = 256U << 10U;

struct Facts
{
    std::uint64_t lines = 0; ///< line feeds
    bool openLine = false;   ///< the last byte is no line feed
    std::optional<schema::TimePoint> firstTime;
};

/// Pure.
Facts factsOf(std::string_view bytes);

/// The time stamp at the begin of a line ("2026-11-21T10:00:00.1234567Z "), to the millisecond.
std::optional<schema::TimePoint> stampOf(std::string_view line);

/// Compresses with zstd, level 1: logs shrink to a tenth at some 400 MB/s.
std::string compress(std::string_view bytes);

/// Errors: Io when the bytes are no chunk of this size.
schema::Result<std::string> decompress(std::string_view stored, std::size_t bytes);

} // namespace server::logs
