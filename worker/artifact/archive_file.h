#pragma once
/// Archive files (zip, tar with any usual compression, 7z) of the archive tasks. Nothing lands
/// outside the target folder, and nothing unpacks without bound.

#include "worker/base/files.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace worker {

struct ExtractOptions
{
    bool overwrite = false; ///< else files that exist are kept, and counted
    /// Larger archives in sum are refused as bombs when they also grew by more than `growth`.
    std::uint64_t suspicious = 1ULL << 30U;
    std::uint64_t growth = 250;
    std::uint64_t entries = 1'000'000;
    /// Called between entries; true ends with Canceled.
    std::function<bool()> canceled;
};

struct ExtractCount
{
    std::uint64_t files = 0, bytes = 0, kept = 0;
};

/// Unpacks `file` into the existing folder `target`. Errors: InvalidArgument naming the entry (a
/// path or link that leaves the target, device files, a damaged or encrypted archive),
/// LimitExceeded (bomb, disk full), Io, Canceled.
Result<ExtractCount> extractArchive(const fs::path &file, const fs::path &target,
                                    const ExtractOptions &options = {});

struct ArchiveFormat
{
    std::string_view type;        ///< "zip", "tar", "7z"
    std::string_view compression; ///< of tar: "gz", "bz2", "xz", "none"; of 7z: "0" to "9"
};

/// Writes `entry` (a name below `directory`; "." for its whole content) to `file`. Links are kept
/// as links. Errors: InvalidArgument (format), NotFound, Io. `visit(path)` sees every entry.
Status createArchive(const fs::path &file, const ArchiveFormat &format, const fs::path &directory,
                     const std::string &entry,
                     const std::function<void(const std::string &path)> &visit);

} // namespace worker
