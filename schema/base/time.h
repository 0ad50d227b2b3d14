#pragma once
/// Points in time as they cross processes: milliseconds since the Unix epoch, UTC.

#include "schema/base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace schema {

using Millis = std::chrono::milliseconds;
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Millis>;

/// The wall clock. Only I/O edges call this; decisions take `now` as an argument.
TimePoint wallClockNow();
std::int64_t toEpochMillis(TimePoint time);
TimePoint fromEpochMillis(std::int64_t millis);
/// "2026-11-21T05:26:26.123Z" (parses with JavaScript's Date; Azure DevOps REST shape).
std::string toIso8601(TimePoint time);
/// Reads ISO 8601 with optional fraction (any digits) and `Z` or a numeric offset.
Result<TimePoint> parseIso8601(std::string_view text);

} // namespace schema
