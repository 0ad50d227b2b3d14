#include "server/tasks/task_demands.h"

#include <algorithm>
#include <map>

namespace server::tasks {
namespace {

/// Demands by "task@version", so that a plan of a thousand steps asks the store a few times.
class Lookup
{
public:
    explicit Lookup(const TaskStore &store)
        : m_store(store)
    {}

    void add(const std::vector<schema::Step> &steps, std::vector<std::string> &demands)
    {
        for (const schema::Step &step : steps) {
            for (const std::string &demand : of(step)) {
                if (std::find(demands.begin(), demands.end(), demand) == demands.end())
                    demands.push_back(demand);
            }
        }
    }

private:
    const std::vector<std::string> &of(const schema::Step &step)
    {
        const auto [known, fresh] = m_known.try_emplace(step.task + "@" + step.taskVersion);
        if (!fresh)
            return known->second;
        // As the worker chooses: a built-in task stands for a whole major version, the package only
        // for the version that is asked for to the last number.
        const bool exact = std::count(step.taskVersion.begin(), step.taskVersion.end(), '.') == 2;
        const auto &builtIn = schema::builtInTaskCatalogue();
        if (!exact && builtIn.find(step.task, step.taskVersion) != nullptr)
            return known->second;
        if (auto task = m_store.find(step.task, step.taskVersion))
            known->second = std::move(task->demands);
        return known->second;
    }

    const TaskStore &m_store;
    std::map<std::string, std::vector<std::string>> m_known;
};

} // namespace

void addTaskDemands(schema::RunPlan &plan, const TaskStore &store)
{
    Lookup lookup(store);
    for (schema::Stage &stage : plan.stages) {
        for (schema::Job &job : stage.jobs) {
            if (!job.pool.server)
                lookup.add(job.steps, job.pool.demands);
            for (schema::DeploymentHook &hook : job.hooks) {
                schema::Pool &pool = hook.pool ? *hook.pool : job.pool;
                if (!pool.server)
                    lookup.add(hook.steps, pool.demands);
            }
        }
    }
}

} // namespace server::tasks
