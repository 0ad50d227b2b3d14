// Projects, and the operations that answer "is it done": ours are done at once.
#include "schema/base/guid.h"
#include "server/http/paging.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

namespace server::http {

using schema::Result;

namespace {

Result<Reply> listProjects(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto projects, services.projects.list());
    Json list = Json::array();
    for (const auto &project : projects)
        list.push_back(projectJson(call, project));
    return page(call, std::move(list));
}

Result<Reply> createProject(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto description, textMember(body, "description"));
    ASSIGN_OR_RETURN(const auto project, services.projects.create(name, description.value_or("")));
    // Azure DevOps creates projects in the background; the id of the operation is the project's, so
    // that asking for it needs no memory.
    return Reply::json({{"id", project.id},
                        {"status", "succeeded"},
                        {"url", call.baseUrl + "/_apis/operations/" + project.id}},
                       202);
}

Result<Reply> operation(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, services.projects.find(call.value("operationId")));
    return Reply::json({{"id", project.id},
                        {"status", "succeeded"},
                        {"url", call.baseUrl + "/_apis/operations/" + project.id}});
}

} // namespace

void addProjectRoutes(Router &router, Services &services)
{
    router.serve("GET", "603fe2ac", Form::Collection,
                 [&services](Call &call) { return listProjects(call, services); });
    router.serve("GET", "603fe2ac", Form::Item, [&services](Call &call) -> Result<Reply> {
        ASSIGN_OR_RETURN(const auto project, services.projects.find(call.value("projectId")));
        return Reply::json(projectJson(call, project));
    });
    router.serve(
        "POST", "603fe2ac", Form::Collection,
        [&services](Call &call) { return createProject(call, services); }, Access::Admin);
    router.serve("GET", "9a1b74b4", Form::Item,
                 [&services](Call &call) { return operation(call, services); });
}

} // namespace server::http
