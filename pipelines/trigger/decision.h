#pragma once
/// What an event means for a pipeline whose triggers are known: start a run, wait, or nothing.
/// Pure; the caller knows which runs are under way and does what is decided (pipeline-language 5.1
/// to 5.4, 4.3).

#include "pipelines/compile/compiler.h"
#include "pipelines/trigger/resource.h"

#include <span>
#include <string>
#include <string_view>

namespace pipelines::trigger {

enum class Action : std::uint8_t {
    Ignore,
    Start,
    /// `batch`: a run of the same pipeline and branch is under way. When it has ended, one run
    /// starts for the newest of the pushes that waited.
    Wait
};

/// A push to `ref` (full name). `headMessage`: of the newest commit, for skip markers.
/// `runIsActive`: a run of this pipeline and branch that a push started has not ended.
Action onPush(const Triggers::Push &trigger, std::string_view ref,
              std::span<const std::string> changedPaths, std::string_view headMessage,
              bool runIsActive);

/// The run that pushes waited for has ended: start one for the newest of them?
Action onBatchedRunEnded(const Triggers::Push &trigger, bool pushesWait);

/// A push to the repository of a repository resource; `batch` as for the pipeline's own repository.
Action onPush(const Triggers::Resource &resource, std::string_view ref,
              std::span<const std::string> changedPaths, std::string_view headMessage,
              bool runIsActive);

struct PullRequestDecision
{
    bool start = false;
    /// Runs of the same pipeline for the same pull request that have not ended are cancelled.
    bool cancelEarlier = false;
};

/// A pull request was opened or pushed to. Skip markers are not asked: they are about pushes.
PullRequestDecision onPullRequest(const Triggers::PullRequest &trigger, std::string_view targetRef,
                                  std::span<const std::string> changedPaths, bool isDraft);

/// What a schedule's earlier runs on one branch say.
struct ScheduleHistory
{
    /// The branch's head is not that of the last successful scheduled run, or there was none.
    bool branchChanged = true;
    bool runIsActive = false; ///< a scheduled run of it has not ended
};

/// The due time of a schedule has come, on a branch it is meant for.
Action onDue(const Triggers::Schedule &schedule, const ScheduleHistory &history);

/// Branch and commit of the consumer that a completed run of a pipeline resource starts.
struct TriggeredVersion
{
    std::string branch; ///< full ref
    std::string commit; ///< empty: the head of the branch
};

/// Both pipelines in one repository: the producer's branch and commit. Else the consumer's default
/// branch.
TriggeredVersion triggeredVersion(const Completion &completion, bool isSameRepository,
                                  std::string_view defaultBranch);

/// Text of `Resources.TriggeringCategory`: "pipeline", "repository", "container", ...
std::string_view categoryOf(Triggers::Resource::Kind kind);

} // namespace pipelines::trigger
