#include "cli/client/follow.h"
#include "cli/client/lookup.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

namespace cli {
namespace {

using nlohmann::json;

struct LogsOptions
{
    std::string run = "latest";
    std::string job;
    bool follow = false;
};

schema::Result<int> logs(const ClientOptions &client, const LogsOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t id, findRun(server, options.run));
    LogPrinter printer(server, id, options.job);
    json run;
    if (options.follow) {
        ASSIGN_OR_RETURN(run, followRun(server, id, [&](const json &now, std::int64_t logId) {
                             return client.json() ? schema::Status() : printer.update(now, logId);
                         }));
    } else {
        ASSIGN_OR_RETURN(run, runDetail(server, id));
        if (!client.json())
            RETURN_IF_ERROR(printer.update(run));
    }
    if (client.json())
        printJson(memberOf(run, "records"));
    else if (!options.job.empty() && !printer.found())
        return {schema::ErrorCode::NotFound, fmt::format("run {} has no log of a job '{}' (so far)",
                                                         textOf(run, "number"), options.job)};
    if (options.follow && !client.json())
        std::cout << fmt::format("== run {}: {}\n", textOf(run, "number"), textOf(run, "sentence"));
    // Without --follow the logs were what was asked for, however the run ended.
    return options.follow ? exitCodeOf(run) : 0;
}

} // namespace

void registerLogs(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand("logs", "Print the logs of a run");
    auto options = std::make_shared<LogsOptions>();
    command->add_option("run", options->run, "The run's id or number, or 'latest' (the default)")
        ->type_name("RUN");
    command->add_flag("-f,--follow", options->follow,
                      "Go on until the run is completed; exit status 1 if it failed");
    command->add_option("--job", options->job, "Only this job")->type_name("NAME");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = logs(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
