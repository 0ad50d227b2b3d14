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

struct WhereOptions
{
    std::string at;
    std::string service;
    std::string environment;
};

/// A column of the matrix: an environment, and a resource of it (id 0: none).
struct Target
{
    std::int64_t environmentId = 0;
    std::int64_t resourceId = 0;
    std::string title;
};

/// All targets in the order of the environments. A resource stands in the title only where an
/// environment has several; an environment without any resource is one column.
std::vector<Target> targetsOf(const json &matrix)
{
    std::vector<Target> targets;
    for (const json &environment : memberOf(matrix, "environments")) {
        const std::string name = textOf(environment, "name");
        const std::int64_t id = numberOf(environment, "id");
        const json &resources = memberOf(environment, "resources");
        if (!resources.is_array() || resources.empty()) {
            targets.push_back({id, 0, name});
            continue;
        }
        for (const json &resource : resources)
            targets.push_back({id, numberOf(resource, "id"),
                               resources.size() == 1
                                   ? name
                                   : fmt::format("{}.{}", name, textOf(resource, "name"))});
    }
    return targets;
}

const json *cellOf(const json &matrix, std::int64_t service, const Target &target)
{
    for (const json &cell : memberOf(matrix, "cells")) {
        if (numberOf(cell, "serviceId") == service &&
            numberOf(cell, "environmentId") == target.environmentId &&
            numberOf(cell, "resourceId") == target.resourceId)
            return &cell;
    }
    return nullptr;
}

/// "leaderboard 20261121.1": numbers repeat from pipeline to pipeline.
std::string runOf(const json &made)
{
    const std::string pipeline = textOf(memberOf(made, "pipeline"), "name");
    return fmt::format("{} {}", pipeline.empty() ? "run" : pipeline, textOf(made, "runNumber"));
}

/// "41c9e2f  leaderboard 20261121.1  approved by operator", and what is under way or went wrong
/// since.
std::string describe(const json &cell)
{
    const json &version = memberOf(cell, "version");
    std::string text = "-";
    if (version.is_object()) {
        const std::string commit = textOf(version, "commit").substr(0, 7);
        text = commit.empty() ? textOf(version, "tag") : commit;
        text += "  " + runOf(version);
        const json &approvals = memberOf(cell, "approvedBy");
        for (std::size_t i = 0; approvals.is_array() && i < approvals.size(); ++i)
            text += fmt::format("{}{}", i == 0 ? "  approved by " : ", ",
                                textOf(approvals[i], "displayName"));
    }
    const std::string state = textOf(cell, "state");
    const std::string pending = runOf(memberOf(cell, "pending"));
    if (state == "failed")
        text += "  (the last deployment failed)";
    else if (state == "inProgress")
        text += fmt::format("  ({} is deploying)", pending);
    else if (state == "waiting")
        text += fmt::format("  ({} waits)", pending);
    return text;
}

/// Leaves of `matrix` what was asked for. Errors: NotFound, with the names there are.
schema::Status choose(json &matrix, const char *list, const char *key, const std::string &name,
                      const char *noun, const char *cellKey)
{
    if (name.empty() || !memberOf(matrix, list).is_array())
        return {};
    std::string names;
    json chosen = json::array();
    for (const json &one : matrix[list]) {
        const std::string candidate = textOf(one, key);
        if (sameName(candidate, name))
            chosen.push_back(one);
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", candidate);
    }
    if (chosen.empty())
        return {schema::ErrorCode::NotFound, fmt::format("there is no {} '{}'; there are: {}", noun,
                                                         name, names.empty() ? "none" : names)};
    json cells = json::array();
    for (const json &cell : memberOf(matrix, "cells")) {
        for (const json &one : chosen) {
            if (numberOf(cell, cellKey) == numberOf(one, "id"))
                cells.push_back(cell);
        }
    }
    matrix[list] = std::move(chosen);
    matrix["cells"] = std::move(cells);
    return {};
}

void print(const json &matrix)
{
    const std::vector<Target> targets = targetsOf(matrix);
    std::vector<TableRow> rows(1, {"SERVICE"});
    for (const Target &target : targets)
        rows[0].push_back(target.title);
    for (const json &service : memberOf(matrix, "services")) {
        TableRow row{textOf(service, "key")};
        for (const Target &target : targets) {
            const json *cell = cellOf(matrix, numberOf(service, "id"), target);
            row.push_back(cell == nullptr ? "-" : describe(*cell));
        }
        rows.push_back(std::move(row));
    }
    if (rows.size() == 1)
        std::cout << "nothing is deployed yet\n";
    else
        std::cout << formatTable(rows);
}

schema::Result<int> where(const ClientOptions &client, const WhereOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    std::string path = fmt::format("/{}/_apis/slipway/matrix", server.project);
    if (!options.at.empty())
        path += "?at=" + urlEncoded(options.at);
    ASSIGN_OR_RETURN(json matrix, server.client.get(path));
    RETURN_IF_ERROR(choose(matrix, "services", "key", options.service, "service", "serviceId"));
    RETURN_IF_ERROR(choose(matrix, "environments", "name", options.environment, "environment",
                           "environmentId"));
    if (client.json())
        printJson(matrix);
    else
        print(matrix);
    return 0;
}

} // namespace

void registerWhere(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand("where", "Which version of which service is where");
    auto options = std::make_shared<WhereOptions>();
    command->add_option("--service", options->service, "Only this service")->type_name("NAME");
    command->add_option("--environment", options->environment, "Only this environment")
        ->type_name("NAME");
    command->add_option("--at", options->at, "At that time in the past (ISO 8601)")
        ->type_name("TIME");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = where(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
