// publish, download and the four artifact tasks: one artifact store behind all of them
// (worker-and-tasks 10.3, 10.4).
#include "worker/artifact/archive_file.h"
#include "worker/artifact/archive_stream.h"
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/implementations.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

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
    std::int64_t runId = 0; ///< 0: the job's own run
    bool extractTars = false;
};

/// Tars among the files (PublishBuildArtifacts with StoreAsTar) are taken apart where they are.
Status unpackTars(const fs::path &folder)
{
    ExtractOptions options;
    options.overwrite = true;
    ASSIGN_OR_RETURN(const auto tars,
                     findMatches(folder, {"**/*.tar"}, {.matchBase = false, .directories = false}));
    for (const fs::path tar : tars) {
        ASSIGN_OR_RETURN(const auto count, extractArchive(tar, tar.parent_path(), options));
        static_cast<void>(count);
        RETURN_IF_ERROR(removeTree(tar));
    }
    return {};
}

TaskResult download(TaskContext &task, const Download &what)
{
    std::vector<std::string> names{what.artifact};
    if (what.artifact.empty()) {
        auto all =
            what.runId == 0 ? task.job().sink.artifacts() : task.job().sink.artifactsOf(what.runId);
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
            std::string full;
            if (what.artifact.empty())
                full.append(name).append("/");
            full += path;
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
        auto &sink = task.job().sink;
        const auto info = what.runId == 0
                              ? sink.downloadArtifact(name, target, wanted)
                              : sink.downloadArtifactOf(what.runId, name, target, wanted);
        if (!info)
            return task.fail("the artifact '" + name +
                             "' was not downloaded: " + info.error().message);
        task.print("Downloaded " + counted(info->files, "file"));
        if (what.extractTars) {
            if (auto status = unpackTars(target); !status)
                return task.fail(status.error());
        }
    }
    return TaskResult::Succeeded;
}

/// Names of one task's inputs for "which run".
struct RunInputs
{
    const char *source, *pipeline, *version, *branch, *runId, *preferTriggering;
};

/// The run whose artifacts are meant; 0: the job's own.
Result<std::int64_t> runOf(TaskContext &task, const RunInputs &names)
{
    if (!equalsIgnoringCase(task.input(names.source), "specific"))
        return std::int64_t{0};
    schema::protocol::RunQuery query;
    query.pipeline = task.input(names.pipeline);
    query.tags = listEntries(task.input("tags"), ",\n");
    query.partiallySucceeded = task.flag("allowPartiallySucceededBuilds");
    query.failed = task.flag("allowFailedBuilds");
    const auto version = toLower(task.input(names.version));
    const auto &variables = task.job().variables;
    // The pipeline resource that triggered this run says which of its runs did.
    const auto triggering = variables.value("resources.triggeringAlias");
    if (task.flag(names.preferTriggering) && !triggering.empty() &&
        (equalsIgnoringCase(variables.value("resources.pipeline." + triggering + ".pipelineID"),
                            query.pipeline) ||
         equalsIgnoringCase(variables.value("resources.pipeline." + triggering + ".pipelineName"),
                            query.pipeline)))
        query.runId =
            std::atoll(variables.value("resources.pipeline." + triggering + ".runID").c_str());
    if (query.runId == 0 && version == "latestfrombranch")
        query.branch = task.input(names.branch);
    if (query.runId == 0 && version == "specific") {
        const auto text = task.input(names.runId);
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), query.runId);
        if (error != std::errc() || end != text.data() + text.size() || query.runId <= 0)
            return {ErrorCode::InvalidArgument,
                    std::string("the input '") + names.runId + "' ('" + text + "') is no run"};
    }
    if (query.runId == 0 && query.pipeline.empty())
        return {ErrorCode::InvalidArgument,
                std::string("the input '") + names.pipeline + "' is empty"};
    ASSIGN_OR_RETURN(const auto found, task.job().sink.findRun(query));
    task.print("Artifacts of run " + found.number + " (" + std::to_string(found.runId) + ")");
    task.output("BuildNumber", std::to_string(found.runId));
    return found.runId;
}

/// The run of a pipeline resource: it was chosen when this run began; without that, its newest good
/// one.
Result<std::int64_t> runOfResource(TaskContext &task, const std::string &alias)
{
    schema::protocol::RunQuery query;
    query.pipeline = alias;
    query.runId =
        std::atoll(task.job().variables.value("resources.pipeline." + alias + ".runID").c_str());
    ASSIGN_OR_RETURN(const auto found, task.job().sink.findRun(query));
    task.print("Artifacts of run " + found.number + " (" + std::to_string(found.runId) + ")");
    return found.runId;
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
    const auto name = task.input("ArtifactName");
    auto path = task.path("PathtoPublish");
    if (task.flag("StoreAsTar") && isArtifactName(name)) {
        std::error_code error;
        const bool folder = fs::is_directory(path, error);
        const auto tar = task.job().layout.temp / (name + ".tar");
        if (auto status = createArchive(tar, {"tar", "none"}, folder ? path : path.parent_path(),
                                        folder ? "." : path.filename().string(), {});
            !status)
            return task.fail(status.error());
        path = tar;
    }
    return publish(task, name, path);
}

TaskResult runDownload(TaskContext &task)
{
    const auto alias = task.input("alias");
    if (equalsIgnoringCase(alias, "none"))
        return TaskResult::Succeeded;
    const auto artifact = task.input("artifact");
    const fs::path workspace = task.job().layout.workspace;
    if (equalsIgnoringCase(alias, "current"))
        return download(task,
                        {artifact, patterns(task, "patterns"),
                         artifact.empty() ? workspace : workspace / artifact, artifact.empty()});
    const auto run = runOfResource(task, alias);
    if (!run)
        return task.fail(run.error());
    const auto target = workspace / alias;
    return download(task, {artifact, patterns(task, "patterns"),
                           artifact.empty() ? target : target / artifact, artifact.empty(), *run});
}

TaskResult runDownloadPipelineArtifact(TaskContext &task)
{
    const auto run = runOf(task, {"source", "pipeline", "runVersion", "runBranch", "runId",
                                  "preferTriggeringPipeline"});
    if (!run)
        return task.fail(run.error());
    const auto artifact = task.input("artifact");
    const auto given = task.input("path");
    const fs::path target = given.empty() ? task.job().layout.workspace : task.absolute(given);
    return download(task, {artifact, patterns(task, "patterns"), target, artifact.empty(), *run});
}

TaskResult runDownloadBuildArtifacts(TaskContext &task)
{
    if (const auto alias = task.input("alias"); !alias.empty()) { // the keyword downloadBuild
        const auto found = runOfResource(task, alias);
        if (!found)
            return task.fail(found.error());
        const bool given = schema::findText(task.step().inputs, "path") != nullptr ||
                           schema::findText(task.step().inputs, "downloadPath") != nullptr;
        return download(task, {task.input("artifactName"), patterns(task, "itemPattern"),
                               given ? task.path("downloadPath")
                                     : fs::path(task.job().layout.workspace) / alias,
                               true, *found, task.flag("extractTars")});
    }
    const auto run = runOf(task, {"buildType", "pipeline", "buildVersionToDownload", "branchName",
                                  "buildId", "specificBuildWithTriggering"});
    if (!run)
        return task.fail(run.error());
    const bool all = equalsIgnoringCase(task.input("downloadType"), "specific") &&
                     task.input("artifactName").empty();
    const auto artifact = task.input("artifactName");
    if (!all && artifact.empty())
        return task.fail("the input 'artifactName' is empty");
    const auto target = task.path("downloadPath");
    if (task.flag("cleanDestinationFolder") && target != task.defaultDirectory()) {
        if (auto status = emptyDirectory(target); !status)
            return task.fail(status.error());
    }
    return download(task, {artifact, patterns(task, "itemPattern"), target, true, *run,
                           task.flag("extractTars")});
}

} // namespace worker
