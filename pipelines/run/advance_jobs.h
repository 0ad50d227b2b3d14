#pragma once
/// The graph looked at in part.

#include "pipelines/run/graph.h"

#include <vector>

namespace pipelines::run {

/// The steps of these jobs of a running stage alone, as advance() would give them; the stage and
/// the run are not looked at. `progress` need only know these jobs, what they depend on (also in
/// turn), and the stages that the stage depends on. For callers who know that nothing else has
/// changed: a run of ten thousand jobs is not looked through for each of them.
std::vector<Step> advanceJobs(const schema::RunPlan &plan, const RunProgress &progress,
                              const schema::Stage &stage,
                              const std::vector<const schema::Job *> &jobs);

} // namespace pipelines::run
