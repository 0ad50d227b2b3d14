#pragma once
/// Expressions that are evaluated later must parse now (pipeline-language 12.3, 13.1, 16.7).

#include "pipelines/base/diagnostic.h"
#include "pipelines/expr/expression.h"
#include "pipelines/yaml/node.h"

#include <string>
#include <vector>

namespace pipelines::compiler {

class ExpressionChecks
{
public:
    explicit ExpressionChecks(std::vector<Diagnostic> &diagnostics)
        : m_diagnostics(diagnostics)
    {}

    /// Condition of a stage or job; null or empty is fine. `isAlone`: it depends on nothing.
    void condition(const yaml::Node *node, expr::Slot slot, bool isAlone);
    /// Condition of a step; `step` is its written name, empty when it has none.
    void stepCondition(const yaml::Node *node, const std::string &job, const std::string &step);
    /// `$[ ]` value of a variable; other values are fine.
    void variable(const std::string &name, const yaml::Node &value, expr::Slot slot,
                  Severity severity);
    /// Names that a pipeline cannot define (7.1), and names of secrets with a literal value.
    void variableName(const yaml::Node &name, const yaml::Node *value);

    /// The included source that nodes below a list item belong to; null: the entry file.
    const yaml::Source *via = nullptr;

private:
    void remarkNever(const yaml::Node &node, const expr::Expression &condition, bool isAlone);
    void remarkMacro(const yaml::Node &node, std::string_view condition);
    void report(Severity severity, const yaml::Node &node, std::string code, std::string message,
                std::string hint);

    std::vector<Diagnostic> &m_diagnostics;
};

} // namespace pipelines::compiler
