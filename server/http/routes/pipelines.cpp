// The pipelines area of Azure DevOps: definitions, runs, preview (environments-and-portal D4).
#include "server/http/routes/new_pipeline.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

Json pipelineJson(const Call &call, const store::Project &project, const store::Pipeline &pipeline)
{
    const std::string id = std::to_string(pipeline.id);
    const std::string url = projectUrl(call, project.id, "pipelines/" + id);
    return {{"_links",
             {{"self", {{"href", url}}},
              {"web", {{"href", pageUrl(call, project.name, "pipelines/" + id)}}}}},
            {"url", url},
            {"id", pipeline.id},
            {"revision", pipeline.revision},
            {"name", pipeline.name},
            {"folder", pipeline.folder}};
}

Result<Json> fullPipelineJson(const Call &call, const store::Project &project,
                              const store::Pipeline &pipeline, Services &services)
{
    ASSIGN_OR_RETURN(const auto repository, services.repositories.findById(pipeline.repositoryId));
    Json out = pipelineJson(call, project, pipeline);
    out["configuration"] = {{"path", pipeline.yamlPath},
                            {"repository",
                             {{"id", repository.id},
                              {"name", repository.name},
                              {"type", "azureReposGit"},
                              {"defaultBranch", pipeline.defaultBranch}}},
                            {"type", "yaml"}};
    return out;
}

/// By "name", "folder" or "id", with " asc" or " desc" behind it; as they are for an empty text.
schema::Status order(std::vector<store::Pipeline> &pipelines, const std::string &text)
{
    if (text.empty())
        return {};
    const std::string wanted = lowerCase(text);
    const auto blank = std::min(wanted.find(' '), wanted.size());
    const std::string key = wanted.substr(0, blank);
    const std::string direction = blank < wanted.size() ? wanted.substr(blank + 1) : "asc";
    if ((key != "name" && key != "folder" && key != "id") ||
        (direction != "asc" && direction != "desc"))
        return {ErrorCode::InvalidArgument,
                "parameter 'orderBy' must be name, folder or id, with asc or desc behind it"};
    const auto keyOf = [&key](const store::Pipeline &pipeline) {
        return std::pair(key == "id" ? std::string()
                                     : lowerCase(key == "name" ? pipeline.name : pipeline.folder),
                         pipeline.id);
    };
    std::sort(pipelines.begin(), pipelines.end(),
              [&](const auto &a, const auto &b) { return keyOf(a) < keyOf(b); });
    if (direction == "desc")
        std::reverse(pipelines.begin(), pipelines.end());
    return {};
}

Result<Reply> listPipelines(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 100000));
    ASSIGN_OR_RETURN(const auto after, call.query().number("continuationtoken", 0, INT64_MAX));
    ASSIGN_OR_RETURN(auto pipelines, services.pipelines.list(project.id));
    RETURN_IF_ERROR(order(pipelines, call.query().text("orderby")));
    // The token is the number of pipelines already given.
    Json list = Json::array();
    std::string token;
    for (auto i = static_cast<std::size_t>(after.value_or(0)); i < pipelines.size(); ++i) {
        if (top && list.size() >= static_cast<std::size_t>(*top)) {
            token = std::to_string(i);
            break;
        }
        list.push_back(pipelineJson(call, project, pipelines[i]));
    }
    return Reply::list(std::move(list), token);
}

Result<store::Pipeline> pipelineOf(const Call &call, Services &services,
                                   const store::Project &project)
{
    ASSIGN_OR_RETURN(const auto id, call.id("pipelineId"));
    return services.pipelines.find(project.id, id);
}

Result<Reply> getPipeline(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    ASSIGN_OR_RETURN(const auto json, fullPipelineJson(call, project, pipeline, services));
    return Reply::json(json);
}

Result<Reply> createPipeline(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    store::Pipeline pipeline;
    pipeline.projectId = project.id;
    ASSIGN_OR_RETURN(pipeline.name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto folder, textMember(body, "folder"));
    pipeline.folder = folder.value_or("\\");
    const Json *configuration = member(body, "configuration");
    if (!configuration)
        return {ErrorCode::InvalidArgument, "'configuration' is missing"};
    ASSIGN_OR_RETURN(const auto type, textMember(*configuration, "type"));
    if (type && *type != "1" && !equalsIgnoringCase(*type, "yaml"))
        return {ErrorCode::InvalidArgument, "'configuration.type' must be yaml"};
    ASSIGN_OR_RETURN(pipeline.yamlPath, requiredText(*configuration, "path"));
    ASSIGN_OR_RETURN(const auto created,
                     newPipeline(std::move(pipeline), body, "configuration.repository", services));
    ASSIGN_OR_RETURN(const auto json, fullPipelineJson(call, project, created, services));
    return Reply::json(json);
}

Result<schema::TextMap> textValues(const Json *object, const std::string &what, bool wrapped)
{
    schema::TextMap out;
    if (!object)
        return out;
    if (!object->is_object())
        return {ErrorCode::InvalidArgument, "'" + what + "' must be an object"};
    for (const auto &item : object->items()) {
        const Json *value = &item.value();
        if (wrapped && value->is_object()) {
            ASSIGN_OR_RETURN(const auto secret, flagMember(*value, "isSecret"));
            if (secret.value_or(false))
                return {ErrorCode::InvalidArgument,
                        "secret variable '" + item.key() +
                            "' cannot be given when queueing; put it into a variable group"};
            value = member(*value, "value");
        }
        if (!value || value->is_null())
            out.emplace_back(item.key(), "");
        else if (value->is_string())
            out.emplace_back(item.key(), value->get<std::string>());
        else // structured parameters travel as JSON text
            out.emplace_back(item.key(), value->dump());
    }
    return out;
}

Result<triggers::QueueRequest> queueRequest(Call &call, const Json &body,
                                            const store::Pipeline &pipeline)
{
    triggers::QueueRequest request;
    request.pipelineId = pipeline.id;
    request.requestedBy = call.principal;
    if (const Json *self = memberAt(body, "resources.repositories.self")) {
        ASSIGN_OR_RETURN(const auto ref, textMember(*self, "refName"));
        request.branch = ref.value_or("");
        ASSIGN_OR_RETURN(const auto version, textMember(*self, "version"));
        request.version = version.value_or("");
    }
    ASSIGN_OR_RETURN(request.parameters,
                     textValues(member(body, "templateParameters"), "templateParameters", false));
    ASSIGN_OR_RETURN(request.variables, textValues(member(body, "variables"), "variables", true));
    if (const Json *skipped = member(body, "stagesToSkip")) {
        if (!skipped->is_array())
            return {ErrorCode::InvalidArgument, "'stagesToSkip' must be a list of stage names"};
        for (const auto &stage : *skipped) {
            if (!stage.is_string())
                return {ErrorCode::InvalidArgument, "'stagesToSkip' must be a list of stage names"};
            request.stagesToSkip.push_back(stage.get<std::string>());
        }
    }
    ASSIGN_OR_RETURN(const auto priority, priorityMember(body));
    request.priority = priority.value_or(schema::RunPriority::Normal);
    ASSIGN_OR_RETURN(request.yamlOverride, textMember(body, "yamlOverride"));
    return request;
}

Result<Reply> previewReply(Services &services, const triggers::QueueRequest &request)
{
    ASSIGN_OR_RETURN(const auto compiled, services.pipelines.compile(request));
    if (!compiled.valid)
        return validationReply(compiled.diagnostics);
    return Reply::json({{"finalYaml", compiled.compilation.finalYaml}});
}

Result<Reply> preview(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto request, queueRequest(call, body, pipeline));
    return previewReply(services, request);
}

Result<Reply> queueRun(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(auto request, queueRequest(call, body, pipeline));
    ASSIGN_OR_RETURN(const auto isPreview, flagMember(body, "previewRun"));
    if (isPreview.value_or(false))
        return previewReply(services, request);
    request.yamlOverride.reset(); // a run executes what is in the repository, nothing else
    auto queued = services.pipelines.queue(request);
    if (!queued && queued.error().code == ErrorCode::NotFound)
        return {ErrorCode::InvalidArgument, queued.error().message};
    if (!queued)
        return queued.error();
    if (queued->runId == 0)
        return validationReply(queued->diagnostics);
    ASSIGN_OR_RETURN(const auto run, services.runs.run(queued->runId));
    RunShapes shapes(call, services);
    ASSIGN_OR_RETURN(const auto json, shapes.pipelineRun(run, true));
    return Reply::json(json);
}

Result<Reply> listRuns(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    store::RunFilter filter;
    filter.projectId = project.id;
    filter.pipelineId = pipeline.id;
    filter.top = 1000;
    RunShapes shapes(call, services);
    Json list = Json::array();
    // The published limit of this call is 10,000 runs, without paging.
    while (list.size() < 10000) {
        ASSIGN_OR_RETURN(const auto page, services.runs.list(filter));
        for (const auto &run : page) {
            ASSIGN_OR_RETURN(auto json, shapes.pipelineRun(run, false));
            list.push_back(std::move(json));
        }
        if (page.size() < static_cast<std::size_t>(filter.top))
            break;
        filter.beforeId = page.back().id;
    }
    return Reply::list(std::move(list));
}

Result<Reply> getRun(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto pipelineId, call.id("pipelineId"));
    if (run.pipelineId != pipelineId)
        return {ErrorCode::NotFound, "run " + std::to_string(run.id) + " is of another pipeline"};
    ASSIGN_OR_RETURN(const auto finalYaml, services.runs.finalYaml(run.id));
    RunShapes shapes(call, services);
    ASSIGN_OR_RETURN(const auto json, shapes.pipelineRun(run, true, finalYaml));
    return Reply::json(json);
}

std::string buildUrl(const Call &call, const store::Project &project, std::int64_t run)
{
    return projectUrl(call, project.id, "build/Builds/" + std::to_string(run));
}

Json signedContent(const std::string &url)
{
    // The content needs the caller's own credential: the address alone opens nothing.
    return {
        {"url", url},
        {"signatureExpires", schema::toIso8601(schema::wallClockNow() + std::chrono::hours(1))}};
}

Result<Json> logJson(const Call &call, Services &services, const store::Project &project,
                     const store::LogRow &log)
{
    ASSIGN_OR_RETURN(const auto length, services.logs.length({log.runId, log.logId}));
    const std::string url =
        buildUrl(call, project, log.runId) + "/logs/" + std::to_string(log.logId);
    Json out{{"id", log.logId},
             {"createdOn", schema::toIso8601(log.createdAt)},
             {"lastChangedOn", schema::toIso8601(log.createdAt)},
             {"lineCount", length.lines},
             {"url", url}};
    if (!call.query().text("expand").empty())
        out["signedContent"] = signedContent(url);
    return out;
}

Result<Reply> listLogs(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto logs, services.runs.logs(run.id));
    Json list = Json::array();
    for (const auto &log : logs) {
        ASSIGN_OR_RETURN(auto json, logJson(call, services, project, log));
        list.push_back(std::move(json));
    }
    return Reply::json({{"logs", list}, {"url", buildUrl(call, project, run.id) + "/logs"}});
}

Result<Reply> getLog(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto id, call.id("logId"));
    ASSIGN_OR_RETURN(const auto log, services.runs.log(run.id, id));
    ASSIGN_OR_RETURN(const auto json, logJson(call, services, project, log));
    return Reply::json(json);
}

Result<Reply> getArtifact(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    const std::string name = call.query().text("artifactname");
    if (name.empty())
        return {ErrorCode::InvalidArgument, "parameter 'artifactName' is missing"};
    ASSIGN_OR_RETURN(const auto artifact, services.artifacts.find(run.id, name));
    const std::string url = buildUrl(call, project, run.id) +
                            "/artifacts?artifactName=" + percentEncode(artifact.name) +
                            "&$format=zip";
    Json out{{"name", artifact.name}, {"url", url}};
    if (!call.query().text("expand").empty())
        out["signedContent"] = signedContent(url);
    return Reply::json(out);
}

} // namespace

void addPipelineRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "28e1305e", Form::Collection, bind(listPipelines));
    router.serve("GET", "28e1305e", Form::Item, bind(getPipeline));
    router.serve("POST", "28e1305e", Form::Collection, bind(createPipeline), Access::Admin);
    router.serve("GET", "7859261e", Form::Collection, bind(listRuns));
    router.serve("GET", "7859261e", Form::Item, bind(getRun));
    router.serve("POST", "7859261e", Form::Collection, bind(queueRun));
    router.serve("POST", "53df2d18", Form::Item, bind(preview));
    router.serve("GET", "fb1b6d27", Form::Collection, bind(listLogs));
    router.serve("GET", "fb1b6d27", Form::Item, bind(getLog));
    router.serve("GET", "85023071", Form::Item, bind(getArtifact));
}

} // namespace server::http
