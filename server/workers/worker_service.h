#pragma once
/// Pools and workers, and the calls of job processes (schema/protocol/README.md, "Bulk").

#include "schema/base/result.h"
#include "schema/protocol/delivery.h"
#include "server/artifacts/artifact_store.h"
#include "server/logs/log_store.h"
#include "server/store/database.h"
#include "server/store/worker_store.h"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace server::events {
class EventHub;
}

namespace server::scheduler {
class Scheduler;
}

namespace server::workers {

struct Pool
{
    std::int64_t id = 0;
    std::string name;
    std::vector<std::string> vmImages; ///< vmImage names mapped to it; "*": every other name
    int workers = 0, online = 0;
    int maxParallelism = 0;           ///< jobs that its workers may hold at once; 0: no limit
    int queuedJobs = 0, heldJobs = 0; ///< that wait; that workers hold
};

/// A job that a worker holds now.
struct HeldJob
{
    std::string id, name; ///< name as people see it
    std::int64_t runId = 0;
    std::string runNumber, pipeline, projectId;
};

struct Worker
{
    std::int64_t id = 0;
    std::int64_t poolId = 0;
    std::string name, version;
    int slots = 1;
    bool enabled = true;
    bool online = false;
    std::vector<schema::protocol::Capability> capabilities;
    schema::TimePoint statusChangedAt, createdAt;
    std::vector<HeldJob> jobs;
};

struct Registration
{
    std::string token; ///< registration token
    std::string name;
    std::string pool; ///< empty: the token's pool
    std::string version;
    int slots = 1;
    std::vector<schema::protocol::Capability> capabilities;
    bool replace = false; ///< take over the name of an existing worker
};

struct Registered
{
    std::int64_t id = 0;
    std::string name, pool;
    std::string secret; ///< shown once; only its hash is stored
};

/// Pools, workers and their secrets. All methods are thread-safe.
class PoolService
{
public:
    PoolService(store::Database &database, scheduler::Scheduler &scheduler,
                events::EventHub &events);

    schema::Result<std::vector<Pool>> pools();
    /// Makes a pool for every `vmImage` where there is none yet, so that a fresh server can run
    /// jobs as soon as a worker registers.
    schema::Status ensureDefaultPool();
    /// With a limit of 0: none. Errors: AlreadyExists, InvalidArgument.
    schema::Result<Pool> createPool(const std::string &name, std::int64_t maxParallelism = 0);
    /// Changes what is given; a limit of 0 takes it away. Errors: NotFound, AlreadyExists,
    /// InvalidArgument.
    schema::Status updatePool(std::int64_t poolId, const std::optional<std::string> &name,
                              const std::optional<std::int64_t> &maxParallelism);
    /// Errors: NotFound; Conflict while it has workers, or jobs are to run in it.
    schema::Status removePool(std::int64_t poolId);
    /// Jobs that have not ended: "queued", "assigned", "running" and how many, for figures.
    schema::Result<std::vector<std::pair<std::string, std::int64_t>>> openJobs();
    /// Every mapped image name. Errors: Io.
    schema::Result<std::vector<store::PoolImageRow>> images();
    /// Errors: NotFound.
    schema::Status unmapImage(const std::string &vmImage);
    /// Lets jobs with `pool: vmImage: <vmImage>` run in the pool; "*" for all names without a
    /// mapping of their own (and for jobs that name no pool).
    schema::Status mapImage(const std::string &vmImage, std::int64_t poolId);
    schema::Result<std::vector<Worker>> workers(std::int64_t poolId);
    schema::Status setEnabled(std::int64_t workerId, bool enabled);
    /// Errors: Conflict while it holds jobs.
    schema::Status removeWorker(std::int64_t workerId);

    /// Errors: Unauthenticated (token unknown, used up or expired), AlreadyExists (name taken and
    /// not `replace`), NotFound (pool), InvalidArgument.
    schema::Result<Registered> registerWorker(const Registration &registration);
    /// Checks the secret of a worker that opens its channel. Errors: Unauthenticated; NotFound
    /// (removed).
    schema::Status authenticate(std::int64_t workerId, std::string_view secret);

private:
    store::Database &m_database;
    scheduler::Scheduler &m_scheduler;
    events::EventHub &m_events;
};

/// The job behind a bulk call, after its token was checked.
struct JobAccess
{
    std::string jobId;
    std::int64_t runId = 0;
    std::string recordId;
    int attempt = 1;
    std::string projectId;
    schema::TimePoint queuedAt; ///< when this attempt was
};

/// Calls of job processes. Every method checks the job's token first: Unauthenticated (no such
/// token), NotFound (job unknown), Conflict with message "leaseLost" first in it (the server gave
/// the job up). A value means: on disk. All methods are thread-safe.
class JobService
{
public:
    /// All must outlive the service.
    JobService(store::Database &database, scheduler::Scheduler &scheduler, logs::LogStore &logs,
               artifacts::ArtifactStore &artifacts, events::EventHub &events);

    /// The job that a token belongs to, for calls beside this class (git fetch of the job's
    /// repositories).
    schema::Result<JobAccess> authorize(std::string_view token);
    /// The open job, after its token was checked.
    schema::Result<JobAccess> access(const std::string &jobId, std::string_view token);

    /// Takes what the job process has to say in one transaction: records, pieces of logs, the end.
    /// Records that are not newer are dropped; of the job's own record only issues and progress are
    /// taken, its state and result are the server's. The first delivery of a job is its acceptance.
    /// A log piece with a gap before it is not taken and keeps the job from ending (see Delivered).
    /// Errors besides: InvalidArgument (a record of another job, a parent or a log's record that
    /// does not exist), LimitExceeded; nothing of the delivery is taken then.
    schema::Result<schema::protocol::Delivered> deliver(const std::string &jobId,
                                                        std::string_view token,
                                                        const schema::protocol::Delivery &delivery);

    /// A delivery of records alone.
    schema::Status mergeRecords(const std::string &jobId, std::string_view token,
                                const std::vector<schema::protocol::RecordUpdate> &updates);

    struct Appended
    {
        std::uint64_t length = 0;
        bool gap = false; ///< nothing was written: the offset is beyond `length`
    };

    /// A delivery of one piece of a log.
    schema::Result<Appended> appendLog(const std::string &jobId, std::string_view token,
                                       const std::string &recordId, std::uint64_t offset,
                                       std::span<const char> bytes);
    schema::Result<artifacts::ArtifactUpload>
    beginArtifact(const std::string &jobId, std::string_view token, const std::string &name);
    schema::Result<std::vector<artifacts::Artifact>> artifacts(const std::string &jobId,
                                                               std::string_view token);
    schema::Result<artifacts::Artifact> artifact(const std::string &jobId, std::string_view token,
                                                 const std::string &name);
    schema::Status addTestRun(const std::string &jobId, std::string_view token,
                              const schema::protocol::TestRunUpload &run);
    schema::Status addImage(const std::string &jobId, std::string_view token,
                            const schema::protocol::PushedImage &image);
    /// Errors besides: InvalidArgument (not a deployment job).
    schema::Status addDeployed(const std::string &jobId, std::string_view token,
                               const std::vector<schema::protocol::DeployedItem> &items);
    /// A delivery of the end alone. Repeating it is harmless.
    schema::Status complete(const std::string &jobId, std::string_view token,
                            const schema::protocol::JobCompletion &completion);

private:
    /// Deliveries of one job come one after the other; jobs that share a slot merely wait for each
    /// other. `running`: jobs of the slot that are known to be accepted.
    struct Slot
    {
        std::mutex mutex;
        std::unordered_set<std::string> running;
    };

    Slot &slotOf(const std::string &jobId);

    store::Database &m_database;
    scheduler::Scheduler &m_scheduler;
    logs::LogStore &m_logs;
    artifacts::ArtifactStore &m_artifacts;
    events::EventHub &m_events;
    std::array<Slot, 64> m_slots;
};

} // namespace server::workers
