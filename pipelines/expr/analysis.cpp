#include "pipelines/expr/analysis.h"

#include "pipelines/base/text.h"
#include "pipelines/expr/ast.h"

#include <algorithm>
#include <map>
#include <set>

namespace pipelines::expr {
namespace {

using detail::Ast;
using detail::Index;
using detail::kNone;
using detail::Node;
using detail::Op;

class Analysis
{
public:
    Analysis(const Ast &ast, const Assumptions &assumptions)
        : m_ast(ast)
        , m_assumptions(assumptions)
    {}

    [[nodiscard]] std::optional<bool> truth(Index index) const
    {
        const Node &node = m_ast.nodes[index];
        if (node.firstPostfix != kNone)
            return std::nullopt;
        if (node.op == Op::Literal)
            return m_assumptions.literals ? std::optional(m_ast.literals[node.literal].toBoolean())
                                          : std::nullopt;
        if (node.op != Op::Call)
            return std::nullopt;
        const std::vector<Index> arguments = argumentsOf(node);
        switch (node.function) {
        case Function::And:
            return conjunction(arguments);
        case Function::Or:
            return disjunction(arguments);
        case Function::Not: {
            const auto inner = truth(arguments[0]);
            return inner ? std::optional(!*inner) : std::nullopt;
        }
        case Function::Eq:
            return equal(arguments[0], arguments[1]);
        case Function::Ne: {
            const auto same = equal(arguments[0], arguments[1]);
            return same ? std::optional(!*same) : std::nullopt;
        }
        case Function::In: {
            bool never = true;
            for (std::size_t i = 1; i < arguments.size(); ++i) {
                const auto same = equal(arguments[0], arguments[i]);
                if (same == true)
                    return true;
                never = never && same == false;
            }
            return never ? std::optional(false) : std::nullopt;
        }
        case Function::Always:
            return true;
        default:
            break;
        }
        if (isStatusFunction(node.function) && arguments.empty() && m_assumptions.status)
            return m_assumptions.status(node.function);
        return std::nullopt;
    }

    /// The text of a part, spelled in one way.
    [[nodiscard]] std::string text(Index index) const
    {
        const Node &node = m_ast.nodes[index];
        std::string out;
        if (node.op == Op::Literal) {
            const Value &value = m_ast.literals[node.literal];
            out = value.kind() == Kind::String ? "'" + value.str() + "'" : value.str();
        } else {
            out = toLower(node.text);
        }
        if (node.op == Op::Call || node.op == Op::Unknown) {
            out += "(";
            for (const Index argument : argumentsOf(node))
                out += text(argument) + ",";
            out += ")";
        }
        for (Index i = node.firstPostfix; i != kNone; i = m_ast.nodes[i].nextPostfix) {
            const Node &postfix = m_ast.nodes[i];
            if (postfix.op == Op::Property)
                out += "." + toLower(postfix.text);
            else if (postfix.op == Op::Wildcard)
                out += ".*";
            else
                out += subscript(postfix.firstChild);
        }
        return out;
    }

    [[nodiscard]] std::optional<std::string_view> stringLiteral(Index index) const
    {
        const Node &node = m_ast.nodes[index];
        if (node.op != Op::Literal || node.firstPostfix != kNone ||
            m_ast.literals[node.literal].kind() != Kind::String)
            return std::nullopt;
        return m_ast.literals[node.literal].asText().view;
    }

    [[nodiscard]] std::vector<Index> argumentsOf(const Node &node) const
    {
        std::vector<Index> out;
        for (Index i = node.firstChild; i != kNone; i = m_ast.nodes[i].nextSibling)
            out.push_back(i);
        return out;
    }

private:
    /// `['name']` and `.name` are the same.
    [[nodiscard]] std::string subscript(Index child) const
    {
        const auto literal = stringLiteral(child);
        return literal ? "." + toLower(*literal) : "[" + text(child) + "]";
    }

    [[nodiscard]] bool isLiteral(Index index) const
    {
        return m_ast.nodes[index].op == Op::Literal && m_ast.nodes[index].firstPostfix == kNone;
    }

    [[nodiscard]] std::optional<bool> equal(Index left, Index right) const
    {
        if (isLiteral(left) && isLiteral(right))
            return m_assumptions.literals
                       ? std::optional(Value::equal(m_ast.literals[m_ast.nodes[left].literal],
                                                    m_ast.literals[m_ast.nodes[right].literal]))
                       : std::nullopt;
        if (m_assumptions.neverEqual && !isLiteral(left)) {
            if (const auto literal = stringLiteral(right);
                literal && m_assumptions.neverEqual(text(left), *literal))
                return false;
        }
        return std::nullopt;
    }

    std::optional<bool> disjunction(const std::vector<Index> &arguments) const
    {
        bool never = true;
        for (const Index argument : arguments) {
            const auto value = truth(argument);
            if (value == true)
                return true;
            never = never && value == false;
        }
        return never ? std::optional(false) : std::nullopt;
    }

    std::optional<bool> conjunction(const std::vector<Index> &arguments) const
    {
        bool always = true;
        Facts facts;
        for (const Index argument : arguments) {
            const auto value = truth(argument);
            if (value == false || !collect(argument, facts))
                return false;
            always = always && value == true;
        }
        return always ? std::optional(true) : std::nullopt;
    }

    /// What must hold all at once.
    struct Facts
    {
        std::map<std::string, std::string> equals; ///< left side -> lower-case text
        std::set<std::string> holds, fails;
    };

    /// False when the part excludes what was collected before.
    bool collect(Index index, Facts &facts) const
    {
        const Node &node = m_ast.nodes[index];
        const std::vector<Index> arguments = argumentsOf(node);
        if (node.op == Op::Call && node.firstPostfix == kNone && node.function == Function::And)
            return std::all_of(arguments.begin(), arguments.end(),
                               [&](Index argument) { return collect(argument, facts); });
        if (node.op == Op::Call && node.firstPostfix == kNone && node.function == Function::Not) {
            const std::string inner = text(arguments[0]);
            facts.fails.insert(inner);
            return !facts.holds.contains(inner);
        }
        const std::string whole = text(index);
        if (node.op == Op::Call && node.firstPostfix == kNone &&
            (node.function == Function::Eq || node.function == Function::Ne)) {
            const auto literal = stringLiteral(arguments[1]);
            if (!literal || isLiteral(arguments[0]))
                return true;
            const std::string left = text(arguments[0]);
            const std::string right = toLower(*literal);
            if (node.function == Function::Ne) {
                facts.fails.insert(left + "=" + right);
                const auto known = facts.equals.find(left);
                return known == facts.equals.end() || known->second != right;
            }
            return facts.equals.emplace(left, right).first->second == right &&
                   !facts.fails.contains(left + "=" + right);
        }
        facts.holds.insert(whole);
        // Every one of a set succeeded, and one of them failed; and while a run is being cancelled
        // nothing counts as the one or the other (11.5).
        const bool succeeded = facts.holds.contains("succeeded()");
        const bool failed = facts.holds.contains("failed()");
        const bool canceled = facts.holds.contains("canceled()");
        return !facts.fails.contains(whole) && !(succeeded && failed) &&
               !(canceled && (succeeded || failed));
    }

    const Ast &m_ast;
    const Assumptions &m_assumptions;
};

} // namespace

std::optional<bool> constantTruth(const Expression &expression, const Assumptions &assumptions)
{
    const Ast &ast = ParserAccess::ast(expression);
    return ast.root == kNone ? std::nullopt : Analysis(ast, assumptions).truth(ast.root);
}

void eachComparedText(
    const Expression &expression,
    const std::function<void(const std::string &left, std::string_view text)> &visit)
{
    const Ast &ast = ParserAccess::ast(expression);
    const Assumptions none;
    const Analysis analysis(ast, none);
    for (const Node &node : ast.nodes) {
        if (node.op != Op::Call || (node.function != Function::Eq && node.function != Function::Ne))
            continue;
        const auto arguments = analysis.argumentsOf(node);
        if (const auto literal = analysis.stringLiteral(arguments[1]))
            visit(analysis.text(arguments[0]), *literal);
    }
}

bool namesDependencies(const Expression &expression)
{
    const detail::Ast &ast = ParserAccess::ast(expression);
    return std::any_of(ast.nodes.begin(), ast.nodes.end(), [](const detail::Node &node) {
        return node.op == detail::Op::Call && isStatusFunction(node.function) &&
               node.firstChild != detail::kNone;
    });
}

} // namespace pipelines::expr
