#pragma once
/// Logging commands in the output of a step: "##vso[area.action key=value;...]data"
/// (worker-and-tasks 3.1). Parsing only; what they do stands in step_commands.h.

#include "schema/base/result.h"
#include "schema/model/plan.h"

#include <optional>
#include <string>
#include <string_view>

namespace worker {

struct LoggingCommand
{
    std::string area, action;   ///< lower case
    schema::TextMap properties; ///< keys as written, values unescaped
    std::string data;           ///< unescaped

    /// Value of a property (ignoring case), or an empty text.
    [[nodiscard]] std::string property(std::string_view key) const;
    bool operator==(const LoggingCommand &) const = default;
};

/// Nothing when the line holds no "##vso["; InvalidArgument saying what is wrong when it does but
/// is no command; else the command. Never throws; linear in the line.
std::optional<schema::Result<LoggingCommand>> parseLoggingCommand(std::string_view line);

} // namespace worker
