// Test runs and results: Azure DevOps shapes, and the portal's list of one run.
#include "server/http/paging.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/store/test_store.h"

#include <charconv>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using store::Connection;
using store::TestStore;

namespace {

constexpr std::int64_t kMaxResults = 1000;

Json testRunJson(const Call &call, const store::Project &project, const store::TestRunRow &run)
{
    const std::string build = std::to_string(run.runId);
    return {
        {"id", run.id},
        {"name", run.title},
        {"url", projectUrl(call, project.id, "test/Runs/" + std::to_string(run.id))},
        {"build", {{"id", build}, {"url", projectUrl(call, project.id, "build/Builds/" + build)}}},
        {"isAutomated", true},
        {"state", "Completed"},
        {"totalTests", run.passed + run.failed + run.skipped},
        {"passedTests", run.passed},
        {"unanalyzedTests", run.failed},
        {"notApplicableTests", run.skipped},
        {"incompleteTests", 0},
        {"startedDate", schema::toIso8601(run.createdAt)},
        {"completedDate", schema::toIso8601(run.createdAt)},
        {"project", {{"id", project.id}, {"name", project.name}}}};
}

Json resultJson(const store::TestRunRow &run, const store::TestResultRow &row)
{
    Json out{{"id", row.id},
             {"testCaseTitle", row.result.name},
             {"automatedTestName", row.result.className.empty()
                                       ? row.result.name
                                       : row.result.className + "." + row.result.name},
             {"automatedTestStorage", row.result.suite},
             {"outcome", row.result.outcome},
             {"state", "Completed"},
             {"durationInMs", row.result.durationMs},
             {"testRun", {{"id", std::to_string(run.id)}, {"name", run.title}}}};
    if (!row.result.message.empty())
        out["errorMessage"] = row.result.message;
    if (!row.result.stackTrace.empty())
        out["stackTrace"] = row.result.stackTrace;
    return out;
}

/// Run number behind "vstfs:///Build/Build/12".
std::int64_t runIdOfUri(std::string_view uri)
{
    const auto slash = uri.rfind('/');
    const auto text = slash == std::string_view::npos ? uri : uri.substr(slash + 1);
    std::int64_t id = 0;
    std::from_chars(text.data(), text.data() + text.size(), id);
    return id;
}

Result<Reply> listTestRuns(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    std::vector<std::int64_t> runs;
    if (const auto uri = call.query().text("builduri"); !uri.empty())
        runs.push_back(runIdOfUri(uri));
    for (const auto &id : call.query().list("buildids"))
        runs.push_back(runIdOfUri(id));
    if (runs.empty())
        return {ErrorCode::InvalidArgument, "name a run with 'buildUri' or 'buildIds'"};
    Json list = Json::array();
    for (const auto runId : runs) {
        const auto run = services.runs.run(runId);
        if (!run || run->projectId != project.id)
            continue;
        ASSIGN_OR_RETURN(const auto found, services.database.read([&](Connection &connection) {
            return Result(TestStore(connection).list(runId));
        }));
        for (const auto &testRun : found)
            list.push_back(testRunJson(call, project, testRun));
    }
    return page(call, std::move(list));
}

Result<store::TestRunRow> testRunOf(const Call &call, Services &services,
                                    const store::Project &project)
{
    ASSIGN_OR_RETURN(const auto id, call.id("runId"));
    ASSIGN_OR_RETURN(const auto found, services.database.read([&](Connection &connection) {
        return Result(TestStore(connection).find(id));
    }));
    const schema::Error missing{ErrorCode::NotFound, "no test run " + std::to_string(id)};
    if (!found)
        return missing;
    ASSIGN_OR_RETURN(const auto run, services.runs.run(found->runId));
    if (run.projectId != project.id)
        return missing;
    return *found;
}

Result<Reply> listResults(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto testRun, testRunOf(call, services, project));
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, kMaxResults));
    ASSIGN_OR_RETURN(const auto skip, call.query().number("skip", 0, INT64_MAX));
    ASSIGN_OR_RETURN(const auto rows, services.database.read([&](Connection &connection) {
        return Result(
            TestStore(connection).results(testRun.id, skip.value_or(0), top.value_or(kMaxResults)));
    }));
    const auto outcomes = call.query().list("outcomes");
    Json list = Json::array();
    for (const auto &row : rows) {
        const bool wanted = outcomes.empty() ||
                            std::any_of(outcomes.begin(), outcomes.end(), [&](const auto &item) {
                                return equalsIgnoringCase(item, row.result.outcome);
                            });
        if (wanted)
            list.push_back(resultJson(testRun, row));
    }
    return Reply::list(std::move(list));
}

/// The portal's tests of one run, results included (at most 1,000 of each test run, failed first).
Result<Reply> testsOfRun(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    return services.database.read([&](Connection &connection) -> Result<Reply> {
        TestStore tests(connection);
        Json list = Json::array();
        for (const auto &testRun : tests.list(run.id)) {
            Json results = Json::array();
            for (const auto &row : tests.results(testRun.id, 0, kMaxResults))
                results.push_back({{"id", row.id},
                                   {"name", row.result.name},
                                   {"className", row.result.className},
                                   {"suite", row.result.suite},
                                   {"outcome", row.result.outcome},
                                   {"durationMs", row.result.durationMs},
                                   {"message", row.result.message},
                                   {"stackTrace", row.result.stackTrace}});
            list.push_back({{"id", testRun.id},
                            {"title", testRun.title},
                            {"passed", testRun.passed},
                            {"failed", testRun.failed},
                            {"skipped", testRun.skipped},
                            {"durationMs", testRun.durationMs},
                            {"jobId", testRun.jobId},
                            {"results", std::move(results)}});
        }
        return Reply::list(std::move(list));
    });
}

/// How one test went in the newest runs of the run's pipeline, up to and including this run.
Result<Reply> historyOfTest(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    const auto name = call.query().text("name");
    if (name.empty())
        return {ErrorCode::InvalidArgument, "say which test with 'name' (and 'className')"};
    ASSIGN_OR_RETURN(const auto found, services.database.read([&](Connection &connection) {
        return Result(TestStore(connection)
                          .history(run.pipelineId, run.id, call.query().text("classname"), name));
    }));
    Json list = Json::array();
    for (const auto &row : found)
        list.push_back({{"runId", row.runId},
                        {"runNumber", row.runNumber},
                        {"outcome", row.outcome},
                        {"durationMs", row.durationMs}});
    return Reply::list(std::move(list));
}

} // namespace

void addTestRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "cadb3810", Form::Collection, bind(listTestRuns));
    router.serve("GET", "cadb3810", Form::Item, [&services](Call &call) -> Result<Reply> {
        ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
        ASSIGN_OR_RETURN(const auto testRun, testRunOf(call, services, project));
        return Reply::json(testRunJson(call, project, testRun));
    });
    router.serve("GET", "4637d869", Form::Collection, bind(listResults));
    router.add("GET", "{project}/_apis/slipway/runs/{runId}/tests", bind(testsOfRun));
    router.add("GET", "{project}/_apis/slipway/runs/{runId}/tests/history", bind(historyOfTest));
}

} // namespace server::http
