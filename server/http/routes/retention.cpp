// How long runs are kept: leases and settings of Azure DevOps, policies of pipelines, deletion of
// runs and pipelines (environments-and-portal D5).
#include "server/http/paging.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/retention/retention_service.h"

#include <algorithm>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using store::RetentionLeaseRow;
using store::RetentionPolicyRow;

namespace {

Json leaseJson(const Call &call, const store::Project &project, const RetentionLeaseRow &lease)
{
    return {{"leaseId", lease.id},
            {"ownerId", lease.ownerId},
            {"runId", lease.runId},
            {"definitionId", lease.pipelineId},
            {"createdOn", schema::toIso8601(lease.createdAt)},
            {"validUntil", schema::toIso8601(lease.validUntil)},
            {"highPriority", false},
            {"protectPipeline", lease.protectPipeline},
            {"url",
             projectUrl(call, project.id, "build/retention/leases/" + std::to_string(lease.id))}};
}

Json leaseList(const Call &call, const store::Project &project,
               const std::vector<RetentionLeaseRow> &leases)
{
    Json list = Json::array();
    for (const auto &lease : leases)
        list.push_back(leaseJson(call, project, lease));
    return list;
}

/// Whole days of a member, bounded so that a date made of them exists.
Result<std::optional<int>> daysMember(const Json &body, const char *name)
{
    ASSIGN_OR_RETURN(const auto days, numberMember(body, name));
    if (!days)
        return std::optional<int>{};
    return std::optional(
        static_cast<int>(std::clamp<std::int64_t>(*days, 0, retention::kMostDays)));
}

Result<Reply> addLeases(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.json());
    if (!body.is_array() || body.empty())
        return {ErrorCode::InvalidArgument,
                "send a list: [{\"daysValid\", \"definitionId\", \"ownerId\", "
                "\"protectPipeline\", \"runId\"}]"};
    if (body.size() > 1000)
        return {ErrorCode::InvalidArgument, "at most 1000 leases in one call"};
    std::vector<retention::NewLease> leases;
    for (const auto &item : body) {
        retention::NewLease lease;
        ASSIGN_OR_RETURN(const auto run, numberMember(item, "runId"));
        lease.runId = run.value_or(0);
        ASSIGN_OR_RETURN(lease.ownerId, requiredText(item, "ownerId"));
        ASSIGN_OR_RETURN(const auto days, daysMember(item, "daysValid"));
        lease.daysValid = days.value_or(0);
        ASSIGN_OR_RETURN(const auto protects, flagMember(item, "protectPipeline"));
        lease.protectPipeline = protects.value_or(false);
        leases.push_back(std::move(lease));
    }
    ASSIGN_OR_RETURN(const auto added, services.retention.addLeases(project.id, leases));
    return Reply::list(leaseList(call, project, added));
}

Result<Reply> listLeases(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    store::LeaseQuery query{project.id, std::nullopt, std::nullopt, std::nullopt};
    if (const auto owner = call.query().text("ownerid"); !owner.empty())
        query.ownerId = owner;
    else if (const auto user = call.query().text("userownerid"); !user.empty())
        query.ownerId = "User:" + user;
    ASSIGN_OR_RETURN(query.pipelineId, call.query().number("definitionid", 1, INT64_MAX));
    ASSIGN_OR_RETURN(query.runId, call.query().number("runid", 1, INT64_MAX));
    if (!query.ownerId && !query.pipelineId && !query.runId)
        return {ErrorCode::InvalidArgument,
                "name whose leases: 'ownerId', 'userOwnerId', 'definitionId' or 'runId'"};
    ASSIGN_OR_RETURN(const auto leases, services.retention.leases(query));
    return page(call, leaseList(call, project, leases));
}

Result<Reply> getLease(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("leaseId"));
    ASSIGN_OR_RETURN(const auto lease, services.retention.lease(project.id, id));
    return Reply::json(leaseJson(call, project, lease));
}

Result<Reply> updateLease(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("leaseId"));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto days, daysMember(body, "daysValid"));
    ASSIGN_OR_RETURN(const auto protects, flagMember(body, "protectPipeline"));
    ASSIGN_OR_RETURN(const auto lease,
                     services.retention.updateLease(project.id, id, days, protects));
    return Reply::json(leaseJson(call, project, lease));
}

Result<Reply> removeLeases(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto ids, call.query().numbers("ids"));
    if (ids.empty())
        return {ErrorCode::InvalidArgument, "parameter 'ids' is missing"};
    RETURN_IF_ERROR(services.retention.removeLeases(project.id, ids));
    return Reply::empty();
}

Result<Reply> leasesOfBuild(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    const store::LeaseQuery query{project.id, std::nullopt, std::nullopt, run.id};
    ASSIGN_OR_RETURN(const auto leases, services.retention.leases(query));
    return page(call, leaseList(call, project, leases));
}

Result<Reply> deleteBuild(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    RETURN_IF_ERROR(services.retention.deleteRun(run.id));
    return Reply::empty();
}

Result<Reply> deleteDefinition(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("definitionId"));
    ASSIGN_OR_RETURN(const auto pipeline, services.pipelines.find(project.id, id));
    RETURN_IF_ERROR(services.retention.deletePipeline(pipeline.id));
    return Reply::empty();
}

Json setting(int value, int minimum, int maximum)
{
    return {{"min", minimum}, {"max", maximum}, {"value", value}};
}

Json settingsJson(const RetentionPolicyRow &policy)
{
    return {{"purgeRuns", setting(policy.runDays, 1, retention::kMostDays)},
            {"purgeArtifacts", setting(policy.artifactDays, 1, retention::kMostDays)},
            {"purgePullRequestRuns", setting(policy.pullRequestDays, 1, retention::kMostDays)},
            {"retainRunsPerProtectedBranch",
             setting(policy.minimumRuns, 0, retention::kMostMinimumRuns)}};
}

Result<Reply> getSettings(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto found, services.retention.policy(project.id, 0));
    return Reply::json(settingsJson(found.policy));
}

/// A number that stands alone or as `{value}`.
Result<int> settingOf(const Json &body, const char *name, int fallback)
{
    const Json *object = member(body, name);
    ASSIGN_OR_RETURN(const auto number, object && object->is_object()
                                            ? numberMember(*object, "value")
                                            : numberMember(body, name));
    return number ? static_cast<int>(std::clamp<std::int64_t>(*number, INT32_MIN, INT32_MAX))
                  : fallback;
}

Result<Reply> updateSettings(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(auto found, services.retention.policy(project.id, 0));
    ASSIGN_OR_RETURN(const auto body, call.object());
    RetentionPolicyRow &policy = found.policy;
    // Azure DevOps' update model names these members differently from what it gives back.
    ASSIGN_OR_RETURN(policy.runDays, settingOf(body, "purgeRuns", policy.runDays));
    ASSIGN_OR_RETURN(policy.runDays, settingOf(body, "runRetention", policy.runDays));
    ASSIGN_OR_RETURN(policy.artifactDays, settingOf(body, "purgeArtifacts", policy.artifactDays));
    ASSIGN_OR_RETURN(policy.artifactDays,
                     settingOf(body, "artifactsRetention", policy.artifactDays));
    ASSIGN_OR_RETURN(policy.pullRequestDays,
                     settingOf(body, "purgePullRequestRuns", policy.pullRequestDays));
    ASSIGN_OR_RETURN(policy.pullRequestDays,
                     settingOf(body, "pullRequestRunRetention", policy.pullRequestDays));
    ASSIGN_OR_RETURN(policy.minimumRuns,
                     settingOf(body, "retainRunsPerProtectedBranch", policy.minimumRuns));
    RETURN_IF_ERROR(services.retention.setPolicy(policy));
    return Reply::json(settingsJson(policy));
}

Json policyJson(const retention::RetentionService::Effective &found)
{
    return {{"runDays", found.policy.runDays},
            {"artifactDays", found.policy.artifactDays},
            {"pullRequestDays", found.policy.pullRequestDays},
            {"minimumRuns", found.policy.minimumRuns},
            {"inherited", !found.own}};
}

Result<store::Pipeline> pipelineOf(const Call &call, Services &services,
                                   const store::Project &project)
{
    ASSIGN_OR_RETURN(const auto id, call.id("pipelineId"));
    return services.pipelines.find(project.id, id);
}

Result<Reply> getPolicy(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    ASSIGN_OR_RETURN(const auto found, services.retention.policy(project.id, pipeline.id));
    return Reply::json(policyJson(found));
}

Result<Reply> putPolicy(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    ASSIGN_OR_RETURN(auto found, services.retention.policy(project.id, pipeline.id));
    ASSIGN_OR_RETURN(const auto body, call.object());
    RetentionPolicyRow &policy = found.policy;
    ASSIGN_OR_RETURN(policy.runDays, settingOf(body, "runDays", policy.runDays));
    ASSIGN_OR_RETURN(policy.artifactDays, settingOf(body, "artifactDays", policy.artifactDays));
    ASSIGN_OR_RETURN(policy.pullRequestDays,
                     settingOf(body, "pullRequestDays", policy.pullRequestDays));
    ASSIGN_OR_RETURN(policy.minimumRuns, settingOf(body, "minimumRuns", policy.minimumRuns));
    RETURN_IF_ERROR(services.retention.setPolicy(policy));
    found.own = true;
    return Reply::json(policyJson(found));
}

Result<Reply> removePolicy(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(call, services, project));
    RETURN_IF_ERROR(services.retention.clearPolicy(project.id, pipeline.id));
    return Reply::empty();
}

Result<Reply> verdictOfRun(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    static constexpr const char *kFates[] = {"keep", "dropArtifacts", "delete"};
    ASSIGN_OR_RETURN(const auto verdict, services.retention.verdict(project.id, run.id));
    Json out{{"fate", kFates[static_cast<std::size_t>(verdict.fate)]},
             {"sentence", verdict.sentence}};
    setTime(out, "until", verdict.until);
    return Reply::json(out);
}

} // namespace

void addRetentionRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "272051e4", Form::Collection, bind(listLeases));
    router.serve("POST", "272051e4", Form::Collection, bind(addLeases));
    router.serve("DELETE", "272051e4", Form::Collection, bind(removeLeases));
    router.serve("GET", "272051e4", Form::Item, bind(getLease));
    router.serve("PATCH", "272051e4", Form::Item, bind(updateLease));
    router.serve("GET", "3da19a6a", Form::Item, bind(leasesOfBuild));
    router.serve("DELETE", "0cd358e1", Form::Item, bind(deleteBuild), Access::Admin);
    router.serve("DELETE", "dbeaf647", Form::Item, bind(deleteDefinition), Access::Admin);
    router.serve("GET", "dadb46e7", Form::Item, bind(getSettings));
    router.serve("PATCH", "dadb46e7", Form::Item, bind(updateSettings), Access::Admin);
    const std::string pipeline = "{project}/_apis/slipway/pipelines/{pipelineId}/retention";
    router.add("GET", pipeline, bind(getPolicy));
    router.add("PUT", pipeline, bind(putPolicy), Access::Admin);
    router.add("DELETE", pipeline, bind(removePolicy), Access::Admin);
    router.add("GET", "{project}/_apis/slipway/runs/{runId}/retention", bind(verdictOfRun));
}

} // namespace server::http
