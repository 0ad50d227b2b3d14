#include "schema/tasks/task_definition.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace schema {
namespace {

using Json = nlohmann::json;

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text)
{
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// Texts and numbers as text: versions are written both ways.
std::string textOf(const Json &object, const char *key)
{
    const auto found = object.find(key);
    if (found == object.end() || found->is_null())
        return {};
    if (found->is_string())
        return found->get<std::string>();
    return found->is_primitive() ? found->dump() : std::string();
}

bool flagOf(const Json &object, const char *key)
{
    return same(textOf(object, key), "true");
}

std::optional<int> wholeNumber(std::string_view text)
{
    constexpr std::size_t kMostDigits = 6;
    if (text.empty() || text.size() > kMostDigits)
        return std::nullopt;
    int out = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        out = out * 10 + (c - '0');
    }
    return out;
}

Result<TaskInputDefinition> readInput(const Json &json)
{
    TaskInputDefinition out;
    if (json.is_object())
        out.name = textOf(json, "name");
    if (out.name.empty())
        return Error{ErrorCode::InvalidArgument, "inputs: every input has a name"};
    if (const auto aliases = json.find("aliases"); aliases != json.end() && aliases->is_array()) {
        for (const Json &alias : *aliases) {
            if (alias.is_string())
                out.aliases.push_back(alias.get<std::string>());
        }
    }
    if (const std::string type = textOf(json, "type"); !type.empty())
        out.type = type;
    out.label = textOf(json, "label");
    out.help = textOf(json, "helpMarkDown");
    out.defaultValue = textOf(json, "defaultValue");
    out.required = flagOf(json, "required");
    out.visibleRule = textOf(json, "visibleRule");
    if (const auto options = json.find("options"); options != json.end() && options->is_object()) {
        for (const auto &[value, label] : options->items())
            out.options.emplace_back(value, label.is_string() ? label.get<std::string>() : value);
    }
    if (const auto properties = json.find("properties");
        properties != json.end() && properties->is_object())
        out.anyOption = flagOf(*properties, "EditableOptions") ||
                        flagOf(*properties, "MultiSelect") ||
                        flagOf(*properties, "MultiSelectFlatList");
    return out;
}

} // namespace

const TaskInputDefinition *TaskDefinition::findInput(std::string_view input) const
{
    for (const TaskInputDefinition &candidate : inputs) {
        if (same(candidate.name, input) ||
            std::any_of(candidate.aliases.begin(), candidate.aliases.end(),
                        [input](const std::string &alias) { return same(alias, input); }))
            return &candidate;
    }
    return nullptr;
}

Result<TaskDefinition> parseTaskDefinition(std::string_view text)
{
    constexpr int kDeepest = 64;
    const auto bounded = [](int depth, Json::parse_event_t, Json &) { return depth < kDeepest; };
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    const Json json = Json::parse(text.begin(), text.end(), bounded, false, true);
    if (!json.is_object())
        return Error{ErrorCode::InvalidArgument, "a task.json holds one JSON object"};
    TaskDefinition out;
    for (const char c : textOf(json, "id"))
        out.id += lower(c);
    out.name = textOf(json, "name");
    if (out.id.empty() || out.name.empty())
        return Error{ErrorCode::InvalidArgument, "a task.json names `id` and `name`"};
    const auto version = json.find("version");
    if (version == json.end() || !version->is_object())
        return Error{ErrorCode::InvalidArgument, "version: Major, Minor and Patch are missing"};
    constexpr std::array<const char *, 3> kParts{"Major", "Minor", "Patch"};
    for (std::size_t i = 0; i < kParts.size(); ++i) {
        const auto number = wholeNumber(textOf(*version, kParts[i]));
        if (!number)
            return Error{ErrorCode::InvalidArgument,
                         std::string("version: ") + kParts[i] + " is not a whole number"};
        out.version[i] = *number;
    }
    out.friendlyName = textOf(json, "friendlyName");
    out.description = textOf(json, "description");
    out.instanceNameFormat = textOf(json, "instanceNameFormat");
    if (flagOf(json, "deprecated")) {
        out.deprecation = textOf(json, "deprecationMessage");
        if (out.deprecation.empty())
            out.deprecation = "the task is deprecated";
    }
    const auto groups = json.find("groups");
    const auto ruleOfGroup = [&](const std::string &name) {
        if (groups == json.end() || !groups->is_array() || name.empty())
            return std::string();
        const auto group = std::find_if(groups->begin(), groups->end(), [&](const Json &one) {
            return one.is_object() && textOf(one, "name") == name;
        });
        return group == groups->end() ? std::string() : textOf(*group, "visibleRule");
    };
    if (const auto inputs = json.find("inputs"); inputs != json.end() && inputs->is_array()) {
        for (const Json &input : *inputs) {
            ASSIGN_OR_RETURN(auto read, readInput(input));
            read.groupRule = ruleOfGroup(textOf(input, "groupName"));
            out.inputs.push_back(std::move(read));
        }
    }
    return out;
}

void TaskCatalogue::add(TaskDefinition definition)
{
    for (TaskDefinition &known : m_tasks) {
        if (same(known.id, definition.id) && known.version[0] == definition.version[0]) {
            if (known.version <= definition.version)
                known = std::move(definition);
            return;
        }
    }
    m_tasks.push_back(std::move(definition));
}

namespace {

bool answersTo(const TaskDefinition &task, std::string_view reference)
{
    if (same(task.id, reference) || same(task.name, reference))
        return true;
    const std::size_t dot = reference.rfind('.');
    return dot != std::string_view::npos && same(task.name, reference.substr(dot + 1));
}

} // namespace

const TaskDefinition *TaskCatalogue::find(std::string_view reference,
                                          std::string_view version) const
{
    const auto major = wholeNumber(version.substr(0, version.find('.')));
    const TaskDefinition *best = nullptr;
    for (const TaskDefinition &task : m_tasks) {
        if (answersTo(task, reference) && major && task.version[0] == *major &&
            (best == nullptr || best->version < task.version))
            best = &task;
    }
    return best;
}

std::vector<int> TaskCatalogue::majorVersions(std::string_view reference) const
{
    std::vector<int> out;
    for (const TaskDefinition &task : m_tasks) {
        if (answersTo(task, reference))
            out.push_back(task.version[0]);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

namespace detail {

std::vector<RuleTerm> parseRule(std::string_view rule, bool &conjunction)
{
    std::vector<RuleTerm> terms;
    rule = trimmed(rule);
    const bool any = rule.find("||") != std::string_view::npos;
    // The service knows one or the other, not both.
    if (rule.empty() || (any && rule.find("&&") != std::string_view::npos))
        return terms;
    conjunction = !any;
    const std::string_view separator = any ? "||" : "&&";
    while (!rule.empty()) {
        const std::size_t end = rule.find(separator);
        const std::string_view part = trimmed(rule.substr(0, end));
        rule = end == std::string_view::npos ? std::string_view{}
                                             : rule.substr(end + separator.size());
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return {};
        RuleTerm term;
        const bool twice = equals + 1 < part.size() && part[equals + 1] == '=';
        term.op = part[equals - 1] == '!' ? "!=" : "=";
        term.input = trimmed(part.substr(0, term.op == "!=" ? equals - 1 : equals));
        term.value = trimmed(part.substr(equals + (twice ? 2 : 1)));
        if (term.value.size() >= 2 && (term.value[0] == '"' || term.value[0] == '\''))
            term.value = term.value.substr(1, term.value.size() - 2);
        terms.push_back(term);
    }
    return terms;
}

bool holds(const RuleTerm &term, std::string_view value)
{
    const bool equal = same(term.value, value);
    return term.op == "=" ? equal : !equal;
}

} // namespace detail
} // namespace schema
