#include "cli/client/options.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>

namespace cli {
namespace {

schema::Result<int> signIn(const ClientOptions &options, int minutes)
{
    ASSIGN_OR_RETURN(const ApiClient client, connectServer(options));
    ASSIGN_OR_RETURN(const nlohmann::json link,
                     client.post("/_apis/slipway/signinlinks", {{"expiresInMinutes", minutes}}));
    if (options.json())
        printJson(link);
    else
        std::cout << textOf(link, "url") << '\n';
    return 0;
}

} // namespace

void registerSignIn(CLI::App &app, int &exitCode)
{
    CLI::App *command =
        app.add_subcommand("signin", "Print a one-time link that signs a browser in");
    auto minutes = std::make_shared<int>(15);
    command->add_option("--minutes", *minutes, "How long the link works (15)")
        ->check(CLI::Range(1, 1440))
        ->type_name("N");
    const auto client = addClientOptions(*command);
    command->callback([minutes, client, &exitCode] {
        const auto result = signIn(*client, *minutes);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
