#include "pipelines/cron/schedule.h"

#include "pipelines/base/text.h"

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace pipelines::cron {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Field
{
    const char *name;
    int least, most;
    std::span<const std::string_view> names; ///< of `least`, `least + 1`, ...
};

std::optional<int> number(std::string_view text, const Field &field)
{
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        const bool abbreviated =
            text.size() > 3 && equalIgnoringCase(text.substr(0, 3), field.names[i]);
        if (equalIgnoringCase(text, field.names[i]) || abbreviated)
            return field.least + static_cast<int>(i);
    }
    if (text.empty() || text.size() > 4)
        return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

Error refuse(const Field &field, std::string_view text)
{
    return Error{ErrorCode::InvalidArgument,
                 std::string("cron: ") + field.name + " '" + std::string(text) +
                     "' is not valid: write *, a value from " + std::to_string(field.least) +
                     " to " + std::to_string(field.most) +
                     ", a range a-b, a list a,b or a step */n"};
}

/// One of the parts between commas: `*`, `a`, `a-b`, each with `/n`.
template <std::size_t N>
schema::Status parsePart(std::string_view part, const Field &field, std::bitset<N> &bits)
{
    const std::string_view whole = part;
    int step = 1;
    bool stepped = false;
    if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
        const auto parsed = number(part.substr(slash + 1), {"step", 1, 60, {}});
        if (!parsed || *parsed == 0)
            return refuse(field, whole);
        step = *parsed;
        stepped = true;
        part = part.substr(0, slash);
    }
    int first = field.least;
    int last = field.most;
    if (part != "*") {
        const std::size_t dash = part.find('-');
        const auto from = number(part.substr(0, dash), field);
        if (!from)
            return refuse(field, whole);
        first = *from;
        last = stepped ? field.most : first;
        if (dash != std::string_view::npos) {
            const auto to = number(part.substr(dash + 1), field);
            if (!to)
                return refuse(field, whole);
            last = *to;
        }
    }
    if (first < field.least || last > field.most || first > last)
        return refuse(field, whole);
    for (int value = first; value <= last; value += step)
        bits.set(static_cast<std::size_t>(value));
    return {};
}

template <std::size_t N>
schema::Status parseField(std::string_view text, const Field &field, std::bitset<N> &bits)
{
    while (true) {
        const std::size_t comma = text.find(',');
        RETURN_IF_ERROR(parsePart(text.substr(0, comma), field, bits));
        if (comma == std::string_view::npos)
            return {};
        text.remove_prefix(comma + 1);
    }
}

std::vector<std::string_view> fields(std::string_view text)
{
    std::vector<std::string_view> out;
    while (!(text = trim(text)).empty()) {
        const std::size_t end = text.find_first_of(" \t");
        out.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
    }
    return out;
}

} // namespace

Result<Schedule> Schedule::parse(std::string_view text)
{
    const auto parts = fields(text);
    if (parts.size() != 5)
        return Error{ErrorCode::InvalidArgument,
                     "cron '" + std::string(text) + "' has " + std::to_string(parts.size()) +
                         " fields: write five, minute hour day-of-month month day-of-week (UTC)"};
    Schedule schedule;
    RETURN_IF_ERROR(parseField(parts[0], {"minute", 0, 59, {}}, schedule.m_minutes));
    RETURN_IF_ERROR(parseField(parts[1], {"hour", 0, 23, {}}, schedule.m_hours));
    RETURN_IF_ERROR(parseField(parts[2], {"day of month", 1, 31, {}}, schedule.m_days));
    RETURN_IF_ERROR(parseField(parts[3], {"month", 1, 12, kMonths}, schedule.m_months));
    RETURN_IF_ERROR(parseField(parts[4], {"day of week", 0, 6, kDays}, schedule.m_weekdays));
    return schedule;
}

std::optional<schema::TimePoint> Schedule::next(schema::TimePoint after) const
{
    namespace chrono = std::chrono;
    using namespace std::chrono_literals;
    constexpr int kDaysToTry = 366 * 8 + 2; // a 29 February may be eight years away
    const auto firstMinute = chrono::floor<chrono::minutes>(
                                 chrono::sys_time<chrono::milliseconds>(after.time_since_epoch())) +
                             1min;
    auto day = chrono::floor<chrono::days>(firstMinute);
    for (int i = 0; i < kDaysToTry; ++i, day += chrono::days(1)) {
        const chrono::year_month_day date{day};
        if (!m_months.test(static_cast<unsigned>(date.month())) ||
            !m_days.test(static_cast<unsigned>(date.day())) ||
            !m_weekdays.test(chrono::weekday{day}.c_encoding()))
            continue;
        const auto start = i == 0 ? firstMinute - day : chrono::minutes(0);
        for (auto minute = chrono::duration_cast<chrono::minutes>(start); minute < 24h;
             minute += 1min) {
            const auto hour =
                static_cast<std::size_t>(chrono::duration_cast<chrono::hours>(minute).count());
            if (!m_hours.test(hour)) {
                minute = chrono::minutes(static_cast<int>(hour) * 60 + 59);
                continue;
            }
            if (m_minutes.test(static_cast<std::size_t>(minute.count() % 60)))
                return schema::TimePoint(
                    chrono::duration_cast<schema::Millis>((day + minute).time_since_epoch()));
        }
    }
    return std::nullopt;
}

} // namespace pipelines::cron
