#include "server/store/worker_store.h"

#include <nlohmann/json.hpp>

namespace server::store {
namespace {

using nlohmann::json;

constexpr const char *kWorkerColumns =
    "SELECT id, pool_id, name, version, secret_hash, slots, enabled, online, capabilities_json, "
    "status_changed_at, created_at FROM worker ";

std::string capabilitiesText(const std::vector<schema::protocol::Capability> &capabilities)
{
    json list = json::array();
    for (const auto &capability : capabilities)
        list.push_back({{"name", capability.name}, {"value", capability.value}});
    return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<schema::protocol::Capability> capabilitiesOf(const std::string &text)
{
    std::vector<schema::protocol::Capability> capabilities;
    const json list = json::parse(text, nullptr, false);
    if (list.is_array()) {
        for (const json &element : list)
            capabilities.push_back({element.value("name", ""), element.value("value", "")});
    }
    return capabilities;
}

std::optional<PoolRow> readPool(Statement &s)
{
    if (!s.step())
        return std::nullopt;
    return PoolRow{s.get<std::int64_t>(0), s.get<std::string>(1), s.get<TimePoint>(2),
                   s.get<int>(3)};
}

} // namespace

std::vector<PoolRow> WorkerStore::pools()
{
    std::vector<PoolRow> rows;
    Statement s = m_connection.prepare(
        "SELECT id, name, created_at, max_parallelism FROM pool ORDER BY name");
    while (auto row = readPool(s))
        rows.push_back(std::move(*row));
    return rows;
}

std::optional<PoolRow> WorkerStore::findPool(std::string_view name)
{
    Statement s = m_connection.prepare(
        "SELECT id, name, created_at, max_parallelism FROM pool WHERE name = ?");
    s.bind(name);
    return readPool(s);
}

std::optional<PoolRow> WorkerStore::findPool(std::int64_t id)
{
    Statement s =
        m_connection.prepare("SELECT id, name, created_at, max_parallelism FROM pool WHERE id = ?");
    s.bind(id);
    return readPool(s);
}

std::int64_t WorkerStore::insertPool(const std::string &name, TimePoint now)
{
    m_connection.run("INSERT INTO pool(name, created_at) VALUES(?,?)", name, now);
    return m_connection.lastInsertId();
}

void WorkerStore::updatePool(const PoolRow &pool)
{
    m_connection.run("UPDATE pool SET name = ?, max_parallelism = ? WHERE id = ?", pool.name,
                     pool.maxParallelism, pool.id);
}

void WorkerStore::removePool(std::int64_t id)
{
    m_connection.run("UPDATE job SET pool_id = NULL WHERE pool_id = ?", id);
    m_connection.run("DELETE FROM pool_image WHERE pool_id = ?", id);
    m_connection.run("DELETE FROM access_token WHERE kind = 'registration' AND pool_id = ?", id);
    m_connection.run("DELETE FROM pool WHERE id = ?", id);
}

std::vector<std::pair<std::string, std::int64_t>> WorkerStore::openJobs()
{
    std::vector<std::pair<std::string, std::int64_t>> counts{
        {"queued", 0}, {"assigned", 0}, {"running", 0}};
    Statement s = m_connection.prepare(
        "SELECT state, count(*) FROM job WHERE state <> 'completed' GROUP BY state");
    while (s.step())
        for (auto &[state, count] : counts)
            if (state == s.get<std::string>(0))
                count = s.get<std::int64_t>(1);
    return counts;
}

std::map<std::int64_t, WorkerStore::OpenJobs> WorkerStore::openJobsOfPools()
{
    std::map<std::int64_t, OpenJobs> pools;
    Statement s = m_connection.prepare("SELECT pool_id, state = 'queued', count(*) FROM job "
                                       "WHERE state <> 'completed' AND pool_id IS NOT NULL "
                                       "GROUP BY 1, 2");
    while (s.step()) {
        OpenJobs &jobs = pools[s.get<std::int64_t>(0)];
        (s.get<bool>(1) ? jobs.queued : jobs.held) = s.get<int>(2);
    }
    return pools;
}

bool WorkerStore::hasOpenJobs(std::int64_t poolId)
{
    Statement s = m_connection.prepare(
        "SELECT 1 FROM job WHERE state <> 'completed' AND pool_id = ? LIMIT 1");
    s.bind(poolId);
    return s.step();
}

bool WorkerStore::removeImage(std::string_view vmImage)
{
    return m_connection.run("DELETE FROM pool_image WHERE vm_image = ?", vmImage) > 0;
}

std::vector<PoolImageRow> WorkerStore::images()
{
    std::vector<PoolImageRow> rows;
    Statement s =
        m_connection.prepare("SELECT vm_image, pool_id FROM pool_image ORDER BY vm_image");
    while (s.step())
        rows.push_back({s.get<std::string>(0), s.get<std::int64_t>(1)});
    return rows;
}

void WorkerStore::putImage(const PoolImageRow &image)
{
    m_connection.run("INSERT INTO pool_image(vm_image, pool_id) VALUES(?,?) ON CONFLICT(vm_image) "
                     "DO UPDATE SET pool_id=excluded.pool_id",
                     image.vmImage, image.poolId);
}

std::vector<WorkerRow> WorkerStore::read(Statement &s)
{
    std::vector<WorkerRow> rows;
    while (s.step())
        rows.push_back({s.get<std::int64_t>(0), s.get<std::int64_t>(1), s.get<std::string>(2),
                        s.get<std::string>(3), s.get<Blob>(4), s.get<int>(5), s.get<bool>(6),
                        s.get<bool>(7), capabilitiesOf(s.get<std::string>(8)), s.get<TimePoint>(9),
                        s.get<TimePoint>(10)});
    return rows;
}

std::vector<WorkerRow> WorkerStore::workers()
{
    static const std::string kSql = std::string(kWorkerColumns) + "ORDER BY pool_id, name";
    Statement s = m_connection.prepare(kSql.c_str());
    return read(s);
}

std::vector<WorkerRow> WorkerStore::workers(std::int64_t poolId)
{
    static const std::string kSql = std::string(kWorkerColumns) + "WHERE pool_id = ? ORDER BY name";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(poolId);
    return read(s);
}

std::optional<WorkerRow> WorkerStore::find(std::int64_t id)
{
    static const std::string kSql = std::string(kWorkerColumns) + "WHERE id = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(id);
    auto rows = read(s);
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

std::optional<WorkerRow> WorkerStore::find(std::int64_t poolId, std::string_view name)
{
    static const std::string kSql = std::string(kWorkerColumns) + "WHERE pool_id = ? AND name = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(poolId, name);
    auto rows = read(s);
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

std::int64_t WorkerStore::insert(const WorkerRow &worker)
{
    m_connection.run("INSERT INTO worker(pool_id, name, version, secret_hash, slots, enabled, "
                     "online, capabilities_json, "
                     "status_changed_at, created_at) VALUES(?,?,?,?,?,?,?,?,?,?)",
                     worker.poolId, worker.name, worker.version, worker.secretHash, worker.slots,
                     worker.enabled, worker.online, capabilitiesText(worker.capabilities),
                     worker.statusChangedAt, worker.createdAt);
    return m_connection.lastInsertId();
}

void WorkerStore::update(const WorkerRow &worker)
{
    m_connection.run("UPDATE worker SET version=?, secret_hash=?, slots=?, enabled=?, online=?, "
                     "capabilities_json=?, status_changed_at=? "
                     "WHERE id=?",
                     worker.version, worker.secretHash, worker.slots, worker.enabled, worker.online,
                     capabilitiesText(worker.capabilities), worker.statusChangedAt, worker.id);
}

void WorkerStore::remove(std::int64_t id)
{
    // Jobs of the past keep their timeline (with the worker's name); only the reference goes.
    m_connection.run("UPDATE job SET worker_id = NULL WHERE worker_id = ?", id);
    m_connection.run("DELETE FROM worker WHERE id = ?", id);
}

void WorkerStore::setOnline(std::int64_t id, bool online, TimePoint now)
{
    m_connection.run("UPDATE worker SET online=?, status_changed_at=? WHERE id=? AND online<>?",
                     online, now, id, online);
}

void WorkerStore::setAllOffline(TimePoint now)
{
    m_connection.run("UPDATE worker SET online=0, status_changed_at=? WHERE online=1", now);
}

void WorkerStore::extendLeases(TimePoint until)
{
    m_connection.run(
        "UPDATE job SET leased_until=?1 WHERE state <> 'completed' AND leased_until < ?1", until);
}

std::vector<std::pair<std::int64_t, std::string>> WorkerStore::heldJobs()
{
    std::vector<std::pair<std::int64_t, std::string>> held;
    Statement s = m_connection.prepare(
        "SELECT worker_id, id FROM job WHERE state <> 'completed' AND worker_id IS NOT NULL");
    while (s.step())
        held.emplace_back(s.get<std::int64_t>(0), s.get<Guid>(1).text);
    return held;
}

std::vector<std::pair<std::string, std::int64_t>> WorkerStore::queuedJobs()
{
    std::vector<std::pair<std::string, std::int64_t>> queued;
    Statement s = m_connection.prepare("SELECT id, run_id FROM job WHERE state <> 'completed' AND "
                                       "state = 'queued' ORDER BY queued_at, run_id");
    while (s.step())
        queued.emplace_back(s.get<Guid>(0).text, s.get<std::int64_t>(1));
    return queued;
}

} // namespace server::store
