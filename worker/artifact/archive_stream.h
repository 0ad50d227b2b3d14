#pragma once
/// Artifacts on the wire: a tar stream, compressed with zstd or plain, made and read without a copy
/// on disk.
/// Mode bits are kept; links are followed; nothing ever lands outside the target folder.

#include "worker/sink/job_sink.h"

#include <cstdint>
#include <functional>
#include <iosfwd>

namespace worker {

enum class Packing : std::uint8_t { Plain, Zstd };

/// Streams a file, or the contents of a folder. `.artifactignore` at the root of a folder
/// (gitignore syntax) chooses; without it `.git` folders are left out (worker-and-tasks 10.4).
/// Errors: NotFound, Io, LimitExceeded.
Result<ArtifactInfo> packArtifact(const fs::path &path, std::ostream &out, Packing packing);

/// Unpacks either into `target`. Errors: InvalidArgument (broken stream, a path that leaves the
/// target), Io, LimitExceeded (no disk space).
Result<ArtifactInfo> unpackArtifact(std::istream &in, const fs::path &target,
                                    const std::function<bool(const std::string &path)> &wanted);

/// True when the name is one an artifact may have (worker-and-tasks 10.4).
bool isArtifactName(std::string_view name);

} // namespace worker
