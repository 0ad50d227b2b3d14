// ArchiveFiles@2, ExtractFiles@1 (worker-and-tasks 10.7), on the machine's tar, zip, unzip and 7z.
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

using schema::TaskResult;

Status runTool(TaskContext &task, const std::string &program, std::vector<std::string> arguments,
               const fs::path &directory)
{
    ToolCall call;
    call.program = program;
    call.arguments = std::move(arguments);
    call.workingDirectory = directory.string();
    ASSIGN_OR_RETURN(const auto result, task.run(call));
    if (!result.ok())
        return {ErrorCode::Io, program + " failed with exit code " +
                                   std::to_string(result.exitCode) + ": " +
                                   trimmed(result.errors).substr(0, 2000)};
    return {};
}

Status archive(TaskContext &task)
{
    const auto root = task.path("rootFolderOrFile");
    const auto file = task.path("archiveFile");
    const auto type = toLower(task.input("archiveType"));
    std::error_code error;
    if (!fs::exists(root, error))
        return {ErrorCode::NotFound, "'" + root.string() +
                                         "' does not exist (input "
                                         "'rootFolderOrFile')"};
    RETURN_IF_ERROR(makeDirectories(file.parent_path()));
    if (task.flag("replaceExistingArchive"))
        fs::remove(file, error);
    const bool withRoot = task.flag("includeRootFolder") || !fs::is_directory(root, error);
    const fs::path directory = withRoot ? root.parent_path() : root;
    const std::string entry = withRoot ? root.filename().string() : ".";
    if (type == "zip")
        return runTool(task, "zip", {"-q", "-r", file.string(), entry}, directory);
    if (type == "tar") {
        const auto compression = toLower(task.input("tarCompression"));
        std::vector<std::string> arguments{"-c"};
        if (compression == "gz" || compression == "bz2" || compression == "xz") {
            if (fs::exists(file, error))
                return {ErrorCode::AlreadyExists, "'" + file.string() +
                                                      "' exists, and nothing can be added to a "
                                                      "compressed tar; set replaceExistingArchive"};
            arguments.push_back(compression == "gz" ? "--gz"
                                                    : (compression == "bz2" ? "--bzip2" : "--xz"));
        } else if (fs::exists(file, error)) {
            arguments = {"-r"};
        }
        arguments.insert(arguments.end(), {"-f", file.string(), "--", entry});
        return runTool(task, "tar", arguments, directory);
    }
    if (type == "7z" || type == "wim")
        return runTool(task, "7z", {"a", "-t" + type, file.string(), entry}, directory);
    return {ErrorCode::InvalidArgument,
            "the input 'archiveType' ('" + type + "') must be zip, tar, 7z or wim"};
}

Status extract(TaskContext &task, const std::string &file, const fs::path &target)
{
    const auto name = toLower(file);
    const bool overwrite = task.flag("overwriteExistingFiles");
    if (name.ends_with(".zip") || name.ends_with(".jar") || name.ends_with(".war") ||
        name.ends_with(".ear") || name.ends_with(".vsix") || name.ends_with(".nupkg"))
        return runTool(task, "unzip", {"-q", overwrite ? "-o" : "-n", file, "-d", target.string()},
                       target);
    if (name.find(".tar") != std::string::npos || name.ends_with(".tgz") ||
        name.ends_with(".tbz2") || name.ends_with(".txz")) {
        std::vector<std::string> arguments{"-x", "-f", file, "-C", target.string()};
        if (!overwrite)
            arguments.emplace_back("--keep-old-files");
        return runTool(task, "tar", arguments, target);
    }
    return runTool(task, "7z", {"x", "-o" + target.string(), overwrite ? "-aoa" : "-aos", file},
                   target);
}

} // namespace

TaskResult runArchiveFiles(TaskContext &task)
{
    if (auto status = archive(task); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

TaskResult runExtractFiles(TaskContext &task)
{
    const auto target = task.path("destinationFolder");
    if (task.input("destinationFolder").empty())
        return task.fail("the input 'destinationFolder' is empty");
    const auto found =
        findMatches(task.defaultDirectory(), lines(task.input("archiveFilePatterns")),
                    {.matchBase = true, .directories = false});
    if (!found)
        return task.fail(found.error());
    if (found->empty())
        return task.fail("no archive matches '" + task.input("archiveFilePatterns") + "' below " +
                         task.defaultDirectory().string());
    task.print("Found: " + counted(found->size(), "file") + " to extract:");
    for (const auto &file : *found)
        task.print(file);
    auto status = task.flag("cleanDestinationFolder") && target != task.defaultDirectory()
                      ? emptyDirectory(target)
                      : makeDirectories(target);
    for (auto it = found->begin(); status && it != found->end(); ++it)
        status = extract(task, *it, target);
    if (!status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
