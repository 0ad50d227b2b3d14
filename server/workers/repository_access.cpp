#include "server/workers/repository_access.h"

#include "pipelines/run/job_repositories.h"
#include "schema/model/plan_json.h"
#include "server/store/run_store.h"

#include <algorithm>
#include <string_view>

namespace server::workers {
namespace {

pipelines::run::Aliases usedBy(const schema::RunPlan &plan, const store::JobRow &job)
{
    for (const schema::Stage &stage : plan.stages) {
        for (const schema::Job &planned : stage.jobs) {
            if (stage.name == job.stage && planned.name == job.phase)
                return pipelines::run::jobRepositories(planned);
        }
    }
    return {};
}

} // namespace

schema::Result<bool> mayFetch(store::Connection &connection, const JobAccess &access,
                              const store::Repository &repository)
{
    store::RunStore runs(connection);
    const auto run = runs.find(access.runId);
    const auto facts = runs.facts(access.runId);
    const auto job = runs.findJob(access.jobId);
    if (!run || !facts || !job)
        return false;
    if (facts->repositoryId == repository.id)
        return true;
    ASSIGN_OR_RETURN(const schema::RunPlan plan,
                     schema::planFromText(runs.planText(run->compiledPlanId)));
    const auto used = usedBy(plan, *job);
    return std::any_of(plan.repositories.begin(), plan.repositories.end(),
                       [&](const schema::RepositoryResource &resource) {
                           // "project/repository" or "repository"
                           std::string_view name = resource.name;
                           name.remove_prefix(name.rfind('/') + 1);
                           return used.contains(resource.alias) &&
                                  pipelines::equalIgnoringCase(resource.type, "git") &&
                                  pipelines::equalIgnoringCase(name, repository.name);
                       });
}

} // namespace server::workers
