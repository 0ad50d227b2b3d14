// DownloadSecureFile@1 (worker-and-tasks 10.7): the file is there until the job ends.
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"

namespace worker {

using schema::TaskResult;

TaskResult runDownloadSecureFile(TaskContext &task)
{
    const auto name = task.input("secureFile");
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
        return task.fail("the input 'secureFile' ('" + name + "') must be the name of a file");
    const auto target = task.job().layout.temp / name;
    if (auto status = task.job().sink.secureFile(name, target); !status)
        return task.fail(status.error());
    task.job().taskState[task.step().id + ".secureFile"] = target.string();
    task.output("secureFilePath", target.string());
    task.print("The secure file '" + name + "' is at " + target.string() + " until the job ends");
    return TaskResult::Succeeded;
}

TaskResult removeSecureFile(TaskContext &task)
{
    const auto it = task.job().taskState.find(task.step().id + ".secureFile");
    if (it == task.job().taskState.end())
        return TaskResult::Succeeded;
    if (auto status = removeTree(it->second); !status)
        return task.fail(status.error());
    task.print("Removed " + it->second);
    return TaskResult::Succeeded;
}

} // namespace worker
