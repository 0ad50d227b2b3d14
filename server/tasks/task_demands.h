#pragma once
/// What packaged tasks ask of the worker that runs them (worker-and-tasks 5.2, 11.2).

#include "schema/model/plan.h"
#include "server/tasks/task_store.h"

namespace server::tasks {

/// Adds to the demands of every job (of a deployment: also of a hook with a pool of its own) those
/// of the packaged tasks among its steps. The package is the one that a worker would fetch now; a
/// task that nobody installed adds nothing, and the worker says what is missing. Demands that the
/// job makes itself are not repeated.
void addTaskDemands(schema::RunPlan &plan, const TaskStore &store);

} // namespace server::tasks
