#include "pipelines/run/job_repositories.h"

namespace pipelines::run {

Aliases jobRepositories(const schema::Job &job)
{
    Aliases aliases{"self"};
    const auto add = [&aliases](const std::vector<schema::Step> &steps) {
        for (const schema::Step &step : steps) {
            const std::string *const alias = schema::findText(step.inputs, "repository");
            if (step.task == schema::kCheckoutTaskId && alias != nullptr)
                aliases.insert(*alias);
        }
    };
    add(job.steps);
    for (const schema::DeploymentHook &hook : job.hooks)
        add(hook.steps);
    aliases.insert(job.usedRepositories.begin(), job.usedRepositories.end());
    return aliases;
}

} // namespace pipelines::run
