#include "pipelines/template/expander_parts.h"

namespace pipelines::templates {

using expr::Name;
using expr::Value;
using yaml::Node;

namespace {

constexpr std::size_t kMaxTextBytes = 10U << 20U;

const Loop *findLoop(const Loop *loops, std::string_view name)
{
    for (; loops != nullptr; loops = loops->outer) {
        if (equalIgnoringCase(loops->name, name))
            return loops;
    }
    return nullptr;
}

} // namespace

/// What names mean inside one frame.
class Expander::FrameContext : public expr::Context
{
public:
    /// `work` counts what functions do, up to `mostWork`.
    FrameContext(const Frame &frame, std::size_t &work, std::size_t mostWork)
        : m_frame(frame)
        , m_work(work)
        , m_mostWork(mostWork)
    {}

    [[nodiscard]] std::optional<Value> named(Name name, std::string_view text) const override
    {
        if (const Loop *loop = findLoop(m_frame.loops, text))
            return loop->value;
        // The scopes outlive the evaluation: borrowed, not shared.
        if (name == Name::Parameters)
            return Value::object(expr::ObjectPtr(expr::ObjectPtr{}, m_frame.parameters));
        if (name == Name::Variables)
            return Value::object(expr::ObjectPtr(expr::ObjectPtr{}, m_frame.variables));
        return std::nullopt;
    }

    [[nodiscard]] bool spend(std::size_t work) const override
    {
        m_work += work;
        return m_work <= m_mostWork;
    }

private:
    const Frame &m_frame;
    std::size_t &m_work;
    std::size_t m_mostWork;
};

bool Expander::checkNames(const expr::Expression &expression, const Frame &frame, const Node &node,
                          const Embedded &embedded)
{
    for (const expr::NameUse &use : expression.names()) {
        if (!use.unknownFunction &&
            (use.name != Name::Other || findLoop(frame.loops, use.text) != nullptr))
            continue;
        const expr::ParseError error{"Unrecognized value: '" + std::string(use.text) + "'",
                                     use.position, true};
        std::vector<std::string_view> known;
        if (use.unknownFunction) {
            for (const auto &function : expr::allFunctions()) {
                if ((function.slots & slotBit(expr::Slot::Template)) != 0)
                    known.push_back(function.name);
            }
        } else {
            known = {"parameters", "variables"};
            for (const Loop *loop = frame.loops; loop != nullptr; loop = loop->outer)
                known.push_back(loop->name);
        }
        std::string hint;
        if (const auto *function = expr::findFunction(use.text); function != nullptr)
            hint = "`" + std::string(function->name) +
                   "` does not exist in template expressions, which are evaluated before the run";
        else if (const auto *name = expr::findName(use.text); name != nullptr)
            hint = "`" + std::string(name->text) +
                   "` is known only at run time: use a condition or `$[ ]`";
        else if (equalIgnoringCase(use.text, "null"))
            hint = expr::kNullHint;
        else if (const std::string close = nearest(use.text, known); !close.empty())
            hint = "did you mean `" + close + "`?";
        report(node, frame, "unrecognized-value",
               embedded.lone || embedded.directive != Directive::None
                   ? error.message(expression.text())
                   : error.message(embedded.synthetic(), embedded.offsetOf(expression)),
               std::move(hint));
        return false;
    }
    return true;
}

/// What to do about a name that the pipeline does not declare (6.6).
std::string Expander::missingParameterHint(std::string_view message, const Frame &frame)
{
    constexpr std::string_view kHead = "Key not found '";
    if (!message.starts_with(kHead) || !message.ends_with('\'') || frame.parameters == nullptr)
        return {};
    const std::string_view name = message.substr(kHead.size(), message.size() - kHead.size() - 1);
    std::vector<std::string_view> declared;
    declared.reserve(frame.parameters->size());
    for (std::size_t i = 0; i < frame.parameters->size(); ++i)
        declared.push_back(frame.parameters->key(i));
    const std::string close = nearest(name, declared);
    return close.empty() ? "declare it under `parameters:`" : "did you mean `" + close + "`?";
}

std::optional<Value> Expander::evaluate(const expr::Expression &expression, const Frame &frame,
                                        const Node &node, const Embedded &embedded)
{
    if (!checkNames(expression, frame, node, embedded))
        return std::nullopt;
    const FrameContext context(frame, m_work, maxBytes());
    auto value = expr::evaluate(expression, context);
    if (!value) {
        report(node, frame, "expression-evaluation", value.error().message,
               missingParameterHint(value.error().message, frame));
        return std::nullopt;
    }
    if (frame.variables != nullptr && frame.variables->takeMissed())
        m_guessed = true;
    if (frame.parameters != nullptr) {
        const ParameterScope::Reads reads = frame.parameters->takeReads();
        m_guessed = m_guessed || reads.guessed;
        if (!reads.missed.empty())
            report(node, frame, "undeclared-parameter", "Key not found '" + reads.missed + "'",
                   "the template does not declare this parameter: it reads as empty",
                   Severity::Warning);
    }
    return std::move(value).value();
}

std::optional<Value> Expander::scalarValue(const Node &node, const Frame &frame)
{
    guard(node, frame);
    const Embedded &embedded = *node.embedded;
    if (embedded.broken)
        return std::nullopt;
    if (embedded.directive != Directive::None) {
        report(node, frame, "unexpected-value",
               "Unexpected value '" + std::string(embedded.raw) + "'");
        return std::nullopt;
    }
    if (embedded.lone)
        return evaluate(*embedded.pieces[0].expression, frame, node, embedded);
    std::string out;
    bool failed = false;
    for (const Embedded::Piece &piece : embedded.pieces) {
        if (piece.expression == nullptr) {
            out += piece.literal;
            continue;
        }
        const auto value = evaluate(*piece.expression, frame, node, embedded);
        failed = failed || !value;
        if (!value)
            continue;
        const auto text = value->toText();
        if (!text) {
            report(node, frame, "expression-evaluation",
                   "Unable to convert from " + std::string(toString(value->kind())) +
                       " to String. Value: " + value->shown(),
                   "use convertToJson() or join(), or make the expression the whole value");
            return std::nullopt;
        }
        out += text->view;
        if (out.size() > kMaxTextBytes) {
            report(node, frame, "limit-size", "Maximum object size exceeded");
            return std::nullopt;
        }
    }
    if (failed)
        return std::nullopt;
    return Value::own(std::move(out));
}

std::optional<Value> Expander::directiveValue(const Node &key, const Frame &frame)
{
    guard(key, frame);
    const Embedded &embedded = *key.embedded;
    if (embedded.broken)
        return std::nullopt;
    return evaluate(*embedded.pieces[0].expression, frame, key, embedded);
}

} // namespace pipelines::templates
