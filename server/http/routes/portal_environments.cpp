// Which version of which service is where, and how it got there (docs/api.md).
#include "server/http/portal_shapes.h"
#include "server/http/routes/routes.h"

namespace server::http {

using schema::Result;

namespace {

Json cellJson(const environments::Cell &cell)
{
    Json out{{"serviceId", cell.serviceId},
             {"environmentId", cell.environmentId},
             {"resourceId", cell.resourceId},
             {"state", environments::toString(cell.state)}};
    if (cell.version)
        out["version"] = versionJson(*cell.version);
    if (cell.deploymentId != 0) {
        out["deploymentId"] = cell.deploymentId;
        out["runId"] = cell.runId;
        out["runNumber"] = cell.runNumber;
        setPipeline(out, cell.pipeline);
        setTime(out, "since", cell.since);
        out["image"] = cell.image;
        out["workload"] = cell.workload;
        out["behind"] = cell.behind;
    }
    out["approvedBy"] = Json::array();
    for (const auto &decision : cell.approvedBy) {
        Json item{{"displayName", decision.displayName}, {"comment", decision.comment}};
        setTime(item, "at", decision.at);
        out["approvedBy"].push_back(std::move(item));
    }
    if (cell.pending) {
        Json pending{{"runId", cell.pending->runId},
                     {"runNumber", cell.pending->runNumber},
                     {"state", cell.pending->state}};
        setPipeline(pending, cell.pending->pipeline);
        if (cell.pending->version)
            pending["version"] = versionJson(*cell.pending->version);
        if (!cell.pending->approvalId.empty())
            pending["approvalId"] = cell.pending->approvalId;
        out["pending"] = std::move(pending);
    }
    out["namespace"] = cell.kubernetesNamespace;
    return out;
}

Result<Reply> matrix(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto at, call.query().time("at"));
    ASSIGN_OR_RETURN(const auto matrix, services.environments.matrix(project.id, at));
    Json out{{"at", schema::toIso8601(matrix.at)}, {"environments", Json::array()}};
    for (const auto &environment : matrix.environments) {
        Json item{
            {"id", environment.id}, {"name", environment.name}, {"ordinal", environment.ordinal}};
        for (const auto &lock : matrix.locks)
            if (lock.environmentId == environment.id) {
                item["locked"] = {
                    {"runId", lock.runId}, {"runNumber", lock.runNumber}, {"stage", lock.stage}};
                setPipeline(item["locked"], lock.pipeline);
            }
        item["resources"] = Json::array();
        for (const auto &resource : environment.resources)
            item["resources"].push_back({{"id", resource.id},
                                         {"name", resource.name},
                                         {"type", resource.type},
                                         {"namespace", resource.kubernetesNamespace}});
        out["environments"].push_back(std::move(item));
    }
    out["services"] = Json::array();
    for (const auto &service : matrix.services)
        out["services"].push_back({{"id", service.id},
                                   {"key", service.key},
                                   {"imageRepository", service.imageRepository}});
    out["cells"] = Json::array();
    for (const auto &cell : matrix.cells)
        out["cells"].push_back(cellJson(cell));
    return Reply::json(out);
}

Result<Reply> history(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    environments::HistoryFilter filter;
    filter.projectId = project.id;
    if (const auto service = call.query().text("service"); !service.empty())
        filter.service = service;
    ASSIGN_OR_RETURN(filter.environmentId, call.query().number("environmentid", 1, INT64_MAX));
    ASSIGN_OR_RETURN(filter.resourceId, call.query().number("resourceid", 0, INT64_MAX));
    ASSIGN_OR_RETURN(filter.runId, call.query().number("runid", 1, INT64_MAX));
    ASSIGN_OR_RETURN(filter.beforeDeployment,
                     call.query().number("continuationtoken", 1, INT64_MAX));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 200));
    filter.top = static_cast<int>(top.value_or(25));
    ASSIGN_OR_RETURN(const auto entries, services.environments.history(filter));
    Json list = Json::array();
    for (const auto &entry : entries)
        list.push_back(historyEntryJson(entry));
    // Several services of one deployment are several entries: the page is full when so many
    // deployments are in it.
    std::size_t deployments = 0;
    std::int64_t last = 0;
    for (const auto &entry : entries) {
        deployments += entry.deployment.id != last ? 1 : 0;
        last = entry.deployment.id;
    }
    const bool more = deployments >= static_cast<std::size_t>(filter.top);
    return Reply::list(std::move(list), more ? std::to_string(last) : "");
}

} // namespace

void addPortalEnvironmentRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.add("GET", "{project}/_apis/slipway/matrix", bind(matrix));
    router.add("GET", "{project}/_apis/slipway/history", bind(history));
}

} // namespace server::http
