#pragma once
/// One step: condition, attempts, result (worker-and-tasks 7.3 to 7.5).

#include "worker/job/job_context.h"
#include "worker/tasks/task.h"

namespace worker {

/// Runs or skips the step and merges its result into the job's.
void runStep(JobContext &job, const schema::Step &step, const TaskDefinition &definition,
             int order);
/// The post-job half of a step's task; its condition is always().
void runPostStep(JobContext &job, const schema::Step &step, const TaskDefinition &definition,
                 int order);

} // namespace worker
