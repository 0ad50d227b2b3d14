// PublishCodeCoverageResults@1 and @2 (worker-and-tasks 10.2): a summary for the run, the files and
// reports as artifacts.
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/publish_results.h"
#include "worker/tasks/implementations.h"

namespace worker {
namespace {

using schema::TaskResult;

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
    const auto report =
        task.input("reportDirectory").empty() ? fs::path() : task.path("reportDirectory");
    const auto published = publishCoverageFiles(task.state(), *files, report);
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
