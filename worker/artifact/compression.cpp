#include "worker/artifact/compression.h"

#include "worker/artifact/artifact_ignore.h"

#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace worker {
namespace {

constexpr std::uint64_t kSmall = 4U << 20U;
constexpr std::size_t kMostFiles = 4096;
constexpr std::size_t kSamples = 32;
constexpr std::size_t kSample = 64U << 10U;

struct File
{
    fs::path path;
    std::uint64_t size = 0;
};

/// Those that are published; empty when there are too many.
std::vector<File> filesOf(const fs::path &path)
{
    std::error_code error;
    if (fs::is_regular_file(path, error))
        return {{path, fs::file_size(path, error)}};
    const ArtifactIgnore ignore(path);
    std::vector<File> files;
    for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
        if (ignore.excludes(it->path().lexically_relative(path).string())) {
            it.disable_recursion_pending();
            continue;
        }
        std::error_code ignored; // one that vanished counts as empty
        if (!it->is_regular_file(ignored))
            continue;
        if (files.size() == kMostFiles)
            return {};
        const auto size = it->file_size(ignored);
        files.push_back({it->path(), ignored ? 0 : size});
    }
    return files;
}

/// Bytes of the sample that begins at `offset`, before and after; nothing of what cannot be read.
std::pair<std::uint64_t, std::uint64_t> compress(const File &file, std::uint64_t offset,
                                                 std::vector<char> &in, std::vector<char> &out)
{
    const UniqueFd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const ssize_t got =
        fd ? ::pread(fd.get(), in.data(), in.size(), static_cast<off_t>(offset)) : 0;
    if (got <= 0)
        return {};
    const auto size = static_cast<std::size_t>(got);
    const std::size_t packed = ZSTD_compress(out.data(), out.size(), in.data(), size, 1);
    return {size, ZSTD_isError(packed) != 0 ? size : std::min(packed, size)};
}

} // namespace

bool isWorthCompressing(const fs::path &path)
{
    const std::vector<File> files = filesOf(path);
    std::uint64_t total = 0;
    for (const File &file : files)
        total += file.size;
    if (total < kSmall)
        return true;
    std::vector<char> in(kSample);
    std::vector<char> out(ZSTD_compressBound(kSample));
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::uint64_t next = 0; // position of the next sample in all files together
    std::uint64_t begin = 0;
    for (const File &file : files) {
        for (; next < begin + file.size; next += total / kSamples) {
            const auto [raw, packed] = compress(file, next - begin, in, out);
            before += raw;
            after += packed;
        }
        begin += file.size;
    }
    return after <= before - before / 20;
}

} // namespace worker
