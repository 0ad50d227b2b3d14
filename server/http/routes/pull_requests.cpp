// Pull requests of hosted repositories, as Azure DevOps shows them (environments-and-portal D9).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/triggers/pull_request_service.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using store::PullRequest;

namespace {

Json commitJson(const std::string &id)
{
    return {{"commitId", id}};
}

Result<Json> requestJson(const Call &call, const store::Project &project,
                         const PullRequest &request, Services &services)
{
    ASSIGN_OR_RETURN(const auto repository, services.repositories.findById(request.repositoryId));
    const std::string id = std::to_string(request.id);
    Json out{
        {"repository",
         {{"id", repository.id},
          {"name", repository.name},
          {"url", projectUrl(call, project.id, "git/repositories/" + repository.id)},
          {"project", projectJson(call, project)}}},
        {"pullRequestId", request.id},
        {"codeReviewId", request.id},
        {"status", request.status},
        {"createdBy", identityJson(call, request.createdBy.value_or(""), request.createdByName)},
        {"creationDate", schema::toIso8601(request.createdAt)},
        {"title", request.title},
        {"description", request.description},
        {"sourceRefName", request.sourceRef},
        {"targetRefName", request.targetRef},
        {"mergeStatus", request.mergeStatus},
        {"isDraft", request.isDraft},
        {"mergeId", request.mergeCommit},
        {"lastMergeSourceCommit", commitJson(request.sourceCommit)},
        {"lastMergeTargetCommit", commitJson(request.targetCommit)}};
    setTime(out, "closedDate", request.closedAt);
    if (!request.mergeCommit.empty())
        out["lastMergeCommit"] = commitJson(request.mergeCommit);
    if (const Json conflicts = storedJson(request.conflictsJson, Json::array()); !conflicts.empty())
        out["conflicts"] = conflicts; // Slipway's addition
    out["reviewers"] = Json::array();
    out["url"] =
        projectUrl(call, project.id, "git/repositories/" + repository.id + "/pullRequests/" + id);
    out["supportsIterations"] = false;
    return out;
}

Result<Reply> listRequests(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    store::PullRequestQuery query;
    query.projectId = project.id;
    std::string repository = call.value("repositoryId");
    if (repository.empty())
        repository = call.query().text("searchcriteria.repositoryid");
    if (!repository.empty()) {
        ASSIGN_OR_RETURN(const auto found, services.repositories.find(project.id, repository));
        query.repositoryId = found.id;
    }
    const std::string status = call.query().text("searchcriteria.status", "active");
    const auto wanted = parseEnum(
        status, {{"notSet", 0}, {"active", 1}, {"abandoned", 2}, {"completed", 3}, {"all", 4}});
    if (!wanted || *wanted < 0 || *wanted > 4)
        return {ErrorCode::InvalidArgument,
                "'searchCriteria.status' must be active, abandoned, completed or all"};
    static constexpr const char *kStatuses[] = {"active", "active", "abandoned", "completed"};
    if (*wanted != 4)
        query.status = kStatuses[*wanted];
    if (const auto ref = call.query().text("searchcriteria.sourcerefname"); !ref.empty())
        query.sourceRef = ref;
    if (const auto ref = call.query().text("searchcriteria.targetrefname"); !ref.empty())
        query.targetRef = ref;
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 1000));
    ASSIGN_OR_RETURN(const auto skip, call.query().number("skip", 0, INT32_MAX));
    query.top = static_cast<int>(top.value_or(100));
    query.skip = static_cast<int>(skip.value_or(0));
    ASSIGN_OR_RETURN(const auto found, services.pullRequests.list(query));
    Json list = Json::array();
    for (const auto &request : found) {
        ASSIGN_OR_RETURN(auto json, requestJson(call, project, request, services));
        list.push_back(std::move(json));
    }
    return Reply::list(std::move(list));
}

/// The request of the call; one of another repository than the address names is absent.
Result<PullRequest> requestOf(const Call &call, Services &services, const store::Project &project)
{
    ASSIGN_OR_RETURN(const auto id, call.id("pullRequestId"));
    ASSIGN_OR_RETURN(auto request, services.pullRequests.find(project.id, id));
    if (const auto &name = call.value("repositoryId"); !name.empty()) {
        ASSIGN_OR_RETURN(const auto repository, services.repositories.find(project.id, name));
        if (repository.id != request.repositoryId)
            return {ErrorCode::NotFound,
                    "no pull request " + std::to_string(id) + " in repository " + repository.name};
    }
    return request;
}

Result<Reply> getRequest(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto request, requestOf(call, services, project));
    ASSIGN_OR_RETURN(const auto json, requestJson(call, project, request, services));
    return Reply::json(json);
}

Result<Reply> createRequest(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto repository,
                     services.repositories.find(project.id, call.value("repositoryId")));
    ASSIGN_OR_RETURN(const auto body, call.object());
    PullRequest request;
    ASSIGN_OR_RETURN(request.title, requiredText(body, "title"));
    ASSIGN_OR_RETURN(const auto description, textMember(body, "description"));
    request.description = description.value_or("");
    ASSIGN_OR_RETURN(request.sourceRef, requiredText(body, "sourceRefName"));
    ASSIGN_OR_RETURN(request.targetRef, requiredText(body, "targetRefName"));
    ASSIGN_OR_RETURN(const auto draft, flagMember(body, "isDraft"));
    request.isDraft = draft.value_or(false);
    request.createdBy = call.principal.identityId;
    ASSIGN_OR_RETURN(const auto created, services.pullRequests.create(repository, request));
    services.triggers.pushed(repository.id);
    ASSIGN_OR_RETURN(const auto json, requestJson(call, project, created, services));
    return Reply::json(json, 201);
}

Result<Reply> updateRequest(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto request, requestOf(call, services, project));
    ASSIGN_OR_RETURN(const auto body, call.object());
    triggers::PullRequestChange change;
    ASSIGN_OR_RETURN(change.title, textMember(body, "title"));
    ASSIGN_OR_RETURN(change.description, textMember(body, "description"));
    ASSIGN_OR_RETURN(change.targetRef, textMember(body, "targetRefName"));
    ASSIGN_OR_RETURN(change.isDraft, flagMember(body, "isDraft"));
    ASSIGN_OR_RETURN(const auto status, textMember(body, "status"));
    if (status) {
        const auto wanted = parseEnum(*status, {{"active", 1}, {"abandoned", 2}, {"completed", 3}});
        static constexpr const char *kStatuses[] = {"", "active", "abandoned", "completed"};
        if (!wanted || *wanted < 1 || *wanted > 3)
            return {ErrorCode::InvalidArgument, "'status' must be active, abandoned or completed"};
        change.status = kStatuses[*wanted];
    }
    if (const Json *seen = member(body, "lastMergeSourceCommit")) {
        ASSIGN_OR_RETURN(const auto commit, textMember(*seen, "commitId"));
        change.expectedSource = commit.value_or("");
    }
    if (const Json *options = member(body, "completionOptions")) {
        ASSIGN_OR_RETURN(const auto removes, flagMember(*options, "deleteSourceBranch"));
        change.deleteSource = removes.value_or(false);
    }
    ASSIGN_OR_RETURN(
        const auto updated,
        services.pullRequests.update(project.id, request.id, change, call.principal.uniqueName));
    services.triggers.pushed(updated.repositoryId);
    ASSIGN_OR_RETURN(const auto json, requestJson(call, project, updated, services));
    return Reply::json(json);
}

} // namespace

void addPullRequestRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "9946fd70", Form::Collection, bind(listRequests));
    router.serve("POST", "9946fd70", Form::Collection, bind(createRequest));
    router.serve("GET", "9946fd70", Form::Item, bind(getRequest));
    router.serve("PATCH", "9946fd70", Form::Item, bind(updateRequest));
    router.serve("GET", "a5d28130", Form::Item, bind(listRequests));
    router.serve("GET", "01a46dea", Form::Item, bind(getRequest));
}

} // namespace server::http
