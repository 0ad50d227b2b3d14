// Names, versions and inputs of the built-in tasks (defaults from worker-and-tasks 2.6, 8 to 10).
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

std::vector<TaskDefinition> makeTasks()
{
    constexpr bool kPath = true;
    std::vector<TaskDefinition> all;
    all.push_back(
        {.id = "d9bafed4-0b18-4f58-968d-86655b4d2ce9",
         .name = "CmdLine",
         .versions = {"1", "2"},
         .run = runCmdLine,
         .inputs = {{"script", ""}, {"workingDirectory", "", kPath}, {"failOnStderr", "false"}},
         .title = "Command Line Script"});
    all.push_back({.id = "6c731c3c-3c68-459a-a5c9-bde6e6595b5b",
                   .name = "Bash",
                   .versions = {"3"},
                   .run = runBash,
                   .inputs = {{"targetType", "filePath"},
                              {"filePath", "", kPath},
                              {"arguments", ""},
                              {"script", ""},
                              {"workingDirectory", "", kPath},
                              {"failOnStderr", "false"},
                              {"bashEnvValue", ""}},
                   .title = "Bash Script"});
    all.push_back({.id = "e213ff0f-5d5c-4791-802d-52ea3e7be1f1",
                   .name = "PowerShell",
                   .versions = {"2"},
                   .run = runPowerShell,
                   .inputs = {{"targetType", "filePath"},
                              {"filePath", "", kPath},
                              {"arguments", ""},
                              {"script", ""},
                              {"errorActionPreference", "stop"},
                              {"ignoreLASTEXITCODE", "false"},
                              {"runScriptInSeparateScope", "false"},
                              {"workingDirectory", "", kPath},
                              {"failOnStderr", "false"}},
                   .title = "PowerShell Script"});
    return all;
}

} // namespace

const std::vector<TaskDefinition> &builtInTasks()
{
    static const std::vector<TaskDefinition> all = makeTasks();
    return all;
}

const TaskDefinition *findTask(const schema::Step &step, std::string *why)
{
    const auto major = step.taskVersion.substr(0, step.taskVersion.find('.'));
    std::string others;
    for (const auto &task : builtInTasks()) {
        if (!equalsIgnoringCase(task.name, step.task) && !equalsIgnoringCase(task.id, step.task))
            continue;
        if (major.empty() ||
            std::find(task.versions.begin(), task.versions.end(), major) != task.versions.end())
            return &task;
        for (const auto version : task.versions)
            others += (others.empty() ? "" : ", ") + std::string(version);
    }
    if (why != nullptr) {
        *why = others.empty() ? "the task '" + step.task + "@" + step.taskVersion +
                                    "' is not one of this worker's built-in tasks; replace it by a "
                                    "script step"
                              : "version " + step.taskVersion + " of the task '" + step.task +
                                    "' is not built in; this worker has version " + others;
    }
    return nullptr;
}

} // namespace worker
