#pragma once
/// The builder behind buildPlan(); its members are spread over the plan_*.cpp files by noun.
/// Private to pipelines/compile.

#include "pipelines/base/text.h"
#include "pipelines/compile/expression_checks.h"
#include "pipelines/compile/plan_builder.h"

#include <initializer_list>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace pipelines::compiler {

/// Names of one level, ignoring case, and fresh ones for what has none.
class Names
{
public:
    /// False when the name was taken.
    bool insert(const std::string &name) { return m_taken.insert(name).second; }

    [[nodiscard]] bool contains(std::string_view name) const { return m_taken.contains(name); }

    /// "Stem1", "Stem2", ...: the next that is free. Remembers how far it got, since a job may have
    /// thousands of unnamed steps.
    std::string fresh(const std::string &stem)
    {
        for (int &next = m_next[stem];;) {
            std::string name = stem + std::to_string(++next);
            if (insert(name))
                return name;
        }
    }

private:
    std::unordered_set<std::string, HashIgnoringCase, EqualIgnoringCase> m_taken;
    std::unordered_map<std::string, int> m_next;
};

class PlanBuilder
{
public:
    PlanBuilder(const std::vector<schema::RepositoryResource> &repositories,
                const schema::TaskCatalogue *tasks, const expr::ParseLimits &limits,
                IsDependencyOfBranch isDependencyOfBranch, std::vector<Diagnostic> &diagnostics);

    schema::RunPlan run(const yaml::Node &root);

private:
    // plan_builder.cpp
    void report(const yaml::Node &node, std::string code, std::string message,
                std::string hint = {}, Severity severity = Severity::Error);
    void stage(const yaml::Node &node, const std::optional<schema::Pool> &rootPool);
    schema::Job job(const yaml::Node &node, const schema::Stage &stage,
                    const std::optional<schema::Pool> &inherited, Names &names);
    void checkRunNumber(const yaml::Node &name);
    void checkJobTexts(const yaml::Node &node, const schema::Job &job);
    void checkCancelTimeout(const yaml::Node &node, const std::string &value);

    // plan_runtime_keys.cpp
    /// The keys of a job that may hold a `$[ ]` (12.3).
    void checkRuntimeKeys(const yaml::Node &node);
    void runtimeKey(const yaml::Node *value, const std::string &key);
    void runtimeKeys(const yaml::Node *mapping, std::initializer_list<const char *> keys);

    // plan_resources.cpp
    std::vector<schema::VariableEntry> variables(const yaml::Node *list, expr::Slot slot,
                                                 Severity severity);
    std::optional<schema::Pool> pool(const yaml::Node *node);
    void checkDemands(const yaml::Node *node);
    schema::Container containerDefinition(const yaml::Node &node);
    void resources(const yaml::Node &node);
    void checkAliases(const yaml::Node *list, std::string_view key);
    /// What a job says it needs beside what its steps name (3.3).
    void uses(const yaml::Node *node, schema::Job &out);
    /// The aliases of all repositories, with `self` and `none`; nothing when `name` is one of them
    /// or cannot be told yet, else the one that is meant or an empty text.
    std::optional<std::string> unknownRepository(std::string_view name) const;
    /// Alias, image or inline definition (3.6).
    std::optional<schema::Container> container(const yaml::Node *node);

    // plan_strategy.cpp
    void strategy(const yaml::Node *node, schema::Job &out);
    void checkCounts(const yaml::Node &strategy);
    void tooManyJobs(const yaml::Node &node, const std::string &count, std::size_t most);
    void deployment(const yaml::Node &node, schema::Job &out, Names &steps);
    void checkRolling(const yaml::Node &node, const std::string &value);
    static schema::EnvironmentReference environmentReference(const yaml::Node &node);
    void hooks(const yaml::Node &node, schema::Job &out, Names &steps);
    schema::DeploymentHook hook(const yaml::Node &node, schema::HookKind kind, Names &);

    // plan_steps.cpp
    std::vector<schema::Step> stepList(const yaml::Node *list, Names &names, std::string_view hook);
    std::optional<schema::Step> step(const yaml::Node &node, Names &names, std::string_view hook);
    static bool isTaskReference(const schema::Step &step);
    /// Was an error reported at this key already?
    [[nodiscard]] bool wasRefused(const yaml::Node &key) const;
    std::uint32_t minutes(const yaml::Node &node, std::string_view key);
    static void target(const yaml::Node *node, schema::Step &out);
    /// What a step refers to, in m_job.
    void checkReferences(const yaml::Node &node, const schema::Step &step);
    void remarkRuntimeTexts(const yaml::Node &node);
    void checkTarget(const yaml::Node &node, const schema::Step &step);
    void checkCheckout(const yaml::Node &node, const schema::Step &step);
    void checkDownload(const yaml::Node &node, const schema::Step &step);

    schema::RunPlan m_plan;
    const schema::TaskCatalogue *m_tasks;
    std::vector<Diagnostic> &m_diagnostics;
    ExpressionChecks m_expressions;
    Names m_stageNames;
    Names m_repositoryAliases, m_pipelineAliases;
    /// Places in m_plan.containers; of two of one alias the first.
    std::unordered_map<std::string, std::size_t, HashIgnoringCase, EqualIgnoringCase> m_containers;
    std::string m_where, m_idSpace, m_jobName;
    const schema::Job *m_job = nullptr; ///< whose steps are being read
};

} // namespace pipelines::compiler
