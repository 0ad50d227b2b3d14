// Slipway's own additions around runs: what the portal and the CLI show (docs/api.md).
#include "server/http/portal_shapes.h"
#include "server/http/routes/routes.h"

#include <ostream>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

std::optional<schema::RunStatus> statusOf(const std::string &text)
{
    const auto value = parseEnum(
        text, {{"inProgress", 1}, {"completed", 2}, {"cancelling", 4}, {"notStarted", 32}});
    if (!value)
        return std::nullopt;
    return static_cast<schema::RunStatus>(*value);
}

Result<Reply> listRuns(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    store::RunFilter filter;
    filter.projectId = project.id;
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 1000));
    filter.top = static_cast<int>(top.value_or(50));
    ASSIGN_OR_RETURN(filter.beforeId, call.query().number("continuationtoken", 1, INT64_MAX));
    ASSIGN_OR_RETURN(filter.pipelineId, call.query().number("pipelineid", 1, INT64_MAX));
    if (const auto branch = call.query().text("branch"); !branch.empty())
        filter.branch = branch.starts_with("refs/") ? branch : "refs/heads/" + branch;
    if (const auto status = call.query().text("status"); !status.empty()) {
        filter.status = statusOf(status);
        if (!filter.status)
            return {ErrorCode::InvalidArgument,
                    "'status' must be notStarted, inProgress, cancelling or completed"};
    }
    ASSIGN_OR_RETURN(const auto runs, services.runs.overviews(filter));
    RunShapes shapes(call, services);
    Json list = Json::array();
    for (const auto &overview : runs) {
        ASSIGN_OR_RETURN(auto json, shapes.summary(overview));
        list.push_back(std::move(json));
    }
    const bool more = runs.size() == static_cast<std::size_t>(filter.top);
    return Reply::list(std::move(list), more ? std::to_string(runs.back().run.id) : "");
}

Json graphJson(const schema::RunPlan &plan)
{
    Json stages = Json::array();
    for (const auto &stage : plan.stages) {
        Json jobs = Json::array();
        for (const auto &job : stage.jobs) {
            Json item{{"name", job.name},
                      {"displayName", job.displayName.empty() ? job.name : job.displayName},
                      {"dependsOn", job.dependsOn},
                      {"isDeployment", job.isDeployment}};
            if (job.environment)
                item["environment"] = {{"name", job.environment->name},
                                       {"resourceName", job.environment->resourceName}};
            jobs.push_back(std::move(item));
        }
        stages.push_back(
            {{"name", stage.name},
             {"displayName", stage.displayName.empty() ? stage.name : stage.displayName},
             {"dependsOn", stage.dependsOn},
             {"jobs", std::move(jobs)}});
    }
    return {{"stages", std::move(stages)}};
}

Result<Json> artifactsJson(Call &call, Services &services, const store::Project &project,
                           std::int64_t runId)
{
    ASSIGN_OR_RETURN(const auto artifacts, services.artifacts.list(runId));
    Json list = Json::array();
    for (const auto &artifact : artifacts)
        list.push_back({{"name", artifact.name},
                        {"size", artifact.size},
                        {"files", artifact.files},
                        {"url", projectUrl(call, project.id,
                                           "build/builds/" + std::to_string(runId) +
                                               "/artifacts?artifactName=" +
                                               percentEncode(artifact.name) + "&$format=zip")}});
    return list;
}

Result<Json> approvalsJson(Call &call, Services &services, const store::Project &project,
                           const checks::ApprovalFilter &filter)
{
    ASSIGN_OR_RETURN(const auto approvals, services.approvals.approvals(filter));
    VersionsAhead versions(services, project.id);
    Json list = Json::array();
    for (const auto &approval : approvals) {
        ASSIGN_OR_RETURN(auto json, approvalItemJson(approval, call.principal, versions));
        list.push_back(std::move(json));
    }
    return list;
}

Result<Reply> getRun(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto detail, services.runs.detail(run.id));
    scheduler::RunOverview overview{
        detail.run, detail.stages, {}, detail.queuedStages, detail.sentence};
    for (const auto &row : detail.stages) {
        const auto stage = std::find_if(
            detail.plan.stages.begin(), detail.plan.stages.end(),
            [&](const schema::Stage &candidate) { return candidate.name == row.name; });
        const bool named = stage != detail.plan.stages.end() && !stage->displayName.empty();
        overview.displayNames.push_back(named ? stage->displayName : row.name);
    }
    RunShapes shapes(call, services);
    ASSIGN_OR_RETURN(auto out, shapes.summary(overview));
    const std::string buildUrl =
        projectUrl(call, project.id, "build/Builds/" + std::to_string(run.id));
    out["records"] = Json::array();
    for (const auto &record : detail.records)
        out["records"].push_back(recordJson(run, record, buildUrl, detail.earlierAttempts));
    out["graph"] = graphJson(detail.plan);
    checks::ApprovalFilter filter;
    filter.projectId = project.id;
    filter.runId = run.id;
    ASSIGN_OR_RETURN(out["approvals"], approvalsJson(call, services, project, filter));
    ASSIGN_OR_RETURN(out["artifacts"], artifactsJson(call, services, project, run.id));
    environments::HistoryFilter deployments;
    deployments.projectId = project.id;
    deployments.runId = run.id;
    deployments.top = 200;
    deployments.withCommits = false;
    ASSIGN_OR_RETURN(const auto history, services.environments.history(deployments));
    out["deployments"] = Json::array();
    for (const auto &entry : history)
        out["deployments"].push_back(historyEntryJson(entry));
    out["diagnostics"] = storedJson(run.validationJson, Json::array());
    out["finalYaml"] = detail.finalYaml;
    out["changeId"] = run.changeId;
    return Reply::json(out);
}

/// Default values and allowed values as JSON values where the declaration says so.
Json parameterValue(const std::string &type, const std::string &text)
{
    const std::string kind = lowerCase(type);
    if (kind == "string" || kind.empty())
        return text;
    Json parsed = Json::parse(text, nullptr, false);
    return parsed.is_discarded() ? Json(text) : parsed;
}

Result<Reply> inputs(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("pipelineId"));
    ASSIGN_OR_RETURN(const auto pipeline, services.pipelines.find(project.id, id));
    ASSIGN_OR_RETURN(const auto body, call.object());
    triggers::QueueRequest request;
    request.pipelineId = pipeline.id;
    request.requestedBy = call.principal;
    ASSIGN_OR_RETURN(const auto branch, textMember(body, "branch"));
    request.branch = branch.value_or("");
    auto compiled = services.pipelines.compile(request, false);
    if (!compiled && compiled.error().code == ErrorCode::NotFound)
        return {ErrorCode::InvalidArgument, compiled.error().message};
    if (!compiled)
        return compiled.error();
    Json parameters = Json::array();
    for (const auto &parameter : compiled->compilation.parameters) {
        Json item{
            {"name", parameter.name},
            {"displayName", parameter.displayName.empty() ? parameter.name : parameter.displayName},
            {"type", parameter.type},
            {"required", !parameter.defaultValue.has_value()}};
        if (parameter.defaultValue)
            item["default"] = parameterValue(parameter.type, *parameter.defaultValue);
        if (!parameter.values.empty()) {
            item["values"] = Json::array();
            for (const auto &value : parameter.values)
                item["values"].push_back(parameterValue(parameter.type, value));
        }
        parameters.push_back(std::move(item));
    }
    Json stages = Json::array();
    if (const auto &plan = compiled->compilation.plan)
        for (const auto &stage : plan->stages)
            stages.push_back(
                {{"name", stage.name},
                 {"displayName", stage.displayName.empty() ? stage.name : stage.displayName},
                 {"dependsOn", stage.dependsOn},
                 {"isSkippable", stage.isSkippable}});
    return Reply::json({{"branch", compiled->branch},
                        {"version", compiled->commit.id},
                        {"parameters", std::move(parameters)},
                        {"stages", std::move(stages)},
                        {"diagnostics", diagnosticsList(compiled->diagnostics)}});
}

/// Every pipeline of the project with its newest runs: the portal's list in one request.
Result<Reply> pipelinesWithRuns(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto runsOfEach, call.query().number("runs", 0, 50));
    ASSIGN_OR_RETURN(const auto pipelines, services.pipelines.list(project.id));
    RunShapes shapes(call, services);
    Json list = Json::array();
    for (const auto &pipeline : pipelines) {
        store::RunFilter filter;
        filter.projectId = project.id;
        filter.pipelineId = pipeline.id;
        filter.top = static_cast<int>(runsOfEach.value_or(10));
        Json runs = Json::array();
        if (filter.top > 0) {
            ASSIGN_OR_RETURN(const auto newest, services.runs.overviews(filter));
            for (const auto &overview : newest) {
                ASSIGN_OR_RETURN(auto json, shapes.summary(overview));
                runs.push_back(std::move(json));
            }
        }
        list.push_back({{"id", pipeline.id},
                        {"name", pipeline.name},
                        {"folder", pipeline.folder},
                        {"path", pipeline.yamlPath},
                        {"runs", std::move(runs)}});
    }
    return Reply::list(std::move(list));
}

Json referenceJson(const scheduler::RunReference &run)
{
    return {{"runId", run.id}, {"runNumber", run.number}, {"pipeline", run.pipelineName}};
}

Result<Reply> explain(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto explanation, services.runs.explain(run.id));
    Json waiting = Json::array();
    for (const auto &item : explanation.waiting) {
        Json entry{{"kind", item.kind}, {"stage", item.stage}};
        if (!item.job.empty())
            entry["job"] = item.job;
        entry["sentence"] = item.sentence;
        setTime(entry, "since", item.since);
        if (!item.approvers.empty())
            entry["approvers"] = item.approvers;
        if (!item.jobId.empty())
            entry["jobId"] = item.jobId;
        if (item.queueLength > 0) {
            entry["position"] = item.position;
            entry["queueLength"] = item.queueLength;
        }
        setTime(entry, "estimatedAt", item.estimatedAt);
        if (item.heldBy)
            entry["heldBy"] = referenceJson(*item.heldBy);
        if (item.limit) {
            Json runs = Json::array();
            for (const auto &user : item.limit->runs)
                runs.push_back(referenceJson(user));
            entry["limit"] = {{"of", item.limit->ofPool ? "pool" : "pipeline"},
                              {"name", item.limit->name},
                              {"maxParallelism", item.limit->maximum},
                              {"inUse", item.limit->inUse},
                              {"runs", std::move(runs)}};
        }
        if (!item.pool.empty())
            entry["pool"] = item.pool;
        if (!item.nearestWorker.empty()) {
            entry["nearestWorker"] = item.nearestWorker;
            entry["missing"] = item.missing;
        }
        waiting.push_back(std::move(entry));
    }
    static constexpr const char *kStates[] = {"queued", "assigned", "running", "completed"};
    Json jobs = Json::array();
    for (const auto &job : explanation.jobs) {
        Json entry{{"id", job.id},
                   {"stage", job.stage},
                   {"name", job.name},
                   {"identifier", job.identifier},
                   {"state", kStates[static_cast<std::size_t>(job.state)]}};
        if (job.result)
            entry["result"] = schema::toString(*job.result);
        entry["sentence"] = job.sentence;
        jobs.push_back(std::move(entry));
    }
    return Reply::json({{"sentence", explanation.sentence},
                        {"waiting", std::move(waiting)},
                        {"jobs", std::move(jobs)}});
}

Result<Reply> listApprovals(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    checks::ApprovalFilter filter;
    filter.projectId = project.id;
    if (const auto state = call.query().text("state"); !state.empty() && state != "all") {
        filter.status = checks::approvalStatusFromString(state);
        if (!filter.status)
            return {ErrorCode::InvalidArgument,
                    "'state' must be pending, approved, rejected, timedOut, canceled or all"};
    }
    ASSIGN_OR_RETURN(auto list, approvalsJson(call, services, project, filter));
    return Reply::list(std::move(list));
}

/// Ends one job, or runs it again while its stage goes on.
Result<Reply> updateJob(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto state, textMember(body, "state"));
    const std::int64_t wanted =
        parseEnum(state.value_or(""), {{"cancel", 0}, {"retry", 1}}).value_or(-1);
    const std::string job = lowerCase(call.value("jobId"));
    if (wanted == 0)
        RETURN_IF_ERROR(services.runs.cancelJob(run.id, job, call.principal.identityId));
    else if (wanted == 1)
        RETURN_IF_ERROR(services.runs.retryJob(run.id, job, call.principal.identityId));
    else
        return {ErrorCode::InvalidArgument, "'state' must be cancel or retry"};
    return Reply::empty();
}

} // namespace

void addPortalRunRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    const std::string base = "{project}/_apis/slipway/";
    router.add("GET", base + "runs", bind(listRuns));
    router.add("GET", base + "runs/{runId}", bind(getRun));
    router.add("GET", base + "runs/{runId}/explain", bind(explain));
    router.add("PATCH", base + "runs/{runId}/jobs/{jobId}", bind(updateJob));
    router.add("GET", base + "pipelines", bind(pipelinesWithRuns));
    router.add("POST", base + "pipelines/{pipelineId}/inputs", bind(inputs));
    router.add("GET", base + "approvals", bind(listApprovals));
}

} // namespace server::http
