// slipway job: retry or cancel one job of a run.
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
using schema::ErrorCode;

struct JobOptions
{
    std::string action; ///< as the API calls it
    std::string run, job;
};

/// Id of the job of that id, identifier or shown name, among those that did not succeed.
schema::Result<std::string> findJob(const Connection &server, std::int64_t run,
                                    const std::string &text)
{
    ASSIGN_OR_RETURN(
        const json explained,
        server.client.get(fmt::format("/{}/_apis/slipway/runs/{}/explain", server.project, run)));
    std::string found;
    std::string names;
    for (const json &job : memberOf(explained, "jobs")) {
        const std::string name = textOf(job, "identifier");
        names += (names.empty() ? "" : ", ") + name;
        if (text != textOf(job, "id") && text != name && text != textOf(job, "name"))
            continue;
        if (!found.empty())
            return {
                ErrorCode::InvalidArgument,
                fmt::format("several jobs are named '{}'; use the identifier, STAGE.JOB", text)};
        found = textOf(job, "id");
    }
    if (found.empty())
        return {ErrorCode::NotFound,
                fmt::format("run {} has no job '{}' that did not succeed{}{}", run, text,
                            names.empty() ? "" : "; there are: ", names)};
    return found;
}

schema::Result<int> change(const ClientOptions &client, const JobOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    ASSIGN_OR_RETURN(const std::string job, findJob(server, run, options.job));
    ASSIGN_OR_RETURN(const json answer,
                     server.client.patch(
                         fmt::format("/{}/_apis/slipway/runs/{}/jobs/{}", server.project, run, job),
                         {{"state", options.action}}));
    if (client.json())
        printJson({{"run", run}, {"job", job}, {"action", options.action}});
    else
        std::cout << fmt::format("{}: job {} of run {}\n", options.action, options.job, run);
    return 0;
}

void addAction(CLI::App &job, const char *name, const char *help, int &exitCode)
{
    CLI::App *command = job.add_subcommand(name, help);
    auto options = std::make_shared<JobOptions>();
    options->action = name;
    command->add_option("run", options->run, "The run's id or number, or 'latest'")
        ->required()
        ->type_name("RUN");
    command->add_option("job", options->job, "Its identifier (STAGE.JOB), id or shown name")
        ->required()
        ->type_name("JOB");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = change(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace

void registerJob(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand("job", "Retry or cancel one job of a run");
    command->require_subcommand(1);
    addAction(*command, "retry", "Run a failed job again, also while its stage goes on", exitCode);
    addAction(*command, "cancel", "End a job; the rest of its stage goes on", exitCode);
}

} // namespace cli
