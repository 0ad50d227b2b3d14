#pragma once
/// Which queued job goes to which worker. Pure.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "schema/model/plan.h"
#include "schema/protocol/messages.h"
#include "server/scheduler/job_queue.h"
#include "server/store/worker_store.h"

#include <climits>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::scheduler {

/// The pool that jobs of `pool: server` wait in; the server's own worker serves it.
inline constexpr const char *kServerPool = "(server)";

struct WorkerSlot
{
    std::int64_t workerId = 0;
    std::string_view name;
    std::int64_t poolId = 0;
    bool online = false;
    bool enabled = true;
    int slots = 1;
    int busy = 0;
    const std::vector<schema::protocol::Capability> *capabilities = nullptr;
    std::string_view unavailable = {}; ///< why it takes no jobs for now; empty: it does
};

/// The reason that a worker gives for taking no jobs (schema::protocol::kUnavailable), or empty.
std::string_view unavailability(const std::vector<schema::protocol::Capability> &capabilities);

struct Assignment
{
    std::string jobId;
    std::int64_t runId = 0;
    std::int64_t workerId = 0;
};

/// True when a worker with these capabilities meets a demand: "Name" (exists), "Name -equals
/// Value", "Name -gtVersion 1.2" (at least), names and values compared ignoring case
/// (worker-and-tasks 11.2).
bool meetsDemand(std::string_view demand,
                 const std::vector<schema::protocol::Capability> &capabilities);

/// How many jobs may begin before a limit is reached.
struct Room
{
    int pool = INT_MAX;                    ///< jobs of any pipeline
    std::map<std::int64_t, int> pipelines; ///< of pipelines that have a limit
};

/// Gives jobs to workers with free slots, in the queue's order (job_queue.h) and while there is
/// room; of several workers that could, to the one with the largest share of free slots. Jobs that
/// nobody can take stay. Asks for no further job once every worker is busy.
std::vector<Assignment> assign(QueueOrder order, Room room, std::vector<WorkerSlot> workers);

/// Whether a number is a limit on jobs at once: 0 (none) to 100,000. Errors: InvalidArgument naming
/// 'maxParallelism'.
schema::Status checkLimit(std::int64_t maxParallelism);

/// A limit that keeps a job in the queue, and who uses it up.
struct Limit
{
    bool ofPool = true; ///< else of the job's pipeline
    std::string name;   ///< of pool or pipeline
    int maximum = 0;
    int inUse = 0;
};

/// "pool 'Default' runs 2 of at most 2 jobs at once".
std::string sentenceOf(const Limit &limit);

/// Why a job of the queue has no worker.
struct Shortage
{
    std::string sentence;
    std::string nearest; ///< worker that lacks the fewest demands; empty: some lack none
    std::vector<std::string> missing; ///< what `nearest` lacks
};

Shortage whyWaiting(const QueuedJob &job, const std::string &poolName,
                    const std::vector<WorkerSlot> &workers);

/// The pool a job asks for: by name, else by vmImage, else the default ("*"). Errors: NotFound
/// naming the pools or images there are.
schema::Result<std::int64_t> resolvePool(const schema::Pool &wanted,
                                         const std::vector<store::PoolRow> &pools,
                                         const std::vector<store::PoolImageRow> &images);

} // namespace server::scheduler
