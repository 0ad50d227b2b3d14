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

struct PoolOptions
{
    std::string pool, worker;
    int maxParallelism = 0;
};

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

/// The pool of that name among `pools`, the answer of the API.
schema::Result<json> poolNamed(const json &pools, const std::string &wanted)
{
    std::string names;
    for (const json &pool : memberOf(pools, "value")) {
        const std::string name = textOf(pool, "name");
        if (strcasecmp(name.c_str(), wanted.c_str()) == 0)
            return pool;
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
    }
    return {ErrorCode::NotFound,
            fmt::format("there is no pool '{}'; there are: {}", wanted, names)};
}

/// "online", "offline" or, when it gets no new jobs, "draining" or "drained".
std::string statusOf(const json &worker)
{
    if (worker.value("enabled", true) || textOf(worker, "status") != "online")
        return textOf(worker, "status");
    return memberOf(worker, "jobs").empty() ? "drained" : "draining";
}

schema::Result<int> token(const ClientOptions &client, const TokenOptions &options)
{
    ASSIGN_OR_RETURN(const json pools, poolsOf(client, options.wait));
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(const json pool, poolNamed(pools, options.pool));
    ASSIGN_OR_RETURN(
        const json made,
        server.post(fmt::format("/_apis/slipway/pools/{}/registrationtokens", numberOf(pool, "id")),
                    {{"expiresInMinutes", options.minutes}}));
    if (client.json())
        printJson(made);
    else
        std::cout << textOf(made, "token") << '\n';
    return 0;
}

schema::Result<int> limit(const ClientOptions &client, const PoolOptions &options)
{
    ASSIGN_OR_RETURN(const json pools, poolsOf(client, 0));
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(const json pool, poolNamed(pools, options.pool));
    ASSIGN_OR_RETURN(
        const json changed,
        server.patch(fmt::format("/_apis/distributedtask/pools/{}", numberOf(pool, "id")),
                     {{"maxParallelism", options.maxParallelism}}));
    if (client.json())
        printJson(changed);
    else
        std::cout << fmt::format("pool {}: {} jobs at once\n", textOf(changed, "name"),
                                 shownLimit(changed));
    return 0;
}

/// A worker that is not enabled ends what it has and gets nothing new.
schema::Result<int> enable(const ClientOptions &client, const PoolOptions &options, bool enabled)
{
    ASSIGN_OR_RETURN(const json pools, poolsOf(client, 0));
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(const json pool, poolNamed(pools, options.pool));
    const std::string agents =
        fmt::format("/_apis/distributedtask/pools/{}/agents", numberOf(pool, "id"));
    ASSIGN_OR_RETURN(const json workers, server.get(agents));
    for (const json &worker : memberOf(workers, "value")) {
        if (strcasecmp(textOf(worker, "name").c_str(), options.worker.c_str()) != 0)
            continue;
        ASSIGN_OR_RETURN(const json changed,
                         server.patch(fmt::format("{}/{}", agents, numberOf(worker, "id")),
                                      {{"enabled", enabled}}));
        if (client.json())
            printJson(changed);
        else
            std::cout << fmt::format("worker {} of pool {}: {}, holds {} jobs\n",
                                     textOf(changed, "name"), textOf(pool, "name"),
                                     statusOf(changed), memberOf(changed, "jobs").size());
        return 0;
    }
    return {ErrorCode::NotFound,
            fmt::format("pool '{}' has no worker '{}'", textOf(pool, "name"), options.worker)};
}

schema::Result<int> list(const ClientOptions &client)
{
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(const json pools, server.get("/_apis/distributedtask/pools"));
    json all = json::array();
    std::vector<TableRow> rows{{"POOL", "AT ONCE", "WORKER", "STATUS", "VERSION", "JOBS"}};
    for (json pool : memberOf(pools, "value")) {
        ASSIGN_OR_RETURN(const json workers,
                         server.get(fmt::format("/_apis/distributedtask/pools/{}/agents",
                                                numberOf(pool, "id"))));
        pool["agents"] = memberOf(workers, "value");
        if (pool["agents"].empty())
            rows.push_back({textOf(pool, "name"), shownLimit(pool), "-", "no worker", "", ""});
        for (const json &worker : pool["agents"])
            rows.push_back({textOf(pool, "name"), shownLimit(pool), textOf(worker, "name"),
                            statusOf(worker), textOf(worker, "version"),
                            std::to_string(memberOf(worker, "jobs").size())});
        all.push_back(std::move(pool));
    }
    if (client.json())
        printJson(all);
    else
        std::cout << formatTable(rows);
    return 0;
}

void addWorkerCommand(CLI::App &pool, const char *name, const char *help, bool enabled,
                      int &exitCode)
{
    CLI::App *command = pool.add_subcommand(name, help);
    auto options = std::make_shared<PoolOptions>();
    options->pool = "Default";
    command->add_option("worker", options->worker, "The worker's name")
        ->required()
        ->type_name("WORKER");
    command->add_option("--pool", options->pool, "Its pool (Default)")->type_name("NAME");
    const auto client = addClientOptions(*command);
    command->callback([options, client, enabled, &exitCode] {
        const auto result = enable(*client, *options, enabled);
        exitCode = result ? *result : fail(result.error());
    });
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

    CLI::App *setCommand = pool->add_subcommand("set", "Limit the jobs of a pool");
    auto limitOptions = std::make_shared<PoolOptions>();
    setCommand->add_option("pool", limitOptions->pool, "The pool's name")
        ->required()
        ->type_name("POOL");
    setCommand
        ->add_option("--max-parallelism", limitOptions->maxParallelism,
                     "How many jobs its workers may hold at once; 0: no limit")
        ->required()
        ->check(CLI::Range(0, 100'000))
        ->type_name("N");
    const auto limitClient = addClientOptions(*setCommand);
    setCommand->callback([limitOptions, limitClient, &exitCode] {
        const auto result = limit(*limitClient, *limitOptions);
        exitCode = result ? *result : fail(result.error());
    });

    addWorkerCommand(*pool, "drain", "Give a worker no new jobs; it ends what it has", false,
                     exitCode);
    addWorkerCommand(*pool, "resume", "Give a drained worker jobs again", true, exitCode);

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
