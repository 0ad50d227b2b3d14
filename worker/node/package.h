#pragma once
/// Task packages as files: a zip archive whose root holds `task.json`.

#include "worker/base/files.h"

#include <string>

namespace worker {

/// SHA-256 of a file, lower-case hex. Errors: NotFound, Io.
Result<std::string> sha256OfFile(const fs::path &file);

/// Writes the contents of `folder` as a zip archive. Links are followed; `.git` is left out.
/// Errors: NotFound, Io, LimitExceeded.
Status packFolder(const fs::path &folder, const fs::path &zip);

/// Unpacks a zip archive into `folder` (made when missing). Nothing is written outside of it and
/// not more than a package may hold. Errors: InvalidArgument (damaged, a path that leaves the
/// folder), LimitExceeded, Io.
Status unpackPackage(const fs::path &zip, const fs::path &folder);

} // namespace worker
