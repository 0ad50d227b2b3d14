#include "pipelines/compile/expression_checks.h"

#include "pipelines/base/text.h"
#include "pipelines/compile/expression_hints.h"
#include "pipelines/expr/analysis.h"
#include "pipelines/expr/expression.h"

#include <algorithm>
#include <array>

namespace pipelines::compiler {
namespace {

constexpr const char *kLoading = "An error occurred while loading the YAML build pipeline. ";

/// Variables that only the system sets (17). Names under these prefixes are the system's.
constexpr std::array<std::string_view, 6> kSystemNames{"Build.BuildId",      "Build.BuildNumber",
                                                       "Build.SourceBranch", "Build.SourceVersion",
                                                       "System.AccessToken", "System.DefinitionId"};

} // namespace

void ExpressionChecks::report(Severity severity, const yaml::Node &node, std::string code,
                              std::string message, std::string hint)
{
    Diagnostic diagnostic = makeDiagnostic(severity, std::move(code), std::move(message),
                                           node.position(), std::move(hint));
    diagnostic.includedFrom = yaml::includeChain(yaml::inheritedSource(node, via));
    append(m_diagnostics, std::move(diagnostic));
}

void ExpressionChecks::condition(const yaml::Node *node, expr::Slot slot, bool isAlone)
{
    if (node == nullptr || !node->isScalar() || node->guessed)
        return;
    const std::string_view text = trim(node->text);
    if (text.empty())
        return;
    const auto parsed = expr::parse(text, slot, m_limits);
    if (parsed.expression) {
        remarkMacro(*node, text);
        remarkNever(*node, *parsed.expression, isAlone);
        remarkDependencies(*node, *parsed.expression);
    }
    if (!parsed.error)
        return;
    std::string hint = conditionHint(text);
    if (hint.empty())
        hint = nameHint(*parsed.error, text, slot);
    report(Severity::Error, *node, "invalid-condition", kLoading + parsed.error->message(text),
           std::move(hint));
}

void ExpressionChecks::remarkNever(const yaml::Node &node, const expr::Expression &condition,
                                   bool isAlone)
{
    expr::Assumptions assumptions;
    // `condition: false` is how one switches off, and `and(succeeded(), False)` what a template
    // made of a parameter.
    assumptions.literals = false;
    if (expr::constantTruth(condition, assumptions) == false)
        return report(Severity::Warning, node, "condition-never-holds",
                      "This condition can never hold: its parts exclude each other",
                      "use or() where one of them is enough");
    if (!isAlone)
        return;
    assumptions.status = [](expr::Function function) -> std::optional<bool> {
        return function == expr::Function::Failed ? std::optional(false) : std::nullopt;
    };
    if (expr::constantTruth(condition, assumptions) == false)
        report(Severity::Warning, node, "condition-never-holds",
               "This condition can never hold: nothing stands before it that could have failed",
               "add `dependsOn`");
}

void ExpressionChecks::stepCondition(const yaml::Node *node, const std::string &jobName,
                                     const std::string &stepName)
{
    if (node == nullptr || !node->isScalar() || node->guessed)
        return;
    const std::string_view text = trim(node->text);
    if (text.empty())
        return;
    const auto parsed = expr::parse(text, expr::Slot::StepCondition, m_limits);
    if (parsed.expression) {
        remarkMacro(*node, text);
        if (expr::namesDependencies(*parsed.expression))
            report(Severity::Warning, *node, "invalid-condition",
                   "Status functions take no names in the condition of a step: the step will fail",
                   "use them without names, or in the condition of the job");
        return remarkNever(*node, *parsed.expression, false);
    }
    if (!parsed.error)
        return;
    // An unknown name passes the service's preview and fails on the worker (10.8).
    const bool onlyName = parsed.error->head.starts_with("Unrecognized value") &&
                          expr::parse(text, expr::Slot::Template, m_limits).expression.has_value();
    std::string hint = conditionHint(text);
    if (hint.empty())
        hint = nameHint(*parsed.error, text, expr::Slot::StepCondition);
    report(onlyName ? Severity::Warning : Severity::Error, *node, "invalid-condition",
           "Job " + jobName + ": Step " + stepName + " specifies condition " + std::string(text) +
               " which is not valid. Reason: " + parsed.error->message(text),
           std::move(hint));
}

void ExpressionChecks::runtimeText(const std::string &what, const yaml::Node &value,
                                   expr::Slot slot, Severity severity)
{
    const std::string_view whole = trim(value.text);
    if (!value.isScalar() || value.guessed)
        return;
    if (!whole.starts_with("$["))
        return remarkPartial(value, whole);
    if (!whole.ends_with("]")) {
        report(Severity::Warning, value, "invalid-expression",
               "'" + std::string(whole) +
                   "' is not a valid expression. Expressions must be enclosed with '$[' and ']'.",
               "the value stays as it is written");
        return;
    }
    const std::string_view inner = trim(whole.substr(2, whole.size() - 3));
    const auto parsed = expr::parse(inner, slot, m_limits);
    if (parsed.expression)
        remarkDependencies(value, *parsed.expression);
    if (parsed.error)
        report(severity, value, "invalid-expression",
               kLoading + what + ": " + parsed.error->message(inner),
               nameHint(*parsed.error, inner, slot));
}

/// Shells and patterns know `$[` as well: only what reads a context is surely meant for us (12.1).
void ExpressionChecks::remarkPartial(const yaml::Node &value, std::string_view whole)
{
    const std::size_t start = whole.find("$[");
    if (start == std::string_view::npos)
        return;
    const std::string rest = toLower(whole.substr(start));
    for (const char *const context : {"variables[", "variables.", "dependencies.", "counter("}) {
        if (rest.find(context) != std::string::npos)
            return report(Severity::Warning, value, "runtime-expression-as-text",
                          "`$[ ]` counts only when it is the whole value: this one stays as it is "
                          "written",
                          "use format() inside of the brackets, or two variables");
    }
}

void ExpressionChecks::remarkDependencies(const yaml::Node &node,
                                          const expr::Expression &expression)
{
    if (stage == nullptr)
        return;
    const auto holds = [](const std::vector<std::string> &names, std::string_view name) {
        return std::any_of(names.begin(), names.end(), [&](const std::string &other) {
            return equalIgnoringCase(other, name);
        });
    };
    for (const auto &access : expression.accesses()) {
        const bool ofJobs = job != nullptr && access.name == expr::Name::Dependencies;
        const bool ofStages = access.name == expr::Name::StageDependencies ||
                              (job == nullptr && access.name == expr::Name::Dependencies);
        if (access.path.empty() || (!ofJobs && !ofStages))
            continue;
        const std::string name(access.path[0]);
        if (holds(ofJobs ? job->dependsOn : stage->dependsOn, name) || m_isDependencyOfBranch(name))
            continue;
        const std::string context =
            access.name == expr::Name::Dependencies ? "dependencies" : "stageDependencies";
        const bool isOnlyStage = !ofJobs && stage->name == "__default";
        std::string message = "`";
        message.append(context).append(".").append(name).append("` is always empty here: ");
        if (isOnlyStage)
            message += "there is no other stage";
        else
            message.append(ofJobs ? "job " : "stage ")
                .append(ofJobs ? job->name : stage->name)
                .append(" does not depend on ")
                .append(name);
        report(Severity::Warning, node, "missing-dependency", std::move(message),
               isOnlyStage ? ""
               : ofJobs && holds(stage->dependsOn, name)
                   ? "jobs of other stages are in `stageDependencies." + name + "`"
                   : "add " + name + " to `dependsOn`");
    }
}

void ExpressionChecks::remarkMacro(const yaml::Node &node, std::string_view condition)
{
    if (condition.find("$(") != std::string_view::npos)
        report(Severity::Warning, node, "macro-in-condition",
               "Macros are not expanded in conditions: the text '$(' is compared as it stands",
               conditionHint(condition));
}

void ExpressionChecks::variableName(const yaml::Node &name, const yaml::Node *value)
{
    constexpr std::array<std::string_view, 5> kSecretWords{"password", "secret", "apikey",
                                                           "accesstoken", "privatekey"};
    const std::string lower = toLower(name.text);
    const bool sounds = std::any_of(kSecretWords.begin(), kSecretWords.end(),
                                    [&](std::string_view word) { return lower.ends_with(word); });
    if (sounds && value != nullptr && value->isScalar() && !value->text.empty() &&
        value->text.find('$') == std::string_view::npos)
        report(Severity::Warning, name, "secret-in-plain-text",
               "Variable '" + std::string(name.text) + "' looks like a secret in plain text",
               "put it into a variable group or a secret of the pipeline");
    if (equalIgnoringCase(name.text, "template") && value != nullptr && value->isScalar() &&
        (value->text.find(".yml") != std::string_view::npos ||
         value->text.find(".yaml") != std::string_view::npos))
        report(Severity::Warning, name, "template-as-variable",
               "A template is included by a list only: this is a variable named 'template'",
               "write `- template: " + std::string(value->text) + "`");
    const bool system =
        std::any_of(kSystemNames.begin(), kSystemNames.end(),
                    [&](std::string_view known) { return equalIgnoringCase(known, name.text); });
    if (system)
        report(Severity::Error, name, "system-variable",
               "Cannot override system variable '" + std::string(name.text) + "'",
               "choose another name");
}

} // namespace pipelines::compiler
