#pragma once
/// `slipway worker doctor`: can this machine run jobs, and if not, what is to be done.

#include "worker/job/job_context.h"

#include <string>
#include <vector>

namespace worker {

enum class Health : std::uint8_t { Good, Warning, Bad };

struct Finding
{
    Health health = Health::Good;
    std::string subject; ///< "git"
    std::string detail;  ///< what is there
    std::string advice;  ///< what to do; empty when all is well
};

/// Looks at everything a job may need. `url` empty: the server is not asked. Starts programs and
/// makes (and removes) files below the work folder; takes some seconds at most.
std::vector<Finding> examine(const WorkerOptions &options, const std::string &url);

} // namespace worker
