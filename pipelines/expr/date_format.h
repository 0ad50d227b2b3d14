#pragma once
/// .NET custom date formats (`format('{0:...}', pipeline.startTime)`, `$(Date:...)`), UTC.

#include <cstdint>
#include <string>
#include <string_view>

namespace pipelines::expr {

/// Formats milliseconds since the epoch. Known: yyyy yy y MMMM MMM MM M dddd ddd dd d HH H hh h mm
/// m ss s f.. tt zzz zz z K; `\` escapes one character, quoted text is copied, others are copied.
std::string formatDate(std::int64_t millis, std::string_view format);

} // namespace pipelines::expr
