// Kubernetes@0 and @1 (worker-and-tasks 9.6): secrets, config maps and one kubectl command.
#include "worker/base/text.h"
#include "worker/tasks/kubernetes_manifest.h"

#include <algorithm>
#include <array>

namespace worker {
namespace {

using schema::TaskResult;

/// The task's own limit for what it hands on.
constexpr std::size_t kOutputLimit = 32766;

Status login(TaskContext &task, Kubectl &kubectl)
{
    task.job().variables.set("KUBECONFIG", kubectl.keep().string());
    task.print("KUBECONFIG is set for the following steps");
    return {};
}

Status logout(TaskContext &task)
{
    JobContext &job = task.job();
    const fs::path file = job.variables.value("KUBECONFIG");
    if (!file.empty() && file.parent_path().parent_path() == job.layout.temp)
        RETURN_IF_ERROR(removeTree(file));
    job.variables.set("KUBECONFIG", "");
    return {};
}

/// Creates the object, after deleting the one of that name when `force` says so.
Status create(TaskContext &task, Kubectl &kubectl, const ManifestJson &object,
              const std::string &kind, const std::string &name, bool force)
{
    if (force)
        return kubectl.replace(object.dump(), kind, name);
    ASSIGN_OR_RETURN(const auto made, kubectl.must({"create", "-f", "-"}, true, object.dump()));
    task.print(defuseCommands(trimmed(made.output)));
    return {};
}

Status createSecret(TaskContext &task, Kubectl &kubectl, const std::string &name)
{
    if (equalsIgnoringCase(task.input("containerRegistryType"), "Azure Container Registry") &&
        task.input("dockerRegistryEndpoint").empty() &&
        !equalsIgnoringCase(task.input("secretType"), "generic"))
        return {ErrorCode::InvalidArgument,
                "containerRegistryType 'Azure Container Registry' is not available; use "
                "'Container Registry' with a Docker registry connection"};
    ASSIGN_OR_RETURN(const auto secret, secretFromInputs(task, name));
    return create(task, kubectl, secret, "secret", name, task.flag("forceUpdate"));
}

Status createConfigMap(TaskContext &task, Kubectl &kubectl, const std::string &name)
{
    ManifestJson data = ManifestJson::object();
    if (task.flag("useConfigMapFile")) {
        const auto path = task.path("configMapFile");
        std::vector<fs::path> files{path};
        std::error_code error;
        if (fs::is_directory(path, error)) {
            files.clear();
            for (const auto &entry : fs::directory_iterator(path, error)) {
                if (entry.is_regular_file(error))
                    files.push_back(entry.path());
            }
            std::sort(files.begin(), files.end());
        }
        for (const auto &file : files) {
            ASSIGN_OR_RETURN(data[file.filename().string()], readFile(file, 1U << 20U));
        }
    } else {
        ASSIGN_OR_RETURN(data, dataFromArguments(task, "configMapArguments", false));
    }
    const ManifestJson map = {{"apiVersion", "v1"},
                              {"kind", "ConfigMap"},
                              {"metadata", {{"name", name}}},
                              {"data", std::move(data)}};
    return create(task, kubectl, map, "configmap", name, task.flag("forceUpdateConfigMap"));
}

Status runCommand(TaskContext &task, Kubectl &kubectl, const std::string &command)
{
    static constexpr std::array<std::string_view, 13> kNoOutputFlag{
        "delete", "exec",  "logs",   "rollout", "top",          "describe",    "explain",
        "cp",     "drain", "cordon", "attach",  "cluster-info", "port-forward"};
    std::vector<std::string> arguments = splitShellWords(command);
    if (task.flag("useConfigurationFile")) {
        if (equalsIgnoringCase(task.input("configurationType"), "inline")) {
            const auto file = task.temporary(".yaml");
            RETURN_IF_ERROR(writeFile(file, task.input("inline"), 0600));
            arguments.insert(arguments.end(), {"-f", file.string()});
        } else {
            const auto given = task.input("configuration");
            const bool remote = given.starts_with("http://") || given.starts_with("https://");
            arguments.insert(arguments.end(),
                             {"-f", remote ? given : task.path("configuration").string()});
        }
    }
    for (auto &argument : splitShellWords(task.input("arguments")))
        arguments.push_back(std::move(argument));
    const auto format = task.input("outputFormat");
    const bool asked = std::any_of(arguments.begin(), arguments.end(), [](const auto &argument) {
        return argument == "-o" || argument.starts_with("-o=") || argument.starts_with("--output");
    });
    if (!format.empty() && !equalsIgnoringCase(format, "none") && !asked &&
        std::find(kNoOutputFlag.begin(), kNoOutputFlag.end(), toLower(arguments.front())) ==
            kNoOutputFlag.end())
        arguments.insert(arguments.end(), {"-o", format});
    ASSIGN_OR_RETURN(const auto result, kubectl.must(arguments));
    if (!trimmed(result.errors).empty())
        task.warning(defuseCommands(trimmed(result.errors).substr(0, 2000)));
    task.output("KubectlOutput", result.output.substr(0, kOutputLimit));
    return {};
}

Status run(TaskContext &task)
{
    if (equalsIgnoringCase(task.input("connectionType"), "Azure Resource Manager"))
        return {ErrorCode::InvalidArgument,
                "connectionType 'Azure Resource Manager' is not available; use 'Kubernetes "
                "Service Connection' or 'None'"};
    const auto command = task.input("command");
    if (equalsIgnoringCase(command, "logout"))
        return logout(task);
    Kubectl kubectl(task);
    kubectl.namespaceFirst();
    kubectl.setDirectory(task.path("cwd").string());
    if (equalsIgnoringCase(task.input("versionOrLocation"), "location"))
        kubectl.setProgram(task.path("specifyLocation").string());
    RETURN_IF_ERROR(kubectl.connect({"kubernetesServiceEndpoint"}));
    if (equalsIgnoringCase(command, "login"))
        return login(task, kubectl);
    const auto secret = task.input("secretName");
    if (!secret.empty())
        RETURN_IF_ERROR(createSecret(task, kubectl, secret));
    const auto map = task.input("configMapName");
    if (!map.empty())
        RETURN_IF_ERROR(createConfigMap(task, kubectl, map));
    // "apply" is the default also of a step that only makes a secret or a config map.
    const bool nothingToApply = equalsIgnoringCase(command, "apply") &&
                                !task.flag("useConfigurationFile") &&
                                task.input("arguments").empty();
    if (command.empty() || (nothingToApply && !(secret.empty() && map.empty()))) {
        if (secret.empty() && map.empty())
            return {ErrorCode::InvalidArgument, "the input 'command' is empty"};
        return {};
    }
    return runCommand(task, kubectl, command);
}

} // namespace

TaskResult runKubernetes(TaskContext &task)
{
    if (const auto status = run(task); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
