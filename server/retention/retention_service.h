#pragma once
/// Keeps runs as long as policies, leases and deployments want them, and deletes the others:
/// records, logs, artifacts. Deletion goes in small pieces and never while a backup is running.

#include "schema/base/result.h"
#include "server/retention/retention_policy.h"
#include "server/store/database.h"
#include "server/store/retention_store.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace server::logs {
class LogStore;
}

namespace server::artifacts {
class ArtifactStore;
}

namespace server::retention {

struct NewLease
{
    std::int64_t runId = 0;
    std::string ownerId;
    int daysValid = 0; ///< kMostDays or more: for ever
    bool protectPipeline = false;
};

/// All methods are thread-safe.
class RetentionService
{
public:
    using Clock = std::function<schema::TimePoint()>;

    /// All must outlive the service. `deletionLock`: file of the lock shared with backups.
    RetentionService(store::Database &database, logs::LogStore &logs,
                     artifacts::ArtifactStore &artifacts, std::filesystem::path deletionLock,
                     Clock now = schema::wallClockNow);
    ~RetentionService();

    /// Starts the thread that sweeps every hour and after every deletion.
    void start();
    void stop();

    /// Policy of a pipeline: its own, else the project's, else the default; `own` says which.
    struct Effective
    {
        store::RetentionPolicyRow policy;
        bool own = false;
    };

    schema::Result<Effective> policy(const std::string &projectId, std::int64_t pipelineId);
    /// Errors: InvalidArgument naming the field.
    schema::Status setPolicy(const store::RetentionPolicyRow &policy);
    /// The pipeline follows the project again.
    schema::Status clearPolicy(const std::string &projectId, std::int64_t pipelineId);

    /// All or none. Errors: InvalidArgument (a run of another project, no owner, days < 1).
    schema::Result<std::vector<store::RetentionLeaseRow>>
    addLeases(const std::string &projectId, const std::vector<NewLease> &leases);
    schema::Result<store::RetentionLeaseRow> lease(const std::string &projectId, std::int64_t id);
    schema::Result<std::vector<store::RetentionLeaseRow>> leases(const store::LeaseQuery &query);
    /// Ids that do not exist are passed over.
    schema::Status removeLeases(const std::string &projectId, const std::vector<std::int64_t> &ids);
    schema::Result<store::RetentionLeaseRow> updateLease(const std::string &projectId,
                                                         std::int64_t id,
                                                         std::optional<int> daysValid,
                                                         std::optional<bool> protectPipeline);

    /// Those of the runs that a lease keeps now.
    schema::Result<std::set<std::int64_t>> leased(const std::vector<std::int64_t> &runIds);

    /// Errors: NotFound; Conflict (not completed, leased, or deployed now).
    schema::Status deleteRun(std::int64_t runId);
    /// Takes a pipeline with all its runs away. Errors: Conflict (a run is going on, or a lease
    /// protects the pipeline).
    schema::Status deletePipeline(std::int64_t pipelineId);
    /// What becomes of a completed run and why. Errors: NotFound (also: not completed).
    schema::Result<Verdict> verdict(const std::string &projectId, std::int64_t runId);

    struct Swept
    {
        int runs = 0, artifacts = 0;
    };

    /// One round over everything, on the caller's thread (the loop's own step; for tests). Ends
    /// early, without error, while a backup is running.
    schema::Result<Swept> sweep();

private:
    void loop(const std::stop_token &stop);
    void wake();
    schema::Status emptyRun(std::int64_t runId);
    schema::Status dropBlobs(const std::vector<std::string> &blobs);
    schema::Result<Swept> sweepPipeline(std::int64_t pipelineId,
                                        const store::RetentionPolicyRow &policy,
                                        const std::vector<std::int64_t> &deployed);

    store::Database &m_database;
    logs::LogStore &m_logs;
    artifacts::ArtifactStore &m_artifacts;
    std::filesystem::path m_deletionLock;
    Clock m_now;
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    bool m_wanted = false; ///< guarded by m_mutex
    std::jthread m_thread;
};

} // namespace server::retention
