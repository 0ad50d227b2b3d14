#pragma once
/// Keeps the work folder below its quota: what was not used for longest goes first.

#include "worker/base/files.h"

#include <cstdint>
#include <functional>
#include <string>

namespace worker {

/// Deletes workspaces (`<work>/<n>`), versions of packaged tasks and tools, each as a whole, least
/// recently used first, until the work folder holds at most `quota` bytes. Workspaces that a job
/// uses (also this one's, by its lock) stay. `say` gets one line per deleted folder. Errors: Io,
/// LimitExceeded when nothing more may go and it is still too much.
Status enforceDiskQuota(const fs::path &work, std::uint64_t quota,
                        const std::function<void(const std::string &line)> &say);

/// As enforceDiskQuota, and leaves a mark in the work folder while it is over its quota, which
/// roomForJob() sees. A quota of 0: there is none.
Status keepDiskQuota(const fs::path &work, std::uint64_t quota,
                     const std::function<void(const std::string &line)> &say);

/// Whether another job may begin in the work folder. Cheap: asks for the free space and for the
/// mark of keepDiskQuota(). Errors: LimitExceeded with the sentence for people.
Status roomForJob(const fs::path &work);
/// True while the mark of keepDiskQuota() stands.
bool isOverQuota(const fs::path &work);

/// Bytes that a tree takes on disk; links are not followed.
std::uint64_t diskUsage(const fs::path &path);

/// "512K", "20M", "8G", "1T" or plain bytes. Errors: InvalidArgument.
Result<std::uint64_t> parseSize(const std::string &text);
/// "1.5 GiB"
std::string sizeText(std::uint64_t bytes);

} // namespace worker
