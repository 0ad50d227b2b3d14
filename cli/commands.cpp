#include "cli/command.h"

namespace cli {

// Declarations of the commands' registration functions; one line per command file.

const std::vector<RegisterCommand> &commands()
{
    static const std::vector<RegisterCommand> all{};
    return all;
}

} // namespace cli
