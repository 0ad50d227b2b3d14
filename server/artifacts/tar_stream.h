#pragma once
/// Reading tar streams, plain or compressed with zstd, and turning them into zip archives, on
/// libarchive. Nothing is ever unpacked to the disk here.

#include "schema/base/result.h"
#include "server/artifacts/artifact_store.h"

#include <filesystem>
#include <functional>
#include <string>

namespace server::artifacts {

/// Visits the regular files of a stream in order; the visitor returns false to stop. Errors:
/// InvalidArgument (no such stream, a path that is absolute or leaves the folder, a link or device:
/// only files and folders are taken); LimitExceeded (too many entries); Io.
schema::Status scanTar(const std::filesystem::path &file,
                       const std::function<bool(const ArtifactEntry &)> &visit);

/// Content of one file. Errors: NotFound.
schema::Status extractFile(const std::filesystem::path &file, const std::string &path,
                           const ArtifactStore::Sink &sink);

/// The stream as zip, every path below `folder`. Memory does not grow with its size.
schema::Status tarToZip(const std::filesystem::path &file, const std::string &folder,
                        const ArtifactStore::Sink &sink);

} // namespace server::artifacts
