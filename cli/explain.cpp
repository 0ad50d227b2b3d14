// slipway explain: why a run or one of its jobs is where it is.
#include "cli/client/lookup.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <strings.h>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

struct ExplainOptions
{
    std::string run, job;
};

bool isSame(const std::string &a, const std::string &b)
{
    return strcasecmp(a.c_str(), b.c_str()) == 0;
}

/// Whether an entry of the answer speaks of a job or stage that people name like this.
bool isAbout(const json &entry, const std::string &name)
{
    for (const char *key : {"id", "identifier", "name", "job", "stage"}) {
        if (isSame(textOf(entry, key), name))
            return true;
    }
    return false;
}

json filtered(const json &list, const std::string &name)
{
    json found = json::array();
    for (const json &entry : list) {
        if (name.empty() || isAbout(entry, name))
            found.push_back(entry);
    }
    return found;
}

schema::Result<int> explain(const ClientOptions &client, const ExplainOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    ASSIGN_OR_RETURN(json answer, server.client.get(fmt::format("/{}/_apis/slipway/runs/{}/explain",
                                                                server.project, run)));
    answer["waiting"] = filtered(memberOf(answer, "waiting"), options.job);
    answer["jobs"] = filtered(memberOf(answer, "jobs"), options.job);
    if (!options.job.empty() && answer["waiting"].empty() && answer["jobs"].empty())
        return {ErrorCode::NotFound,
                fmt::format("no job or stage '{}' of run {} waits, runs or failed; "
                            "'slipway explain {}' lists those that do",
                            options.job, run, options.run)};
    if (client.json()) {
        printJson(answer);
        return 0;
    }
    std::cout << textOf(answer, "sentence") << '\n';
    for (const json &entry : answer["waiting"])
        std::cout << "- " << textOf(entry, "sentence") << '\n';
    for (const json &entry : answer["jobs"]) {
        // Jobs that wait for a worker stand in the list above, with more to say.
        if (textOf(entry, "state") != "queued")
            std::cout << "- " << textOf(entry, "sentence") << '\n';
    }
    return 0;
}

} // namespace

void registerExplain(CLI::App &app, int &exitCode)
{
    CLI::App *command =
        app.add_subcommand("explain", "Why a run, or one job or stage of it, is where it is");
    auto options = std::make_shared<ExplainOptions>();
    command->add_option("run", options->run, "The run's id or number, or 'latest'")
        ->required()
        ->type_name("RUN");
    command->add_option("job", options->job, "Only this job (name, identifier or id) or stage")
        ->type_name("JOB");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = explain(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
