#pragma once
/// A task that came as a package (task.json and JavaScript) made into one that the job runner
/// understands (worker-and-tasks 5).

#include "schema/tasks/task_execution.h"
#include "worker/node/task_source.h"
#include "worker/tasks/task.h"

namespace worker {

struct PackagedTask
{
    PackagedTask() = default;
    PackagedTask(const PackagedTask &) = delete; // `definition` refers to the others
    PackagedTask &operator=(const PackagedTask &) = delete;

    FoundTask found;
    schema::TaskExecution execution;
    TaskDefinition definition;
};

/// Reads `task.json` of a task that was found. Errors: NotFound, InvalidArgument naming the field;
/// InvalidArgument when nothing in it can run on this system.
Result<std::unique_ptr<PackagedTask>> loadPackagedTask(const FoundTask &found);

/// The handler of a phase that this worker can run: the newest Node one; nullptr when there is
/// none (worker-and-tasks 5.3).
const schema::TaskHandler *chooseHandler(const std::vector<schema::TaskHandler> &handlers);

/// Values of all inputs by the task's own names: the step's (aliases resolved), else defaults;
/// macros expanded, paths made absolute (worker-and-tasks 2.4).
std::vector<std::pair<std::string, std::string>> packagedInputs(const TaskContext &task,
                                                                const PackagedTask &package);

/// What the task library reads besides the step's environment: variables, secrets, inputs,
/// connections, tickets of secure files, task variables (worker-and-tasks 2.2). Errors: NotFound
/// for a connection or a file that does not exist; those of JobSink::secureFileTicket.
Result<Environment> packagedEnvironment(TaskContext &task, const PackagedTask &package);

} // namespace worker
