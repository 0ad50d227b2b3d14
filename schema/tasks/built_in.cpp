// Inputs of the tasks that a worker carries out itself. One row per input:
// name, other names ("a|b"), type, default, required, allowed values ("a|b"), when it is shown.
#include "schema/model/plan.h"
#include "schema/tasks/task_definition.h"

#include <span>

namespace schema {
namespace {

constexpr bool kRequired = true;

// GCC asks for an initializer of every member that a row leaves out.
// NOLINTBEGIN(readability-redundant-member-init)
struct Row
{
    std::string_view name, alias, type, fallback;
    bool required = false;
    std::string_view options = {}, rule = {}, help = {};
    // NOLINTEND(readability-redundant-member-init)
};

struct Task
{
    std::string_view id, name, title;
    std::string_view versions; ///< majors, "0|1"
    std::span<const Row> rows;
};

constexpr std::string_view kText = "string";
constexpr std::string_view kFlag = "boolean";
constexpr std::string_view kPick = "pickList";
constexpr std::string_view kPath = "filePath";
constexpr std::string_view kConnection = "connectedService";

constexpr Row kCmdLine[] = {
    {"script", "", "multiLine", "", kRequired, "", "", "The commands, for the system's shell"},
    {"workingDirectory", "", kPath, "", false, "", "", "Folder they run in"},
    {"failOnStderr", "", kFlag, "false", false, "", "",
     "Fail when something is written to standard error"}};
constexpr Row kBash[] = {
    {"targetType", "", "radio", "filePath", false, "filePath|inline", "", "A file or a text"},
    {"filePath", "", kPath, "", kRequired, "", "targetType = filePath", "The script"},
    {"arguments", "", kText, "", false, "", "targetType = filePath", "Arguments of the script"},
    {"script", "", "multiLine", "", kRequired, "", "targetType = inline", "The commands"},
    {"workingDirectory", "", kPath, "", false, "", "", "Folder they run in"},
    {"failOnStderr", "", kFlag, "false", false, "", "",
     "Fail when something is written to standard error"},
    {"bashEnvValue", "", kText, "", false, "", "", "Value of BASH_ENV"}};
constexpr std::string_view kPreferences = "default|stop|continue|silentlyContinue";
constexpr Row kPowerShell[] = {
    {"targetType", "", "radio", "filePath", false, "filePath|inline", "", "A file or a text"},
    {"filePath", "", kPath, "", kRequired, "", "targetType = filePath", "The script"},
    {"arguments", "", kText, "", false, "", "targetType = filePath", "Arguments of the script"},
    {"script", "", "multiLine", "", kRequired, "", "targetType = inline", "The commands"},
    {"errorActionPreference", "", kPick, "stop", false, kPreferences},
    {"warningPreference", "", kPick, "default", false, kPreferences},
    {"informationPreference", "", kPick, "default", false, kPreferences},
    {"verbosePreference", "", kPick, "default", false, kPreferences},
    {"debugPreference", "", kPick, "default", false, kPreferences},
    {"progressPreference", "", kPick, "silentlyContinue", false, kPreferences},
    {"failOnStderr", "", kFlag, "false"},
    {"showWarnings", "", kFlag, "false"},
    {"ignoreLASTEXITCODE", "", kFlag, "false"},
    {"pwsh", "", kFlag, "false"},
    {"workingDirectory", "", kPath, ""},
    {"runScriptInSeparateScope", "", kFlag, "false"}};
constexpr Row kPublishPipelineArtifact[] = {
    {"path", "targetPath", kPath, "$(Pipeline.Workspace)", kRequired, "", "", "File or folder"},
    {"artifactName", "artifact", kText, "", false, "", "", "Name of the artifact"},
    {"artifactType", "publishLocation", kPick, "pipeline", false, "pipeline|filepath"},
    {"fileSharePath", "", kText, "", kRequired, "", "artifactType = filepath"},
    {"parallel", "", kFlag, "false", false, "", "artifactType = filepath"},
    {"parallelCount", "", kText, "8", false, "", "artifactType = filepath"},
    {"properties", "", kText, ""}};
constexpr Row kDownloadPipelineArtifact[] = {
    {"source", "buildType", "radio", "current", false, "current|specific"},
    {"project", "", kText, "", kRequired, "", "source = specific"},
    {"pipeline", "definition", kText, "", kRequired, "", "source = specific"},
    {"preferTriggeringPipeline", "specificBuildWithTriggering", kFlag, "false", false, "",
     "source = specific"},
    {"runVersion", "buildVersionToDownload", kPick, "latest", kRequired,
     "latest|latestFromBranch|specific", "source = specific"},
    {"runBranch", "branchName", kText, "refs/heads/master", kRequired, "",
     "runVersion = latestFromBranch"},
    {"runId", "pipelineId|buildId", kText, "", kRequired, "", "runVersion = specific"},
    {"tags", "", kText, ""},
    {"allowPartiallySucceededBuilds", "", kFlag, "false"},
    {"allowFailedBuilds", "", kFlag, "false"},
    {"artifact", "artifactName", kText, "", false, "", "", "Name; empty: all"},
    {"patterns", "itemPattern", "multiLine", "**"},
    {"path", "targetPath|downloadPath", kPath, "$(Pipeline.Workspace)"},
    {"retryDownloadCount", "", kText, "4"}};
constexpr Row kPublishBuildArtifacts[] = {
    {"PathtoPublish", "", kPath, "$(Build.ArtifactStagingDirectory)", kRequired},
    {"ArtifactName", "", kText, "drop", kRequired},
    {"ArtifactType", "publishLocation", kPick, "Container", kRequired, "Container|FilePath"},
    {"TargetPath", "", kText, "", kRequired, "", "ArtifactType = FilePath"},
    {"MaxArtifactSize", "", kText, "0"},
    {"Parallel", "", kFlag, "false", false, "", "ArtifactType = FilePath"},
    {"ParallelCount", "", kText, "8", false, "", "ArtifactType = FilePath"},
    {"StoreAsTar", "", kFlag, "false"}};
constexpr Row kDownloadBuildArtifacts[] = {
    {"buildType", "", "radio", "current", kRequired, "current|specific"},
    {"project", "", kText, "", kRequired, "", "buildType = specific"},
    {"pipeline", "definition", kText, "", kRequired, "", "buildType = specific"},
    {"specificBuildWithTriggering", "", kFlag, "false"},
    {"buildVersionToDownload", "", kPick, "latest", kRequired, "latest|latestFromBranch|specific",
     "buildType = specific"},
    {"allowPartiallySucceededBuilds", "", kFlag, "false"},
    {"branchName", "", kText, "refs/heads/master", kRequired, "",
     "buildVersionToDownload = latestFromBranch"},
    {"buildId", "", kText, "", kRequired, "", "buildVersionToDownload = specific"},
    {"tags", "", kText, ""},
    {"downloadType", "", "radio", "single", kRequired, "single|specific"},
    // alias, artifact, patterns and path are those of the keyword downloadBuild.
    {"alias", "", kText, "", false, "", "", "Pipeline resource whose run is meant"},
    {"artifactName", "artifact", kText, "", kRequired, "", "downloadType = single && alias = "},
    {"itemPattern", "patterns", "multiLine", "**"},
    {"downloadPath", "path", kPath, "$(System.ArtifactsDirectory)", kRequired},
    {"cleanDestinationFolder", "", kFlag, "false"},
    {"parallelizationLimit", "", kText, "8"},
    {"checkDownloadedFiles", "", kFlag, "false"},
    {"retryDownloadCount", "", kText, "4"},
    {"extractTars", "", kFlag, ""}};
constexpr Row kCache[] = {{"key", "", kText, "", kRequired, "", "", "What the content depends on"},
                          {"path", "", kText, "", kRequired, "", "", "Folder that is kept"},
                          {"cacheHitVar", "", kText, ""},
                          {"restoreKeys", "", "multiLine", ""}};
constexpr Row kCopyFiles[] = {{"SourceFolder", "", kPath, ""},
                              {"Contents", "", "multiLine", "**", kRequired},
                              {"TargetFolder", "", kPath, "", kRequired},
                              {"CleanTargetFolder", "", kFlag, "false"},
                              {"OverWrite", "", kFlag, "false"},
                              {"flattenFolders", "", kFlag, "false"},
                              {"preserveTimestamp", "", kFlag, "false"},
                              {"retryCount", "", kText, "0"},
                              {"delayBetweenRetries", "", kText, "1000"},
                              {"ignoreMakeDirErrors", "", kFlag, "false"}};
constexpr Row kDeleteFiles[] = {{"SourceFolder", "", kPath, ""},
                                {"Contents", "", "multiLine", "myFileShare", kRequired},
                                {"RemoveSourceFolder", "", kFlag, "false"},
                                {"RemoveDotFiles", "", kFlag, "false"}};
constexpr Row kArchiveFiles[] = {
    {"rootFolderOrFile", "", kPath, "$(Build.BinariesDirectory)", kRequired},
    {"includeRootFolder", "", kFlag, "true", kRequired},
    {"archiveType", "", kPick, "zip", kRequired, "zip|7z|tar|wim"},
    {"sevenZipCompression", "", kPick, "normal", false, "ultra|maximum|normal|fast|fastest|none",
     "archiveType = 7z"},
    {"tarCompression", "", kPick, "gz", false, "gz|bz2|xz|none", "archiveType = tar"},
    {"archiveFile", "", kPath, "$(Build.ArtifactStagingDirectory)/$(Build.BuildId).zip", kRequired},
    {"replaceExistingArchive", "", kFlag, "true", kRequired},
    {"verbose", "", kFlag, "false"},
    {"quiet", "", kFlag, "false"}};
constexpr Row kExtractFiles[] = {{"archiveFilePatterns", "", "multiLine", "**/*.zip", kRequired},
                                 {"destinationFolder", "", kPath, "", kRequired},
                                 {"cleanDestinationFolder", "", kFlag, "true", kRequired},
                                 {"overwriteExistingFiles", "", kFlag, "false", kRequired},
                                 {"pathToSevenZipTool", "", kText, ""}};
constexpr Row kPublishTestResults[] = {
    {"testRunner", "testResultsFormat", kPick, "JUnit", kRequired,
     "JUnit|NUnit|VSTest|XUnit|CTest"},
    {"testResultsFiles", "", "multiLine", "**/TEST-*.xml", kRequired},
    {"searchFolder", "", kText, "$(System.DefaultWorkingDirectory)"},
    {"mergeTestResults", "", kFlag, "false"},
    {"failTaskOnFailedTests", "", kFlag, "false"},
    {"failTaskOnFailureToPublishResults", "", kFlag, "false"},
    {"failTaskOnMissingResultsFile", "", kFlag, "false"},
    {"testRunTitle", "", kText, ""},
    {"platform", "buildPlatform", kText, ""},
    {"configuration", "buildConfiguration", kText, ""},
    {"publishRunAttachments", "", kFlag, "true"}};
constexpr Row kDocker[] = {
    {"containerRegistry", "", kConnection, ""},
    {"repository", "", kText, ""},
    {"command", "", kPick, "buildAndPush", kRequired,
     "buildAndPush|build|push|login|logout|start|stop"},
    {"Dockerfile", "", kPath, "**/Dockerfile", kRequired, "",
     "command = build || command = buildAndPush"},
    {"buildContext", "", kPath, "**", false, "", "command = build || command = buildAndPush"},
    {"tags", "", "multiLine", "$(Build.BuildId)"},
    {"arguments", "", kText, ""},
    {"addPipelineData", "", kFlag, "true"},
    {"addBaseImageData", "", kFlag, "true"},
    {"container", "", kText, "", false, "", "command = start || command = stop"}};
constexpr Row kDockerCompose[] = {
    {"containerregistrytype", "", kText, ""},
    {"azureSubscription", "azureSubscriptionEndpoint", kConnection, ""},
    {"azureContainerRegistry", "", kText, ""},
    {"dockerRegistryEndpoint", "", kConnection, ""},
    {"dockerHostEndpoint", "", kConnection, ""},
    {"dockerComposeFile", "", kPath, "**/docker-compose.yml", kRequired},
    {"additionalDockerComposeFiles", "", "multiLine", ""},
    {"dockerComposeFileArgs", "", "multiLine", ""},
    {"projectName", "", kText, "$(Build.Repository.Name)"},
    {"qualifyImageNames", "", kFlag, "true"},
    {"action", "", kText, "Run a Docker Compose command", kRequired},
    {"additionalImageTags", "", "multiLine", ""},
    {"includeSourceTags", "", kFlag, "false"},
    {"includeLatestTag", "", kFlag, "false"},
    {"buildImages", "", kFlag, "true"},
    {"serviceName", "", kText, ""},
    {"containerName", "", kText, ""},
    {"ports", "", "multiLine", ""},
    {"workDir", "workingDirectory", kText, ""},
    {"entrypoint", "", kText, ""},
    {"containerCommand", "", kText, ""},
    {"detached", "", kFlag, "true"},
    {"abortOnContainerExit", "", kFlag, "true"},
    {"imageDigestComposeFile", "", kPath, ""},
    {"removeBuildOptions", "", kFlag, "false"},
    {"baseResolveDirectory", "", kPath, ""},
    {"outputDockerComposeFile", "", kPath, ""},
    {"dockerComposeCommand", "", kText, ""},
    {"arguments", "", kText, ""},
    {"dockerHostEndpointName", "", kText, ""},
    {"nopIfNoDockerComposeFile", "", kFlag, "false"},
    {"requireAdditionalDockerComposeFiles", "", kFlag, "false"},
    {"cwd", "currentWorkingDirectory", kPath, "$(System.DefaultWorkingDirectory)"},
    {"dockerComposePath", "", kText, ""}};
constexpr Row kKubernetesManifest[] = {
    {"action", "", kPick, "deploy", kRequired,
     "bake|createSecret|delete|deploy|patch|promote|scale|reject"},
    {"connectionType", "", kPick, "kubernetesServiceConnection", false,
     "azureResourceManager|kubernetesServiceConnection"},
    {"azureSubscriptionConnection", "azureSubscriptionEndpoint", kConnection, ""},
    {"azureResourceGroup", "", kText, ""},
    {"kubernetesCluster", "", kText, ""},
    {"useClusterAdmin", "", kFlag, "false"},
    {"kubernetesServiceEndpoint", "kubernetesServiceConnection", kConnection, ""},
    {"namespace", "", kText, ""},
    {"strategy", "", kPick, "none", false, "canary|none"},
    {"trafficSplitMethod", "", kPick, "pod", false, "pod|smi"},
    {"percentage", "", kText, "0"},
    {"baselineAndCanaryReplicas", "", kText, "1"},
    {"manifests", "", "multiLine", "", kRequired, "",
     "action = deploy || action = promote || action = reject"},
    {"containers", "", "multiLine", ""},
    {"imagePullSecrets", "", "multiLine", ""},
    {"renderType", "", kPick, "helm", false, "helm|kompose|kustomize"},
    {"dockerComposeFile", "", kPath, ""},
    {"helmChart", "", kPath, ""},
    {"releaseName", "", kText, ""},
    {"overrideFiles", "", "multiLine", ""},
    {"overrides", "", "multiLine", ""},
    {"kustomizationPath", "", kPath, ""},
    {"resourceToPatch", "", "radio", "file", false, "file|name"},
    {"resourceFileToPatch", "", kPath, "", kRequired, "",
     "action = patch && resourceToPatch = file"},
    {"kind", "", kText, ""},
    {"name", "", kText, ""},
    {"replicas", "", kText, "", kRequired, "", "action = scale"},
    {"mergeStrategy", "", kPick, "strategic", false, "json|merge|strategic"},
    {"arguments", "", kText, ""},
    {"patch", "", "multiLine", "", kRequired, "", "action = patch"},
    {"secretType", "", kPick, "dockerRegistry", false, "dockerRegistry|generic"},
    {"secretName", "", kText, ""},
    {"secretArguments", "", "multiLine", ""},
    {"dockerRegistryEndpoint", "", kConnection, ""},
    {"rolloutStatusTimeout", "", kText, "0"}};
constexpr Row kKubernetes[] = {
    {"connectionType", "", kPick, "Kubernetes Service Connection"},
    {"kubernetesServiceEndpoint", "kubernetesServiceConnection", kConnection, ""},
    {"azureSubscriptionEndpoint", "azureSubscription", kConnection, ""},
    {"azureResourceGroup", "", kText, ""},
    {"kubernetesCluster", "", kText, ""},
    {"useClusterAdmin", "", kFlag, "false"},
    {"namespace", "", kText, ""},
    {"command", "", kText, "apply"},
    {"useConfigurationFile", "", kFlag, "false"},
    {"configurationType", "", "radio", "configuration", false, "configuration|inline"},
    {"configuration", "", kPath, "", kRequired, "",
     "useConfigurationFile = true && configurationType = configuration"},
    {"inline", "", "multiLine", "", kRequired, "",
     "useConfigurationFile = true && configurationType = inline"},
    {"arguments", "", kText, ""},
    {"secretType", "", kPick, "dockerRegistry", false, "dockerRegistry|generic"},
    {"secretArguments", "", "multiLine", ""},
    {"containerRegistryType", "", kText, ""},
    {"dockerRegistryEndpoint", "dockerRegistryConnection", kConnection, ""},
    {"azureSubscriptionEndpointForSecrets", "", kConnection, ""},
    {"azureContainerRegistry", "", kText, ""},
    {"secretName", "", kText, ""},
    {"forceUpdate", "", kFlag, "true"},
    {"configMapName", "", kText, ""},
    {"forceUpdateConfigMap", "", kFlag, "false"},
    {"useConfigMapFile", "", kFlag, "false"},
    {"configMapFile", "", kPath, ""},
    {"configMapArguments", "", "multiLine", ""},
    {"versionOrLocation", "", "radio", "version"},
    {"versionSpec", "", kText, "1.13.2"},
    {"checkLatest", "", kFlag, "false"},
    {"specifyLocation", "", kPath, ""},
    {"cwd", "workingDirectory", kPath, "$(System.DefaultWorkingDirectory)"},
    {"outputFormat", "", kText, "json"},
    {"kubectlOutput", "", kText, ""}};
constexpr Row kHelmDeploy[] = {
    {"connectionType", "", kPick, "Kubernetes Service Connection", false,
     "Azure Resource Manager|Kubernetes Service Connection|None"},
    {"azureSubscription", "azureSubscriptionEndpoint", kConnection, ""},
    {"azureResourceGroup", "", kText, ""},
    {"kubernetesCluster", "", kText, ""},
    {"useClusterAdmin", "", kFlag, "false"},
    {"kubernetesServiceEndpoint", "kubernetesServiceConnection", kConnection, ""},
    {"namespace", "", kText, ""},
    {"azureSubscriptionForACR", "azureSubscriptionEndpointForACR", kConnection, ""},
    {"azureResourceGroupForACR", "", kText, ""},
    {"azureContainerRegistry", "", kText, ""},
    {"command", "", kText, "ls", kRequired},
    {"chartType", "", kPick, "Name", false, "Name|FilePath"},
    {"chartName", "", kText, ""},
    {"chartPath", "", kPath, ""},
    {"chartNameForACR", "", kText, ""},
    {"chartPathForACR", "", kPath, ""},
    {"version", "chartVersion", kText, ""},
    {"releaseName", "", kText, ""},
    {"overrideValues", "", "multiLine", ""},
    {"valueFile", "", kPath, ""},
    {"destination", "", kPath, "$(Build.ArtifactStagingDirectory)"},
    {"canaryimage", "canaryImage", kFlag, "false"},
    {"upgradetiller", "upgradeTiller", kFlag, "true"},
    {"updatedependency", "updateDependency", kFlag, "false"},
    {"save", "", kFlag, "true"},
    {"install", "", kFlag, "true"},
    {"recreate", "", kFlag, "false"},
    {"resetValues", "", kFlag, "false"},
    {"force", "", kFlag, "false"},
    {"waitForExecution", "", kFlag, "true"},
    {"arguments", "", "multiLine", ""},
    {"enableTls", "", kFlag, "false"},
    {"caCert", "", kText, ""},
    {"certificate", "", kText, ""},
    {"privatekey", "", kText, ""},
    {"tillernamespace", "", kText, ""},
    {"failOnStderr", "", kFlag, "false"},
    {"publishPipelineMetadata", "", kFlag, "true"}};
constexpr Row kUseNode[] = {{"version", "", kText, "10.x"},
                            {"checkLatest", "", kFlag, "false"},
                            {"force32bit", "", kFlag, "false"},
                            {"nodejsMirror", "", kText, ""},
                            {"retryCountOnDownloadFails", "", kText, "5"},
                            {"delayBetweenRetries", "", kText, "1000"}};
constexpr Row kNodeTool[] = {
    {"versionSource", "", "radio", "spec", false, "spec|fromFile"},
    {"versionSpec", "", kText, "6.x"},
    {"versionFilePath", "", kPath, "", kRequired, "", "versionSource = fromFile"},
    {"checkLatest", "", kFlag, "false"},
    {"force32bit", "", kFlag, "false"},
    {"nodejsMirror", "", kText, ""},
    {"retryCountOnDownloadFails", "", kText, "5"},
    {"delayBetweenRetries", "", kText, "1000"}};
constexpr Row kUsePython[] = {{"versionSpec", "", kText, "3.x", kRequired},
                              {"disableDownloadFromRegistry", "", kFlag, "false"},
                              {"allowUnstable", "", kFlag, "false"},
                              {"githubToken", "", kText, ""},
                              {"addToPath", "", kFlag, "true", kRequired},
                              {"architecture", "", kText, ""}};
constexpr Row kUseDotNet[] = {{"packageType", "", kText, "sdk", kRequired, "sdk|runtime"},
                              {"useGlobalJson", "", kFlag, "false"},
                              {"workingDirectory", "", kPath, ""},
                              {"version", "", kText, ""},
                              {"vsVersion", "", kText, ""},
                              {"includePreviewVersions", "", kFlag, "false"},
                              {"installationPath", "", kText, ""},
                              {"performMultiLevelLookup", "", kFlag, "false"},
                              {"requestTimeout", "", kText, "300000"}};
constexpr Row kReviewApp[] = {{"resourceName", "", kText, "", kRequired},
                              {"baseEnvironmentName", "", kText, ""},
                              {"reviewResourceName", "", kText, ""}};
constexpr Row kDownloadSecureFile[] = {{"secureFile", "", kText, "", kRequired},
                                       {"retryCount", "", kText, "8"},
                                       {"socketTimeout", "", kText, ""}};
constexpr const char *kXmlRules = "-transform **\\*.Release.config -xml **\\*.config";
constexpr Row kFileTransform1[] = {
    {"folderPath", "", kPath, "$(System.DefaultWorkingDirectory)/**/*.zip", kRequired},
    {"enableXmlTransform", "", kFlag, "false"},
    {"xmlTransformationRules", "", "multiLine", kXmlRules},
    {"fileType", "", kPick, "", false, "xml|json"},
    {"targetFiles", "", "multiLine", ""}};
constexpr Row kFileTransform2[] = {
    {"folderPath", "", kPath, "$(System.DefaultWorkingDirectory)/**/*.zip", kRequired},
    {"enableXmlTransform", "", kFlag, "true"},
    {"xmlTransformationRules", "", "multiLine", kXmlRules},
    {"jsonTargetFiles", "", "multiLine", ""},
    {"xmlTargetFiles", "", "multiLine", ""},
    {"errorOnInvalidSubstitution", "", kFlag, "false"}};
constexpr Row kPublishCoverage[] = {
    {"codeCoverageTool", "", kPick, "JaCoCo", false, "Cobertura|JaCoCo"},
    {"summaryFileLocation", "", "multiLine", "", kRequired, "", "", "Cobertura or JaCoCo files"},
    {"pathToSources", "", kText, ""},
    {"reportDirectory", "", kText, ""},
    {"additionalCodeCoverageFiles", "", kText, ""},
    {"failIfCoverageEmpty", "", kFlag, "false"}};

constexpr Row kDelay[] = {{"delayForMinutes", "", kText, "0", kRequired}};
constexpr Row kManualValidation[] = {{"notifyUsers", "", kText, ""},
                                     {"approvers", "", kText, ""},
                                     {"allowApproversToApproveTheirOwnRuns", "", kFlag, "true"},
                                     {"instructions", "", "multiLine", ""},
                                     {"onTimeout", "", "radio", "reject", false, "reject|resume"}};
constexpr Row kInvokeRestApi[] = {
    {"connectedServiceNameSelector", "connectionType", kPick, "connectedServiceName", kRequired,
     "connectedServiceName|connectedServiceNameARM|connectedServiceNameAzureDevOps"},
    {"connectedServiceName", "serviceConnection|genericService", kConnection, "", kRequired, "",
     "connectedServiceNameSelector = connectedServiceName"},
    {"connectedServiceNameARM", "azureServiceConnection|azureSubscription", kConnection, ""},
    {"connectedServiceNameAzureDevOps", "azureDevOpsServiceConnection", kConnection, ""},
    {"method", "", kPick, "POST", kRequired, "OPTIONS|GET|HEAD|POST|PUT|DELETE|TRACE|PATCH"},
    {"headers", "", "multiLine",
     "{\"Content-Type\": \"application/json\", \"PlanUrl\": \"$(system.CollectionUri)\", "
     "\"ProjectId\": \"$(system.TeamProjectId)\", \"HubName\": \"$(system.HostType)\", "
     "\"PlanId\": \"$(system.PlanId)\", \"JobId\": \"$(system.JobId)\", \"TimelineId\": "
     "\"$(system.TimelineId)\"}"},
    {"body", "", "multiLine", ""},
    {"urlSuffix", "", kText, ""},
    {"waitForCompletion", "", kPick, "false", kRequired, "true|false"},
    {"successCriteria", "", kText, ""}};

constexpr Task kTasks[] = {
    {"28782b92-5e8e-4458-9751-a71cd1492bae", "Delay", "Delay", "1", kDelay},
    {"2003ad3a-104a-451a-9238-60474ab294e6", "ManualValidation", "Manual validation", "0|1",
     kManualValidation},
    {"9c3e8943-130d-4c78-ac63-8af81df62dfb", "InvokeRESTAPI", "Invoke REST API", "1",
     kInvokeRestApi},
    {"d9bafed4-0b18-4f58-968d-86655b4d2ce9", "CmdLine", "Command Line Script", "1|2", kCmdLine},
    {"6c731c3c-3c68-459a-a5c9-bde6e6595b5b", "Bash", "Bash Script", "3", kBash},
    {"e213ff0f-5d5c-4791-802d-52ea3e7be1f1", "PowerShell", "PowerShell Script", "2", kPowerShell},
    {kPublishTaskId, "PublishPipelineArtifact", "Publish Pipeline Artifact", "0|1",
     kPublishPipelineArtifact},
    {"61f2a582-95ae-4948-b34d-a1b3c4f6a737", "DownloadPipelineArtifact",
     "Download Pipeline Artifact", "1|2", kDownloadPipelineArtifact},
    {"2ff763a7-ce83-4e1f-bc89-0ae63477cebe", "PublishBuildArtifacts", "Publish build artifacts",
     "1", kPublishBuildArtifacts},
    {"a433f589-fce1-4460-9ee6-44a624aeb1fb", "DownloadBuildArtifacts", "Download build artifacts",
     "0|1", kDownloadBuildArtifacts},
    {"d53ccab4-555e-4494-9d06-11db043fb4a9", "Cache", "Cache", "2", kCache},
    {"5bfb729a-a7c8-4a78-a7c3-8d717bb7c13c", "CopyFiles", "Copy files", "2", kCopyFiles},
    {"b7e8b412-0437-4065-9371-edc5881de25b", "DeleteFiles", "Delete files", "1", kDeleteFiles},
    {"d8b84976-e99a-4b86-b885-4849694435b0", "ArchiveFiles", "Archive files", "2", kArchiveFiles},
    {"5e1e3830-fbfb-11e5-aab1-090c92bc4988", "ExtractFiles", "Extract files", "1", kExtractFiles},
    {"0b0f01ed-7dde-43ff-9cbb-e48954daf9b1", "PublishTestResults", "Publish Test Results", "1|2",
     kPublishTestResults},
    {"2a7ebc54-c13e-490e-81a5-d7561ab7cd97", "PublishCodeCoverageResults",
     "Publish code coverage results", "1|2", kPublishCoverage},
    {"31c75bbb-bcdf-4706-8d7c-4da6a1959bc2", "UseNode", "Use Node.js", "1", kUseNode},
    {"31c75bbb-bcdf-4706-8d7c-4da6a1959bc2", "NodeTool", "Node.js tool", "0", kNodeTool},
    {"33c63b11-352b-45a2-ba1b-54cb568a29ca", "UsePythonVersion", "Use Python version", "0",
     kUsePython},
    {"b0ce7256-7898-45d3-9cb5-176b752bfea6", "UseDotNet", "Use .NET", "2", kUseDotNet},
    {"deeafed4-0b18-4f58-968d-86655b4d2ce9", "ReviewApp", "Review app", "0", kReviewApp},
    {"2a6ca863-f2ce-4f4d-8bcb-15e64608ec4b", "DownloadSecureFile", "Download secure file", "1",
     kDownloadSecureFile},
    {"8ce97e91-56cc-4743-bfab-9a9315be5f27", "FileTransform", "File transform", "1",
     kFileTransform1},
    {"8ce97e91-56cc-4743-bfab-9a9315be5f27", "FileTransform", "File transform", "2",
     kFileTransform2},
    {"e28912f1-0114-4464-802a-a3a35437fd16", "Docker", "Docker", "2", kDocker},
    {"6975e2d1-96d3-4afc-8a41-498b5d34ea19", "DockerCompose", "Docker Compose", "0|1",
     kDockerCompose},
    {"dee316a2-586f-4def-be79-488a1f503dfe", "KubernetesManifest", "Deploy to Kubernetes", "0|1",
     kKubernetesManifest},
    {"cbc316a2-586f-4def-be79-488a1f503564", "Kubernetes", "Kubectl", "0|1", kKubernetes},
    {"afa7d54d-537b-4dc8-b60a-e0eeea2c9a87", "HelmDeploy", "Package and deploy Helm charts", "0|1",
     kHelmDeploy},
};

template <typename Visit> void eachPart(std::string_view list, Visit visit)
{
    while (!list.empty()) {
        const std::size_t bar = list.find('|');
        visit(std::string(list.substr(0, bar)));
        list = bar == std::string_view::npos ? std::string_view{} : list.substr(bar + 1);
    }
}

TaskCatalogue makeCatalogue()
{
    TaskCatalogue all;
    for (const Task &task : kTasks) {
        TaskDefinition definition;
        definition.id = task.id;
        definition.name = task.name;
        definition.friendlyName = definition.instanceNameFormat = task.title;
        for (const Row &row : task.rows) {
            TaskInputDefinition input;
            input.name = row.name;
            eachPart(row.alias, [&](const std::string &alias) { input.aliases.push_back(alias); });
            input.type = row.type;
            input.help = row.help;
            input.defaultValue = row.fallback;
            input.required = row.required;
            input.visibleRule = row.rule;
            eachPart(row.options,
                     [&](const std::string &value) { input.options.emplace_back(value, value); });
            definition.inputs.push_back(std::move(input));
        }
        eachPart(task.versions, [&](const std::string &major) {
            definition.version = {major[0] - '0', 0, 0};
            all.add(definition);
        });
    }
    return all;
}

} // namespace

const TaskCatalogue &builtInTaskCatalogue()
{
    static const TaskCatalogue all = makeCatalogue();
    return all;
}

} // namespace schema
