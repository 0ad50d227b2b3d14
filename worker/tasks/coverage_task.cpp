// PublishCodeCoverageResults@1 and @2 (worker-and-tasks 10.2): a summary for the run, the files and
// reports as artifacts.
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/publish_results.h"
#include "worker/tasks/implementations.h"

namespace worker {
namespace {

using schema::TaskResult;

/// The folder of a report, which may be given with wildcards as in Microsoft's samples: the first
/// that matches. Empty when there is none.
Result<fs::path> reportFolder(TaskContext &task)
{
    const auto pattern = task.input("reportDirectory");
    if (pattern.empty())
        return fs::path();
    if (!hasGlob(pattern)) {
        const auto folder = task.path("reportDirectory");
        if (fs::exists(folder))
            return folder;
        task.warning("The report directory " + folder.string() + " does not exist.");
        return fs::path();
    }
    ASSIGN_OR_RETURN(auto found, findMatches(task.defaultDirectory(), {pattern}));
    std::erase_if(found, [](const std::string &path) { return !fs::is_directory(path); });
    if (found.empty()) {
        task.warning("No report directory matches '" + pattern + "' below " +
                     task.defaultDirectory().string() + ".");
        return fs::path();
    }
    if (found.size() > 1)
        task.warning(std::to_string(found.size()) + " directories match '" + pattern + "'; " +
                     found.front() + " is published.");
    return fs::path(found.front());
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
    const auto report = reportFolder(task);
    if (!report)
        return task.fail(report.error());
    const auto published = publishCoverageFiles(task.state(), *files, *report);
    if (!published)
        return task.fail(published.error());
    if (published->empty)
        return nothing("The code coverage files hold no counts.");
    return TaskResult::Succeeded;
}

} // namespace

TaskResult runPublishCoverage(TaskContext &task)
{
    return publish(task);
}

} // namespace worker
