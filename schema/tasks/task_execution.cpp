#include "schema/tasks/task_execution.h"

#include <nlohmann/json.hpp>

#include <charconv>

namespace schema {
namespace {

using Json = nlohmann::ordered_json;

/// More handlers, outputs or demands than any task has.
constexpr std::size_t kMostEntries = 1000;

std::string textOf(const Json &object, const char *key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> textsOf(const Json &list)
{
    std::vector<std::string> out;
    if (!list.is_array())
        return out;
    for (const Json &entry : list) {
        if (entry.is_string() && out.size() < kMostEntries)
            out.push_back(entry.get<std::string>());
    }
    return out;
}

std::vector<TaskHandler> handlersOf(const Json &json, const char *key)
{
    std::vector<TaskHandler> out;
    const auto phase = json.find(key);
    if (phase == json.end() || !phase->is_object())
        return out;
    for (const auto &[name, handler] : phase->items()) {
        if (!handler.is_object() || out.size() >= kMostEntries)
            continue;
        out.push_back({name, textOf(handler, "target"), textOf(handler, "workingDirectory"),
                       textOf(handler, "argumentFormat")});
    }
    return out;
}

} // namespace

std::string TaskExecution::version() const
{
    return std::to_string(definition.version[0]) + "." + std::to_string(definition.version[1]) +
           "." + std::to_string(definition.version[2]);
}

Result<TaskExecution> parseTaskExecution(std::string_view text)
{
    TaskExecution out;
    ASSIGN_OR_RETURN(out.definition, parseTaskDefinition(text));
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    // Well-formed and of bounded depth, as parseTaskDefinition has seen.
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false, true);
    if (!json.is_object())
        return Error{ErrorCode::InvalidArgument, "a task.json holds one JSON object"};
    out.author = textOf(json, "author");
    out.helpUrl = textOf(json, "helpUrl");
    out.helpText = textOf(json, "helpMarkDown");
    out.pre = handlersOf(json, "prejobexecution");
    out.main = handlersOf(json, "execution");
    out.post = handlersOf(json, "postjobexecution");
    if (const auto demands = json.find("demands"); demands != json.end())
        out.demands = textsOf(*demands);
    if (const auto oldest = textOf(json, "minimumAgentVersion"); !oldest.empty())
        out.demands.push_back("Agent.Version -gtVersion " + oldest);
    if (const auto outputs = json.find("outputVariables");
        outputs != json.end() && outputs->is_array()) {
        for (const Json &output : *outputs) {
            if (auto name = output.is_object() ? textOf(output, "name") : std::string();
                !name.empty() && out.outputVariables.size() < kMostEntries)
                out.outputVariables.push_back(std::move(name));
        }
    }
    const auto restrictions = json.find("restrictions");
    if (restrictions == json.end() || !restrictions->is_object())
        return out;
    if (const auto commands = restrictions->find("commands");
        commands != restrictions->end() && commands->is_object())
        out.restricted = textOf(*commands, "mode") == "restricted";
    if (const auto variables = restrictions->find("settableVariables");
        variables != restrictions->end() && variables->is_object()) {
        if (const auto allowed = variables->find("allowed"); allowed != variables->end())
            out.settable = textsOf(*allowed);
    }
    return out;
}

std::array<int, 3> versionNumbers(std::string_view version)
{
    std::array<int, 3> out{};
    for (int &part : out) {
        const auto dot = version.find('.');
        const auto digits = version.substr(0, dot);
        std::from_chars(digits.data(), digits.data() + digits.size(), part);
        if (dot == std::string_view::npos)
            break;
        version.remove_prefix(dot + 1);
    }
    return out;
}

bool answersTo(const std::array<int, 3> &version, std::string_view asked)
{
    for (const int part : version) {
        if (asked.empty() || asked == "*")
            return true;
        const auto dot = asked.find('.');
        const auto digits = asked.substr(0, dot);
        if (digits == "*" || digits == "x")
            return true;
        int wanted = -1;
        std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
        if (wanted != part)
            return false;
        asked = dot == std::string_view::npos ? std::string_view() : asked.substr(dot + 1);
    }
    return asked.empty();
}

} // namespace schema
