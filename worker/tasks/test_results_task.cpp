// PublishTestResults@2 (worker-and-tasks 10.1).
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/test_results.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

using schema::TaskResult;
using schema::protocol::TestRunUpload;

std::size_t count(const TestRunUpload &run, std::string_view outcome)
{
    return static_cast<std::size_t>(
        std::count_if(run.results.begin(), run.results.end(),
                      [outcome](const auto &result) { return result.outcome == outcome; }));
}

} // namespace

TaskResult runPublishTestResults(TaskContext &task)
{
    const auto format = testFormat(task.input("testRunner"));
    if (!format)
        return task.fail(format.error());
    const auto patterns = task.input("testResultsFiles");
    const auto folder = task.path("searchFolder");
    const auto files =
        findMatches(folder, lines(patterns), {.matchBase = false, .directories = false});
    if (!files)
        return task.fail(files.error());
    if (files->empty()) {
        const auto text = "No test result files matching '" + join(listEntries(patterns), ", ") +
                          "' were found below " + folder.string() + ".";
        if (task.flag("failTaskOnMissingResultsFile"))
            return task.fail(text);
        task.warning(text);
        return TaskResult::Succeeded;
    }
    auto title = task.input("testRunTitle");
    if (title.empty())
        title = task.input("testRunner") + "_TestResults_" +
                task.job().variables.value("Build.BuildId");
    const bool merge = task.flag("mergeTestResults") || files->size() > 100;
    bool publishFailed = false;
    std::vector<TestRunUpload> runs;
    for (const auto &file : *files) {
        const auto text = readFile(file, 256U << 20U);
        auto results =
            text ? readTestResults(*format, *text)
                 : schema::Result<std::vector<schema::protocol::TestCaseResult>>(text.error());
        if (!results) {
            task.warning("'" + file + "' was not read: " + results.error().message);
            publishFailed = true;
            continue;
        }
        if (runs.empty() || !merge) {
            TestRunUpload run;
            run.title =
                files->size() > 1 && !merge ? title + "_" + std::to_string(runs.size() + 1) : title;
            run.key = task.step().id + "/" + std::to_string(runs.size());
            runs.push_back(std::move(run));
        }
        auto &target = runs.back().results;
        target.insert(target.end(), std::make_move_iterator(results->begin()),
                      std::make_move_iterator(results->end()));
    }
    std::size_t failed = 0;
    for (auto &run : runs) {
        for (auto &result : run.results) {
            result.message = task.job().masker.mask(result.message);
            result.stackTrace = task.job().masker.mask(result.stackTrace);
        }
        failed += count(run, "Failed");
        task.print(run.title + ": " + counted(run.results.size(), "test") + ", " +
                   std::to_string(count(run, "Passed")) + " passed, " +
                   std::to_string(count(run, "Failed")) + " failed, " +
                   std::to_string(count(run, "NotExecuted")) + " not executed");
        for (const auto &result : run.results) {
            if (result.outcome == "Failed")
                task.print(defuseCommands(
                    "  failed: " + (result.className.empty() ? "" : result.className + ".") +
                    result.name + ": " + result.message));
        }
        if (auto status = task.job().sink.publishTestRun(run); !status) {
            task.warning("the test run was not published: " + status.error().message);
            publishFailed = true;
        }
    }
    if (failed > 0 && task.flag("failTaskOnFailedTests"))
        return task.fail("There are one or more test failures detected in result files (" +
                         std::to_string(failed) + ").");
    if (publishFailed && task.flag("failTaskOnFailureToPublishResults"))
        return task.fail("Test results were not published completely.");
    return TaskResult::Succeeded;
}

} // namespace worker
