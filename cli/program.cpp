#include "cli/command.h"
#include "pipelines/base/text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <iostream>
#include <string>
#include <vector>

namespace cli {
namespace {

/// What is wrong with the words before the first option; CLI11 would say that a subcommand is
/// missing when one is given that it does not know.
std::string unknownCommand(const CLI::App &app, int argc, char **argv)
{
    const CLI::App *at = &app;
    std::string path = "slipway";
    for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
        std::vector<std::string> names;
        const CLI::App *next = nullptr;
        for (const CLI::App *command : at->get_subcommands([](const CLI::App *) { return true; })) {
            names.push_back(command->get_name());
            if (names.back() == argv[i])
                next = command;
        }
        if (names.empty())
            break;
        if (next == nullptr) {
            const std::string meant = pipelines::nearest(argv[i], names);
            return fmt::format("'{0}' has no command '{1}'{2} ({0} --help lists them)", path,
                               argv[i],
                               meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
        }
        at = next;
        path += ' ';
        path += next->get_name();
    }
    return {};
}

} // namespace

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
    if (const std::string problem = unknownCommand(app, argc, argv); !problem.empty()) {
        std::cerr << "slipway: " << problem << '\n';
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return exitCode;
}

} // namespace cli
