#include "worker/job/disk_quota.h"

#include "worker/job/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <vector>

namespace worker {
namespace {

/// Stands in the work folder while it holds more than it may, with the sentence that says so.
constexpr const char *kOverQuota = ".over-quota";

struct Candidate
{
    fs::path path;
    fs::path lock; ///< held by a job that uses it; empty: nothing to ask
    std::int64_t lastUsed = 0;
    std::uint64_t bytes = 0;
};

std::int64_t modifiedAt(const fs::path &path)
{
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0
               ? info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec
               : 0;
}

template <typename Visit> void forEachFolder(const fs::path &parent, const Visit &visit)
{
    std::error_code error;
    for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
        if (it->is_directory(error) && !it->is_symlink(error))
            visit(it->path());
    }
}

std::vector<Candidate> candidates(const fs::path &work)
{
    std::vector<Candidate> out;
    forEachFolder(work, [&](const fs::path &folder) {
        const auto name = folder.filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos)
            return;
        const fs::path lock = work / "SourceRootMapping" / (name + ".lock");
        out.push_back({folder, lock, modifiedAt(lock), 0});
    });
    // <work>/_tasks/<name>/<version> with <version>.completed beside it, touched at each use.
    forEachFolder(work / "_tasks", [&](const fs::path &task) {
        forEachFolder(task, [&](const fs::path &version) {
            out.push_back({version, {}, modifiedAt(version.string() + ".completed"), 0});
        });
    });
    // <work>/_tool/<name>/<version>
    forEachFolder(work / "_tool", [&](const fs::path &tool) {
        forEachFolder(tool, [&](const fs::path &version) {
            out.push_back({version, {}, modifiedAt(version), 0});
        });
    });
    for (auto &candidate : out)
        candidate.bytes = diskUsage(candidate.path);
    std::sort(out.begin(), out.end(),
              [](const Candidate &a, const Candidate &b) { return a.lastUsed < b.lastUsed; });
    return out;
}

} // namespace

std::uint64_t diskUsage(const fs::path &path)
{
    std::uint64_t bytes = 0;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(
             path, fs::directory_options::skip_permission_denied, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        struct stat info{};
        if (::lstat(it->path().c_str(), &info) == 0)
            bytes += static_cast<std::uint64_t>(info.st_blocks) * 512U;
    }
    return bytes;
}

Status enforceDiskQuota(const fs::path &work, std::uint64_t quota,
                        const std::function<void(const std::string &line)> &say)
{
    std::uint64_t used = diskUsage(work);
    if (used <= quota)
        return {};
    for (const auto &candidate : candidates(work)) {
        if (used <= quota)
            break;
        UniqueFd lock;
        if (!candidate.lock.empty()) {
            lock.reset(::open(candidate.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
            if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
                continue; // a job uses it
        } else {
            // The mark goes first: a folder that is half deleted must not look complete.
            std::error_code ignored;
            fs::remove(candidate.path.string() + ".completed", ignored);
            fs::remove(candidate.path / "x64.complete", ignored);
        }
        if (auto status = removeTree(candidate.path); !status) {
            say(status.error().message);
            continue;
        }
        used -= std::min(used, candidate.bytes);
        say(fmt::format("Deleted {} ({}), which was not used for longest: the work folder is over "
                        "its quota of {}",
                        candidate.path.string(), sizeText(candidate.bytes), sizeText(quota)));
    }
    if (used > quota)
        return {ErrorCode::LimitExceeded,
                fmt::format("the work folder {} holds {}, more than its quota of {}, and all of it "
                            "is in use; raise --disk-quota or lower --slots",
                            work.string(), sizeText(used), sizeText(quota))};
    return {};
}

Status keepDiskQuota(const fs::path &work, std::uint64_t quota,
                     const std::function<void(const std::string &line)> &say)
{
    Status status = quota == 0 ? Status() : enforceDiskQuota(work, quota, say);
    if (!status)
        RETURN_IF_ERROR(writeFile(work / kOverQuota, status.error().message));
    std::error_code error;
    if (status && !fs::remove(work / kOverQuota, error) && error)
        return systemError("remove", work / kOverQuota, error.value());
    return status;
}

bool isOverQuota(const fs::path &work)
{
    std::error_code error;
    return fs::exists(work / kOverQuota, error);
}

Status roomForJob(const fs::path &work)
{
    RETURN_IF_ERROR(checkDiskSpace(work));
    if (!isOverQuota(work))
        return {};
    auto why = readFile(work / kOverQuota, 4096);
    return {ErrorCode::LimitExceeded, why && !why->empty()
                                          ? std::move(*why)
                                          : "the work folder is over its quota; see --disk-quota"};
}

Result<std::uint64_t> parseSize(const std::string &text)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    std::string unit(end, text.data() + text.size());
    static constexpr std::string_view kUnits = "KMGT";
    unsigned shift = 0;
    if (unit.ends_with("iB"))
        unit.resize(unit.size() - 2);
    if (unit.size() == 1) {
        const auto at = kUnits.find(static_cast<char>(unit[0] & ~0x20));
        if (at != std::string_view::npos) {
            shift = static_cast<unsigned>(at + 1) * 10;
            unit.clear();
        }
    }
    if (error != std::errc() || !unit.empty() || value > (UINT64_MAX >> shift))
        return {ErrorCode::InvalidArgument,
                "'" + text + "' is no size: write 512M, 8G, 1T or a number of bytes"};
    return value << shift;
}

std::string sizeText(std::uint64_t bytes)
{
    static constexpr std::array<const char *, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kNames.size()) {
        value /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

} // namespace worker
