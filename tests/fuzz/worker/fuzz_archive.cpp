// Archive files: nothing lands outside the target, whatever the archive says.
#include "worker/artifact/archive_file.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    namespace fs = std::filesystem;
    static const fs::path root =
        fs::temp_directory_path() / ("slipway-fuzz-archive-" + std::to_string(::getpid()));
    std::error_code error;
    const auto target = root / "guard" / "target";
    fs::create_directories(target, error);
    const auto file = root / "archive";
    if (!worker::writeFile(file, {reinterpret_cast<const char *>(data), size}))
        return 0;
    worker::ExtractOptions options;
    options.suspicious = 1U << 20U;
    options.entries = 1000;
    static_cast<void>(worker::extractArchive(file, target, options));
    std::size_t beside = 0;
    for (const auto &entry : fs::directory_iterator(root / "guard", error))
        beside += entry.path() == target ? 0 : 1;
    for (const auto &entry : fs::directory_iterator(root, error))
        beside += entry.path() == file || entry.path() == root / "guard" ? 0 : 1;
    if (beside != 0)
        std::abort();
    static_cast<void>(worker::removeTree(root));
    return 0;
}
