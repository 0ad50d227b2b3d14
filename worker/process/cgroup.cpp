#include "worker/process/cgroup.h"

#include "worker/base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace worker {
namespace {

constexpr const char *kPrefix = "slipway-";
/// The group that version 2 keeps the worker's own processes in.
constexpr const char *kOwnGroup = "slipway-worker";
constexpr int kPeriodMicroseconds = 100'000;

struct Tree
{
    fs::path own; ///< this process's group
    bool version2 = false;
};

/// Kernel files take their value in one write.
bool put(const fs::path &file, const std::string &value)
{
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return fd &&
           ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::vector<std::string> words(const fs::path &file, std::string_view separators)
{
    const auto text = readFile(file, 1U << 20U);
    return text ? listEntries(*text, separators) : std::vector<std::string>();
}

/// Where a file system of the given type, with the controller among its options, is mounted.
fs::path mountOf(std::string_view type, std::string_view controller)
{
    for (const auto &line : words("/proc/self/mounts", "\n")) {
        const auto fields = listEntries(line, " ");
        if (fields.size() < 4 || fields[2] != type)
            continue;
        const auto options = listEntries(fields[3], ",");
        if (controller.empty() ||
            std::find(options.begin(), options.end(), controller) != options.end())
            return fields[1];
    }
    return {};
}

/// This process's group in the tree of a controller; empty when there is none.
Tree treeOf(std::string_view controller)
{
    std::string unified;
    for (const auto &line : words("/proc/self/cgroup", "\n")) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (second == std::string::npos)
            continue;
        const auto names = listEntries(line.substr(first + 1, second - first - 1), ",");
        const auto path = line.substr(second + 1);
        if (names.empty())
            unified = path;
        else if (std::find(names.begin(), names.end(), controller) != names.end()) {
            const auto mount = mountOf("cgroup", controller);
            return mount.empty() ? Tree{} : Tree{mount / fs::path(path).relative_path(), false};
        }
    }
    const auto mount = mountOf("cgroup2", {});
    if (mount.empty() || unified.empty())
        return {};
    fs::path own = (mount / fs::path(unified).relative_path()).lexically_normal();
    if (own.filename().empty())
        own = own.parent_path();
    if (own.filename() == kOwnGroup)
        own = own.parent_path(); // delegateCgroups() has moved us aside
    const auto given = words(own / "cgroup.subtree_control", " \n");
    return std::find(given.begin(), given.end(), controller) == given.end() ? Tree{}
                                                                            : Tree{own, true};
}

schema::Error refused(std::string_view what)
{
    return {ErrorCode::Unavailable,
            "the limit of " + std::string(what) +
                " cannot be set: the kernel does not let this worker make control groups; run it "
                "as a systemd service with Delegate=yes (slipway worker doctor tells more)"};
}

/// The value of "key value" in a file of such lines.
std::uint64_t keyed(const fs::path &file, std::string_view key)
{
    for (const auto &line : words(file, "\n")) {
        const auto fields = listEntries(line, " ");
        if (fields.size() == 2 && fields[0] == key)
            return std::strtoull(fields[1].c_str(), nullptr, 10);
    }
    return 0;
}

} // namespace

Result<std::unique_ptr<JobCgroup>> JobCgroup::enter(const std::string &name,
                                                    const ResourceLimits &limits)
{
    std::unique_ptr<JobCgroup> out(new JobCgroup);
    const auto group = [&](std::string_view controller) -> fs::path {
        const auto tree = treeOf(controller);
        if (tree.own.empty())
            return {};
        out->m_version2 |= tree.version2;
        const fs::path path = tree.own / (kPrefix + name);
        const auto known =
            std::find_if(out->m_places.begin(), out->m_places.end(),
                         [&path](const Place &place) { return place.group == path; });
        if (known != out->m_places.end())
            return path;
        std::error_code error;
        fs::create_directory(path, error);
        if (error)
            return {};
        out->m_places.push_back({tree.version2 ? tree.own / kOwnGroup : tree.own, path});
        return path;
    };
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    if (limits.memoryBytes > 0) {
        const auto path = group("memory");
        if (path.empty() || !put(path / (out->m_version2 ? "memory.max" : "memory.limit_in_bytes"),
                                 number(limits.memoryBytes)))
            return refused("memory");
        out->m_memory = path;
        // Swapping instead of an end would only make the job slow; not every kernel counts it.
        if (out->m_version2)
            put(path / "memory.swap.max", "0");
        else
            put(path / "memory.memsw.limit_in_bytes", number(limits.memoryBytes));
    }
    if (limits.processes > 0) {
        const auto path = group("pids");
        if (path.empty() || !put(path / "pids.max", number(limits.processes)))
            return refused("processes");
    }
    if (limits.cpuPercent > 0) {
        const auto path = group("cpu");
        const auto quota = std::to_string(static_cast<std::uint64_t>(limits.cpuPercent) *
                                          kPeriodMicroseconds / 100);
        const bool set =
            !path.empty() &&
            (out->m_version2
                 ? put(path / "cpu.max", quota + " " + std::to_string(kPeriodMicroseconds))
                 : put(path / "cpu.cfs_period_us", std::to_string(kPeriodMicroseconds)) &&
                       put(path / "cpu.cfs_quota_us", quota));
        if (!set)
            return refused("processor time");
    }
    for (const auto &place : out->m_places) {
        if (!put(place.group / "cgroup.procs", std::to_string(::getpid())))
            return refused("resources");
    }
    return out;
}

JobCgroup::~JobCgroup()
{
    for (const auto &place : m_places) {
        const auto target = place.parent / "cgroup.procs";
        for (int round = 0; round < 5; ++round) {
            const auto left = words(place.group / "cgroup.procs", "\n");
            for (const auto &pid : left)
                put(target, pid);
            if (left.empty() || ::rmdir(place.group.c_str()) == 0)
                break;
        }
        ::rmdir(place.group.c_str());
    }
}

std::uint64_t JobCgroup::memoryKills() const
{
    if (m_memory.empty())
        return 0;
    return keyed(m_memory / (m_version2 ? "memory.events" : "memory.oom_control"), "oom_kill");
}

std::uint64_t JobCgroup::peakBytes() const
{
    if (m_memory.empty())
        return 0;
    const auto text =
        readFile(m_memory / (m_version2 ? "memory.peak" : "memory.max_usage_in_bytes"), 64);
    return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

void delegateCgroups()
{
    const auto mount = mountOf("cgroup2", {});
    if (mount.empty())
        return;
    for (const auto &line : words("/proc/self/cgroup", "\n")) {
        if (!line.starts_with("0::/"))
            continue;
        const fs::path own = mount / fs::path(line.substr(3)).relative_path();
        if (own == mount || own.filename() == kOwnGroup || own.filename().empty())
            return; // not ours to change, or done
        std::error_code error;
        fs::create_directory(own / kOwnGroup, error);
        if (error || !put(own / kOwnGroup / "cgroup.procs", std::to_string(::getpid())))
            return;
        // One at a time: some of them may not be there.
        for (const char *controller : {"+memory", "+pids", "+cpu"})
            put(own / "cgroup.subtree_control", controller);
        return;
    }
}

void removeLeftCgroups()
{
    for (const char *controller : {"memory", "pids", "cpu"}) {
        const auto tree = treeOf(controller);
        std::error_code error;
        if (tree.own.empty())
            continue;
        for (fs::directory_iterator it(tree.own, error), end; !error && it != end;
             it.increment(error)) {
            const auto name = it->path().filename().string();
            if (name.starts_with(kPrefix) && name != kOwnGroup)
                ::rmdir(it->path().c_str()); // refused while a process is in it
        }
    }
}

} // namespace worker
