#pragma once
/// Variables that the worker adds to those of the job message (worker-and-tasks 1.3, 2.5).

#include "worker/job/job_context.h"

namespace worker {

/// What Agent.Version says: tasks refuse older agents than they know (worker-and-tasks 5.5).
inline constexpr const char *kAgentVersion = "4.255.0";

/// Sets agent.*, folder and job variables; rewrites "##vso" in texts that people outside the
/// pipeline control (1.1); fills the masker with every secret of the message (4.1).
void setJobVariables(JobContext &job);

} // namespace worker
