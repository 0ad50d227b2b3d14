#pragma once
/// Request targets, decoded strictly: the path is split on the raw bytes and decoded per segment
/// (a tag "a/b" arrives as "a%2Fb" and stays one segment; environments-and-portal D1.5), names of
/// query parameters compare ignoring case, and `$top` is the same as `top` (D1.10). Pure.

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::http {

/// Longest request target, bytes, and most path segments or query parameters accepted.
inline constexpr std::size_t kMaxTargetBytes = 16U << 10U;
inline constexpr std::size_t kMaxTargetParts = 200;

/// ASCII lower case; other bytes stay.
std::string lowerCase(std::string_view text);
bool equalsIgnoringCase(std::string_view a, std::string_view b);

/// Decodes %XX; `plusIsSpace` for query strings. Errors: InvalidArgument (broken escape, NUL).
schema::Result<std::string> percentDecode(std::string_view text, bool plusIsSpace = false);
/// Encodes everything but unreserved characters; safe as one path segment or query value.
std::string percentEncode(std::string_view text);

class Query
{
public:
    /// Adds a parameter; the name is kept lower case and without a leading '$'.
    void add(std::string_view name, std::string value);
    /// First value of `name` (lower case, no '$'); nullptr when absent.
    [[nodiscard]] const std::string *find(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name, std::string fallback = {}) const;
    /// Errors: InvalidArgument naming the parameter when it is no whole number or out of range.
    [[nodiscard]] schema::Result<std::optional<std::int64_t>>
    number(std::string_view name, std::int64_t minimum, std::int64_t maximum) const;
    /// ISO 8601 or HTTP date (D1.10). Errors: InvalidArgument naming the parameter.
    [[nodiscard]] schema::Result<std::optional<schema::TimePoint>>
    time(std::string_view name) const;
    /// True for "true" and "1".
    [[nodiscard]] bool flag(std::string_view name) const;
    /// Comma-joined list, empty items dropped.
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
    /// Comma-joined whole numbers >= 0. Errors: InvalidArgument naming the parameter.
    [[nodiscard]] schema::Result<std::vector<std::int64_t>> numbers(std::string_view name) const;

    [[nodiscard]] bool empty() const { return m_parameters.empty(); }

private:
    std::vector<std::pair<std::string, std::string>> m_parameters;
};

struct Target
{
    std::string rawPath;               ///< as sent, without query
    std::string rawQuery;              ///< as sent, without '?'
    std::vector<std::string> segments; ///< decoded; empty segments are dropped
    Query query;
};

/// Reads an origin-form or absolute-form target. Errors: InvalidArgument, LimitExceeded.
schema::Result<Target> parseTarget(std::string_view target);

/// "Thu, 01 Jan 2026 00:00:00 GMT". Errors: InvalidArgument.
schema::Result<schema::TimePoint> parseHttpDate(std::string_view text);

/// Splits on commas, trims spaces, drops empty items.
std::vector<std::string> splitList(std::string_view text);

/// One word of an enumeration of the REST API and its number.
struct EnumWord
{
    std::string_view word;
    std::int64_t number;
};

/// Reads names (any case), numbers and comma-combined flags (D1.10); nothing for unknown words.
std::optional<std::int64_t> parseEnum(std::string_view text, std::initializer_list<EnumWord> words);

} // namespace server::http
