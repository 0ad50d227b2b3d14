// Coverage files.
#include "worker/results/coverage.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    if (const auto coverage = worker::readCoverage(text)) {
        for (const auto &one : coverage->statistics) {
            if (one.label.empty() || one.covered < 0 || one.total < one.covered)
                std::abort();
        }
    }
    return 0;
}
