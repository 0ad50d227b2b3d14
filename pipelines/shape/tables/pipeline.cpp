// Stages, parameters and the root (pipeline-language 3.1, 3.2, 6).
#include "pipelines/shape/tables/tables.h"

namespace pipelines::shape {

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

#define SLIPWAY_ROOT_PROPERTIES                                                                    \
    {"name", &kString, kNone, "Format of the run number"},                                         \
        {"appendCommitMessageToRunName", &kBoolean, kNone, "Show the commit's message"},           \
        {"trigger", &kTrigger, kNone, "Pushes that start a run"},                                  \
        {"pr", &kPullRequest, kNone, "Pull requests that start a run"},                            \
        {"schedules", &kSchedules, kNone, "Times that start a run"},                               \
        {"parameters", &kAny, kNone, "Values asked for when queueing"},                            \
        {"resources", &kResources, kNone, "What the run uses from elsewhere"},                     \
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

constexpr Shape kRoot{.kind = Kind::OneOf, .name = "pipeline", .alternatives = kRootAlternatives};
constexpr Shape kStageItem{
    .kind = Kind::OneOf, .name = "stage", .alternatives = kStageAlternatives};
constexpr Shape kParameterItem{
    .kind = Kind::Mapping, .name = "parameter", .properties = kParameterProperties};
constexpr Shape kParameters{.kind = Kind::List, .name = "parameters", .item = &kParameterItem};

} // namespace pipelines::shape
