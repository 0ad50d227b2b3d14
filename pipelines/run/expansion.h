#pragma once
/// A job at the moment it starts: which instances it has, and what each of them needs
/// (pipeline-language 15.1 to 15.3). Private to pipelines/run.

#include "pipelines/run/limits.h"
#include "pipelines/run/runtime_context.h"

#include <optional>
#include <string>
#include <vector>

namespace pipelines::run {

/// One instance before it is filled in.
struct InstanceSeed
{
    std::string name;
    schema::TextMap variables; ///< of the matrix leg or the strategy
    const schema::DeploymentHook *hook = nullptr;
    std::string suffix; ///< appended to the display name
    /// Of a rolling deployment over machines. GCC asks for an initializer where it is left out.
    std::string machine = {}; // NOLINT(readability-redundant-member-init)
};

struct Expansion
{
    std::vector<InstanceSeed> seeds; ///< in the order in which they start; no on.* hooks
    std::size_t atOnce = 0;          ///< how many may run; 0: no limit
    bool continueOnError = false;
    std::vector<std::string> machines; ///< of a rolling deployment; then there are no seeds
};

/// Errors: InvalidArgument naming the key.
schema::Result<Expansion> expandJob(const schema::RunPlan &plan, const RunProgress &progress,
                                    const schema::Stage &stage, const schema::Job &job);

/// One seed filled in. Errors: InvalidArgument naming the key.
schema::Result<JobInstance> fillInstance(const schema::RunPlan &plan, const RunProgress &progress,
                                         const schema::Stage &stage, const schema::Job &job,
                                         const Expansion &expansion, const InstanceSeed &seed,
                                         std::size_t position);

} // namespace pipelines::run
