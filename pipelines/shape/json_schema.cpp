#include "pipelines/shape/json_schema.h"

#include "pipelines/shape/shape.h"

#include <nlohmann/json.hpp>

#include <map>

namespace pipelines::shape {
namespace {

using Json = nlohmann::ordered_json;

class Generator
{
public:
    Json run()
    {
        Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "Azure Pipelines file"},
                    {"description", "Generated from the keyword tables of the compiler"}};
        Json root = Json::array();
        root.push_back(reference(kRoot));
        root.push_back(templateFile());
        schema["anyOf"] = std::move(root);
        schema["$defs"] = Json::object();
        for (auto &[name, definition] : m_definitions)
            schema["$defs"][name] = std::move(definition);
        return schema;
    }

private:
    /// Every shape that has parts is a definition of its own, since shapes contain each other.
    Json reference(const Shape &shape)
    {
        if (shape.kind == Kind::Any)
            return Json::object();
        const bool composed =
            shape.kind == Kind::Mapping || shape.kind == Kind::OneOf || shape.kind == Kind::List;
        if (!composed)
            return scalar(shape);
        const std::string name = nameOf(shape);
        if (!m_definitions.contains(name)) {
            m_definitions[name] = Json::object(); // stops the recursion
            m_definitions[name] = definition(shape);
        }
        return Json{{"$ref", "#/$defs/" + name}};
    }

    /// Different shapes may share a name ("pool" the text and "pool" the mapping).
    std::string nameOf(const Shape &shape)
    {
        const auto known = m_names.find(&shape);
        if (known != m_names.end())
            return known->second;
        std::string name;
        for (const char c : shape.name)
            name += c == ' ' ? '-' : c;
        const int count = ++m_used[name];
        if (count > 1)
            name += "-" + std::to_string(count);
        m_names.emplace(&shape, name);
        return name;
    }

    static Json expression() { return Json{{"type", "string"}, {"pattern", R"(\$\{\{)"}}; }

    static Json scalar(const Shape &shape)
    {
        switch (shape.kind) {
        case Kind::Boolean:
            return Json{
                {"anyOf",
                 Json::array({Json{{"type", "boolean"}},
                              Json{{"type", "string"},
                                   {"pattern", "^([Tt]rue|[Ff]alse|TRUE|FALSE|[Yy]|[Yy]es|YES|[Nn]"
                                               "|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$"}},
                              expression()})}};
        case Kind::Word: {
            Json words = Json::array();
            for (const std::string_view word : shape.words)
                words.push_back(word);
            // `true` is a word of some keys, and a boolean to YAML readers.
            if (shape.words.size() == 1 && shape.words[0] == "true")
                words.push_back(true);
            return Json{{"anyOf", Json::array({Json{{"enum", std::move(words)}}, expression()})}};
        }
        case Kind::NonEmptyString:
            return Json{{"type", Json::array({"string", "number", "boolean"})}, {"minLength", 1}};
        case Kind::TextMap: {
            Json map{{"type", Json::array({"object", "string", "null"})}};
            map["additionalProperties"] = Json::object();
            return map;
        }
        case Kind::ReferenceName:
            return Json{{"type", Json::array({"string", "number"})}};
        default:
            return Json{{"type", Json::array({"string", "number", "boolean", "null"})}};
        }
    }

    Json definition(const Shape &shape)
    {
        if (shape.kind == Kind::List) {
            Json items = Json::array({reference(*shape.item), directiveItem(), expression()});
            return Json{
                {"anyOf", Json::array({Json{{"type", "array"}, {"items", {{"anyOf", items}}}},
                                       Json{{"type", "null"}}, expression()})}};
        }
        if (shape.kind == Kind::OneOf) {
            Json alternatives = Json::array();
            for (const Shape *alternative : shape.alternatives)
                alternatives.push_back(reference(*alternative));
            alternatives.push_back(expression());
            return Json{{"anyOf", std::move(alternatives)}};
        }
        Json properties = Json::object();
        Json required = Json::array();
        for (const Property &property : shape.properties) {
            Json value = reference(*property.shape);
            value["description"] = property.summary;
            if ((property.flags & kLegacy) != 0)
                value["deprecated"] = true;
            properties[std::string(property.key)] = std::move(value);
            // Keys may come from directives: only what begins the mapping is demanded.
            if ((property.flags & kFirst) != 0)
                required.push_back(property.key);
        }
        Json mapping{{"type", Json::array({"object", "null"})},
                     {"properties", std::move(properties)},
                     {"patternProperties", {{R"(\$\{\{)", Json::object()}}}};
        if (!required.empty())
            mapping["required"] = std::move(required);
        if (shape.loose == nullptr)
            mapping["additionalProperties"] = false;
        else
            mapping["additionalProperties"] = reference(*shape.loose);
        return mapping;
    }

    /// `- ${{ if ... }}:` and its like.
    static Json directiveItem()
    {
        return Json{{"type", "object"},
                    {"minProperties", 1},
                    {"patternProperties", {{R"(\$\{\{)", Json::object()}}}};
    }

    /// A file that is only included: its parameters and one list, or what `extends` may hold.
    Json templateFile()
    {
        Json parameters =
            Json{{"anyOf", Json::array({reference(kParameters), Json{{"type", "object"}}})}};
        Json any = Json::object();
        Json file{{"type", "object"},
                  {"required", Json::array({"parameters"})},
                  {"properties", {{"parameters", std::move(parameters)}}}};
        file["properties"]["variables"] = reference(kVariables);
        return file;
    }

    std::map<std::string, Json> m_definitions;
    std::map<const Shape *, std::string> m_names;
    std::map<std::string, int> m_used;
};

} // namespace

std::string jsonSchema()
{
    return Generator().run().dump(2) + "\n";
}

} // namespace pipelines::shape
