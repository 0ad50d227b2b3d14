#pragma once
/// The worker inside the server: runs jobs of `pool: server` (server_job.h). To the scheduler it is
/// a worker like others, in a pool of its own, so leases, cancels and time-outs work as for all.

#include "server/scheduler/scheduler.h"
#include "server/scheduler/secret_source.h"
#include "server/workers/server_job.h"
#include "server/workers/worker_service.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace server::workers {

/// A validation that waits, and whose it is.
struct PendingValidation
{
    Validation validation;
    std::int64_t runId = 0;
    std::string runNumber, projectName, pipelineName, stage, job;
};

/// Threads: one for jobs and their timers, one for HTTP calls. All methods are thread-safe.
class ServerWorker
{
public:
    using Clock = std::function<TimePoint()>;

    /// Everything must outlive the worker. `others` gets the frames of all other workers. Errors:
    /// Io.
    static schema::Result<std::unique_ptr<ServerWorker>> create(store::Database &database,
                                                                scheduler::Scheduler &scheduler,
                                                                scheduler::SecretSource &secrets,
                                                                JobService &jobs, Clock now);
    ~ServerWorker();

    /// What the scheduler sends through: frames for this worker stay here, others go to `others`.
    scheduler::WorkerChannel &channel(scheduler::WorkerChannel &others);
    /// After the scheduler has started: says hello with the jobs of the last process and goes on.
    schema::Status start();
    /// No job is looked at any more; they go on with the next process.
    void stop();

    [[nodiscard]] std::vector<PendingValidation> pending();
    /// Errors: NotFound (no such validation), Conflict (answered meanwhile). Answered: on disk.
    schema::Status answer(const std::string &recordId, bool approve, const std::string &byName,
                          const std::string &comment);
    /// Time was moved by a test.
    void wake();

private:
    struct State;
    explicit ServerWorker(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::workers
