#include "server/events/event_hub.h"
#include "server/scheduler/assignment.h"
#include "server/scheduler/scheduler.h"
#include "server/store/identity_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/run_store.h"
#include "server/store/token.h"
#include "server/store/worker_store.h"
#include "server/workers/worker_service.h"

#include <fmt/format.h>

#include <algorithm>

namespace server::workers {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;

constexpr const char *kDefaultPool = "Default";

HeldJob heldJob(Connection &connection, const std::string &jobId)
{
    HeldJob held;
    held.id = jobId;
    const auto job = store::RunStore(connection).findJob(jobId);
    const auto run = job ? store::RunStore(connection).find(job->runId) : std::nullopt;
    if (!run)
        return held; // ended while we looked
    held.name = job->displayName;
    held.runId = run->id;
    held.runNumber = run->number;
    held.projectId = run->projectId;
    if (const auto pipeline = store::PipelineStore(connection).find(run->pipelineId))
        held.pipeline = pipeline->name;
    return held;
}

Status checkName(std::string_view what, std::string_view name)
{
    if (name.empty() || name.size() > 128)
        return {ErrorCode::InvalidArgument,
                fmt::format("{}: give a name of 1 to 128 characters", what)};
    if (std::any_of(name.begin(), name.end(),
                    [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        return {ErrorCode::InvalidArgument,
                fmt::format("{}: control characters are not allowed in a name", what)};
    return {};
}

Worker toWorker(store::WorkerRow row)
{
    Worker worker;
    worker.id = row.id;
    worker.poolId = row.poolId;
    worker.name = std::move(row.name);
    worker.version = std::move(row.version);
    worker.slots = row.slots;
    worker.enabled = row.enabled;
    worker.online = row.online;
    worker.capabilities = std::move(row.capabilities);
    worker.statusChangedAt = row.statusChangedAt;
    worker.createdAt = row.createdAt;
    return worker;
}

/// Whether there is such a pool for people: the server's own is nothing that they see or change.
bool isThere(const std::optional<store::PoolRow> &pool)
{
    return pool && pool->name != scheduler::kServerPool;
}

/// Id of the pool a registration token is for, or an error.
Result<std::int64_t> poolOfToken(Connection &connection, const std::string &token,
                                 schema::TimePoint now)
{
    const auto found = store::IdentityStore(connection).findToken(store::tokenHash(token), now);
    if (!found || found->kind != store::TokenKind::Registration)
        return Error{ErrorCode::Unauthenticated, "this registration token is unknown or expired; "
                                                 "make a new one with: slipway pool token"};
    return found->poolId.value_or(0);
}

} // namespace

PoolService::PoolService(store::Database &database, scheduler::Scheduler &scheduler,
                         events::EventHub &events)
    : m_database(database)
    , m_scheduler(scheduler)
    , m_events(events)
{}

Result<std::vector<Pool>> PoolService::pools()
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Pool>> {
        store::WorkerStore workers(connection);
        std::vector<Pool> pools;
        for (store::PoolRow &row : workers.pools())
            pools.push_back({row.id, std::move(row.name), {}, 0, 0, row.maxParallelism, 0, 0});
        const auto find = [&](std::int64_t id) {
            return std::find_if(pools.begin(), pools.end(),
                                [&](const Pool &pool) { return pool.id == id; });
        };
        for (const store::PoolImageRow &image : workers.images())
            find(image.poolId)->vmImages.push_back(image.vmImage);
        for (const store::WorkerRow &worker : workers.workers()) {
            ++find(worker.poolId)->workers;
            find(worker.poolId)->online += worker.online ? 1 : 0;
        }
        for (const auto &[poolId, jobs] : workers.openJobsOfPools()) {
            find(poolId)->queuedJobs = jobs.queued;
            find(poolId)->heldJobs = jobs.held;
        }
        std::erase_if(pools, [](const Pool &pool) { return pool.name == scheduler::kServerPool; });
        return pools;
    });
}

Status PoolService::ensureDefaultPool()
{
    return m_database.write([](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        for (const store::PoolRow &pool : workers.pools()) {
            if (pool.name != scheduler::kServerPool)
                return {};
        }
        workers.putImage({"*", workers.insertPool(kDefaultPool, schema::wallClockNow())});
        return {};
    });
}

Result<Pool> PoolService::createPool(const std::string &name, std::int64_t maxParallelism)
{
    RETURN_IF_ERROR(checkName("pool", name));
    RETURN_IF_ERROR(scheduler::checkLimit(maxParallelism));
    auto created = m_database.write([&](Connection &connection) -> Result<Pool> {
        store::WorkerStore workers(connection);
        if (workers.findPool(name))
            return Error{ErrorCode::AlreadyExists, fmt::format("pool '{}' exists already", name)};
        const auto limit = static_cast<int>(maxParallelism);
        const auto id = workers.insertPool(name, schema::wallClockNow());
        if (limit > 0) {
            auto row = workers.findPool(id);
            row->maxParallelism = limit;
            workers.updatePool(*row);
        }
        return Pool{id, name, {}, 0, 0, limit, 0, 0};
    });
    if (created)
        m_scheduler.configurationChanged();
    return created;
}

Status PoolService::updatePool(std::int64_t poolId, const std::optional<std::string> &name,
                               const std::optional<std::int64_t> &maxParallelism)
{
    if (name)
        RETURN_IF_ERROR(checkName("pool", *name));
    if (maxParallelism)
        RETURN_IF_ERROR(scheduler::checkLimit(*maxParallelism));
    const Status changed = m_database.write([&](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        auto pool = workers.findPool(poolId);
        if (!isThere(pool))
            return {ErrorCode::NotFound, fmt::format("pool {} does not exist", poolId)};
        if (name) {
            const auto other = workers.findPool(*name);
            if (other && other->id != poolId)
                return {ErrorCode::AlreadyExists, fmt::format("pool '{}' exists already", *name)};
            pool->name = *name;
        }
        if (maxParallelism)
            pool->maxParallelism = static_cast<int>(*maxParallelism);
        workers.updatePool(*pool);
        return {};
    });
    if (changed)
        m_scheduler.configurationChanged();
    return changed;
}

Status PoolService::removePool(std::int64_t poolId)
{
    const Status removed = m_database.write([&](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        const auto pool = workers.findPool(poolId);
        if (!isThere(pool))
            return {ErrorCode::NotFound, fmt::format("pool {} does not exist", poolId)};
        if (!workers.workers(poolId).empty())
            return {ErrorCode::Conflict,
                    fmt::format("pool '{}' has workers; remove them first", pool->name)};
        if (workers.hasOpenJobs(poolId))
            return {ErrorCode::Conflict,
                    fmt::format("jobs wait for pool '{}'; cancel them first", pool->name)};
        workers.removePool(poolId);
        return {};
    });
    if (removed)
        m_scheduler.configurationChanged();
    return removed;
}

Result<std::vector<std::pair<std::string, std::int64_t>>> PoolService::openJobs()
{
    return m_database.read(
        [](Connection &connection) { return Result(store::WorkerStore(connection).openJobs()); });
}

Result<std::vector<store::PoolImageRow>> PoolService::images()
{
    return m_database.read(
        [](Connection &connection) { return Result(store::WorkerStore(connection).images()); });
}

Status PoolService::unmapImage(const std::string &vmImage)
{
    const Status removed = m_database.write([&](Connection &connection) -> Status {
        if (!store::WorkerStore(connection).removeImage(vmImage))
            return {ErrorCode::NotFound, fmt::format("no pool is mapped to '{}'", vmImage)};
        return {};
    });
    if (removed)
        m_scheduler.configurationChanged();
    return removed;
}

Status PoolService::mapImage(const std::string &vmImage, std::int64_t poolId)
{
    RETURN_IF_ERROR(checkName("vmImage", vmImage));
    const Status mapped = m_database.write([&](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        if (!isThere(workers.findPool(poolId)))
            return {ErrorCode::NotFound, fmt::format("pool {} does not exist", poolId)};
        workers.putImage({vmImage, poolId});
        return {};
    });
    if (mapped)
        m_scheduler.configurationChanged();
    return mapped;
}

Result<std::vector<Worker>> PoolService::workers(std::int64_t poolId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Worker>> {
        store::WorkerStore store(connection);
        if (!isThere(store.findPool(poolId)))
            return Error{ErrorCode::NotFound, fmt::format("pool {} does not exist", poolId)};
        std::vector<Worker> workers;
        for (store::WorkerRow &row : store.workers(poolId))
            workers.push_back(toWorker(std::move(row)));
        for (const auto &[workerId, jobId] : store.heldJobs()) {
            for (Worker &worker : workers) {
                if (worker.id == workerId)
                    worker.jobs.push_back(heldJob(connection, jobId));
            }
        }
        return workers;
    });
}

Status PoolService::setEnabled(std::int64_t workerId, bool enabled)
{
    const Status changed = m_database.write([&](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        auto row = workers.find(workerId);
        if (!row)
            return {ErrorCode::NotFound, fmt::format("worker {} does not exist", workerId)};
        row->enabled = enabled;
        workers.update(*row);
        return {};
    });
    if (changed)
        m_scheduler.configurationChanged();
    return changed;
}

Status PoolService::removeWorker(std::int64_t workerId)
{
    const Status removed = m_database.write([&](Connection &connection) -> Status {
        store::WorkerStore workers(connection);
        const auto row = workers.find(workerId);
        if (!row)
            return {ErrorCode::NotFound, fmt::format("worker {} does not exist", workerId)};
        const auto held = workers.heldJobs();
        if (std::any_of(held.begin(), held.end(),
                        [&](const auto &job) { return job.first == workerId; }))
            return {ErrorCode::Conflict,
                    fmt::format("worker '{}' holds jobs; disable it and wait, or cancel them",
                                row->name)};
        workers.remove(workerId);
        return {};
    });
    if (removed)
        m_scheduler.configurationChanged();
    return removed;
}

Result<Registered> PoolService::registerWorker(const Registration &registration)
{
    RETURN_IF_ERROR(checkName("worker", registration.name));
    const std::string secret = store::randomToken();
    auto registered = m_database.write([&](Connection &connection) -> Result<Registered> {
        const schema::TimePoint now = schema::wallClockNow();
        ASSIGN_OR_RETURN(const std::int64_t tokenPool,
                         poolOfToken(connection, registration.token, now));
        store::WorkerStore workers(connection);
        std::optional<store::PoolRow> pool;
        if (!registration.pool.empty())
            pool = workers.findPool(registration.pool);
        else if (tokenPool != 0)
            pool = workers.findPool(tokenPool);
        if (!isThere(pool))
            return Error{ErrorCode::NotFound,
                         registration.pool.empty()
                             ? std::string("name a pool: the registration token is for none")
                             : fmt::format("pool '{}' does not exist", registration.pool)};
        if (tokenPool != 0 && pool->id != tokenPool)
            return Error{ErrorCode::PermissionDenied,
                         fmt::format("the registration token is not for pool '{}'", pool->name)};
        store::WorkerRow row;
        row.poolId = pool->id;
        row.name = registration.name;
        row.version = registration.version;
        row.secretHash = store::tokenHash(secret);
        row.slots = std::clamp(registration.slots, 1, 1000);
        row.capabilities = registration.capabilities;
        row.statusChangedAt = row.createdAt = now;
        if (const auto known = workers.find(pool->id, registration.name)) {
            if (!registration.replace)
                return Error{
                    ErrorCode::AlreadyExists,
                    fmt::format(
                        "pool '{}' has a worker '{}' already; choose another name or replace it",
                        pool->name, registration.name)};
            row.id = known->id;
            row.enabled = known->enabled;
            row.online = known->online;
            workers.update(row);
        } else {
            row.id = workers.insert(row);
        }
        return Registered{row.id, row.name, pool->name, secret};
    });
    if (registered)
        m_scheduler.configurationChanged();
    return registered;
}

Status PoolService::authenticate(std::int64_t workerId, std::string_view secret)
{
    const store::Blob hash = store::tokenHash(secret);
    return m_database.read([&](Connection &connection) -> Status {
        const auto row = store::WorkerStore(connection).find(workerId);
        if (!row)
            return {
                ErrorCode::NotFound,
                fmt::format("worker {} is not registered (any more); register it again", workerId)};
        if (!store::sameHash(row->secretHash, hash))
            return {ErrorCode::Unauthenticated, "the worker's secret is wrong; register it again"};
        return {};
    });
}

} // namespace server::workers
