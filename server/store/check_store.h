#pragma once
/// Rows of checks on environments, of approvals and of exclusive locks.

#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

using schema::TimePoint;

enum class CheckType : std::uint8_t { Approval, ExclusiveLock };
enum class ApprovalStatus : std::uint8_t { Pending, Approved, Rejected, TimedOut, Canceled };

/// "pending", "approved", "rejected", "timedOut", "canceled".
std::string_view toString(ApprovalStatus status);

struct CheckRow
{
    std::int64_t id = 0;
    std::int64_t environmentId = 0;
    CheckType type = CheckType::Approval;
    std::vector<std::string> approvers; ///< identity ids
    int minRequired = 0;                ///< 0: all of them
    bool requesterBarred = false;
    std::string instructions;
    int timeoutMinutes = 43200;
    TimePoint createdAt{};
};

struct ApprovalStepRow
{
    std::string identityId;
    std::string displayName; ///< read only, joined
    ApprovalStatus status = ApprovalStatus::Pending;
    std::string comment;
    std::optional<TimePoint> decidedAt;
    bool operator==(const ApprovalStepRow &) const = default;
};

/// One request for a decision, of one stage attempt. Its rules are frozen when it is made.
struct ApprovalRow
{
    std::string id; ///< also its timeline record
    std::int64_t checkId = 0;
    std::int64_t runId = 0;
    std::string stage;
    int stageAttempt = 1;
    ApprovalStatus status = ApprovalStatus::Pending;
    std::string instructions;
    int minRequired = 1; ///< 1 .. number of steps
    bool requesterBarred = false;
    TimePoint createdAt{}, expiresAt{};
    std::optional<TimePoint> decidedAt;
    std::vector<ApprovalStepRow> steps;
    bool operator==(const ApprovalRow &) const = default;
};

/// What an exclusive lock locks: an environment, or (environmentId 0) a stage of a pipeline that
/// has a lockBehavior of its own.
struct LockKey
{
    std::int64_t environmentId = 0;
    std::int64_t pipelineId = 0; ///< 0 with an environment, which pipelines share
    std::string stage;           ///< empty with an environment
    auto operator<=>(const LockKey &) const = default;
};

/// A stage attempt that holds an exclusive lock or waits for it.
struct LockRow
{
    std::int64_t environmentId = 0; ///< 0: the lock of the stage itself
    std::int64_t pipelineId = 0;
    std::int64_t runId = 0;
    std::string stage;
    int stageAttempt = 1;
    bool latestOnly = true; ///< lockBehavior: runLatest
    TimePoint requestedAt{};
    std::optional<TimePoint> grantedAt;
    bool operator==(const LockRow &) const = default;

    [[nodiscard]] LockKey key() const
    {
        return environmentId != 0 ? LockKey{environmentId, 0, {}} : LockKey{0, pipelineId, stage};
    }
};

struct ApprovalQuery
{
    std::optional<std::string> projectId;
    std::optional<ApprovalStatus> status;
    std::optional<std::int64_t> runId;
    int top = 100;
};

/// Statements on checks, within the caller's transaction. Methods throw SqlError.
class CheckStore
{
public:
    explicit CheckStore(Connection &connection)
        : m_connection(connection)
    {}

    std::vector<CheckRow> checks(std::int64_t environmentId);
    std::optional<CheckRow> findCheck(std::int64_t id);
    /// Environment of a check, also of a removed one; 0 when unknown.
    std::int64_t environmentOf(std::int64_t checkId);
    std::int64_t insertCheck(const CheckRow &check);
    void updateCheck(const CheckRow &check);
    /// Disables a check, so that approvals asked because of it keep their reference; false when
    /// there is none.
    bool removeCheck(std::int64_t id);

    std::optional<ApprovalRow> findApproval(const std::string &id);
    std::vector<ApprovalRow> approvalsOfRun(std::int64_t runId);
    /// Newest first.
    std::vector<ApprovalRow> approvals(const ApprovalQuery &query);
    /// Inserts or replaces, with its steps.
    void put(const ApprovalRow &approval);

    std::vector<LockRow> locksOfRun(std::int64_t runId);
    std::vector<LockRow> allLocks();
    void put(const LockRow &lock);
    void removeLock(const LockRow &lock);

private:
    std::vector<ApprovalRow> readApprovals(Statement &statement);
    Connection &m_connection;
};

} // namespace server::store
