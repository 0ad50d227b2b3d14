// Jobs, deployments and the old phases (pipeline-language 3.3, 3.4, 3.7, 3.8, 3.14).
#include "pipelines/shape/tables/tables.h"

namespace pipelines::shape {

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
constexpr Property kRunOnceStrategyProperties[] = {
    {"runOnce", &kRunOnce, kRequired, "Hooks once, in order"}};
constexpr Shape kRunOnceStrategy{
    .kind = Kind::Mapping, .name = "runOnce strategy", .properties = kRunOnceStrategyProperties};
constexpr Property kRollingStrategyProperties[] = {
    {"rolling", &kRolling, kRequired, "Machine by machine"}};
constexpr Shape kRollingStrategy{
    .kind = Kind::Mapping, .name = "rolling strategy", .properties = kRollingStrategyProperties};
constexpr Property kCanaryStrategyProperties[] = {
    {"canary", &kCanary, kRequired, "In growing steps"}};
constexpr Shape kCanaryStrategy{
    .kind = Kind::Mapping, .name = "canary strategy", .properties = kCanaryStrategyProperties};
constexpr const Shape *kDeploymentStrategyAlternatives[] = {&kRunOnceStrategy, &kRollingStrategy,
                                                            &kCanaryStrategy};
constexpr Shape kDeploymentStrategy{.kind = Kind::OneOf,
                                    .name = "deployment strategy",
                                    .alternatives = kDeploymentStrategyAlternatives};
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
constexpr Shape kJobItem{.kind = Kind::OneOf, .name = "job", .alternatives = kJobAlternatives};

} // namespace pipelines::shape
