#include "server/store/environment_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace server::store {
namespace {

using nlohmann::json;

constexpr const char *kEnvironmentColumns =
    "SELECT e.id, e.project_id, e.name, e.description, e.ordinal, e.created_by, e.created_at, "
    "coalesce(i.display_name, '') FROM environment e LEFT JOIN identity i ON i.id = e.created_by ";
constexpr const char *kResourceColumns = "SELECT id, environment_id, name, type, cluster_name, "
                                         "namespace, connection_id FROM environment_resource ";
#define DEPLOYMENT_COLUMNS                                                                         \
    "d.id, d.environment_id, coalesce(d.resource_id, 0), d.run_id, d.stage, d.phase, "             \
    "d.request_identifier, d.stage_attempt, "                                                      \
    "d.phase_attempt, d.queued_at, d.started_at, d.finished_at, d.result, r.number, r.plan_id, "   \
    "p.name, p.id"
#define DEPLOYMENT_JOINS "JOIN run r ON r.id = d.run_id JOIN pipeline p ON p.id = r.pipeline_id "
#define ITEM_COLUMNS                                                                               \
    "i.deployment_id, i.service_id, i.version_id, i.image, i.digest, i.workload, i.namespace"
constexpr const char *kDeployments =
    "SELECT " DEPLOYMENT_COLUMNS " FROM deployment d " DEPLOYMENT_JOINS;
constexpr const char *kVersions =
    "SELECT v.id, v.service_id, v.digest, v.tags_json, v.commit_id, coalesce(v.run_id, 0), "
    "v.created_at, coalesce(r.number, ''), "
    "coalesce(r.commit_message, ''), coalesce(p.id, 0), coalesce(p.name, '') FROM version v "
    "LEFT JOIN run r ON r.id = v.run_id LEFT JOIN pipeline p ON p.id = r.pipeline_id ";

EnvironmentRow readEnvironment(const Statement &s)
{
    return {s.get<std::int64_t>(0), s.get<std::string>(1), s.get<std::string>(2),
            s.get<std::string>(3),  s.get<int>(4),         s.get<std::optional<std::string>>(5),
            s.get<TimePoint>(6),    s.get<std::string>(7)};
}

ResourceRow readResource(const Statement &s)
{
    return {s.get<std::int64_t>(0),
            s.get<std::int64_t>(1),
            s.get<std::string>(2),
            s.get<std::string>(3),
            s.get<std::string>(4),
            s.get<std::string>(5),
            s.get<std::optional<std::string>>(6)};
}

DeploymentRow readDeployment(const Statement &s)
{
    DeploymentRow row;
    row.id = s.get<std::int64_t>(0);
    row.environmentId = s.get<std::int64_t>(1);
    row.resourceId = s.get<std::int64_t>(2);
    row.runId = s.get<std::int64_t>(3);
    row.stage = s.get<std::string>(4);
    row.phase = s.get<std::string>(5);
    row.requestIdentifier = s.get<std::string>(6);
    row.stageAttempt = s.get<int>(7);
    row.phaseAttempt = s.get<int>(8);
    row.queuedAt = s.get<TimePoint>(9);
    row.startedAt = s.get<std::optional<TimePoint>>(10);
    row.finishedAt = s.get<std::optional<TimePoint>>(11);
    row.result = s.get<std::optional<schema::TaskResult>>(12);
    row.runNumber = s.get<std::string>(13);
    row.planId = s.get<std::string>(14);
    row.pipelineName = s.get<std::string>(15);
    row.pipelineId = s.get<std::int64_t>(16);
    return row;
}

constexpr int kItemAt = 17; // first column of ITEM_COLUMNS behind DEPLOYMENT_COLUMNS

ItemRow readItem(const Statement &s, int at)
{
    return {s.get<std::int64_t>(at),
            s.get<std::int64_t>(at + 1),
            s.get<std::optional<std::int64_t>>(at + 2),
            s.get<std::string>(at + 3),
            s.get<std::string>(at + 4),
            s.get<std::string>(at + 5),
            s.get<std::string>(at + 6)};
}

std::vector<DeploymentRow> readDeployments(Statement &s)
{
    std::vector<DeploymentRow> rows;
    while (s.step())
        rows.push_back(readDeployment(s));
    return rows;
}

std::vector<DeployedRow> readDeployed(Statement &s)
{
    std::vector<DeployedRow> rows;
    while (s.step())
        rows.push_back({readDeployment(s), readItem(s, kItemAt)});
    return rows;
}

VersionRow readVersion(const Statement &s)
{
    VersionRow row;
    row.id = s.get<std::int64_t>(0);
    row.serviceId = s.get<std::int64_t>(1);
    row.digest = s.get<std::string>(2);
    const json tags = json::parse(s.get<std::string>(3), nullptr, false);
    if (tags.is_array())
        row.tags = tags.get<std::vector<std::string>>();
    row.commit = s.get<std::string>(4);
    row.runId = s.get<std::int64_t>(5);
    row.createdAt = s.get<TimePoint>(6);
    row.runNumber = s.get<std::string>(7);
    row.commitMessage = s.get<std::string>(8);
    row.pipelineId = s.get<std::int64_t>(9);
    row.pipelineName = s.get<std::string>(10);
    return row;
}

std::optional<VersionRow> oneVersion(Statement &s)
{
    if (!s.step())
        return std::nullopt;
    return readVersion(s);
}

std::optional<std::int64_t> orNull(std::int64_t id)
{
    return id == 0 ? std::nullopt : std::optional(id);
}

} // namespace

std::vector<EnvironmentRow> EnvironmentStore::list(const std::string &projectId)
{
    static const std::string kSql =
        std::string(kEnvironmentColumns) + "WHERE e.project_id = ? ORDER BY e.ordinal, e.id";
    std::vector<EnvironmentRow> rows;
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(projectId);
    while (s.step())
        rows.push_back(readEnvironment(s));
    return rows;
}

std::optional<EnvironmentRow> EnvironmentStore::find(std::int64_t id)
{
    static const std::string kSql = std::string(kEnvironmentColumns) + "WHERE e.id = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(id);
    return s.step() ? std::optional(readEnvironment(s)) : std::nullopt;
}

std::optional<EnvironmentRow> EnvironmentStore::find(const std::string &projectId,
                                                     std::string_view name)
{
    static const std::string kSql =
        std::string(kEnvironmentColumns) + "WHERE e.project_id = ? AND e.name = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(projectId, name);
    return s.step() ? std::optional(readEnvironment(s)) : std::nullopt;
}

std::int64_t EnvironmentStore::insert(const EnvironmentRow &row)
{
    m_connection.run("INSERT INTO environment(project_id, name, description, ordinal, created_by, "
                     "created_at) VALUES(?,?,?,?,?,?)",
                     row.projectId, row.name, row.description, row.ordinal, row.createdBy,
                     row.createdAt);
    return m_connection.lastInsertId();
}

void EnvironmentStore::update(const EnvironmentRow &row)
{
    m_connection.run("UPDATE environment SET name=?, description=?, ordinal=? WHERE id=?", row.name,
                     row.description, row.ordinal, row.id);
}

bool EnvironmentStore::isReferenced(std::int64_t id)
{
    Statement s = m_connection.prepare("SELECT 1 FROM approval a JOIN check_configuration c ON "
                                       "c.id = a.check_id WHERE c.environment_id = ? LIMIT 1");
    s.bind(id);
    return s.step();
}

bool EnvironmentStore::remove(std::int64_t id)
{
    m_connection.run("DELETE FROM check_configuration WHERE environment_id=?", id);
    m_connection.run("DELETE FROM environment_resource WHERE environment_id=?", id);
    return m_connection.run("DELETE FROM environment WHERE id=?", id) > 0;
}

std::vector<ResourceRow> EnvironmentStore::resources(std::int64_t environmentId)
{
    static const std::string kSql =
        std::string(kResourceColumns) + "WHERE environment_id = ? ORDER BY name";
    std::vector<ResourceRow> rows;
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(environmentId);
    while (s.step())
        rows.push_back(readResource(s));
    return rows;
}

std::optional<ResourceRow> EnvironmentStore::findResource(std::int64_t id)
{
    static const std::string kSql = std::string(kResourceColumns) + "WHERE id = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(id);
    return s.step() ? std::optional(readResource(s)) : std::nullopt;
}

std::int64_t EnvironmentStore::insertResource(const ResourceRow &row)
{
    m_connection.run("INSERT INTO environment_resource(environment_id, name, type, cluster_name, "
                     "namespace, connection_id, created_at) "
                     "VALUES(?,?,?,?,?,?,?)",
                     row.environmentId, row.name, row.type, row.clusterName,
                     row.kubernetesNamespace, row.connectionId, schema::wallClockNow());
    return m_connection.lastInsertId();
}

bool EnvironmentStore::removeResource(std::int64_t id)
{
    return m_connection.run("DELETE FROM environment_resource WHERE id=?", id) > 0;
}

std::int64_t EnvironmentStore::put(const DeploymentRow &row)
{
    Statement s = m_connection.prepare(
        "INSERT INTO deployment(environment_id, resource_id, run_id, stage, stage_attempt, phase, "
        "phase_attempt, request_identifier, "
        "queued_at, started_at, finished_at, result) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT(run_id, stage, stage_attempt, phase, phase_attempt) DO UPDATE SET "
        "started_at=excluded.started_at, "
        "finished_at=excluded.finished_at, result=excluded.result RETURNING id");
    s.bind(row.environmentId, orNull(row.resourceId), row.runId, row.stage, row.stageAttempt,
           row.phase, row.phaseAttempt, row.requestIdentifier, row.queuedAt, row.startedAt,
           row.finishedAt, row.result);
    const std::int64_t id = s.step() ? s.get<std::int64_t>(0) : 0;
    while (s.step()) {
    }
    return id;
}

std::optional<DeploymentRow>
EnvironmentStore::findDeployment(std::int64_t runId, const std::string &stage, int stageAttempt,
                                 const std::string &phase, int phaseAttempt)
{
    static const std::string kSql =
        std::string(kDeployments) +
        "WHERE d.run_id=? AND d.stage=? AND d.stage_attempt=? AND d.phase=? AND d.phase_attempt=?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId, stage, stageAttempt, phase, phaseAttempt);
    return s.step() ? std::optional(readDeployment(s)) : std::nullopt;
}

std::vector<DeploymentRow> EnvironmentStore::deploymentsOfRun(std::int64_t runId)
{
    static const std::string kSql = std::string(kDeployments) + "WHERE d.run_id=? ORDER BY d.id";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    return readDeployments(s);
}

std::vector<DeploymentRow> EnvironmentStore::deployments(std::int64_t environmentId,
                                                         std::optional<std::int64_t> beforeId,
                                                         int top)
{
    static const std::string kSql =
        std::string(kDeployments) +
        "WHERE d.environment_id=? AND d.id < ? ORDER BY d.id DESC LIMIT ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(environmentId, beforeId.value_or(INT64_MAX), std::clamp(top, 1, 1000));
    return readDeployments(s);
}

std::vector<DeploymentRow> EnvironmentStore::openDeployments(const std::string &projectId)
{
    static const std::string kSql = std::string(kDeployments) +
                                    "JOIN environment e ON e.id = d.environment_id WHERE "
                                    "d.finished_at IS NULL AND e.project_id=? "
                                    "ORDER BY d.id";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(projectId);
    return readDeployments(s);
}

std::vector<DeploymentRow> EnvironmentStore::newestDeployments(const std::string &projectId)
{
    static const std::string kSql =
        std::string(kDeployments) +
        "WHERE d.id IN (SELECT max(n.id) FROM deployment n JOIN environment e ON e.id = "
        "n.environment_id "
        "WHERE e.project_id=? GROUP BY n.environment_id, n.resource_id) ORDER BY d.id";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(projectId);
    return readDeployments(s);
}

ServiceRow EnvironmentStore::serviceOf(const std::string &projectId,
                                       const std::string &imageRepository)
{
    {
        Statement s = m_connection.prepare(
            "SELECT id, key FROM service WHERE project_id=? AND image_repository=?");
        s.bind(projectId, imageRepository);
        if (s.step())
            return {s.get<std::int64_t>(0), projectId, s.get<std::string>(1), imageRepository};
    }
    // "localhost:5000/space-game/web" -> "web"; taken by another repository -> "space-game/web" ->
    // the whole.
    const std::size_t first = imageRepository.find('/');
    const std::size_t last = imageRepository.rfind('/');
    std::vector<std::string> keys{last == std::string::npos ? imageRepository
                                                            : imageRepository.substr(last + 1)};
    if (first != std::string::npos)
        keys.push_back(imageRepository.substr(first + 1));
    keys.push_back(imageRepository);
    for (const std::string &key : keys) {
        const std::int64_t added = m_connection.run(
            "INSERT INTO service(project_id, key, image_repository, created_at) VALUES(?,?,?,?) "
            "ON CONFLICT DO NOTHING",
            projectId, key, imageRepository, schema::wallClockNow());
        if (added > 0)
            return {m_connection.lastInsertId(), projectId, key, imageRepository};
    }
    throw SqlError({schema::ErrorCode::Conflict,
                    "no free name for a service of image repository " + imageRepository});
}

std::vector<ServiceRow> EnvironmentStore::services(const std::string &projectId)
{
    std::vector<ServiceRow> rows;
    Statement s = m_connection.prepare("SELECT id, project_id, key, image_repository FROM service "
                                       "WHERE project_id=? ORDER BY key");
    s.bind(projectId);
    while (s.step())
        rows.push_back({s.get<std::int64_t>(0), s.get<std::string>(1), s.get<std::string>(2),
                        s.get<std::string>(3)});
    return rows;
}

std::int64_t EnvironmentStore::putVersion(const VersionRow &version)
{
    std::vector<std::string> tags;
    std::int64_t id = 0;
    {
        static const std::string kSql =
            std::string(kVersions) + "WHERE v.service_id=? AND v.digest=? AND v.run_id IS ?";
        Statement s = m_connection.prepare(kSql.c_str());
        s.bind(version.serviceId, version.digest, orNull(version.runId));
        if (const auto known = oneVersion(s)) {
            id = known->id;
            tags = known->tags;
        }
    }
    for (const std::string &tag : version.tags) {
        if (std::find(tags.begin(), tags.end(), tag) == tags.end())
            tags.push_back(tag);
    }
    if (id != 0) {
        m_connection.run("UPDATE version SET tags_json=? WHERE id=?", json(tags).dump(), id);
        return id;
    }
    m_connection.run("INSERT INTO version(service_id, digest, tags_json, commit_id, run_id, "
                     "created_at) VALUES(?,?,?,?,?,?)",
                     version.serviceId, version.digest, json(tags).dump(), version.commit,
                     orNull(version.runId), version.createdAt);
    return m_connection.lastInsertId();
}

std::optional<VersionRow> EnvironmentStore::findVersion(std::int64_t serviceId,
                                                        std::string_view digest, std::int64_t runId)
{
    static const std::string kSql =
        std::string(kVersions) +
        "WHERE v.service_id=? AND v.digest=? ORDER BY v.run_id IS ? DESC, v.id DESC LIMIT 1";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(serviceId, digest, runId);
    return oneVersion(s);
}

std::optional<VersionRow> EnvironmentStore::findVersionByTag(std::int64_t serviceId,
                                                             std::string_view tag)
{
    static const std::string kSql =
        std::string(kVersions) +
        "WHERE v.service_id=? AND EXISTS(SELECT 1 FROM json_each(v.tags_json) t WHERE t.value = ?) "
        "ORDER BY v.id DESC LIMIT 1";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(serviceId, tag);
    return oneVersion(s);
}

std::optional<VersionRow> EnvironmentStore::version(std::int64_t id)
{
    static const std::string kSql = std::string(kVersions) + "WHERE v.id=?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(id);
    return oneVersion(s);
}

std::vector<VersionRow> EnvironmentStore::versionsOfRun(std::int64_t runId)
{
    static const std::string kSql = std::string(kVersions) + "WHERE v.run_id=? ORDER BY v.id";
    std::vector<VersionRow> rows;
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    while (s.step())
        rows.push_back(readVersion(s));
    return rows;
}

int EnvironmentStore::versionsAfter(const VersionRow &version)
{
    Statement s = m_connection.prepare(
        "SELECT count(DISTINCT CASE commit_id WHEN '' THEN digest ELSE commit_id END) "
        "FROM version WHERE service_id=? AND id>? AND digest<>? AND (commit_id='' OR "
        "commit_id<>?)");
    s.bind(version.serviceId, version.id, version.digest, version.commit);
    return s.step() ? s.get<int>(0) : 0;
}

void EnvironmentStore::putItem(const ItemRow &item)
{
    m_connection.run("INSERT INTO deployment_item(deployment_id, service_id, version_id, image, "
                     "digest, workload, namespace) "
                     "VALUES(?,?,?,?,?,?,?) ON CONFLICT(deployment_id, service_id) DO UPDATE SET "
                     "version_id=excluded.version_id, "
                     "image=excluded.image, digest=excluded.digest, workload=excluded.workload, "
                     "namespace=excluded.namespace",
                     item.deploymentId, item.serviceId, item.versionId, item.image, item.digest,
                     item.workload, item.kubernetesNamespace);
}

std::vector<ItemRow> EnvironmentStore::items(std::int64_t deploymentId)
{
    std::vector<ItemRow> rows;
    Statement s = m_connection.prepare(
        "SELECT " ITEM_COLUMNS
        " FROM deployment_item i WHERE i.deployment_id=? ORDER BY i.service_id");
    s.bind(deploymentId);
    while (s.step())
        rows.push_back(readItem(s, 0));
    return rows;
}

std::vector<std::int64_t> EnvironmentStore::updateCells(const DeploymentRow &deployment,
                                                        TimePoint now)
{
    std::vector<std::int64_t> services;
    for (const ItemRow &item : items(deployment.id)) {
        m_connection.run("INSERT INTO cell(service_id, environment_id, resource_id, deployment_id, "
                         "changed_at) VALUES(?,?,?,?,?) "
                         "ON CONFLICT(service_id, environment_id, resource_id) DO UPDATE SET "
                         "deployment_id=excluded.deployment_id, "
                         "changed_at=excluded.changed_at",
                         item.serviceId, deployment.environmentId, deployment.resourceId,
                         deployment.id, now);
        services.push_back(item.serviceId);
    }
    return services;
}

std::vector<DeployedRow> EnvironmentStore::cells(const std::string &projectId,
                                                 std::optional<TimePoint> at)
{
    if (!at) {
        Statement s = m_connection.prepare(
            "SELECT " DEPLOYMENT_COLUMNS ", " ITEM_COLUMNS
            " FROM cell c JOIN environment e ON e.id = c.environment_id "
            "JOIN deployment d ON d.id = c.deployment_id JOIN deployment_item i ON i.deployment_id "
            "= d.id AND i.service_id = c.service_id " DEPLOYMENT_JOINS
            "WHERE e.project_id=? ORDER BY c.service_id, c.environment_id, c.resource_id");
        s.bind(projectId);
        return readDeployed(s);
    }
    // Results 0 and 1: succeeded, succeeded with issues.
    Statement s = m_connection.prepare(
        "SELECT " DEPLOYMENT_COLUMNS ", " ITEM_COLUMNS
        " FROM deployment d JOIN environment e ON e.id = d.environment_id "
        "JOIN deployment_item i ON i.deployment_id = d.id " DEPLOYMENT_JOINS
        "WHERE e.project_id=?1 AND d.finished_at <= ?2 AND d.result IN (0, 1) AND NOT "
        "EXISTS(SELECT 1 FROM deployment_item i2 "
        "JOIN deployment d2 ON d2.id = i2.deployment_id WHERE i2.service_id = i.service_id AND "
        "d2.environment_id = d.environment_id "
        "AND d2.resource_id IS d.resource_id AND d2.result IN (0, 1) AND d2.finished_at <= ?2 "
        "AND (d2.finished_at > d.finished_at OR (d2.finished_at = d.finished_at AND d2.id > "
        "d.id))) "
        "ORDER BY i.service_id, d.environment_id, d.resource_id");
    s.bind(projectId, *at);
    return readDeployed(s);
}

std::vector<DeployedRow> EnvironmentStore::history(const HistoryQuery &query)
{
    Statement s = m_connection.prepare(
        "SELECT " DEPLOYMENT_COLUMNS ", " ITEM_COLUMNS
        " FROM deployment d LEFT JOIN deployment_item i ON i.deployment_id = d.id "
        "LEFT JOIN service s ON s.id = i.service_id " DEPLOYMENT_JOINS
        "WHERE (?2 IS NULL OR s.key = ?2) AND d.id IN ("
        "SELECT n.id FROM deployment n JOIN environment e ON e.id = n.environment_id "
        "WHERE e.project_id=?1 AND (?3 IS NULL OR n.environment_id = ?3) "
        "AND (?4 IS NULL OR coalesce(n.resource_id, 0) = ?4) AND (?5 IS NULL OR n.run_id = ?5) "
        "AND n.id < ?6 AND (?2 IS NULL OR EXISTS(SELECT 1 FROM deployment_item ni "
        "JOIN service ns ON ns.id = ni.service_id WHERE ni.deployment_id = n.id AND ns.key = ?2)) "
        "ORDER BY n.id DESC LIMIT ?7) "
        "ORDER BY d.id DESC, s.key");
    s.bind(query.projectId, query.serviceKey, query.environmentId, query.resourceId, query.runId,
           query.beforeDeployment.value_or(INT64_MAX), std::clamp(query.top, 1, 1000));
    return readDeployed(s);
}

std::optional<DeployedRow> EnvironmentStore::previous(std::int64_t serviceId,
                                                      const DeploymentRow &deployment)
{
    Statement s = m_connection.prepare(
        "SELECT " DEPLOYMENT_COLUMNS ", " ITEM_COLUMNS
        " FROM deployment_item i JOIN deployment d ON d.id = i.deployment_id " DEPLOYMENT_JOINS
        "WHERE i.service_id=? AND d.environment_id=? AND coalesce(d.resource_id, 0)=? AND d.id<? "
        "AND d.result IN (0, 1) "
        "ORDER BY d.id DESC LIMIT 1");
    s.bind(serviceId, deployment.environmentId, deployment.resourceId, deployment.id);
    auto rows = readDeployed(s);
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

} // namespace server::store
