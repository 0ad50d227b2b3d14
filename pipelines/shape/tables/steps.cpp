// Variables and steps (pipeline-language 3.9, 3.10, 7).
#include "pipelines/shape/tables/tables.h"

namespace pipelines::shape {

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
constexpr Shape kStepItem{.kind = Kind::OneOf, .name = "step", .alternatives = kStepAlternatives};
constexpr Shape kVariables{
    .kind = Kind::OneOf, .name = "variables", .alternatives = kVariablesAlternatives};

} // namespace pipelines::shape
