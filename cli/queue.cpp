#include "cli/client/follow.h"
#include "cli/client/lookup.h"
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
using schema::ErrorCode;

struct QueueOptions
{
    std::string pipeline;
    std::string branch;
    std::string version;
    std::vector<std::string> parameters;
    std::vector<std::string> variables;
    std::vector<std::string> stagesToSkip;
    std::string priority = "normal";
    bool wait = false;
};

/// "NAME=VALUE" pairs as an object; `wrap` puts each value into {"value": ...}.
schema::Result<json> pairs(const std::vector<std::string> &list, const char *option, bool wrap)
{
    json object = json::object();
    for (const std::string &pair : list) {
        const std::size_t at = pair.find('=');
        if (at == std::string::npos || at == 0)
            return {ErrorCode::InvalidArgument,
                    fmt::format("{} '{}' is not of the form NAME=VALUE", option, pair)};
        const std::string value = pair.substr(at + 1);
        object[pair.substr(0, at)] = wrap ? json{{"value", value}} : json(value);
    }
    return object;
}

schema::Result<json> requestBody(const QueueOptions &options)
{
    json self = json::object();
    if (!options.branch.empty())
        self["refName"] =
            options.branch.starts_with("refs/") ? options.branch : "refs/heads/" + options.branch;
    if (!options.version.empty())
        self["version"] = options.version;
    ASSIGN_OR_RETURN(json parameters, pairs(options.parameters, "--parameter", false));
    ASSIGN_OR_RETURN(json variables, pairs(options.variables, "--variable", true));
    return json{{"resources", {{"repositories", {{"self", self}}}}},
                {"templateParameters", std::move(parameters)},
                {"variables", std::move(variables)},
                {"stagesToSkip", options.stagesToSkip},
                {"priority", options.priority}};
}

schema::Result<int> queue(const ClientOptions &client, const QueueOptions &options)
{
    ASSIGN_OR_RETURN(const json body, requestBody(options));
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const json pipeline, findPipeline(server, options.pipeline));
    ASSIGN_OR_RETURN(const json created,
                     server.client.post(fmt::format("/{}/_apis/pipelines/{}/runs?api-version=7.1",
                                                    server.project, numberOf(pipeline, "id")),
                                        body));
    const std::int64_t id = numberOf(created, "id");
    if (!client.json())
        std::cout << fmt::format("run {} (id {}) of {} is queued: {}\n", textOf(created, "name"),
                                 id, textOf(pipeline, "name"), runPage(server, id))
                  << std::flush;
    if (!options.wait) {
        if (client.json())
            printJson(created);
        return 0;
    }
    std::string said;
    ASSIGN_OR_RETURN(const json run, followRun(server, id, [&](const json &now, std::int64_t) {
                         const std::string sentence = textOf(now, "sentence");
                         if (!client.json() && sentence != said && !sentence.empty())
                             std::cout << sentence << '\n' << std::flush;
                         said = sentence;
                         return schema::Status();
                     }));
    if (client.json())
        printJson(run);
    return exitCodeOf(run);
}

} // namespace

void registerQueue(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand("queue", "Queue a run of a pipeline");
    auto options = std::make_shared<QueueOptions>();
    command->add_option("pipeline", options->pipeline, "The pipeline's name or id")
        ->required()
        ->type_name("PIPELINE");
    command->add_option("--branch", options->branch, "Branch (default: the pipeline's)")
        ->type_name("NAME");
    command->add_option("--version", options->version, "Commit (default: the newest of the branch)")
        ->type_name("COMMIT");
    command->add_option("--parameter", options->parameters, "Value of a parameter; may be repeated")
        ->type_name("NAME=VALUE");
    command
        ->add_option("--variable", options->variables,
                     "Value of a variable that may be set when queuing; may be repeated")
        ->type_name("NAME=VALUE");
    command
        ->add_option("--skip-stage", options->stagesToSkip,
                     "Stage that shall not run; may be repeated")
        ->type_name("STAGE");
    command
        ->add_option("--priority", options->priority,
                     "Which waiting jobs get workers first (normal)")
        ->check(CLI::IsMember({"high", "aboveNormal", "normal", "belowNormal", "low"}));
    command->add_flag("--wait", options->wait,
                      "Wait until the run is completed; exit status 1 if it failed");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = queue(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
