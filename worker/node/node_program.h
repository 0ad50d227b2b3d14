#pragma once
/// Which Node runs a task.

#include "worker/job/job_context.h"

#include <string>

namespace worker {

struct NodeProgram
{
    std::string program; ///< full path, or a name on the PATH of a container
    int major = 0;       ///< 0: not known (inside a container)
};

/// The newest Node of the worker's Node folder (`<folder>/node*/bin/node`), else the one on PATH,
/// whatever the handler asks for; the job variable AGENT_USE_NODE ("20", "node20_1") pins a major
/// version. In a container: the program that the image's label names, else `node` on its PATH.
/// Errors: NotFound with a remedy.
Result<NodeProgram> chooseNode(JobContext &job, const ContainerTarget *target);

} // namespace worker
