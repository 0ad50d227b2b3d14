#include "cli/language_server/features.h"

#include "cli/language_server/arguments.h"
#include "cli/language_server/cursor.h"
#include "cli/language_server/declarations.h"
#include "cli/language_server/expressions.h"
#include "cli/language_server/item.h"
#include "cli/language_server/text_position.h"
#include "pipelines/base/text.h"
#include "pipelines/expr/functions.h"
#include "pipelines/yaml/reader.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
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

/// Numbers of the protocol.
enum class SymbolKind : std::uint8_t {
    Module = 2,
    Class = 5,
    Method = 6,
    Variable = 13,
    Property = 7
};

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
        for (const Declared &name :
             ofStage ? declared(lines, {"stage"}, "") : declared(lines, {"job", "deployment"}, ""))
            out.push_back(item(name.name, ItemKind::Reference, ofStage ? "stage" : "job"));
        return;
    }
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

void completeKeys(const Cursor &cursor, const std::vector<const Shape *> &mappings, json &out)
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
                (hasFirst && starts != isFirst) || !offered.insert(property.key).second)
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

json completionsAt(const std::vector<std::string_view> &lines, Place place,
                   const schema::TaskCatalogue &tasks, const std::string *templateText)
{
    json out = json::array();
    if (place.line >= lines.size())
        return out;
    const std::string_view before = lines[place.line].substr(0, place.byte);
    const Cursor cursor = locate(lines, place.line, place.byte);
    if (const auto slot = slotAt(before, cursor)) {
        completeExpression(lines, before, *slot, out);
        return out;
    }
    const std::size_t macro = before.rfind("$(");
    if (macro != std::string_view::npos && before.find(')', macro) == std::string_view::npos) {
        completeVariables(lines, false, out);
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
    completeKeys(cursor, shapes, out);
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

namespace {

using pipelines::yaml::Node;

class SymbolWriter
{
public:
    explicit SymbolWriter(const std::vector<std::string_view> &lines)
        : m_lines(lines)
    {}

    json list(const Node &root)
    {
        json out = json::array();
        for (const auto &[key, kind] :
             {std::pair<std::string_view, SymbolKind>{"parameters", SymbolKind::Property},
              {"variables", SymbolKind::Variable}}) {
            if (const Node *const items = root.find(key))
                names(*items, kind, out);
        }
        body(root, out);
        return out;
    }

private:
    void names(const Node &items, SymbolKind kind, json &out)
    {
        for (const Node *one : items.items()) {
            if (const Node *const name = one->find("name"); name != nullptr && name->isScalar())
                out.push_back(symbol(std::string(name->text), kind, *one));
        }
        for (const auto &entry : items.entries())
            out.push_back(symbol(std::string(entry.key->text), kind, *entry.key));
    }

    /// Stages, jobs or steps below a mapping.
    void body(const Node &node, json &out)
    {
        for (const std::string_view key : {"stages", "jobs", "steps"}) {
            if (const Node *const items = node.find(key)) {
                for (const Node *one : items->items())
                    entry(*one, out);
            }
        }
        for (const std::string_view key :
             {"strategy", "runOnce", "rolling", "canary", "preDeploy", "deploy", "routeTraffic",
              "postRouteTraffic", "on", "failure", "success"}) {
            if (const Node *const inner = node.find(key); inner != nullptr && inner->isMapping())
                body(*inner, out);
        }
    }

    void entry(const Node &node, json &out)
    {
        if (!node.isMapping() || node.count == 0)
            return;
        const auto &first = node.entries()[0];
        const std::string_view key = first.key->text;
        if (key.starts_with("${{")) {
            for (const Node *inner : first.value->items())
                entry(*inner, out);
            return;
        }
        const SymbolKind kind = key == "stage"                        ? SymbolKind::Module
                                : key == "job" || key == "deployment" ? SymbolKind::Class
                                                                      : SymbolKind::Method;
        std::string name(first.value->isScalar()
                             ? first.value->text.substr(0, first.value->text.find('\n'))
                             : std::string_view{});
        if (const Node *const shown = node.find("displayName");
            kind == SymbolKind::Method && shown != nullptr && shown->isScalar())
            name = shown->text;
        constexpr std::size_t kLongest = 80;
        if (name.empty())
            name = key;
        json one = symbol(name.substr(0, kLongest), kind, node);
        one["detail"] = key;
        json children = json::array();
        body(node, children);
        if (!children.empty()) {
            one["range"]["end"] = children.back()["range"]["end"];
            one["children"] = std::move(children);
        }
        out.push_back(std::move(one));
    }

    json symbol(std::string name, SymbolKind kind, const Node &node)
    {
        const std::size_t line = node.line == 0 ? 0 : node.line - 1;
        const std::string_view text = line < m_lines.size() ? m_lines[line] : std::string_view{};
        const json range{
            {"start", {{"line", line}, {"character", utf16OfColumn(text, node.column)}}},
            {"end", {{"line", line}, {"character", utf16Of(text, text.size())}}}};
        if (name.empty())
            name = "?";
        return {{"name", std::move(name)},
                {"kind", static_cast<int>(kind)},
                {"range", range},
                {"selectionRange", range}};
    }

    const std::vector<std::string_view> &m_lines;
};

} // namespace

json symbolsOf(std::string_view text)
{
    pipelines::yaml::Arena arena;
    std::vector<pipelines::Diagnostic> ignored;
    const Node *const root =
        pipelines::yaml::read(arena, arena.source({}), text, {}, nullptr, ignored);
    if (root == nullptr || !root->isMapping())
        return json::array();
    const auto lines = linesOf(text);
    return SymbolWriter(lines).list(*root);
}

} // namespace cli::language_server
