#pragma once
/// Where things stand in a plan, so that a run of ten thousand jobs is not searched for each of
/// them.

#include "schema/model/plan.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace server::scheduler {

class PlanIndex
{
public:
    struct Place
    {
        const schema::Stage *stage = nullptr;
        const schema::Job *job = nullptr;
        std::vector<const schema::Job *> dependents; ///< of the same stage, direct ones
    };

    /// The plan must outlive the index.
    explicit PlanIndex(const schema::RunPlan &plan);

    /// nullptr when the plan has none of that name.
    [[nodiscard]] const Place *find(const std::string &stage, const std::string &job) const;

private:
    std::unordered_map<std::string, std::unordered_map<std::string, Place>> m_places;
};

} // namespace server::scheduler
