#pragma once
/// How a packaged task runs, as its `task.json` says it: handlers for the three phases, what it may
/// set, its outputs (worker-and-tasks 3.6, 5.1, 5.3).

#include "schema/tasks/task_definition.h"

#include <optional>

namespace schema {

/// One way of executing a phase of a task.
struct TaskHandler
{
    std::string name;   ///< "Node20_1", "Node16", "PowerShell3", ...
    std::string target; ///< file to run, relative to the task's folder
    std::string workingDirectory;
    std::string argumentFormat;
    bool operator==(const TaskHandler &) const = default;
};

struct TaskExecution
{
    TaskDefinition definition;
    std::string author, helpUrl, helpText;
    std::vector<TaskHandler> pre, main, post; ///< in the order of the file
    std::vector<std::string> outputVariables;
    bool restricted = false;                          ///< restrictions.commands.mode
    std::optional<std::vector<std::string>> settable; ///< restrictions.settableVariables.allowed
    /// "java"; `minimumAgentVersion` is among them: "Agent.Version -gtVersion 2.182.1"
    std::vector<std::string> demands;
    bool operator==(const TaskExecution &) const = default;

    /// "2.1.3"
    [[nodiscard]] std::string version() const;
};

/// Reads the text of a `task.json`. Errors: InvalidArgument naming the field.
Result<TaskExecution> parseTaskExecution(std::string_view json);

/// Orders versions as numbers ("2.10.0" after "2.9.9"); what is no number counts as 0.
std::array<int, 3> versionNumbers(std::string_view version);

/// Does a task of `version` answer to what a pipeline asks for: "2" (any 2.x), "2.1" (any 2.1.x),
/// "2.1.3" (that one); empty: any.
bool answersTo(const std::array<int, 3> &version, std::string_view asked);

} // namespace schema
