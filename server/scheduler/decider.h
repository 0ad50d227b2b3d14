#pragma once
/// One decision in the making, internal to the state machine: an event edits a working copy, then
/// the graph follows. Split by subject: decider_people.cpp, decider_jobs.cpp, decider_checks.cpp,
/// decider_stages.cpp.

#include "server/scheduler/state_machine.h"
#include "server/scheduler/working_copy.h"

#include <optional>
#include <string>

namespace server::scheduler {

/// Why a stage ends that a person canceled; while it still runs, the mark that nothing more begins.
constexpr const char *kStageCanceled = "the stage was canceled";

bool succeeded(const std::optional<schema::TaskResult> &result);
/// nullptr when the plan has none of that name.
const schema::Stage *findStage(const schema::RunPlan &plan, const std::string &name);
const schema::Job *findJob(const schema::RunPlan &plan, const std::string &stage,
                           const std::string &job);

/// One decision in the making: events edit a working copy, settle() lets the graph follow.
class Decider
{
public:
    Decider(const RunSnapshot &snapshot, TimePoint now)
        : m_copy(snapshot)
        , m_plan(*snapshot.plan)
        , m_now(now)
    {}

    Decision run(const RunEvent &event);

private:
    using Error = schema::Error;
    using ErrorCode = schema::ErrorCode;
    using RecordState = schema::RecordState;
    using RecordType = schema::RecordType;
    using RunStatus = schema::RunStatus;
    using TaskResult = schema::TaskResult;
    using ApprovalRow = store::ApprovalRow;
    using ApprovalStatus = store::ApprovalStatus;
    using JobRow = store::JobRow;
    using JobState = store::JobState;
    using LockRow = store::LockRow;
    using PhaseRow = store::PhaseRow;
    using StagePhase = store::StagePhase;
    using StageRow = store::StageRow;
    using Refusal = std::optional<Error>;

    // ---- what people and the loop say ----
    Refusal on(const RunCreated &);
    Refusal on(const StageResolved &event);
    Refusal on(const ApprovalDecided &event);
    Refusal on(const LockGranted &event);
    Refusal on(const LockSuperseded &event);
    Refusal on(const StageStarted &event);
    Refusal on(const CancelRequested &event);
    Refusal on(const StageCancelRequested &event);
    Refusal on(const RetryRequested &event);
    Refusal on(const PriorityChanged &event);
    Refusal on(const RunRenamed &event);
    Refusal on(const JobCancelRequested &event);
    Refusal on(const JobRetryRequested &event);
    /// Jobs of a stage that wait for `job`, through others too, and have not run.
    std::vector<PhaseKey> skippedBehind(const std::string &stage, const std::string &job) const;

    // ---- jobs and workers ----
    Refusal on(const JobAssigned &event);
    Refusal on(const JobUnassignable &event);
    Refusal on(const JobAccepted &event);
    Refusal on(const LeaseRenewed &event);
    Refusal on(const JobRefused &event);
    Refusal on(const JobLost &event);
    Refusal on(const JobCompleted &event);
    Refusal on(const TimerDue &);
    Refusal on(const ClockJumped &event);

    // ---- parts ----
    const JobRow *holding(const std::string &jobId, std::int64_t workerId) const;
    void begin(JobRow &job);
    void started();
    void endJob(JobRow &job, TaskResult result, std::string message);
    /// Ends a job that a worker may still hold.
    void giveUp(JobRow &job, TaskResult result, std::string message);
    void leaseEnded(JobRow &job);
    /// An offer that came to nothing. Its token dies with it: a process that was started
    /// nevertheless learns at its first call that the job is not its own.
    void backToQueue(JobRow &job);
    void askToCancel(JobRow &job, std::string reason);

    // ---- checks ----
    bool isRequester(const std::string &stage, const std::string &identity) const;
    bool pendingApprovals(const std::string &stage) const;
    bool waitsForPerson(const StageRow &stage) const;
    void continueChecks(const StageResolved &resolved);
    void requestApprovals(const StageResolved &resolved);
    /// First environment, in ascending order (no deadlock), whose lock this stage neither holds nor
    /// waits for; 0 for the stage's own lock; nothing while it waits for one.
    std::optional<std::int64_t> nextLock(const StageResolved &resolved) const;
    void requestLock(const StageResolved &resolved, std::int64_t environment);
    std::string checkpointId(const StageRow &stage) const;
    void beginCheckpoint(const StageRow &stage);
    CheckpointRecord lockRecord(const LockRow &lock, RecordState state,
                                std::optional<TaskResult> result) const;
    void checkpoint(CheckpointRecord record);
    void endApproval(ApprovalRow &approval, ApprovalStatus status);
    void endChecks(const StageRow &stage, TaskResult result);

    // ---- stages ----
    void start(const std::string &name);
    void releaseLocks(const std::string &stage);
    /// Ends a stage that does not get to run, or whose run is over.
    void endStage(const std::string &name, TaskResult result, std::string reason);
    void endPhase(const PhaseKey &key, TaskResult result, std::string message);

    // ---- the graph ----
    void settle();
    /// settle() after nothing but jobs ended: looks at their phases and what waits for those.
    void settleJobs();
    /// Whether a phase has to be looked at: it ended a job of its own, or what it waits for ended.
    bool mayMove(const PlanIndex::Place &place) const;
    std::set<std::string> dependenciesOf(const PlanIndex::Place &place) const;
    void take(const pipelines::run::StageReady &step);
    void take(const pipelines::run::StageSkipped &step);
    void take(const pipelines::run::StageCompleted &step);
    void take(const pipelines::run::JobSkipped &step);
    void take(const pipelines::run::JobCompleted &step);
    void take(const pipelines::run::RunCompleted &step);
    void take(const pipelines::run::JobExpanded &step);
    void create(const PhaseRow &phase, const pipelines::run::JobInstance &instance);

    WorkingCopy m_copy;
    const schema::RunPlan &m_plan;
    TimePoint m_now;
    Decision m_decision;
};

} // namespace server::scheduler
