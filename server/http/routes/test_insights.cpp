// Tests over many runs (flaky ones, how often they fail, how long they take) and code coverage
// (environments-and-portal D10).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/store/test_insight_store.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using store::Connection;
using store::CoverageSum;
using store::TestInsightStore;

namespace {

constexpr std::size_t kMostLabels = 50;

Result<Reply> testsOfPipeline(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("pipelineId"));
    ASSIGN_OR_RETURN(const auto pipeline, services.pipelines.find(project.id, id));
    ASSIGN_OR_RETURN(const auto runs, call.query().number("runs", 1, 200));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 1000));
    ASSIGN_OR_RETURN(const auto found, services.database.read([&](Connection &connection) {
        return Result(TestInsightStore(connection)
                          .insights(pipeline.id, static_cast<int>(runs.value_or(50)),
                                    static_cast<int>(top.value_or(100))));
    }));
    Json list = Json::array();
    for (const auto &test : found) {
        Json item{{"className", test.className},
                  {"name", test.name},
                  {"runs", test.runs},
                  {"failures", test.failures},
                  {"flakyCommits", test.flakyCommits},
                  {"lastOutcome", test.lastOutcome},
                  {"lastRunId", test.lastRun},
                  {"newerMs", test.newerMs},
                  {"olderMs", test.olderMs}};
        if (test.lastFlakyRun != 0)
            item["lastFlakyRunId"] = test.lastFlakyRun;
        list.push_back(std::move(item));
    }
    return Reply::list(std::move(list));
}

/// Coverage that a job publishes: the body is CodeCoverageData of Azure DevOps, or its
/// `coverageStats` alone.
Result<Reply> publishCoverage(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto job, services.jobs.authorize(call.credential));
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto build, call.query().number("buildid", 1, INT64_MAX));
    if (job.projectId != project.id || (build && *build != job.runId))
        return {ErrorCode::PermissionDenied, "a job publishes coverage of its own run only"};
    ASSIGN_OR_RETURN(const auto body, call.json());
    const Json *stats = body.is_array() ? &body : member(body, "coverageStats");
    if (!stats || !stats->is_array() || stats->size() > kMostLabels)
        return {ErrorCode::InvalidArgument,
                "'coverageStats' must be a list of at most 50 {label, covered, total}"};
    std::vector<CoverageSum> sums;
    for (const auto &item : *stats) {
        CoverageSum sum;
        ASSIGN_OR_RETURN(sum.label, requiredText(item, "label"));
        ASSIGN_OR_RETURN(const auto covered, numberMember(item, "covered"));
        ASSIGN_OR_RETURN(const auto total, numberMember(item, "total"));
        if (!covered || !total || *covered < 0 || *covered > *total || sum.label.size() > 100)
            return {ErrorCode::InvalidArgument,
                    "'" + sum.label.substr(0, 100) + "': 'covered' must be from 0 to 'total'"};
        sum.covered = *covered;
        sum.total = *total;
        sums.push_back(std::move(sum));
    }
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> schema::Status {
        for (const auto &sum : sums)
            TestInsightStore(connection).putCoverage(job.runId, job.jobId, sum);
        return {};
    }));
    return Reply::json(Json::object());
}

Result<std::vector<CoverageSum>> coverageOf(std::int64_t runId, Services &services)
{
    return services.database.read([&](Connection &connection) {
        return Result(TestInsightStore(connection).coverage(runId));
    });
}

/// Percentage with one decimal, as deltas are told.
double percentOf(const CoverageSum &sum)
{
    return sum.total == 0 ? 0 : static_cast<double>(sum.covered * 1000 / sum.total) / 10;
}

/// The run that `name` of the query names. Errors: NotFound (also: another project's).
Result<store::RunRow> runOfQuery(const Call &call, Services &services,
                                 const store::Project &project, const char *name)
{
    ASSIGN_OR_RETURN(const auto id, call.query().number(name, 1, INT64_MAX));
    if (!id)
        return {ErrorCode::InvalidArgument, std::string("parameter '") + name + "' is missing"};
    ASSIGN_OR_RETURN(auto run, services.runs.run(*id));
    if (run.projectId != project.id)
        return {ErrorCode::NotFound, "no run " + std::to_string(*id) + " in this project"};
    return run;
}

Result<Reply> readCoverage(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOfQuery(call, services, project, "buildid"));
    ASSIGN_OR_RETURN(const auto sums, coverageOf(run.id, services));
    std::vector<CoverageSum> before;
    const bool compares = call.query().find("deltabuildid") != nullptr;
    if (compares) {
        ASSIGN_OR_RETURN(const auto other, runOfQuery(call, services, project, "deltabuildid"));
        ASSIGN_OR_RETURN(before, coverageOf(other.id, services));
    }
    Json stats = Json::array();
    int position = 0;
    for (const auto &sum : sums) {
        Json item{{"label", sum.label},     {"position", ++position},    {"total", sum.total},
                  {"covered", sum.covered}, {"isDeltaAvailable", false}, {"delta", 0}};
        for (const auto &earlier : before)
            if (earlier.label == sum.label) {
                item["isDeltaAvailable"] = true;
                item["delta"] = percentOf(sum) - percentOf(earlier);
            }
        stats.push_back(std::move(item));
    }
    const std::string id = std::to_string(run.id);
    Json data = Json::array();
    if (!stats.empty())
        data.push_back({{"buildFlavor", ""}, {"buildPlatform", ""}, {"coverageStats", stats}});
    return Reply::json(
        {{"build", {{"id", id}, {"url", projectUrl(call, project.id, "build/Builds/" + id)}}},
         {"coverageData", data}});
}

} // namespace

void addTestInsightRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.add("GET", "{project}/_apis/slipway/pipelines/{pipelineId}/tests",
               bind(testsOfPipeline));
    router.serve("GET", "77560e8a", Form::Item, bind(readCoverage));
    router.serve("POST", "77560e8a", Form::Item, bind(publishCoverage), Access::Credential);
}

} // namespace server::http
