#include "cli/language_server/features.h"

#include "cli/language_server/cursor.h"
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
enum class ItemKind : std::uint8_t {
    Function = 3,
    Variable = 6,
    Module = 9,
    Property = 10,
    Value = 12,
    Reference = 18
};
enum class SymbolKind : std::uint8_t {
    Module = 2,
    Class = 5,
    Method = 6,
    Variable = 13,
    Property = 7
};

bool isNameCharacter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view unquoted(std::string_view text)
{
    text = trim(text);
    if (text.size() >= 2 && (text[0] == '\'' || text[0] == '"') && text.back() == text[0])
        return text.substr(1, text.size() - 2);
    return text;
}

/// A name that a line of the document declares: `- name: x`, `- stage: x`, `x: value`.
struct Declared
{
    std::string name;
    std::size_t line = 0, from = 0, to = 0;
};

/// Values of `key` below `path`, e.g. the names of parameters: path {"parameters", "[]"}, key
/// "name". `ends`: the path may stand anywhere.
std::vector<Declared> declared(const std::vector<std::string_view> &lines,
                               const std::vector<std::string_view> &keys,
                               std::string_view container)
{
    std::vector<Declared> out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string_view text = lines[i];
        const std::size_t start = text.find_first_not_of(" -");
        if (start == std::string_view::npos)
            continue;
        for (const std::string_view key : keys) {
            const std::string_view rest = text.substr(start);
            if (!rest.starts_with(key) || rest.size() <= key.size() || rest[key.size()] != ':')
                continue;
            const std::string_view value = unquoted(rest.substr(key.size() + 1));
            if (value.empty() || value.find("${{") != std::string_view::npos)
                continue;
            const Cursor cursor = locate(lines, i, start);
            const bool fits =
                container.empty() || (cursor.path.size() >= 2 && cursor.path.back() == "[]" &&
                                      cursor.path[cursor.path.size() - 2] == container);
            if (!fits)
                continue;
            const auto from = static_cast<std::size_t>(value.data() - text.data());
            out.push_back({std::string(value), i, from, from + value.size()});
        }
    }
    return out;
}

std::vector<Declared> parameters(const std::vector<std::string_view> &lines)
{
    return declared(lines, {"name", "- name"}, "parameters");
}

/// Named variables of lists, and the keys of mappings.
std::vector<Declared> variables(const std::vector<std::string_view> &lines)
{
    std::vector<Declared> out = declared(lines, {"name"}, "variables");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::size_t start = lines[i].find_first_not_of(' ');
        const std::size_t colon = lines[i].find(':');
        if (start == std::string_view::npos || colon == std::string_view::npos ||
            lines[i][start] == '-' || lines[i][start] == '#' || lines[i][start] == '$')
            continue;
        const Cursor cursor = locate(lines, i, start);
        if (!cursor.path.empty() && cursor.path.back() == "variables")
            out.push_back({std::string(lines[i].substr(start, colon - start)), i, start, colon});
    }
    return out;
}

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

json item(std::string label, ItemKind kind, std::string detail, std::string insert = {})
{
    json out{{"label", label}, {"kind", static_cast<int>(kind)}, {"detail", std::move(detail)}};
    if (!insert.empty())
        out["insertText"] = std::move(insert);
    return out;
}

std::string inputText(const schema::TaskInputDefinition &input)
{
    std::string out = input.type + (input.required ? ", required" : "");
    if (!input.defaultValue.empty())
        out += ", default " + input.defaultValue;
    return out;
}

void completeExpression(const std::vector<std::string_view> &lines, std::string_view before,
                        json &out)
{
    std::size_t start = before.size();
    while (start > 0 && isNameCharacter(before[start - 1]))
        --start;
    const std::string_view word = before.substr(start);
    const std::size_t dot = word.find('.');
    const std::string_view context = word.substr(0, dot);
    if (dot != std::string_view::npos || before.substr(0, start).ends_with("['")) {
        const bool isIndex = dot == std::string_view::npos;
        std::string_view owner = context;
        if (isIndex) {
            owner = before.substr(0, start - 2);
            std::size_t from = owner.size();
            while (from > 0 && isNameCharacter(owner[from - 1]))
                --from;
            owner = owner.substr(from);
        }
        if (equalIgnoringCase(owner, "parameters")) {
            for (const Declared &name : parameters(lines))
                out.push_back(item(name.name, ItemKind::Variable, "parameter"));
        } else if (equalIgnoringCase(owner, "variables")) {
            for (const Declared &name : variables(lines))
                out.push_back(item(name.name, ItemKind::Variable, "variable"));
        }
        return;
    }
    for (const auto &function : pipelines::expr::allFunctions()) {
        if ((function.slots & slotBit(pipelines::expr::Slot::Template)) != 0)
            out.push_back(item(std::string(function.name), ItemKind::Function,
                               std::string(function.summary)));
    }
    for (const char *const name : {"parameters", "variables"})
        out.push_back(item(name, ItemKind::Module, "context"));
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

bool insideExpression(std::string_view line, std::size_t byte)
{
    const std::string_view before = line.substr(0, std::min(byte, line.size()));
    const std::size_t open = before.rfind("${{");
    return open != std::string_view::npos && before.find("}}", open) == std::string_view::npos;
}

} // namespace

json completionsAt(const std::vector<std::string_view> &lines, Place place,
                   const schema::TaskCatalogue &tasks)
{
    json out = json::array();
    if (place.line >= lines.size())
        return out;
    const std::string_view before = lines[place.line].substr(0, place.byte);
    if (insideExpression(before, before.size())) {
        completeExpression(lines, before, out);
        return out;
    }
    const std::size_t macro = before.rfind("$(");
    if (macro != std::string_view::npos && before.find(')', macro) == std::string_view::npos) {
        for (const Declared &name : variables(lines))
            out.push_back(item(name.name, ItemKind::Variable, "variable"));
        return out;
    }
    const Cursor cursor = locate(lines, place.line, place.byte);
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
                    const schema::TaskCatalogue &tasks)
{
    if (place.line >= lines.size())
        return {};
    const std::string_view line = lines[place.line];
    std::size_t from = 0;
    const std::string_view word = wordAt(line, place.byte, from);
    if (word.empty())
        return {};
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
                return Target{{}, one.line, one.from, one.to};
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
    if (cursor.inValue && key == "template") {
        const std::string_view value = unquoted(line.substr(line.find(':') + 1));
        if (!value.empty() && value.find("${{") == std::string_view::npos)
            return Target{std::string(value)};
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
