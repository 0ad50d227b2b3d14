#pragma once
/// A control group for one job: what its processes may use of memory, processes and processors.
/// Works with version 1 (each controller in its own tree) and version 2 of the kernel's interface.

#include "worker/base/files.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace worker {

/// 0: no limit.
struct ResourceLimits
{
    std::uint64_t memoryBytes = 0;
    std::uint32_t processes = 0;
    std::uint32_t cpuPercent = 0; ///< 100: one processor

    [[nodiscard]] bool any() const { return memoryBytes > 0 || processes > 0 || cpuPercent > 0; }
};

class JobCgroup
{
public:
    /// Makes the group `name` below that of this process and moves this process into it; what it
    /// starts from now on belongs to the group. Errors: Unavailable with the reason and a remedy
    /// when the kernel does not let this process do it; nothing is left behind then.
    static Result<std::unique_ptr<JobCgroup>> enter(const std::string &name,
                                                    const ResourceLimits &limits);
    /// Moves whatever is still in the group back to where it came from and removes the group.
    ~JobCgroup();
    JobCgroup(const JobCgroup &) = delete;
    JobCgroup &operator=(const JobCgroup &) = delete;

    /// Processes that the kernel killed because the group's memory was used up.
    [[nodiscard]] std::uint64_t memoryKills() const;
    /// Most memory that the group has used, bytes; 0 when the kernel does not say.
    [[nodiscard]] std::uint64_t peakBytes() const;

private:
    JobCgroup() = default;

    struct Place
    {
        fs::path parent, group;
    };

    std::vector<Place> m_places;
    fs::path m_memory; ///< the group in the tree of the memory controller; empty: none
    bool m_version2 = false;
};

/// Prepares version 2 for enter(): the controllers of this process's group are given to groups
/// below it, which needs that no process is in it directly. Does nothing with version 1 or without
/// permission. Called once, before the first job.
void delegateCgroups();

/// Removes empty groups that jobs of killed processes left.
void removeLeftCgroups();

} // namespace worker
