// Pools, their workers ("agents" in Azure DevOps) and the mapping of vmImage names.
#include "server/http/paging.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/scheduler/assignment.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

Json poolJson(const workers::Pool &pool)
{
    return {{"id", pool.id},
            {"name", pool.name},
            {"size", pool.workers},
            {"isHosted", false},
            {"poolType", "automation"},
            {"autoProvision", true},
            {"autoUpdate", false},
            {"isLegacy", false},
            {"options", "none"},
            {"vmImages", pool.vmImages},
            {"online", pool.online},
            {"maxParallelism", limitJson(pool.maxParallelism)},
            {"queuedJobs", pool.queuedJobs},
            {"heldJobs", pool.heldJobs}};
}

/// What a worker does now. Azure DevOps knows one job of an agent; ours may hold several.
Json heldJobsJson(const workers::Worker &worker, Services &services)
{
    Json list = Json::array();
    for (const auto &job : worker.jobs) {
        const auto project = services.projects.find(job.projectId);
        list.push_back({{"id", job.id},
                        {"name", job.name},
                        {"runId", job.runId},
                        {"runNumber", job.runNumber},
                        {"pipeline", job.pipeline},
                        {"project", project ? project->name : job.projectId}});
    }
    return list;
}

Json workerJson(const workers::Worker &worker, bool withCapabilities, Services &services)
{
    Json out{{"id", worker.id},
             {"name", worker.name},
             {"version", worker.version},
             {"enabled", worker.enabled},
             {"status", worker.online ? "online" : "offline"},
             {"provisioningState", "Provisioned"},
             {"maxParallelism", worker.slots},
             {"osDescription", "Linux"},
             {"createdOn", schema::toIso8601(worker.createdAt)},
             {"statusChangedOn", schema::toIso8601(worker.statusChangedAt)},
             {"jobs", heldJobsJson(worker, services)}};
    if (const auto why = scheduler::unavailability(worker.capabilities); !why.empty())
        out["unavailable"] = why;
    if (!worker.jobs.empty())
        out["assignedRequest"] = {
            {"jobId", worker.jobs.front().id},
            {"jobName", worker.jobs.front().name},
            {"owner",
             {{"id", worker.jobs.front().runId}, {"name", worker.jobs.front().runNumber}}}};
    if (withCapabilities) {
        Json capabilities = Json::object();
        for (const auto &capability : worker.capabilities)
            capabilities[capability.name] = capability.value;
        out["systemCapabilities"] = std::move(capabilities);
    }
    return out;
}

Result<workers::Pool> poolOf(const Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto id, call.id("poolId"));
    ASSIGN_OR_RETURN(const auto pools, services.pools.pools());
    for (const auto &pool : pools)
        if (pool.id == id)
            return pool;
    return {ErrorCode::NotFound, "no pool " + std::to_string(id)};
}

Result<Reply> listPools(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto pools, services.pools.pools());
    const std::string prefix = call.query().text("poolname");
    Json list = Json::array();
    for (const auto &pool : pools)
        if (equalsIgnoringCase(std::string_view(pool.name).substr(0, prefix.size()), prefix))
            list.push_back(poolJson(pool));
    return page(call, std::move(list));
}

Result<Reply> listWorkers(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto pool, poolOf(call, services));
    ASSIGN_OR_RETURN(const auto all, services.pools.workers(pool.id));
    const std::string name = call.query().text("agentname");
    Json list = Json::array();
    for (const auto &worker : all)
        if (name.empty() || equalsIgnoringCase(name, worker.name))
            list.push_back(workerJson(worker, call.query().flag("includecapabilities"), services));
    return page(call, std::move(list));
}

Result<workers::Worker> workerOf(const Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto pool, poolOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("agentId"));
    ASSIGN_OR_RETURN(const auto all, services.pools.workers(pool.id));
    for (const auto &worker : all)
        if (worker.id == id)
            return worker;
    return {ErrorCode::NotFound, "no worker " + std::to_string(id) + " in pool " + pool.name};
}

Result<Reply> updateWorker(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto worker, workerOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto enabled, flagMember(body, "enabled"));
    if (enabled)
        RETURN_IF_ERROR(services.pools.setEnabled(worker.id, *enabled));
    ASSIGN_OR_RETURN(const auto changed, workerOf(call, services));
    return Reply::json(workerJson(changed, false, services));
}

Result<Reply> updatePool(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto pool, poolOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto name, textMember(body, "name"));
    ASSIGN_OR_RETURN(const auto limit, limitMember(body));
    RETURN_IF_ERROR(services.pools.updatePool(pool.id, name, limit));
    ASSIGN_OR_RETURN(const auto changed, poolOf(call, services));
    return Reply::json(poolJson(changed));
}

Result<Reply> removePool(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto pool, poolOf(call, services));
    RETURN_IF_ERROR(services.pools.removePool(pool.id));
    return Reply::empty();
}

Result<Reply> listImages(Call &, Services &services)
{
    ASSIGN_OR_RETURN(const auto images, services.pools.images());
    Json list = Json::array();
    for (const auto &image : images)
        list.push_back({{"vmImage", image.vmImage}, {"poolId", image.poolId}});
    return Reply::list(std::move(list));
}

Result<Reply> unmapImage(Call &call, Services &services)
{
    RETURN_IF_ERROR(services.pools.unmapImage(call.value("vmImage")));
    return Reply::empty();
}

Result<Reply> mapImage(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto image, requiredText(body, "vmImage"));
    ASSIGN_OR_RETURN(const auto poolId, numberMember(body, "poolId"));
    if (!poolId)
        return {ErrorCode::InvalidArgument, "'poolId' is missing"};
    RETURN_IF_ERROR(services.pools.mapImage(image, *poolId));
    return Reply::json({{"vmImage", image}, {"poolId", *poolId}});
}

} // namespace

void addPoolRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "a8c47e17", Form::Collection, bind(listPools));
    router.serve("GET", "a8c47e17", Form::Item, [&services](Call &call) -> Result<Reply> {
        ASSIGN_OR_RETURN(const auto pool, poolOf(call, services));
        return Reply::json(poolJson(pool));
    });
    router.serve(
        "POST", "a8c47e17", Form::Collection,
        [&services](Call &call) -> Result<Reply> {
            ASSIGN_OR_RETURN(const auto body, call.object());
            ASSIGN_OR_RETURN(const auto name, requiredText(body, "name"));
            ASSIGN_OR_RETURN(const auto limit, limitMember(body));
            ASSIGN_OR_RETURN(const auto pool, services.pools.createPool(name, limit.value_or(0)));
            return Reply::json(poolJson(pool));
        },
        Access::Admin);
    router.serve("PATCH", "a8c47e17", Form::Item, bind(updatePool), Access::Admin);
    router.serve("DELETE", "a8c47e17", Form::Item, bind(removePool), Access::Admin);
    router.serve("GET", "e298ef32", Form::Collection, bind(listWorkers));
    router.serve("GET", "e298ef32", Form::Item, [&services](Call &call) -> Result<Reply> {
        ASSIGN_OR_RETURN(const auto worker, workerOf(call, services));
        return Reply::json(workerJson(worker, call.query().flag("includecapabilities"), services));
    });
    router.serve("PATCH", "e298ef32", Form::Item, bind(updateWorker), Access::Admin);
    router.serve(
        "DELETE", "e298ef32", Form::Item,
        [&services](Call &call) -> Result<Reply> {
            ASSIGN_OR_RETURN(const auto worker, workerOf(call, services));
            RETURN_IF_ERROR(services.pools.removeWorker(worker.id));
            return Reply::empty();
        },
        Access::Admin);
    router.serve("GET", "900fa995", Form::Collection, [&services](Call &call) -> Result<Reply> {
        // Queues are pools as a project sees them; ours are visible in every project.
        ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
        ASSIGN_OR_RETURN(const auto pools, services.pools.pools());
        Json list = Json::array();
        for (const auto &pool : pools)
            list.push_back({{"id", pool.id},
                            {"projectId", project.id},
                            {"name", pool.name},
                            {"pool", poolJson(pool)}});
        return page(call, std::move(list));
    });
    router.add("GET", "_apis/slipway/images", bind(listImages));
    router.add("DELETE", "_apis/slipway/images/{vmImage}", bind(unmapImage), Access::Admin);
    router.add("PUT", "_apis/slipway/images", bind(mapImage), Access::Admin);
}

} // namespace server::http
