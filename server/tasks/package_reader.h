#pragma once
/// Reads the zip archives that tasks come in.

#include "schema/base/result.h"

#include <filesystem>
#include <string>
#include <vector>

namespace server::tasks {

/// A task inside an archive.
struct TaskFolder
{
    std::string path;         ///< folder with task.json, without '/' at the end; empty: the root
    std::string contribution; ///< "publisher.extension.contribution"; empty: no extension
};

/// The tasks of an archive: those that the manifest of an extension contributes, else every
/// task.json at most two folders deep. Errors: InvalidArgument (no archive, damaged, no task).
schema::Result<std::vector<TaskFolder>> findTaskFolders(const std::filesystem::path &archive);

/// Writes the files below `folder` of the archive as a zip archive of their own and returns the
/// text of its task.json. Errors: InvalidArgument (a path that leaves the archive, a link),
/// LimitExceeded, Io.
schema::Result<std::string> copyTaskFolder(const std::filesystem::path &archive,
                                           const std::string &folder,
                                           const std::filesystem::path &package);

} // namespace server::tasks
