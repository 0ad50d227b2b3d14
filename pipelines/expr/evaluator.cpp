#include "pipelines/base/text.h"
#include "pipelines/expr/ast.h"
#include "pipelines/expr/call.h"

#include <algorithm>

namespace pipelines::expr {
namespace {

using detail::Ast;
using detail::Index;
using detail::kNone;
using detail::Node;
using detail::Op;

std::optional<Value> lookup(const Value &value, const Value &index);

/// Access on every child of a filtered array; misses are dropped.
Value lookupEach(const Array &array, const Value &index)
{
    auto result = std::make_shared<Array>();
    result->filtered = true;
    for (const Value &item : array.items) {
        if (auto hit = lookup(item, index))
            result->items.push_back(std::move(*hit));
    }
    return Value::array(std::move(result));
}

/// One `.name` or `[index]` on a value (10.4); nothing on a miss.
std::optional<Value> lookup(const Value &value, const Value &index)
{
    if (value.kind() == Kind::Object) {
        const auto key = index.toText();
        return key ? value.asObject()->find(key->view) : std::nullopt;
    }
    if (value.kind() != Kind::Array)
        return std::nullopt;
    const auto number = index.toNumber();
    const auto position = number ? number->floor() : std::nullopt;
    const auto &items = value.asArray()->items;
    if (!position || *position < 0 || static_cast<std::uint64_t>(*position) >= items.size())
        return std::nullopt;
    return items[static_cast<std::size_t>(*position)];
}

void appendChildren(const Value &value, std::vector<Value> &out)
{
    if (value.kind() == Kind::Object) {
        const Object &object = *value.asObject();
        for (std::size_t i = 0; i < object.size(); ++i)
            out.push_back(object.value(i));
    } else if (value.kind() == Kind::Array) {
        const auto &items = value.asArray()->items;
        out.insert(out.end(), items.begin(), items.end());
    }
}

Value wildcard(const Value &value)
{
    auto result = std::make_shared<Array>();
    result->filtered = true;
    if (value.kind() == Kind::Array && value.asArray()->filtered) {
        for (const Value &item : value.asArray()->items)
            appendChildren(item, result->items);
    } else {
        appendChildren(value, result->items);
    }
    return Value::array(std::move(result));
}

class Evaluator
{
public:
    Evaluator(const Ast &ast, const Context &context)
        : m_ast(ast)
        , m_context(context)
    {}

    [[nodiscard]] Value value(Index index) const
    {
        const Node &node = m_ast.nodes[index];
        Value result = operand(node);
        for (Index i = node.firstPostfix; i != kNone; i = m_ast.nodes[i].nextPostfix)
            result = access(result, m_ast.nodes[i]);
        return result;
    }

    /// The text of the expression with names replaced by values. Parts that fail stay as written.
    [[nodiscard]] std::string expandedText(Index index) const
    {
        const Node &node = m_ast.nodes[index];
        if (node.op != Op::Call || node.firstPostfix != kNone || node.firstChild == kNone) {
            try {
                return value(index).shown();
            } catch (const EvaluationError &) {
                return std::string(node.text);
            }
        }
        std::string out = std::string(node.text) + "(";
        for (Index i = node.firstChild; i != kNone; i = m_ast.nodes[i].nextSibling)
            out += (i == node.firstChild ? "" : ", ") + expandedText(i);
        return out + ")";
    }

private:
    [[nodiscard]] Value operand(const Node &node) const
    {
        switch (node.op) {
        case Op::Literal: {
            // Borrow instead of sharing: the literal lives as long as the expression.
            const Value &literal = m_ast.literals[node.literal];
            return literal.kind() == Kind::String ? Value::borrow(literal.asText().view) : literal;
        }
        case Op::Named: {
            auto found = m_context.named(node.name, node.text);
            if (!found)
                throw EvaluationError("Unrecognized value: '" + std::string(node.text) + "'");
            return std::move(*found);
        }
        case Op::Call:
            return call(node);
        default:
            throw EvaluationError("Unrecognized value: '" + std::string(node.text) + "'");
        }
    }

    [[nodiscard]] Value access(const Value &value, const Node &postfix) const
    {
        if (postfix.op == Op::Wildcard) {
            charge(sizeOf(value));
            Value children = wildcard(value);
            charge(sizeOf(children));
            return children;
        }
        const Value index = postfix.op == Op::Property ? Value::borrow(postfix.text)
                                                       : this->value(postfix.firstChild);
        if (value.kind() == Kind::Array && value.asArray()->filtered) {
            charge(sizeOf(value));
            return lookupEach(*value.asArray(), index);
        }
        // A property name never addresses an element, even if it looked like a number.
        if (value.kind() == Kind::Array && postfix.op == Op::Property)
            return Value::null();
        return lookup(value, index).value_or(Value::null());
    }

    /// Functions that may leave arguments unevaluated are decided here, the others in call.cpp.
    [[nodiscard]] Value call(const Node &node) const
    {
        switch (node.function) {
        case Function::And:
            for (Index i = node.firstChild; i != kNone; i = m_ast.nodes[i].nextSibling) {
                if (!value(i).toBoolean())
                    return Value::boolean(false);
            }
            return Value::boolean(true);
        case Function::Or:
            for (Index i = node.firstChild; i != kNone; i = m_ast.nodes[i].nextSibling) {
                if (value(i).toBoolean())
                    return Value::boolean(true);
            }
            return Value::boolean(false);
        case Function::In:
            return Value::boolean(isIn(node));
        case Function::NotIn:
            return Value::boolean(!isIn(node));
        case Function::Coalesce:
            return coalesce(node);
        case Function::Eq:
        case Function::Ne: {
            const Value left = value(node.firstChild);
            const bool isSame = same(left, value(m_ast.nodes[node.firstChild].nextSibling));
            return Value::boolean(isSame == (node.function == Function::Eq));
        }
        default:
            break;
        }
        std::vector<Value> arguments;
        for (Index i = node.firstChild; i != kNone; i = m_ast.nodes[i].nextSibling)
            arguments.push_back(value(i));
        if (isStatusFunction(node.function))
            return status(node.function, arguments);
        if (node.function == Function::Counter)
            return counter(arguments);
        return measured(node.function, arguments);
    }

    [[nodiscard]] Value measured(Function function, const std::vector<Value> &arguments) const
    {
        std::size_t work = 0;
        for (const Value &argument : arguments)
            work += sizeOf(argument);
        try {
            Value result = callFunction(function, arguments);
            if (m_context.spend(work + sizeOf(result)))
                return result;
        } catch (const EvaluationError &error) {
            // A text that became too long was work, too.
            static_cast<void>(
                m_context.spend(error.message == kTooLarge ? work + kMaxTextBytes : work));
            throw;
        }
        throw EvaluationError(std::string(kTooLarge));
    }

    static std::size_t sizeOf(const Value &value)
    {
        switch (value.kind()) {
        case Kind::String:
            return value.asText().view.size();
        case Kind::Array:
            return value.asArray()->items.size();
        case Kind::Object:
            return value.asObject()->size();
        default:
            return 1;
        }
    }

    [[nodiscard]] bool isIn(const Node &node) const
    {
        const Value left = value(node.firstChild);
        for (Index i = m_ast.nodes[node.firstChild].nextSibling; i != kNone;
             i = m_ast.nodes[i].nextSibling) {
            if (same(left, value(i)))
                return true;
        }
        return false;
    }

    /// What looks at many characters or elements counts as work; the usual few are free.
    void charge(std::size_t work) const
    {
        constexpr std::size_t kFree = 256;
        if (work > kFree && !m_context.spend(work))
            throw EvaluationError(std::string(kTooLarge));
    }

    [[nodiscard]] bool same(const Value &left, const Value &right) const
    {
        charge(std::min(sizeOf(left), sizeOf(right)));
        return Value::equal(left, right);
    }

    [[nodiscard]] Value coalesce(const Node &node) const
    {
        for (Index i = node.firstChild; i != kNone; i = m_ast.nodes[i].nextSibling) {
            Value candidate = value(i);
            const bool empty = candidate.isNull() || (candidate.kind() == Kind::String &&
                                                      candidate.asText().view.empty());
            if (!empty)
                return candidate;
        }
        return Value::null();
    }

    [[nodiscard]] Value status(Function function, const std::vector<Value> &arguments) const
    {
        std::vector<std::string> names;
        names.reserve(arguments.size());
        for (const Value &argument : arguments)
            names.push_back(argument.str());
        return Value::boolean(m_context.status(function, names));
    }

    [[nodiscard]] Value counter(const std::vector<Value> &arguments) const
    {
        std::int64_t seed = 0;
        if (arguments.size() > 1) {
            const auto number = arguments[1].toNumber();
            const auto whole = number ? number->floor() : std::nullopt;
            if (!whole)
                throw EvaluationError("Unable to convert from " +
                                      std::string(toString(arguments[1].kind())) +
                                      " to Number. Value: " + arguments[1].shown());
            seed = *whole;
        }
        const std::string prefix = arguments.empty() ? std::string() : arguments[0].str();
        return Value::number(Decimal::fromInteger(m_context.counter(prefix, seed)));
    }

    const Ast &m_ast;
    const Context &m_context;
};

} // namespace

bool Context::status(Function function, const std::vector<std::string> &) const
{
    for (const FunctionInfo &info : allFunctions()) {
        if (info.function == function)
            throw EvaluationError("Unrecognized value: '" + std::string(info.name) + "'");
    }
    return false;
}

bool Context::spend(std::size_t) const
{
    return true;
}

std::int64_t Context::counter(std::string_view, std::int64_t) const
{
    throw EvaluationError("Unrecognized value: 'counter'");
}

schema::Result<Value> evaluate(const Expression &expression, const Context &context)
{
    try {
        const Ast &ast = ParserAccess::ast(expression);
        return Evaluator(ast, context).value(ast.root);
    } catch (const EvaluationError &error) {
        return schema::Error{schema::ErrorCode::InvalidArgument, error.message};
    }
}

std::string expanded(const Expression &expression, const Context &context)
{
    const Ast &ast = ParserAccess::ast(expression);
    return Evaluator(ast, context).expandedText(ast.root);
}

} // namespace pipelines::expr
