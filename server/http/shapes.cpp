#include "server/http/shapes.h"

#include "schema/base/guid.h"
#include "server/http/errors.h"
#include "server/retention/retention_service.h"
#include "server/store/job_resource_store.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

Result<store::Project> projectOf(const Call &call, Services &services)
{
    return services.projects.find(call.value("project"));
}

std::string projectUrl(const Call &call, const std::string &projectId, std::string_view rest)
{
    return call.baseUrl + "/" + projectId + "/_apis/" + std::string(rest);
}

std::string pageUrl(const Call &call, const std::string &projectName, std::string_view rest)
{
    return call.baseUrl + "/" + percentEncode(projectName) + "/" + std::string(rest);
}

std::string badgeUrl(const Call &call, const std::string &projectId, std::int64_t pipelineId)
{
    return projectUrl(call, projectId, "build/status/" + std::to_string(pipelineId));
}

const char *queueStatusName(int queueStatus)
{
    constexpr const char *kNames[] = {"enabled", "paused", "disabled"};
    return kNames[queueStatus];
}

Json projectJson(const Call &call, const store::Project &project)
{
    Json out{{"id", project.id}, {"name", project.name}};
    if (!project.description.empty())
        out["description"] = project.description;
    out["url"] = call.baseUrl + "/_apis/projects/" + project.id;
    out["state"] = "wellFormed";
    out["revision"] = 1;
    out["visibility"] = "private";
    out["lastUpdateTime"] = schema::toIso8601(project.createdAt);
    return out;
}

Json identityJson(const Call &call, const std::string &id, const std::string &displayName,
                  const std::string &uniqueName)
{
    return objectOf("displayName", displayName, "url",
                    call.baseUrl + "/_apis/slipway/identities/" + id, "id", id, "uniqueName",
                    uniqueName.empty() ? displayName : uniqueName);
}

Json limitJson(int maxParallelism)
{
    return maxParallelism > 0 ? Json(maxParallelism) : Json(nullptr);
}

schema::Result<std::optional<std::int64_t>> limitMember(const Json &body)
{
    if (body.is_object()) {
        for (const auto &item : body.items())
            if (item.value().is_null() && equalsIgnoringCase(item.key(), "maxParallelism"))
                return std::optional<std::int64_t>(0);
    }
    return numberMember(body, "maxParallelism");
}

schema::Result<std::optional<schema::RunPriority>> priorityMember(const Json &body)
{
    ASSIGN_OR_RETURN(const auto text, textMember(body, "priority"));
    if (!text)
        return std::optional<schema::RunPriority>();
    const auto value = parseEnum(
        *text, {{"high", 1}, {"aboveNormal", 2}, {"normal", 3}, {"belowNormal", 4}, {"low", 5}});
    if (!value || *value < 1 || *value > 5)
        return {schema::ErrorCode::InvalidArgument,
                "'priority' must be high, aboveNormal, normal, belowNormal or low"};
    return std::optional(static_cast<schema::RunPriority>(*value));
}

void setTime(Json &object, const char *name, const std::optional<schema::TimePoint> &time)
{
    if (time)
        object[name] = schema::toIso8601(*time);
}

Json objectWithRoom(std::size_t members)
{
    Json::object_t object;
    object.reserve(members);
    return object;
}

Json storedJson(const std::string &text, const Json &fallback)
{
    // What most rows hold.
    if (text == "{}")
        return Json::object();
    if (text == "[]")
        return Json::array();
    Json parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded())
        return fallback;
    return parsed;
}

Result<const store::Project *> RunShapes::project(const std::string &id)
{
    auto known = m_projects.find(id);
    if (known == m_projects.end()) {
        ASSIGN_OR_RETURN(auto found, m_services.projects.find(id));
        known = m_projects.emplace(id, std::move(found)).first;
    }
    return &known->second;
}

Result<const store::Pipeline *> RunShapes::pipeline(std::int64_t id)
{
    auto known = m_pipelines.find(id);
    if (known == m_pipelines.end()) {
        ASSIGN_OR_RETURN(auto found, m_services.pipelines.find("", id));
        known = m_pipelines.emplace(id, std::move(found)).first;
    }
    return &known->second;
}

Result<const store::Repository *> RunShapes::repository(const std::string &id)
{
    auto known = m_repositories.find(id);
    if (known == m_repositories.end()) {
        ASSIGN_OR_RETURN(auto found, m_services.repositories.findById(id));
        known = m_repositories.emplace(id, std::move(found)).first;
    }
    return &known->second;
}

Result<const RunShapes::BuildParts *> RunShapes::partsOf(const store::RunRow &run)
{
    auto known = m_buildParts.find(run.pipelineId);
    if (known != m_buildParts.end())
        return &known->second;
    ASSIGN_OR_RETURN(const auto *project, this->project(run.projectId));
    ASSIGN_OR_RETURN(const auto *pipeline, this->pipeline(run.pipelineId));
    ASSIGN_OR_RETURN(const auto *repository, this->repository(pipeline->repositoryId));
    BuildParts parts;
    parts.project = projectJson(m_call, *project);
    parts.definition = {{"drafts", Json::array()},
                        {"id", pipeline->id},
                        {"name", pipeline->name},
                        {"url", projectUrl(m_call, project->id,
                                           "build/Definitions/" + std::to_string(pipeline->id))},
                        {"uri", "vstfs:///Build/Definition/" + std::to_string(pipeline->id)},
                        {"path", pipeline->folder},
                        {"type", "build"},
                        {"queueStatus", queueStatusName(pipeline->queueStatus)},
                        {"revision", pipeline->revision},
                        {"project", parts.project}};
    parts.repository = {
        {"id", repository->id},
        {"type", "TfsGit"},
        {"name", repository->name},
        {"url", pageUrl(m_call, project->name, "_git/" + percentEncode(repository->name))},
        {"checkoutSubmodules", false}};
    known = m_buildParts.emplace(run.pipelineId, std::move(parts)).first;
    return &known->second;
}

Result<std::vector<Json>> RunShapes::builds(const std::vector<store::RunRow> &runs)
{
    std::vector<std::int64_t> ids;
    ids.reserve(runs.size());
    for (const auto &run : runs)
        ids.push_back(run.id);
    ASSIGN_OR_RETURN(const auto leased, m_services.retention.leased(ids));
    ASSIGN_OR_RETURN(const auto tags,
                     m_services.database.read([&ids](store::Connection &connection) {
                         store::JobResourceStore resources(connection);
                         std::map<std::int64_t, std::vector<std::string>> out;
                         for (const std::int64_t id : ids)
                             out.emplace(id, resources.tags(id));
                         return Result(std::move(out));
                     }));
    std::vector<Json> list;
    list.reserve(runs.size());
    for (const auto &run : runs) {
        ASSIGN_OR_RETURN(auto json, build(run, leased.contains(run.id), tags.at(run.id)));
        list.push_back(std::move(json));
    }
    return list;
}

Result<Json> RunShapes::build(const store::RunRow &run)
{
    ASSIGN_OR_RETURN(auto list, builds({run}));
    return std::move(list.front());
}

Result<Json> RunShapes::build(const store::RunRow &run, bool leased,
                              const std::vector<std::string> &tags)
{
    ASSIGN_OR_RETURN(const auto *project, this->project(run.projectId));
    ASSIGN_OR_RETURN(const auto *parts, partsOf(run));
    const std::string id = std::to_string(run.id);
    const std::string url = projectUrl(m_call, project->id, "build/Builds/" + id);

    // Added without looking for a member of that name: of forty, that looks at half on average.
    Json out = objectWithRoom(40);
    auto &members = out.get_ref<Json::object_t &>();
    const auto add = [&members](const char *name, auto &&value) {
        members.emplace_back(name, std::forward<decltype(value)>(value));
    };
    add("_links", objectOf("self", objectOf("href", url), "web",
                           objectOf("href", pageUrl(m_call, project->name, "runs/" + id)),
                           "timeline", objectOf("href", url + "/Timeline"), "badge",
                           objectOf("href", badgeUrl(m_call, project->id, run.pipelineId))));
    add("properties", Json::object());
    add("tags", tags);
    Json validation = Json::array();
    for (const auto &diagnostic : storedJson(run.validationJson, Json::array()))
        validation.push_back(objectOf("result", diagnostic.value("severity", "error"), "message",
                                      diagnostic.value("message", "")));
    add("validationResults", std::move(validation));
    Json plans = Json::array();
    plans.push_back(objectOf("planId", run.planId));
    add("plans", std::move(plans));
    Json trigger = storedJson(run.triggerJson, Json::object());
    for (auto it = trigger.begin(); it != trigger.end();)
        it = it.key().starts_with("Slipway.") ? trigger.erase(it) : std::next(it);
    add("triggerInfo", std::move(trigger));
    add("id", run.id);
    add("buildNumber", run.number);
    add("status", schema::toString(run.status));
    if (run.status == schema::RunStatus::Completed)
        add("result", schema::toString(run.result));
    add("queueTime", schema::toIso8601(run.queuedAt));
    if (run.startedAt)
        add("startTime", schema::toIso8601(*run.startedAt));
    if (run.finishedAt)
        add("finishTime", schema::toIso8601(*run.finishedAt));
    add("url", url);
    add("definition", parts->definition);
    add("project", parts->project);
    add("uri", "vstfs:///Build/Build/" + id);
    add("sourceBranch", run.sourceBranch);
    add("sourceVersion", run.sourceVersion);
    add("priority", schema::toString(run.priority));
    add("reason", schema::toString(run.reason));
    Json who = run.requestedBy
                   ? identityJson(m_call, *run.requestedBy, run.requestedByName)
                   : identityJson(m_call, "00000000-0000-0000-0000-000000000000", run.commitAuthor);
    add("requestedFor", who);
    add("requestedBy", std::move(who));
    add("lastChangedDate",
        schema::toIso8601(run.finishedAt.value_or(run.startedAt.value_or(run.queuedAt))));
    add("orchestrationPlan", objectOf("planId", run.planId));
    add("logs", objectOf("id", 0, "type", "Container", "url", url + "/logs"));
    add("repository", parts->repository);
    add("keepForever", leased);
    add("retainedByRelease", false);
    const Json variables = storedJson(run.variablesJson, Json::object());
    if (!variables.empty())
        add("parameters", variables.dump());
    add("templateParameters", storedJson(run.parametersJson, Json::object()));
    add("appendCommitMessageToRunName", true);
    return out;
}

Result<Json> RunShapes::pipelineRun(const store::RunRow &run, bool full,
                                    const std::string &finalYaml)
{
    ASSIGN_OR_RETURN(const auto *project, this->project(run.projectId));
    ASSIGN_OR_RETURN(const auto *pipeline, this->pipeline(run.pipelineId));
    const std::string pipelineUrl =
        projectUrl(m_call, project->id, "pipelines/" + std::to_string(pipeline->id));
    const std::string url = pipelineUrl + "/runs/" + std::to_string(run.id);
    const std::string web = pageUrl(m_call, project->name, "runs/" + std::to_string(run.id));
    Json out = objectWithRoom(24);
    out["_links"] = {
        {"self", {{"href", url}}}, {"web", {{"href", web}}}, {"pipeline", {{"href", pipelineUrl}}}};
    out["templateParameters"] = storedJson(run.parametersJson, Json::object());
    out["pipeline"] = {{"url", pipelineUrl},
                       {"id", pipeline->id},
                       {"revision", pipeline->revision},
                       {"name", pipeline->name},
                       {"folder", pipeline->folder}};
    const bool completed = run.status == schema::RunStatus::Completed;
    out["state"] = completed                                     ? "completed"
                   : run.status == schema::RunStatus::Cancelling ? "canceling"
                                                                 : "inProgress";
    if (completed) {
        // This area has no "partially succeeded" (environments-and-portal D4).
        const auto result = run.result == schema::RunResult::PartiallySucceeded
                                ? schema::RunResult::Succeeded
                                : run.result;
        out["result"] = schema::toString(result);
    }
    out["createdDate"] = schema::toIso8601(run.queuedAt);
    setTime(out, "finishedDate", run.finishedAt);
    out["url"] = url;
    if (full) {
        ASSIGN_OR_RETURN(const auto *repository, this->repository(pipeline->repositoryId));
        out["resources"] = {{"repositories",
                             {{"self",
                               {{"repository", {{"id", repository->id}, {"type", "azureReposGit"}}},
                                {"refName", run.sourceBranch},
                                {"version", run.sourceVersion}}}}}};
        Json variables = Json::object();
        const Json given = storedJson(run.variablesJson, Json::object());
        for (const auto &item : given.items())
            variables[item.key()] = {{"value", item.value()}};
        out["variables"] = variables;
        if (!finalYaml.empty())
            out["finalYaml"] = finalYaml;
    }
    out["id"] = run.id;
    out["name"] = run.number;
    return out;
}

Result<Json> RunShapes::summary(const scheduler::RunOverview &overview)
{
    const auto &run = overview.run;
    Json out = objectWithRoom(24);
    out["id"] = run.id;
    out["number"] = run.number;
    out["pipeline"] = objectOf("id", run.pipelineId, "name", run.pipelineName);
    out["status"] = schema::toString(run.status);
    if (run.status == schema::RunStatus::Completed)
        out["result"] = schema::toString(run.result);
    out["reason"] = schema::toString(run.reason);
    out["branch"] = run.sourceBranch;
    out["version"] = run.sourceVersion;
    out["commitMessage"] = run.commitMessage;
    out["commitAuthor"] = run.commitAuthor;
    if (run.requestedBy)
        out["requestedBy"] = objectOf("id", *run.requestedBy, "displayName", run.requestedByName);
    out["priority"] = schema::toString(run.priority);
    out["queuedAt"] = schema::toIso8601(run.queuedAt);
    setTime(out, "startedAt", run.startedAt);
    setTime(out, "finishedAt", run.finishedAt);
    out["parameters"] = storedJson(run.parametersJson, Json::object());
    out["stages"] = Json::array();
    for (std::size_t i = 0; i < overview.stages.size(); ++i) {
        const auto &stage = overview.stages[i];
        static constexpr const char *kStates[] = {"pending", "waiting", "inProgress", "completed"};
        const bool queued =
            stage.phase == store::StagePhase::Running && overview.queuedStages.contains(stage.name);
        Json item = objectWithRoom(6);
        item["name"] = stage.name;
        item["displayName"] =
            i < overview.displayNames.size() ? overview.displayNames[i] : stage.name;
        item["state"] = queued ? "queued" : kStates[static_cast<std::size_t>(stage.phase)];
        if (stage.result)
            item["result"] = schema::toString(*stage.result);
        if (!stage.waitingReason.empty())
            item["waiting"] = stage.waitingReason;
        item["attempt"] = stage.attempt;
        out["stages"].push_back(std::move(item));
    }
    out["sentence"] = overview.sentence;
    return out;
}

std::string timelineId(const store::RunRow &run, int attempt)
{
    return schema::nameGuid(run.planId, "attempt " + std::to_string(attempt));
}

Json recordJson(const store::RunRow &run, const store::TimelineRow &record,
                const std::string &buildUrl,
                const std::map<std::string, std::vector<int>> &earlierAttempts)
{
    Json out = objectWithRoom(32);
    out["previousAttempts"] = Json::array();
    const auto earlier = earlierAttempts.find(record.id);
    for (const int attempt :
         earlier == earlierAttempts.end() ? std::vector<int>() : earlier->second) {
        if (attempt < record.attempt)
            out["previousAttempts"].push_back({{"attempt", attempt},
                                               {"timelineId", timelineId(run, attempt)},
                                               {"recordId", record.id}});
    }
    out["id"] = record.id;
    out["parentId"] = record.parentId ? Json(*record.parentId) : Json(nullptr);
    out["type"] = schema::toString(record.type);
    out["name"] = record.name;
    out["refName"] = record.refName;
    out["startTime"] =
        record.startedAt ? Json(schema::toIso8601(*record.startedAt)) : Json(nullptr);
    out["finishTime"] =
        record.finishedAt ? Json(schema::toIso8601(*record.finishedAt)) : Json(nullptr);
    out["currentOperation"] =
        record.currentOperation ? Json(*record.currentOperation) : Json(nullptr);
    out["percentComplete"] = record.percentComplete ? Json(*record.percentComplete) : Json(nullptr);
    out["state"] = schema::toString(record.state);
    out["result"] = record.result ? Json(schema::toString(*record.result)) : Json(nullptr);
    out["resultCode"] = nullptr;
    out["changeId"] = record.changeId;
    out["lastModified"] = schema::toIso8601(
        record.finishedAt.value_or(record.startedAt.value_or(schema::fromEpochMillis(0))));
    out["workerName"] = record.workerName ? Json(*record.workerName) : Json(nullptr);
    out["order"] = record.ordinal;
    out["details"] = nullptr;
    out["errorCount"] = record.errorCount;
    out["warningCount"] = record.warningCount;
    out["url"] = nullptr;
    out["log"] = nullptr;
    if (record.logId)
        out["log"] = objectOf("id", *record.logId, "type", "Container", "url",
                              buildUrl + "/logs/" + std::to_string(*record.logId));
    out["task"] = record.taskJson.empty() ? Json(nullptr) : storedJson(record.taskJson, nullptr);
    out["attempt"] = record.attempt;
    out["identifier"] = record.identifier;
    const Json issues = storedJson(record.issuesJson, Json::array());
    if (!issues.empty())
        out["issues"] = issues;
    return out;
}

Json deploymentRecordJson(const Call &call, const store::Project &project,
                          const environments::DeploymentRecord &record)
{
    const std::string definition = std::to_string(record.pipelineId);
    const std::string run = std::to_string(record.runId);
    Json out{{"id", record.id},
             {"requestIdentifier", record.requestIdentifier},
             {"environmentId", record.environmentId}};
    if (record.resourceId != 0)
        out["resourceId"] = record.resourceId;
    out["serviceOwner"] = "00025394-6065-48ca-87d9-7f5672854ef7";
    out["scopeId"] = project.id;
    out["planType"] = "Build";
    out["planId"] = record.planId;
    out["stageName"] = record.stage;
    out["stageAttempt"] = record.stageAttempt;
    out["jobName"] = record.job;
    out["jobAttempt"] = record.jobAttempt;
    out["definition"] = {
        {"id", record.pipelineId},
        {"name", record.pipelineName},
        {"_links",
         {{"web", {{"href", pageUrl(call, project.name, "pipelines/" + definition)}}},
          {"self", {{"href", projectUrl(call, project.id, "build/Definitions/" + definition)}}}}}};
    out["owner"] = {{"id", record.runId},
                    {"name", record.runNumber},
                    {"_links",
                     {{"web", {{"href", pageUrl(call, project.name, "runs/" + run)}}},
                      {"self", {{"href", projectUrl(call, project.id, "build/Builds/" + run)}}}}}};
    out["queueTime"] = schema::toIso8601(record.queuedAt);
    setTime(out, "startTime", record.startedAt);
    setTime(out, "finishTime", record.finishedAt);
    if (record.result)
        out["result"] = schema::toString(*record.result);
    return out;
}

Result<store::RunRow> runOf(const Call &call, Services &services, const store::Project &project,
                            std::string_view placeholder)
{
    ASSIGN_OR_RETURN(const auto id, call.id(placeholder));
    ASSIGN_OR_RETURN(auto run, services.runs.run(id));
    if (run.projectId != project.id)
        return {ErrorCode::NotFound, "no run " + std::to_string(id) + " in this project"};
    return run;
}

Json diagnosticsList(const std::vector<pipelines::Diagnostic> &diagnostics)
{
    return storedJson(triggers::diagnosticsJson(diagnostics), Json::array());
}

Reply validationReply(const std::vector<pipelines::Diagnostic> &diagnostics)
{
    std::string message;
    for (const auto &diagnostic : diagnostics) {
        if (diagnostic.severity != pipelines::Severity::Error)
            continue;
        message += message.empty() ? "" : "\n";
        // A value that came with the request has no file, and a place in it tells nobody anything.
        if (const auto &at = diagnostic.position; !at.file.empty()) {
            message += at.file;
            if (at.line > 0)
                message += " (Line: " + std::to_string(at.line) +
                           ", Col: " + std::to_string(at.column) + ")";
            message += ": ";
        }
        message += diagnostic.message;
        if (!diagnostic.hint.empty())
            message += " (" + diagnostic.hint + ")";
    }
    Reply reply = errorReply({ErrorCode::InvalidArgument, message}, "PipelineValidationException");
    Json body = Json::parse(reply.body);
    body["diagnostics"] = diagnosticsList(diagnostics);
    reply.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    return reply;
}

} // namespace server::http
