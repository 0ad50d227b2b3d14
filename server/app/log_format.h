#pragma once
/// The server's own log as JSON lines, for programs that collect logs.

#include "schema/base/time.h"

#include <string>
#include <string_view>

namespace server::app {

/// One line without line feed: `{"time", "level", "category", "message", ...}`. Words `key=value`
/// of the message stand as members too; names that are taken already stay as they are.
std::string jsonLogLine(schema::TimePoint time, std::string_view level, std::string_view category,
                        std::string_view message);

/// From now on the process writes its log as JSON lines to standard error.
void installJsonLog();

} // namespace server::app
