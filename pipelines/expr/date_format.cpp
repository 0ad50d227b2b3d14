#include "pipelines/expr/date_format.h"

#include <array>
#include <chrono>

namespace pipelines::expr {
namespace {

constexpr std::array<const char *, 12> kMonths{"January",   "February", "March",    "April",
                                               "May",       "June",     "July",     "August",
                                               "September", "October",  "November", "December"};
constexpr std::array<const char *, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};

struct Moment
{
    std::int64_t year;
    unsigned month, day, weekday;
    std::int64_t hour, minute, second, millisecond;
};

Moment split(std::int64_t millis)
{
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds(millis)};
    const auto date = floor<days>(time);
    const year_month_day ymd{date};
    const hh_mm_ss clock{time - date};
    return {static_cast<int>(ymd.year()),
            static_cast<unsigned>(ymd.month()),
            static_cast<unsigned>(ymd.day()),
            weekday{date}.c_encoding(),
            clock.hours().count(),
            clock.minutes().count(),
            clock.seconds().count(),
            clock.subseconds().count()};
}

std::string padded(std::int64_t value, std::size_t width)
{
    std::string text = std::to_string(value);
    if (text.size() < width)
        text.insert(0, width - text.size(), '0');
    return text;
}

std::string fraction(std::int64_t millisecond, std::size_t width)
{
    std::string text = padded(millisecond, 3) + "0000";
    return text.substr(0, width < text.size() ? width : text.size());
}

std::string part(const Moment &moment, char letter, std::size_t count)
{
    const auto number = [count](std::int64_t value) { return padded(value, count < 2 ? 1 : 2); };
    switch (letter) {
    case 'y':
        return count <= 2 ? padded(moment.year % 100, count) : padded(moment.year, count);
    case 'M':
        if (count >= 3) {
            const std::string name = kMonths[moment.month - 1];
            return count == 3 ? name.substr(0, 3) : name;
        }
        return number(moment.month);
    case 'd':
        if (count >= 3) {
            const std::string name = kDays[moment.weekday];
            return count == 3 ? name.substr(0, 3) : name;
        }
        return number(moment.day);
    case 'H':
        return number(moment.hour);
    case 'h':
        return number(moment.hour % 12 == 0 ? 12 : moment.hour % 12);
    case 'm':
        return number(moment.minute);
    case 's':
        return number(moment.second);
    case 'f':
        return fraction(moment.millisecond, count);
    case 't':
        return std::string(moment.hour < 12 ? "AM" : "PM").substr(0, count < 2 ? 1 : 2);
    case 'K':
        return "Z";
    case 'z':
        return count == 1 ? "+0" : count == 2 ? "+00" : "+00:00";
    default:
        return std::string(count, letter);
    }
}

} // namespace

std::string formatDate(std::int64_t millis, std::string_view format)
{
    const Moment moment = split(millis);
    std::string out;
    for (std::size_t i = 0; i < format.size();) {
        const char c = format[i];
        if (c == '\\' && i + 1 < format.size()) {
            out += format[i + 1];
            i += 2;
            continue;
        }
        if (c == '\'' || c == '"') {
            const std::size_t end = format.find(c, i + 1);
            const std::size_t stop = end == std::string_view::npos ? format.size() : end;
            out += format.substr(i + 1, stop - i - 1);
            i = stop + 1;
            continue;
        }
        std::size_t count = 1;
        while (i + count < format.size() && format[i + count] == c)
            ++count;
        out += part(moment, c, count);
        i += count;
    }
    return out;
}

} // namespace pipelines::expr
