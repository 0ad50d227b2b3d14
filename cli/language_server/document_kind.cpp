#include "cli/language_server/document_kind.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <array>
#include <string>

namespace cli::language_server {

bool looksLikeTemplate(std::string_view path, const std::vector<std::string_view> &lines)
{
    constexpr std::array<std::string_view, 12> kOfPipelines{
        "trigger", "pr",       "schedules", "name",      "pool",  "lockBehavior",
        "server",  "strategy", "container", "workspace", "queue", "appendCommitMessageToRunName"};
    constexpr std::array<std::string_view, 5> kBodies{"steps", "jobs", "stages", "extends",
                                                      "phases"};
    const std::string lower = pipelines::toLower(path);
    if (lower.substr(lower.rfind('/') + 1).find("azure-pipelines") != std::string::npos)
        return false;
    bool hasParameters = false;
    bool hasBody = false;
    bool hasVariables = false;
    for (const std::string_view line : lines) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || line[0] == ' ' || line[0] == '#' || line[0] == '-')
            continue;
        const std::string_view key = pipelines::trim(line.substr(0, colon));
        const auto among = [key](const auto &keys) {
            return std::find(keys.begin(), keys.end(), key) != keys.end();
        };
        if (among(kOfPipelines))
            return false;
        hasParameters = hasParameters || key == "parameters";
        hasVariables = hasVariables || key == "variables";
        hasBody = hasBody || among(kBodies);
    }
    return hasParameters || (hasVariables && !hasBody) ||
           (hasBody && lower.find("template") != std::string::npos);
}

} // namespace cli::language_server
