#include "pipelines/template/embedded.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <array>

namespace pipelines::templates {
namespace {

constexpr std::string_view kOpen = "${{";

bool isBlank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Position of the `}}` that ends an expression, outside of quotes; npos when there is none.
std::size_t findClose(std::string_view text, std::size_t from)
{
    bool quoted = false;
    for (std::size_t i = from; i < text.size(); ++i) {
        if (text[i] == '\'')
            quoted = !quoted;
        else if (!quoted && text[i] == '}' && i + 1 < text.size() && text[i + 1] == '}')
            return i;
    }
    return std::string_view::npos;
}

/// Expression units separated by blanks: quotes and parentheses keep blanks inside a unit.
std::vector<std::string_view> units(std::string_view text)
{
    std::vector<std::string_view> found;
    std::size_t start = 0;
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const bool end = i == text.size();
        if (!end && text[i] == '\'')
            quoted = !quoted;
        if (!end && !quoted && (text[i] == '(' || text[i] == '['))
            ++depth;
        if (!end && !quoted && (text[i] == ')' || text[i] == ']'))
            --depth;
        if (!end && (quoted || depth > 0 || !isBlank(text[i])))
            continue;
        if (i > start)
            found.push_back(text.substr(start, i - start));
        start = i + 1;
    }
    return found;
}

struct Word
{
    Directive directive;
    std::string_view text;
};

constexpr std::array kWords{Word{Directive::If, "if"}, Word{Directive::ElseIf, "elseif"},
                            Word{Directive::Else, "else"}, Word{Directive::Each, "each"},
                            Word{Directive::Insert, "insert"}};

Directive directiveOf(std::string_view inner)
{
    for (const Word &word : kWords) {
        if (inner.starts_with(word.text) &&
            (inner.size() == word.text.size() || isBlank(inner[word.text.size()])))
            return word.directive;
    }
    return Directive::None;
}

/// `{` `}` doubled for format(), quotes doubled for the literal.
void appendLiteral(std::string &out, std::string_view literal)
{
    for (const char c : literal) {
        out += c;
        if (c == '{' || c == '}' || c == '\'')
            out += c;
    }
}

} // namespace

std::string_view toString(Directive directive)
{
    for (const Word &word : kWords) {
        if (word.directive == directive)
            return word.text;
    }
    return {};
}

std::string Embedded::synthetic() const
{
    std::string out = "format('";
    std::string arguments;
    std::size_t index = 0;
    for (const Piece &piece : pieces) {
        if (piece.expression == nullptr) {
            appendLiteral(out, piece.literal);
            continue;
        }
        out += "{" + std::to_string(index++) + "}";
        arguments += ", " + std::string(piece.expression->text());
    }
    return out + "'" + arguments + ")";
}

std::size_t Embedded::offsetOf(const expr::Expression &expression) const
{
    const std::string whole = synthetic();
    std::size_t fromEnd = 1; // the parenthesis
    for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
        if (piece->expression == nullptr)
            continue;
        fromEnd += utf16Length(piece->expression->text());
        if (piece->expression == &expression)
            break;
        fromEnd += 2; // ", "
    }
    return utf16Length(whole) - fromEnd;
}

void EmbeddedParser::report(const yaml::Node &node, std::string code, std::string message,
                            std::string hint)
{
    append(m_diagnostics, {Severity::Error, std::move(code), std::move(message), node.position(), 0,
                           std::move(hint), yaml::includeChain(node.source)});
}

bool EmbeddedParser::parses(std::string_view text) const
{
    return expr::parse(text, expr::Slot::Template, m_limits).expression.has_value();
}

const expr::Expression *EmbeddedParser::parseExpression(const yaml::Node &node,
                                                        std::string_view text, unsigned outerDepth,
                                                        Embedded &embedded, expr::ParseError *error)
{
    auto parsed = expr::parse(text, expr::Slot::Template, m_limits, outerDepth);
    if (parsed.expression) {
        m_expressions.push_back(std::move(*parsed.expression));
        return &m_expressions.back();
    }
    embedded.broken = true;
    const expr::ParseError problem = parsed.error.value_or(expr::ParseError{});
    if (error != nullptr)
        *error = problem;
    else
        report(node, "expression-syntax", problem.message(trim(text)));
    return nullptr;
}

void EmbeddedParser::onScalar(yaml::Node &node, bool isKey)
{
    Embedded &embedded = m_embedded.emplace_back();
    embedded.raw = node.text;
    parse(node, embedded, isKey);
    if (embedded.lone && !embedded.broken && embedded.directive == Directive::None) {
        // A lone string literal is plain text from here on (9.1 point 5).
        if (const auto literal = embedded.pieces[0].expression->stringLiteral()) {
            node.text = *literal;
            node.style = yaml::Style::Quoted;
            return;
        }
    }
    node.embedded = &embedded;
    node.hasExpressions = true;
    for (const Embedded::Piece &piece : embedded.pieces) {
        if (piece.expression == nullptr)
            continue;
        for (const auto &access : piece.expression->accesses()) {
            if (access.name == expr::Name::Parameters)
                m_reads[node.source].insert(access.path.empty() ? std::string()
                                                                : std::string(access.path[0]));
        }
    }
}

bool EmbeddedParser::readsParameter(const yaml::Source *file, std::string_view name) const
{
    const auto reads = m_reads.find(file);
    return reads != m_reads.end() &&
           (reads->second.contains("") || reads->second.contains(std::string(name)));
}

bool EmbeddedParser::parseDirective(yaml::Node &node, Embedded &embedded, std::string_view inner)
{
    const Directive directive = directiveOf(inner);
    if (directive == Directive::None)
        return false;
    const std::string word(toString(directive));
    const std::string_view rest = trim(inner.substr(word.size()));
    const auto parts = units(rest);
    const auto wrongCount = [&](int expected) {
        embedded.broken = true;
        embedded.directive = directive;
        report(node, "directive-parameters",
               "Exactly " + std::to_string(expected) +
                   " parameter(s) were expected following the directive '" + word +
                   "'. Actual parameter count: " + std::to_string(parts.size()),
               directive == Directive::Else && !parts.empty() && parts[0] == "if"
                   ? "write `elseif`, one word"
                   : "");
    };
    switch (directive) {
    case Directive::If:
    case Directive::ElseIf: {
        // More lenient than counting units: `if eq (a, b)` means what it says.
        if (!parses(rest) && parts.size() != 1)
            return false; // the service then reads the whole text as an expression
        embedded.directive = directive;
        embedded.pieces.push_back({{}, parseExpression(node, rest, 0, embedded, nullptr)});
        return true;
    }
    case Directive::Each: {
        if (parts.size() < 3 ||
            (parts.size() > 3 && parts[1] == "in" &&
             !parses(rest.substr(static_cast<std::size_t>(parts[2].data() - rest.data()))))) {
            wrongCount(3);
            return true;
        }
        embedded.directive = directive;
        if (parts[1] != "in") {
            embedded.broken = true;
            report(node, "directive-each",
                   "The value '" + std::string(parts[1]) +
                       "' is unexpected. The expected format of an 'each' expression is: ${ each "
                       "<identifier> in <value> }");
            return true;
        }
        embedded.loopName = parts[0];
        const std::string_view collection =
            rest.substr(static_cast<std::size_t>(parts[2].data() - rest.data()));
        if (const auto *function = expr::findFunction(embedded.loopName);
            function != nullptr && (function->slots & slotBit(expr::Slot::Template)) != 0) {
            embedded.broken = true;
            report(node, "directive-each",
                   "Expected '(' to follow a function: '" + std::string(embedded.loopName) + "'",
                   "give the loop variable a name that is not a function");
            return true;
        }
        embedded.pieces.push_back({{}, parseExpression(node, collection, 0, embedded, nullptr)});
        return true;
    }
    default:
        if (!parts.empty()) {
            wrongCount(0);
            return true;
        }
        embedded.directive = directive;
        return true;
    }
}

void EmbeddedParser::parse(yaml::Node &node, Embedded &embedded, bool isKey)
{
    const std::string_view text = node.text;
    std::size_t at = 0;
    expr::ParseError firstError;
    std::vector<std::string_view> inners;
    while (true) {
        const std::size_t open = text.find(kOpen, at);
        if (open == std::string_view::npos)
            break;
        const std::size_t close = findClose(text, open + kOpen.size());
        if (close == std::string_view::npos) {
            embedded.broken = true;
            const std::string_view rest = text.substr(open);
            const bool isCut = node.style == yaml::Style::Plain &&
                               std::count(rest.begin(), rest.end(), '\'') % 2 == 1;
            report(node, "expression-unclosed",
                   "The expression is not closed. An unescaped ${{ sequence was found, but the "
                   "closing }} sequence was not found.",
                   isCut
                       ? "close the text of the expression; a blank and # begin a comment, unless "
                         "the whole value stands in double quotes"
                       : "add `}}`, or write ${{ 'my${{text' }} for a literal ${{");
            return;
        }
        if (open > at)
            embedded.pieces.push_back({text.substr(at, open - at)});
        const std::string_view inner =
            trim(text.substr(open + kOpen.size(), close - open - kOpen.size()));
        inners.push_back(inner);
        embedded.lone = open == 0 && close + 2 == text.size();
        if (embedded.lone && isKey && parseDirective(node, embedded, inner))
            return;
        if (embedded.lone && !isKey && (inner == "insert" || inner == "else")) {
            embedded.broken = true;
            report(node, "unexpected-value", "Unexpected value '" + std::string(text) + "'",
                   "a directive stands as a key: add a colon after it");
            return;
        }
        if (!embedded.lone && directiveOf(inner) != Directive::None && !parses(inner)) {
            embedded.broken = true;
            report(node, "directive-embedded",
                   "The directive '" + std::string(toString(directiveOf(inner))) +
                       "' is not allowed in this context. Directives are not supported for "
                       "expressions that are embedded within a string. Directives are only "
                       "supported when the entire value is an expression.");
            return;
        }
        const bool hadError = embedded.broken;
        expr::ParseError error;
        const auto *expression =
            parseExpression(node, inner, embedded.lone ? 0 : 1, embedded, &error);
        if (embedded.broken && !hadError)
            firstError = error;
        embedded.pieces.push_back({{}, expression});
        at = close + 2;
    }
    if (at < text.size())
        embedded.pieces.push_back({text.substr(at)});
    if (!embedded.broken)
        return;
    if (embedded.lone) {
        const Directive directive = isKey ? Directive::None : directiveOf(inners[0]);
        if (directive != Directive::None)
            report(node, "unexpected-value", "Unexpected value '" + std::string(text) + "'",
                   "a directive stands as a key: add a colon after it");
        else
            report(node, "expression-syntax", firstError.message(inners[0]));
        return;
    }
    // Positions count inside of the synthetic format() call.
    std::string synthetic = "format('";
    std::size_t number = 0;
    for (const Embedded::Piece &piece : embedded.pieces) {
        if (!piece.literal.empty() || number >= inners.size())
            appendLiteral(synthetic, piece.literal);
        else
            synthetic += "{" + std::to_string(number++) + "}";
    }
    synthetic += "'";
    std::size_t offset = 0;
    number = 0;
    for (const Embedded::Piece &piece : embedded.pieces) {
        if (!piece.literal.empty())
            continue;
        synthetic += ", ";
        if (piece.expression == nullptr && offset == 0)
            offset = utf16Length(synthetic);
        synthetic += inners[number++];
    }
    synthetic += ")";
    report(node, "expression-syntax", firstError.message(synthetic, offset));
}

} // namespace pipelines::templates
