#include "cli/language_server/features.h"

#include "cli/language_server/arguments.h"
#include "cli/language_server/cursor.h"
#include "cli/language_server/declarations.h"
#include "cli/language_server/expressions.h"
#include "cli/language_server/item.h"
#include "cli/language_server/text_position.h"
#include "pipelines/base/text.h"
#include "pipelines/expr/functions.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace cli::language_server {
namespace {

using nlohmann::json;
using pipelines::equalIgnoringCase;
using pipelines::trim;
using pipelines::shape::Kind;
using pipelines::shape::Property;
using pipelines::shape::Shape;
using schema::TaskDefinition;

const TaskDefinition *taskOf(const schema::TaskCatalogue &tasks, std::string_view reference)
{
    reference = unquoted(reference);
    const std::size_t at = reference.find('@');
    if (at == std::string_view::npos)
        return nullptr;
    return tasks.find(reference.substr(0, at), reference.substr(at + 1));
}

/// The task whose `inputs` hold the cursor, or null.
const TaskDefinition *taskOfInputs(const std::vector<std::string_view> &lines, Place place,
                                   const Cursor &cursor, const schema::TaskCatalogue &tasks)
{
    if (cursor.path.empty() || cursor.path.back() != "inputs")
        return nullptr;
    for (std::size_t i = place.line; i-- > 0;) {
        const std::size_t start = lines[i].find_first_not_of(" -");
        if (start == std::string_view::npos)
            continue;
        const std::string_view rest = lines[i].substr(start);
        if (rest.starts_with("task:"))
            return taskOf(tasks, rest.substr(5));
        const std::size_t indent = lines[i].find_first_not_of(' ');
        if (lines[i][indent] == '-' && rest.starts_with("inputs:") == false)
            return nullptr;
    }
    return nullptr;
}

std::string inputText(const schema::TaskInputDefinition &input)
{
    std::string out = input.type + (input.required ? ", required" : "");
    if (!input.defaultValue.empty())
        out += ", default " + input.defaultValue;
    return out;
}

/// The resources of the file that a value of `key` may name.
void completeAliases(const std::vector<std::string_view> &lines, std::string_view key, json &out)
{
    struct NamedBy
    {
        std::string_view key, resource, list;
        std::vector<std::string_view> words; ///< what may stand there besides
    };

    static const std::vector<NamedBy> kKinds{
        {"checkout", "repository", "repositories", {"self", "none"}},
        {"repositories", "repository", "repositories", {}},
        {"download", "pipeline", "pipelines", {"current", "none"}},
        {"container", "container", "containers", {}},
        {"target", "container", "containers", {"host"}}};
    for (const NamedBy &kind : kKinds) {
        if (kind.key != key)
            continue;
        for (const std::string_view word : kind.words)
            out.push_back(item(std::string(word), ItemKind::Value, std::string(key)));
        for (const Declared &name : declared(lines, {kind.resource}, kind.list))
            out.push_back(item(name.name, ItemKind::Reference, std::string(kind.resource)));
    }
}

void completeValue(const std::vector<std::string_view> &lines, const Cursor &cursor,
                   const std::vector<const Shape *> &mappings, const std::string &key,
                   const schema::TaskCatalogue &tasks, json &out)
{
    if (key == "task") {
        for (const TaskDefinition &task : tasks.all())
            out.push_back(item(task.name + "@" + std::to_string(task.version[0]), ItemKind::Module,
                               task.friendlyName));
        return;
    }
    if (key == "dependsOn") {
        const bool ofStage = std::any_of(mappings.begin(), mappings.end(),
                                         [](const Shape *shape) { return shape->name == "stage"; });
        const auto isOwn = [&cursor](const std::string &name) {
            return std::any_of(cursor.siblings.begin(), cursor.siblings.end(),
                               [&](const auto &sibling) {
                                   return (sibling.first == "stage" || sibling.first == "job" ||
                                           sibling.first == "deployment") &&
                                          unquoted(sibling.second) == name;
                               });
        };
        for (const Declared &name : ofStage ? declared(lines, {"stage"}, "")
                                            : declared(lines, {"job", "deployment"}, "")) {
            if (!isOwn(name.name))
                out.push_back(item(name.name, ItemKind::Reference, ofStage ? "stage" : "job"));
        }
        return;
    }
    completeAliases(lines, key, out);
    for (const Shape *shape : valueShapes(mappings, key)) {
        for (const std::string_view word : shape->words)
            out.push_back(item(std::string(word), ItemKind::Value, std::string(shape->name)));
        if (shape->kind == Kind::Boolean) {
            out.push_back(item("true", ItemKind::Value, "boolean"));
            out.push_back(item("false", ItemKind::Value, "boolean"));
        }
    }
    if (cursor.path.size() == 2 && cursor.path[0] == "parameters" && key == "default") {
        for (const auto &[name, value] : cursor.siblings) {
            if (name == "type" && value == "boolean") {
                out.push_back(item("true", ItemKind::Value, "boolean"));
                out.push_back(item("false", ItemKind::Value, "boolean"));
            }
        }
    }
}

/// A deployment has other strategies than a job: what its own mapping begins with tells.
bool isOfOtherJob(const std::vector<std::string_view> &lines, Place place, const Cursor &cursor,
                  std::string_view key)
{
    if (cursor.path.empty() || cursor.path.back() != "strategy")
        return false;
    const bool ofDeployment = key == "runOnce" || key == "rolling" || key == "canary";
    for (std::size_t i = place.line; i-- > 0;) {
        const std::size_t start = lines[i].find_first_not_of(" -");
        if (start == std::string_view::npos)
            continue;
        const std::string_view rest = lines[i].substr(start);
        if (rest.starts_with("deployment:"))
            return !ofDeployment;
        if (rest.starts_with("job:") || rest.starts_with("steps:"))
            return ofDeployment;
    }
    return false;
}

void completeKeys(const std::vector<std::string_view> &lines, Place place, const Cursor &cursor,
                  const std::vector<const Shape *> &mappings, json &out)
{
    const auto has = [&cursor](std::string_view key) {
        return std::any_of(cursor.siblings.begin(), cursor.siblings.end(),
                           [key](const auto &sibling) { return sibling.first == key; });
    };
    // The keys that are there rule out the alternatives that do not know them.
    std::vector<const Shape *> fitting;
    for (const Shape *shape : mappings) {
        if (shape->kind != Kind::Mapping)
            continue;
        const bool knowsAll = std::all_of(
            cursor.siblings.begin(), cursor.siblings.end(), [shape](const auto &sibling) {
                return sibling.first.starts_with("${{") || shape->loose != nullptr ||
                       std::any_of(
                           shape->properties.begin(), shape->properties.end(),
                           [&](const Property &property) { return property.key == sibling.first; });
            });
        if (knowsAll)
            fitting.push_back(shape);
    }
    std::set<std::string_view> offered;
    for (const Shape *shape : fitting) {
        for (const Property &property : shape->properties) {
            const bool isFirst = (property.flags & pipelines::shape::kFirst) != 0;
            const bool starts = cursor.siblings.empty();
            const bool hasFirst = (shape->properties[0].flags & pipelines::shape::kFirst) != 0;
            if ((property.flags & pipelines::shape::kLegacy) != 0 || has(property.key) ||
                (hasFirst && starts != isFirst) ||
                isOfOtherJob(lines, place, cursor, property.key) ||
                !offered.insert(property.key).second)
                continue;
            out.push_back(item(std::string(property.key), ItemKind::Property,
                               std::string(property.summary), std::string(property.key) + ": "));
        }
    }
}

/// The word around a place, and where it begins.
std::string_view wordAt(std::string_view line, std::size_t byte, std::size_t &from)
{
    from = std::min(byte, line.size());
    std::size_t to = from;
    while (from > 0 && isNameCharacter(line[from - 1]))
        --from;
    while (to < line.size() && isNameCharacter(line[to]))
        ++to;
    return line.substr(from, to - from);
}

} // namespace

std::optional<std::string> typedTemplatePath(const std::vector<std::string_view> &lines,
                                             Place place)
{
    if (place.line >= lines.size())
        return std::nullopt;
    const std::string_view before = lines[place.line].substr(0, place.byte);
    const Cursor cursor = locate(lines, place.line, place.byte);
    if (!cursor.inValue || trim(std::string_view(cursor.key)) != "template" ||
        before.find("${{") != std::string_view::npos)
        return std::nullopt;
    std::string_view typed = cursor.value;
    typed.remove_prefix(std::min(typed.find_first_not_of(" '\""), typed.size()));
    return std::string(typed);
}

json completionsAt(const std::vector<std::string_view> &lines, Place place,
                   const schema::TaskCatalogue &tasks, const std::string *templateText,
                   const std::vector<std::string> &paths, const std::vector<std::string> &included)
{
    json out = json::array();
    if (place.line >= lines.size())
        return out;
    const std::string_view before = lines[place.line].substr(0, place.byte);
    const Cursor cursor = locate(lines, place.line, place.byte);
    if (const auto slot = slotAt(before, cursor)) {
        completeExpression(lines, before, *slot, included, out);
        return out;
    }
    const std::size_t macro = before.rfind("$(");
    if (macro != std::string_view::npos && before.find(')', macro) == std::string_view::npos) {
        completeVariables(lines, included, false, out);
        return out;
    }
    if (const auto typed = typedTemplatePath(lines, place)) {
        if (typed->find('@') != std::string::npos) {
            out.push_back(item("self", ItemKind::Value, "the pipeline's own repository"));
            completeAliases(lines, "repositories", out);
        }
        // Words end at slashes for an editor: the whole path takes the place of what is typed.
        const auto at = [&](std::size_t byte) {
            return json{{"line", place.line}, {"character", utf16Of(lines[place.line], byte)}};
        };
        const json range{{"start", at(before.size() - std::min(before.size(), typed->size()))},
                         {"end", at(before.size())}};
        for (const std::string &path : paths) {
            json one = item(path, path.ends_with('/') ? ItemKind::Folder : ItemKind::File, {});
            one["textEdit"] = {{"range", range}, {"newText", path}};
            out.push_back(std::move(one));
        }
        return out;
    }
    if (completeArguments(templateText, cursor, out))
        return out;
    if (const TaskDefinition *const task = taskOfInputs(lines, place, cursor, tasks)) {
        const schema::TaskInputDefinition *const known = task->findInput(cursor.key);
        if (cursor.inValue && known != nullptr) {
            for (const auto &[value, label] : known->options)
                out.push_back(item(value, ItemKind::Value, label));
            if (known->type == "boolean") {
                out.push_back(item("true", ItemKind::Value, "boolean"));
                out.push_back(item("false", ItemKind::Value, "boolean"));
            }
        } else if (!cursor.inValue) {
            for (const auto &input : task->inputs) {
                const bool given = std::any_of(
                    cursor.siblings.begin(), cursor.siblings.end(),
                    [&](const auto &sibling) { return task->findInput(sibling.first) == &input; });
                if (!given)
                    out.push_back(
                        item(input.name, ItemKind::Property, inputText(input), input.name + ": "));
            }
        }
        return out;
    }
    std::vector<const Shape *> shapes = shapesAt(cursor.path);
    if (cursor.inValue) {
        completeValue(lines, cursor, shapes, cursor.key, tasks, out);
        return out;
    }
    if (cursor.isItemText && cursor.path.size() >= 2) {
        // `- x` below a key: values of a list, such as dependsOn.
        std::vector<std::string> owner(cursor.path.begin(), cursor.path.end() - 2);
        completeValue(lines, cursor, shapesAt(owner), cursor.path[cursor.path.size() - 2], tasks,
                      out);
    }
    completeKeys(lines, place, cursor, shapes, out);
    return out;
}

std::string hoverAt(const std::vector<std::string_view> &lines, Place place,
                    const schema::TaskCatalogue &tasks, const std::string *templateText)
{
    if (place.line >= lines.size())
        return {};
    const std::string_view line = lines[place.line];
    std::size_t from = 0;
    const std::string_view word = wordAt(line, place.byte, from);
    if (word.empty())
        return {};
    if (line.substr(0, from).ends_with("variables['") || line.substr(0, from).ends_with("$("))
        return hoverOfVariable(word);
    if (insideExpression(line, from)) {
        if (const auto *const function = pipelines::expr::findFunction(word))
            return "`" + std::string(function->name) + "`: " + std::string(function->summary);
        constexpr std::string_view kPrefix = "parameters.";
        if (word.size() > kPrefix.size() &&
            equalIgnoringCase(word.substr(0, kPrefix.size()), kPrefix)) {
            for (const Declared &name : parameters(lines)) {
                if (!equalIgnoringCase(name.name, word.substr(kPrefix.size())))
                    continue;
                std::string out = "parameter `" + name.name + "`";
                const Cursor declaration = locate(lines, name.line, name.from);
                for (const auto &[key, value] : declaration.siblings)
                    out.append("\n\n").append(key).append(": `").append(value).append("`");
                return out;
            }
        }
        return {};
    }
    Cursor cursor = locate(lines, place.line, from);
    const std::size_t colon = line.find(':', from);
    const bool onKey = !cursor.inValue && colon == from + word.size();
    if (templateText != nullptr && onKey)
        return hoverOfArgument(*templateText, word);
    if (const TaskDefinition *const task = taskOfInputs(lines, place, cursor, tasks);
        task != nullptr && onKey) {
        const schema::TaskInputDefinition *const input = task->findInput(word);
        if (input == nullptr)
            return {};
        std::string out = "`" + input->name + "`: " + inputText(*input);
        for (const std::string &alias : input->aliases)
            out += "\n\nalso `" + alias + "`";
        for (const std::string &text : {input->label, input->help})
            out += text.empty() ? "" : "\n\n" + text;
        return out;
    }
    if (onKey) {
        for (const Shape *shape : shapesAt(cursor.path)) {
            for (const Property &property : shape->properties) {
                if (property.key == word)
                    return "`" + std::string(word) + "`: " + std::string(property.summary);
            }
        }
        return {};
    }
    if (cursor.inValue && cursor.key == "task") {
        const TaskDefinition *const task = taskOf(tasks, line.substr(line.find(':') + 1));
        if (task == nullptr)
            return {};
        std::string out = "**" + task->friendlyName + "**";
        if (!task->description.empty())
            out += "\n\n" + task->description;
        for (const auto &input : task->inputs)
            out += "\n- `" + input.name + "`: " + inputText(input);
        return out;
    }
    return {};
}

std::optional<Target> definitionAt(const std::vector<std::string_view> &lines, Place place)
{
    if (place.line >= lines.size())
        return std::nullopt;
    const std::string_view line = lines[place.line];
    std::size_t from = 0;
    const std::string_view word = wordAt(line, place.byte, from);
    const auto among = [](const std::vector<Declared> &all,
                          std::string_view name) -> std::optional<Target> {
        for (const Declared &one : all) {
            if (equalIgnoringCase(one.name, name))
                return Target{{}, one.line, one.from, one.to, {}};
        }
        return std::nullopt;
    };
    for (const std::string_view prefix : {"parameters.", "variables."}) {
        if (word.size() > prefix.size() && equalIgnoringCase(word.substr(0, prefix.size()), prefix))
            return among(prefix[0] == 'p' ? parameters(lines) : variables(lines),
                         word.substr(prefix.size()));
    }
    const std::string_view before = line.substr(0, from);
    if (before.ends_with("$(") || before.ends_with("variables['"))
        return among(variables(lines), word);
    if (before.ends_with("parameters['"))
        return among(parameters(lines), word);
    const Cursor cursor = locate(lines, place.line, std::min(place.byte, line.size()));
    const std::string_view key = trim(std::string_view(cursor.key));
    if (const std::string reference = referenceOfArguments(lines, place);
        !reference.empty() && !cursor.inValue)
        return Target{reference, 0, 0, 0, std::string(word)};
    if (cursor.inValue && key == "template") {
        const std::string_view value = unquoted(line.substr(line.find(':') + 1));
        if (!value.empty() && value.find("${{") == std::string_view::npos)
            return Target{std::string(value), 0, 0, 0, {}};
        return std::nullopt;
    }
    const bool inList = cursor.path.size() >= 2 && cursor.path.back() == "[]" &&
                        cursor.path[cursor.path.size() - 2] == "dependsOn";
    if ((cursor.inValue && key == "dependsOn") || inList) {
        if (auto found = among(declared(lines, {"stage", "job", "deployment"}, ""), word))
            return found;
    }
    return std::nullopt;
}

} // namespace cli::language_server
