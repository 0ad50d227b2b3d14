#pragma once
/// One run as the state machine sees it: a value, complete for every decision about this run, equal
/// to what the database says.

#include "pipelines/run/graph.h"
#include "schema/base/time.h"
#include "schema/model/plan.h"
#include "server/scheduler/plan_index.h"
#include "server/store/check_store.h"
#include "server/store/run_store.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace server::scheduler {

using schema::TimePoint;

/// Stage and phase name.
using PhaseKey = std::pair<std::string, std::string>;

/// A deployment job's execution against its target, as far as the state machine needs it.
struct DeploymentState
{
    std::string stage, phase;
    int stageAttempt = 1, phaseAttempt = 1;
    std::int64_t environmentId = 0, resourceId = 0;
    std::string requestIdentifier;
    TimePoint queuedAt{};
    std::optional<TimePoint> startedAt, finishedAt;
    std::optional<schema::TaskResult> result;
    bool operator==(const DeploymentState &) const = default;
};

/// What a decision about one job would have to search a whole run for. Kept by applyChange().
struct JobIndex
{
    std::set<std::string> held;                              ///< assigned or running
    std::map<PhaseKey, std::set<std::string>> ofPhase;       ///< that count for the newest attempt
    std::map<PhaseKey, std::size_t> open;                    ///< not completed, by phase
    std::map<std::string, std::set<std::string>> openPhases; ///< not completed, by stage
    bool operator==(const JobIndex &) const = default;
};

struct RunSnapshot
{
    store::RunRow run;
    std::shared_ptr<const schema::RunPlan> plan;
    /// Of `plan`; made when it is first needed.
    mutable std::shared_ptr<const PlanIndex> planIndex;
    JobIndex index;
    /// Newest attempts.
    std::map<std::string, store::StageRow> stages;
    std::map<PhaseKey, store::PhaseRow> phases;
    /// Instances that count for the newest attempts, by job id.
    std::map<std::string, store::JobRow> jobs;
    /// Of the newest stage attempts.
    std::map<std::string, store::ApprovalRow> approvals;
    std::vector<store::LockRow> locks;               ///< held or waited for
    std::map<PhaseKey, DeploymentState> deployments; ///< of the newest phase attempts
    /// Variables known outside the plan (predefined, queue time) and the groups it uses.
    std::vector<schema::protocol::JobVariable> variables;
    std::map<std::string, std::vector<schema::protocol::JobVariable>> groups;
    /// Root variables whose `$[ ]` was evaluated when the run was created.
    std::vector<std::pair<std::string, std::string>> rootValues;
    /// Secret outputs of finished jobs, by job id.
    std::map<std::string, std::vector<schema::protocol::OutputVariable>> secretOutputs;
};

/// The index of the snapshot's plan.
const PlanIndex &planIndexOf(const RunSnapshot &snapshot);

/// Whether an instance counts for an attempt of its phase: it is of that attempt, or it succeeded
/// in an earlier one and the attempt carries successes of that one over.
bool countsFor(const store::JobRow &job, const store::PhaseRow &phase);

/// The graph's view of a snapshot.
pipelines::run::RunProgress progressOf(const RunSnapshot &snapshot);
/// Its parts: without stages, and what one job of it is.
pipelines::run::RunProgress emptyProgressOf(const RunSnapshot &snapshot);
pipelines::run::StageProgress stageProgressOf(const store::StageRow &row);
pipelines::run::JobProgress jobProgressOf(const store::PhaseRow &row,
                                          std::vector<const store::JobRow *> jobs,
                                          const RunSnapshot &snapshot);

/// Earliest moment at which TimerDue may change something; nothing when only events can.
std::optional<TimePoint> nextDeadline(const RunSnapshot &snapshot);

/// Whether a completed stage did not succeed, so that it can be retried.
bool isRetryable(const store::StageRow &stage);

} // namespace server::scheduler
