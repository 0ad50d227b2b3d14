#pragma once
/// Cron schedules in UTC (pipeline-language 5.4): five fields, evaluated purely.

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <bitset>
#include <optional>
#include <string_view>

namespace pipelines::cron {

class Schedule
{
public:
    /// "minute hour day-of-month month day-of-week"; lists, ranges, steps, names of months and
    /// days. Errors: InvalidArgument naming the field and what it accepts.
    static schema::Result<Schedule> parse(std::string_view text);

    /// The first time after `after` (strictly), at a whole minute. Nothing when there is none
    /// within eight years ("0 0 30 2 *"). Day of month and day of week must both match, as in the
    /// service's cron library.
    [[nodiscard]] std::optional<schema::TimePoint> next(schema::TimePoint after) const;

private:
    std::bitset<60> m_minutes;
    std::bitset<24> m_hours;
    std::bitset<32> m_days;    ///< 1..31
    std::bitset<13> m_months;  ///< 1..12
    std::bitset<7> m_weekdays; ///< 0 = Sunday
};

} // namespace pipelines::cron
