#include "worker/base/memory.h"

#include "worker/base/files.h"
#include "worker/base/text.h"

#include <charconv>
#include <cstdint>
#include <sys/mman.h>

namespace worker {

void releaseStartupCode()
{
    const auto maps = readFile("/proc/self/maps", 4U << 20U);
    if (!maps)
        return;
    for (const auto &line : lines(*maps)) {
        // "start-end r-xp offset device inode path": only executable, file-backed, never written.
        const auto fields = listEntries(line, " ");
        if (fields.size() < 6 || fields[1] != "r-xp" || fields[4] == "0")
            continue;
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        const char *last = fields[0].data() + fields[0].size();
        const auto first = std::from_chars(fields[0].data(), last, start, 16);
        if (first.ec != std::errc() || first.ptr == last ||
            std::from_chars(first.ptr + 1, last, end, 16).ec != std::errc())
            continue;
        ::madvise(reinterpret_cast<void *>(start),
                  end - start, // NOLINT: an address is a number here
                  MADV_DONTNEED);
    }
}

} // namespace worker
