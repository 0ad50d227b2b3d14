#include "server/checks/approval_service.h"

#include "server/scheduler/scheduler.h"
#include "server/store/environment_store.h"
#include "server/store/identity_store.h"
#include "server/store/run_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace server::checks {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;

constexpr int kLongestTimeoutMinutes = 43200; // 30 days (environments-and-portal B4)

Check toCheck(store::CheckRow row)
{
    Check check;
    check.id = row.id;
    check.environmentId = row.environmentId;
    check.type = row.type;
    check.approval = {std::move(row.approvers), row.minRequired, row.requesterBarred,
                      std::move(row.instructions)};
    check.timeoutMinutes = row.timeoutMinutes;
    check.createdAt = row.createdAt;
    return check;
}

store::CheckRow toRow(const Check &check)
{
    store::CheckRow row;
    row.id = check.id;
    row.environmentId = check.environmentId;
    row.type = check.type;
    row.approvers = check.approval.approvers;
    row.minRequired = check.approval.minRequired;
    row.requesterBarred = check.approval.requesterCannotBeApprover;
    row.instructions = check.approval.instructions;
    row.timeoutMinutes = check.timeoutMinutes;
    row.createdAt = check.createdAt;
    return row;
}

Status validate(Connection &connection, const Check &check)
{
    if (check.timeoutMinutes < 1 || check.timeoutMinutes > kLongestTimeoutMinutes)
        return {ErrorCode::InvalidArgument,
                fmt::format("timeout: give 1 to {} minutes", kLongestTimeoutMinutes)};
    if (check.type == CheckType::ExclusiveLock)
        return {};
    if (check.approval.approvers.empty())
        return {ErrorCode::InvalidArgument, "settings.approvers: name at least one approver"};
    store::IdentityStore identities(connection);
    for (const std::string &id : check.approval.approvers) {
        if (!identities.find(id))
            return {ErrorCode::NotFound,
                    fmt::format("settings.approvers: there is nobody with the id '{}'", id)};
    }
    if (check.approval.minRequired < 0 ||
        check.approval.minRequired > static_cast<int>(check.approval.approvers.size()))
        return {ErrorCode::InvalidArgument,
                fmt::format("settings.minRequiredApprovers: give 0 (all) to {}",
                            check.approval.approvers.size())};
    return {};
}

Approval toApproval(Connection &connection, store::ApprovalRow row)
{
    Approval approval;
    approval.id = row.id;
    approval.checkId = row.checkId;
    approval.runId = row.runId;
    approval.stage = row.stage;
    approval.stageAttempt = row.stageAttempt;
    approval.status = row.status;
    approval.instructions = row.instructions;
    approval.minRequired = row.minRequired;
    approval.requesterCannotBeApprover = row.requesterBarred;
    approval.createdAt = row.createdAt;
    approval.expiresAt = row.expiresAt;
    approval.decidedAt = row.decidedAt;
    for (store::ApprovalStepRow &step : row.steps)
        approval.steps.push_back({std::move(step.identityId), std::move(step.displayName),
                                  step.status, std::move(step.comment), step.decidedAt});
    if (auto run = store::RunStore(connection).find(row.runId)) {
        approval.runNumber = run->number;
        approval.pipelineId = run->pipelineId;
        approval.pipelineName = run->pipelineName;
        approval.projectId = run->projectId;
        approval.requestedBy = run->requestedBy;
        approval.requestedByName = run->requestedByName;
        approval.branch = run->sourceBranch;
        approval.version = run->sourceVersion;
        approval.commitMessage = run->commitMessage;
    }
    approval.environmentId = store::CheckStore(connection).environmentOf(row.checkId);
    if (auto environment = store::EnvironmentStore(connection).find(approval.environmentId))
        approval.environmentName = environment->name;
    return approval;
}

} // namespace

std::optional<ApprovalStatus> approvalStatusFromString(std::string_view text)
{
    for (const ApprovalStatus status :
         {ApprovalStatus::Pending, ApprovalStatus::Approved, ApprovalStatus::Rejected,
          ApprovalStatus::TimedOut, ApprovalStatus::Canceled}) {
        if (toString(status) == text)
            return status;
    }
    return std::nullopt;
}

std::string_view toString(CheckType type)
{
    return type == CheckType::ExclusiveLock ? "exclusiveLock" : "approval";
}

bool Approval::canDecide(const std::string &identityId) const
{
    if (status != ApprovalStatus::Pending ||
        (requesterCannotBeApprover && requestedBy == identityId))
        return false;
    return std::any_of(steps.begin(), steps.end(), [&](const ApprovalStep &step) {
        return step.identityId == identityId && step.status == ApprovalStatus::Pending;
    });
}

ApprovalService::ApprovalService(store::Database &database, scheduler::Scheduler &scheduler)
    : m_database(database)
    , m_scheduler(scheduler)
{}

Result<std::vector<Check>> ApprovalService::checks(std::int64_t environmentId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Check>> {
        std::vector<Check> list;
        for (store::CheckRow &row : store::CheckStore(connection).checks(environmentId))
            list.push_back(toCheck(std::move(row)));
        return list;
    });
}

Result<std::vector<Check>> ApprovalService::projectChecks(const std::string &projectId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Check>> {
        std::vector<Check> list;
        for (const store::EnvironmentRow &environment :
             store::EnvironmentStore(connection).list(projectId)) {
            for (store::CheckRow &row : store::CheckStore(connection).checks(environment.id))
                list.push_back(toCheck(std::move(row)));
        }
        return list;
    });
}

/// Lets the scheduler look at what changed, when it changed.
template <typename T> T ApprovalService::announced(T result)
{
    if (result)
        m_scheduler.configurationChanged();
    return result;
}

Result<Check> ApprovalService::addCheck(const Check &check)
{
    return announced(m_database.write([&](Connection &connection) -> Result<Check> {
        RETURN_IF_ERROR(validate(connection, check));
        if (!store::EnvironmentStore(connection).find(check.environmentId))
            return Error{ErrorCode::NotFound,
                         fmt::format("environment {} does not exist", check.environmentId)};
        store::CheckStore checks(connection);
        if (check.type == CheckType::ExclusiveLock) {
            for (const store::CheckRow &known : checks.checks(check.environmentId)) {
                if (known.type == CheckType::ExclusiveLock)
                    return Error{ErrorCode::AlreadyExists,
                                 "the environment has an exclusive lock already"};
            }
        }
        store::CheckRow row = toRow(check);
        row.createdAt = schema::wallClockNow();
        row.id = checks.insertCheck(row);
        return toCheck(std::move(row));
    }));
}

Result<Check> ApprovalService::updateCheck(const Check &check)
{
    return announced(m_database.write([&](Connection &connection) -> Result<Check> {
        store::CheckStore checks(connection);
        const auto known = checks.findCheck(check.id);
        if (!known)
            return Error{ErrorCode::NotFound, fmt::format("check {} does not exist", check.id)};
        if (known->type != check.type)
            return Error{ErrorCode::InvalidArgument,
                         "type: a check cannot become one of another type; add a new one"};
        RETURN_IF_ERROR(validate(connection, check));
        store::CheckRow row = toRow(check);
        row.environmentId = known->environmentId;
        row.createdAt = known->createdAt;
        checks.updateCheck(row);
        return toCheck(std::move(row));
    }));
}

Status ApprovalService::removeCheck(std::int64_t checkId)
{
    return announced(m_database.write([&](Connection &connection) -> Status {
        if (!store::CheckStore(connection).removeCheck(checkId))
            return {ErrorCode::NotFound, fmt::format("check {} does not exist", checkId)};
        return {};
    }));
}

Result<std::vector<Approval>> ApprovalService::approvals(const ApprovalFilter &filter)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Approval>> {
        store::CheckStore checks(connection);
        std::vector<Approval> list;
        if (!filter.ids.empty()) {
            for (const std::string &id : filter.ids) {
                auto row = checks.findApproval(id);
                if (!row)
                    continue;
                Approval approval = toApproval(connection, std::move(*row));
                if (!filter.projectId || approval.projectId == *filter.projectId)
                    list.push_back(std::move(approval));
            }
            return list;
        }
        for (store::ApprovalRow &row :
             checks.approvals({filter.projectId, filter.status, filter.runId, filter.top}))
            list.push_back(toApproval(connection, std::move(row)));
        return list;
    });
}

Result<Approval> ApprovalService::approval(const std::string &id)
{
    return m_database.read([&](Connection &connection) -> Result<Approval> {
        auto row = store::CheckStore(connection).findApproval(id);
        if (!row)
            return Error{ErrorCode::NotFound, fmt::format("approval {} does not exist", id)};
        return toApproval(connection, std::move(*row));
    });
}

Result<Approval> ApprovalService::decide(const std::string &approvalId,
                                         const std::string &identityId, bool approve,
                                         const std::string &comment)
{
    RETURN_IF_ERROR(m_scheduler.decideApproval(approvalId, identityId, approve, comment));
    return approval(approvalId);
}

} // namespace server::checks
