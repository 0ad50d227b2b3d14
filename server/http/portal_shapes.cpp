#include "server/http/portal_shapes.h"

#include <algorithm>

namespace server::http {

using schema::Result;

void setPipeline(Json &out, const environments::PipelineRef &pipeline)
{
    if (pipeline.id != 0)
        out["pipeline"] = {{"id", pipeline.id}, {"name", pipeline.name}};
}

Json versionJson(const environments::Version &version)
{
    Json out{{"id", version.id},
             {"tag", version.tags.empty() ? "" : version.tags.front()},
             {"tags", version.tags},
             {"digest", version.digest},
             {"commit", version.commit},
             {"commitMessage", version.commitMessage},
             {"runId", version.runId},
             {"runNumber", version.runNumber},
             {"createdAt", schema::toIso8601(version.createdAt)}};
    setPipeline(out, version.pipeline);
    return out;
}

Json historyEntryJson(const environments::HistoryEntry &entry)
{
    const auto &deployment = entry.deployment;
    Json out{{"deploymentId", deployment.id}};
    if (entry.service.id != 0)
        out["service"] = {{"id", entry.service.id}, {"key", entry.service.key}};
    out["environment"] = {{"id", deployment.environmentId}, {"name", entry.environmentName}};
    if (entry.resource)
        out["resource"] = {{"id", entry.resource->id},
                           {"name", entry.resource->name},
                           {"type", entry.resource->type},
                           {"namespace", entry.resource->kubernetesNamespace}};
    if (entry.version)
        out["version"] = versionJson(*entry.version);
    out["image"] = entry.image;
    out["digest"] = entry.digest;
    out["workload"] = entry.workload;
    out["namespace"] = entry.kubernetesNamespace;
    out["runId"] = deployment.runId;
    out["runNumber"] = deployment.runNumber;
    out["pipeline"] = {{"id", deployment.pipelineId}, {"name", deployment.pipelineName}};
    out["stage"] = deployment.stage;
    out["stageAttempt"] = deployment.stageAttempt;
    out["job"] = deployment.job;
    out["queuedAt"] = schema::toIso8601(deployment.queuedAt);
    setTime(out, "startedAt", deployment.startedAt);
    setTime(out, "finishedAt", deployment.finishedAt);
    if (deployment.result)
        out["result"] = schema::toString(*deployment.result);
    if (entry.requestedBy)
        out["requestedBy"] = {{"id", *entry.requestedBy}, {"displayName", entry.requestedByName}};
    out["approvals"] = Json::array();
    for (const auto &decision : entry.approvals) {
        Json item{{"displayName", decision.displayName},
                  {"status", decision.status},
                  {"comment", decision.comment}};
        setTime(item, "at", decision.at);
        out["approvals"].push_back(std::move(item));
    }
    out["commits"] = Json::array();
    for (const auto &commit : entry.commits) {
        Json item{{"id", commit.id}, {"message", commit.message}, {"author", commit.author}};
        setTime(item, "at", commit.at);
        out["commits"].push_back(std::move(item));
    }
    if (entry.service.id != 0)
        out["direction"] = environments::toString(entry.direction);
    return out;
}

namespace {

/// What the run of `approval` brings to `cell`; nothing when it brings nothing there.
const environments::PendingDeployment *comingOf(const environments::Cell &cell,
                                                const checks::Approval &approval)
{
    // Other runs may wait for the same cell: `pending` is only one of them.
    const auto waiting =
        std::find_if(cell.waiting.begin(), cell.waiting.end(), [&](const auto &candidate) {
            return candidate.runId == approval.runId && candidate.approvalId == approval.id;
        });
    if (waiting != cell.waiting.end())
        return &*waiting;
    return cell.pending && cell.pending->runId == approval.runId ? &*cell.pending : nullptr;
}

} // namespace

Result<Json> VersionsAhead::of(const checks::Approval &approval)
{
    if (!m_matrix) {
        ASSIGN_OR_RETURN(m_matrix, m_services.environments.matrix(m_projectId, std::nullopt));
    }
    Json out = Json::array();
    for (const auto &cell : m_matrix->cells) {
        if (cell.environmentId != approval.environmentId)
            continue;
        const environments::PendingDeployment *coming = comingOf(cell, approval);
        if (!coming || !coming->version)
            continue;
        const auto service =
            std::find_if(m_matrix->services.begin(), m_matrix->services.end(),
                         [&](const auto &candidate) { return candidate.id == cell.serviceId; });
        if (service == m_matrix->services.end())
            continue;
        Json item{{"service", service->key}};
        if (cell.version)
            item["from"] = versionJson(*cell.version);
        item["to"] = versionJson(*coming->version);
        out.push_back(std::move(item));
    }
    return out;
}

Result<Json> approvalItemJson(const checks::Approval &approval, const auth::Principal &viewer,
                              VersionsAhead &versions)
{
    Json out{{"id", approval.id},
             {"runId", approval.runId},
             {"runNumber", approval.runNumber},
             {"pipeline", {{"id", approval.pipelineId}, {"name", approval.pipelineName}}},
             {"stage", approval.stage},
             {"environment", {{"id", approval.environmentId}, {"name", approval.environmentName}}},
             {"status", checks::toString(approval.status)},
             {"instructions", approval.instructions},
             {"createdAt", schema::toIso8601(approval.createdAt)},
             {"expiresAt", schema::toIso8601(approval.expiresAt)},
             {"approvers", Json::array()},
             {"steps", Json::array()},
             {"minRequiredApprovers", approval.minRequired}};
    for (const auto &step : approval.steps) {
        out["approvers"].push_back({{"id", step.identityId}, {"displayName", step.displayName}});
        Json item{{"displayName", step.displayName},
                  {"status", checks::toString(step.status)},
                  {"comment", step.comment}};
        setTime(item, "at", step.decidedAt);
        out["steps"].push_back(std::move(item));
    }
    ASSIGN_OR_RETURN(out["versions"], versions.of(approval));
    if (approval.requestedBy)
        out["requestedBy"] = {{"id", *approval.requestedBy},
                              {"displayName", approval.requestedByName}};
    out["branch"] = approval.branch;
    out["version"] = approval.version;
    out["commitMessage"] = approval.commitMessage;
    out["canDecide"] = approval.canDecide(viewer.identityId);
    return out;
}

} // namespace server::http
