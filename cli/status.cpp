#include "cli/client/diagnostic_line.h"
#include "cli/client/lookup.h"
#include "cli/client/text_table.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;

struct StatusOptions
{
    std::string run;
    int top = 20;
};

std::string stateOf(const json &thing)
{
    std::string result = textOf(thing, "result");
    if (!result.empty() && result != "none")
        return result;
    std::string state = textOf(thing, "status");
    return state.empty() ? textOf(thing, "state") : state;
}

schema::Result<int> list(const ClientOptions &client, const Connection &server, int top)
{
    ASSIGN_OR_RETURN(const json answer, server.client.get(fmt::format(
                                            "/{}/_apis/slipway/runs?top={}", server.project, top)));
    const json &runs = memberOf(answer, "value");
    if (client.json()) {
        printJson(runs);
        return 0;
    }
    std::vector<TableRow> rows{
        {"ID", "RUN", "PIPELINE", "STATE", "BRANCH", "COMMIT", "WHAT IT DOES"}};
    for (const json &run : runs) {
        std::string branch = textOf(run, "branch");
        if (branch.starts_with("refs/heads/"))
            branch.erase(0, 11);
        rows.push_back({std::to_string(numberOf(run, "id")), textOf(run, "number"),
                        textOf(memberOf(run, "pipeline"), "name"), stateOf(run), branch,
                        textOf(run, "version").substr(0, 7), textOf(run, "sentence")});
    }
    std::cout << (rows.size() == 1 ? std::string("there is no run yet\n") : formatTable(rows));
    return 0;
}

schema::Result<int> show(const ClientOptions &client, const Connection &server,
                         const std::string &which)
{
    ASSIGN_OR_RETURN(const std::int64_t id, findRun(server, which));
    ASSIGN_OR_RETURN(const json run, runDetail(server, id));
    const bool failed = textOf(run, "status") == "completed" && exitCodeOf(run) != 0;
    if (client.json()) {
        printJson(run);
        return failed ? 1 : 0;
    }
    std::cout << fmt::format("run {} (id {}) of {}: {}\n", textOf(run, "number"), id,
                             textOf(memberOf(run, "pipeline"), "name"), textOf(run, "sentence"));
    std::vector<TableRow> rows;
    for (const json &stage : memberOf(run, "stages"))
        rows.push_back(
            {"  " + textOf(stage, "displayName"), stateOf(stage), textOf(stage, "waiting")});
    std::cout << formatTable(rows);
    for (const json &row : memberOf(run, "diagnostics"))
        std::cout << diagnosticLine(row) << '\n';
    for (const json &record : memberOf(run, "records")) {
        for (const json &issue : memberOf(record, "issues")) {
            if (textOf(issue, "type") == "error")
                std::cout << fmt::format("  {}: {}\n", textOf(record, "name"),
                                         textOf(issue, "message"));
        }
    }
    return failed ? 1 : 0;
}

schema::Result<int> status(const ClientOptions &client, const StatusOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    return options.run.empty() ? list(client, server, options.top)
                               : show(client, server, options.run);
}

} // namespace

void registerStatus(CLI::App &app, int &exitCode)
{
    CLI::App *command =
        app.add_subcommand("status", "The last runs, or one run with its stages and errors");
    auto options = std::make_shared<StatusOptions>();
    command
        ->add_option("run", options->run,
                     "The run's id or number, or 'latest'; exit status 1 if it failed")
        ->type_name("RUN");
    command->add_option("--top", options->top, "How many runs")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = status(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
