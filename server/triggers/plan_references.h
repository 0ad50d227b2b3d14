#pragma once
/// Do the things that a plan names exist? Found at queue time, so that a run with a misspelt
/// connection says so at once, with the place, instead of failing half way. Pure.

#include "pipelines/base/diagnostic.h"
#include "schema/model/plan.h"

#include <string>
#include <vector>

namespace server::triggers {

/// What a project has. Names compare ignoring case.
struct KnownNames
{
    struct Environment
    {
        std::string name;
        std::vector<std::string> resources;
    };

    std::vector<std::string> groups;
    std::vector<std::string> connections; ///< names and ids
    std::vector<Environment> environments;
    /// A person asked for the run: an environment that is missing is created when it is needed
    /// (environments-and-portal A3), so it is no error.
    bool mayCreateEnvironments = false;
};

/// An error for every variable group, service connection, environment or resource that the plan
/// names literally (without `$(...)`) and that does not exist.
std::vector<pipelines::Diagnostic> missingReferences(const schema::RunPlan &plan,
                                                     const KnownNames &known);

} // namespace server::triggers
