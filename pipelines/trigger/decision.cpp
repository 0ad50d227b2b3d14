#include "pipelines/trigger/decision.h"

#include "pipelines/trigger/filter.h"

namespace pipelines::trigger {
namespace {

Action startOrWait(bool accepted, std::string_view headMessage, bool batch, bool runIsActive)
{
    if (!accepted || hasSkipMarker(headMessage))
        return Action::Ignore;
    return batch && runIsActive ? Action::Wait : Action::Start;
}

} // namespace

Action onPush(const Triggers::Push &trigger, std::string_view ref,
              std::span<const std::string> changedPaths, std::string_view headMessage,
              bool runIsActive)
{
    return startOrWait(matches(trigger, ref, changedPaths), headMessage, trigger.batch,
                       runIsActive);
}

Action onBatchedRunEnded(const Triggers::Push &trigger, bool pushesWait)
{
    // Whoever switched the trigger off meanwhile wants no run of what waited.
    return pushesWait && trigger.enabled ? Action::Start : Action::Ignore;
}

Action onPush(const Triggers::Resource &resource, std::string_view ref,
              std::span<const std::string> changedPaths, std::string_view headMessage,
              bool runIsActive)
{
    return startOrWait(matchesPush(resource, ref, changedPaths), headMessage, resource.batch,
                       runIsActive);
}

PullRequestDecision onPullRequest(const Triggers::PullRequest &trigger, std::string_view targetRef,
                                  std::span<const std::string> changedPaths, bool isDraft)
{
    const bool start = matches(trigger, targetRef, changedPaths, isDraft);
    return {start, start && trigger.autoCancel};
}

Action onDue(const Triggers::Schedule &schedule, const ScheduleHistory &history)
{
    if (!schedule.always && !history.branchChanged)
        return Action::Ignore;
    return schedule.batch && history.runIsActive ? Action::Ignore : Action::Start;
}

TriggeredVersion triggeredVersion(const Completion &completion, bool isSameRepository,
                                  std::string_view defaultBranch)
{
    if (isSameRepository)
        return {completion.branch, completion.commit};
    return {std::string(defaultBranch), {}};
}

std::string_view categoryOf(Triggers::Resource::Kind kind)
{
    switch (kind) {
    case Triggers::Resource::Kind::Pipeline:
        return "pipeline";
    case Triggers::Resource::Kind::Repository:
        return "repository";
    case Triggers::Resource::Kind::Container:
        return "container";
    case Triggers::Resource::Kind::Build:
        return "build";
    case Triggers::Resource::Kind::Package:
        return "package";
    case Triggers::Resource::Kind::Webhook:
        return "webhook";
    }
    return {};
}

} // namespace pipelines::trigger
