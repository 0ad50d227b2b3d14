#pragma once
/// Between trees and values: what an expression sees of a node, and the node that a result becomes.

#include "pipelines/base/text.h"
#include "pipelines/expr/value.h"
#include "pipelines/yaml/node.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pipelines::templates {

/// How the scalars of a tree become values (pipeline-language 2.1, 6.2).
enum class Typing : std::uint8_t {
    Typed,  ///< `object` of a pipeline: plain true, 1 and null have their kind; keys by exact case
    Folded, ///< `object` of a template: the same, but keys ignore case
    Strings ///< legacy parameters and normalised structures: every scalar is a String
};

/// Makes values of nodes. Collections are read lazily and shared, so that the same node is the same
/// value. Lives as long as the arena.
class ValueReader
{
public:
    expr::Value read(const yaml::Node &node, Typing typing);

private:
    std::unordered_map<const yaml::Node *, expr::Value> m_collections[3];
};

/// The node a result becomes at the place of `at`; a value that was read from a node is that node.
const yaml::Node *toNode(yaml::Arena &arena, const expr::Value &value, const yaml::Node &at);

/// The variables an expression sees: those of this scope over those of the outer ones. Names
/// compare ignoring case; dots are part of a name.
class VariableScope : public expr::Object
{
public:
    explicit VariableScope(const VariableScope *outer)
        : m_outer(outer)
    {}

    /// The last definition wins. Texts must outlive the scope.
    void define(std::string_view name, std::string_view value);

    /// A file with further variables could not be read: what is not there may be in it.
    void markIncomplete() { m_isIncomplete = true; }

    /// Did a read since the last call miss a name that such a file may define?
    bool takeMissed() const { return std::exchange(m_missed, false); }

    [[nodiscard]] std::size_t size() const override { return flat().size(); }

    [[nodiscard]] std::string_view key(std::size_t index) const override
    {
        return flat()[index].first;
    }

    [[nodiscard]] expr::Value value(std::size_t index) const override
    {
        return expr::Value::borrow(flat()[index].second);
    }

    [[nodiscard]] std::optional<expr::Value> find(std::string_view name) const override;

private:
    using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
    const Pairs &flat() const;

    const VariableScope *m_outer;
    std::unordered_map<std::string_view, std::string_view, HashIgnoringCase, EqualIgnoringCase>
        m_values;
    Pairs m_order;
    mutable Pairs m_flat;
    bool m_isIncomplete = false;
    mutable bool m_missed = false;
};

/// The `parameters` context: names ignore case, a miss is an error unless `lenient` (6.6).
class ParameterScope : public expr::Object
{
public:
    /// What reading an undeclared name does.
    enum class Miss : std::uint8_t {
        Null,   ///< nothing: legacy declarations and files without any
        Remark, ///< null, remembered for a warning: templates with declarations
        Error   ///< an evaluation error: pipeline files
    };

    /// `anyValue`: nobody has given the values yet, so that every read is of a stand-in.
    explicit ParameterScope(Miss miss, bool anyValue = false)
        : m_miss(miss)
        , m_anyValue(anyValue)
    {}

    /// `guessed`: a stand-in for a required parameter without a value.
    void set(std::string_view name, expr::Value value, bool guessed = false);
    [[nodiscard]] bool has(std::string_view name) const;

    [[nodiscard]] std::size_t size() const override { return m_values.size(); }

    [[nodiscard]] std::string_view key(std::size_t index) const override
    {
        return m_values[index].name;
    }

    [[nodiscard]] expr::Value value(std::size_t index) const override
    {
        m_reads.guessed = m_reads.guessed || m_anyValue;
        return m_values[index].value;
    }

    [[nodiscard]] std::optional<expr::Value> find(std::string_view name) const override;

    /// What the reads since the last call came across.
    struct Reads
    {
        bool guessed = false;
        std::string missed; ///< an undeclared name, if Miss::Remark
    };

    Reads takeReads() const { return std::exchange(m_reads, {}); }

private:
    struct Parameter
    {
        std::string name;
        expr::Value value;
        bool guessed;
    };

    std::vector<Parameter> m_values;
    std::unordered_map<std::string, std::size_t, HashIgnoringCase, EqualIgnoringCase> m_index;
    Miss m_miss;
    bool m_anyValue;
    mutable Reads m_reads;
};

} // namespace pipelines::templates
