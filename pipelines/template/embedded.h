#pragma once
/// Template expressions inside scalars (pipeline-language 9.1, 9.2): found and parsed while a file
/// is read, so that syntax errors are reported wherever they stand.

#include "pipelines/base/diagnostic.h"
#include "pipelines/base/text.h"
#include "pipelines/expr/expression.h"
#include "pipelines/yaml/reader.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pipelines::templates {

enum class Directive : std::uint8_t { None, If, ElseIf, Else, Each, Insert };

/// "if", "elseif", ...
std::string_view toString(Directive directive);

/// What a scalar with `${{ }}` means.
struct Embedded
{
    /// A literal text or one expression.
    struct Piece
    {
        std::string_view literal;
        const expr::Expression *expression = nullptr;
    };

    Directive directive = Directive::None;
    bool lone = false;         ///< the expression is the whole scalar
    bool broken = false;       ///< a syntax error was reported: evaluate to nothing
    std::string_view loopName; ///< of each
    std::vector<Piece> pieces; ///< one when lone; the condition or collection of a directive
    std::string_view raw;      ///< the scalar's text

    /// The `format('a {0} b', x)` that messages about mixed scalars show.
    [[nodiscard]] std::string synthetic() const;
    /// Characters before one of its expressions in synthetic().
    [[nodiscard]] std::size_t offsetOf(const expr::Expression &expression) const;
};

/// Parses every scalar with `${{`; owns the results, which nodes point to.
class EmbeddedParser : public yaml::ScalarHook
{
public:
    EmbeddedParser(std::vector<Diagnostic> &diagnostics, const expr::ParseLimits &limits)
        : m_diagnostics(diagnostics)
        , m_limits(limits)
    {}

    void onScalar(yaml::Node &node, bool isKey) override;

    /// Does any expression of the file read this parameter, or all of them at once? Expressions in
    /// branches that are not taken count too.
    [[nodiscard]] bool readsParameter(const yaml::Source *file, std::string_view name) const;

private:
    void parse(yaml::Node &node, Embedded &embedded, bool isKey);
    bool parseDirective(yaml::Node &node, Embedded &embedded, std::string_view inner);
    const expr::Expression *parseExpression(const yaml::Node &node, std::string_view text,
                                            unsigned outerDepth, Embedded &embedded,
                                            expr::ParseError *error);
    void report(const yaml::Node &node, std::string code, std::string message,
                std::string hint = {});

    [[nodiscard]] bool parses(std::string_view text) const;

    std::vector<Diagnostic> &m_diagnostics;
    expr::ParseLimits m_limits;
    /// Per file: the parameters its expressions name; "" stands for all.
    std::map<const yaml::Source *, std::set<std::string, LessIgnoringCase>> m_reads;
    std::deque<Embedded> m_embedded;
    std::deque<expr::Expression> m_expressions;
};

} // namespace pipelines::templates
