// Environments, their resources and deployment records: both families of addresses, same handlers
// (environments-and-portal D6).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

namespace server::http {

using environments::Environment;
using environments::Resource;
using schema::ErrorCode;
using schema::Result;

namespace {

/// Project and environment of a call.
struct Place
{
    store::Project project;
    Environment environment;
};

Result<Place> placeOf(const Call &call, Services &services)
{
    ASSIGN_OR_RETURN(auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("environmentId"));
    ASSIGN_OR_RETURN(auto environment, services.environments.find(id));
    if (environment.projectId != project.id)
        return {ErrorCode::NotFound, "no environment " + std::to_string(id) + " in this project"};
    return Place{std::move(project), std::move(environment)};
}

/// A Docker host is no type of Azure DevOps: its clients see "generic".
std::string_view azureType(const Resource &resource)
{
    return resource.type == "kubernetes" ? "kubernetes" : "generic";
}

Json environmentJson(const Call &call, const store::Project &project,
                     const Environment &environment, bool withResources)
{
    Json resources = Json::array();
    if (withResources)
        for (const auto &resource : environment.resources)
            resources.push_back({{"id", resource.id},
                                 {"name", resource.name},
                                 {"type", azureType(resource)},
                                 {"tags", Json::array()},
                                 {"slipwayType", resource.type},
                                 {"namespace", resource.kubernetesNamespace}});
    Json out{{"id", environment.id},
             {"name", environment.name},
             {"description", environment.description}};
    if (environment.createdBy) {
        out["createdBy"] = identityJson(call, *environment.createdBy, environment.createdByName);
        out["lastModifiedBy"] = out["createdBy"];
    }
    out["createdOn"] = schema::toIso8601(environment.createdAt);
    out["lastModifiedOn"] = schema::toIso8601(environment.createdAt);
    out["project"] = {{"id", project.id}, {"name", project.name}};
    out["resources"] = std::move(resources);
    return out;
}

Json resourceJson(const Place &place, const Resource &resource)
{
    return {
        {"namespace", resource.kubernetesNamespace},
        {"clusterName", resource.clusterName},
        {"serviceEndpointId", resource.connectionId.value_or("")},
        {"id", resource.id},
        {"name", resource.name},
        {"type", azureType(resource)},
        {"slipwayType", resource.type},
        {"tags", Json::array()},
        {"environmentReference", {{"id", place.environment.id}, {"name", place.environment.name}}}};
}

Result<Reply> listEnvironments(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 100000));
    ASSIGN_OR_RETURN(const auto after, call.query().number("continuationtoken", 0, INT64_MAX));
    ASSIGN_OR_RETURN(const auto all, services.environments.list(project.id));
    const std::string name = call.query().text("name");
    Json list = Json::array();
    std::string token;
    for (auto i = static_cast<std::size_t>(after.value_or(0)); i < all.size(); ++i) {
        if (!name.empty() && !equalsIgnoringCase(name, all[i].name))
            continue;
        if (top && list.size() >= static_cast<std::size_t>(*top)) {
            token = std::to_string(i);
            break;
        }
        list.push_back(environmentJson(call, project, all[i], true));
    }
    return Reply::list(std::move(list), token);
}

Result<Reply> getEnvironment(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    return Reply::json(environmentJson(call, place.project, place.environment, true));
}

Result<Reply> createEnvironment(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    Environment environment;
    environment.projectId = project.id;
    ASSIGN_OR_RETURN(environment.name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto description, textMember(body, "description"));
    environment.description = description.value_or("");
    environment.createdBy = call.principal.identityId;
    ASSIGN_OR_RETURN(const auto created, services.environments.create(environment));
    return Reply::json(environmentJson(call, project, created, true));
}

Result<Reply> updateEnvironment(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto name, textMember(body, "name"));
    ASSIGN_OR_RETURN(const auto description, textMember(body, "description"));
    ASSIGN_OR_RETURN(const auto ordinal, numberMember(body, "ordinal"));
    place.environment.name = name.value_or(place.environment.name);
    place.environment.description = description.value_or(place.environment.description);
    if (ordinal)
        place.environment.ordinal = static_cast<int>(*ordinal);
    ASSIGN_OR_RETURN(const auto updated, services.environments.update(place.environment));
    return Reply::json(environmentJson(call, place.project, updated, true));
}

Result<Reply> removeEnvironment(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    RETURN_IF_ERROR(services.environments.remove(place.environment.id));
    return Reply::empty();
}

Result<Reply> listRecords(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 1000));
    // The token is the id of the last record given.
    ASSIGN_OR_RETURN(const auto before, call.query().number("continuationtoken", 1, INT64_MAX));
    const auto limit = static_cast<std::size_t>(top.value_or(25));
    ASSIGN_OR_RETURN(auto records, services.environments.deployments(place.environment.id, before,
                                                                     static_cast<int>(limit) + 1));
    std::string token;
    if (records.size() > limit) {
        records.resize(limit);
        token = std::to_string(records.back().id);
    }
    Json list = Json::array();
    for (const auto &record : records)
        list.push_back(deploymentRecordJson(call, place.project, record));
    return Reply::list(std::move(list), token);
}

Result<Reply> addResource(Call &call, Services &services, const char *type)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    Resource resource;
    resource.environmentId = place.environment.id;
    resource.type = type;
    ASSIGN_OR_RETURN(resource.name, requiredText(body, "name"));
    const bool kubernetes = resource.type == "kubernetes";
    if (kubernetes) {
        ASSIGN_OR_RETURN(resource.kubernetesNamespace, requiredText(body, "namespace"));
        ASSIGN_OR_RETURN(const auto cluster, textMember(body, "clusterName"));
        resource.clusterName = cluster.value_or("");
    }
    ASSIGN_OR_RETURN(const auto endpoint, textMember(body, "serviceEndpointId"));
    if (endpoint && !endpoint->empty()) {
        const auto connection = services.configuration.connection(place.project.id, *endpoint);
        if (!connection)
            return {ErrorCode::InvalidArgument,
                    "'serviceEndpointId': " + connection.error().message};
        resource.connectionId = connection->id;
    } else if (kubernetes) {
        return {ErrorCode::InvalidArgument,
                "'serviceEndpointId' is missing: name the service connection of the cluster"};
    }
    ASSIGN_OR_RETURN(const auto added, services.environments.addResource(resource));
    return Reply::json(resourceJson(place, added));
}

Result<Resource> resourceOf(const Call &call, const Place &place)
{
    ASSIGN_OR_RETURN(const auto id, call.id("resourceId"));
    for (const auto &resource : place.environment.resources)
        if (resource.id == id)
            return resource;
    return {ErrorCode::NotFound,
            "environment '" + place.environment.name + "' has no resource " + std::to_string(id)};
}

Result<Reply> getResource(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto resource, resourceOf(call, place));
    return Reply::json(resourceJson(place, resource));
}

Result<Reply> removeResource(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto resource, resourceOf(call, place));
    RETURN_IF_ERROR(services.environments.removeResource(resource.id));
    return Reply::empty();
}

} // namespace

void addEnvironmentRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    const auto addKubernetes = [&services](Call &call) {
        return addResource(call, services, "kubernetes");
    };
    const auto addDockerHost = [&services](Call &call) {
        return addResource(call, services, "dockerHost");
    };

    struct Family
    {
        const char *environments, *records, *kubernetes;
    };

    for (const Family &family : {Family{"d86b72de", "0d9bba8c", "73fba52f-33ab"},
                                 Family{"8572b1fc", "51bb5d21", "73fba52f-15ab"}}) {
        router.serve("GET", family.environments, Form::Collection, bind(listEnvironments));
        router.serve("GET", family.environments, Form::Item, bind(getEnvironment));
        router.serve("POST", family.environments, Form::Collection, bind(createEnvironment),
                     Access::Admin);
        router.serve("PATCH", family.environments, Form::Item, bind(updateEnvironment),
                     Access::Admin);
        router.serve("DELETE", family.environments, Form::Item, bind(removeEnvironment),
                     Access::Admin);
        router.serve("GET", family.records, Form::Item, bind(listRecords));
        router.serve("POST", family.kubernetes, Form::Collection, addKubernetes, Access::Admin);
        router.serve("GET", family.kubernetes, Form::Item, bind(getResource));
        router.serve("DELETE", family.kubernetes, Form::Item, bind(removeResource), Access::Admin);
    }
    const std::string hosts =
        "{project}/_apis/pipelines/environments/{environmentId}/providers/dockerhosts";
    router.add("POST", hosts, addDockerHost, Access::Admin);
    router.add("GET", hosts + "/{resourceId}", bind(getResource));
    router.add("DELETE", hosts + "/{resourceId}", bind(removeResource), Access::Admin);
}

} // namespace server::http
