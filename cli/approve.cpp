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
using schema::ErrorCode;

struct ApproveOptions
{
    std::string which;
    std::string stage;
    std::string comment;
    bool reject = false;
};

schema::Result<json> pendingApprovals(const Connection &server)
{
    ASSIGN_OR_RETURN(const json answer,
                     server.client.get(
                         fmt::format("/{}/_apis/slipway/approvals?state=pending", server.project)));
    return memberOf(answer, "value");
}

/// Manual validations look like approvals from here on; "validation" tells them apart.
schema::Result<json> pendingOfAllKinds(const Connection &server)
{
    ASSIGN_OR_RETURN(json all, pendingApprovals(server));
    ASSIGN_OR_RETURN(const json answer, server.client.get(fmt::format(
                                            "/{}/_apis/slipway/validations", server.project)));
    for (json item : memberOf(answer, "value")) {
        item["validation"] = true;
        item["environment"] = json{{"name", "(manual validation)"}};
        item["commitMessage"] = textOf(item, "instructions");
        all.push_back(std::move(item));
    }
    return all;
}

void list(const json &approvals)
{
    if (approvals.empty()) {
        std::cout << "no approval is pending\n";
        return;
    }
    std::vector<TableRow> rows{
        {"RUN", "PIPELINE", "STAGE", "ENVIRONMENT", "VERSION", "COMMIT", "APPROVAL"}};
    for (const json &item : approvals)
        rows.push_back({textOf(item, "runNumber"), textOf(memberOf(item, "pipeline"), "name"),
                        textOf(item, "stage"), textOf(memberOf(item, "environment"), "name"),
                        textOf(item, "version").substr(0, 7), textOf(item, "commitMessage"),
                        textOf(item, "id")});
    std::cout << formatTable(rows);
}

bool matches(const json &item, const ApproveOptions &options)
{
    const bool named = textOf(item, "id") == options.which ||
                       textOf(item, "runNumber") == options.which ||
                       std::to_string(numberOf(item, "runId")) == options.which;
    return named && (options.stage.empty() || textOf(item, "stage") == options.stage);
}

/// The one pending approval that is meant.
schema::Result<json> choose(const json &approvals, const ApproveOptions &options)
{
    std::vector<json> found;
    for (const json &item : approvals) {
        if (matches(item, options))
            found.push_back(item);
    }
    if (found.empty())
        return {
            ErrorCode::NotFound,
            fmt::format("no approval of '{}'{} is pending; 'slipway approve' lists those that are",
                        options.which,
                        options.stage.empty() ? "" : " in stage '" + options.stage + "'")};
    if (found.size() > 1)
        return {
            ErrorCode::InvalidArgument,
            fmt::format(
                "{} approvals of '{}' are pending; choose with --stage, or give the approval's id",
                found.size(), options.which)};
    return found.front();
}

schema::Result<int> approve(const ClientOptions &client, const ApproveOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const json approvals, pendingOfAllKinds(server));
    if (options.which.empty()) {
        if (client.json())
            printJson(approvals);
        else
            list(approvals);
        return 0;
    }
    ASSIGN_OR_RETURN(const json item, choose(approvals, options));
    if (item.contains("validation")) {
        ASSIGN_OR_RETURN(
            const json answer,
            server.client.post(
                fmt::format("/{}/_apis/slipway/validations/{}", server.project, textOf(item, "id")),
                json{{"approve", !options.reject}, {"comment", options.comment}}));
        if (client.json())
            printJson(answer);
        else
            std::cout << fmt::format("{} run {} at {}\n", options.reject ? "rejected" : "resumed",
                                     textOf(item, "runNumber"), textOf(item, "job"));
        return 0;
    }
    const json decision{{"approvalId", textOf(item, "id")},
                        {"status", options.reject ? "rejected" : "approved"},
                        {"comment", options.comment}};
    ASSIGN_OR_RETURN(
        const json answer,
        server.client.patch(
            fmt::format("/{}/_apis/pipelines/approvals?api-version=7.1", server.project),
            json::array({decision})));
    if (client.json())
        printJson(answer);
    else
        std::cout << fmt::format("{} stage {} of run {} into {}\n",
                                 options.reject ? "rejected" : "approved", textOf(item, "stage"),
                                 textOf(item, "runNumber"),
                                 textOf(memberOf(item, "environment"), "name"));
    return 0;
}

} // namespace

void registerApprove(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand(
        "approve", "Approve (or reject) a run that waits; without RUN: list what waits");
    auto options = std::make_shared<ApproveOptions>();
    command->add_option("run", options->which, "The run's id or number, or the approval's id")
        ->type_name("RUN");
    command->add_option("--stage", options->stage, "The stage, when several wait")
        ->type_name("NAME");
    command->add_option("--comment", options->comment, "Kept with the decision")->type_name("TEXT");
    command->add_flag("--reject", options->reject, "Reject instead");
    const auto client = addClientOptions(*command);
    command->callback([options, client, &exitCode] {
        const auto result = approve(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
