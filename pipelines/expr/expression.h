#pragma once
/// Parsing and evaluating expressions: one engine for `${{ }}`, `$[ ]` and conditions
/// (pipeline-language 10). Never throws; bounded depth and length.

#include "pipelines/expr/functions.h"
#include "pipelines/expr/parse_limits.h"
#include "pipelines/expr/value.h"
#include "schema/base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipelines::expr {

struct ParseError
{
    std::string head;         ///< "Unexpected symbol: ')'"
    std::size_t position = 0; ///< 1-based character in the trimmed text; 0: none
    bool help = true;         ///< ends with the service's help link

    /// The service's whole sentence; `offset` is added to the position (mixed scalars).
    [[nodiscard]] std::string message(std::string_view expression, std::size_t offset = 0) const;
};

/// A named value or function the expression mentions.
struct NameUse
{
    std::string_view text;
    std::size_t position = 0;
    Name name = Name::Other;
    bool unknownFunction = false;
};

namespace detail {
struct Ast;
}

class Expression
{
public:
    Expression();
    Expression(Expression &&) noexcept;
    Expression &operator=(Expression &&) noexcept;
    ~Expression();

    /// The trimmed text; stays valid and in place while the expression lives, also when moved.
    [[nodiscard]] std::string_view text() const;
    /// Everything mentioned by name, in order. In Slot::Template names are resolved by the caller
    /// when it evaluates (loop variables are known only then); elsewhere by the parser.
    [[nodiscard]] const std::vector<NameUse> &names() const;
    [[nodiscard]] bool mentionsStatusFunction() const;
    /// Is the whole expression one string literal? Its text then.
    [[nodiscard]] std::optional<std::string_view> stringLiteral() const;

    /// Keys of `name['key']` and `name.key` accesses directly on a context name.
    struct Access
    {
        Name name;
        std::vector<std::string_view> path; ///< leading literal accesses, at most 4
        std::size_t position;
    };

    [[nodiscard]] std::vector<Access> accesses() const;

private:
    friend struct ParserAccess;
    std::unique_ptr<detail::Ast> m_ast;
};

struct Parsed
{
    std::optional<Expression> expression;
    std::optional<ParseError> error; ///< set when there is no expression
};

/// Parses a text for a slot. `outerDepth`: function levels already around it.
Parsed parse(std::string_view text, Slot slot, const ParseLimits &limits = {},
             unsigned outerDepth = 0);

/// What names and status functions mean where an expression is evaluated.
class Context
{
public:
    virtual ~Context() = default;
    /// Value of a named value (`text` as spelled); nothing when there is none of that name.
    [[nodiscard]] virtual std::optional<Value> named(Name name, std::string_view text) const = 0;
    /// succeeded(names...) and its like. The base refuses.
    [[nodiscard]] virtual bool status(Function function,
                                      const std::vector<std::string> &names) const;
    /// counter(prefix, seed). The base refuses.
    [[nodiscard]] virtual std::int64_t counter(std::string_view prefix, std::int64_t seed) const;
    /// A function wrote this many bytes or looked at this many elements. False: that is more than
    /// the caller wants to be done, the evaluation fails. The base accepts all.
    [[nodiscard]] virtual bool spend(std::size_t work) const;
};

/// The value; borrowed texts in it live as long as the expression and the context.
/// Errors: InvalidArgument with the service's sentence.
schema::Result<Value> evaluate(const Expression &expression, const Context &context);

/// The expression with every name replaced by its value, for logs: "and(True, eq('a', 'b'))".
std::string expanded(const Expression &expression, const Context &context);

} // namespace pipelines::expr
