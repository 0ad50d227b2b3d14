#include "worker/job/layout.h"

#include "worker/base/text.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace worker {
namespace {

/// A job cannot do anything useful with less.
constexpr std::uint64_t kMinimumFreeBytes = 16ULL << 20U;

Result<UniqueFd> lockFile(const fs::path &path, bool wait)
{
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd)
        return systemError("open the lock file", path, errno);
    while (::flock(fd.get(), LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return {ErrorCode::Conflict, "in use"};
        return systemError("lock", path, errno);
    }
    return fd;
}

} // namespace

Result<Workspace> takeWorkspace(const fs::path &work, const std::string &key,
                                const std::string &jobId)
{
    RETURN_IF_ERROR(makeDirectories(work / "SourceRootMapping"));
    const fs::path mapFile = work / "SourceRootMapping" / "Mappings.json";
    ASSIGN_OR_RETURN(const auto mapLock,
                     lockFile(work / "SourceRootMapping" / "Mappings.lock", true));
    // number -> key. A damaged file only costs incremental builds.
    auto map = nlohmann::ordered_json::parse(readFile(mapFile).value_or("{}"), nullptr, false);
    if (!map.is_object())
        map = nlohmann::ordered_json::object();
    Workspace out;
    int number = 0;
    const auto tryTake = [&](int candidate) -> Result<bool> {
        auto lock =
            lockFile(work / "SourceRootMapping" / (std::to_string(candidate) + ".lock"), false);
        if (!lock && lock.error().code == ErrorCode::Conflict)
            return false;
        if (!lock)
            return std::move(lock).error();
        out.lock = std::move(*lock);
        ::futimens(out.lock.get(), nullptr); // when it was used last
        number = candidate;
        return true;
    };
    int last = 0;
    for (const auto &[name, value] : map.items()) {
        const int candidate =
            name.find_first_not_of("0123456789") == std::string::npos && name.size() < 9
                ? std::stoi(name)
                : 0;
        last = std::max(last, candidate);
        if (number == 0 && candidate > 0 && value.is_string() && value == key) {
            ASSIGN_OR_RETURN(const bool taken, tryTake(candidate));
            static_cast<void>(taken);
        }
    }
    while (number == 0) {
        ASSIGN_OR_RETURN(const bool taken, tryTake(++last));
        if (taken) {
            map[std::to_string(number)] = key;
            RETURN_IF_ERROR(writeFileDurably(mapFile, map.dump(1)));
        }
    }
    JobLayout &layout = out.layout;
    layout.work = work;
    layout.workspace = work / std::to_string(number);
    layout.sources = layout.workspace / "s";
    layout.staging = layout.workspace / "a";
    layout.binaries = layout.workspace / "b";
    layout.testResults = layout.workspace / "TestResults";
    layout.temp = work / "_temp" / jobId;
    layout.tools = work / "_tool";
    return out;
}

Status prepareLayout(const JobLayout &layout, const std::string &clean)
{
    const auto mode = toLower(clean);
    if (mode == "all")
        RETURN_IF_ERROR(removeTree(layout.workspace));
    if (mode == "outputs")
        RETURN_IF_ERROR(removeTree(layout.binaries));
    if (mode == "resources")
        RETURN_IF_ERROR(removeTree(layout.sources));
    for (const auto &folder : {layout.staging, layout.testResults, layout.temp})
        RETURN_IF_ERROR(emptyDirectory(folder));
    for (const auto &folder : {layout.sources, layout.binaries, layout.tools})
        RETURN_IF_ERROR(makeDirectories(folder));
    return {};
}

Status checkDiskSpace(const fs::path &path)
{
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0)
        return systemError("ask for the free space of", path, errno);
    const auto free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    if (free < kMinimumFreeBytes)
        return {ErrorCode::LimitExceeded,
                "no disk space: " + std::to_string(free >> 10U) + " KiB free at '" + path.string() +
                    "'; free some there or move the work folder (--work)"};
    return {};
}

} // namespace worker
