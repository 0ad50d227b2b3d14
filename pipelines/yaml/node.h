#pragma once
/// The tree every phase works on: authored YAML, expanded YAML and the data of parameters are all
/// Nodes. A Node never changes once built and may be part of many trees, so inserting a structure
/// costs a pointer. Nodes live in an Arena and die with it.

#include "schema/model/plan.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pipelines::templates {
struct Embedded;
}

namespace pipelines::yaml {

/// Where nodes come from: a file, and for an included file the reference that led to it.
struct Source
{
    std::string name;                   ///< as messages show it: "/t.yml@tools"
    std::string alias;                  ///< repository: "self" or an alias
    std::string path;                   ///< repository-rooted
    const Source *includedBy = nullptr; ///< the source that holds the reference
    std::uint32_t line = 0, column = 0; ///< of the reference
};

enum class Type : std::uint8_t { Scalar, Sequence, Mapping };

/// How a scalar was written, or what an expression made of it; decides its kind as a value.
enum class Style : std::uint8_t {
    Plain,
    Quoted,  ///< quoted or block: always a String
    Boolean, ///< results of expressions
    Number,
    Null,
    Version,
};

struct Node;

struct Entry
{
    const Node *key;
    const Node *value;
};

struct Node
{
    Type type = Type::Scalar;
    Style style = Style::Plain;
    bool hasExpressions = false; ///< this node or one below it holds a template expression
    /// Depends on a required parameter that has no value yet: a stand-in, so its text proves
    /// nothing. A list that conditions or loops left empty carries it too.
    bool guessed = false;
    std::uint32_t line = 0, column = 0; ///< 1-based
    std::uint32_t count = 0;
    const Source *source = nullptr;
    std::string_view text;                         ///< of a scalar
    const void *children = nullptr;                ///< const Node *[] or Entry[]
    const templates::Embedded *embedded = nullptr; ///< parsed `${{ }}` of a scalar

    [[nodiscard]] bool isScalar() const { return type == Type::Scalar; }

    [[nodiscard]] bool isSequence() const { return type == Type::Sequence; }

    [[nodiscard]] bool isMapping() const { return type == Type::Mapping; }

    [[nodiscard]] std::span<const Node *const> items() const
    {
        return {static_cast<const Node *const *>(children), isSequence() ? count : 0};
    }

    [[nodiscard]] std::span<const Entry> entries() const
    {
        return {static_cast<const Entry *>(children), isMapping() ? count : 0};
    }

    /// Value of a key of a mapping (exact text), or nullptr.
    [[nodiscard]] const Node *find(std::string_view key) const;
    [[nodiscard]] schema::SourcePosition position() const;
};

/// The references that led to a source, innermost first.
std::vector<schema::SourcePosition> includeChain(const Source *source);

/// The source of a node, or `via` when that is the same file with the reference that led to it:
/// only list items carry the reference, what is below them shares it.
const Source *inheritedSource(const Node &node, const Source *via);

/// Owns nodes, their texts and sources. Not thread-safe; one per compilation.
class Arena
{
public:
    Arena();
    Arena(const Arena &) = delete;
    Arena &operator=(const Arena &) = delete;

    const Source *source(Source source);
    std::string_view copy(std::string_view text);
    Node *node();
    /// A scalar placed where `at` is.
    const Node *scalar(std::string_view text, const Node *at, Style style = Style::Quoted);
    const Node *sequence(std::span<const Node *const> items, const Node *at);
    const Node *mapping(std::span<const Entry> entries, const Node *at);
    /// The same node, marked as a guess.
    const Node *asGuess(const Node *node);
    /// The same node under another source (a list item of an included file).
    const Node *withSource(const Node *node, const Source *source);
    void setChildren(Node &node, std::span<const Node *const> items);
    void setChildren(Node &node, std::span<const Entry> entries);

    [[nodiscard]] std::size_t nodeCount() const { return m_nodes; }

    [[nodiscard]] std::size_t textBytes() const { return m_textBytes; }

private:
    std::pmr::monotonic_buffer_resource m_memory;
    std::deque<Source> m_sources;
    std::size_t m_nodes = 0;
    std::size_t m_textBytes = 0;
};

} // namespace pipelines::yaml
