// The build area of Azure DevOps: queueing, reading, cancelling and retrying runs
// (environments-and-portal D5). What a run left behind is in build_results.cpp, definitions are in
// definitions.cpp.
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/retention/retention_service.h"
#include "server/store/job_resource_store.h"

#include <algorithm>
#include <array>
#include <utility>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

using EnumReader = std::optional<std::int64_t> (*)(std::string_view);

std::optional<std::int64_t> readStatuses(std::string_view text)
{
    return parseEnum(text, {{"none", 0},
                            {"inProgress", 1},
                            {"completed", 2},
                            {"cancelling", 4},
                            {"postponed", 8},
                            {"notStarted", 32},
                            {"all", 47}});
}

std::optional<std::int64_t> readResults(std::string_view text)
{
    return parseEnum(text, {{"none", 0},
                            {"succeeded", 2},
                            {"partiallySucceeded", 4},
                            {"failed", 8},
                            {"canceled", 32}});
}

std::optional<std::int64_t> readReasons(std::string_view text)
{
    return parseEnum(text, {{"none", 0},
                            {"manual", 1},
                            {"individualCI", 2},
                            {"batchedCI", 4},
                            {"schedule", 8},
                            {"pullRequest", 256},
                            {"buildCompletion", 512},
                            {"resourceTrigger", 1024},
                            {"triggered", 1967},
                            {"all", 2031}});
}

/// Flags named by a query parameter; nothing when absent. Errors: InvalidArgument.
Result<std::optional<std::int64_t>> flags(const Call &call, const char *name, EnumReader read)
{
    const std::string text = call.query().text(name);
    if (text.empty())
        return std::optional<std::int64_t>{};
    const auto value = read(text);
    if (!value)
        return {ErrorCode::InvalidArgument,
                "parameter '" + std::string(name) + "' has an unknown value"};
    return value;
}

/// Which runs a listing wants beyond what the store filters.
struct Wanted
{
    std::vector<std::int64_t> pipelines;
    std::optional<std::int64_t> statuses, results, reasons;
    std::string number; ///< with '*' at the end: prefix
    std::string requestedFor;
    std::optional<schema::TimePoint> notBefore, notAfter;
    std::vector<std::string> tags;    ///< all of them; looked at by listBuilds
    std::vector<std::int64_t> queues; ///< pools of which one ran a job; looked at by listBuilds
    bool oldestFirst = false;

    [[nodiscard]] bool accepts(const store::RunRow &run) const
    {
        const auto within = [](const std::optional<std::int64_t> &mask, auto value) {
            return !mask || *mask == 0 || (*mask & static_cast<std::int64_t>(value)) != 0;
        };
        if (!pipelines.empty() &&
            std::find(pipelines.begin(), pipelines.end(), run.pipelineId) == pipelines.end())
            return false;
        if (!within(statuses, run.status) || !within(reasons, run.reason) ||
            !within(results, run.result))
            return false;
        if (!number.empty()) {
            const bool prefix = number.back() == '*';
            const std::string_view text =
                std::string_view(number).substr(0, number.size() - (prefix ? 1 : 0));
            if (prefix ? !run.number.starts_with(text) : run.number != text)
                return false;
        }
        if (!requestedFor.empty() && !equalsIgnoringCase(requestedFor, run.requestedByName) &&
            !equalsIgnoringCase(requestedFor, run.requestedBy.value_or("")))
            return false;
        return (!notBefore || run.queuedAt >= *notBefore) &&
               (!notAfter || run.queuedAt <= *notAfter);
    }
};

Result<Wanted> wantedRuns(const Call &call)
{
    Wanted wanted;
    ASSIGN_OR_RETURN(wanted.pipelines, call.query().numbers("definitions"));
    ASSIGN_OR_RETURN(wanted.statuses, flags(call, "statusfilter", readStatuses));
    ASSIGN_OR_RETURN(wanted.results, flags(call, "resultfilter", readResults));
    ASSIGN_OR_RETURN(wanted.reasons, flags(call, "reasonfilter", readReasons));
    wanted.number = call.query().text("buildnumber");
    wanted.requestedFor = call.query().text("requestedfor");
    ASSIGN_OR_RETURN(wanted.notBefore, call.query().time("mintime"));
    ASSIGN_OR_RETURN(wanted.notAfter, call.query().time("maxtime"));
    wanted.tags = call.query().list("tagfilters");
    ASSIGN_OR_RETURN(wanted.queues, call.query().numbers("queues"));
    if (const auto order = call.query().text("queryorder"); !order.empty()) {
        const auto word = parseEnum(order, {{"finishTimeAscending", 2},
                                            {"finishTimeDescending", 3},
                                            {"queueTimeDescending", 4},
                                            {"queueTimeAscending", 5},
                                            {"startTimeDescending", 6},
                                            {"startTimeAscending", 7}});
        if (!word || *word < 2 || *word > 7)
            return {ErrorCode::InvalidArgument,
                    "parameter 'queryOrder' must be finish-, start- or queueTimeDescending or "
                    "...Ascending"};
        // All in the order of queueing, which does not change while somebody reads page after page.
        wanted.oldestFirst = *word == 2 || *word == 5 || *word == 7;
    }
    return wanted;
}

/// Whether the run has every one of `tags`, letters of any case.
Result<bool> isTagged(Services &services, std::int64_t runId, const std::vector<std::string> &tags)
{
    if (tags.empty())
        return true;
    return services.database.read([&](store::Connection &connection) {
        const auto have = store::JobResourceStore(connection).tags(runId);
        return Result(std::all_of(tags.begin(), tags.end(), [&have](const std::string &tag) {
            return std::any_of(have.begin(), have.end(), [&tag](const std::string &other) {
                return equalsIgnoringCase(tag, other);
            });
        }));
    });
}

/// Whether a job of the run was for one of `pools`; a pool is its queue in every project.
Result<bool> isInPools(Services &services, std::int64_t runId,
                       const std::vector<std::int64_t> &pools)
{
    if (pools.empty())
        return true;
    return services.database.read([&](store::Connection &connection) {
        const auto jobs = store::RunStore(connection).jobs(runId);
        return Result(std::any_of(jobs.begin(), jobs.end(), [&pools](const store::JobRow &job) {
            return job.poolId && std::find(pools.begin(), pools.end(), *job.poolId) != pools.end();
        }));
    });
}

/// Narrows to the pipelines of one repository, given by id or name. Gives false when there are
/// none.
Result<bool> keepPipelinesOf(Services &services, const store::Project &project,
                             const std::string &repository, std::vector<std::int64_t> &wanted)
{
    ASSIGN_OR_RETURN(const auto found, services.repositories.find(project.id, repository));
    ASSIGN_OR_RETURN(const auto pipelines, services.pipelines.list(project.id));
    std::vector<std::int64_t> kept;
    for (const auto &pipeline : pipelines) {
        const bool named =
            wanted.empty() || std::find(wanted.begin(), wanted.end(), pipeline.id) != wanted.end();
        if (named && pipeline.repositoryId == found.id)
            kept.push_back(pipeline.id);
    }
    wanted = std::move(kept);
    return !wanted.empty();
}

/// Whether the caller asks for what was deleted and nothing else: there is nothing, a deleted run
/// is gone. Errors: InvalidArgument.
Result<bool> wantsOnlyDeleted(const Call &call)
{
    const std::string text = call.query().text("deletedfilter");
    if (text.empty())
        return false;
    const auto value =
        parseEnum(text, {{"excludeDeleted", 0}, {"includeDeleted", 1}, {"onlyDeleted", 2}});
    if (!value || *value < 0 || *value > 2)
        return {ErrorCode::InvalidArgument, "parameter 'deletedFilter' must be excludeDeleted, "
                                            "includeDeleted or onlyDeleted"};
    return *value == 2;
}

Result<Reply> listBuilds(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(auto wanted, wantedRuns(call));
    ASSIGN_OR_RETURN(const bool onlyDeleted, wantsOnlyDeleted(call));
    if (onlyDeleted)
        return Reply::list(Json::array());
    if (const auto repository = call.query().text("repositoryid"); !repository.empty()) {
        ASSIGN_OR_RETURN(const bool any,
                         keepPipelinesOf(services, project, repository, wanted.pipelines));
        if (!any)
            return Reply::list(Json::array());
    }
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 5000));
    ASSIGN_OR_RETURN(const auto perPipeline,
                     call.query().number("maxbuildsperdefinition", 1, 5000));
    store::RunFilter filter;
    filter.projectId = project.id;
    if (const auto branch = call.query().text("branchname"); !branch.empty())
        filter.branch = branch;
    if (wanted.pipelines.size() == 1)
        filter.pipelineId = wanted.pipelines.front();
    ASSIGN_OR_RETURN(filter.ids, call.query().numbers("buildids"));
    // The token is the id of the last run given, so that it can be made from the last item.
    ASSIGN_OR_RETURN(filter.beforeId, call.query().number("continuationtoken", 1, INT64_MAX));
    if (wanted.oldestFirst)
        filter.afterId = std::exchange(filter.beforeId, std::nullopt).value_or(0);
    constexpr std::int64_t kMostAtOnce = 1000;
    const auto limit = static_cast<std::size_t>(top.value_or(kMostAtOnce));
    // One more than is given tells whether there are more; a narrow filter reads on in bigger
    // steps.
    filter.top = static_cast<int>(std::min(kMostAtOnce, static_cast<std::int64_t>(limit) + 1));
    std::map<std::int64_t, std::int64_t> given;
    std::vector<store::RunRow> chosen;
    std::string token;
    while (token.empty()) {
        ASSIGN_OR_RETURN(auto page, services.runs.list(filter));
        const std::int64_t last = page.empty() ? 0 : page.back().id;
        for (auto &run : page) {
            if (!wanted.accepts(run))
                continue;
            ASSIGN_OR_RETURN(const bool tagged, isTagged(services, run.id, wanted.tags));
            if (!tagged)
                continue;
            ASSIGN_OR_RETURN(const bool queued, isInPools(services, run.id, wanted.queues));
            if (!queued)
                continue;
            if (perPipeline && given[run.pipelineId]++ >= *perPipeline)
                continue;
            if (chosen.size() == limit) {
                token = std::to_string(chosen.back().id);
                break;
            }
            chosen.push_back(std::move(run));
        }
        if (page.size() < static_cast<std::size_t>(filter.top))
            break;
        (wanted.oldestFirst ? filter.afterId : filter.beforeId) = last;
        filter.top =
            static_cast<int>(std::min(kMostAtOnce, static_cast<std::int64_t>(filter.top) * 4));
    }
    ASSIGN_OR_RETURN(auto list, RunShapes(call, services).builds(chosen));
    return Reply::list(Json(std::move(list)), token);
}

Result<Reply> buildReply(Call &call, Services &services, std::int64_t runId)
{
    ASSIGN_OR_RETURN(const auto run, services.runs.run(runId));
    RunShapes shapes(call, services);
    ASSIGN_OR_RETURN(const auto json, shapes.build(run));
    return Reply::json(json);
}

Result<Reply> getBuild(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    return buildReply(call, services, run.id);
}

Result<schema::TextMap> textsOf(const Json &object, const std::string &what)
{
    if (!object.is_object())
        return {ErrorCode::InvalidArgument, "'" + what + "' must be an object"};
    schema::TextMap out;
    for (const auto &item : object.items())
        out.emplace_back(item.key(), item.value().is_string() ? item.value().get<std::string>()
                                                              : item.value().dump());
    return out;
}

Result<Reply> queueBuild(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    triggers::QueueRequest request;
    request.requestedBy = call.principal;
    ASSIGN_OR_RETURN(const auto queryId, call.query().number("definitionid", 1, INT64_MAX));
    std::optional<std::int64_t> pipelineId = queryId;
    if (const Json *definition = member(body, "definition")) {
        ASSIGN_OR_RETURN(pipelineId, numberMember(*definition, "id"));
    }
    if (!pipelineId)
        return {ErrorCode::InvalidArgument, "'definition.id' is missing"};
    auto pipeline = services.pipelines.find(project.id, *pipelineId);
    if (!pipeline)
        return {ErrorCode::InvalidArgument, pipeline.error().message};
    request.pipelineId = pipeline->id;
    ASSIGN_OR_RETURN(const auto branch, textMember(body, "sourceBranch"));
    request.branch = branch.value_or("");
    ASSIGN_OR_RETURN(const auto version, textMember(body, "sourceVersion"));
    request.version = version.value_or("");
    if (const Json *parameters = member(body, "templateParameters")) {
        ASSIGN_OR_RETURN(request.parameters, textsOf(*parameters, "templateParameters"));
    }
    // `parameters` are queue-time variables, as JSON text inside the JSON.
    ASSIGN_OR_RETURN(const auto variables, textMember(body, "parameters"));
    if (variables && !variables->empty()) {
        ASSIGN_OR_RETURN(request.variables, textsOf(storedJson(*variables, nullptr), "parameters"));
    }
    ASSIGN_OR_RETURN(const auto priority, priorityMember(body));
    request.priority = priority.value_or(schema::RunPriority::Normal);
    auto queued = services.pipelines.queue(request);
    if (!queued && queued.error().code == ErrorCode::NotFound)
        return {ErrorCode::InvalidArgument, queued.error().message};
    if (!queued)
        return queued.error();
    if (queued->runId == 0)
        return validationReply(queued->diagnostics);
    return buildReply(call, services, queued->runId);
}

/// A lease of the caller that does not end, or the end of all leases of people that keep the run.
schema::Status keepForever(const Call &call, Services &services, const store::Project &project,
                           std::int64_t runId, bool keep)
{
    constexpr std::string_view kOfPerson = "User:";
    if (keep) {
        retention::NewLease lease{runId, std::string(kOfPerson) + call.principal.identityId,
                                  retention::kMostDays, false};
        RETURN_IF_ERROR(services.retention.addLeases(project.id, {std::move(lease)}));
        return {};
    }
    ASSIGN_OR_RETURN(const auto leases,
                     services.retention.leases({project.id, std::nullopt, std::nullopt, runId}));
    std::vector<std::int64_t> ids;
    for (const auto &lease : leases)
        if (lease.ownerId.starts_with(kOfPerson))
            ids.push_back(lease.id);
    return services.retention.removeLeases(project.id, ids);
}

Result<Reply> updateBuild(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(const auto body, call.object());
    if (call.query().flag("retry")) {
        RETURN_IF_ERROR(services.runs.retryRun(run.id, call.principal.identityId));
        return buildReply(call, services, run.id);
    }
    ASSIGN_OR_RETURN(const auto keep, flagMember(body, "keepForever"));
    if (keep)
        RETURN_IF_ERROR(keepForever(call, services, project, run.id, *keep));
    ASSIGN_OR_RETURN(const auto priority, priorityMember(body));
    if (priority)
        RETURN_IF_ERROR(services.runs.setPriority(run.id, *priority));
    ASSIGN_OR_RETURN(const auto number, textMember(body, "buildNumber"));
    if (number)
        RETURN_IF_ERROR(services.runs.rename(run.id, *number));
    ASSIGN_OR_RETURN(const auto status, textMember(body, "status"));
    if (!status && (keep || priority || number))
        return buildReply(call, services, run.id);
    if (!status)
        return {ErrorCode::InvalidArgument,
                "nothing to change: send {\"status\": \"cancelling\"}, {\"keepForever\": true}, "
                "{\"priority\": \"high\"}, {\"buildNumber\": \"1.2\"} or ?retry=true"};
    const auto wanted = readStatuses(*status);
    if (wanted != 4)
        return {ErrorCode::InvalidArgument, "'status' can only be set to 'cancelling'"};
    RETURN_IF_ERROR(services.runs.cancelRun(run.id, call.principal.identityId));
    return buildReply(call, services, run.id);
}

Result<Reply> updateStage(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto text, textMember(body, "state"));
    const auto state =
        text ? parseEnum(*text, {{"cancel", 0}, {"retry", 1}, {"run", 2}}) : std::nullopt;
    if (!state)
        return {ErrorCode::InvalidArgument, "'state' must be cancel (0), retry (1) or run (2)"};
    const std::string stage = call.value("stageRefName");
    const std::string &who = call.principal.identityId;
    if (*state == 0)
        RETURN_IF_ERROR(services.runs.cancelStage(run.id, stage, who));
    if (*state == 1) {
        ASSIGN_OR_RETURN(const auto all, flagMember(body, "forceRetryAllJobs"));
        RETURN_IF_ERROR(services.runs.retryStage(run.id, stage, all.value_or(false), who));
    }
    if (*state == 2)
        RETURN_IF_ERROR(services.runs.startStage(run.id, stage, who));
    return Reply::empty();
}

} // namespace

void addBuildRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "0cd358e1", Form::Collection, bind(listBuilds));
    router.serve("GET", "0cd358e1", Form::Item, bind(getBuild));
    router.serve("POST", "0cd358e1", Form::Collection, bind(queueBuild));
    router.serve("PATCH", "0cd358e1", Form::Item, bind(updateBuild));
    router.serve("PATCH", "b8aac6c9", Form::Item, bind(updateStage));
}

} // namespace server::http
