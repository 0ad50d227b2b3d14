#include "server/scheduler/assignment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace server::scheduler {
namespace {

using schema::protocol::Capability;

bool equalIgnoringCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
        text.remove_suffix(1);
    return text;
}

std::vector<int> versionOf(std::string_view text)
{
    std::vector<int> parts;
    while (!text.empty()) {
        int part = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
        if (error != std::errc())
            break;
        parts.push_back(part);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty() || text.front() != '.')
            break;
        text.remove_prefix(1);
    }
    return parts;
}

bool takesJobs(const WorkerSlot &worker)
{
    return worker.online && worker.enabled && worker.unavailable.empty();
}

bool canTake(const WorkerSlot &worker, const QueuedJob &job)
{
    return takesJobs(worker) && worker.poolId == job.poolId && worker.busy < worker.slots &&
           !job.refusedBy.contains(worker.workerId) &&
           std::all_of(
               job.demands.begin(), job.demands.end(),
               [&](const std::string &demand) {
                   return meetsDemand(demand, *worker.capabilities);
               });
}

std::vector<std::string> unmet(const QueuedJob &job, const WorkerSlot &worker)
{
    std::vector<std::string> demands;
    for (const std::string &demand : job.demands) {
        if (!meetsDemand(demand, *worker.capabilities))
            demands.push_back(demand);
    }
    return demands;
}

} // namespace

std::string_view unavailability(const std::vector<Capability> &capabilities)
{
    for (const Capability &capability : capabilities) {
        if (capability.name == schema::protocol::kUnavailable)
            return capability.value.empty() ? "it gives no reason"
                                            : std::string_view(capability.value);
    }
    return {};
}

bool meetsDemand(std::string_view demand, const std::vector<Capability> &capabilities)
{
    demand = trimmed(demand);
    const std::size_t space = demand.find_first_of(" \t");
    const std::string_view name = demand.substr(0, space);
    const auto found =
        std::find_if(capabilities.begin(), capabilities.end(), [&](const Capability &capability) {
            return equalIgnoringCase(capability.name, name);
        });
    if (found == capabilities.end())
        return false;
    if (space == std::string_view::npos)
        return true;
    std::string_view rest = trimmed(demand.substr(space));
    const std::size_t end = rest.find_first_of(" \t");
    const std::string_view relation = rest.substr(0, end);
    const std::string_view value =
        end == std::string_view::npos ? std::string_view() : trimmed(rest.substr(end));
    if (equalIgnoringCase(relation, "-equals"))
        return equalIgnoringCase(found->value, value);
    if (equalIgnoringCase(relation, "-gtVersion"))
        return versionOf(found->value) >= versionOf(value);
    return false;
}

std::vector<Assignment> assign(QueueOrder order, Room room, std::vector<WorkerSlot> workers)
{
    std::erase_if(workers, [](const WorkerSlot &worker) {
        return !takesJobs(worker) || worker.busy >= worker.slots;
    });
    std::vector<Assignment> assignments;
    while (!workers.empty() && room.pool > 0) {
        const QueuedJob *job = order.next();
        if (!job)
            break;
        const auto limit = room.pipelines.find(job->pipelineId);
        if (limit != room.pipelines.end() && limit->second <= 0) {
            order.skipPipeline();
            continue;
        }
        WorkerSlot *best = nullptr;
        for (WorkerSlot &worker : workers) {
            // Compared as free share, without division: free_a / slots_a > free_b / slots_b.
            if (canTake(worker, *job) && (!best || (worker.slots - worker.busy) * best->slots >
                                                       (best->slots - best->busy) * worker.slots))
                best = &worker;
        }
        if (!best)
            continue;
        assignments.push_back({job->jobId, job->runId, best->workerId});
        order.taken();
        --room.pool;
        if (limit != room.pipelines.end())
            --limit->second;
        if (++best->busy >= best->slots)
            workers.erase(workers.begin() + (best - workers.data()));
    }
    return assignments;
}

schema::Status checkLimit(std::int64_t maxParallelism)
{
    if (maxParallelism < 0 || maxParallelism > 100'000)
        return {schema::ErrorCode::InvalidArgument,
                "'maxParallelism' must be a number of jobs from 1 to 100000, or null or 0 for no "
                "limit"};
    return {};
}

std::string sentenceOf(const Limit &limit)
{
    return fmt::format("{} '{}' runs {} of at most {} jobs at once",
                       limit.ofPool ? "pool" : "pipeline", limit.name, limit.inUse, limit.maximum);
}

Shortage whyWaiting(const QueuedJob &job, const std::string &poolName,
                    const std::vector<WorkerSlot> &workers)
{
    int inPool = 0;
    int online = 0;
    int able = 0;
    const WorkerSlot *nearest = nullptr;
    const WorkerSlot *unavailable = nullptr; // would be asked, but for what it says itself
    std::size_t fewest = SIZE_MAX;
    for (const WorkerSlot &worker : workers) {
        if (worker.poolId != job.poolId)
            continue;
        ++inPool;
        if (!worker.online || !worker.enabled)
            continue;
        const std::size_t missing = unmet(job, worker).size();
        if (!worker.unavailable.empty()) {
            if (missing == 0 && unavailable == nullptr)
                unavailable = &worker;
            continue;
        }
        ++online;
        able += missing == 0 ? 1 : 0;
        if (missing < fewest) {
            fewest = missing;
            nearest = &worker;
        }
    }
    if (inPool == 0)
        return {fmt::format("pool '{}' has no worker; start one with: slipway worker --pool {}",
                            poolName, poolName),
                {},
                {}};
    const std::string also = unavailable == nullptr
                                 ? std::string()
                                 : fmt::format("; '{}' would suit, but takes no jobs: {}",
                                               unavailable->name, unavailable->unavailable);
    if (online == 0 && unavailable != nullptr)
        return {fmt::format("no worker of pool '{}' takes jobs now{}", poolName, also),
                std::string(unavailable->name),
                {}};
    if (online == 0)
        return {inPool == 1
                    ? fmt::format("the one worker of pool '{}' is offline or disabled", poolName)
                    : fmt::format("none of the {} workers of pool '{}' is online and enabled",
                                  inPool, poolName),
                {},
                {}};
    if (able == 0) {
        std::vector<std::string> missing = unmet(job, *nearest);
        return {
            fmt::format("no worker of pool '{}' meets the demands; the nearest, '{}', lacks: {}{}",
                        poolName, nearest->name, fmt::join(missing, ", "), also),
            std::string(nearest->name), std::move(missing)};
    }
    return {
        able == 1
            ? fmt::format("the one suitable worker of pool '{}' is busy{}", poolName, also)
            : fmt::format("all {} suitable workers of pool '{}' are busy{}", able, poolName, also),
        {},
        {}};
}

schema::Result<std::int64_t> resolvePool(const schema::Pool &wanted,
                                         const std::vector<store::PoolRow> &pools,
                                         const std::vector<store::PoolImageRow> &images)
{
    using schema::ErrorCode;
    if (wanted.server) {
        for (const store::PoolRow &pool : pools) {
            if (pool.name == kServerPool)
                return pool.id;
        }
        return {ErrorCode::InvalidArgument, "this server runs no jobs of 'pool: server'"};
    }
    const auto image = [&](std::string_view name) -> std::optional<std::int64_t> {
        for (const store::PoolImageRow &row : images) {
            if (equalIgnoringCase(row.vmImage, name))
                return row.poolId;
        }
        return std::nullopt;
    };
    std::vector<std::string> names;
    for (const store::PoolRow &pool : pools) {
        if (!wanted.name.empty() && equalIgnoringCase(pool.name, wanted.name))
            return pool.id;
        names.push_back(pool.name);
    }
    // "Azure Pipelines" is the hosted pool's name there: with a vmImage it means "wherever this
    // image runs".
    const bool hosted = wanted.name.empty() || equalIgnoringCase(wanted.name, "Azure Pipelines");
    if (!hosted)
        return {ErrorCode::NotFound, fmt::format("pool '{}' does not exist; pools here: {}",
                                                 wanted.name, fmt::join(names, ", "))};
    if (!wanted.vmImage.empty()) {
        if (const auto pool = image(wanted.vmImage))
            return *pool;
    }
    if (const auto pool = image("*"))
        return *pool;
    return {
        ErrorCode::NotFound,
        wanted.vmImage.empty()
            ? std::string(
                  "the job names no pool and there is no default pool; map the image '*' to a pool")
            : fmt::format("no pool is mapped to vmImage '{}'; map it, or '*', to a pool",
                          wanted.vmImage)};
}

} // namespace server::scheduler
