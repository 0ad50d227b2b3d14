// Test result files of every format.
#include "worker/results/test_results.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size == 0)
        return 0;
    const auto format = static_cast<worker::TestFormat>(data[0] % 5);
    const std::string_view text(reinterpret_cast<const char *>(data + 1), size - 1);
    if (const auto results = worker::readTestResults(format, text)) {
        for (const auto &result : *results) {
            if (result.outcome.empty() || result.durationMs < 0)
                std::abort();
        }
    }
    return 0;
}
