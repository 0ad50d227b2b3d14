#pragma once
/// The decisions about one run: `decide(snapshot, event, now)`. Pure: no clock, no store, no
/// network, no randomness; equal input gives equal output. What it cannot know (targets, locks,
/// workers) it asks for with queries; the answers come back as events in the same transaction.

#include "schema/base/result.h"
#include "schema/protocol/messages.h"
#include "server/scheduler/run_snapshot.h"

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace server::scheduler {

// ---- events ----------------------------------------------------------------------------------

/// The run was created, or its snapshot was loaded again: do what is due.
struct RunCreated
{
};

/// Answer to ResolveStage.
struct StageResolved
{
    struct Target
    {
        std::string phase;
        std::int64_t environmentId = 0, resourceId = 0;
        std::string environmentName;
    };

    std::string stage;
    std::vector<Target> targets;         ///< one per deployment job
    std::vector<store::CheckRow> checks; ///< of all targeted environments
    std::string error;                   ///< not empty: the stage cannot run, and why
};

struct ApprovalDecided
{
    std::string approvalId, identityId, displayName;
    bool approve = false;
    std::string comment;
};

struct LockGranted
{
    std::string stage;
    std::int64_t environmentId = 0; ///< 0: the lock of the stage itself
};

/// A person starts a stage that waits for it (`trigger: manual`).
struct StageStarted
{
    std::string stage, identityId;
};

/// A newer run took this one's place in the queue for the lock.
struct LockSuperseded
{
    std::string stage;
    std::int64_t environmentId = 0;
    std::string byRunNumber;
};

struct JobAssigned
{
    std::string jobId;
    std::int64_t workerId = 0;
    store::Blob tokenHash;
    TimePoint leasedUntil{};
};

/// The job could not be made ready for a worker (missing connection, closed pool).
struct JobUnassignable
{
    std::string jobId;
    std::string message;
};

struct JobAccepted
{
    std::string jobId;
    std::int64_t workerId = 0;
    std::string workerName;
    TimePoint leasedUntil{};
};

struct JobRefused
{
    std::string jobId;
    std::int64_t workerId = 0;
};

struct LeaseRenewed
{
    std::string jobId;
    std::int64_t workerId = 0;
    TimePoint leasedUntil{};
};

/// The worker says it does not have the job (any more).
struct JobLost
{
    std::string jobId;
    std::int64_t workerId = 0;
    std::string reason;
};

struct JobCompleted
{
    std::string jobId;
    schema::protocol::JobCompletion completion;
};

/// A deadline found by nextDeadline() may have passed.
struct TimerDue
{
};

struct CancelRequested
{
    std::string identityId;
};

/// One stage is to end; the rest of the run goes on.
struct StageCancelRequested
{
    std::string stage, identityId;
};

/// One job instance is to end; everything else goes on.
struct JobCancelRequested
{
    std::string jobId, identityId;
};

/// A job (all instances of it that did not succeed) is to run again, while its stage goes on.
struct JobRetryRequested
{
    std::string jobId, identityId;
};

/// The wall clock was set by so much. Leases and time-outs measure durations: they move along.
struct ClockJumped
{
    std::chrono::milliseconds by{};
};

/// How urgent the run is from now on.
struct PriorityChanged
{
    schema::RunPriority priority = schema::RunPriority::Normal;
};

/// The run has another number from now on, as steps say by `build.updatebuildnumber`.
struct RunRenamed
{
    std::string number;
};

struct RetryRequested
{
    std::vector<std::string> stages; ///< empty: every stage that can be retried
    bool allJobs = false;
    std::string identityId;
};

using RunEvent = std::variant<RunCreated, StageResolved, ApprovalDecided, LockGranted, StageStarted,
                              LockSuperseded, JobAssigned, JobUnassignable, JobAccepted, JobRefused,
                              LeaseRenewed, JobLost, JobCompleted, TimerDue, CancelRequested,
                              StageCancelRequested, JobCancelRequested, JobRetryRequested,
                              RetryRequested, ClockJumped, PriorityChanged, RunRenamed>;

// ---- decisions -------------------------------------------------------------------------------

/// A new job instance; the writer seals `instance` into the row.
struct JobCreated
{
    store::JobRow row;
    std::shared_ptr<const pipelines::run::JobInstance> instance;
};

struct LockReleased
{
    store::LockRow lock;
};

/// A server-owned record that no other row stands for: checkpoints.
struct CheckpointRecord
{
    std::string id;
    std::string parentId;
    std::string stage;
    int attempt = 1;
    schema::RecordType type = schema::RecordType::Checkpoint;
    std::string name;
    int ordinal = 0;
    schema::RecordState state = schema::RecordState::Pending;
    std::optional<schema::TaskResult> result;
    std::optional<TimePoint> startedAt, finishedAt;
    std::string message; ///< becomes an issue of the record
};

/// Secret outputs of a completed job; the writer seals them.
struct SecretOutputs
{
    std::string jobId;
    std::vector<schema::protocol::OutputVariable> outputs;
};

/// New state of one row each. Applied in order, to the snapshot and to the database alike.
using Change = std::variant<store::RunRow, store::StageRow, store::PhaseRow, JobCreated,
                            store::JobRow, SecretOutputs, store::ApprovalRow, store::LockRow,
                            LockReleased, DeploymentState, CheckpointRecord>;

/// Wanted within the transaction: environments and checks of the stage's deployment jobs
/// (StageResolved).
struct ResolveStage
{
    std::string stage;
};

// After the commit:
struct SendCancel
{
    std::int64_t workerId = 0;
    std::string jobId, reason;
};

struct SendLeaseLost
{
    std::int64_t workerId = 0;
    std::string jobId;
};

using Action = std::variant<SendCancel, SendLeaseLost>;

struct Decision
{
    std::vector<Change> changes;
    std::vector<ResolveStage> queries;
    std::vector<Action> actions;
    /// The event is not allowed in this state; there are no changes then.
    std::optional<schema::Error> refused;
};

/// Everything that follows from `event` now.
Decision decide(const RunSnapshot &snapshot, const RunEvent &event, TimePoint now);

/// Brings the snapshot to the state after a change.
void applyChange(RunSnapshot &snapshot, const Change &change);

/// Rows of a new run: every stage and phase of the plan, pending. `run.id` and `run.planId` must be
/// set.
std::vector<Change> initialRows(const store::RunRow &run, const schema::RunPlan &plan);

} // namespace server::scheduler
