#include "server/store/retention_store.h"

#include <algorithm>
#include <array>

namespace server::store {
namespace {

RetentionPolicyRow policyRow(const Statement &s)
{
    return {s.get<std::string>(0), s.get<std::int64_t>(1), s.get<int>(2),
            s.get<int>(3),         s.get<int>(4),          s.get<int>(5)};
}

RetentionLeaseRow leaseRow(const Statement &s)
{
    return {s.get<std::int64_t>(0), s.get<std::int64_t>(1),      s.get<std::int64_t>(2),
            s.get<std::string>(3),  s.get<schema::TimePoint>(4), s.get<schema::TimePoint>(5),
            s.get<bool>(6)};
}

CompletedRun runRow(const Statement &s)
{
    return {s.get<std::int64_t>(0),      s.get<std::int64_t>(1), s.get<schema::TimePoint>(2),
            s.get<schema::RunReason>(3), s.get<bool>(4),         s.get<bool>(5)};
}

#define SLIPWAY_LEASE_COLUMNS                                                                      \
    "SELECT l.id, l.run_id, l.pipeline_id, l.owner_id, l.created_at, l.valid_until,"               \
    " l.protect_pipeline FROM retention_lease l JOIN pipeline p ON p.id = l.pipeline_id "
#define SLIPWAY_COMPLETED_COLUMNS                                                                  \
    "SELECT r.id, r.pipeline_id, coalesce(r.finished_at, r.queued_at), r.reason,"                  \
    " EXISTS(SELECT 1 FROM retention_lease l WHERE l.run_id = r.id AND l.valid_until > ?1),"       \
    " EXISTS(SELECT 1 FROM artifact a WHERE a.run_id = r.id) FROM run r "

constexpr const char *kPolicies =
    "SELECT project_id, pipeline_id, run_days, artifact_days, pull_request_days, minimum_runs"
    " FROM retention_policy";
constexpr const char *kPolicy =
    "SELECT project_id, pipeline_id, run_days, artifact_days, pull_request_days, minimum_runs"
    " FROM retention_policy WHERE project_id = ?1 AND pipeline_id = ?2";
constexpr const char *kPutPolicy =
    "INSERT OR REPLACE INTO retention_policy(project_id, pipeline_id, run_days, artifact_days,"
    " pull_request_days, minimum_runs) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
constexpr const char *kRemovePolicy =
    "DELETE FROM retention_policy WHERE project_id = ?1 AND pipeline_id = ?2";
constexpr const char *kInsertLease =
    "INSERT INTO retention_lease(run_id, pipeline_id, owner_id, created_at, valid_until,"
    " protect_pipeline) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
constexpr const char *kRemoveLease = "DELETE FROM retention_lease WHERE id = ?2 AND pipeline_id IN"
                                     " (SELECT id FROM pipeline WHERE project_id = ?1)";
constexpr const char *kUpdateLease =
    "UPDATE retention_lease SET valid_until = ?2, protect_pipeline = ?3 WHERE id = ?1";
constexpr const char *kLease = SLIPWAY_LEASE_COLUMNS "WHERE p.project_id = ?1 AND l.id = ?2";
constexpr const char *kLeases =
    SLIPWAY_LEASE_COLUMNS "WHERE p.project_id = ?1 AND (?2 IS NULL OR l.owner_id = ?2)"
                          " AND (?3 IS NULL OR l.pipeline_id = ?3) ORDER BY l.id LIMIT 10000";
constexpr const char *kLeasesOfRun = SLIPWAY_LEASE_COLUMNS
    "WHERE p.project_id = ?1 AND (?2 IS NULL OR l.owner_id = ?2)"
    " AND (?3 IS NULL OR l.pipeline_id = ?3) AND l.run_id = ?4 ORDER BY l.id LIMIT 10000";
constexpr const char *kLeased =
    "SELECT 1 FROM retention_lease WHERE run_id = ?1 AND valid_until > ?2 LIMIT 1";
constexpr const char *kProtected =
    "SELECT 1 FROM retention_lease WHERE pipeline_id = ?1 AND protect_pipeline = 1"
    " AND valid_until > ?2 LIMIT 1";
constexpr const char *kRemoveExpired = "DELETE FROM retention_lease WHERE valid_until <= ?1";
constexpr const char *kKeptFrom =
    "SELECT id FROM run WHERE pipeline_id = ?1 AND status = 2 AND deleted_at IS NULL"
    " ORDER BY id DESC LIMIT 1 OFFSET ?2";
constexpr const char *kCompleted = SLIPWAY_COMPLETED_COLUMNS
    "WHERE r.pipeline_id = ?2 AND r.id > ?3 AND r.id < ?4 AND r.status = 2"
    " AND r.deleted_at IS NULL AND coalesce(r.finished_at, r.queued_at) < ?5"
    " ORDER BY r.id LIMIT ?6";
constexpr const char *kCompletedRun =
    SLIPWAY_COMPLETED_COLUMNS "WHERE r.id = ?2 AND r.status = 2 AND r.deleted_at IS NULL";
constexpr const char *kDeployed =
    "SELECT d.run_id FROM cell c JOIN deployment d ON d.id = c.deployment_id"
    " UNION SELECT v.run_id FROM cell c JOIN deployment_item i ON i.deployment_id ="
    " c.deployment_id AND i.service_id = c.service_id JOIN version v ON v.id = i.version_id"
    " WHERE v.run_id IS NOT NULL ORDER BY 1";
constexpr const char *kMark =
    "UPDATE run SET deleted_at = ?2 WHERE id = ?1 AND status = 2 AND deleted_at IS NULL";
constexpr const char *kToEmpty = "SELECT id FROM run WHERE deleted_at IS NOT NULL AND emptied_at"
                                 " IS NULL ORDER BY id LIMIT ?1";

#undef SLIPWAY_LEASE_COLUMNS
#undef SLIPWAY_COMPLETED_COLUMNS

/// What a run left, biggest first; each deletes at most ?2 rows of run ?1.
constexpr std::array kRemains{
    "DELETE FROM test_result WHERE (test_run_id, id) IN (SELECT t.test_run_id, t.id FROM test_run"
    " r JOIN test_result t ON t.test_run_id = r.id WHERE r.run_id = ?1 LIMIT ?2)",
    "DELETE FROM test_run WHERE id IN (SELECT id FROM test_run WHERE run_id = ?1 LIMIT ?2)",
    "DELETE FROM timeline_record WHERE run_id = ?1 AND (id, attempt) IN"
    " (SELECT id, attempt FROM timeline_record WHERE run_id = ?1 LIMIT ?2)",
    "DELETE FROM log WHERE run_id = ?1 AND log_id IN"
    " (SELECT log_id FROM log WHERE run_id = ?1 LIMIT ?2)",
    "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE run_id = ?1 LIMIT ?2)",
    "DELETE FROM phase_state WHERE run_id = ?1 AND (stage, name, attempt) IN"
    " (SELECT stage, name, attempt FROM phase_state WHERE run_id = ?1 LIMIT ?2)",
    "DELETE FROM stage_state WHERE run_id = ?1 AND (name, attempt) IN"
    " (SELECT name, attempt FROM stage_state WHERE run_id = ?1 LIMIT ?2)",
};

} // namespace

std::vector<RetentionPolicyRow> RetentionStore::policies()
{
    std::vector<RetentionPolicyRow> out;
    Statement s = m_connection.prepare(kPolicies);
    while (s.step())
        out.push_back(policyRow(s));
    return out;
}

std::optional<RetentionPolicyRow> RetentionStore::policy(std::string_view projectId,
                                                         std::int64_t pipelineId)
{
    Statement s = m_connection.prepare(kPolicy);
    if (!s.bind(projectId, pipelineId).step())
        return std::nullopt;
    return policyRow(s);
}

void RetentionStore::put(const RetentionPolicyRow &policy)
{
    m_connection.run(kPutPolicy, policy.projectId, policy.pipelineId, policy.runDays,
                     policy.artifactDays, policy.pullRequestDays, policy.minimumRuns);
}

void RetentionStore::removePolicy(std::string_view projectId, std::int64_t pipelineId)
{
    m_connection.run(kRemovePolicy, projectId, pipelineId);
}

std::int64_t RetentionStore::insertLease(const RetentionLeaseRow &lease)
{
    m_connection.run(kInsertLease, lease.runId, lease.pipelineId, lease.ownerId, lease.createdAt,
                     lease.validUntil, lease.protectPipeline);
    return m_connection.lastInsertId();
}

bool RetentionStore::removeLease(std::string_view projectId, std::int64_t id)
{
    return m_connection.run(kRemoveLease, projectId, id) > 0;
}

void RetentionStore::updateLease(const RetentionLeaseRow &lease)
{
    m_connection.run(kUpdateLease, lease.id, lease.validUntil, lease.protectPipeline);
}

std::optional<RetentionLeaseRow> RetentionStore::lease(std::string_view projectId, std::int64_t id)
{
    Statement s = m_connection.prepare(kLease);
    if (!s.bind(projectId, id).step())
        return std::nullopt;
    return leaseRow(s);
}

std::vector<RetentionLeaseRow> RetentionStore::leases(const LeaseQuery &query)
{
    std::vector<RetentionLeaseRow> out;
    Statement s = m_connection.prepare(query.runId ? kLeasesOfRun : kLeases);
    if (query.runId)
        s.bind(query.projectId, query.ownerId, query.pipelineId, *query.runId);
    else
        s.bind(query.projectId, query.ownerId, query.pipelineId);
    while (s.step())
        out.push_back(leaseRow(s));
    return out;
}

bool RetentionStore::isLeased(std::int64_t runId, schema::TimePoint now)
{
    Statement s = m_connection.prepare(kLeased);
    return s.bind(runId, now).step();
}

bool RetentionStore::isPipelineProtected(std::int64_t pipelineId, schema::TimePoint now)
{
    Statement s = m_connection.prepare(kProtected);
    return s.bind(pipelineId, now).step();
}

void RetentionStore::removeExpiredLeases(schema::TimePoint before)
{
    m_connection.run(kRemoveExpired, before);
}

std::int64_t RetentionStore::keptFrom(std::int64_t pipelineId, int count)
{
    if (count <= 0)
        return INT64_MAX;
    Statement s = m_connection.prepare(kKeptFrom);
    return s.bind(pipelineId, count - 1).step() ? s.get<std::int64_t>(0) : 0;
}

std::vector<CompletedRun> RetentionStore::completed(std::int64_t pipelineId, std::int64_t after,
                                                    std::int64_t below,
                                                    schema::TimePoint endedBefore,
                                                    schema::TimePoint now, int limit)
{
    std::vector<CompletedRun> out;
    Statement s = m_connection.prepare(kCompleted);
    s.bind(now, pipelineId, after, below, endedBefore, limit);
    while (s.step())
        out.push_back(runRow(s));
    return out;
}

std::optional<CompletedRun> RetentionStore::completedRun(std::int64_t runId, schema::TimePoint now)
{
    Statement s = m_connection.prepare(kCompletedRun);
    if (!s.bind(now, runId).step())
        return std::nullopt;
    return runRow(s);
}

std::vector<std::int64_t> RetentionStore::deployedRuns()
{
    std::vector<std::int64_t> out;
    Statement s = m_connection.prepare(kDeployed);
    while (s.step())
        out.push_back(s.get<std::int64_t>(0));
    return out;
}

bool RetentionStore::markDeleted(std::int64_t runId, schema::TimePoint now)
{
    return m_connection.run(kMark, runId, now) > 0;
}

std::vector<std::int64_t> RetentionStore::toEmpty(int limit)
{
    std::vector<std::int64_t> out;
    Statement s = m_connection.prepare(kToEmpty);
    s.bind(limit);
    while (s.step())
        out.push_back(s.get<std::int64_t>(0));
    return out;
}

bool RetentionStore::emptySome(std::int64_t runId, int limit, schema::TimePoint now)
{
    for (const char *sql : kRemains)
        if (m_connection.run(sql, runId, limit) >= limit)
            return false;
    m_connection.run("DELETE FROM approval WHERE run_id = ?", runId);
    m_connection.run("DELETE FROM exclusive_lock WHERE run_id = ?", runId);
    m_connection.run("DELETE FROM retention_lease WHERE run_id = ?", runId);
    Statement deployed = m_connection.prepare("SELECT 1 FROM deployment WHERE run_id = ? LIMIT 1");
    deployed.bind(runId);
    if (deployed.step())
        m_connection.run("UPDATE run SET emptied_at = ?2, root_values_sealed = NULL,"
                         " variables_json = '{}' WHERE id = ?1",
                         runId, now);
    else
        m_connection.run("DELETE FROM run WHERE id = ?", runId);
    return true;
}

std::vector<std::string> RetentionStore::removeArtifacts(std::int64_t runId)
{
    std::vector<std::string> out;
    {
        Statement s = m_connection.prepare("SELECT blob_sha256 FROM artifact WHERE run_id = ?");
        s.bind(runId);
        while (s.step())
            out.push_back(s.get<std::string>(0));
    }
    m_connection.run("DELETE FROM artifact WHERE run_id = ?", runId);
    return out;
}

bool RetentionStore::isBlobUsed(std::string_view sha256)
{
    Statement s = m_connection.prepare("SELECT 1 FROM artifact WHERE blob_sha256 = ? LIMIT 1");
    return s.bind(sha256).step();
}

int RetentionStore::removeUnusedPlans(int limit)
{
    return static_cast<int>(m_connection.run(
        "DELETE FROM compiled_plan WHERE id IN (SELECT c.id FROM compiled_plan c WHERE NOT EXISTS"
        " (SELECT 1 FROM run r WHERE r.compiled_plan_id = c.id) LIMIT ?)",
        limit));
}

void RetentionStore::markPipelineDeleted(std::int64_t pipelineId, schema::TimePoint now)
{
    m_connection.run("UPDATE pipeline SET deleted_at = ?2, queue_status = 2,"
                     " name = name || ' (deleted ' || id || ')' WHERE id = ?1",
                     pipelineId, now);
}

bool RetentionStore::hasOpenRuns(std::int64_t pipelineId)
{
    Statement s =
        m_connection.prepare("SELECT 1 FROM run WHERE status <> 2 AND pipeline_id = ? LIMIT 1");
    return s.bind(pipelineId).step();
}

std::vector<std::int64_t> RetentionStore::runsOf(std::int64_t pipelineId)
{
    std::vector<std::int64_t> out;
    Statement s = m_connection.prepare(
        "SELECT id FROM run WHERE pipeline_id = ? AND deleted_at IS NULL ORDER BY id");
    s.bind(pipelineId);
    while (s.step())
        out.push_back(s.get<std::int64_t>(0));
    return out;
}

std::vector<std::pair<std::int64_t, std::string>> RetentionStore::pipelines()
{
    std::vector<std::pair<std::int64_t, std::string>> out;
    Statement s = m_connection.prepare("SELECT id, project_id FROM pipeline ORDER BY id");
    while (s.step())
        out.emplace_back(s.get<std::int64_t>(0), s.get<std::string>(1));
    return out;
}

} // namespace server::store
