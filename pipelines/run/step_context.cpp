#include "pipelines/run/step_context.h"

#include "pipelines/base/text.h"
#include "pipelines/expr/expression.h"

#include <vector>

namespace pipelines::run {
namespace {

using expr::Function;
using expr::Name;
using expr::Value;
using schema::TaskResult;

/// References followed inside variable values (12.2: the agent's limit).
constexpr int kMaxMacroDepth = 50;
/// Growth limit of one expanded text, bytes.
constexpr std::size_t kMaxExpandedBytes = 64U << 20U;

/// Expands the macros of one text. `active` holds the names whose values are being expanded: a name
/// met again is a cycle, which leaves the outer value unexpanded.
class MacroExpander
{
public:
    explicit MacroExpander(const VariableLookup &lookup)
        : m_lookup(lookup)
    {}

    /// Nothing when a cycle or a limit was met.
    std::optional<std::string> expand(std::string_view text)
    {
        std::string out;
        std::size_t at = 0;
        while (true) {
            const std::size_t start = text.find("$(", at);
            const std::size_t end =
                start == std::string_view::npos ? start : text.find(')', start + 2);
            if (end == std::string_view::npos)
                break;
            const std::string_view name = text.substr(start + 2, end - start - 2);
            std::optional<std::string> value;
            if (!name.empty())
                value = m_lookup(name);
            if (!value) {
                // A miss continues one character after the start, so `$(a$(b))` still finds b.
                out += text.substr(at, start + 1 - at);
                at = start + 1;
                continue;
            }
            out += text.substr(at, start - at);
            if (!append(out, name, *value))
                return std::nullopt;
            at = end + 1;
        }
        out += text.substr(at);
        return out;
    }

private:
    bool append(std::string &out, std::string_view name, const std::string &value)
    {
        if (value.find("$(") == std::string::npos) {
            out += value;
            return out.size() <= kMaxExpandedBytes;
        }
        for (const std::string &active : m_active) {
            if (equalIgnoringCase(active, name))
                return false;
        }
        if (m_active.size() >= kMaxMacroDepth)
            return false;
        m_active.emplace_back(name);
        const auto inner = expand(value);
        m_active.pop_back();
        if (!inner && !m_active.empty())
            return false;
        // The value whose own references run in a circle is inserted as it stands.
        out += inner ? *inner : value;
        return out.size() <= kMaxExpandedBytes;
    }

    const VariableLookup &m_lookup;
    std::vector<std::string> m_active;
};

/// `variables` of a step condition.
class VariableObject : public expr::Object
{
public:
    explicit VariableObject(const VariableLookup &lookup)
        : m_lookup(lookup)
    {}

    [[nodiscard]] std::size_t size() const override { return 0; }

    [[nodiscard]] std::string_view key(std::size_t) const override { return {}; }

    [[nodiscard]] Value value(std::size_t) const override { return Value::null(); }

    [[nodiscard]] std::optional<Value> find(std::string_view key) const override
    {
        auto found = m_lookup(key);
        if (!found)
            return std::nullopt;
        return Value::own(std::move(*found));
    }

private:
    const VariableLookup &m_lookup;
};

class StepContext : public expr::Context
{
public:
    StepContext(const StepStatus &status, const VariableLookup &lookup)
        : m_status(status)
        , m_variables(lookup)
    {}

    [[nodiscard]] std::optional<Value> named(Name name, std::string_view) const override
    {
        if (name != Name::Variables)
            return std::nullopt;
        return Value::object(expr::ObjectPtr(expr::ObjectPtr{}, &m_variables));
    }

    [[nodiscard]] bool status(Function function,
                              const std::vector<std::string> &names) const override
    {
        if (!names.empty())
            throw expr::EvaluationError(
                "status functions take no arguments in the condition of a step");
        const bool canceled = m_status.canceled || m_status.jobResult == TaskResult::Canceled;
        const bool failed = m_status.jobResult == TaskResult::Failed;
        const bool succeeded = m_status.jobResult == TaskResult::Succeeded ||
                               m_status.jobResult == TaskResult::SucceededWithIssues;
        switch (function) {
        case Function::Always:
            return true;
        case Function::Canceled:
            return canceled;
        case Function::Failed:
            return failed && !canceled;
        case Function::Succeeded:
            return succeeded && !canceled;
        default: // succeededOrFailed
            return (succeeded || failed) && !canceled;
        }
    }

private:
    StepStatus m_status;
    VariableObject m_variables;
};

} // namespace

std::string expandMacros(std::string_view text, const VariableLookup &lookup)
{
    if (text.find("$(") == std::string_view::npos)
        return std::string(text);
    return MacroExpander(lookup).expand(text).value_or(std::string(text));
}

schema::Result<ConditionOutcome> evaluateStepCondition(std::string_view condition,
                                                       const StepStatus &status,
                                                       const VariableLookup &lookup)
{
    std::string_view text = trim(condition);
    if (text.empty())
        text = "succeeded()";
    const auto parsed = expr::parse(text, expr::Slot::StepCondition, expr::kCompiledLimits);
    if (parsed.error)
        return schema::Error{schema::ErrorCode::InvalidArgument, parsed.error->message(text)};
    const StepContext context(status, lookup);
    auto value = expr::evaluate(*parsed.expression, context);
    if (!value)
        return std::move(value).error().withContext("condition '" + std::string(text) + "'");
    ConditionOutcome outcome;
    outcome.run = value->toBoolean();
    const std::string expanded = expr::expanded(*parsed.expression, context);
    outcome.trace = std::string(text);
    if (expanded != text)
        outcome.trace += " => " + expanded;
    if (const char *result = outcome.run ? "True" : "False"; expanded != result)
        outcome.trace += std::string(" => ") + result;
    return outcome;
}

} // namespace pipelines::run
