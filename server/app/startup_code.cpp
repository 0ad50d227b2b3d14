#include "server/app/startup_code.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace server::app {

void dropStartupCode()
{
    const auto drop = [](dl_phdr_info *object, std::size_t, void *) {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        for (int i = 0; i < object->dlpi_phnum; ++i) {
            const auto &segment = object->dlpi_phdr[i];
            if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 ||
                (segment.p_flags & PF_W) != 0)
                continue;
            const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
            const std::uintptr_t first = begin / page * page;
            // What the kernel refuses (its own page of code) stays.
            (void)::madvise(std::bit_cast<void *>(first), begin + segment.p_memsz - first,
                            MADV_DONTNEED);
        }
        return 0;
    };
    ::dl_iterate_phdr(drop, nullptr);
}

} // namespace server::app
