// Lines of output: parsing never fails otherwise than by an error value.
#include "worker/command/logging_command.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view line(reinterpret_cast<const char *>(data), size);
    const auto command = worker::parseLoggingCommand(line);
    if (command.has_value() != (line.find("##vso[") != std::string_view::npos))
        std::abort();
    if (command && *command && ((*command)->area.empty() || (*command)->action.empty()))
        std::abort();
    return 0;
}
