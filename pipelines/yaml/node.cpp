#include "pipelines/yaml/node.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace pipelines::yaml {
namespace {

constexpr std::size_t kFirstBlockBytes = 32U << 10U;

} // namespace

static_assert(std::is_trivially_destructible_v<Node>, "the arena never runs destructors of nodes");

const Node *Node::find(std::string_view key) const
{
    for (const Entry &entry : entries()) {
        if (entry.key->text == key)
            return entry.value;
    }
    return nullptr;
}

schema::SourcePosition Node::position() const
{
    return {source != nullptr ? source->name : std::string(), line, column};
}

std::vector<schema::SourcePosition> includeChain(const Source *source)
{
    // A cycle is as deep as the limit allows: both ends of the chain tell enough.
    constexpr std::size_t kShownEnd = 8;
    std::vector<schema::SourcePosition> chain;
    for (; source != nullptr && source->includedBy != nullptr; source = source->includedBy)
        chain.push_back({source->includedBy->name, source->line, source->column});
    if (chain.size() > 2 * kShownEnd)
        chain.erase(chain.begin() + kShownEnd, chain.end() - kShownEnd);
    return chain;
}

const Source *inheritedSource(const Node &node, const Source *via)
{
    const bool inherits = node.source != nullptr && node.source->includedBy == nullptr &&
                          via != nullptr && via->path == node.source->path &&
                          via->alias == node.source->alias;
    return inherits ? via : node.source;
}

Arena::Arena()
    : m_memory(kFirstBlockBytes)
{}

const Source *Arena::source(Source source)
{
    m_sources.push_back(std::move(source));
    return &m_sources.back();
}

std::string_view Arena::copy(std::string_view text)
{
    if (text.empty())
        return {};
    m_textBytes += text.size();
    char *const bytes = static_cast<char *>(m_memory.allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
}

Node *Arena::node()
{
    ++m_nodes;
    return new (m_memory.allocate(sizeof(Node), alignof(Node))) Node;
}

void Arena::setChildren(Node &node, std::span<const Node *const> items)
{
    node.type = Type::Sequence;
    node.count = static_cast<std::uint32_t>(items.size());
    auto *const list = static_cast<const Node **>(
        m_memory.allocate(items.size_bytes() + 1, alignof(const Node *)));
    std::copy(items.begin(), items.end(), list);
    node.children = list;
    for (const Node *item : items)
        node.hasExpressions = node.hasExpressions || item->hasExpressions;
}

void Arena::setChildren(Node &node, std::span<const Entry> entries)
{
    node.type = Type::Mapping;
    node.count = static_cast<std::uint32_t>(entries.size());
    auto *const list =
        static_cast<Entry *>(m_memory.allocate(entries.size_bytes() + 1, alignof(Entry)));
    std::uninitialized_copy(entries.begin(), entries.end(), list);
    node.children = list;
    for (const Entry &entry : entries)
        node.hasExpressions =
            node.hasExpressions || entry.key->hasExpressions || entry.value->hasExpressions;
}

const Node *Arena::scalar(std::string_view text, const Node *at, Style style)
{
    Node *const result = node();
    result->style = style;
    result->text = copy(text);
    result->line = at->line;
    result->column = at->column;
    result->source = at->source;
    return result;
}

const Node *Arena::sequence(std::span<const Node *const> items, const Node *at)
{
    Node *const result = node();
    result->line = at->line;
    result->column = at->column;
    result->source = at->source;
    setChildren(*result, items);
    return result;
}

const Node *Arena::mapping(std::span<const Entry> entries, const Node *at)
{
    Node *const result = node();
    result->line = at->line;
    result->column = at->column;
    result->source = at->source;
    setChildren(*result, entries);
    return result;
}

const Node *Arena::asGuess(const Node *original)
{
    Node *const result = node();
    *result = *original;
    result->guessed = true;
    return result;
}

const Node *Arena::withSource(const Node *original, const Source *source)
{
    if (original->source == source)
        return original;
    Node *const result = node();
    *result = *original;
    result->source = source;
    return result;
}

} // namespace pipelines::yaml
