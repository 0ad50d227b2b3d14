#pragma once
/// Rows of pools, image names mapped to pools, and workers.

#include "schema/protocol/messages.h"
#include "server/store/database.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

using schema::TimePoint;

struct PoolRow
{
    std::int64_t id = 0;
    std::string name;
    TimePoint createdAt{};
    int maxParallelism = 0; ///< jobs that its workers may hold at once; 0: no limit
};

struct PoolImageRow
{
    std::string vmImage; ///< "*": every name without a row of its own, and jobs that name no pool
    std::int64_t poolId = 0;
};

struct WorkerRow
{
    std::int64_t id = 0;
    std::int64_t poolId = 0;
    std::string name, version;
    Blob secretHash;
    int slots = 1;
    bool enabled = true;
    bool online = false;
    std::vector<schema::protocol::Capability> capabilities;
    TimePoint statusChangedAt{}, createdAt{};
};

/// Statements on pools and workers, within the caller's transaction. Methods throw SqlError.
class WorkerStore
{
public:
    explicit WorkerStore(Connection &connection)
        : m_connection(connection)
    {}

    std::vector<PoolRow> pools();
    std::optional<PoolRow> findPool(std::string_view name);
    std::optional<PoolRow> findPool(std::int64_t id);
    std::int64_t insertPool(const std::string &name, TimePoint now);
    /// Writes name and limit.
    void updatePool(const PoolRow &pool);
    /// Removes a pool with its image names and registration tokens; its jobs of the past lose the
    /// reference. It must have no worker.
    void removePool(std::int64_t id);
    /// Number of jobs in each open state ("queued", "assigned", "running"), zero included.
    std::vector<std::pair<std::string, std::int64_t>> openJobs();

    struct OpenJobs
    {
        int queued = 0, held = 0; ///< held: assigned or running
    };

    /// Jobs that have not ended, by pool; pools without any are not in it.
    std::map<std::int64_t, OpenJobs> openJobsOfPools();
    /// True while a job that has not ended is to run in the pool.
    bool hasOpenJobs(std::int64_t poolId);
    std::vector<PoolImageRow> images();
    /// False when the name is not mapped.
    bool removeImage(std::string_view vmImage);
    void putImage(const PoolImageRow &image);

    std::vector<WorkerRow> workers(); ///< of all pools
    std::vector<WorkerRow> workers(std::int64_t poolId);
    std::optional<WorkerRow> find(std::int64_t id);
    std::optional<WorkerRow> find(std::int64_t poolId, std::string_view name);
    std::int64_t insert(const WorkerRow &worker);
    /// Writes version, slots, capabilities, enabled, online, secret and status time.
    void update(const WorkerRow &worker);
    void remove(std::int64_t id);
    void setOnline(std::int64_t id, bool online, TimePoint now);
    /// All offline: nobody is connected when the server starts.
    void setAllOffline(TimePoint now);
    /// Leases of assigned and running jobs end at `until` at the earliest.
    void extendLeases(TimePoint until);
    /// Worker and job id of every job that is assigned or running.
    std::vector<std::pair<std::int64_t, std::string>> heldJobs();
    /// Jobs in the queue without a worker, oldest first, as (job, run) ids.
    std::vector<std::pair<std::string, std::int64_t>> queuedJobs();

private:
    std::vector<WorkerRow> read(Statement &statement);
    Connection &m_connection;
};

} // namespace server::store
