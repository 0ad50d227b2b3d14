// publish, download and the four artifact tasks: one artifact store behind all of them
// (worker-and-tasks 10.3, 10.4).
#include "worker/artifact/archive_stream.h"
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

using schema::TaskResult;

TaskResult publish(TaskContext &task, std::string name, const fs::path &path)
{
    if (name.empty()) {
        // The job's identifier without odd characters and without ".__default".
        name = task.job().message.identifier;
        if (name.ends_with(".__default"))
            name.erase(name.size() - 10);
        std::replace_if(
            name.begin(), name.end(),
            [](char c) { return !isArtifactName(std::string(1, c)) && c != '.'; }, '_');
    }
    if (!isArtifactName(name))
        return task.fail("'" + name +
                         "' is no artifact name: it must not be empty or hold any of "
                         "\" : < > | * ? / \\");
    std::error_code error;
    if (!fs::exists(path, error))
        return task.fail("there is nothing to publish: '" + path.string() + "' does not exist");
    task.print("Publishing '" + path.string() + "' as the artifact '" + name + "'");
    const auto info = task.job().sink.publishArtifact(name, path);
    if (!info)
        return task.fail("the artifact '" + name + "' was not published: " + info.error().message);
    task.print("Published " + counted(info->files, "file") + ", " + std::to_string(info->size) +
               " bytes");
    return TaskResult::Succeeded;
}

struct Download
{
    std::string artifact; ///< empty: all
    std::vector<std::string> patterns;
    fs::path target;        ///< files of one artifact land here
    bool ownFolder = false; ///< each artifact in a folder of its name
};

TaskResult download(TaskContext &task, const Download &what)
{
    std::vector<std::string> names{what.artifact};
    if (what.artifact.empty()) {
        auto all = task.job().sink.artifacts();
        if (!all)
            return task.fail(all.error());
        names = std::move(*all);
        if (names.empty())
            task.print("The run has no artifacts.");
    }
    for (const auto &name : names) {
        const auto wanted = [&](const std::string &path) {
            if (what.patterns.empty())
                return true;
            const auto full = what.artifact.empty() ? name + "/" + path : path;
            bool chosen = false;
            for (const auto &pattern : what.patterns) {
                if (pattern.starts_with('!')) {
                    if (matchesGlob(std::string_view(pattern).substr(1), full))
                        chosen = false;
                } else if (matchesGlob(pattern, full)) {
                    chosen = true;
                }
            }
            return chosen;
        };
        const fs::path target = what.ownFolder ? what.target / name : what.target;
        task.print("Downloading the artifact '" + name + "' to " + target.string());
        const auto info = task.job().sink.downloadArtifact(name, target, wanted);
        if (!info)
            return task.fail("the artifact '" + name +
                             "' was not downloaded: " + info.error().message);
        task.print("Downloaded " + counted(info->files, "file"));
    }
    return TaskResult::Succeeded;
}

/// Only artifacts of the run itself can be had; the message says so for others.
bool isForeign(TaskContext &task, std::string_view input)
{
    const auto source = toLower(task.input(input));
    return !source.empty() && source != "current";
}

std::vector<std::string> patterns(TaskContext &task, std::string_view input)
{
    auto list = listEntries(task.input(input));
    if (list.size() == 1 && list[0] == "**")
        list.clear();
    return list;
}

} // namespace

TaskResult runPublishArtifact(TaskContext &task)
{
    if (equalsIgnoringCase(task.input("artifactType"), "filepath"))
        return task.fail("artifactType 'filepath' (a file share) is not available on Linux; use "
                         "'pipeline'");
    return publish(task, task.input("artifactName"), task.path("path"));
}

TaskResult runPublishBuildArtifacts(TaskContext &task)
{
    if (equalsIgnoringCase(task.input("ArtifactType"), "FilePath"))
        return task.fail("publishLocation 'FilePath' (a file share) is not available on Linux; use "
                         "'Container'");
    return publish(task, task.input("ArtifactName"), task.path("PathtoPublish"));
}

TaskResult runDownload(TaskContext &task)
{
    const auto alias = task.input("alias");
    if (equalsIgnoringCase(alias, "none"))
        return TaskResult::Succeeded;
    if (!equalsIgnoringCase(alias, "current"))
        return task.fail("artifacts of the pipeline resource '" + alias +
                         "' cannot be downloaded yet; only 'download: current' can");
    const fs::path workspace = task.job().layout.workspace;
    const auto artifact = task.input("artifact");
    return download(task, {artifact, patterns(task, "patterns"),
                           artifact.empty() ? workspace : workspace / artifact, artifact.empty()});
}

TaskResult runDownloadPipelineArtifact(TaskContext &task)
{
    if (isForeign(task, "source"))
        return task.fail("buildType 'specific' (artifacts of another run) is not available; only "
                         "'current' is");
    const auto artifact = task.input("artifact");
    const auto given = task.input("path");
    const fs::path target = given.empty() ? task.job().layout.workspace : task.absolute(given);
    return download(task, {artifact, patterns(task, "patterns"), target, artifact.empty()});
}

TaskResult runDownloadBuildArtifacts(TaskContext &task)
{
    if (isForeign(task, "buildType"))
        return task.fail("buildType 'specific' (artifacts of another run) is not available; only "
                         "'current' is");
    const bool all = equalsIgnoringCase(task.input("downloadType"), "specific") &&
                     task.input("artifactName").empty();
    const auto artifact = task.input("artifactName");
    if (!all && artifact.empty())
        return task.fail("the input 'artifactName' is empty");
    return download(task,
                    {artifact, patterns(task, "itemPattern"), task.path("downloadPath"), true});
}

} // namespace worker
