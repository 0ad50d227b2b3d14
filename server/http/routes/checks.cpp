// Checks on environments and the approvals they ask for (environments-and-portal B, D6).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <charconv>

namespace server::http {

using checks::Approval;
using checks::ApprovalStatus;
using checks::Check;
using checks::CheckType;
using schema::ErrorCode;
using schema::Result;

namespace {

constexpr const char *kApprovalType = "8c6f20a7-a545-4486-9777-f762fafe0d4d";
constexpr const char *kLockType = "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563";

Json checkJson(const Call &call, const store::Project &project, const Check &check,
               bool withSettings, Services &services)
{
    const bool approval = check.type == CheckType::Approval;
    Json out;
    if (withSettings) {
        Json settings = Json::object();
        if (approval) {
            Json approvers = Json::array();
            for (const auto &id : check.approval.approvers) {
                const auto identity = services.authenticator.find(id);
                approvers.push_back(
                    {{"id", id}, {"displayName", identity ? identity->displayName : id}});
            }
            settings = {{"approvers", approvers},
                        {"executionOrder", "anyOrder"},
                        {"minRequiredApprovers", check.approval.minRequired},
                        {"instructions", check.approval.instructions},
                        {"blockedApprovers", Json::array()},
                        {"requesterCannotBeApprover", check.approval.requesterCannotBeApprover},
                        {"definitionRef", {{"id", "26014962-64a0-49f4-885b-4b874119a5cc"}}}};
        }
        out["settings"] = std::move(settings);
    }
    const std::string url =
        projectUrl(call, project.id, "pipelines/checks/configurations/" + std::to_string(check.id));
    const auto environment = services.environments.find(check.environmentId);
    out["createdOn"] = schema::toIso8601(check.createdAt);
    out["modifiedOn"] = schema::toIso8601(check.createdAt);
    out["timeout"] = check.timeoutMinutes;
    out["_links"] = {{"self", {{"href", url}}}};
    out["id"] = check.id;
    out["version"] = 1;
    out["type"] = {{"id", approval ? kApprovalType : kLockType},
                   {"name", approval ? "Approval" : "ExclusiveLock"}};
    out["url"] = url;
    out["resource"] = {{"type", "environment"},
                       {"id", std::to_string(check.environmentId)},
                       {"name", environment ? environment->name : ""}};
    return out;
}

Result<CheckType> typeOf(const Json &body)
{
    const Json *type = member(body, "type");
    std::string id;
    std::string name;
    if (type) {
        ASSIGN_OR_RETURN(const auto givenId, textMember(*type, "id"));
        ASSIGN_OR_RETURN(const auto givenName, textMember(*type, "name"));
        id = givenId.value_or("");
        name = givenName.value_or("");
    }
    if (equalsIgnoringCase(id, kApprovalType) || equalsIgnoringCase(name, "Approval"))
        return CheckType::Approval;
    if (equalsIgnoringCase(id, kLockType) || equalsIgnoringCase(name, "ExclusiveLock"))
        return CheckType::ExclusiveLock;
    return {ErrorCode::InvalidArgument,
            "'type' must be Approval or ExclusiveLock; other checks are not supported yet"};
}

Result<std::int64_t> environmentIdOf(const std::string &text, Services &services,
                                     const store::Project &project)
{
    std::int64_t id = 0;
    std::from_chars(text.data(), text.data() + text.size(), id);
    const auto environment = services.environments.find(id);
    if (!environment || environment->projectId != project.id)
        return {ErrorCode::InvalidArgument, "no environment '" + text + "' in this project"};
    return id;
}

Result<Check> checkOf(const Json &body, Services &services, const store::Project &project)
{
    Check check;
    ASSIGN_OR_RETURN(check.type, typeOf(body));
    const Json *resource = member(body, "resource");
    if (!resource)
        return {ErrorCode::InvalidArgument, "'resource' is missing"};
    ASSIGN_OR_RETURN(const auto type, textMember(*resource, "type"));
    if (type && !equalsIgnoringCase(*type, "environment"))
        return {ErrorCode::InvalidArgument,
                "'resource.type' must be environment; checks on other resources are not supported "
                "yet"};
    ASSIGN_OR_RETURN(const auto resourceId, requiredText(*resource, "id"));
    ASSIGN_OR_RETURN(check.environmentId, environmentIdOf(resourceId, services, project));
    ASSIGN_OR_RETURN(const auto timeout, numberMember(body, "timeout"));
    if (timeout)
        check.timeoutMinutes =
            static_cast<int>(std::clamp<std::int64_t>(*timeout, INT32_MIN, INT32_MAX));
    const Json *settings = member(body, "settings");
    if (check.type != CheckType::Approval)
        return check;
    if (!settings || !member(*settings, "approvers") || !member(*settings, "approvers")->is_array())
        return {ErrorCode::InvalidArgument, "'settings.approvers' must be a list of {id}"};
    for (const auto &approver : *member(*settings, "approvers")) {
        ASSIGN_OR_RETURN(const auto id, requiredText(approver, "id"));
        const auto identity = services.authenticator.find(id);
        if (!identity)
            return {ErrorCode::InvalidArgument,
                    "'settings.approvers': " + identity.error().message};
        check.approval.approvers.push_back(identity->identityId);
    }
    ASSIGN_OR_RETURN(const auto minimum, numberMember(*settings, "minRequiredApprovers"));
    check.approval.minRequired =
        static_cast<int>(std::clamp<std::int64_t>(minimum.value_or(0), INT32_MIN, INT32_MAX));
    ASSIGN_OR_RETURN(const auto barred, flagMember(*settings, "requesterCannotBeApprover"));
    check.approval.requesterCannotBeApprover = barred.value_or(false);
    ASSIGN_OR_RETURN(const auto instructions, textMember(*settings, "instructions"));
    check.approval.instructions = instructions.value_or("");
    return check;
}

bool expandsSettings(const Call &call)
{
    const auto expand = call.query().text("expand");
    return expand == "1" || equalsIgnoringCase(expand, "settings");
}

Result<Reply> listChecks(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    std::vector<Check> found;
    if (const auto resource = call.query().text("resourceid"); !resource.empty()) {
        ASSIGN_OR_RETURN(const auto id, environmentIdOf(resource, services, project));
        ASSIGN_OR_RETURN(found, services.approvals.checks(id));
    } else {
        ASSIGN_OR_RETURN(found, services.approvals.projectChecks(project.id));
    }
    Json list = Json::array();
    for (const auto &check : found)
        list.push_back(checkJson(call, project, check, expandsSettings(call), services));
    return Reply::list(std::move(list));
}

Result<Check> existingCheck(const Call &call, Services &services, const store::Project &project)
{
    ASSIGN_OR_RETURN(const auto id, call.id("id"));
    ASSIGN_OR_RETURN(const auto all, services.approvals.projectChecks(project.id));
    for (const auto &check : all)
        if (check.id == id)
            return check;
    return {ErrorCode::NotFound, "no check " + std::to_string(id)};
}

Result<Reply> getCheck(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto check, existingCheck(call, services, project));
    return Reply::json(checkJson(call, project, check, expandsSettings(call), services));
}

Result<Reply> addCheck(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto check, checkOf(body, services, project));
    ASSIGN_OR_RETURN(const auto added, services.approvals.addCheck(check));
    return Reply::json(checkJson(call, project, added, true, services));
}

Result<Reply> updateCheck(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto before, existingCheck(call, services, project));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(auto check, checkOf(body, services, project));
    if (check.type != before.type || check.environmentId != before.environmentId)
        return {ErrorCode::InvalidArgument,
                "type and resource of a check cannot be changed; make a new one"};
    check.id = before.id;
    ASSIGN_OR_RETURN(const auto updated, services.approvals.updateCheck(check));
    return Reply::json(checkJson(call, project, updated, true, services));
}

Result<Reply> removeCheck(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto check, existingCheck(call, services, project));
    RETURN_IF_ERROR(services.approvals.removeCheck(check.id));
    return Reply::empty();
}

Json approvalJson(const Call &call, const store::Project &project, const Approval &approval)
{
    Json steps = Json::array();
    int order = 0;
    for (const auto &step : approval.steps) {
        const Json who = identityJson(call, step.identityId, step.displayName);
        Json item{{"assignedApprover", who},
                  {"status", checks::toString(step.status)},
                  {"comment", step.comment},
                  {"order", ++order},
                  {"history", Json::array()}};
        if (step.decidedAt) {
            item["actualApprover"] = who;
            item["lastModifiedOn"] = schema::toIso8601(*step.decidedAt);
        }
        steps.push_back(std::move(item));
    }
    const std::string url = projectUrl(call, project.id, "pipelines/approvals/" + approval.id);
    const std::string runUrl =
        projectUrl(call, project.id, "build/Builds/" + std::to_string(approval.runId));
    return {
        {"id", approval.id},
        {"steps", steps},
        {"status", checks::toString(approval.status)},
        {"createdOn", schema::toIso8601(approval.createdAt)},
        {"lastModifiedOn", schema::toIso8601(approval.decidedAt.value_or(approval.createdAt))},
        {"executionOrder", "anyOrder"},
        {"minRequiredApprovers", approval.minRequired},
        {"instructions", approval.instructions},
        {"blockedApprovers", Json::array()},
        {"pipeline",
         {{"id", std::to_string(approval.pipelineId)},
          {"name", approval.pipelineName},
          {"owner",
           {{"id", approval.runId},
            {"name", approval.runNumber},
            {"_links",
             {{"web",
               {{"href", pageUrl(call, project.name, "runs/" + std::to_string(approval.runId))}}},
              {"self", {{"href", runUrl}}}}}}}}},
        {"_links", {{"self", {{"href", url}}}}}};
}

Result<Reply> listApprovals(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 1000));
    checks::ApprovalFilter filter;
    filter.projectId = project.id;
    filter.ids = call.query().list("approvalids");
    filter.top = static_cast<int>(top.value_or(100));
    if (const auto state = call.query().text("state"); !state.empty()) {
        filter.status = checks::approvalStatusFromString(
            lowerCase(state) == "timedout" ? "timedOut" : lowerCase(state));
        if (!filter.status && !equalsIgnoringCase(state, "all"))
            return {ErrorCode::InvalidArgument,
                    "'state' must be pending, approved, rejected, timedOut, canceled or all"};
    }
    ASSIGN_OR_RETURN(const auto found, services.approvals.approvals(filter));
    auto people = call.query().list("userids");
    for (auto &person : call.query().list("assignedto"))
        people.push_back(std::move(person));
    Json list = Json::array();
    for (const auto &approval : found) {
        const bool assigned =
            people.empty() ||
            std::any_of(approval.steps.begin(), approval.steps.end(), [&](const auto &step) {
                return std::find(people.begin(), people.end(), step.identityId) != people.end() ||
                       std::find(people.begin(), people.end(), step.displayName) != people.end();
            });
        if (assigned)
            list.push_back(approvalJson(call, project, approval));
    }
    return Reply::list(std::move(list));
}

Result<Approval> approvalOf(const std::string &id, Services &services,
                            const store::Project &project)
{
    ASSIGN_OR_RETURN(auto approval, services.approvals.approval(lowerCase(id)));
    if (approval.projectId != project.id)
        return {ErrorCode::NotFound, "no approval " + id + " in this project"};
    return approval;
}

Result<Reply> updateApprovals(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.json());
    if (!body.is_array() || body.empty())
        return {ErrorCode::InvalidArgument,
                "send a list: [{\"approvalId\", \"status\": \"approved\"|\"rejected\", "
                "\"comment\"}]"};

    struct Wish
    {
        std::string id, comment;
        bool approve;
    };

    // All are read before the first is carried out: a wrong one must not leave half a list done.
    std::vector<Wish> wishes;
    for (const auto &item : body) {
        ASSIGN_OR_RETURN(const auto id, requiredText(item, "approvalId"));
        ASSIGN_OR_RETURN(const auto status, requiredText(item, "status"));
        ASSIGN_OR_RETURN(const auto comment, textMember(item, "comment"));
        // 4 and 8 are the numbers of Azure DevOps' ApprovalStatus.
        const auto wanted = parseEnum(status, {{"approved", 4}, {"rejected", 8}});
        if (wanted != 4 && wanted != 8)
            return {ErrorCode::InvalidArgument, "'status' must be approved or rejected"};
        ASSIGN_OR_RETURN(const auto approval, approvalOf(id, services, project));
        wishes.push_back({approval.id, comment.value_or(""), wanted == 4});
    }
    Json list = Json::array();
    for (const auto &wish : wishes) {
        ASSIGN_OR_RETURN(const auto decided,
                         services.approvals.decide(wish.id, call.principal.identityId, wish.approve,
                                                   wish.comment));
        list.push_back(approvalJson(call, project, decided));
    }
    return Reply::list(std::move(list));
}

} // namespace

void addCheckRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "86c8381e", Form::Collection, bind(listChecks));
    router.serve("GET", "86c8381e", Form::Item, bind(getCheck));
    router.serve("POST", "86c8381e", Form::Collection, bind(addCheck), Access::Admin);
    router.serve("PATCH", "86c8381e", Form::Item, bind(updateCheck), Access::Admin);
    router.serve("DELETE", "86c8381e", Form::Item, bind(removeCheck), Access::Admin);
    router.serve("GET", "37794717", Form::Collection, bind(listApprovals));
    router.serve("GET", "37794717", Form::Item, [&services](Call &call) -> Result<Reply> {
        ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
        ASSIGN_OR_RETURN(const auto approval,
                         approvalOf(call.value("approvalId"), services, project));
        return Reply::json(approvalJson(call, project, approval));
    });
    router.serve("PATCH", "37794717", Form::Collection, bind(updateApprovals));
}

} // namespace server::http
