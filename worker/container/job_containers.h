#pragma once
/// The containers of one job: job container, service containers and those that steps target
/// (worker-and-tasks 6). Folders of the job have the same path inside as outside, so that nothing
/// has to be translated; they stand at /__w and /__t as well.

#include "worker/tasks/task.h"

namespace worker {

/// True when the job or one of its steps asks for a container.
bool needsContainers(const schema::protocol::JobMessage &message);

/// Names the containers that a step may target and that are not defined, as a sentence; else empty.
std::string unknownTarget(const schema::protocol::JobMessage &message, const schema::Step &step);

/// Pulls, creates and starts what the job needs, waits until services are healthy, fills
/// JobContext::containers and the variables agent.container* and agent.services.*. Whatever it
/// returns, removeContainers() has to follow. Errors: Unavailable, InvalidArgument, Canceled with a
/// remedy.
Status startContainers(TaskContext &task);

/// The log of every service that ended by itself with a failure, printed.
void explainServices(TaskContext &task);

/// Removes every container and network of the job. Does nothing when the job never had any. Bounded
/// in time, deaf to cancel.
Status removeContainers(const std::string &jobId, const WorkerOptions &options);

} // namespace worker
