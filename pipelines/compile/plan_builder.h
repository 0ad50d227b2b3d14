#pragma once
/// From the canonical tree to the run plan, with the checks of its parts
/// (pipeline-language 3.10 to 3.13, 15, 16.5 to 16.7).

#include "pipelines/base/diagnostic.h"
#include "pipelines/compile/expression_checks.h"
#include "pipelines/expr/parse_limits.h"
#include "pipelines/yaml/node.h"
#include "schema/model/plan.h"
#include "schema/tasks/task_definition.h"

#include <vector>

namespace pipelines::compiler {

/// Reads as much as is well-formed; every problem is appended. `tasks`, `limits`: see
/// CompileRequest.
schema::RunPlan buildPlan(const yaml::Node &root,
                          const std::vector<schema::RepositoryResource> &repositories,
                          const schema::TaskCatalogue *tasks, const expr::ParseLimits &limits,
                          IsDependencyOfBranch isDependencyOfBranch,
                          std::vector<Diagnostic> &diagnostics);

/// What is known of the tree that a plan was built from.
struct TreeState
{
    /// Parameters and variables may get other values, so that nothing is said of a level that
    /// conditions left empty.
    bool valuesMissing = false;
    bool hasShape = true; ///< false: the checker refused parts, so an empty level proves nothing
};

/// Names are unique and valid, dependencies exist and have no cycle. `expanded` is the tree the
/// plan was built from, before it was brought into the canonical form; `canonical` after it.
void checkGraph(const schema::RunPlan &plan, const yaml::Node &expanded,
                const yaml::Node &canonical, TreeState state, std::vector<Diagnostic> &diagnostics);

} // namespace pipelines::compiler
