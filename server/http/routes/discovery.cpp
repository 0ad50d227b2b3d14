// Location discovery: the calls with which clients find everything else (environments-and-portal
// D1, D3).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

namespace server::http {

using schema::Result;

namespace {

Json locationJson(const Location &location)
{
    return {{"id", location.id},
            {"area", location.area},
            {"resourceName", location.resource},
            {"routeTemplate", location.routeTemplate},
            {"resourceVersion", location.resourceVersion},
            {"minVersion", location.minVersion},
            {"maxVersion", location.maxVersion},
            {"releasedVersion", location.releasedVersion}};
}

Reply locationList(const Router &router, std::string_view area)
{
    Json list = Json::array();
    for (const Location *location : router.served(area))
        list.push_back(locationJson(*location));
    return Reply::list(std::move(list));
}

Json connectionUser(const auth::Principal &principal)
{
    if (!principal.known())
        return {{"id", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"},
                {"descriptor", "System:PublicAccess;aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"},
                {"providerDisplayName", "Anonymous"},
                {"isActive", true},
                {"properties", Json::object()}};
    return {{"id", principal.identityId},
            {"descriptor", "Slipway;" + principal.identityId},
            {"subjectDescriptor", "slipway." + principal.identityId},
            {"providerDisplayName", principal.displayName},
            {"isActive", true},
            {"properties",
             {{"Account", {{"$type", "System.String"}, {"$value", principal.uniqueName}}}}}};
}

Reply connectionData(const Call &call, const Router &router)
{
    Json definitions = Json::array();
    if (!call.query().text("connectoptions").empty() &&
        call.query().text("connectoptions") != "0" && call.principal.known()) {
        for (const Location *location : router.served())
            definitions.push_back({{"serviceType", location->area},
                                   {"identifier", location->id},
                                   {"displayName", location->resource},
                                   {"relativeToSetting", "context"},
                                   {"relativePath", "/" + std::string(location->routeTemplate)},
                                   {"minVersion", location->minVersion},
                                   {"maxVersion", location->maxVersion},
                                   {"releasedVersion", location->releasedVersion},
                                   {"resourceVersion", location->resourceVersion},
                                   {"serviceOwner", "00025394-6065-48ca-87d9-7f5672854ef7"}});
    }
    const Json user = connectionUser(call.principal);
    return Reply::json({{"authenticatedUser", user},
                        {"authorizedUser", user},
                        {"instanceId", "5119aeed-51fd-5dd6-a57e-5b1b5a0a3c5b"},
                        {"deploymentId", "5119aeed-51fd-5dd6-a57e-5b1b5a0a3c5b"},
                        {"deploymentType", "onPremises"},
                        {"locationServiceData",
                         {{"serviceOwner", "00025394-6065-48ca-87d9-7f5672854ef7"},
                          {"defaultAccessMappingMoniker", "PublicAccessMapping"},
                          {"lastChangeId", 1},
                          {"lastChangeId64", 1},
                          {"accessMappings",
                           {{{"displayName", "Public Access Mapping"},
                             {"moniker", "PublicAccessMapping"},
                             {"accessPoint", call.baseUrl + "/"},
                             {"virtualDirectory", ""}}}},
                          {"serviceDefinitions", definitions}}}});
}

} // namespace

void addDiscoveryRoutes(Router &router, Services & /*services*/)
{
    Router *table = &router;
    router.add(
        "OPTIONS", "_apis", [table](Call &) { return Result(locationList(*table, "")); },
        Access::Public);
    router.add(
        "OPTIONS", "_apis/{area}",
        [table](Call &call) { return Result(locationList(*table, call.value("area"))); },
        Access::Public);
    router.serve(
        "GET", "e81700f7", Form::Collection,
        [](Call &) { return Result(Reply::list(Json::array())); }, Access::Public);
    router.serve(
        "GET", "00d9565f", Form::Collection,
        [table](Call &call) { return Result(connectionData(call, *table)); }, Access::Public);
}

} // namespace server::http
