#pragma once
/// A rolling deployment over machines: every machine goes through the hooks by itself, so many of
/// them at a time (pipeline-language 3.8). Private to pipelines/run.

#include "pipelines/run/expansion.h"

#include <string>
#include <vector>

namespace pipelines::run {

struct RollingStep
{
    std::vector<InstanceSeed> start; ///< to be started now
    bool isDone = false;             ///< nothing runs and nothing follows
    bool cutShort = false;           ///< done before every machine was through
};

/// What follows for a job with these machines. After a failure no further machine is begun; those
/// under way run on, and the failed one gets `on.failure`. Cancelled: nothing is started any more.
RollingStep advanceRolling(const schema::Job &job, const JobProgress &progress,
                           const std::vector<std::string> &machines, std::size_t atOnce,
                           bool cancelled);

/// `maxParallel` of a rolling strategy for so many machines: a count, or a percentage of them; at
/// least 1, and 1 when it is not given. Errors: InvalidArgument.
schema::Result<std::size_t> machinesAtOnce(const std::string &maxParallel, std::size_t machines);

} // namespace pipelines::run
