// slipway job: retry or cancel one job of a run.
#include "cli/client/lookup.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

struct JobOptions
{
    std::string action; ///< as the API calls it
    std::string run, job;
};

/// Id of the job that is called like this, among those that did not succeed.
schema::Result<std::string> findJob(const Connection &server, std::int64_t run,
                                    const std::string &text)
{
    ASSIGN_OR_RETURN(
        const json explained,
        server.client.get(fmt::format("/{}/_apis/slipway/runs/{}/explain", server.project, run)));
    std::vector<std::string> whole, partly, names;
    for (const json &job : memberOf(explained, "jobs")) {
        names.push_back(shownIdentifier(textOf(job, "identifier")));
        if (text == names.back())
            whole.push_back(textOf(job, "id"));
        else if (isCalled(job, text))
            partly.push_back(textOf(job, "id"));
    }
    const auto &found = whole.empty() ? partly : whole;
    if (found.size() == 1)
        return found.front();
    if (!found.empty())
        return {ErrorCode::InvalidArgument,
                fmt::format("several jobs are named '{}'; use the identifier, STAGE.JOB: {}", text,
                            fmt::join(names, ", "))};
    return {
        ErrorCode::NotFound,
        fmt::format("run {} has no job '{}' that did not succeed; there {}", run, text,
                    names.empty() ? "are none" : fmt::format("are: {}", fmt::join(names, ", ")))};
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
