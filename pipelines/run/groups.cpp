#include "pipelines/run/groups.h"

#include <vector>

namespace pipelines::run {

std::set<std::string> groupsOf(const schema::RunPlan &plan)
{
    std::set<std::string> names;
    const auto add = [&](const std::vector<schema::VariableEntry> &variables) {
        for (const schema::VariableEntry &entry : variables) {
            if (!entry.group.empty())
                names.insert(entry.group);
        }
    };
    add(plan.variables);
    for (const schema::Stage &stage : plan.stages) {
        add(stage.variables);
        for (const schema::Job &job : stage.jobs)
            add(job.variables);
    }
    return names;
}

} // namespace pipelines::run
