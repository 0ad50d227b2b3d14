// slipway stage: start, retry or cancel one stage of a run.
#include "cli/client/lookup.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>

namespace cli {
namespace {

using nlohmann::json;

struct StageOptions
{
    std::string action; ///< as the API calls it
    std::string run, stage;
    bool allJobs = false;
};

schema::Result<int> change(const ClientOptions &client, const StageOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    json body{{"state", options.action}};
    if (options.allJobs)
        body["forceRetryAllJobs"] = true;
    ASSIGN_OR_RETURN(
        const json answer,
        server.client.patch(fmt::format("/{}/_apis/build/builds/{}/stages/{}?api-version=7.1",
                                        server.project, run, urlEncoded(options.stage)),
                            body));
    if (client.json())
        printJson({{"run", run}, {"stage", options.stage}, {"action", options.action}});
    else
        std::cout << fmt::format("{}: stage {} of run {}\n", options.action, options.stage, run);
    return 0;
}

void addAction(CLI::App &stage, const char *name, const char *action, const char *help,
               int &exitCode)
{
    CLI::App *command = stage.add_subcommand(name, help);
    auto options = std::make_shared<StageOptions>();
    options->action = action;
    command->add_option("run", options->run, "The run's id or number, or 'latest'")
        ->required()
        ->type_name("RUN");
    command->add_option("stage", options->stage, "The stage's name in the YAML")
        ->required()
        ->type_name("STAGE");
    if (options->action == "retry")
        command->add_flag("--all-jobs", options->allJobs, "Also the jobs that succeeded");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = change(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace

void registerStage(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand("stage", "Start, retry or cancel one stage of a run");
    command->require_subcommand(1);
    addAction(*command, "start", "run", "Start a stage that waits for it (trigger: manual)",
              exitCode);
    addAction(*command, "retry", "retry", "Run a completed stage again, with what depends on it",
              exitCode);
    addAction(*command, "cancel", "cancel", "End a stage; the rest of the run goes on", exitCode);
}

} // namespace cli
