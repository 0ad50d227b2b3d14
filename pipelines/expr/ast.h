#pragma once
/// The parsed form of an expression: nodes in one vector, linked by index (private to
/// pipelines/expr).

#include "pipelines/expr/expression.h"

namespace pipelines::expr::detail {

using Index = std::uint32_t;
inline constexpr Index kNone = UINT32_MAX;

enum class Op : std::uint8_t {
    Literal,   ///< literals[literal]
    Named,     ///< named value `text`
    Call,      ///< known function
    Unknown,   ///< call of a function that does not exist here
    Property,  ///< postfix `.text`
    Subscript, ///< postfix `[child]`
    Wildcard,  ///< postfix `.*` or `[*]`
};

struct Node
{
    Op op = Op::Literal;
    Function function = Function::And;
    Name name = Name::Other;
    Index literal = kNone;
    Index firstChild = kNone;   ///< arguments, or the subscript
    Index nextSibling = kNone;  ///< next argument
    Index firstPostfix = kNone; ///< accesses on an operand, in order
    Index nextPostfix = kNone;
    std::size_t position = 0;
    std::string_view text;
};

struct Ast
{
    std::string text;
    std::vector<Node> nodes;
    std::vector<Value> literals;
    std::vector<NameUse> names;
    Index root = kNone;
    bool mentionsStatus = false;
};

} // namespace pipelines::expr::detail

namespace pipelines::expr {

/// Lets the parser and the evaluator reach the tree.
struct ParserAccess
{
    static std::unique_ptr<detail::Ast> &ast(Expression &expression) { return expression.m_ast; }

    static const detail::Ast &ast(const Expression &expression) { return *expression.m_ast; }
};

} // namespace pipelines::expr
