#include "pipelines/template/values.h"

namespace pipelines::templates {
namespace {

using expr::Value;
using yaml::Node;
using yaml::Style;

/// A mapping of the tree. Keys of a pipeline's own parameters are case-sensitive below the top
/// level (6.6, measured); what a template received or declares ignores case (dotnet/SqlClient reads
/// `TestSets` of `testSets`, Azure/azure-sdk-tools `os` of `Os`).
class NodeObject : public expr::Object
{
public:
    NodeObject(ValueReader &reader, const Node &node, Typing typing)
        : m_reader(reader)
        , m_node(node)
        , m_typing(typing)
    {
        constexpr std::size_t kFew = 16;
        if (node.count <= kFew)
            return;
        for (const yaml::Entry &entry : node.entries()) {
            if (m_typing == Typing::Typed)
                m_index.emplace(entry.key->text, entry.value);
            else
                m_folded.emplace(entry.key->text, entry.value);
        }
    }

    [[nodiscard]] std::size_t size() const override { return m_node.count; }

    [[nodiscard]] std::string_view key(std::size_t index) const override
    {
        return m_node.entries()[index].key->text;
    }

    [[nodiscard]] Value value(std::size_t index) const override
    {
        return m_reader.read(*m_node.entries()[index].value, m_typing);
    }

    [[nodiscard]] std::optional<Value> find(std::string_view key) const override
    {
        const Node *found = nullptr;
        if (const auto entry = m_index.find(key); entry != m_index.end()) {
            found = entry->second;
        } else if (const auto other = m_folded.find(key); other != m_folded.end()) {
            found = other->second;
        } else if (m_index.empty() && m_folded.empty()) {
            found = m_node.find(key);
            for (std::size_t i = 0; i < m_node.count && found == nullptr; ++i) {
                const yaml::Entry &candidate = m_node.entries()[i];
                if (m_typing != Typing::Typed && equalIgnoringCase(candidate.key->text, key))
                    found = candidate.value;
            }
        }
        if (found == nullptr)
            return std::nullopt;
        return m_reader.read(*found, m_typing);
    }

    [[nodiscard]] const void *origin() const override { return &m_node; }

private:
    ValueReader &m_reader;
    const Node &m_node;
    Typing m_typing;
    std::unordered_map<std::string_view, const Node *> m_index;
    std::unordered_map<std::string_view, const Node *, HashIgnoringCase, EqualIgnoringCase>
        m_folded;
};

bool looksNumeric(std::string_view text)
{
    return !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == '.' ||
                             (text[0] >= '0' && text[0] <= '9'));
}

/// A plain scalar of an `object` (2.1).
Value typedScalar(const Node &node)
{
    const std::string_view text = node.text;
    switch (node.style) {
    case Style::Boolean:
        return Value::boolean(text == "True");
    case Style::Null:
        return Value::null();
    case Style::Number:
        if (const auto number = expr::Decimal::parse(text, expr::Decimal::Style::Signed))
            return Value::number(*number);
        return Value::borrow(text);
    case Style::Version:
        if (const auto version = expr::Version::parse(text, 2))
            return Value::version(*version);
        return Value::borrow(text);
    case Style::Quoted:
        return Value::borrow(text);
    case Style::Plain:
        break;
    }
    if (equalIgnoringCase(text, "true") || equalIgnoringCase(text, "false"))
        return Value::boolean(text.size() == 4);
    if (text == "null" || text == "~")
        return Value::null();
    if (looksNumeric(text)) {
        if (const auto number = expr::Decimal::parse(text, expr::Decimal::Style::Signed))
            return Value::number(*number);
    }
    return Value::borrow(text);
}

const Node *objectNode(yaml::Arena &arena, const expr::Object &object, const Node &at)
{
    if (object.origin() != nullptr)
        return static_cast<const Node *>(object.origin());
    std::vector<yaml::Entry> entries;
    entries.reserve(object.size());
    for (std::size_t i = 0; i < object.size(); ++i)
        entries.push_back({arena.scalar(object.key(i), &at), toNode(arena, object.value(i), at)});
    return arena.mapping(entries, &at);
}

const Node *arrayNode(yaml::Arena &arena, const expr::Array &array, const Node &at)
{
    if (array.origin != nullptr)
        return static_cast<const Node *>(array.origin);
    std::vector<const Node *> items;
    items.reserve(array.items.size());
    for (const Value &item : array.items)
        items.push_back(toNode(arena, item, at));
    return arena.sequence(items, &at);
}

} // namespace

Value ValueReader::read(const Node &node, Typing typing)
{
    if (node.isScalar())
        return typing == Typing::Strings ? Value::borrow(node.text) : typedScalar(node);
    auto &cache = m_collections[static_cast<std::size_t>(typing)];
    if (const auto found = cache.find(&node); found != cache.end())
        return found->second;
    Value value;
    if (node.isMapping()) {
        value = Value::object(std::make_shared<NodeObject>(*this, node, typing));
    } else {
        auto array = std::make_shared<expr::Array>();
        array->origin = &node;
        array->items.reserve(node.count);
        for (const Node *item : node.items())
            array->items.push_back(read(*item, typing));
        value = Value::array(std::move(array));
    }
    cache.emplace(&node, value);
    return value;
}

const Node *toNode(yaml::Arena &arena, const Value &value, const Node &at)
{
    switch (value.kind()) {
    case expr::Kind::Null:
        return arena.scalar({}, &at, Style::Null);
    case expr::Kind::Boolean:
        return arena.scalar(value.asBoolean() ? "True" : "False", &at, Style::Boolean);
    case expr::Kind::Number:
        return arena.scalar(value.asNumber().text(), &at, Style::Number);
    case expr::Kind::Version:
        return arena.scalar(value.asVersion().text(), &at, Style::Version);
    case expr::Kind::Object:
        return objectNode(arena, *value.asObject(), at);
    case expr::Kind::Array:
        return arrayNode(arena, *value.asArray(), at);
    default:
        return arena.scalar(value.str(), &at, Style::Quoted);
    }
}

void VariableScope::define(std::string_view name, std::string_view value)
{
    m_values[name] = value;
    m_order.emplace_back(name, value);
    m_flat.clear();
}

std::optional<Value> VariableScope::find(std::string_view name) const
{
    bool isIncomplete = false;
    for (const VariableScope *scope = this; scope != nullptr; scope = scope->m_outer) {
        if (const auto found = scope->m_values.find(name); found != scope->m_values.end())
            return Value::borrow(found->second);
        isIncomplete = isIncomplete || scope->m_isIncomplete;
    }
    m_missed = m_missed || isIncomplete;
    return std::nullopt;
}

const VariableScope::Pairs &VariableScope::flat() const
{
    if (!m_flat.empty())
        return m_flat;
    std::vector<const VariableScope *> scopes;
    for (const VariableScope *scope = this; scope != nullptr; scope = scope->m_outer)
        scopes.push_back(scope);
    std::unordered_map<std::string_view, std::size_t, HashIgnoringCase, EqualIgnoringCase> at;
    for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
        for (const auto &[name, value] : (*scope)->m_order) {
            const auto [known, added] = at.emplace(name, m_flat.size());
            if (added)
                m_flat.emplace_back(name, value);
            else
                m_flat[known->second].second = value;
        }
    }
    return m_flat;
}

void ParameterScope::set(std::string_view name, Value value, bool guessed)
{
    const auto [at, isNew] = m_index.try_emplace(std::string(name), m_values.size());
    if (isNew) {
        m_values.push_back({std::string(name), std::move(value), guessed});
        return;
    }
    Parameter &known = m_values[at->second];
    known.value = std::move(value);
    known.guessed = known.guessed || guessed;
}

bool ParameterScope::has(std::string_view name) const
{
    return m_index.contains(name);
}

std::optional<Value> ParameterScope::find(std::string_view name) const
{
    m_reads.guessed = m_reads.guessed || m_anyValue;
    if (const auto found = m_index.find(name); found != m_index.end()) {
        const Parameter &parameter = m_values[found->second];
        m_reads.guessed = m_reads.guessed || parameter.guessed;
        return parameter.value;
    }
    if (m_miss == Miss::Error)
        throw expr::EvaluationError("Key not found '" + std::string(name) + "'");
    if (m_miss == Miss::Remark)
        m_reads.missed = name;
    return std::nullopt;
}

} // namespace pipelines::templates
