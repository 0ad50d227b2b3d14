// Triggers, pools, containers and resources (pipeline-language 3.5, 3.6, 4, 5).
#include "pipelines/shape/tables/tables.h"

namespace pipelines::shape {

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
constexpr const Shape *kTriggerAlternatives[] = {&kNoneWord, &kStrings, &kTriggerMapping};

constexpr Property kPullRequestProperties[] = {
    {"autoCancel", &kBoolean, kNone, "A new push cancels running validations"},
    {"branches", &kFilter, kNone, "Target branches"},
    {"paths", &kFilter, kNone, "Files whose changes start a run"},
    {"drafts", &kBoolean, kNone, "Also validate drafts"},
    {"enabled", &kBoolean, kLegacy, "Written by the service for `pr: none`"}};
constexpr Shape kPullRequestMapping{
    .kind = Kind::Mapping, .name = "pr", .properties = kPullRequestProperties};
constexpr const Shape *kPullRequestAlternatives[] = {&kNoneWord, &kStrings, &kPullRequestMapping};

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
constexpr const Shape *kTagTriggerAlternatives[] = {&kNoneWord, &kTrue, &kTagTriggerMapping};
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
constexpr Shape kTrigger{
    .kind = Kind::OneOf, .name = "trigger", .alternatives = kTriggerAlternatives};
// The last two are the old spellings of Azure Repos' own kinds.
constexpr std::string_view kRepositoryTypes[] = {"git",       "github", "githubenterprise",
                                                 "bitbucket", "tfsgit", "tfsversioncontrol"};
constexpr Shape kRepositoryType{
    .kind = Kind::Word, .name = "repository type", .words = kRepositoryTypes, .ignoreCase = true};
constexpr Property kRepositoryProperties[] = {
    {"repository", &kName, kRequired | kFirst, "Alias"},
    {"type", &kRepositoryType, kNone, "Where it is kept; git = Azure Repos"},
    {"name", &kString, kNone, "project/repository"},
    {"ref", &kString, kNone, "Branch or tag"},
    {"endpoint", &kString, kNone, "Service connection"},
    {"connection", &kString, kLegacy, "Old spelling of endpoint"},
    {"source", &kString, kLegacy, "Old spelling of name"},
    {"trigger", &kTrigger, kNone, "Pushes to it that start a run"},
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
constexpr const Shape *kPipelineTriggerAlternatives[] = {&kNoneWord, &kTrue,
                                                         &kPipelineTriggerMapping};
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

constexpr const Shape *kSimpleTriggerAlternatives[] = {&kNoneWord, &kTrue, &kAny};
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
constexpr std::string_view kSelfWords[] = {"self"};
constexpr Shape kSelf{.kind = Kind::Word, .name = "self", .words = kSelfWords};
constexpr Property kLegacyRepoProperties[] = {{"repo", &kSelf, kRequired | kFirst, "self"},
                                              {"clean", &kString, kNone, "Clean before fetch"},
                                              {"fetchDepth", &kString, kNone, "Depth"},
                                              {"lfs", &kString, kNone, "Large files"}};
constexpr Shape kLegacyRepo{
    .kind = Kind::Mapping, .name = "repo", .properties = kLegacyRepoProperties};
constexpr Shape kLegacyResources{
    .kind = Kind::List, .name = "legacy resources", .item = &kLegacyRepo};
constexpr const Shape *kResourcesAlternatives[] = {&kResourcesMapping, &kLegacyResources};

// What other parts refer to.
constexpr Shape kPullRequest{
    .kind = Kind::OneOf, .name = "pr", .alternatives = kPullRequestAlternatives};
constexpr Shape kSchedules{.kind = Kind::List, .name = "schedules", .item = &kSchedule};
constexpr Shape kResources{
    .kind = Kind::OneOf, .name = "resources", .alternatives = kResourcesAlternatives};
constexpr Shape kContainerResource{.kind = Kind::Mapping,
                                   .name = "container resource",
                                   .properties = kContainerResourceProperties,
                                   .loose = &kAny};

} // namespace pipelines::shape
