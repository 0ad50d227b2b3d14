#include "schema/base/time.h"

#include <fmt/format.h>

#include <cctype>

namespace schema {
namespace {

/// Reads exactly `count` digits at `pos`, or returns -1.
int digits(std::string_view text, std::size_t pos, std::size_t count)
{
    if (pos + count > text.size())
        return -1;
    int value = 0;
    for (std::size_t i = pos; i < pos + count; ++i) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

} // namespace

TimePoint wallClockNow()
{
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

std::int64_t toEpochMillis(TimePoint time)
{
    return time.time_since_epoch().count();
}

TimePoint fromEpochMillis(std::int64_t millis)
{
    return TimePoint{Millis{millis}};
}

std::string toIso8601(TimePoint time)
{
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const auto ms = (time - day).count();
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

Result<TimePoint> parseIso8601(std::string_view text)
{
    const Error bad{ErrorCode::InvalidArgument,
                    fmt::format("'{}' is not an ISO 8601 time such as 2026-11-21T05:26:26Z",
                                text.substr(0, 64))};
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const int hour = digits(text, 11, 2), minute = digits(text, 14, 2),
              second = digits(text, 17, 2);
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 ||
        text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return bad;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60)
        return bad;
    std::size_t pos = 19;
    int millis = 0;
    if (pos < text.size() && text[pos] == '.') {
        int scale = 100;
        for (++pos; pos < text.size() && std::isdigit(static_cast<unsigned char>(text[pos])) != 0;
             ++pos) {
            millis += (text[pos] - '0') * scale;
            scale /= 10;
        }
    }
    std::chrono::minutes offset{0};
    const std::string_view zone = text.substr(pos);
    if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
        const int oh = digits(zone, 1, 2), om = digits(zone, 4, 2);
        if (oh < 0 || om < 0)
            return bad;
        offset = std::chrono::minutes{oh * 60 + om} * (zone[0] == '-' ? -1 : 1);
    } else if (zone != "Z" && zone != "z" && !zone.empty()) {
        return bad;
    }
    return TimePoint{std::chrono::sys_days{date} + std::chrono::hours{hour} +
                     std::chrono::minutes{minute} + std::chrono::seconds{second} + Millis{millis} -
                     offset};
}

} // namespace schema
