// ArchiveFiles@2, ExtractFiles@1 (worker-and-tasks 10.7): zip, tar and 7z by libarchive; wim and
// additions to an existing archive by the machine's 7z, zip and tar.
#include "worker/artifact/archive_file.h"
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/implementations.h"

#include <algorithm>
#include <array>

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

/// 7z's words for how hard it tries, as a level.
std::string_view level(const std::string &name)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kLevels{
        {{"none", "0"},
         {"fastest", "1"},
         {"fast", "3"},
         {"normal", "5"},
         {"maximum", "7"},
         {"ultra", "9"}}};
    for (const auto &[known, value] : kLevels) {
        if (known == name)
            return value;
    }
    return "5";
}

/// Into an archive that is there already.
Status addTo(TaskContext &task, const std::string &type, const fs::path &file,
             const fs::path &directory, const std::string &entry)
{
    if (type == "zip")
        return runTool(task, "zip", {"-q", "-r", file.string(), entry}, directory);
    if (type == "7z")
        return runTool(task, "7z", {"a", "-t7z", file.string(), entry}, directory);
    return runTool(task, "tar", {"-r", "-f", file.string(), "--", entry}, directory);
}

Status archive(TaskContext &task)
{
    const auto root = task.path("rootFolderOrFile");
    const auto file = task.path("archiveFile");
    const auto type = toLower(task.input("archiveType"));
    const auto compression = toLower(task.input("tarCompression"));
    std::error_code error;
    if (!fs::exists(root, error))
        return {ErrorCode::NotFound,
                "'" + root.string() + "' does not exist (input 'rootFolderOrFile')"};
    if (type != "zip" && type != "tar" && type != "7z" && type != "wim")
        return {ErrorCode::InvalidArgument,
                "the input 'archiveType' ('" + type + "') must be zip, tar, 7z or wim"};
    if (type == "tar" && compression != "gz" && compression != "bz2" && compression != "xz" &&
        compression != "none")
        return {ErrorCode::InvalidArgument,
                "the input 'tarCompression' ('" + compression + "') must be gz, bz2, xz or none"};
    RETURN_IF_ERROR(makeDirectories(file.parent_path()));
    if (task.flag("replaceExistingArchive"))
        fs::remove(file, error);
    const bool withRoot = task.flag("includeRootFolder") || !fs::is_directory(root, error);
    const fs::path directory = withRoot ? root.parent_path() : root;
    const std::string entry = withRoot ? root.filename().string() : ".";
    if (type == "wim")
        return runTool(task, "7z", {"a", "-twim", file.string(), entry}, directory);
    if (fs::exists(file, error)) {
        if (type == "tar" && compression != "none")
            return {ErrorCode::AlreadyExists,
                    "'" + file.string() +
                        "' exists, and nothing can be added to a compressed tar; set "
                        "replaceExistingArchive"};
        return addTo(task, type, file, directory, entry);
    }
    const bool verbose = task.flag("verbose");
    std::size_t count = 0;
    RETURN_IF_ERROR(createArchive(
        file,
        {type, type == "7z" ? level(toLower(task.input("sevenZipCompression"))) : compression},
        directory, entry, [&](const std::string &path) {
            ++count;
            if (verbose)
                task.print(defuseCommands("  " + path));
        }));
    if (!task.flag("quiet"))
        task.print("Archived " + counted(count, "file") + " in " + file.string());
    return {};
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
    if (!status)
        return task.fail(status.error());
    ExtractOptions options;
    options.overwrite = task.flag("overwriteExistingFiles");
    options.canceled = [&task] { return task.job().stop.reason() == StopReason::Canceled; };
    for (const auto &file : *found) {
        const auto count = extractArchive(file, target, options);
        if (!count)
            return task.fail(count.error());
        task.print("Extracted " + counted(count->files, "file") + " of " + file);
        if (count->kept > 0)
            task.print(counted(count->kept, "file") +
                       " existed and stay as they are (overwriteExistingFiles is false)");
    }
    return TaskResult::Succeeded;
}

} // namespace worker
