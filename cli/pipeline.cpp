// slipway pipeline: the pipelines there are, and how many of their jobs run at once.
#include "cli/client/lookup.h"
#include "cli/client/text_table.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;

struct PipelineOptions
{
    std::string pipeline;
    int maxParallelism = 0;
};

schema::Result<int> list(const ClientOptions &client)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const json all,
                     server.client.get(fmt::format("/{}/_apis/build/definitions", server.project)));
    std::vector<TableRow> rows{{"ID", "PIPELINE", "STATUS", "AT ONCE"}};
    for (const json &pipeline : memberOf(all, "value"))
        rows.push_back({std::to_string(numberOf(pipeline, "id")), textOf(pipeline, "name"),
                        textOf(pipeline, "queueStatus"), shownLimit(pipeline)});
    if (client.json())
        printJson(memberOf(all, "value"));
    else
        std::cout << formatTable(rows);
    return 0;
}

schema::Result<int> set(const ClientOptions &client, const PipelineOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const json pipeline, findPipeline(server, options.pipeline));
    ASSIGN_OR_RETURN(const json changed,
                     server.client.put(fmt::format("/{}/_apis/build/definitions/{}", server.project,
                                                   numberOf(pipeline, "id")),
                                       {{"maxParallelism", options.maxParallelism}}));
    if (client.json())
        printJson(changed);
    else
        std::cout << fmt::format("pipeline {}: {} jobs at once\n", textOf(changed, "name"),
                                 shownLimit(changed));
    return 0;
}

} // namespace

void registerPipeline(CLI::App &app, int &exitCode)
{
    CLI::App *pipeline = app.add_subcommand("pipeline", "Pipelines of a project");
    pipeline->require_subcommand(1);

    CLI::App *listCommand = pipeline->add_subcommand("list", "All pipelines of the project");
    const auto listClient = addClientOptions(*listCommand);
    listCommand->callback([listClient, &exitCode] {
        const auto result = list(*listClient);
        exitCode = result ? *result : fail(result.error());
    });

    CLI::App *setCommand = pipeline->add_subcommand("set", "Limit the jobs of a pipeline");
    auto options = std::make_shared<PipelineOptions>();
    setCommand->add_option("pipeline", options->pipeline, "The pipeline's name or id")
        ->required()
        ->type_name("PIPELINE");
    setCommand
        ->add_option("--max-parallelism", options->maxParallelism,
                     "How many of its jobs workers may hold at once; 0: no limit")
        ->required()
        ->check(CLI::Range(0, 100'000))
        ->type_name("N");
    const auto client = addClientOptions(*setCommand);
    setCommand->callback([options, client, &exitCode] {
        const auto result = set(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
