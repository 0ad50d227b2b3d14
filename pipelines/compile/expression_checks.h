#pragma once
/// Expressions that are evaluated later must parse now (pipeline-language 12.3, 13.1, 16.7).

#include "pipelines/base/diagnostic.h"
#include "pipelines/expr/expression.h"
#include "pipelines/yaml/node.h"
#include "schema/model/plan.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pipelines::compiler {

/// Does another branch of the files let something depend on a stage or job of this name?
using IsDependencyOfBranch = std::function<bool(std::string_view)>;

class ExpressionChecks
{
public:
    ExpressionChecks(std::vector<Diagnostic> &diagnostics, const expr::ParseLimits &limits,
                     IsDependencyOfBranch isDependencyOfBranch)
        : m_diagnostics(diagnostics)
        , m_limits(limits)
        , m_isDependencyOfBranch(std::move(isDependencyOfBranch))
    {}

    /// Condition of a stage or job; null or empty is fine. `isAlone`: it depends on nothing.
    void condition(const yaml::Node *node, expr::Slot slot, bool isAlone);
    /// Condition of a step; `stepName` is its written name, empty when it has none.
    void stepCondition(const yaml::Node *node, const std::string &jobName,
                       const std::string &stepName);
    /// A value that may be a whole `$[ ]`: of a variable or of a key of a job; other values are
    /// fine. `what` names it in the message.
    void runtimeText(const std::string &what, const yaml::Node &value, expr::Slot slot,
                     Severity severity);
    /// Names that a pipeline cannot define (7.1), and names of secrets with a literal value.
    void variableName(const yaml::Node &name, const yaml::Node *value);

    /// The included source that nodes below a list item belong to; null: the entry file.
    const yaml::Source *via = nullptr;
    /// Where the expressions stand, with their dependencies; null outside of a stage or job.
    const schema::Stage *stage = nullptr;
    const schema::Job *job = nullptr;

private:
    void remarkNever(const yaml::Node &node, const expr::Expression &condition, bool isAlone);
    void remarkPartial(const yaml::Node &value, std::string_view whole);
    /// Results and outputs of what is not in `dependsOn` are always empty (12.6). Nothing is said
    /// where conditions decide of the dependencies: the expression is written for all of them.
    void remarkDependencies(const yaml::Node &node, const expr::Expression &expression);
    void remarkMacro(const yaml::Node &node, std::string_view condition);
    void report(Severity severity, const yaml::Node &node, std::string code, std::string message,
                std::string hint);

    std::vector<Diagnostic> &m_diagnostics;
    expr::ParseLimits m_limits;
    IsDependencyOfBranch m_isDependencyOfBranch;
};

} // namespace pipelines::compiler
