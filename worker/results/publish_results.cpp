#include "worker/results/publish_results.h"

#include "worker/base/text.h"
#include "worker/results/coverage.h"

#include <algorithm>
#include <iterator>

namespace worker {
namespace {

using schema::protocol::CoverageUpload;
using schema::protocol::TestRunUpload;

constexpr std::size_t kMaxTestFile = 256U << 20U;
constexpr std::size_t kMaxCoverageFile = 512U << 20U;
constexpr std::size_t kMaxSeparateRuns = 100;

std::size_t count(const TestRunUpload &run, std::string_view outcome)
{
    return static_cast<std::size_t>(
        std::count_if(run.results.begin(), run.results.end(),
                      [outcome](const auto &result) { return result.outcome == outcome; }));
}

std::vector<TestRunUpload> readRuns(StepState &step, const TestFiles &tests, bool &complete)
{
    auto title = tests.title;
    if (title.empty())
        title = tests.formatName + "_TestResults_" + step.job.variables.value("Build.BuildId");
    const bool merge = tests.merge || tests.files.size() > kMaxSeparateRuns;
    std::vector<TestRunUpload> runs;
    for (const auto &file : tests.files) {
        const auto text = readFile(file, kMaxTestFile);
        auto results = text ? readTestResults(tests.format, *text)
                            : Result<std::vector<schema::protocol::TestCaseResult>>(text.error());
        if (!results) {
            step.warning("'" + file + "' was not read: " + results.error().message);
            complete = false;
            continue;
        }
        if (runs.empty() || !merge) {
            TestRunUpload run;
            run.title = tests.files.size() > 1 && !merge
                            ? title + "_" + std::to_string(runs.size() + 1)
                            : title;
            // A step may publish several times.
            run.key = step.step.id + "/" + std::to_string(step.testRuns++);
            runs.push_back(std::move(run));
        }
        auto &target = runs.back().results;
        target.insert(target.end(), std::make_move_iterator(results->begin()),
                      std::make_move_iterator(results->end()));
    }
    return runs;
}

/// Publishes `paths` (files, or one folder) as an artifact; a name taken already is a warning.
void publishFiles(StepState &step, const std::string &name, const std::vector<fs::path> &paths)
{
    auto source = paths.front();
    if (paths.size() > 1) {
        source = step.job.layout.temp / (step.recordId + "-coverage");
        if (auto status = makeDirectories(source); !status)
            return step.warning(status.error().message);
        for (std::size_t i = 0; i < paths.size(); ++i) {
            // Files of several projects have the same name.
            std::error_code error;
            auto target = source / paths[i].filename();
            if (fs::exists(target, error))
                target = source / (std::to_string(i) + "_" + paths[i].filename().string());
            fs::copy_file(paths[i], target, error);
            if (error)
                return step.warning(systemError("copy", paths[i], error.value()).message);
        }
    }
    const auto published = step.job.sink.publishArtifact(name, source);
    if (!published)
        step.warning("the artifact '" + name + "' was not published: " + published.error().message);
}

} // namespace

TestsPublished publishTestFiles(StepState &step, const TestFiles &tests)
{
    TestsPublished out;
    for (auto &run : readRuns(step, tests, out.complete)) {
        for (auto &result : run.results) {
            result.message = step.job.masker.mask(result.message);
            result.stackTrace = step.job.masker.mask(result.stackTrace);
        }
        out.failed += count(run, "Failed");
        step.print(run.title + ": " + counted(run.results.size(), "test") + ", " +
                   std::to_string(count(run, "Passed")) + " passed, " +
                   std::to_string(count(run, "Failed")) + " failed, " +
                   std::to_string(count(run, "NotExecuted")) + " not executed");
        for (const auto &result : run.results) {
            if (result.outcome == "Failed")
                step.print(defuseCommands(
                    "  failed: " + (result.className.empty() ? "" : result.className + ".") +
                    result.name + ": " + result.message));
        }
        if (auto status = step.job.sink.publishTestRun(run); !status) {
            step.warning("the test run was not published: " + status.error().message);
            out.complete = false;
        }
    }
    return out;
}

Result<CoveragePublished> publishCoverageFiles(StepState &step,
                                               const std::vector<std::string> &files,
                                               const fs::path &reportFolder)
{
    CoverageUpload sum;
    for (const auto &file : files) {
        ASSIGN_OR_RETURN(const auto text, readFile(file, kMaxCoverageFile));
        const auto one = readCoverage(text);
        if (!one) {
            step.warning("'" + file + "' was not read: " + one.error().message);
            continue;
        }
        addCoverage(sum, *one);
    }
    if (sum.statistics.empty())
        return CoveragePublished{.empty = true};
    sum.key = step.step.id;
    for (const auto &statistic : sum.statistics)
        step.print(sentence(statistic));
    if (auto status = step.job.sink.publishCoverage(sum); !status)
        return {status.error().code,
                "the code coverage was not published: " + status.error().message};
    const auto suffix = "_" + step.job.variables.value("Build.BuildId");
    publishFiles(step, "Code Coverage Files" + suffix, {files.begin(), files.end()});
    if (!reportFolder.empty())
        publishFiles(step, "Code Coverage Report" + suffix, {reportFolder});
    return CoveragePublished{};
}

} // namespace worker
