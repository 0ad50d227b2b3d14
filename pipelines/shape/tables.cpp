#include "pipelines/shape/shape.h"

// The tables themselves. Order of properties is the order in which messages and editors list them.

namespace pipelines::shape {
namespace {

constexpr Shape kAny{.kind = Kind::Any, .name = "any"};
constexpr Shape kString{.kind = Kind::String, .name = "string"};
constexpr Shape kText{.kind = Kind::NonEmptyString, .name = "nonEmptyString"};
constexpr Shape kNumber{.kind = Kind::Number, .name = "number"};
constexpr Shape kBoolean{.kind = Kind::Boolean, .name = "boolean"};
constexpr Shape kName{.kind = Kind::ReferenceName, .name = "referenceName"};
constexpr Shape kTextMap{.kind = Kind::TextMap, .name = "mapping of texts"};
constexpr Shape kStrings{.kind = Kind::List, .name = "list of strings", .item = &kString};

constexpr const Shape *kStringOrListAlternatives[] = {&kString, &kStrings};
constexpr Shape kStringOrList{
    .kind = Kind::OneOf, .name = "string or list", .alternatives = kStringOrListAlternatives};

constexpr std::string_view kNoneWords[] = {"none"};
constexpr Shape kNone_{.kind = Kind::Word, .name = "none", .words = kNoneWords};
constexpr Shape kNoneAnyCase{
    .kind = Kind::Word, .name = "none", .words = kNoneWords, .ignoreCase = true};
constexpr std::string_view kTrueWords[] = {"true"};
constexpr Shape kTrue{.kind = Kind::Word, .name = "true", .words = kTrueWords, .ignoreCase = true};

// ---- filters and triggers (5)

constexpr Property kFilterProperties[] = {
    {"include", &kStrings, kNone, "Patterns that are accepted"},
    {"exclude", &kStrings, kNone, "Patterns that are refused"}};
constexpr Shape kFilterMapping{
    .kind = Kind::Mapping, .name = "filter", .properties = kFilterProperties};
constexpr const Shape *kFilterAlternatives[] = {&kStrings, &kFilterMapping};
constexpr Shape kFilter{.kind = Kind::OneOf, .name = "filter", .alternatives = kFilterAlternatives};

constexpr Property kTriggerProperties[] = {
    {"batch", &kBoolean, kNone, "Collect pushes while a run of the branch is active"},
    {"branches", &kFilter, kNone, "Branches whose pushes start a run"},
    {"paths", &kFilter, kNone, "Files whose changes start a run"},
    {"tags", &kFilter, kNone, "Tags whose pushes start a run"},
    {"enabled", &kBoolean, kLegacy, "Written by the service for `trigger: none`"}};
constexpr Shape kTriggerMapping{
    .kind = Kind::Mapping, .name = "trigger", .properties = kTriggerProperties};
constexpr const Shape *kTriggerAlternatives[] = {&kNone_, &kStrings, &kTriggerMapping};

constexpr Property kPullRequestProperties[] = {
    {"autoCancel", &kBoolean, kNone, "A new push cancels running validations"},
    {"branches", &kFilter, kNone, "Target branches"},
    {"paths", &kFilter, kNone, "Files whose changes start a run"},
    {"drafts", &kBoolean, kNone, "Also validate drafts"},
    {"enabled", &kBoolean, kLegacy, "Written by the service for `pr: none`"}};
constexpr Shape kPullRequestMapping{
    .kind = Kind::Mapping, .name = "pr", .properties = kPullRequestProperties};
constexpr const Shape *kPullRequestAlternatives[] = {&kNone_, &kStrings, &kPullRequestMapping};

constexpr Property kScheduleProperties[] = {
    {"cron", &kText, kRequired | kFirst, "Five fields, UTC: minute hour day month weekday"},
    {"displayName", &kString, kNone, "Name of the schedule"},
    {"branches", &kFilter, kNone, "Branches the schedule is for"},
    {"batch", &kBoolean, kNone, "Do not start while a scheduled run is active"},
    {"always", &kBoolean, kNone, "Start even without changes"}};
constexpr Shape kSchedule{
    .kind = Kind::Mapping, .name = "schedule", .properties = kScheduleProperties};

// ---- pool (3.5)

constexpr Property kPoolProperties[] = {
    {"name", &kString, kNone, "Name of the pool"},
    {"demands", &kStringOrList, kNone, "Capabilities a worker must have"},
    {"vmImage", &kString, kNone, "Image of a hosted pool"}};
constexpr Shape kPoolMapping{
    .kind = Kind::Mapping, .name = "pool", .properties = kPoolProperties, .loose = &kAny};
constexpr const Shape *kPoolAlternatives[] = {&kString, &kPoolMapping};
constexpr Shape kPool{.kind = Kind::OneOf, .name = "pool", .alternatives = kPoolAlternatives};

// ---- containers (3.6, 4.2)

constexpr Property kMountReadOnlyProperties[] = {
    {"work", &kBoolean, kNone, "Work folder"},
    {"externals", &kBoolean, kNone, "Programs of the worker"},
    {"tools", &kBoolean, kNone, "Installed tools"},
    {"tasks", &kBoolean, kNone, "Task programs"}};
constexpr Shape kMountReadOnly{
    .kind = Kind::Mapping, .name = "mountReadOnly", .properties = kMountReadOnlyProperties};

#define SLIPWAY_CONTAINER_PROPERTIES                                                               \
    {"image", &kString, kNone, "Image reference"},                                                 \
        {"endpoint", &kString, kNone, "Service connection of a private registry"},                 \
        {"env", &kTextMap, kNone, "Environment of the container"},                                 \
        {"options", &kString, kNone, "Further arguments of its creation"},                         \
        {"ports", &kStrings, kNone, "Published ports"},                                            \
        {"volumes", &kStrings, kNone, "Mounted volumes"},                                          \
        {"mapDockerSocket", &kBoolean, kNone, "Mount the engine's socket"},                        \
        {"mountReadOnly", &kMountReadOnly, kNone, "Folders mounted read-only"}

constexpr Property kContainerProperties[] = {
    SLIPWAY_CONTAINER_PROPERTIES,
    {"alias", &kString, kNone, "Container of resources.containers"},
    {"localImage", &kBoolean, kNone, "Do not pull"},
    {"trigger", &kAny, kLegacy, "Only meaningful in resources"}};
constexpr Shape kContainerMapping{
    .kind = Kind::Mapping, .name = "container", .properties = kContainerProperties};
constexpr const Shape *kContainerAlternatives[] = {&kString, &kContainerMapping};
constexpr Shape kContainer{
    .kind = Kind::OneOf, .name = "container", .alternatives = kContainerAlternatives};
constexpr Shape kServices{.kind = Kind::Mapping, .name = "services", .loose = &kContainer};

constexpr Property kTagTriggerProperties[] = {{"enabled", &kBoolean, kNone, "Switch"},
                                              {"tags", &kFilter, kNone, "Image tags"}};
constexpr Shape kTagTriggerMapping{
    .kind = Kind::Mapping, .name = "container trigger", .properties = kTagTriggerProperties};
constexpr const Shape *kTagTriggerAlternatives[] = {&kNone_, &kTrue, &kTagTriggerMapping};
constexpr Shape kTagTrigger{
    .kind = Kind::OneOf, .name = "container trigger", .alternatives = kTagTriggerAlternatives};

constexpr Property kContainerResourceProperties[] = {
    {"container", &kName, kRequired | kFirst, "Alias"},
    SLIPWAY_CONTAINER_PROPERTIES,
    {"type", &kString, kNone, "ACR for an Azure registry"},
    {"trigger", &kTagTrigger, kNone, "Start a run when a tag is pushed"},
    {"azureSubscription", &kString, kNone, "Service connection (ACR)"},
    {"resourceGroup", &kString, kNone, "Resource group (ACR)"},
    {"registry", &kString, kNone, "Registry (ACR)"},
    {"repository", &kString, kNone, "Repository (ACR)"},
    {"localImage", &kBoolean, kNone, "Do not pull"}};

// ---- resources (4)

constexpr Property kCheckoutOptionProperties[] = {
    {"clean", &kString, kNone, "Clean before fetch"},
    {"fetchDepth", &kString, kNone, "Depth of history"},
    {"fetchTags", &kString, kNone, "Fetch tags"},
    {"lfs", &kString, kNone, "Fetch large files"},
    {"submodules", &kString, kNone, "true or recursive"},
    {"persistCredentials", &kString, kNone, "Leave the token in the configuration"}};
constexpr Shape kCheckoutOptions{
    .kind = Kind::Mapping, .name = "checkoutOptions", .properties = kCheckoutOptionProperties};
constexpr Shape kTriggerShape{
    .kind = Kind::OneOf, .name = "trigger", .alternatives = kTriggerAlternatives};
constexpr Property kRepositoryProperties[] = {
    {"repository", &kName, kRequired | kFirst, "Alias"},
    {"type", &kString, kNone, "git, github, githubenterprise, bitbucket"},
    {"name", &kString, kNone, "project/repository"},
    {"ref", &kString, kNone, "Branch or tag"},
    {"endpoint", &kString, kNone, "Service connection"},
    {"connection", &kString, kLegacy, "Old spelling of endpoint"},
    {"source", &kString, kLegacy, "Old spelling of name"},
    {"trigger", &kTriggerShape, kNone, "Pushes to it that start a run"},
    {"checkoutOptions", &kCheckoutOptions, kNone, "Defaults of its checkout"},
    {"clean", &kString, kLegacy, "Old place of checkoutOptions.clean"},
    {"fetchDepth", &kString, kLegacy, "Old place of checkoutOptions.fetchDepth"},
    {"lfs", &kString, kLegacy, "Old place of checkoutOptions.lfs"},
    {"mappings", &kAny, kLegacy, "Folders of a tfsversioncontrol repository"}};
constexpr Shape kRepository{
    .kind = Kind::Mapping, .name = "repository", .properties = kRepositoryProperties};

constexpr Property kPipelineTriggerProperties[] = {
    {"enabled", &kBoolean, kNone, "Switch"},
    {"branches", &kFilter, kNone, "Branches of the producing run"},
    {"stages", &kStrings, kNone, "Stages that must be done"},
    {"tags", &kFilter, kNone, "Tags of the producing run"}};
constexpr Shape kPipelineTriggerMapping{
    .kind = Kind::Mapping, .name = "pipeline trigger", .properties = kPipelineTriggerProperties};
constexpr const Shape *kPipelineTriggerAlternatives[] = {&kNone_, &kTrue, &kPipelineTriggerMapping};
constexpr Shape kPipelineTrigger{
    .kind = Kind::OneOf, .name = "pipeline trigger", .alternatives = kPipelineTriggerAlternatives};
constexpr Property kPipelineProperties[] = {
    {"pipeline", &kName, kRequired | kFirst, "Alias"},
    {"project", &kString, kNone, "Project of the pipeline"},
    {"source", &kString, kNone, "Name of the pipeline"},
    {"version", &kString, kNone, "Run number"},
    {"branch", &kString, kNone, "Branch of the run"},
    {"tags", &kStrings, kNone, "Tags of the run"},
    {"trigger", &kPipelineTrigger, kNone, "Start when it completes"}};
constexpr Shape kPipelineResource{
    .kind = Kind::Mapping, .name = "pipeline", .properties = kPipelineProperties};

constexpr const Shape *kSimpleTriggerAlternatives[] = {&kNone_, &kTrue, &kAny};
constexpr Shape kSimpleTrigger{
    .kind = Kind::OneOf, .name = "trigger", .alternatives = kSimpleTriggerAlternatives};
constexpr Property kBuildProperties[] = {{"build", &kName, kRequired | kFirst, "Alias"},
                                         {"type", &kText, kRequired, "Jenkins, CircleCI, ..."},
                                         {"connection", &kText, kRequired, "Service connection"},
                                         {"source", &kText, kRequired, "Name of the build"},
                                         {"version", &kString, kNone, "Version"},
                                         {"branch", &kString, kNone, "Branch"},
                                         {"trigger", &kSimpleTrigger, kNone, "none or true"}};
constexpr Shape kBuildResource{
    .kind = Kind::Mapping, .name = "build", .properties = kBuildProperties};
constexpr Property kPackageProperties[] = {{"package", &kName, kRequired | kFirst, "Alias"},
                                           {"type", &kText, kRequired, "NuGet or npm"},
                                           {"connection", &kText, kRequired, "Service connection"},
                                           {"name", &kText, kRequired, "Name of the package"},
                                           {"version", &kString, kNone, "Version"},
                                           {"tag", &kString, kNone, "Tag"},
                                           {"trigger", &kSimpleTrigger, kNone, "none or true"}};
constexpr Shape kPackageResource{
    .kind = Kind::Mapping, .name = "package", .properties = kPackageProperties};
constexpr Property kWebhookFilterProperties[] = {{"path", &kText, kRequired, "JSON path"},
                                                 {"value", &kString, kRequired, "Wanted value"}};
constexpr Shape kWebhookFilter{
    .kind = Kind::Mapping, .name = "webhook filter", .properties = kWebhookFilterProperties};
constexpr Shape kWebhookFilters{
    .kind = Kind::List, .name = "webhook filters", .item = &kWebhookFilter};
constexpr Property kWebhookProperties[] = {{"webhook", &kName, kRequired | kFirst, "Alias"},
                                           {"connection", &kText, kRequired, "Service connection"},
                                           {"type", &kString, kNone, "Type"},
                                           {"filters", &kWebhookFilters, kNone, "Payload filters"}};
constexpr Shape kWebhook{
    .kind = Kind::Mapping, .name = "webhook", .properties = kWebhookProperties};

constexpr Shape kRepositories{.kind = Kind::List, .name = "repositories", .item = &kRepository};
constexpr Shape kContainers{.kind = Kind::List, .name = "containers", .item = &kContainerResource};
constexpr Shape kPipelines{.kind = Kind::List, .name = "pipelines", .item = &kPipelineResource};
constexpr Shape kBuilds{.kind = Kind::List, .name = "builds", .item = &kBuildResource};
constexpr Shape kPackages{.kind = Kind::List, .name = "packages", .item = &kPackageResource};
constexpr Shape kWebhooks{.kind = Kind::List, .name = "webhooks", .item = &kWebhook};
constexpr Property kResourcesProperties[] = {
    {"repositories", &kRepositories, kNone, "Other repositories"},
    {"containers", &kContainers, kNone, "Container images"},
    {"pipelines", &kPipelines, kNone, "Other pipelines"},
    {"builds", &kBuilds, kNone, "Builds of other systems"},
    {"packages", &kPackages, kNone, "Packages"},
    {"webhooks", &kWebhooks, kNone, "Incoming webhooks"}};
constexpr Shape kResourcesMapping{
    .kind = Kind::Mapping, .name = "resources", .properties = kResourcesProperties};
constexpr Property kLegacyRepoProperties[] = {{"repo", &kString, kRequired | kFirst, "self"},
                                              {"clean", &kString, kNone, "Clean before fetch"},
                                              {"fetchDepth", &kString, kNone, "Depth"},
                                              {"lfs", &kString, kNone, "Large files"}};
constexpr Shape kLegacyRepo{
    .kind = Kind::Mapping, .name = "repo", .properties = kLegacyRepoProperties};
constexpr Shape kLegacyResources{
    .kind = Kind::List, .name = "legacy resources", .item = &kLegacyRepo};
constexpr const Shape *kResourcesAlternatives[] = {&kResourcesMapping, &kLegacyResources};

// ---- variables (7)

constexpr Property kNamedVariableProperties[] = {
    {"name", &kText, kRequired | kFirst, "Name of the variable"},
    {"value", &kString, kNone, "Value"},
    {"readonly", &kBoolean, kNone, "Steps cannot change it"}};
constexpr Shape kNamedVariable{
    .kind = Kind::Mapping, .name = "variable", .properties = kNamedVariableProperties};
constexpr Property kGroupProperties[] = {
    {"group", &kText, kRequired | kFirst, "Variable group of the library"}};
constexpr Shape kGroup{
    .kind = Kind::Mapping, .name = "variable group", .properties = kGroupProperties};
constexpr Property kVariableTemplateProperties[] = {
    {"template", &kText, kRequired | kFirst, "File with variables"},
    {"parameters", &kAny, kNone, "Values of its parameters"}};
constexpr Shape kVariableTemplate{
    .kind = Kind::Mapping, .name = "variable template", .properties = kVariableTemplateProperties};
constexpr const Shape *kVariableAlternatives[] = {&kNamedVariable, &kGroup, &kVariableTemplate};
constexpr Shape kVariable{
    .kind = Kind::OneOf, .name = "variable", .alternatives = kVariableAlternatives};
constexpr Shape kVariableList{.kind = Kind::List, .name = "variables", .item = &kVariable};
constexpr const Shape *kVariablesAlternatives[] = {&kTextMap, &kVariableList};

// ---- steps (3.9)

constexpr std::string_view kCommandWords[] = {"any", "restricted"};
constexpr Shape kCommands{.kind = Kind::Word, .name = "commands", .words = kCommandWords};
constexpr const Shape *kSettableAlternatives[] = {&kNoneAnyCase, &kStrings};
constexpr Shape kSettable{
    .kind = Kind::OneOf, .name = "settableVariables", .alternatives = kSettableAlternatives};
constexpr Property kTargetProperties[] = {
    {"container", &kString, kNone, "host or a container alias"},
    {"commands", &kCommands, kNone, "Logging commands the step may use"},
    {"settableVariables", &kSettable, kNone, "Variables the step may set"}};
constexpr Shape kTargetMapping{
    .kind = Kind::Mapping, .name = "target", .properties = kTargetProperties};
constexpr const Shape *kTargetAlternatives[] = {&kString, &kTargetMapping};
constexpr Shape kTarget{.kind = Kind::OneOf, .name = "target", .alternatives = kTargetAlternatives};

#define SLIPWAY_STEP_PROPERTIES                                                                    \
    {"name", &kString, kNone, "Reference name, for outputs"},                                      \
        {"displayName", &kString, kNone, "Name shown to people"},                                  \
        {"condition", &kString, kNone, "When to run; default succeeded()"},                        \
        {"continueOnError", &kBoolean, kNone, "Go on after a failure"},                            \
        {"enabled", &kBoolean, kNone, "false leaves the step out"},                                \
        {"env", &kTextMap, kNone, "Environment variables"},                                        \
        {"timeoutInMinutes", &kNumber, kNone, "Time limit; 0 = none"},                             \
        {"retryCountOnTaskFailure", &kNumber, kNone, "Retries after a failure"},                   \
        {"target", &kTarget, kNone, "Where the step runs"}

constexpr Property kTaskProperties[] = {
    {"task", &kText, kRequired | kFirst, "Task name and version, Name@1"},
    SLIPWAY_STEP_PROPERTIES,
    {"inputs", &kTextMap, kNone, "Inputs of the task"}};
constexpr Shape kTask{.kind = Kind::Mapping, .name = "task step", .properties = kTaskProperties};
constexpr Property kScriptProperties[] = {
    {"script", &kString, kRequired | kFirst, "Script for the system's shell"},
    SLIPWAY_STEP_PROPERTIES,
    {"failOnStderr", &kString, kNone, "Fail when something is written to standard error"},
    {"workingDirectory", &kString, kNone, "Folder it runs in"}};
constexpr Shape kScript{
    .kind = Kind::Mapping, .name = "script step", .properties = kScriptProperties};
constexpr Property kBashProperties[] = {
    {"bash", &kString, kRequired | kFirst, "Bash script"},
    SLIPWAY_STEP_PROPERTIES,
    {"failOnStderr", &kString, kNone, "Fail when something is written to standard error"},
    {"workingDirectory", &kString, kNone, "Folder it runs in"}};
constexpr Shape kBash{.kind = Kind::Mapping, .name = "bash step", .properties = kBashProperties};

#define SLIPWAY_POWERSHELL_PROPERTIES                                                              \
    SLIPWAY_STEP_PROPERTIES, {"errorActionPreference", &kString, kNone, "stop, continue, ..."},    \
        {"warningPreference", &kString, kLegacy, "stop, continue, ..."},                           \
        {"informationPreference", &kString, kLegacy, "stop, continue, ..."},                       \
        {"verbosePreference", &kString, kLegacy, "stop, continue, ..."},                           \
        {"debugPreference", &kString, kLegacy, "stop, continue, ..."},                             \
        {"progressPreference", &kString, kLegacy, "stop, continue, ..."},                          \
        {"failOnStderr", &kString, kNone, "Fail when something is written to standard error"},     \
        {"ignoreLASTEXITCODE", &kString, kNone, "Do not look at the exit code"},                   \
        {"workingDirectory", &kString, kNone, "Folder it runs in"}

constexpr Property kPowerShellProperties[] = {
    {"powershell", &kString, kRequired | kFirst, "Windows PowerShell script"},
    SLIPWAY_POWERSHELL_PROPERTIES};
constexpr Shape kPowerShell{
    .kind = Kind::Mapping, .name = "powershell step", .properties = kPowerShellProperties};
constexpr Property kPwshProperties[] = {{"pwsh", &kString, kRequired | kFirst, "PowerShell script"},
                                        SLIPWAY_POWERSHELL_PROPERTIES};
constexpr Shape kPwsh{.kind = Kind::Mapping, .name = "pwsh step", .properties = kPwshProperties};
constexpr Property kCheckoutProperties[] = {
    {"checkout", &kText, kRequired | kFirst, "self, none or a repository alias"},
    SLIPWAY_STEP_PROPERTIES,
    {"clean", &kString, kNone, "Clean before fetch"},
    {"fetchDepth", &kString, kNone, "Depth of history, 0 = all"},
    {"fetchFilter", &kString, kNone, "Partial clone filter"},
    {"fetchTags", &kString, kNone, "Fetch tags"},
    {"lfs", &kString, kNone, "Fetch large files"},
    {"persistCredentials", &kString, kNone, "Leave the token in the configuration"},
    {"submodules", &kString, kNone, "true or recursive"},
    {"path", &kString, kNone, "Folder below $(Agent.BuildDirectory)"},
    {"sparseCheckoutDirectories", &kString, kNone, "Folders to check out"},
    {"sparseCheckoutPatterns", &kString, kNone, "Patterns to check out"},
    {"workspaceRepo", &kString, kNone, "Make it the default working directory"}};
constexpr Shape kCheckout{
    .kind = Kind::Mapping, .name = "checkout step", .properties = kCheckoutProperties};
constexpr Property kDownloadProperties[] = {
    {"download", &kText, kRequired | kFirst, "current, none or a pipeline alias"},
    SLIPWAY_STEP_PROPERTIES,
    {"artifact", &kString, kNone, "Name of the artifact"},
    {"patterns", &kString, kNone, "Files to take"},
    {"path", &kString, kLegacy, "Folder to download to"}};
constexpr Shape kDownload{
    .kind = Kind::Mapping, .name = "download step", .properties = kDownloadProperties};
constexpr Property kPublishProperties[] = {
    {"publish", &kText, kRequired | kFirst, "File or folder"},
    SLIPWAY_STEP_PROPERTIES,
    {"artifact", &kString, kNone, "Name of the artifact"}};
constexpr Shape kPublish{
    .kind = Kind::Mapping, .name = "publish step", .properties = kPublishProperties};
constexpr Property kUploadProperties[] = {{"upload", &kText, kRequired | kFirst, "File or folder"},
                                          SLIPWAY_STEP_PROPERTIES,
                                          {"artifact", &kString, kNone, "Name of the artifact"}};
constexpr Shape kUpload{
    .kind = Kind::Mapping, .name = "upload step", .properties = kUploadProperties};
constexpr Property kDownloadBuildProperties[] = {
    {"downloadBuild", &kText, kRequired | kFirst, "Alias of a build resource"},
    SLIPWAY_STEP_PROPERTIES,
    {"artifact", &kString, kNone, "Name of the artifact"},
    {"path", &kString, kNone, "Folder to download to"},
    {"patterns", &kString, kNone, "Files to take"},
    {"inputs", &kTextMap, kNone, "Further inputs"}};
constexpr Shape kDownloadBuild{
    .kind = Kind::Mapping, .name = "downloadBuild step", .properties = kDownloadBuildProperties};
constexpr Property kGetPackageProperties[] = {
    {"getPackage", &kText, kRequired | kFirst, "Alias of a package resource"},
    SLIPWAY_STEP_PROPERTIES,
    {"path", &kString, kNone, "Folder to download to"}};
constexpr Shape kGetPackage{
    .kind = Kind::Mapping, .name = "getPackage step", .properties = kGetPackageProperties};
constexpr Property kReviewAppProperties[] = {
    {"reviewApp", &kText, kRequired | kFirst, "Name of the resource"}, SLIPWAY_STEP_PROPERTIES};
constexpr Shape kReviewApp{
    .kind = Kind::Mapping, .name = "reviewApp step", .properties = kReviewAppProperties};
constexpr Property kTemplateProperties[] = {
    {"template", &kText, kRequired | kFirst, "File to include"},
    {"parameters", &kAny, kNone, "Values of its parameters"}};
constexpr Shape kTemplate{
    .kind = Kind::Mapping, .name = "template", .properties = kTemplateProperties};

constexpr const Shape *kStepAlternatives[] = {
    &kTask,    &kScript, &kBash,          &kPowerShell, &kPwsh,      &kCheckout, &kDownload,
    &kPublish, &kUpload, &kDownloadBuild, &kGetPackage, &kReviewApp, &kTemplate};
constexpr Shape kStepList{.kind = Kind::List, .name = "steps", .item = &kStepItem};

// ---- jobs (3.3, 3.4, 3.7, 3.8)

constexpr Shape kMatrixLegs{.kind = Kind::Mapping, .name = "matrix", .loose = &kTextMap};
constexpr const Shape *kMatrixAlternatives[] = {&kMatrixLegs, &kString};
constexpr Shape kMatrix{.kind = Kind::OneOf, .name = "matrix", .alternatives = kMatrixAlternatives};
constexpr Property kMatrixStrategyProperties[] = {
    {"matrix", &kMatrix, kRequired, "Legs and their variables"},
    {"maxParallel", &kNumber, kNone, "How many run at a time"}};
constexpr Shape kMatrixStrategy{
    .kind = Kind::Mapping, .name = "matrix strategy", .properties = kMatrixStrategyProperties};
constexpr Property kParallelStrategyProperties[] = {
    {"parallel", &kNumber, kRequired, "Number of slices"}};
constexpr Shape kParallelStrategy{
    .kind = Kind::Mapping, .name = "parallel strategy", .properties = kParallelStrategyProperties};
constexpr Property kOnlyMaxParallelProperties[] = {
    {"maxParallel", &kNumber, kRequired, "Without a matrix it means nothing"}};
constexpr Shape kOnlyMaxParallel{
    .kind = Kind::Mapping, .name = "strategy", .properties = kOnlyMaxParallelProperties};
constexpr const Shape *kJobStrategyAlternatives[] = {&kMatrixStrategy, &kParallelStrategy,
                                                     &kOnlyMaxParallel};
constexpr Shape kJobStrategy{
    .kind = Kind::OneOf, .name = "strategy", .alternatives = kJobStrategyAlternatives};

constexpr std::string_view kCleanWords[] = {"outputs", "resources", "all"};
constexpr Shape kClean{.kind = Kind::Word, .name = "clean", .words = kCleanWords};
constexpr Property kWorkspaceProperties[] = {{"clean", &kClean, kNone, "What to wipe"}};
constexpr Shape kWorkspace{
    .kind = Kind::Mapping, .name = "workspace", .properties = kWorkspaceProperties};
constexpr Property kUsesProperties[] = {{"repositories", &kStrings, kNone, "Repositories"},
                                        {"pools", &kStrings, kNone, "Pools"}};
constexpr Shape kUses{.kind = Kind::Mapping, .name = "uses", .properties = kUsesProperties};

#define SLIPWAY_JOB_PROPERTIES                                                                     \
    {"displayName", &kString, kNone, "Name shown to people"},                                      \
        {"dependsOn", &kStringOrList, kNone, "Jobs of the stage that must be done"},               \
        {"condition", &kString, kNone, "When to run; default succeeded()"},                        \
        {"continueOnError", &kString, kNone, "Go on after a failure"},                             \
        {"timeoutInMinutes", &kNumber, kNone, "Time limit; 0 = the pool's"},                       \
        {"cancelTimeoutInMinutes", &kNumber, kNone, "Time to clean up after cancelling"},          \
        {"variables", &kVariables, kNone, "Variables of the job"},                                 \
        {"pool", &kPool, kNone, "Where it runs"},                                                  \
        {"container", &kContainer, kNone, "Container the steps run in"},                           \
        {"services", &kServices, kNone, "Containers beside the job"},                              \
        {"workspace", &kWorkspace, kNone, "What to wipe before the job"},                          \
        {"uses", &kUses, kNone, "Resources named only at run time"},                               \
        {"templateContext", &kAny, kNone, "Data for a template that is extended"}

constexpr Property kJobProperties[] = {{"job", &kString, kRequired | kFirst, "Name of the job"},
                                       SLIPWAY_JOB_PROPERTIES,
                                       {"strategy", &kJobStrategy, kNone, "Matrix or slices"},
                                       {"steps", &kStepList, kNone, "What it does"}};
constexpr Shape kJob{.kind = Kind::Mapping, .name = "job", .properties = kJobProperties};

constexpr Property kEnvironmentProperties[] = {
    {"name", &kString, kRequired, "Name of the environment"},
    {"resourceName", &kString, kNone, "Resource in it"},
    {"resourceId", &kString, kNone, "Id of the resource"},
    {"resourceType", &kString, kNone, "Kubernetes or VirtualMachine"},
    {"tags", &kStringOrList, kNone, "Tags a resource must have"}};
constexpr Shape kEnvironmentMapping{
    .kind = Kind::Mapping, .name = "environment", .properties = kEnvironmentProperties};
constexpr const Shape *kEnvironmentAlternatives[] = {&kString, &kEnvironmentMapping};
constexpr Shape kEnvironment{
    .kind = Kind::OneOf, .name = "environment", .alternatives = kEnvironmentAlternatives};

constexpr Property kHookProperties[] = {{"steps", &kStepList, kNone, "What the hook does"},
                                        {"pool", &kPool, kNone, "Where the hook runs"}};
constexpr Shape kHook{.kind = Kind::Mapping, .name = "hook", .properties = kHookProperties};
constexpr Property kOnProperties[] = {{"failure", &kHook, kNone, "After a failed hook"},
                                      {"success", &kHook, kNone, "After all hooks succeeded"}};
constexpr Shape kOn{.kind = Kind::Mapping, .name = "on", .properties = kOnProperties};

#define SLIPWAY_HOOKS                                                                              \
    {"preDeploy", &kHook, kNone, "Before the deployment"},                                         \
        {"deploy", &kHook, kNone, "The deployment"},                                               \
        {"routeTraffic", &kHook, kNone, "Switch traffic over"},                                    \
        {"postRouteTraffic", &kHook, kNone, "After the switch"}, {"on", &kOn, kNone, "Afterwards"}

constexpr Property kRunOnceProperties[] = {SLIPWAY_HOOKS};
constexpr Shape kRunOnce{
    .kind = Kind::Mapping, .name = "runOnce", .properties = kRunOnceProperties};
constexpr Property kRollingProperties[] = {
    {"maxParallel", &kString, kNone, "Machines at a time: a count or a percentage"}, SLIPWAY_HOOKS};
constexpr Shape kRolling{
    .kind = Kind::Mapping, .name = "rolling", .properties = kRollingProperties};
constexpr Property kCanaryProperties[] = {{"increments", &kStrings, kNone, "Percentages"},
                                          SLIPWAY_HOOKS};
constexpr Shape kCanary{.kind = Kind::Mapping, .name = "canary", .properties = kCanaryProperties};
constexpr Property kDeploymentStrategyProperties[] = {
    {"runOnce", &kRunOnce, kNone, "Hooks once, in order"},
    {"rolling", &kRolling, kNone, "Machine by machine"},
    {"canary", &kCanary, kNone, "In growing steps"}};
constexpr Shape kDeploymentStrategy{.kind = Kind::Mapping,
                                    .name = "deployment strategy",
                                    .properties = kDeploymentStrategyProperties};
constexpr Property kDeploymentProperties[] = {
    {"deployment", &kString, kRequired | kFirst, "Name of the deployment job"},
    SLIPWAY_JOB_PROPERTIES,
    {"environment", &kEnvironment, kNone, "What it deploys to"},
    {"strategy", &kDeploymentStrategy, kNone, "How it deploys"}};
constexpr Shape kDeployment{
    .kind = Kind::Mapping, .name = "deployment job", .properties = kDeploymentProperties};

// phases (3.14)
constexpr Property kQueueProperties[] = {
    {"name", &kString, kNone, "Pool"},
    {"demands", &kStringOrList, kNone, "Capabilities"},
    {"container", &kString, kNone, "Container"},
    {"timeoutInMinutes", &kNumber, kNone, "Time limit"},
    {"cancelTimeoutInMinutes", &kNumber, kNone, "Time to clean up"},
    {"workspace", &kWorkspace, kNone, "What to wipe"},
    {"matrix", &kMatrix, kNone, "Legs"},
    {"parallel", &kNumber, kNone, "Slices, or legs at a time"}};
constexpr Shape kQueueMapping{
    .kind = Kind::Mapping, .name = "queue", .properties = kQueueProperties};
constexpr const Shape *kQueueAlternatives[] = {&kString, &kQueueMapping};
constexpr Shape kQueue{.kind = Kind::OneOf, .name = "queue", .alternatives = kQueueAlternatives};
constexpr Property kServerProperties[] = {
    {"timeoutInMinutes", &kNumber, kNone, "Time limit"},
    {"cancelTimeoutInMinutes", &kNumber, kNone, "Time to clean up"},
    {"matrix", &kMatrix, kNone, "Legs"},
    {"parallel", &kNumber, kNone, "Slices, or legs at a time"}};
constexpr Shape kServerMapping{
    .kind = Kind::Mapping, .name = "server", .properties = kServerProperties};
constexpr const Shape *kServerAlternatives[] = {&kBoolean, &kServerMapping};
constexpr Shape kServer{.kind = Kind::OneOf, .name = "server", .alternatives = kServerAlternatives};
constexpr Property kPhaseProperties[] = {
    {"phase", &kString, kRequired | kFirst, "Name of the phase"},
    {"displayName", &kString, kNone, "Name shown to people"},
    {"dependsOn", &kStringOrList, kNone, "Phases that must be done"},
    {"condition", &kString, kNone, "When to run"},
    {"continueOnError", &kString, kNone, "Go on after a failure"},
    {"queue", &kQueue, kNone, "Where it runs"},
    {"server", &kServer, kNone, "Runs on the server"},
    {"variables", &kVariables, kNone, "Variables"},
    {"steps", &kStepList, kNone, "What it does"}};
constexpr Shape kPhase{.kind = Kind::Mapping, .name = "phase", .properties = kPhaseProperties};

constexpr const Shape *kJobAlternatives[] = {&kJob, &kDeployment, &kPhase, &kTemplate};
constexpr Shape kJobList{.kind = Kind::List, .name = "jobs", .item = &kJobItem};

// ---- stages (3.2)

constexpr std::string_view kLockWords[] = {"sequential", "runLatest"};
constexpr Shape kLock{.kind = Kind::Word, .name = "lockBehavior", .words = kLockWords};
constexpr std::string_view kStageTriggerWords[] = {"manual", "automatic"};
constexpr Shape kStageTrigger{
    .kind = Kind::Word, .name = "stage trigger", .words = kStageTriggerWords};
constexpr Property kStageProperties[] = {
    {"stage", &kString, kRequired | kFirst, "Name of the stage"},
    {"displayName", &kString, kNone, "Name shown to people"},
    {"pool", &kPool, kNone, "Where its jobs run"},
    {"dependsOn", &kStringOrList, kNone, "Stages that must be done; default: the one before"},
    {"condition", &kString, kNone, "When to run; default succeeded()"},
    {"variables", &kVariables, kNone, "Variables of the stage"},
    {"jobs", &kJobList, kNone, "Its jobs"},
    {"lockBehavior", &kLock, kNone, "Which waiting run takes an exclusive lock"},
    {"trigger", &kStageTrigger, kNone, "manual: a person starts it"},
    {"isSkippable", &kBoolean, kNone, "false: cannot be left out when queueing"},
    {"templateContext", &kAny, kNone, "Data for a template that is extended"},
    {"group", &kString, kNone, "Visual grouping"},
    {"checks", &kAny, kLegacy, "Readiness policy"}};
constexpr Shape kStage{.kind = Kind::Mapping, .name = "stage", .properties = kStageProperties};
constexpr const Shape *kStageAlternatives[] = {&kStage, &kTemplate};
constexpr Shape kStageList{.kind = Kind::List, .name = "stages", .item = &kStageItem};

// ---- parameters (6)

constexpr std::string_view kTypeWords[] = {
    "string",         "stringList", "number",    "boolean",    "object",
    "step",           "stepList",   "job",       "jobList",    "deployment",
    "deploymentList", "stage",      "stageList", "container",  "containerList",
    "environment",    "filePath",   "pool",      "secureFile", "serviceConnection",
    "legacyObject"};
constexpr Shape kParameterType{.kind = Kind::Word, .name = "parameter type", .words = kTypeWords};
constexpr Shape kAnyList{.kind = Kind::List, .name = "values", .item = &kAny};
constexpr Property kParameterProperties[] = {
    {"name", &kText, kRequired | kFirst, "Name of the parameter"},
    {"displayName", &kString, kNone, "Name shown in the queue form"},
    {"type", &kParameterType, kNone, "Type; default string"},
    {"default", &kAny, kNone, "Value when none is given"},
    {"values", &kAnyList, kNone, "Allowed values"}};

// ---- root (3.1)

constexpr Property kExtendsProperties[] = {{"template", &kText, kRequired, "File to extend"},
                                           {"parameters", &kAny, kNone, "Its parameters"}};
constexpr Shape kExtends{
    .kind = Kind::Mapping, .name = "extends", .properties = kExtendsProperties};
constexpr Shape kSchedulesShape{.kind = Kind::List, .name = "schedules", .item = &kSchedule};
constexpr Shape kPullRequestShape{
    .kind = Kind::OneOf, .name = "pr", .alternatives = kPullRequestAlternatives};
constexpr Shape kResourcesShape{
    .kind = Kind::OneOf, .name = "resources", .alternatives = kResourcesAlternatives};

#define SLIPWAY_ROOT_PROPERTIES                                                                    \
    {"name", &kString, kNone, "Format of the run number"},                                         \
        {"appendCommitMessageToRunName", &kBoolean, kNone, "Show the commit's message"},           \
        {"trigger", &kTriggerShape, kNone, "Pushes that start a run"},                             \
        {"pr", &kPullRequestShape, kNone, "Pull requests that start a run"},                       \
        {"schedules", &kSchedulesShape, kNone, "Times that start a run"},                          \
        {"parameters", &kAny, kNone, "Values asked for when queueing"},                            \
        {"resources", &kResourcesShape, kNone, "What the run uses from elsewhere"},                \
        {"variables", &kVariables, kNone, "Variables of the run"},                                 \
        {"lockBehavior", &kLock, kNone, "Which waiting run takes an exclusive lock"}

constexpr Property kStagesFormProperties[] = {{"stages", &kStageList, kRequired, "The stages"},
                                              {"pool", &kPool, kNone, "Where the jobs run"},
                                              SLIPWAY_ROOT_PROPERTIES};
constexpr Shape kStagesForm{
    .kind = Kind::Mapping, .name = "pipeline with stages", .properties = kStagesFormProperties};
constexpr Property kJobsFormProperties[] = {{"jobs", &kJobList, kRequired, "The jobs"},
                                            {"pool", &kPool, kNone, "Where the jobs run"},
                                            SLIPWAY_ROOT_PROPERTIES};
constexpr Shape kJobsForm{
    .kind = Kind::Mapping, .name = "pipeline with jobs", .properties = kJobsFormProperties};
constexpr Property kStepsFormProperties[] = {
    {"steps", &kStepList, kRequired, "The steps"},
    {"pool", &kPool, kNone, "Where the job runs"},
    {"strategy", &kJobStrategy, kNone, "Matrix or slices"},
    {"continueOnError", &kString, kNone, "Go on after a failure"},
    {"container", &kContainer, kNone, "Container the steps run in"},
    {"services", &kServices, kNone, "Containers beside the job"},
    {"workspace", &kWorkspace, kNone, "What to wipe before the job"},
    {"queue", &kQueue, kLegacy, "Old spelling of pool"},
    {"server", &kServer, kLegacy, "Old spelling of pool: server"},
    SLIPWAY_ROOT_PROPERTIES};
constexpr Shape kStepsForm{
    .kind = Kind::Mapping, .name = "pipeline with steps", .properties = kStepsFormProperties};
constexpr Property kPhasesFormProperties[] = {
    {"phases", &kJobList, kRequired | kLegacy, "Old spelling of jobs"}, SLIPWAY_ROOT_PROPERTIES};
constexpr Shape kPhasesForm{
    .kind = Kind::Mapping, .name = "pipeline with phases", .properties = kPhasesFormProperties};
constexpr Property kExtendsFormProperties[] = {
    {"extends", &kExtends, kRequired, "Template to extend"},
    {"pool", &kPool, kNone, "Where the jobs run"},
    SLIPWAY_ROOT_PROPERTIES};
constexpr Shape kExtendsForm{
    .kind = Kind::Mapping, .name = "pipeline that extends", .properties = kExtendsFormProperties};
constexpr const Shape *kRootAlternatives[] = {&kStagesForm, &kExtendsForm, &kJobsForm, &kStepsForm,
                                              &kPhasesForm};

} // namespace

constexpr Shape kRoot{.kind = Kind::OneOf, .name = "pipeline", .alternatives = kRootAlternatives};
constexpr Shape kStageItem{
    .kind = Kind::OneOf, .name = "stage", .alternatives = kStageAlternatives};
constexpr Shape kJobItem{.kind = Kind::OneOf, .name = "job", .alternatives = kJobAlternatives};
constexpr Shape kStepItem{.kind = Kind::OneOf, .name = "step", .alternatives = kStepAlternatives};
constexpr Shape kVariables{
    .kind = Kind::OneOf, .name = "variables", .alternatives = kVariablesAlternatives};
constexpr Shape kContainerResource{.kind = Kind::Mapping,
                                   .name = "container resource",
                                   .properties = kContainerResourceProperties,
                                   .loose = &kAny};
constexpr Shape kParameterItem{
    .kind = Kind::Mapping, .name = "parameter", .properties = kParameterProperties};
constexpr Shape kParameters{.kind = Kind::List, .name = "parameters", .item = &kParameterItem};
constexpr Shape kTrigger = kTriggerShape;
constexpr Shape kPullRequest = kPullRequestShape;
constexpr Shape kSchedules = kSchedulesShape;
constexpr Shape kResources = kResourcesShape;

} // namespace pipelines::shape
