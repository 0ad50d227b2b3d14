#pragma once
/// One file per command: it adds its options to the application and returns its exit status.

#include <array>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

/// Adds a sub-command to `app`; the callback it installs stores the exit status in `exitCode`.
/// 0: done / positive answer; 1: negative answer (run failed, file invalid); 2: usage or cannot
/// reach/read.
using RegisterCommand = void (*)(CLI::App &app, int &exitCode);

// The commands that need nothing but the language: `slipway` itself holds them.
void registerLanguageServer(CLI::App &app, int &exitCode);
void registerPreview(CLI::App &app, int &exitCode);
void registerValidate(CLI::App &app, int &exitCode);

/// Their names, as written on the command line.
inline constexpr std::array<std::string_view, 3> kLanguageCommands{"validate", "preview",
                                                                   "language-server"};

/// Set for a worker's process, which forks one process per job: the dynamic linker then binds every
/// function at its start instead of again in each of them (ld.so(8)). Any text does; this one tells
/// that it is ours, and it is taken away before a job can see it.
inline constexpr const char *kBindVariable = "LD_BIND_NOW";
inline constexpr const char *kBindValue = "slipway-worker";

/// Every command, in the order of `slipway --help`. Each is declared and defined in its own file
/// (cli/<name>.cpp) and listed in cli/commands.cpp.
const std::vector<RegisterCommand> &commands();

/// Parses the arguments with these commands, runs the one that is meant and returns the exit
/// status of the process.
int runProgram(int argc, char **argv, const std::vector<RegisterCommand> &commands);

} // namespace cli
