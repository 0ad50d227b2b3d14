#pragma once
/// What the scheduler's loop keeps in memory between batches. Everything here can be rebuilt from
/// the database; after a failed commit it is. Owned by the loop's thread.

#include "schema/protocol/messages.h"
#include "server/scheduler/assignment.h"
#include "server/scheduler/lock_queue.h"
#include "server/scheduler/run_context.h"
#include "server/scheduler/scheduler.h"
#include "server/scheduler/state_machine.h"
#include "server/store/worker_store.h"

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace server::scheduler {

template <typename T> using Reply = std::shared_ptr<std::promise<schema::Result<T>>>;
using Done = Reply<std::monostate>;

// ---- commands --------------------------------------------------------------------------------

struct CreateRunCommand
{
    std::shared_ptr<NewRun> run;
    Reply<std::int64_t> reply;
};

/// Two clocks of one moment. The wall clock can be set; the other one only goes on.
struct ClockReading
{
    TimePoint wall{};
    std::chrono::milliseconds steady{};
};

/// By how much the wall clock was set between two readings; 0 for what drift and rounding explain
/// (less than two seconds).
std::chrono::milliseconds jumpBetween(const ClockReading &before, const ClockReading &after);

/// An event of one run; `reply` may be null.
struct RunEventCommand
{
    std::int64_t runId = 0;
    RunEvent event;
    Done reply;
};

/// How urgent a run is from now on.
struct PriorityCommand
{
    std::int64_t runId = 0;
    schema::RunPriority priority = schema::RunPriority::Normal;
    Done reply;
};

/// Another number of a run, which jobs that begin later get, too.
struct RenameCommand
{
    std::int64_t runId = 0;
    std::string number;
    Done reply;
};

struct DecideApprovalCommand
{
    std::string approvalId, identityId;
    bool approve = false;
    std::string comment;
    Done reply;
};

struct DeliverCommand
{
    std::shared_ptr<JobDelivery> delivery;
    Reply<bool> reply;
};

struct WorkerUpCommand
{
    std::int64_t workerId = 0;
    std::string serverUrl;
};

struct WorkerDownCommand
{
    std::int64_t workerId = 0;
};

struct WorkerFrameCommand
{
    std::int64_t workerId = 0;
    schema::protocol::WorkerFrame frame;
};

struct JobSeenCommand
{
    std::string jobId;
};

struct ConfigurationCommand
{
};

/// Look at a lock again.
struct LocksCommand
{
    store::LockKey key;
};

struct ExplainCommand
{
    std::int64_t runId = 0;
    Reply<std::vector<Waiting>> reply;
};

using Command = std::variant<CreateRunCommand, RunEventCommand, PriorityCommand, RenameCommand,
                             DecideApprovalCommand, DeliverCommand, WorkerUpCommand,
                             WorkerDownCommand, WorkerFrameCommand, JobSeenCommand,
                             ConfigurationCommand, LocksCommand, ExplainCommand>;

// ---- memory ----------------------------------------------------------------------------------

struct ConnectedWorker
{
    store::WorkerRow row;
    bool connected = false;
    bool ready = false; ///< said hello on this connection
    std::string serverUrl;
    std::set<std::string> jobs; ///< offered or running, until it says Finished
};

/// A job that a worker holds, as limits and shares count it.
struct CountedJob
{
    std::int64_t poolId = 0, pipelineId = 0, runId = 0;
    bool limited = true; ///< counts for its pipeline's limit
};

struct LoopState
{
    std::map<std::int64_t, std::unique_ptr<RunContext>> runs; ///< open ones
    PlanCache plans;
    std::map<std::string, std::int64_t> runOfJob; ///< open jobs
    std::map<std::int64_t, ConnectedWorker> workers;
    std::vector<store::PoolRow> pools;
    std::vector<store::PoolImageRow> images;
    /// By pool: a pool's workers only ever look at its own queue.
    std::map<std::int64_t, JobQueue> queues;
    std::map<std::string, std::int64_t> poolOfQueued; ///< by job id
    /// Pipelines with a limit.
    std::map<std::int64_t, int> pipelineLimits;
    std::map<std::string, CountedJob> held;     ///< by job id
    std::map<std::int64_t, int> heldOfPool;     ///< none: not in it
    std::map<std::int64_t, int> heldOfPipeline; ///< but those of the server's own pool
    std::map<std::int64_t, Shares> shares;      ///< by pool
    /// Workers with a free slot, by pool. Kept by noteWorker().
    std::map<std::int64_t, std::set<std::int64_t>> idle;
    std::map<store::LockKey, std::vector<LockEntry>> locks;
    std::set<std::pair<TimePoint, std::int64_t>> deadlines;
    std::map<std::int64_t, TimePoint> deadlineOf;
    /// When refusals are forgotten and refused jobs are offered again.
    std::optional<TimePoint> refusalsEnd;
};

/// Fills `state` from the database; who is connected stays as it was.
schema::Status loadState(store::Connection &connection, SecretSource &secrets, LoopState &state);

/// Puts a run's jobs and its next deadline where they belong.
void indexRun(LoopState &state, const RunContext &context);
/// Forgets a run that is over.
void forgetRun(LoopState &state, std::int64_t runId);
void indexJob(LoopState &state, const RunSnapshot &run, const store::JobRow &job);
/// Puts a run's queued jobs where they belong now that its priority changed.
void requeueRun(LoopState &state, const RunContext &context);

/// The queued job; nullptr when it is not queued.
QueuedJob *queuedJob(LoopState &state, const std::string &jobId);

/// Call it after every change of a worker: whether it has a free slot now.
void noteWorker(LoopState &state, std::int64_t workerId);
/// What the limits leave for the jobs of a pool.
Room roomOf(const LoopState &state, std::int64_t poolId);
/// The limit that keeps a queued job waiting whatever workers there are; nothing when none does.
std::optional<Limit> limitOf(const LoopState &state, const QueuedJob &job);
/// Reads pools, images and limits.
void loadConfiguration(store::Connection &connection, LoopState &state);
/// How long the loop may sleep when nobody sends it anything: until the next deadline, at least 0
/// ms and at most 30 s, because the wall clock may stand still or be set meanwhile; nothing when
/// there is no deadline.
std::optional<std::chrono::milliseconds> untilDeadline(const LoopState &state, TimePoint now);
WorkerSlot slotOf(const ConnectedWorker &worker);
std::vector<WorkerSlot> workerSlots(const LoopState &state);

} // namespace server::scheduler
