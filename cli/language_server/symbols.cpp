#include "cli/language_server/symbols.h"

#include "cli/language_server/text_position.h"
#include "pipelines/yaml/reader.h"

#include <nlohmann/json.hpp>

namespace cli::language_server {
namespace {

using nlohmann::json;
using pipelines::yaml::Node;

/// Numbers of the protocol.
enum class SymbolKind : std::uint8_t {
    Module = 2,
    Class = 5,
    Method = 6,
    Variable = 13,
    Property = 7
};

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

    /// Stages, jobs or steps below a mapping, or given to the template of an `extends`.
    void body(const Node &node, json &out)
    {
        for (const std::string_view key : {"extends", "parameters"}) {
            if (const Node *const inner = node.find(key); inner != nullptr && inner->isMapping())
                body(*inner, out);
        }
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
            for (const auto &branch : node.entries()) {
                for (const Node *inner : branch.value->items())
                    entry(*inner, out);
            }
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
