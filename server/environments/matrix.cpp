// The matrix (service x target) and the history behind each of its cells.
#include "server/environments/environment_service.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/run_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace server::environments {
namespace {

using schema::Result;
using store::Connection;

constexpr int kMostCommits = 250; // environments-and-portal A6

using Target = std::pair<std::int64_t, std::int64_t>; ///< environment, resource

Version toVersion(store::VersionRow row)
{
    return {row.id,
            std::move(row.digest),
            std::move(row.tags),
            std::move(row.commit),
            std::move(row.commitMessage),
            row.runId,
            std::move(row.runNumber),
            {row.pipelineId, std::move(row.pipelineName)},
            row.createdAt};
}

std::vector<Decision> decisionsOf(Connection &connection, const store::DeploymentRow &deployment)
{
    std::vector<Decision> decisions;
    for (const store::ApprovalRow &approval :
         store::CheckStore(connection).approvalsOfRun(deployment.runId)) {
        if (approval.stage != deployment.stage || approval.stageAttempt != deployment.stageAttempt)
            continue;
        for (const store::ApprovalStepRow &step : approval.steps) {
            if (step.status != store::ApprovalStatus::Pending)
                decisions.push_back({step.displayName, std::string(store::toString(step.status)),
                                     step.comment, step.decidedAt});
        }
    }
    return decisions;
}

class MatrixReader
{
public:
    MatrixReader(Connection &connection, std::string projectId, std::optional<TimePoint> at)
        : m_connection(connection)
        , m_environments(connection)
        , m_projectId(std::move(projectId))
        , m_at(at)
    {}

    Matrix read()
    {
        Matrix matrix;
        matrix.at = m_at.value_or(schema::wallClockNow());
        for (store::ServiceRow &row : m_environments.services(m_projectId))
            matrix.services.push_back({row.id, std::move(row.key), std::move(row.imageRepository)});
        for (const store::DeployedRow &row : m_environments.cells(m_projectId, m_at))
            addCell(row);
        if (!m_at) {
            addNewest();
            addWaiting();
            for (const store::LockRow &lock : store::CheckStore(m_connection).allLocks()) {
                if (lock.grantedAt && lock.environmentId != 0)
                    addHolder(matrix, lock);
            }
        }
        for (auto &[key, cell] : m_cells)
            matrix.cells.push_back(std::move(cell));
        return matrix;
    }

private:
    using Key =
        std::tuple<std::int64_t, std::int64_t, std::int64_t>; // service, environment, resource

    void addCell(const store::DeployedRow &row)
    {
        Cell cell;
        cell.serviceId = row.item.serviceId;
        cell.environmentId = row.deployment.environmentId;
        cell.resourceId = row.deployment.resourceId;
        if (row.item.versionId) {
            if (auto version = m_environments.version(*row.item.versionId)) {
                cell.behind = m_at ? 0 : m_environments.versionsAfter(*version);
                cell.version = toVersion(std::move(*version));
            }
        }
        if (!cell.version) { // nobody could tell the digest: what was written is all that is known
            cell.version = Version{};
            cell.version->digest = row.item.digest;
        }
        cell.image = row.item.image;
        cell.deploymentId = row.deployment.id;
        cell.runId = row.deployment.runId;
        cell.runNumber = row.deployment.runNumber;
        cell.pipeline = {row.deployment.pipelineId, row.deployment.pipelineName};
        cell.since = row.deployment.finishedAt;
        cell.workload = row.item.workload;
        cell.kubernetesNamespace = row.item.kubernetesNamespace;
        cell.approvedBy = decisionsOf(m_connection, row.deployment);
        m_cells[{cell.serviceId, cell.environmentId, cell.resourceId}] = std::move(cell);
    }

    /// Services that a run moves: those it made versions of, else those its deployment names.
    std::set<std::int64_t> servicesOf(std::int64_t runId, std::int64_t deploymentId)
    {
        std::set<std::int64_t> services;
        for (const store::VersionRow &version : m_environments.versionsOfRun(runId))
            services.insert(version.serviceId);
        if (deploymentId != 0) {
            for (const store::ItemRow &item : m_environments.items(deploymentId))
                services.insert(item.serviceId);
        }
        return services;
    }

    void mark(std::int64_t service, const Target &target, CellState state,
              PendingDeployment pending)
    {
        Cell &cell = m_cells[{service, target.first, target.second}];
        cell.serviceId = service;
        cell.environmentId = target.first;
        cell.resourceId = target.second;
        cell.state = state;
        for (store::VersionRow &version : m_environments.versionsOfRun(pending.runId)) {
            if (version.serviceId == service)
                pending.version = toVersion(std::move(version));
        }
        if (state == CellState::Waiting)
            cell.waiting.push_back(pending);
        cell.pending = std::move(pending);
    }

    void addNewest()
    {
        for (const store::DeploymentRow &row : m_environments.newestDeployments(m_projectId)) {
            const bool open = !row.finishedAt;
            const bool failed = row.result && *row.result != schema::TaskResult::Succeeded &&
                                *row.result != schema::TaskResult::SucceededWithIssues &&
                                *row.result != schema::TaskResult::Skipped;
            if (!open && !failed)
                continue;
            for (const std::int64_t service : servicesOf(row.runId, row.id))
                mark(service, {row.environmentId, row.resourceId},
                     open ? CellState::InProgress : CellState::Failed,
                     {row.runId,
                      row.runNumber,
                      {row.pipelineId, row.pipelineName},
                      open ? "inProgress" : "failed",
                      {},
                      {}});
        }
    }

    void addWaiting()
    {
        store::CheckStore checks(m_connection);
        store::RunStore runs(m_connection);
        for (const store::ApprovalRow &approval :
             checks.approvals({m_projectId, store::ApprovalStatus::Pending, std::nullopt, 1000})) {
            const auto run = runs.find(approval.runId);
            for (const store::PhaseRow &phase : runs.phases(approval.runId)) {
                if (!run || phase.stage != approval.stage || phase.environmentId == 0 ||
                    phase.state == schema::RecordState::Completed)
                    continue;
                for (const std::int64_t service : servicesOf(approval.runId, 0))
                    mark(service, {phase.environmentId, phase.resourceId}, CellState::Waiting,
                         {approval.runId,
                          run->number,
                          {run->pipelineId, run->pipelineName},
                          "waiting",
                          approval.id,
                          {}});
            }
        }
    }

    void addHolder(Matrix &matrix, const store::LockRow &lock)
    {
        const auto run = store::RunStore(m_connection).find(lock.runId);
        if (run && run->projectId == m_projectId)
            matrix.locks.push_back({lock.environmentId,
                                    lock.runId,
                                    run->number,
                                    lock.stage,
                                    {run->pipelineId, run->pipelineName}});
    }

    Connection &m_connection;
    store::EnvironmentStore m_environments;
    std::string m_projectId;
    std::optional<TimePoint> m_at;
    std::map<Key, Cell> m_cells;
};

/// A history entry with what is needed to ask git about it afterwards.
struct Draft
{
    HistoryEntry entry;
    std::string repositoryId, from, to, fromDigest;
    bool hasPrevious = false;
};

} // namespace

DeploymentRecord toRecord(const store::DeploymentRow &row)
{
    DeploymentRecord record;
    record.id = row.id;
    record.environmentId = row.environmentId;
    record.resourceId = row.resourceId;
    record.runId = row.runId;
    record.runNumber = row.runNumber;
    record.planId = row.planId;
    record.pipelineId = row.pipelineId;
    record.pipelineName = row.pipelineName;
    record.stage = row.stage;
    record.job = row.phase;
    record.requestIdentifier = row.requestIdentifier;
    record.stageAttempt = row.stageAttempt;
    record.jobAttempt = row.phaseAttempt;
    record.queuedAt = row.queuedAt;
    record.startedAt = row.startedAt;
    record.finishedAt = row.finishedAt;
    record.result = row.result;
    return record;
}

Result<Matrix> EnvironmentService::matrix(const std::string &projectId, std::optional<TimePoint> at)
{
    ASSIGN_OR_RETURN(std::vector<Environment> environments, list(projectId));
    ASSIGN_OR_RETURN(Matrix matrix, m_database.read([&](Connection &connection) -> Result<Matrix> {
        return MatrixReader(connection, projectId, at).read();
    }));
    matrix.environments = std::move(environments);
    return matrix;
}

Result<std::vector<HistoryEntry>> EnvironmentService::history(const HistoryFilter &filter)
{
    auto drafts = m_database.read([&](Connection &connection) -> Result<std::vector<Draft>> {
        store::EnvironmentStore environments(connection);
        store::RunStore runs(connection);
        std::map<std::int64_t, store::ServiceRow> services;
        for (store::ServiceRow &row : environments.services(filter.projectId))
            services[row.id] = std::move(row);
        std::vector<Draft> list;
        for (const store::DeployedRow &row : environments.history(
                 {filter.projectId, filter.service, filter.environmentId, filter.resourceId,
                  filter.runId, filter.beforeDeployment, filter.top})) {
            Draft draft;
            HistoryEntry &entry = draft.entry;
            entry.deployment = toRecord(row.deployment);
            if (const auto environment = environments.find(row.deployment.environmentId))
                entry.environmentName = environment->name;
            if (auto resource = environments.findResource(row.deployment.resourceId))
                entry.resource = Resource{resource->id,          resource->environmentId,
                                          resource->name,        resource->type,
                                          resource->clusterName, resource->kubernetesNamespace,
                                          resource->connectionId};
            const store::ServiceRow &service = services[row.item.serviceId];
            entry.service = {service.id, service.key, service.imageRepository};
            entry.image = row.item.image;
            entry.digest = row.item.digest;
            entry.workload = row.item.workload;
            entry.kubernetesNamespace = row.item.kubernetesNamespace;
            if (row.item.versionId) {
                if (auto version = environments.version(*row.item.versionId))
                    entry.version = toVersion(std::move(*version));
            }
            if (const auto run = runs.find(row.deployment.runId)) {
                entry.requestedBy = run->requestedBy;
                entry.requestedByName = run->requestedByName;
                if (row.item.serviceId == 0) { // by scripts: what the run was made from is known
                    entry.version.emplace();
                    entry.version->commit = run->sourceVersion;
                    entry.version->commitMessage = run->commitMessage;
                    entry.version->runId = run->id;
                    entry.version->runNumber = run->number;
                    entry.version->pipeline = {run->pipelineId, run->pipelineName};
                    entry.version->createdAt = run->queuedAt;
                }
            }
            entry.approvals = decisionsOf(connection, row.deployment);
            if (const auto facts = runs.facts(row.deployment.runId))
                draft.repositoryId = facts->repositoryId;
            if (entry.version)
                draft.to = entry.version->commit;
            if (row.item.serviceId == 0) {
                list.push_back(std::move(draft));
                continue;
            }
            if (const auto previous = environments.previous(row.item.serviceId, row.deployment)) {
                draft.hasPrevious = true;
                draft.fromDigest = previous->item.digest;
                if (previous->item.versionId) {
                    if (const auto version = environments.version(*previous->item.versionId))
                        draft.from = version->commit;
                }
            }
            list.push_back(std::move(draft));
        }
        return list;
    });
    if (!drafts)
        return drafts.error();
    // Git is asked outside the database's snapshot: reading a large history must not keep old pages
    // alive.
    std::vector<HistoryEntry> entries;
    for (Draft &draft : *drafts) {
        HistoryEntry &entry = draft.entry;
        const bool sameDigest = !entry.digest.empty() && entry.digest == draft.fromDigest;
        if (!draft.hasPrevious) {
            entry.direction = Direction::First;
        } else if (sameDigest || (!draft.to.empty() && draft.to == draft.from)) {
            entry.direction = Direction::Redeploy;
        } else {
            entry.direction = Direction::Sideways;
            if (!draft.from.empty() && !draft.to.empty()) {
                if (m_commits.isAncestor(draft.repositoryId, draft.from, draft.to).value_or(false))
                    entry.direction = Direction::Forward;
                else if (m_commits.isAncestor(draft.repositoryId, draft.to, draft.from)
                             .value_or(false))
                    entry.direction = Direction::Rollback;
            }
        }
        const bool compared = entry.service.id != 0 && entry.direction != Direction::Redeploy;
        if (filter.withCommits && compared && !draft.to.empty()) {
            const bool back = entry.direction == Direction::Rollback;
            // A history that is gone (force push, removed repository) leaves the list empty; the
            // entry stays.
            if (auto commits = m_commits.between(draft.repositoryId, back ? draft.to : draft.from,
                                                 back ? draft.from : draft.to, kMostCommits))
                entry.commits = std::move(*commits);
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

} // namespace server::environments
