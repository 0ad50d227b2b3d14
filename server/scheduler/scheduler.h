#pragma once
/// The loop that drives all runs: takes commands, decides (state_machine.h), writes every change of
/// a batch in one transaction, and only then tells workers and watchers. One thread; it sleeps
/// until a command comes or the next deadline found in the data is due.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "schema/protocol/messages.h"
#include "server/scheduler/run_service.h"
#include "server/scheduler/secret_source.h"
#include "server/store/database.h"
#include "server/store/run_store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::events {
class EventHub;
}

namespace server::logs {
class LogStore;
}

namespace server::scheduler {

/// Where frames for workers go. Implemented by workers::WorkerHub. Called on the scheduler's
/// thread.
class WorkerChannel
{
public:
    virtual ~WorkerChannel() = default;
    /// Queues a frame; false when the worker is not connected.
    virtual bool send(std::int64_t workerId, const schema::protocol::ServerFrame &frame) = 0;
};

/// Since the start of the machine.
std::chrono::milliseconds steadyClockNow();

struct SchedulerOptions
{
    /// Wall clock; tests and the simulation bring their own.
    std::function<schema::TimePoint()> now = schema::wallClockNow;
    /// Clock that nobody can set, from any origin: tells a wall clock that was set (or a machine
    /// that slept) from time that passed. Leases and time-outs are durations and go by this one.
    std::function<std::chrono::milliseconds()> steady = steadyClockNow;
    /// How long an offer may stay unanswered before the job goes back to the queue, seconds.
    int offerSeconds = schema::protocol::kLeaseSeconds;
    int leaseSeconds = schema::protocol::kLeaseSeconds;
};

/// Something a job process delivers that changes its job as well: its first words, and its end.
struct JobDelivery
{
    std::string jobId;
    store::Blob tokenHash;
    /// Writes the rest of the delivery into the same transaction; gives whether the job may end
    /// with it. Called on the loop's thread, with the open job and the change id for what it
    /// writes; not for a completion that is repeated. Writes nothing when it gives an error.
    std::function<schema::Result<bool>(store::Connection &, const store::JobRow &job,
                                       std::int64_t changeId)>
        write;
    std::optional<schema::protocol::JobCompletion> completion;
};

/// Methods are thread-safe; those with a result block until the change is on disk.
class Scheduler
{
public:
    /// All must outlive the scheduler. start() begins the loop.
    Scheduler(store::Database &database, SecretSource &secrets, logs::LogStore &logs,
              events::EventHub &events, SchedulerOptions options = {});
    ~Scheduler();
    Scheduler(const Scheduler &) = delete;
    Scheduler &operator=(const Scheduler &) = delete;

    /// Loads open runs and begins; jobs offered and not accepted before a crash are offered again
    /// when their worker connects. `channel` must outlive stop().
    schema::Status start(WorkerChannel &channel);
    /// Finishes the batch at hand and ends the thread. Later commands get Unavailable.
    void stop();

    // For RunService, ApprovalService and JobService, which document them.
    schema::Result<std::int64_t> createRun(NewRun run);
    schema::Status cancelRun(std::int64_t runId, const std::string &identityId);
    schema::Status retryStages(std::int64_t runId, const std::vector<std::string> &stages,
                               bool allJobs, const std::string &identityId);
    schema::Status startStage(std::int64_t runId, const std::string &stage,
                              const std::string &identityId);
    schema::Status cancelStage(std::int64_t runId, const std::string &stage,
                               const std::string &identityId);
    schema::Status cancelJob(std::int64_t runId, const std::string &jobId,
                             const std::string &identityId);
    schema::Status retryJob(std::int64_t runId, const std::string &jobId,
                            const std::string &identityId);
    schema::Status setPriority(std::int64_t runId, schema::RunPriority priority);
    schema::Status rename(std::int64_t runId, std::string number);
    schema::Status decideApproval(const std::string &approvalId, const std::string &identityId,
                                  bool approve, const std::string &comment);
    /// Gives whether the job is completed. Errors: NotFound, Conflict ("leaseLost: ..."), those of
    /// `write`.
    schema::Result<bool> deliver(JobDelivery delivery);

    // For the worker hub; these only queue.
    void workerConnected(std::int64_t workerId, std::string serverUrl);
    void workerDisconnected(std::int64_t workerId);
    void workerFrame(std::int64_t workerId, schema::protocol::WorkerFrame frame);

    /// Pools, images, workers or checks were changed in the database: read them again.
    void configurationChanged();
    /// A job process called: the offer counts as accepted even when its frame got lost.
    void jobSeen(const std::string &jobId);
    /// Jobs that ended since start(), for metrics.
    [[nodiscard]] std::uint64_t jobsCompleted() const;
    /// Why jobs of the run wait for a worker.
    schema::Result<std::vector<Waiting>> waitingForWorkers(std::int64_t runId);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace server::scheduler
