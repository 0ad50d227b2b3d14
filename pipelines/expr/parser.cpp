#include "pipelines/base/text.h"
#include "pipelines/expr/ast.h"

#include <algorithm>

namespace pipelines::expr {
namespace {

using detail::Ast;
using detail::Index;
using detail::kNone;
using detail::Node;
using detail::Op;

constexpr std::string_view kHelp =
    "For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996";
/// Nesting of `[ ]`; the service does not count it, our stack does.
constexpr unsigned kMaxSubscriptNesting = 100;

bool isBlank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool isNameStart(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

bool isSymbol(char c)
{
    return c == '=' || c == '<' || c == '>' || c == '&' || c == '|';
}

bool isValidName(std::string_view text)
{
    return !text.empty() && isNameStart(text[0]) &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return isNameStart(c) || isDigit(c); });
}

enum class TokenKind : std::uint8_t {
    End,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    Star,
    Literal,
    Word,    ///< name of a value or function
    Symbol,  ///< operators that no rule accepts
    Garbage, ///< number-like or unterminated text
};

struct Token
{
    TokenKind kind = TokenKind::End;
    std::size_t start = 0, end = 0;
    Value value;
};

/// One parse. Failures are thrown as ParseError and caught in parse().
class Parser
{
public:
    Parser(Ast &ast, Slot slot, std::size_t maxDepth, unsigned outerDepth)
        : m_ast(ast)
        , m_text(ast.text)
        , m_slot(slot)
        , m_maxDepth(maxDepth)
        , m_outerDepth(outerDepth)
    {}

    void run()
    {
        next();
        m_ast.root = expression(m_outerDepth + 1, 0);
        if (m_token.kind != TokenKind::End)
            unexpected(m_token);
        if (m_deferred)
            throw ParseError(*m_deferred);
    }

private:
    [[nodiscard]] std::string raw(const Token &token) const
    {
        return std::string(m_text.substr(token.start, token.end - token.start));
    }

    /// 1-based character (not byte) of an offset.
    [[nodiscard]] std::size_t position(std::size_t offset) const
    {
        return 1 + static_cast<std::size_t>(std::count_if(
                       m_text.begin(), m_text.begin() + static_cast<std::ptrdiff_t>(offset),
                       [](char c) { return (c & 0xC0) != 0x80; }));
    }

    [[noreturn]] void fail(std::string head, std::size_t offset) const
    {
        throw ParseError{std::move(head), position(offset), true};
    }

    [[noreturn]] void unexpected(const Token &token) const
    {
        fail("Unexpected symbol: '" + raw(token) + "'", token.start);
    }

    /// An unknown name is reported only if the rest parses (10.3).
    void defer(std::string_view name, std::size_t offset)
    {
        if (!m_deferred)
            m_deferred = ParseError{"Unrecognized value: '" + std::string(name) + "'",
                                    position(offset), true};
    }

    // ---- tokens

    void next()
    {
        while (m_at < m_text.size() && isBlank(m_text[m_at]))
            ++m_at;
        m_token = Token{};
        m_token.start = m_at;
        if (m_at == m_text.size()) {
            m_token.end = m_at;
            return;
        }
        const char c = m_text[m_at];
        switch (c) {
        case '(':
            return single(TokenKind::Open);
        case ')':
            return single(TokenKind::Close);
        case '[':
            return single(TokenKind::OpenBracket);
        case ']':
            return single(TokenKind::CloseBracket);
        case ',':
            return single(TokenKind::Comma);
        case '*':
            return single(TokenKind::Star);
        case '\'':
            return stringToken();
        case '.':
            // A dot after something that has a value is an access, else the start of a number.
            if (m_afterOperand)
                return single(TokenKind::Dot);
            return numberToken();
        default:
            break;
        }
        if (c == '-' || isDigit(c))
            return numberToken();
        if (isSymbol(c))
            return symbolToken();
        wordToken();
    }

    void single(TokenKind kind)
    {
        m_token.kind = kind;
        m_token.end = ++m_at;
        m_afterOperand =
            kind == TokenKind::Close || kind == TokenKind::CloseBracket || kind == TokenKind::Star;
    }

    void symbolToken()
    {
        while (m_at < m_text.size() && isSymbol(m_text[m_at]))
            ++m_at;
        m_token.kind = TokenKind::Symbol;
        m_token.end = m_at;
        m_afterOperand = false;
    }

    void stringToken()
    {
        std::size_t i = m_at + 1;
        bool escaped = false;
        while (true) {
            const std::size_t quote = m_text.find('\'', i);
            if (quote == std::string_view::npos) {
                m_token.kind = TokenKind::Garbage;
                m_token.end = m_at = m_text.size();
                return;
            }
            i = quote;
            if (i + 1 == m_text.size() || m_text[i + 1] != '\'')
                break;
            escaped = true;
            i += 2;
        }
        const std::string_view body = m_text.substr(m_at + 1, i - m_at - 1);
        m_token.value = escaped ? Value::own(unescape(body)) : Value::borrow(body);
        m_token.kind = TokenKind::Literal;
        m_token.end = m_at = i + 1;
        m_afterOperand = true;
    }

    static std::string unescape(std::string_view body)
    {
        std::string out;
        out.reserve(body.size());
        for (std::size_t i = 0; i < body.size(); ++i) {
            out += body[i];
            if (body[i] == '\'')
                ++i; // the second of the pair
        }
        return out;
    }

    void numberToken()
    {
        std::size_t end = m_at;
        while (end < m_text.size() && !isBlank(m_text[end]) &&
               std::string_view("()[],").find(m_text[end]) == std::string_view::npos)
            ++end;
        const std::string_view text = m_text.substr(m_at, end - m_at);
        m_token.end = m_at = end;
        m_afterOperand = true;
        m_token.kind = TokenKind::Literal;
        if (const auto number = Decimal::parse(text, Decimal::Style::Literal))
            m_token.value = Value::number(*number);
        else if (const auto version = Version::parse(text, 3))
            m_token.value = Value::version(*version);
        else
            m_token.kind = TokenKind::Garbage;
    }

    void wordToken()
    {
        std::size_t end = m_at;
        while (end < m_text.size() && !isBlank(m_text[end]) &&
               std::string_view("()[],.").find(m_text[end]) == std::string_view::npos)
            ++end;
        m_token.kind = TokenKind::Word;
        m_token.end = m_at = end;
        m_afterOperand = true;
    }

    // ---- rules

    Index add(const Node &node)
    {
        m_ast.nodes.push_back(node);
        return static_cast<Index>(m_ast.nodes.size() - 1);
    }

    Index expression(unsigned depth, unsigned nesting)
    {
        if (depth > m_maxDepth || nesting > kMaxSubscriptNesting)
            throw ParseError{"Exceeded max expression depth " + std::to_string(m_maxDepth), 0,
                             true};
        const Index operandIndex = operand(depth, nesting);
        Index last = kNone;
        while (m_token.kind == TokenKind::Dot || m_token.kind == TokenKind::OpenBracket) {
            const Index postfix =
                m_token.kind == TokenKind::Dot ? dotted() : bracketed(depth, nesting);
            if (last == kNone)
                m_ast.nodes[operandIndex].firstPostfix = postfix;
            else
                m_ast.nodes[last].nextPostfix = postfix;
            last = postfix;
        }
        return operandIndex;
    }

    Index operand(unsigned depth, unsigned nesting)
    {
        const Token token = m_token;
        if (token.kind == TokenKind::Garbage)
            fail("Unrecognized value: '" + raw(token) + "'", token.start);
        if (token.kind == TokenKind::End)
            return endOfExpression();
        if (token.kind == TokenKind::Literal) {
            next();
            return literal(token.value, token.start);
        }
        if (token.kind != TokenKind::Word)
            unexpected(token);
        next();
        const std::string_view word = m_text.substr(token.start, token.end - token.start);
        const FunctionInfo *function = findFunction(word);
        const bool here = function != nullptr && (function->slots & slotBit(m_slot)) != 0;
        if (m_token.kind == TokenKind::Open)
            return call(here ? function : nullptr, word, token.start, depth, nesting);
        if (here)
            fail("Expected '(' to follow a function: '" + std::string(word) + "'", token.start);
        if (equalIgnoringCase(word, "true") || equalIgnoringCase(word, "false"))
            return literal(Value::boolean(word.size() == 4), token.start);
        return named(word, token.start);
    }

    /// The text ended where an operand was needed.
    [[noreturn]] Index endOfExpression() const
    {
        if (!m_open.empty()) {
            const auto &[text, offset] = m_open.back();
            fail(text == "[" ? "Unclosed indexer: '['"
                             : "Unclosed function: '" + std::string(text) + "'",
                 offset);
        }
        throw ParseError{"An expression was expected", 0, false};
    }

    Index literal(Value value, std::size_t offset)
    {
        Node node;
        node.op = Op::Literal;
        node.position = offset;
        node.literal = static_cast<Index>(m_ast.literals.size());
        m_ast.literals.push_back(std::move(value));
        return add(node);
    }

    Index named(std::string_view word, std::size_t offset)
    {
        Node node;
        node.op = Op::Named;
        node.text = word;
        node.position = offset;
        const NameInfo *info = findName(word);
        if (info != nullptr && (info->slots & slotBit(m_slot)) != 0)
            node.name = info->name;
        else if (m_slot != Slot::Template || !isValidName(word))
            defer(word, offset);
        m_ast.names.push_back({word, position(offset), node.name, false});
        return add(node);
    }

    Index call(const FunctionInfo *info, std::string_view word, std::size_t offset, unsigned depth,
               unsigned nesting)
    {
        Node node;
        node.op = info != nullptr ? Op::Call : Op::Unknown;
        node.text = word;
        node.position = offset;
        if (info != nullptr) {
            node.function = info->function;
            m_ast.mentionsStatus = m_ast.mentionsStatus || isStatusFunction(info->function);
        } else {
            m_ast.names.push_back({word, position(offset), Name::Other, true});
            if (m_slot != Slot::Template)
                defer(word, offset);
        }
        const Index index = add(node);
        m_open.emplace_back(word, offset);
        next(); // the parenthesis
        unsigned count = 0;
        Index last = kNone;
        while (m_token.kind != TokenKind::Close) {
            const Index argument = expression(depth + 1, nesting);
            if (last == kNone)
                m_ast.nodes[index].firstChild = argument;
            else
                m_ast.nodes[last].nextSibling = argument;
            last = argument;
            ++count;
            if (m_token.kind == TokenKind::End)
                endOfExpression();
            if (m_token.kind == TokenKind::Close)
                break;
            if (m_token.kind != TokenKind::Comma)
                unexpected(m_token);
            if (info != nullptr && count >= info->most)
                unexpected(m_token); // the comma that starts one argument too many
            next();
            if (m_token.kind == TokenKind::Close)
                unexpected(m_token);
        }
        if (info != nullptr && (count < info->least || count > info->most))
            unexpected(m_token);
        m_open.pop_back();
        next();
        return index;
    }

    Index dotted()
    {
        const std::size_t dot = m_token.start;
        // Whatever stands up to the next boundary is meant as the name, even `9b`.
        while (m_at < m_text.size() && isBlank(m_text[m_at]))
            ++m_at;
        Node node;
        node.position = dot;
        if (m_at < m_text.size() && m_text[m_at] == '*') {
            node.op = Op::Wildcard;
            ++m_at;
            m_afterOperand = true;
            next();
            return add(node);
        }
        m_token = Token{};
        m_token.start = m_at;
        wordToken();
        node.text = m_text.substr(m_token.start, m_token.end - m_token.start);
        if (node.text.empty())
            fail("Expected a property name to follow the dereference operator '.': '.'", dot);
        if (!isValidName(node.text))
            unexpected(m_token);
        node.op = Op::Property;
        next();
        return add(node);
    }

    Index bracketed(unsigned depth, unsigned nesting)
    {
        Node node;
        node.position = m_token.start;
        m_open.emplace_back("[", m_token.start);
        next();
        if (m_token.kind == TokenKind::Star) {
            node.op = Op::Wildcard;
            next();
        } else {
            node.op = Op::Subscript;
            node.firstChild = expression(depth, nesting + 1);
        }
        if (m_token.kind == TokenKind::End)
            endOfExpression();
        if (m_token.kind != TokenKind::CloseBracket)
            unexpected(m_token);
        m_open.pop_back();
        next();
        return add(node);
    }

    Ast &m_ast;
    std::string_view m_text;
    Slot m_slot;
    std::size_t m_maxDepth;
    unsigned m_outerDepth;
    std::size_t m_at = 0;
    bool m_afterOperand = false;
    Token m_token;
    std::optional<ParseError> m_deferred;
    std::vector<std::pair<std::string_view, std::size_t>> m_open;
};

} // namespace

std::string ParseError::message(std::string_view expression, std::size_t offset) const
{
    std::string text = head;
    if (position != 0)
        text += ". Located at position " + std::to_string(position + offset) +
                " within expression: '" + std::string(expression) + "'";
    if (help)
        text += ". " + std::string(kHelp);
    return text;
}

Expression::Expression() = default;
Expression::Expression(Expression &&) noexcept = default;
Expression &Expression::operator=(Expression &&) noexcept = default;
Expression::~Expression() = default;

std::string_view Expression::text() const
{
    return m_ast->text;
}

const std::vector<NameUse> &Expression::names() const
{
    return m_ast->names;
}

bool Expression::mentionsStatusFunction() const
{
    return m_ast->mentionsStatus;
}

std::optional<std::string_view> Expression::stringLiteral() const
{
    const Node &root = m_ast->nodes[m_ast->root];
    if (root.op != Op::Literal || root.firstPostfix != kNone ||
        m_ast->literals[root.literal].kind() != Kind::String)
        return std::nullopt;
    return m_ast->literals[root.literal].asText().view;
}

std::vector<Expression::Access> Expression::accesses() const
{
    constexpr std::size_t kLongestPath = 4;
    std::vector<Access> found;
    for (const Node &node : m_ast->nodes) {
        if (node.op != Op::Named)
            continue;
        Access access{node.name, {}, node.position + 1};
        for (Index i = node.firstPostfix; i != kNone && access.path.size() < kLongestPath;
             i = m_ast->nodes[i].nextPostfix) {
            const Node &postfix = m_ast->nodes[i];
            if (postfix.op == Op::Property) {
                access.path.push_back(postfix.text);
                continue;
            }
            const Node *key =
                postfix.op == Op::Subscript ? &m_ast->nodes[postfix.firstChild] : nullptr;
            if (key == nullptr || key->op != Op::Literal || key->firstPostfix != kNone ||
                m_ast->literals[key->literal].kind() != Kind::String)
                break;
            access.path.push_back(m_ast->literals[key->literal].asText().view);
        }
        found.push_back(std::move(access));
    }
    return found;
}

Parsed parse(std::string_view text, Slot slot, const ParseLimits &limits, unsigned outerDepth)
{
    text = trim(text);
    Parsed parsed;
    if (text.empty()) {
        parsed.error = ParseError{"An expression was expected", 0, false};
        return parsed;
    }
    if (utf16Length(text) > limits.length) {
        parsed.error =
            ParseError{"Exceeded max expression length " + std::to_string(limits.length), 0, true};
        return parsed;
    }
    auto ast = std::make_unique<Ast>();
    ast->text = text;
    try {
        Parser(*ast, slot, std::min(limits.depth, ParseLimits::kDeepest), outerDepth).run();
    } catch (const ParseError &error) {
        parsed.error = error;
        return parsed;
    }
    Expression expression;
    ParserAccess::ast(expression) = std::move(ast);
    parsed.expression = std::move(expression);
    return parsed;
}

} // namespace pipelines::expr
