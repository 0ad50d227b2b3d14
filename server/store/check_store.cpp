#include "server/store/check_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace server::store {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kStatusWords{"pending", "approved", "rejected",
                                                       "timedOut", "canceled"};

ApprovalStatus statusOf(const std::string &word)
{
    const auto at = std::find(kStatusWords.begin(), kStatusWords.end(), word);
    if (at == kStatusWords.end())
        throw SqlError({schema::ErrorCode::Internal,
                        "unknown approval status '" + word + "' in the database"});
    return static_cast<ApprovalStatus>(at - kStatusWords.begin());
}

constexpr const char *kCheckColumns = "SELECT id, environment_id, type, settings_json, "
                                      "timeout_minutes, created_at FROM check_configuration ";

CheckRow readCheck(const Statement &s)
{
    CheckRow check;
    check.id = s.get<std::int64_t>(0);
    check.environmentId = s.get<std::int64_t>(1);
    check.type =
        s.get<std::string>(2) == "exclusiveLock" ? CheckType::ExclusiveLock : CheckType::Approval;
    const json settings = json::parse(s.get<std::string>(3), nullptr, false);
    if (settings.is_object()) {
        check.approvers = settings.value("approvers", std::vector<std::string>());
        check.minRequired = settings.value("minRequiredApprovers", 0);
        check.requesterBarred = settings.value("requesterCannotBeApprover", false);
        check.instructions = settings.value("instructions", "");
    }
    check.timeoutMinutes = s.get<int>(4);
    check.createdAt = s.get<TimePoint>(5);
    return check;
}

std::string settingsText(const CheckRow &check)
{
    if (check.type == CheckType::ExclusiveLock)
        return "{}";
    return json{{"approvers", check.approvers},
                {"minRequiredApprovers", check.minRequired},
                {"requesterCannotBeApprover", check.requesterBarred},
                {"instructions", check.instructions}}
        .dump();
}

constexpr const char *kApprovalColumns =
    "SELECT a.id, a.check_id, a.run_id, a.stage, a.stage_attempt, a.status, a.instructions, "
    "a.min_required, a.requester_barred, "
    "a.created_at, a.expires_at, a.decided_at FROM approval a ";

constexpr const char *kLockColumns =
    "SELECT environment_id, pipeline_id, run_id, stage, stage_attempt, "
    "latest_only, requested_at, granted_at FROM exclusive_lock ";

std::vector<LockRow> readLocks(Statement &s)
{
    std::vector<LockRow> rows;
    while (s.step())
        rows.push_back({s.get<std::int64_t>(0), s.get<std::int64_t>(1), s.get<std::int64_t>(2),
                        s.get<std::string>(3), s.get<int>(4), s.get<bool>(5), s.get<TimePoint>(6),
                        s.get<std::optional<TimePoint>>(7)});
    return rows;
}

} // namespace

std::string_view toString(ApprovalStatus status)
{
    return kStatusWords[static_cast<std::size_t>(status)];
}

std::vector<CheckRow> CheckStore::checks(std::int64_t environmentId)
{
    static const std::string kSql =
        std::string(kCheckColumns) + "WHERE environment_id = ? AND enabled = 1 ORDER BY id";
    std::vector<CheckRow> rows;
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(environmentId);
    while (s.step())
        rows.push_back(readCheck(s));
    return rows;
}

std::optional<CheckRow> CheckStore::findCheck(std::int64_t id)
{
    static const std::string kSql = std::string(kCheckColumns) + "WHERE id = ? AND enabled = 1";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(id);
    if (!s.step())
        return std::nullopt;
    return readCheck(s);
}

std::int64_t CheckStore::environmentOf(std::int64_t checkId)
{
    Statement s =
        m_connection.prepare("SELECT environment_id FROM check_configuration WHERE id = ?");
    s.bind(checkId);
    return s.step() ? s.get<std::int64_t>(0) : 0;
}

std::int64_t CheckStore::insertCheck(const CheckRow &check)
{
    m_connection.run("INSERT INTO check_configuration(environment_id, type, settings_json, "
                     "timeout_minutes, created_at) VALUES(?,?,?,?,?)",
                     check.environmentId,
                     check.type == CheckType::ExclusiveLock ? "exclusiveLock" : "approval",
                     settingsText(check), check.timeoutMinutes, check.createdAt);
    return m_connection.lastInsertId();
}

void CheckStore::updateCheck(const CheckRow &check)
{
    m_connection.run("UPDATE check_configuration SET settings_json=?, timeout_minutes=? WHERE id=?",
                     settingsText(check), check.timeoutMinutes, check.id);
}

bool CheckStore::removeCheck(std::int64_t id)
{
    return m_connection.run(
               "UPDATE check_configuration SET enabled = 0 WHERE id = ? AND enabled = 1", id) > 0;
}

std::vector<ApprovalRow> CheckStore::readApprovals(Statement &s)
{
    std::vector<ApprovalRow> rows;
    while (s.step()) {
        ApprovalRow row;
        row.id = s.get<std::string>(0);
        row.checkId = s.get<std::int64_t>(1);
        row.runId = s.get<std::int64_t>(2);
        row.stage = s.get<std::string>(3);
        row.stageAttempt = s.get<int>(4);
        row.status = statusOf(s.get<std::string>(5));
        row.instructions = s.get<std::string>(6);
        row.minRequired = s.get<int>(7);
        row.requesterBarred = s.get<bool>(8);
        row.createdAt = s.get<TimePoint>(9);
        row.expiresAt = s.get<TimePoint>(10);
        row.decidedAt = s.get<std::optional<TimePoint>>(11);
        rows.push_back(std::move(row));
    }
    for (ApprovalRow &row : rows) {
        Statement steps = m_connection.prepare("SELECT s.identity_id, i.display_name, s.status, "
                                               "s.comment, s.decided_at FROM approval_step s "
                                               "JOIN identity i ON i.id = s.identity_id WHERE "
                                               "s.approval_id = ? ORDER BY i.display_name");
        steps.bind(row.id);
        while (steps.step())
            row.steps.push_back({steps.get<std::string>(0), steps.get<std::string>(1),
                                 statusOf(steps.get<std::string>(2)), steps.get<std::string>(3),
                                 steps.get<std::optional<TimePoint>>(4)});
    }
    return rows;
}

std::optional<ApprovalRow> CheckStore::findApproval(const std::string &id)
{
    static const std::string kSql = std::string(kApprovalColumns) + "WHERE a.id = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(id);
    auto rows = readApprovals(s);
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

std::vector<ApprovalRow> CheckStore::approvalsOfRun(std::int64_t runId)
{
    static const std::string kSql =
        std::string(kApprovalColumns) + "WHERE a.run_id = ? ORDER BY a.created_at, a.check_id";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    return readApprovals(s);
}

std::vector<ApprovalRow> CheckStore::approvals(const ApprovalQuery &query)
{
    static const std::string kSql =
        std::string(kApprovalColumns) +
        "JOIN run r ON r.id = a.run_id JOIN pipeline p ON p.id = r.pipeline_id "
        "WHERE (?1 IS NULL OR p.project_id = ?1) AND (?2 IS NULL OR a.status = ?2) "
        "AND (?3 IS NULL OR a.run_id = ?3) ORDER BY a.created_at DESC, a.id LIMIT ?4";
    Statement s = m_connection.prepare(kSql.c_str());
    std::optional<std::string> status;
    if (query.status)
        status = std::string(toString(*query.status));
    s.bind(query.projectId, status, query.runId, std::clamp(query.top, 1, 1000));
    return readApprovals(s);
}

void CheckStore::put(const ApprovalRow &row)
{
    m_connection.run(
        "INSERT INTO approval(id, check_id, run_id, stage, stage_attempt, record_id, status, "
        "instructions, min_required, "
        "requester_barred, created_at, expires_at, decided_at) "
        "VALUES(?1,?2,?3,?4,?5,?1,?6,?7,?8,?9,?10,?11,?12) "
        "ON CONFLICT(id) DO UPDATE SET status=excluded.status, decided_at=excluded.decided_at",
        row.id, row.checkId, row.runId, row.stage, row.stageAttempt, toString(row.status),
        row.instructions, row.minRequired, row.requesterBarred, row.createdAt, row.expiresAt,
        row.decidedAt);
    for (const ApprovalStepRow &step : row.steps)
        m_connection.run("INSERT INTO approval_step(approval_id, identity_id, status, comment, "
                         "decided_at) VALUES(?,?,?,?,?) "
                         "ON CONFLICT(approval_id, identity_id) DO UPDATE SET "
                         "status=excluded.status, comment=excluded.comment, "
                         "decided_at=excluded.decided_at",
                         row.id, step.identityId, toString(step.status), step.comment,
                         step.decidedAt);
}

std::vector<LockRow> CheckStore::locksOfRun(std::int64_t runId)
{
    static const std::string kSql =
        std::string(kLockColumns) + "WHERE run_id = ? ORDER BY environment_id";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    return readLocks(s);
}

std::vector<LockRow> CheckStore::allLocks()
{
    static const std::string kSql =
        std::string(kLockColumns) + "ORDER BY environment_id, requested_at, run_id";
    Statement s = m_connection.prepare(kSql.c_str());
    return readLocks(s);
}

void CheckStore::put(const LockRow &lock)
{
    m_connection.run(
        "INSERT INTO exclusive_lock(environment_id, pipeline_id, run_id, stage, stage_attempt, "
        "latest_only, requested_at, granted_at) "
        "VALUES(?,?,?,?,?,?,?,?) ON CONFLICT(environment_id, run_id, stage, stage_attempt) "
        "DO UPDATE SET granted_at=excluded.granted_at",
        lock.environmentId, lock.pipelineId, lock.runId, lock.stage, lock.stageAttempt,
        lock.latestOnly, lock.requestedAt, lock.grantedAt);
}

void CheckStore::removeLock(const LockRow &lock)
{
    m_connection.run("DELETE FROM exclusive_lock WHERE environment_id=? AND run_id=? AND stage=? "
                     "AND stage_attempt=?",
                     lock.environmentId, lock.runId, lock.stage, lock.stageAttempt);
}

} // namespace server::store
