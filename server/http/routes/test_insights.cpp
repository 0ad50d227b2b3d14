// Tests over many runs (flaky ones, how often they fail, how long they take) and code coverage
// (environments-and-portal D10).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/store/job_resource_store.h"
#include "server/store/test_insight_store.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::protocol::CoverageStatistic;
using store::Connection;
using store::JobResourceStore;
using store::TestInsightStore;

namespace {

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

Result<std::vector<CoverageStatistic>> coverageOf(std::int64_t runId, Services &services)
{
    return services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection).coverage(runId));
    });
}

/// Percentage with one decimal, as deltas are told.
double percentOf(const CoverageStatistic &sum)
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
    std::vector<CoverageStatistic> before;
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
         {"coverageData", data},
         {"deltaBuild", nullptr}});
}

} // namespace

void addTestInsightRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.add("GET", "{project}/_apis/slipway/pipelines/{pipelineId}/tests",
               bind(testsOfPipeline));
    router.serve("GET", "77560e8a", Form::Collection, bind(readCoverage));
}

} // namespace server::http
