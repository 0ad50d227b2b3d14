#pragma once
/// One file per command: it adds its options to the application and returns its exit status.

#include <functional>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

/// Adds a sub-command to `app`; the callback it installs stores the exit status in `exitCode`.
/// 0: done / positive answer; 1: negative answer (run failed, file invalid); 2: usage or cannot
/// reach/read.
using RegisterCommand = void (*)(CLI::App &app, int &exitCode);

/// Every command, in the order of `slipway --help`. Each is declared and defined in its own file
/// (cli/<name>.cpp) and listed in cli/commands.cpp.
const std::vector<RegisterCommand> &commands();

} // namespace cli
