// Kubernetes@1 (worker-and-tasks 9.6): one kubectl command against a connection.
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"
#include "worker/tasks/kube_config.h"

#include <algorithm>
#include <array>

namespace worker {
namespace {

using schema::TaskResult;

/// kubectl's own limit for what the task hands on.
constexpr std::size_t kOutputLimit = 32766;

Status runCommand(TaskContext &task)
{
    static constexpr std::array<std::string_view, 8> kNoOutputFlag{
        "delete", "exec", "logs", "rollout", "top", "describe", "run", "login"};
    Kubectl kubectl(task);
    RETURN_IF_ERROR(kubectl.connect({"kubernetesServiceEndpoint"}));
    const auto command = task.input("command");
    JobContext &job = task.job();
    if (equalsIgnoringCase(command, "login")) {
        job.variables.set("KUBECONFIG", kubectl.keep().string());
        task.print("KUBECONFIG is set for the following steps");
        return {};
    }
    if (equalsIgnoringCase(command, "logout")) {
        const fs::path file = job.variables.value("KUBECONFIG");
        if (!file.empty() && file.parent_path().parent_path() == job.layout.temp)
            RETURN_IF_ERROR(removeTree(file));
        job.variables.set("KUBECONFIG", "");
        return {};
    }
    std::vector<std::string> arguments = splitShellWords(command);
    if (arguments.empty())
        return {ErrorCode::InvalidArgument, "the input 'command' is empty"};
    if (task.flag("useConfigurationFile")) {
        if (equalsIgnoringCase(task.input("configurationType"), "inline")) {
            const auto file = task.temporary(".yaml");
            RETURN_IF_ERROR(writeFile(file, task.input("inline"), 0600));
            arguments.insert(arguments.end(), {"-f", file.string()});
        } else {
            arguments.insert(arguments.end(), {"-f", task.path("configuration").string()});
        }
    }
    for (auto &argument : splitShellWords(task.input("arguments")))
        arguments.push_back(std::move(argument));
    const auto format = task.input("outputFormat");
    if (!format.empty() && !equalsIgnoringCase(format, "none") &&
        std::find(kNoOutputFlag.begin(), kNoOutputFlag.end(), toLower(arguments.front())) ==
            kNoOutputFlag.end())
        arguments.insert(arguments.end(), {"-o", format});
    ASSIGN_OR_RETURN(const auto result, kubectl.must(arguments));
    const auto output = result.output.substr(0, kOutputLimit);
    job.variables.set(task.step().name + ".KubectlOutput", output, false, true);
    job.outputs.push_back({task.step().name, "KubectlOutput", output, false});
    return {};
}

} // namespace

TaskResult runKubernetes(TaskContext &task)
{
    if (const auto status = runCommand(task); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
