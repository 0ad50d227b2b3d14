// PublishTestResults@2 (worker-and-tasks 10.1).
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/publish_results.h"
#include "worker/tasks/implementations.h"

namespace worker {

using schema::TaskResult;

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
    const auto published =
        publishTestFiles(task.state(), {*format, task.input("testRunner"), *files,
                                        task.input("testRunTitle"), task.flag("mergeTestResults")});
    if (published.failed > 0 && task.flag("failTaskOnFailedTests"))
        return task.fail("There are one or more test failures detected in result files (" +
                         std::to_string(published.failed) + ").");
    if (!published.complete && task.flag("failTaskOnFailureToPublishResults"))
        return task.fail("Test results were not published completely.");
    return TaskResult::Succeeded;
}

} // namespace worker
