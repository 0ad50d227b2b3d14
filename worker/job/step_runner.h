#pragma once
/// One step: condition, attempts, result (worker-and-tasks 7.3 to 7.5).

#include "worker/job/job_context.h"
#include "worker/tasks/task.h"

namespace worker {

enum class StepPhase : std::uint8_t { Pre, Main, Post };

/// Runs or skips the step (or the pre-job half of its task, by the same condition) and merges its
/// result into the job's.
void runStep(JobContext &job, const schema::Step &step, const TaskDefinition &definition, int order,
             StepPhase phase = StepPhase::Main);
/// The post-job half of a step's task; its condition is always().
void runPostStep(JobContext &job, const schema::Step &step, const TaskDefinition &definition,
                 int order);

} // namespace worker
