#include "cli/command.h"

#include <CLI/CLI.hpp>

namespace cli {

int runProgram(int argc, char **argv, const std::vector<RegisterCommand> &commands)
{
    CLI::App app{"Slipway: runs azure-pipelines.yml on your own machines and knows what runs where",
                 // Not the path it was started by: help is read by people and compared by scripts.
                 "slipway"};
    app.set_version_flag("--version", SLIPWAY_VERSION);
    app.require_subcommand(1);
    int exitCode = 0;
    for (const auto registerCommand : commands)
        registerCommand(app, exitCode);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return exitCode;
}

} // namespace cli
