// Definitions of the build area: pipelines as Azure DevOps' older API shows them
// (environments-and-portal D5).
#include "server/http/paging.h"
#include "server/http/routes/new_pipeline.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/scheduler/assignment.h"

#include <algorithm>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

Result<Json> definitionJson(const Call &call, const store::Project &project,
                            const store::Pipeline &pipeline, bool full, Services &services)
{
    const std::string id = std::to_string(pipeline.id);
    const std::string url = projectUrl(call, project.id, "build/Definitions/" + id);
    Json out{{"_links",
              {{"self", {{"href", url}}},
               {"web", {{"href", pageUrl(call, project.name, "pipelines/" + id)}}},
               {"badge", {{"href", badgeUrl(call, project.id, pipeline.id)}}}}},
             {"quality", "definition"},
             {"drafts", Json::array()},
             {"id", pipeline.id},
             {"name", pipeline.name},
             {"url", url},
             {"uri", "vstfs:///Build/Definition/" + id},
             {"path", pipeline.folder},
             {"type", "build"},
             {"queueStatus", queueStatusName(pipeline.queueStatus)},
             {"maxParallelism", limitJson(pipeline.maxParallelism)},
             {"revision", pipeline.revision},
             {"createdDate", schema::toIso8601(pipeline.createdAt)},
             {"project", projectJson(call, project)}};
    if (!full)
        return out;
    ASSIGN_OR_RETURN(const auto repository, services.repositories.findById(pipeline.repositoryId));
    out["process"] = {{"yamlFilename", pipeline.yamlPath.substr(1)}, {"type", 2}};
    out["repository"] = {
        {"id", repository.id},
        {"type", "TfsGit"},
        {"name", repository.name},
        {"defaultBranch", pipeline.defaultBranch},
        {"url", pageUrl(call, project.name, "_git/" + percentEncode(repository.name))},
        {"checkoutSubmodules", false}};
    out["triggers"] = Json::array({{{"branchFilters", Json::array()},
                                    {"pathFilters", Json::array()},
                                    {"settingsSourceType", 2},
                                    {"batchChanges", false},
                                    {"maxConcurrentBuildsPerBranch", 1},
                                    {"triggerType", "continuousIntegration"}}});
    return out;
}

Result<Reply> listDefinitions(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipelines, services.pipelines.list(project.id));
    ASSIGN_OR_RETURN(const auto ids, call.query().numbers("definitionids"));
    const std::string name = call.query().text("name");
    const bool latest = call.query().flag("includelatestbuilds");
    RunShapes shapes(call, services);
    Json list = Json::array();
    for (const auto &pipeline : pipelines) {
        if (!ids.empty() && std::find(ids.begin(), ids.end(), pipeline.id) == ids.end())
            continue;
        const bool prefix = !name.empty() && name.back() == '*';
        const std::string_view text =
            std::string_view(name).substr(0, name.size() - (prefix ? 1 : 0));
        if (!name.empty() &&
            !equalsIgnoringCase(prefix ? std::string_view(pipeline.name).substr(0, text.size())
                                       : std::string_view(pipeline.name),
                                text))
            continue;
        ASSIGN_OR_RETURN(auto json,
                         definitionJson(call, project, pipeline,
                                        call.query().flag("includeallproperties"), services));
        if (latest) {
            store::RunFilter filter;
            filter.pipelineId = pipeline.id;
            filter.top = 1;
            ASSIGN_OR_RETURN(const auto newest, services.runs.list(filter));
            if (!newest.empty()) {
                ASSIGN_OR_RETURN(json["latestBuild"], shapes.build(newest.front()));
            }
        }
        list.push_back(std::move(json));
    }
    return page(call, std::move(list));
}

Result<Reply> getDefinition(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("definitionId"));
    ASSIGN_OR_RETURN(const auto pipeline, services.pipelines.find(project.id, id));
    ASSIGN_OR_RETURN(const auto json, definitionJson(call, project, pipeline, true, services));
    return Reply::json(json);
}

Result<Reply> createDefinition(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    store::Pipeline pipeline;
    pipeline.projectId = project.id;
    ASSIGN_OR_RETURN(pipeline.name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto path, textMember(body, "path"));
    pipeline.folder = path.value_or("\\");
    const Json *process = member(body, "process");
    if (!process)
        return {ErrorCode::InvalidArgument, "'process' is missing"};
    ASSIGN_OR_RETURN(pipeline.yamlPath, requiredText(*process, "yamlFilename"));
    ASSIGN_OR_RETURN(const auto created,
                     newPipeline(std::move(pipeline), body, "repository", services));
    ASSIGN_OR_RETURN(const auto json, definitionJson(call, project, created, true, services));
    return Reply::json(json);
}

Result<Reply> updateDefinition(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("definitionId"));
    ASSIGN_OR_RETURN(auto pipeline, services.pipelines.find(project.id, id));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto revision, numberMember(body, "revision"));
    if (revision && *revision != pipeline.revision)
        return {ErrorCode::Conflict, "the definition has changed since it was read (revision " +
                                         std::to_string(pipeline.revision) +
                                         " now); read it again"};
    ASSIGN_OR_RETURN(const auto name, textMember(body, "name"));
    ASSIGN_OR_RETURN(const auto path, textMember(body, "path"));
    pipeline.name = name.value_or(pipeline.name);
    pipeline.folder = path.value_or(pipeline.folder);
    if (const Json *process = member(body, "process")) {
        ASSIGN_OR_RETURN(const auto file, textMember(*process, "yamlFilename"));
        pipeline.yamlPath = file.value_or(pipeline.yamlPath);
    }
    if (const Json *repository = member(body, "repository")) {
        ASSIGN_OR_RETURN(const auto branch, textMember(*repository, "defaultBranch"));
        pipeline.defaultBranch = branch.value_or(pipeline.defaultBranch);
    }
    ASSIGN_OR_RETURN(const auto status, textMember(body, "queueStatus"));
    if (status) {
        const auto wanted = parseEnum(*status, {{"enabled", 0}, {"paused", 1}, {"disabled", 2}});
        if (!wanted || *wanted < 0 || *wanted > 2)
            return {ErrorCode::InvalidArgument,
                    "'queueStatus' must be enabled, paused or disabled"};
        pipeline.queueStatus = static_cast<int>(*wanted);
    }
    ASSIGN_OR_RETURN(const auto limit, limitMember(body));
    if (limit) {
        RETURN_IF_ERROR(scheduler::checkLimit(*limit));
        pipeline.maxParallelism = static_cast<int>(*limit);
    }
    ASSIGN_OR_RETURN(const auto updated, services.pipelines.update(pipeline));
    ASSIGN_OR_RETURN(const auto json, definitionJson(call, project, updated, true, services));
    return Reply::json(json);
}

} // namespace

void addDefinitionRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "dbeaf647", Form::Collection, bind(listDefinitions));
    router.serve("GET", "dbeaf647", Form::Item, bind(getDefinition));
    router.serve("POST", "dbeaf647", Form::Collection, bind(createDefinition), Access::Admin);
    router.serve("PUT", "dbeaf647", Form::Item, bind(updateDefinition), Access::Admin);
}

} // namespace server::http
