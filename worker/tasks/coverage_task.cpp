// PublishCodeCoverageResults@1 and @2 (worker-and-tasks 10.2): a summary for the run, the files and
// reports as artifacts.
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/coverage.h"
#include "worker/tasks/implementations.h"

namespace worker {
namespace {

using schema::TaskResult;
using schema::protocol::CoverageUpload;

constexpr std::size_t kMaxFile = 512U << 20U;

/// Publishes `paths` (files, or one folder) as an artifact; a name taken already is a warning.
void publishFiles(TaskContext &task, const std::string &name, const std::vector<fs::path> &paths)
{
    auto source = paths.front();
    if (paths.size() > 1) {
        source = task.temporary("-coverage");
        if (auto status = makeDirectories(source); !status)
            return task.warning(status.error().message);
        for (std::size_t i = 0; i < paths.size(); ++i) {
            // Files of several projects have the same name.
            std::error_code error;
            auto target = source / paths[i].filename();
            if (fs::exists(target, error))
                target = source / (std::to_string(i) + "_" + paths[i].filename().string());
            fs::copy_file(paths[i], target, error);
            if (error)
                return task.warning(systemError("copy", paths[i], error.value()).message);
        }
    }
    const auto published = task.job().sink.publishArtifact(name, source);
    if (!published)
        task.warning("the artifact '" + name + "' was not published: " + published.error().message);
}

Result<CoverageUpload> readAll(TaskContext &task, const std::vector<std::string> &files)
{
    CoverageUpload sum;
    for (const auto &file : files) {
        ASSIGN_OR_RETURN(const auto text, readFile(file, kMaxFile));
        const auto one = readCoverage(text);
        if (!one) {
            task.warning("'" + file + "' was not read: " + one.error().message);
            continue;
        }
        addCoverage(sum, *one);
    }
    return sum;
}

TaskResult publish(TaskContext &task)
{
    const auto patterns = task.input("summaryFileLocation");
    if (patterns.empty())
        return task.fail("the input 'summaryFileLocation' is empty");
    const auto files = findMatches(task.defaultDirectory(), lines(patterns),
                                   {.matchBase = false, .directories = false});
    if (!files)
        return task.fail(files.error());
    const bool failIfEmpty = task.flag("failIfCoverageEmpty");
    const auto nothing = [&](const std::string &why) {
        if (failIfEmpty)
            return task.fail(why);
        task.warning(why);
        return TaskResult::Succeeded;
    };
    if (files->empty())
        return nothing("No code coverage file matches '" + join(listEntries(patterns), ", ") +
                       "' below " + task.defaultDirectory().string() + ".");
    auto sum = readAll(task, *files);
    if (!sum)
        return task.fail(sum.error());
    if (sum->statistics.empty())
        return nothing("The code coverage files hold no counts.");
    sum->key = task.step().id;
    for (const auto &statistic : sum->statistics)
        task.print(sentence(statistic));
    if (auto status = task.job().sink.publishCoverage(*sum); !status)
        return task.fail("the code coverage was not published: " + status.error().message);
    const auto suffix = "_" + task.job().variables.value("Build.BuildId");
    publishFiles(task, "Code Coverage Files" + suffix, {files->begin(), files->end()});
    if (!task.input("reportDirectory").empty())
        publishFiles(task, "Code Coverage Report" + suffix, {task.path("reportDirectory")});
    return TaskResult::Succeeded;
}

} // namespace

TaskResult runPublishCoverage(TaskContext &task)
{
    return publish(task);
}

} // namespace worker
