#pragma once
/// What runtime expressions and conditions of stages and jobs see (pipeline-language 10.8, 11.5,
/// 12.6): variables of all scopes, results and outputs of what they depend on.

#include "pipelines/base/text.h"
#include "pipelines/expr/expression.h"
#include "pipelines/run/graph.h"
#include "schema/base/result.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pipelines::run {

/// Variables by name, ignoring case, in the order of their first definition; the last value wins.
class VariableTable : public expr::Object
{
public:
    void set(const schema::protocol::JobVariable &variable);
    [[nodiscard]] const schema::protocol::JobVariable *lookup(std::string_view name) const;

    [[nodiscard]] const std::vector<schema::protocol::JobVariable> &all() const { return m_all; }

    [[nodiscard]] std::size_t size() const override { return m_all.size(); }

    [[nodiscard]] std::string_view key(std::size_t index) const override
    {
        return m_all[index].name;
    }

    [[nodiscard]] expr::Value value(std::size_t index) const override
    {
        return expr::Value::borrow(m_all[index].value);
    }

    [[nodiscard]] std::optional<expr::Value> find(std::string_view name) const override;

private:
    std::vector<schema::protocol::JobVariable> m_all;
    std::unordered_map<std::string, std::size_t, HashIgnoringCase, EqualIgnoringCase> m_index;
};

/// One stage, or one job of a stage, as the subject of an expression.
class RuntimeContext : public expr::Context
{
public:
    /// `job` null: the stage level.
    RuntimeContext(const schema::RunPlan &plan, const RunProgress &progress,
                   const schema::Stage *stage, const schema::Job *job,
                   const VariableTable &variables);

    [[nodiscard]] std::optional<expr::Value> named(expr::Name name,
                                                   std::string_view text) const override;
    [[nodiscard]] bool status(expr::Function function,
                              const std::vector<std::string> &names) const override;
    [[nodiscard]] std::int64_t counter(std::string_view prefix, std::int64_t seed) const override;

    CounterSource counterSource;

private:
    [[nodiscard]] expr::Value dependencies() const;
    [[nodiscard]] expr::Value stageDependencies() const;
    [[nodiscard]] expr::Value resources() const;

    const schema::RunPlan &m_plan;
    const RunProgress &m_progress;
    const schema::Stage *m_stage;
    const schema::Job *m_job;
    const VariableTable &m_variables;
};

/// The stages a stage really waits for: those left out when queueing are replaced by what they
/// depended on.
std::vector<std::string> effectiveDependencies(const schema::RunPlan &plan,
                                               const RunProgress &progress,
                                               const schema::Stage &stage);
bool isLeftOut(const RunProgress &progress, const std::string &stage);

/// `$[ expr ]` evaluated, other text as it is. Errors: InvalidArgument with the expression.
schema::Result<std::string> evaluateText(const std::string &text, expr::Slot slot,
                                         const RuntimeContext &context);

/// Root, stage and job variables over the run's own (7.2), `$[ ]` evaluated in order. `stage` and
/// `job` may be null. Errors: InvalidArgument naming the variable.
schema::Result<VariableTable> collectVariables(const schema::RunPlan &plan,
                                               const RunProgress &progress,
                                               const schema::Stage *stage, const schema::Job *job);

} // namespace pipelines::run
