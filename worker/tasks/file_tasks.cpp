// CopyFiles@2, DeleteFiles@1 (worker-and-tasks 10.7).
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

using schema::TaskResult;

Status copyOne(const fs::path &from, const fs::path &to, bool overwrite, bool keepTime,
               TaskContext &task)
{
    std::error_code error;
    if (fs::is_directory(to, error))
        return {ErrorCode::AlreadyExists,
                "cannot copy the file '" + from.string() + "': '" + to.string() + "' is a folder"};
    if (fs::exists(to, error) && !overwrite) {
        task.print("File " + to.string() + " exists and is kept (OverWrite is false)");
        return {};
    }
    RETURN_IF_ERROR(makeDirectories(to.parent_path()));
    task.print("Copying " + from.string() + " to " + to.string());
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error)
        return systemError("copy to", to, error.value());
    if (keepTime)
        fs::last_write_time(to, fs::last_write_time(from, error), error);
    return {};
}

} // namespace

TaskResult runCopyFiles(TaskContext &task)
{
    const auto source = task.path("SourceFolder");
    const auto target = task.path("TargetFolder");
    if (task.input("TargetFolder").empty())
        return task.fail("the input 'TargetFolder' is empty");
    if (!fs::is_directory(source))
        return task.fail("the folder '" + source.string() +
                         "' does not exist (input "
                         "'SourceFolder')");
    const auto found = findMatches(source, lines(task.input("Contents")),
                                   {.matchBase = false, .directories = false});
    if (!found)
        return task.fail(found.error());
    task.print("found " + counted(found->size(), "file"));
    if (task.flag("CleanTargetFolder")) {
        if (auto status = emptyDirectory(target); !status)
            return task.fail(status.error());
    }
    const bool flatten = task.flag("flattenFolders");
    for (const auto &file : *found) {
        const fs::path relative =
            flatten ? fs::path(file).filename() : fs::path(file).lexically_relative(source);
        if (auto status = copyOne(file, target / relative, task.flag("OverWrite"),
                                  task.flag("preserveTimestamp"), task);
            !status)
            return task.fail(status.error());
    }
    return TaskResult::Succeeded;
}

TaskResult runDeleteFiles(TaskContext &task)
{
    const auto source = task.path("SourceFolder");
    std::error_code error;
    if (!fs::is_directory(source, error))
        return TaskResult::Succeeded; // nothing there is fine
    auto found = findMatches(source, lines(task.input("Contents")), {.matchBase = true});
    if (!found)
        return task.fail(found.error());
    const bool dotFiles = task.flag("RemoveDotFiles");
    std::sort(found->begin(), found->end(),
              [](const auto &a, const auto &b) { return a.size() > b.size(); });
    std::size_t deleted = 0;
    for (const auto &path : *found) {
        const auto relative = fs::path(path).lexically_relative(source);
        const bool hidden = std::any_of(relative.begin(), relative.end(), [](const fs::path &part) {
            return part.string().starts_with('.') && part != "." && part != "..";
        });
        if (path == source.string() || (hidden && !dotFiles) ||
            !fs::exists(fs::symlink_status(path)))
            continue;
        task.print("Deleting " + path);
        if (auto status = removeTree(path); !status)
            return task.fail(status.error());
        ++deleted;
    }
    task.print("Deleted " + counted(deleted, "path"));
    if (task.flag("RemoveSourceFolder") && fs::is_empty(source, error)) {
        if (auto status = removeTree(source); !status)
            return task.fail(status.error());
    }
    return TaskResult::Succeeded;
}

} // namespace worker
