#include "cli/client/diagnostic_line.h"

#include "cli/client/options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace cli {

std::string diagnosticLine(const nlohmann::json &diagnostic)
{
    std::string line;
    if (const std::string file = textOf(diagnostic, "file"); !file.empty()) {
        line = file + ":";
        if (const auto number = numberOf(diagnostic, "line"); number > 0)
            line += fmt::format("{}:{}:", number, numberOf(diagnostic, "column"));
        line += ' ';
    }
    if (const std::string severity = textOf(diagnostic, "severity"); !severity.empty())
        line += severity + ": ";
    line += textOf(diagnostic, "message");
    if (const std::string hint = textOf(diagnostic, "hint"); !hint.empty())
        line += fmt::format(" ({})", hint);
    return line;
}

} // namespace cli
