#include "server/scheduler/plan_index.h"

namespace server::scheduler {

PlanIndex::PlanIndex(const schema::RunPlan &plan)
{
    for (const schema::Stage &stage : plan.stages) {
        auto &places = m_places[stage.name];
        for (const schema::Job &job : stage.jobs)
            places[job.name] = {&stage, &job, {}};
        for (const schema::Job &job : stage.jobs) {
            for (const std::string &name : job.dependsOn) {
                if (const auto at = places.find(name); at != places.end())
                    at->second.dependents.push_back(&job);
            }
        }
    }
}

const PlanIndex::Place *PlanIndex::find(const std::string &stage, const std::string &job) const
{
    const auto places = m_places.find(stage);
    if (places == m_places.end())
        return nullptr;
    const auto at = places->second.find(job);
    return at == places->second.end() ? nullptr : &at->second;
}

} // namespace server::scheduler
