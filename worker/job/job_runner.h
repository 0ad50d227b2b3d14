#pragma once
/// Runs one job from its message to its completion: folders, steps in order, post-job steps,
/// clean-up (worker-and-tasks 1.2). Blocks; one call per process or thread.

#include "worker/job/job_context.h"

namespace worker {

/// Runs the job and delivers everything but the completion to the sink. The caller delivers the
/// completion, unless the stop reason is LeaseLost. Never throws.
schema::protocol::JobCompletion runJob(const schema::protocol::JobMessage &message,
                                       const WorkerOptions &options, JobSink &sink,
                                       StopSignal &stop);

/// The mark in the environment of every process of the job, known to whoever cleans up after it.
std::string processLookupId(const std::string &jobId);

} // namespace worker
