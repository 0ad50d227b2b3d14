#include "cli/language_server/arguments.h"

#include "cli/language_server/declarations.h"
#include "cli/language_server/item.h"
#include "cli/language_server/text_position.h"
#include "pipelines/base/text.h"
#include "pipelines/yaml/reader.h"

#include <algorithm>

namespace cli::language_server {
namespace {

using nlohmann::json;
using pipelines::equalIgnoringCase;
using pipelines::yaml::Node;

/// A parameter that a template declares.
struct Parameter
{
    std::string name, type, displayName, defaultValue;
    std::vector<std::string> values;
    bool isRequired = false;
};

std::string textOf(const Node &mapping, std::string_view key)
{
    const Node *const value = mapping.find(key);
    return value != nullptr && value->isScalar() ? std::string(value->text) : std::string();
}

/// In file order; none when the text cannot be read at the moment.
std::vector<Parameter> parametersOf(const std::string &templateText)
{
    pipelines::yaml::Arena arena;
    std::vector<pipelines::Diagnostic> ignored;
    const Node *const root =
        pipelines::yaml::read(arena, arena.source({}), templateText, {}, nullptr, ignored);
    const Node *const list =
        root != nullptr && root->isMapping() ? root->find("parameters") : nullptr;
    std::vector<Parameter> out;
    if (list == nullptr)
        return out;
    for (const Node *one : list->items()) {
        if (!one->isMapping())
            continue;
        Parameter parameter;
        parameter.name = textOf(*one, "name");
        parameter.type = textOf(*one, "type");
        parameter.displayName = textOf(*one, "displayName");
        parameter.defaultValue = textOf(*one, "default");
        parameter.isRequired = one->find("default") == nullptr;
        if (const Node *const values = one->find("values")) {
            for (const Node *value : values->items())
                parameter.values.emplace_back(value->text);
        }
        out.push_back(std::move(parameter));
    }
    for (const auto &entry : list->entries()) // the legacy form: name: default
        out.push_back({std::string(entry.key->text),
                       "any",
                       {},
                       entry.value->isScalar() ? std::string(entry.value->text) : std::string(),
                       {},
                       false});
    return out;
}

std::string detailOf(const Parameter &parameter)
{
    std::string out = parameter.type.empty() ? "string" : parameter.type;
    if (parameter.isRequired)
        out += ", required";
    else if (!parameter.defaultValue.empty())
        out += ", default " + parameter.defaultValue;
    return out;
}

const Parameter *find(const std::vector<Parameter> &all, std::string_view name)
{
    const auto found = std::find_if(all.begin(), all.end(), [&](const Parameter &one) {
        return equalIgnoringCase(one.name, name);
    });
    return found == all.end() ? nullptr : &*found;
}

} // namespace

std::string referenceOfArguments(const std::vector<std::string_view> &lines, Place place)
{
    if (place.line >= lines.size())
        return {};
    const Cursor cursor = locate(lines, place.line, place.byte);
    if (cursor.path.size() < 2 || cursor.path.back() != "parameters")
        return {};
    // The mapping that holds `parameters:`, seen from that key.
    for (std::size_t i = place.line; i-- > 0;) {
        const std::size_t start = lines[i].find_first_not_of(" -");
        if (start == std::string_view::npos || !lines[i].substr(start).starts_with("parameters:"))
            continue;
        const Cursor owner = locate(lines, i, start);
        if (owner.path.size() + 1 != cursor.path.size() ||
            !std::equal(owner.path.begin(), owner.path.end(), cursor.path.begin()))
            continue;
        for (const auto &[key, value] : owner.siblings) {
            if (key == "template" && value.find("${{") == std::string::npos)
                return std::string(unquoted(value));
        }
        return {};
    }
    return {};
}

bool completeArguments(const std::string *templateText, const Cursor &cursor, json &out)
{
    if (templateText == nullptr)
        return false;
    const std::vector<Parameter> all = parametersOf(*templateText);
    if (!cursor.inValue) {
        for (const Parameter &one : all) {
            const bool isGiven =
                std::any_of(cursor.siblings.begin(), cursor.siblings.end(), [&](const auto &given) {
                    return equalIgnoringCase(given.first, one.name);
                });
            if (!isGiven)
                out.push_back(item(one.name, ItemKind::Property, detailOf(one), one.name + ": "));
        }
        return true;
    }
    const Parameter *const known = find(all, pipelines::trim(std::string_view(cursor.key)));
    if (known == nullptr)
        return true;
    for (const std::string &value : known->values)
        out.push_back(item(value, ItemKind::Value, "allowed value"));
    if (known->type == "boolean") {
        out.push_back(item("true", ItemKind::Value, "boolean"));
        out.push_back(item("false", ItemKind::Value, "boolean"));
    }
    return true;
}

std::string hoverOfArgument(const std::string &templateText, std::string_view name)
{
    const std::vector<Parameter> all = parametersOf(templateText);
    const Parameter *const known = find(all, name);
    if (known == nullptr)
        return {};
    std::string out = "parameter `" + known->name + "`: " + detailOf(*known);
    if (!known->displayName.empty())
        out += "\n\n" + known->displayName;
    for (const std::string &value : known->values)
        out += "\n- `" + value + "`";
    return out;
}

std::optional<Target> declarationOfArgument(const std::string &templateText, std::string_view name)
{
    for (const Declared &one : parameters(linesOf(templateText))) {
        if (equalIgnoringCase(one.name, name))
            return Target{{}, one.line, one.from, one.to, {}};
    }
    return std::nullopt;
}

} // namespace cli::language_server
