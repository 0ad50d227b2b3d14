// Names, versions and functions of the built-in tasks; their inputs are in schema/tasks.
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

void addArtifactTasks(std::vector<TaskDefinition> &all)
{
    all.push_back({.id = schema::kCheckoutTaskId,
                   .name = "Checkout",
                   .versions = {"1"},
                   .run = runCheckout,
                   .post = finishCheckout,
                   .inputs = {{"repository", "self"}, {"clean", "false"}},
                   .title = "Checkout"});
    all.push_back({.id = schema::kDownloadTaskId,
                   .name = "Download",
                   .versions = {"1"},
                   .run = runDownload,
                   .inputs = {{"alias", "current"}, {"artifact", ""}, {"patterns", "**"}},
                   .title = "Download artifacts"});
    all.push_back({.id = schema::kPublishTaskId,
                   .name = "PublishPipelineArtifact",
                   .versions = {"0", "1"},
                   .run = runPublishArtifact,
                   .title = "Publish artifact"});
    all.push_back({.id = "61f2a582-95ae-4948-b34d-a1b3c4f6a737",
                   .name = "DownloadPipelineArtifact",
                   .versions = {"1", "2"},
                   .run = runDownloadPipelineArtifact,
                   .title = "Download artifacts"});
    all.push_back({.id = "2ff763a7-ce83-4e1f-bc89-0ae63477cebe",
                   .name = "PublishBuildArtifacts",
                   .versions = {"1"},
                   .run = runPublishBuildArtifacts,
                   .title = "Publish build artifacts"});
    all.push_back({.id = "a433f589-fce1-4460-9ee6-44a624aeb1fb",
                   .name = "DownloadBuildArtifacts",
                   .versions = {"0", "1"},
                   .run = runDownloadBuildArtifacts,
                   .title = "Download build artifacts"});
    all.push_back({.id = "d53ccab4-555e-4494-9d06-11db043fb4a9",
                   .name = "Cache",
                   .versions = {"2"},
                   .run = runCache,
                   .post = saveCache,
                   .title = "Cache"});
}

void addFileTasks(std::vector<TaskDefinition> &all)
{
    all.push_back({.id = "5bfb729a-a7c8-4a78-a7c3-8d717bb7c13c",
                   .name = "CopyFiles",
                   .versions = {"2"},
                   .run = runCopyFiles,
                   .title = "Copy Files"});
    all.push_back({.id = "b7e8b412-0437-4065-9371-edc5881de25b",
                   .name = "DeleteFiles",
                   .versions = {"1"},
                   .run = runDeleteFiles,
                   .title = "Delete files"});
    all.push_back({.id = "d8b84976-e99a-4b86-b885-4849694435b0",
                   .name = "ArchiveFiles",
                   .versions = {"2"},
                   .run = runArchiveFiles,
                   .title = "Archive files"});
    all.push_back({.id = "5e1e3830-fbfb-11e5-aab1-090c92bc4988",
                   .name = "ExtractFiles",
                   .versions = {"1"},
                   .run = runExtractFiles,
                   .title = "Extract files"});
    all.push_back({.id = "0b0f01ed-7dde-43ff-9cbb-e48954daf9b1",
                   .name = "PublishTestResults",
                   .versions = {"1", "2"},
                   .run = runPublishTestResults,
                   .title = "Publish Test Results"});
    all.push_back({.id = "2a7ebc54-c13e-490e-81a5-d7561ab7cd97",
                   .name = "PublishCodeCoverageResults",
                   .versions = {"1", "2"},
                   .run = runPublishCoverage,
                   .title = "Publish code coverage results"});
}

void addDeploymentTasks(std::vector<TaskDefinition> &all)
{
    all.push_back({.id = "e28912f1-0114-4464-802a-a3a35437fd16",
                   .name = "Docker",
                   .versions = {"2"},
                   .run = runDocker,
                   .title = "Docker"});
    all.push_back({.id = "6975e2d1-96d3-4afc-8a41-498b5d34ea19",
                   .name = "DockerCompose",
                   .versions = {"0", "1"},
                   .run = runDockerCompose,
                   .title = "Docker Compose"});
    all.push_back({.id = "dee316a2-586f-4def-be79-488a1f503dfe",
                   .name = "KubernetesManifest",
                   .versions = {"0", "1"},
                   .run = runKubernetesManifest,
                   .title = "Deploy to Kubernetes"});
    all.push_back({.id = "cbc316a2-586f-4def-be79-488a1f503564",
                   .name = "Kubernetes",
                   .versions = {"0", "1"},
                   .run = runKubernetes,
                   .title = "kubectl"});
    all.push_back({.id = "afa7d54d-537b-4dc8-b60a-e0eeea2c9a87",
                   .name = "HelmDeploy",
                   .versions = {"0", "1"},
                   .run = runHelm,
                   .title = "helm"});
}

void addToolTasks(std::vector<TaskDefinition> &all)
{
    all.push_back({.id = "31c75bbb-bcdf-4706-8d7c-4da6a1959bc2",
                   .name = "UseNode",
                   .versions = {"1"},
                   .run = runUseNode,
                   .title = "Use Node"});
    all.push_back({.id = "31c75bbb-bcdf-4706-8d7c-4da6a1959bc2",
                   .name = "NodeTool",
                   .versions = {"0"},
                   .run = runUseNode,
                   .title = "Use Node"});
    all.push_back({.id = "33c63b11-352b-45a2-ba1b-54cb568a29ca",
                   .name = "UsePythonVersion",
                   .versions = {"0"},
                   .run = runUsePython,
                   .title = "Use Python"});
    all.push_back({.id = "b0ce7256-7898-45d3-9cb5-176b752bfea6",
                   .name = "UseDotNet",
                   .versions = {"2"},
                   .run = runUseDotNet,
                   .title = "Use .NET"});
    all.push_back({.id = "deeafed4-0b18-4f58-968d-86655b4d2ce9",
                   .name = "ReviewApp",
                   .versions = {"0"},
                   .run = runReviewApp,
                   .title = "Review app"});
    all.push_back({.id = "2a6ca863-f2ce-4f4d-8bcb-15e64608ec4b",
                   .name = "DownloadSecureFile",
                   .versions = {"1"},
                   .run = runDownloadSecureFile,
                   .post = removeSecureFile,
                   .title = "Download secure file"});
    all.push_back({.id = "8ce97e91-56cc-4743-bfab-9a9315be5f27",
                   .name = "FileTransform",
                   .versions = {"1", "2"},
                   .run = runFileTransform,
                   .title = "File transform"});
}

std::vector<TaskDefinition> makeTasks()
{
    std::vector<TaskDefinition> all;
    all.push_back({.id = "d9bafed4-0b18-4f58-968d-86655b4d2ce9",
                   .name = "CmdLine",
                   .versions = {"1", "2"},
                   .run = runCmdLine,
                   .title = "Command Line Script"});
    all.push_back({.id = "6c731c3c-3c68-459a-a5c9-bde6e6595b5b",
                   .name = "Bash",
                   .versions = {"3"},
                   .run = runBash,
                   .title = "Bash Script"});
    all.push_back({.id = "e213ff0f-5d5c-4791-802d-52ea3e7be1f1",
                   .name = "PowerShell",
                   .versions = {"2"},
                   .run = runPowerShell,
                   .title = "PowerShell Script"});
    addArtifactTasks(all);
    addFileTasks(all);
    addDeploymentTasks(all);
    addToolTasks(all);
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
                                    "' is not one of this worker's built-in tasks; give its "
                                    "package (slipway task install on the server, slipway run "
                                    "--tasks here), or replace it by a script step"
                              : "version " + step.taskVersion + " of the task '" + step.task +
                                    "' is not built in; this worker has version " + others;
    }
    return nullptr;
}

} // namespace worker
