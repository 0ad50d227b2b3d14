// Names, versions and inputs of the built-in tasks (defaults from worker-and-tasks 2.6, 8 to 10).
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

constexpr bool kPath = true;

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
                   .inputs = {{"path", "$(Pipeline.Workspace)", kPath, "targetPath"},
                              {"artifactName", "", false, "artifact"},
                              {"artifactType", "pipeline", false, "publishLocation"}},
                   .title = "Publish artifact"});
    all.push_back({.id = "61f2a582-95ae-4948-b34d-a1b3c4f6a737",
                   .name = "DownloadPipelineArtifact",
                   .versions = {"1", "2"},
                   .run = runDownloadPipelineArtifact,
                   .inputs = {{"source", "current", false, "buildType"},
                              {"artifact", "", false, "artifactName"},
                              {"patterns", "**", false, "itemPattern"},
                              {"path", "$(Pipeline.Workspace)", false, "targetPath"}},
                   .title = "Download artifacts"});
    all.push_back({.id = "2ff763a7-ce83-4e1f-bc89-0ae63477cebe",
                   .name = "PublishBuildArtifacts",
                   .versions = {"1"},
                   .run = runPublishBuildArtifacts,
                   .inputs = {{"PathtoPublish", "$(Build.ArtifactStagingDirectory)", kPath},
                              {"ArtifactName", "drop"},
                              {"ArtifactType", "Container", false, "publishLocation"}},
                   .title = "Publish build artifacts"});
    all.push_back({.id = "a433f589-fce1-4460-9ee6-44a624aeb1fb",
                   .name = "DownloadBuildArtifacts",
                   .versions = {"0", "1"},
                   .run = runDownloadBuildArtifacts,
                   .inputs = {{"buildType", "current"},
                              {"downloadType", "single"},
                              {"artifactName", ""},
                              {"itemPattern", "**"},
                              {"downloadPath", "$(System.ArtifactsDirectory)", kPath}},
                   .title = "Download build artifacts"});
    all.push_back(
        {.id = "d53ccab4-555e-4494-9d06-11db043fb4a9",
         .name = "Cache",
         .versions = {"2"},
         .run = runCache,
         .post = saveCache,
         .inputs = {{"key", ""}, {"path", "", kPath}, {"restoreKeys", ""}, {"cacheHitVar", ""}},
         .title = "Cache"});
}

void addFileTasks(std::vector<TaskDefinition> &all)
{
    all.push_back({.id = "5bfb729a-a7c8-4a78-a7c3-8d717bb7c13c",
                   .name = "CopyFiles",
                   .versions = {"2"},
                   .run = runCopyFiles,
                   .inputs = {{"SourceFolder", "", kPath},
                              {"Contents", "**"},
                              {"TargetFolder", "", kPath},
                              {"CleanTargetFolder", "false"},
                              {"OverWrite", "false"},
                              {"flattenFolders", "false"},
                              {"preserveTimestamp", "false"}},
                   .title = "Copy Files"});
    all.push_back({.id = "b7e8b412-0437-4065-9371-edc5881de25b",
                   .name = "DeleteFiles",
                   .versions = {"1"},
                   .run = runDeleteFiles,
                   .inputs = {{"SourceFolder", "", kPath},
                              {"Contents", "myFileShare"},
                              {"RemoveSourceFolder", "false"},
                              {"RemoveDotFiles", "false"}},
                   .title = "Delete files"});
    all.push_back({.id = "d8b84976-e99a-4b86-b885-4849694435b0",
                   .name = "ArchiveFiles",
                   .versions = {"2"},
                   .run = runArchiveFiles,
                   .inputs = {{"rootFolderOrFile", "$(Build.BinariesDirectory)", kPath},
                              {"includeRootFolder", "true"},
                              {"archiveType", "zip"},
                              {"tarCompression", "gz"},
                              {"archiveFile",
                               "$(Build.ArtifactStagingDirectory)/$(Build.BuildId).zip", kPath},
                              {"replaceExistingArchive", "true"}},
                   .title = "Archive files"});
    all.push_back({.id = "5e1e3830-fbfb-11e5-aab1-090c92bc4988",
                   .name = "ExtractFiles",
                   .versions = {"1"},
                   .run = runExtractFiles,
                   .inputs = {{"archiveFilePatterns", "**/*.zip"},
                              {"destinationFolder", "", kPath},
                              {"cleanDestinationFolder", "true"},
                              {"overwriteExistingFiles", "false"}},
                   .title = "Extract files"});
    all.push_back({.id = "0b0f01ed-7dde-43ff-9cbb-e48954daf9b1",
                   .name = "PublishTestResults",
                   .versions = {"1", "2"},
                   .run = runPublishTestResults,
                   .inputs = {{"testRunner", "JUnit", false, "testResultsFormat"},
                              {"testResultsFiles", "**/TEST-*.xml"},
                              {"searchFolder", "$(System.DefaultWorkingDirectory)", kPath},
                              {"mergeTestResults", "false"},
                              {"failTaskOnFailedTests", "false"},
                              {"failTaskOnFailureToPublishResults", "false"},
                              {"failTaskOnMissingResultsFile", "false"},
                              {"testRunTitle", ""}},
                   .title = "Publish Test Results"});
}

void addDeploymentTasks(std::vector<TaskDefinition> &all)
{
    all.push_back({.id = "e28912f1-0114-4464-802a-a3a35437fd16",
                   .name = "Docker",
                   .versions = {"2"},
                   .run = runDocker,
                   .inputs = {{"command", "buildAndPush"},
                              {"containerRegistry", ""},
                              {"repository", ""},
                              {"Dockerfile", "**/Dockerfile"},
                              {"buildContext", "**"},
                              {"tags", "$(Build.BuildId)"},
                              {"arguments", ""},
                              {"addPipelineData", "true"},
                              {"addBaseImageData", "true"},
                              {"container", ""}},
                   .title = "Docker"});
    all.push_back(
        {.id = "6975e2d1-96d3-4afc-8a41-498b5d34ea19",
         .name = "DockerCompose",
         .versions = {"0", "1"},
         .run = runDockerCompose,
         .inputs = {{"containerregistrytype", ""},
                    {"dockerRegistryEndpoint", ""},
                    {"dockerHostEndpoint", ""},
                    {"dockerComposeFile", "**/docker-compose.yml"},
                    {"additionalDockerComposeFiles", ""},
                    {"requireAdditionalDockerComposeFiles", "false"},
                    {"dockerComposeFileArgs", ""},
                    {"projectName", "$(Build.Repository.Name)"},
                    {"action", "Run a Docker Compose command"},
                    {"buildImages", "true"},
                    {"detached", "true"},
                    {"abortOnContainerExit", "true"},
                    {"serviceName", ""},
                    {"containerCommand", ""},
                    {"dockerComposeCommand", ""},
                    {"arguments", ""},
                    {"dockerComposePath", ""},
                    {"cwd", "$(System.DefaultWorkingDirectory)", kPath, "currentWorkingDirectory"}},
         .title = "Docker Compose"});
    all.push_back(
        {.id = "dee316a2-586f-4def-be79-488a1f503dfe",
         .name = "KubernetesManifest",
         .versions = {"0", "1"},
         .run = runKubernetesManifest,
         .inputs = {{"action", "deploy"},
                    {"connectionType", "kubernetesServiceConnection"},
                    {"kubernetesServiceEndpoint", "", false, "kubernetesServiceConnection"},
                    {"namespace", ""},
                    {"strategy", "none"},
                    {"manifests", ""},
                    {"containers", ""},
                    {"imagePullSecrets", ""},
                    {"renderType", "helm"},
                    {"kustomizationPath", "", kPath},
                    {"resourceToPatch", "file"},
                    {"resourceFileToPatch", "", kPath},
                    {"kind", ""},
                    {"name", ""},
                    {"replicas", ""},
                    {"mergeStrategy", "strategic"},
                    {"patch", ""},
                    {"arguments", ""},
                    {"secretType", "dockerRegistry"},
                    {"secretName", ""},
                    {"secretArguments", ""},
                    {"dockerRegistryEndpoint", ""},
                    {"rolloutStatusTimeout", "0"}},
         .title = "Deploy to Kubernetes"});
    all.push_back(
        {.id = "cbc316a2-586f-4def-be79-488a1f503564",
         .name = "Kubernetes",
         .versions = {"0", "1"},
         .run = runKubernetes,
         .inputs = {{"kubernetesServiceEndpoint", "", false, "kubernetesServiceConnection"},
                    {"namespace", ""},
                    {"command", "apply"},
                    {"useConfigurationFile", "false"},
                    {"configurationType", "configuration"},
                    {"configuration", "", kPath},
                    {"inline", ""},
                    {"arguments", ""},
                    {"outputFormat", "json"}},
         .title = "kubectl"});
}

std::vector<TaskDefinition> makeTasks()
{
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
    addArtifactTasks(all);
    addFileTasks(all);
    addDeploymentTasks(all);
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
