#include "cli/client/options.h"
#include "cli/client/text_table.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <strings.h>
#include <thread>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;
using std::chrono::steady_clock;

struct TokenOptions
{
    std::string pool = "Default";
    int minutes = 60;
    int wait = 0; ///< seconds
};

/// All pools; asks again while no server answers, for `wait` seconds. There is no event to wait
/// for: the server may not exist yet.
schema::Result<json> poolsOf(const ClientOptions &options, int wait)
{
    const auto end = steady_clock::now() + std::chrono::seconds(wait);
    for (;;) {
        // The token's file may appear only when the server has started, so it is read each time.
        schema::Result<json> answer = [&]() -> schema::Result<json> {
            ASSIGN_OR_RETURN(const ApiClient client, connectServer(options));
            return client.get("/_apis/distributedtask/pools");
        }();
        if (answer || steady_clock::now() >= end)
            return answer;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

schema::Result<int> token(const ClientOptions &client, const TokenOptions &options)
{
    ASSIGN_OR_RETURN(const json pools, poolsOf(client, options.wait));
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    std::string names;
    for (const json &pool : memberOf(pools, "value")) {
        const std::string name = textOf(pool, "name");
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
        if (strcasecmp(name.c_str(), options.pool.c_str()) != 0)
            continue;
        ASSIGN_OR_RETURN(const json made,
                         server.post(fmt::format("/_apis/slipway/pools/{}/registrationtokens",
                                                 numberOf(pool, "id")),
                                     {{"expiresInMinutes", options.minutes}}));
        if (client.json())
            printJson(made);
        else
            std::cout << textOf(made, "token") << '\n';
        return 0;
    }
    return {ErrorCode::NotFound,
            fmt::format("there is no pool '{}'; there are: {}", options.pool, names)};
}

schema::Result<int> list(const ClientOptions &client)
{
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(const json pools, server.get("/_apis/distributedtask/pools"));
    json all = json::array();
    std::vector<TableRow> rows{{"POOL", "WORKER", "STATUS", "VERSION"}};
    for (json pool : memberOf(pools, "value")) {
        ASSIGN_OR_RETURN(const json workers,
                         server.get(fmt::format("/_apis/distributedtask/pools/{}/agents",
                                                numberOf(pool, "id"))));
        pool["agents"] = memberOf(workers, "value");
        if (pool["agents"].empty())
            rows.push_back({textOf(pool, "name"), "-", "no worker", ""});
        for (const json &worker : pool["agents"])
            rows.push_back({textOf(pool, "name"), textOf(worker, "name"), textOf(worker, "status"),
                            textOf(worker, "version")});
        all.push_back(std::move(pool));
    }
    if (client.json())
        printJson(all);
    else
        std::cout << formatTable(rows);
    return 0;
}

} // namespace

void registerPool(CLI::App &app, int &exitCode)
{
    CLI::App *pool = app.add_subcommand("pool", "Pools and their workers");
    pool->require_subcommand(1);

    CLI::App *listCommand = pool->add_subcommand("list", "All pools with their workers");
    const auto listClient = addClientOptions(*listCommand);
    listCommand->callback([listClient, &exitCode] {
        const auto result = list(*listClient);
        exitCode = result ? *result : fail(result.error());
    });

    CLI::App *tokenCommand =
        pool->add_subcommand("token", "Print a short-lived token with which a worker registers");
    auto options = std::make_shared<TokenOptions>();
    tokenCommand->add_option("--pool", options->pool, "The pool (Default)")->type_name("NAME");
    tokenCommand->add_option("--minutes", options->minutes, "How long the token works (60)")
        ->check(CLI::Range(1, 1440))
        ->type_name("N");
    tokenCommand
        ->add_option("--wait", options->wait,
                     "Wait so many seconds for a server that does not answer yet")
        ->check(CLI::Range(0, 3600))
        ->type_name("N");
    const auto client = addClientOptions(*tokenCommand);
    tokenCommand->callback([options, client, &exitCode] {
        const auto result = token(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
