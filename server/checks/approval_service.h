#pragma once
/// Checks on environments and the decisions of people about them.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "server/store/check_store.h"
#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace server::scheduler {
class Scheduler;
}

namespace server::checks {

using store::CheckType;

/// Settings of an approval check (environments-and-portal B4).
struct ApprovalSettings
{
    std::vector<std::string> approvers; ///< identity ids
    int minRequired = 0;                ///< 0: all of them
    bool requesterCannotBeApprover = false;
    std::string instructions;
};

struct Check
{
    std::int64_t id = 0;
    std::int64_t environmentId = 0;
    CheckType type = CheckType::Approval;
    ApprovalSettings approval; ///< for Approval
    int timeoutMinutes = 43200;
    schema::TimePoint createdAt{};
};

/// "approval", "exclusiveLock".
std::string_view toString(CheckType type);

using store::ApprovalStatus;
using store::toString;
/// Reads toString()'s words; nothing for an unknown one.
std::optional<ApprovalStatus> approvalStatusFromString(std::string_view text);

struct ApprovalStep
{
    std::string identityId, displayName;
    ApprovalStatus status = ApprovalStatus::Pending;
    std::string comment;
    std::optional<schema::TimePoint> decidedAt;
};

/// One request for a decision, of one stage attempt.
struct Approval
{
    std::string id; ///< also the id of its Checkpoint.Approval record
    std::int64_t checkId = 0;
    std::int64_t environmentId = 0;
    std::string environmentName;
    std::int64_t runId = 0;
    std::string runNumber;
    std::int64_t pipelineId = 0;
    std::string pipelineName;
    std::string projectId;
    std::string stage;
    int stageAttempt = 1;
    std::optional<std::string> requestedBy;
    std::string requestedByName;
    std::string branch, version, commitMessage;
    ApprovalStatus status = ApprovalStatus::Pending;
    std::string instructions;
    int minRequired = 1;
    bool requesterCannotBeApprover = false;
    schema::TimePoint createdAt{}, expiresAt{};
    std::optional<schema::TimePoint> decidedAt;
    std::vector<ApprovalStep> steps;

    /// True when this person may decide now (is a pending approver and not a barred requester).
    [[nodiscard]] bool canDecide(const std::string &identityId) const;
};

struct ApprovalFilter
{
    std::optional<std::string> projectId;
    std::optional<ApprovalStatus> status;
    std::optional<std::int64_t> runId;
    std::vector<std::string> ids; ///< only these, when not empty
    int top = 100;
};

/// All methods are thread-safe.
class ApprovalService
{
public:
    /// Both must outlive the service.
    ApprovalService(store::Database &database, scheduler::Scheduler &scheduler);

    schema::Result<std::vector<Check>> checks(std::int64_t environmentId);
    /// Checks of every environment of a project.
    schema::Result<std::vector<Check>> projectChecks(const std::string &projectId);
    /// Adds a check; it holds for stages whose checks begin afterwards. Errors: NotFound
    /// (environment or approver), InvalidArgument (no approvers, minRequired above their number,
    /// timeout not 1..43200), AlreadyExists (second exclusive lock).
    schema::Result<Check> addCheck(const Check &check);
    schema::Result<Check> updateCheck(const Check &check);
    schema::Status removeCheck(std::int64_t checkId);

    /// Newest first.
    schema::Result<std::vector<Approval>> approvals(const ApprovalFilter &filter);
    schema::Result<Approval> approval(const std::string &id);
    /// Records a person's decision. Errors: NotFound; PermissionDenied (not an approver, or the
    /// requester where barred); Conflict (already decided).
    schema::Result<Approval> decide(const std::string &approvalId, const std::string &identityId,
                                    bool approve, const std::string &comment);

private:
    template <typename T> T announced(T result);

    store::Database &m_database;
    scheduler::Scheduler &m_scheduler;
};

} // namespace server::checks
