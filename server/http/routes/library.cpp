// Variable groups and service connections. Secrets come in and never go out.
#include "server/http/paging.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

Json projectReferences(const store::Project &project, const std::string &name,
                       const std::string &description)
{
    return Json::array({{{"projectReference", {{"id", project.id}, {"name", project.name}}},
                         {"name", name},
                         {"description", description}}});
}

Json groupJson(const store::Project &project, const library::Group &group)
{
    Json variables = Json::object();
    for (const auto &variable : group.variables) {
        Json item;
        item["value"] = variable.value ? Json(*variable.value) : Json(nullptr);
        if (variable.isSecret)
            item["isSecret"] = true;
        variables[variable.name] = std::move(item);
    }
    return {{"variables", variables},
            {"id", group.id},
            {"type", "Vsts"},
            {"name", group.name},
            {"description", group.description},
            {"createdOn", schema::toIso8601(group.createdAt)},
            {"isShared", false},
            {"variableGroupProjectReferences",
             projectReferences(project, group.name, group.description)}};
}

Result<library::Group> groupOf(const Json &body)
{
    library::Group group;
    ASSIGN_OR_RETURN(group.name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto description, textMember(body, "description"));
    group.description = description.value_or("");
    const Json *variables = member(body, "variables");
    if (!variables)
        return group;
    if (!variables->is_object())
        return {ErrorCode::InvalidArgument,
                "'variables' must be an object of name: {value, isSecret}"};
    for (const auto &item : variables->items()) {
        library::GroupVariable variable;
        variable.name = item.key();
        if (item.value().is_object()) {
            ASSIGN_OR_RETURN(variable.value, textMember(item.value(), "value"));
            ASSIGN_OR_RETURN(const auto secret, flagMember(item.value(), "isSecret"));
            variable.isSecret = secret.value_or(false);
        } else if (item.value().is_string()) {
            variable.value = item.value().get<std::string>();
        } else {
            return {ErrorCode::InvalidArgument,
                    "variable '" + item.key() + "' must be text or {value, isSecret}"};
        }
        group.variables.push_back(std::move(variable));
    }
    return group;
}

/// Project of a call at collection level: the first project reference of the body.
Result<store::Project> referencedProject(const Json &body, const char *references,
                                         Services &services)
{
    const Json *list = member(body, references);
    const Json *reference = list && list->is_array() && !list->empty()
                                ? memberAt(list->front(), "projectReference")
                                : nullptr;
    if (!reference)
        return {ErrorCode::InvalidArgument,
                std::string("'") + references + "' must name the project"};
    ASSIGN_OR_RETURN(const auto id, textMember(*reference, "id"));
    ASSIGN_OR_RETURN(const auto name, textMember(*reference, "name"));
    auto project = services.projects.find(id && !id->empty() ? *id : name.value_or(""));
    // A missing object named in a body is a wrong request: 404 would read as "nothing" (D13).
    if (!project)
        return {ErrorCode::InvalidArgument, project.error().message};
    return project;
}

Result<store::Project> projectFor(Call &call, const Json &body, const char *references,
                                  Services &services)
{
    return call.value("project").empty() ? referencedProject(body, references, services)
                                         : projectOf(call, services);
}

constexpr const char *kGroupReferences = "variableGroupProjectReferences";
constexpr const char *kEndpointReferences = "serviceEndpointProjectReferences";

Result<Reply> listGroups(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto groups, services.configuration.groups(project.id));
    const std::string wanted = call.query().text("groupname");
    const auto ids = call.query().list("groupids");
    Json list = Json::array();
    for (const auto &group : groups) {
        const bool named =
            wanted.empty() || equalsIgnoringCase(wanted, group.name) ||
            (wanted.back() == '*' &&
             equalsIgnoringCase(wanted.substr(0, wanted.size() - 1),
                                std::string_view(group.name).substr(0, wanted.size() - 1)));
        const bool numbered =
            ids.empty() || std::find(ids.begin(), ids.end(), std::to_string(group.id)) != ids.end();
        if (named && numbered)
            list.push_back(groupJson(project, group));
    }
    return page(call, std::move(list));
}

Result<Reply> getGroup(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("groupId"));
    ASSIGN_OR_RETURN(const auto group, services.configuration.group(project.id, id));
    return Reply::json(groupJson(project, group));
}

Result<Reply> createGroup(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto project, projectFor(call, body, kGroupReferences, services));
    ASSIGN_OR_RETURN(const auto group, groupOf(body));
    ASSIGN_OR_RETURN(const auto created, services.configuration.createGroup(project.id, group));
    services.scheduler.configurationChanged();
    return Reply::json(groupJson(project, created));
}

Result<Reply> updateGroup(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto project, projectFor(call, body, kGroupReferences, services));
    ASSIGN_OR_RETURN(auto group, groupOf(body));
    ASSIGN_OR_RETURN(group.id, call.id("groupId"));
    ASSIGN_OR_RETURN(const auto updated, services.configuration.updateGroup(project.id, group));
    services.scheduler.configurationChanged();
    return Reply::json(groupJson(project, updated));
}

/// Removes from the projects named by `?projectIds=` or the path.
Result<std::vector<store::Project>> projectsOfDelete(Call &call, Services &services)
{
    std::vector<store::Project> out;
    if (!call.value("project").empty()) {
        ASSIGN_OR_RETURN(auto project, projectOf(call, services));
        out.push_back(std::move(project));
        return out;
    }
    for (const auto &id : call.query().list("projectids")) {
        ASSIGN_OR_RETURN(auto project, services.projects.find(id));
        out.push_back(std::move(project));
    }
    if (out.empty())
        return {ErrorCode::InvalidArgument, "parameter 'projectIds' is missing"};
    return out;
}

Result<Reply> removeGroup(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto projects, projectsOfDelete(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("groupId"));
    for (const auto &project : projects)
        RETURN_IF_ERROR(services.configuration.removeGroup(project.id, id));
    services.scheduler.configurationChanged();
    return Reply::empty();
}

Json connectionJson(const store::Project &project, const library::ServiceConnection &connection)
{
    Json parameters = Json::object();
    for (const auto &[name, value] : connection.parameters)
        parameters[name] = nullptr;
    Json data = Json::object();
    for (const auto &[name, value] : connection.data)
        data[name] = value;
    return {{"data", data},
            {"id", connection.id},
            {"name", connection.name},
            {"type", connection.type},
            {"url", connection.url},
            {"description", connection.description},
            {"authorization", {{"parameters", parameters}, {"scheme", connection.scheme}}},
            {"isShared", false},
            {"isOutdated", false},
            {"isReady", true},
            {"isDisabled", false},
            {"owner", "library"},
            {"serviceEndpointProjectReferences",
             projectReferences(project, connection.name, connection.description)}};
}

Result<schema::TextMap> textsOf(const Json *object, const std::string &what)
{
    schema::TextMap out;
    if (!object)
        return out;
    if (!object->is_object())
        return {ErrorCode::InvalidArgument, "'" + what + "' must be an object of texts"};
    for (const auto &item : object->items()) {
        if (item.value().is_null())
            out.emplace_back(item.key(), "");
        else if (item.value().is_string())
            out.emplace_back(item.key(), item.value().get<std::string>());
        else
            return {ErrorCode::InvalidArgument, "'" + what + "." + item.key() + "' must be text"};
    }
    return out;
}

Result<library::ServiceConnection> connectionOf(const Json &body)
{
    library::ServiceConnection out;
    ASSIGN_OR_RETURN(out.name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(out.type, requiredText(body, "type"));
    ASSIGN_OR_RETURN(const auto url, textMember(body, "url"));
    out.url = url.value_or("");
    ASSIGN_OR_RETURN(const auto description, textMember(body, "description"));
    out.description = description.value_or("");
    if (const Json *authorization = member(body, "authorization")) {
        ASSIGN_OR_RETURN(const auto scheme, textMember(*authorization, "scheme"));
        out.scheme = scheme.value_or("None");
        ASSIGN_OR_RETURN(out.parameters,
                         textsOf(member(*authorization, "parameters"), "authorization.parameters"));
    }
    ASSIGN_OR_RETURN(out.data, textsOf(member(body, "data"), "data"));
    return out;
}

Result<Reply> listConnections(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto all, services.configuration.connections(project.id));
    const auto names = call.query().list("endpointnames");
    const auto ids = call.query().list("endpointids");
    const std::string type = call.query().text("type");
    const auto among = [](const std::vector<std::string> &list, const std::string &text) {
        return list.empty() || std::any_of(list.begin(), list.end(), [&](const auto &item) {
                   return equalsIgnoringCase(item, text);
               });
    };
    Json list = Json::array();
    for (const auto &connection : all)
        if (among(names, connection.name) && among(ids, connection.id) &&
            (type.empty() || equalsIgnoringCase(type, connection.type)))
            list.push_back(connectionJson(project, connection));
    return page(call, std::move(list));
}

Result<Reply> getConnection(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto connection,
                     services.configuration.connection(project.id, call.value("endpointId")));
    return Reply::json(connectionJson(project, connection));
}

Result<Reply> createConnection(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto project, projectFor(call, body, kEndpointReferences, services));
    ASSIGN_OR_RETURN(const auto connection, connectionOf(body));
    ASSIGN_OR_RETURN(const auto created,
                     services.configuration.createConnection(project.id, connection));
    services.scheduler.configurationChanged();
    return Reply::json(connectionJson(project, created));
}

Result<Reply> updateConnection(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto project, projectFor(call, body, kEndpointReferences, services));
    ASSIGN_OR_RETURN(auto connection, connectionOf(body));
    connection.id = call.value("endpointId");
    ASSIGN_OR_RETURN(const auto updated,
                     services.configuration.updateConnection(project.id, connection));
    services.scheduler.configurationChanged();
    return Reply::json(connectionJson(project, updated));
}

Result<Reply> removeConnection(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto projects, projectsOfDelete(call, services));
    for (const auto &project : projects)
        RETURN_IF_ERROR(
            services.configuration.removeConnection(project.id, call.value("endpointId")));
    services.scheduler.configurationChanged();
    return Reply::empty();
}

} // namespace

void addLibraryRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "f5b09dd5", Form::Collection, bind(listGroups));
    router.serve("GET", "f5b09dd5", Form::Item, bind(getGroup));
    for (const char *location : {"f5b09dd5", "ef5b7057"}) { // project and collection level
        router.serve("POST", location, Form::Collection, bind(createGroup), Access::Admin);
        router.serve("PUT", location, Form::Item, bind(updateGroup), Access::Admin);
        router.serve("DELETE", location, Form::Item, bind(removeGroup), Access::Admin);
    }
    router.serve("GET", "e85f1c62", Form::Collection, bind(listConnections));
    router.serve("GET", "e85f1c62", Form::Item, bind(getConnection));
    for (const char *location : {"e85f1c62", "14e48fdc"}) {
        router.serve("POST", location, Form::Collection, bind(createConnection), Access::Admin);
        router.serve("PUT", location, Form::Item, bind(updateConnection), Access::Admin);
        router.serve("DELETE", location, Form::Item, bind(removeConnection), Access::Admin);
    }
}

} // namespace server::http
