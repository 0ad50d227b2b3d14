// slipway retention: how long runs stay, and which stay longer.
#include "cli/client/lookup.h"
#include "cli/client/text_table.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

struct RetentionOptions
{
    std::string pipeline; ///< empty: the project
    std::string run;
    std::string owner; ///< empty: the caller
    std::optional<int> runDays, artifactDays, pullRequestDays, minimumRuns, leaseDays;
    std::vector<std::int64_t> leases;
    bool protectPipeline = false;
};

using Action = schema::Result<int> (*)(const ClientOptions &, const RetentionOptions &);

/// Where a policy stands in the API, and what its members are called there.
struct Place
{
    std::string path;
    const char *runDays, *artifactDays, *pullRequestDays, *minimumRuns;
};

/// The pipeline's policy, or the project's when none is named. Azure DevOps' settings of a project
/// have other names than those of a pipeline, which are ours.
schema::Result<Place> placeOf(const Connection &server, const std::string &pipeline)
{
    if (pipeline.empty())
        return Place{fmt::format("/{}/_apis/build/retention", server.project), "purgeRuns",
                     "purgeArtifacts", "purgePullRequestRuns", "retainRunsPerProtectedBranch"};
    ASSIGN_OR_RETURN(const json found, findPipeline(server, pipeline));
    return Place{fmt::format("/{}/_apis/slipway/pipelines/{}/retention", server.project,
                             numberOf(found, "id")),
                 "runDays", "artifactDays", "pullRequestDays", "minimumRuns"};
}

std::int64_t valueOf(const json &policy, const char *name)
{
    const json &value = memberOf(policy, name);
    return value.is_object() ? numberOf(value, "value") : numberOf(policy, name);
}

/// One form for both kinds of policy.
json policyOf(const Place &place, const json &answer)
{
    json out{{"runDays", valueOf(answer, place.runDays)},
             {"artifactDays", valueOf(answer, place.artifactDays)},
             {"pullRequestDays", valueOf(answer, place.pullRequestDays)},
             {"minimumRuns", valueOf(answer, place.minimumRuns)}};
    if (const json &inherited = memberOf(answer, "inherited"); inherited.is_boolean())
        out["inherited"] = inherited;
    return out;
}

void print(const ClientOptions &client, const json &policy)
{
    if (client.json())
        return printJson(policy);
    const auto days = [&policy](const char *name) {
        return fmt::format("{} days", numberOf(policy, name));
    };
    std::cout << formatTable({
        {"runs", days("runDays")},
        {"artifacts", days("artifactDays")},
        {"runs of pull requests", days("pullRequestDays")},
        {"newest runs that always stay", std::to_string(numberOf(policy, "minimumRuns"))},
    });
    if (policy.value("inherited", false))
        std::cout << "The pipeline follows the project.\n";
}

schema::Result<int> show(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const Place place, placeOf(server, options.pipeline));
    ASSIGN_OR_RETURN(const json answer, server.client.get(place.path));
    print(client, policyOf(place, answer));
    return 0;
}

schema::Result<int> set(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const Place place, placeOf(server, options.pipeline));
    json body = json::object();
    const auto add = [&](const char *name, const std::optional<int> &value) {
        if (!value)
            return;
        if (options.pipeline.empty())
            body[name] = {{"value", *value}};
        else
            body[name] = *value;
    };
    add(place.runDays, options.runDays);
    add(place.artifactDays, options.artifactDays);
    add(place.pullRequestDays, options.pullRequestDays);
    add(place.minimumRuns, options.minimumRuns);
    if (body.empty())
        return {ErrorCode::InvalidArgument,
                "nothing to set: give --runs, --artifacts, --pull-requests or --newest"};
    ASSIGN_OR_RETURN(const json answer, options.pipeline.empty()
                                            ? server.client.patch(place.path, body)
                                            : server.client.put(place.path, body));
    print(client, policyOf(place, answer));
    return 0;
}

/// The pipeline follows the project again.
schema::Result<int> reset(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const Place place, placeOf(server, options.pipeline));
    ASSIGN_OR_RETURN(const json removed, server.client.remove(place.path));
    ASSIGN_OR_RETURN(const json answer, server.client.get(place.path));
    print(client, policyOf(place, answer));
    return 0;
}

schema::Result<int> explain(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    ASSIGN_OR_RETURN(
        const json answer,
        server.client.get(fmt::format("/{}/_apis/slipway/runs/{}/retention", server.project, run)));
    if (client.json())
        printJson(answer);
    else
        std::cout << fmt::format("run {}: {}\n", run, textOf(answer, "sentence"));
    return 0;
}

void print(const ClientOptions &client, const json &leases, std::string_view none)
{
    if (client.json())
        return printJson(leases);
    if (leases.empty()) {
        std::cout << none << '\n';
        return;
    }
    std::vector<TableRow> rows{{"LEASE", "RUN", "PIPELINE", "OWNER", "UNTIL", "PROTECTS"}};
    for (const json &lease : leases)
        rows.push_back({std::to_string(numberOf(lease, "leaseId")),
                        std::to_string(numberOf(lease, "runId")),
                        std::to_string(numberOf(lease, "definitionId")), textOf(lease, "ownerId"),
                        textOf(lease, "validUntil"),
                        lease.value("protectPipeline", false) ? "run and pipeline" : "run"});
    std::cout << formatTable(rows);
}

schema::Result<json> leasesOf(const Connection &server, std::int64_t run)
{
    ASSIGN_OR_RETURN(
        const json answer,
        server.client.get(fmt::format("/{}/_apis/build/builds/{}/leases", server.project, run)));
    return memberOf(answer, "value");
}

schema::Result<int> listLeases(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    if (!options.run.empty()) {
        ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
        ASSIGN_OR_RETURN(const json leases, leasesOf(server, run));
        print(client, leases, fmt::format("no lease keeps run {}", run));
        return 0;
    }
    if (options.pipeline.empty())
        return {ErrorCode::InvalidArgument, "whose leases? name a run, or --pipeline PIPELINE"};
    ASSIGN_OR_RETURN(const json pipeline, findPipeline(server, options.pipeline));
    ASSIGN_OR_RETURN(const json answer, server.client.get(fmt::format(
                                            "/{}/_apis/build/retention/leases?definitionId={}",
                                            server.project, numberOf(pipeline, "id"))));
    print(client, memberOf(answer, "value"),
          fmt::format("no lease keeps a run of '{}'", textOf(pipeline, "name")));
    return 0;
}

/// The caller, in the form that `keepForever` of a build gives to its leases.
schema::Result<std::string> callerOf(const Connection &server)
{
    ASSIGN_OR_RETURN(const json me, server.client.get("/_apis/slipway/me"));
    return "User:" + textOf(me, "id");
}

schema::Result<int> keep(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    std::string owner = options.owner;
    if (owner.empty()) {
        ASSIGN_OR_RETURN(owner, callerOf(server));
    }
    constexpr int kForEver = 36500; // docs/api.md
    const json lease{{"runId", run},
                     {"ownerId", owner},
                     {"daysValid", options.leaseDays.value_or(kForEver)},
                     {"protectPipeline", options.protectPipeline}};
    ASSIGN_OR_RETURN(
        const json answer,
        server.client.post(fmt::format("/{}/_apis/build/retention/leases", server.project),
                           json::array({lease})));
    print(client, memberOf(answer, "value"), "");
    return 0;
}

schema::Result<int> release(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    ASSIGN_OR_RETURN(const json leases, leasesOf(server, run));
    std::string owner = options.owner;
    if (owner.empty() && options.leases.empty()) {
        ASSIGN_OR_RETURN(owner, callerOf(server));
    }
    // Only leases of this run: an id that was mistyped must not end that of another.
    std::string ids;
    json released = json::array();
    for (const json &lease : leases) {
        const std::int64_t id = numberOf(lease, "leaseId");
        const bool named =
            std::find(options.leases.begin(), options.leases.end(), id) != options.leases.end();
        if (!named && (owner.empty() || textOf(lease, "ownerId") != owner))
            continue;
        ids += fmt::format("{}{}", ids.empty() ? "" : ",", id);
        released.push_back(lease);
    }
    if (ids.empty())
        return {ErrorCode::NotFound,
                fmt::format("run {} has no such lease; 'slipway retention leases {}' lists them",
                            run, run)};
    ASSIGN_OR_RETURN(const json answer,
                     server.client.remove(fmt::format("/{}/_apis/build/retention/leases?ids={}",
                                                      server.project, ids)));
    if (client.json())
        printJson(released);
    else
        std::cout << fmt::format("released: {} of run {}\n",
                                 released.size() == 1 ? std::string("1 lease")
                                                      : fmt::format("{} leases", released.size()),
                                 run);
    return 0;
}

schema::Result<int> removeRun(const ClientOptions &client, const RetentionOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    ASSIGN_OR_RETURN(const json answer, server.client.remove(fmt::format(
                                            "/{}/_apis/build/builds/{}", server.project, run)));
    if (client.json())
        printJson({{"run", run}, {"action", "delete"}});
    else
        std::cout << fmt::format("deleted: run {} with its logs and artifacts\n", run);
    return 0;
}

/// A sub-command with the options that all of them have.
struct Command
{
    CLI::App *app;
    std::shared_ptr<RetentionOptions> options;
};

Command addCommand(CLI::App &retention, const char *name, const char *help, Action action,
                   int &exitCode)
{
    Command out{retention.add_subcommand(name, help), std::make_shared<RetentionOptions>()};
    const auto client = addClientOptions(*out.app);
    out.app->callback([options = out.options, client, action, &exitCode] {
        const auto result = action(*client, *options);
        exitCode = result ? *result : fail(result.error());
    });
    return out;
}

CLI::Option *addPipeline(const Command &command, const char *help)
{
    return command.app->add_option("pipeline", command.options->pipeline, help)
        ->type_name("PIPELINE");
}

CLI::Option *addRun(const Command &command)
{
    return command.app
        ->add_option("run", command.options->run, "The run's id or number, or 'latest'")
        ->type_name("RUN");
}

void addNumber(const Command &command, const char *name, std::optional<int> &value,
               const char *help)
{
    command.app->add_option(name, value, help)->type_name("N");
}

} // namespace

void registerRetention(CLI::App &app, int &exitCode)
{
    CLI::App *retention =
        app.add_subcommand("retention", "How long runs stay, and which stay longer");
    retention->require_subcommand(1);

    addPipeline(addCommand(*retention, "show", "The policy in force", show, exitCode),
                "The pipeline's id or name (the project's own policy)");

    const Command change = addCommand(
        *retention, "set", "Change the policy; what is not given stays as it is", set, exitCode);
    addPipeline(change, "Only for this pipeline (for the whole project)");
    addNumber(change, "--runs", change.options->runDays, "Days that runs stay");
    addNumber(change, "--artifacts", change.options->artifactDays, "Days that artifacts stay");
    addNumber(change, "--pull-requests", change.options->pullRequestDays,
              "Days that runs of pull requests stay");
    addNumber(change, "--newest", change.options->minimumRuns,
              "How many of a pipeline's newest runs always stay");

    addPipeline(
        addCommand(*retention, "reset", "Let a pipeline follow the project again", reset, exitCode),
        "The pipeline's id or name")
        ->required();

    addRun(addCommand(*retention, "explain", "Whether a completed run stays, and why", explain,
                      exitCode))
        ->required();

    const Command leases =
        addCommand(*retention, "leases", "Leases that keep runs", listLeases, exitCode);
    addRun(leases);
    leases.app->add_option("--pipeline", leases.options->pipeline, "Those of this pipeline's runs")
        ->type_name("PIPELINE");

    const Command hold = addCommand(*retention, "keep", "Keep a run with a lease", keep, exitCode);
    addRun(hold)->required();
    addNumber(hold, "--days", hold.options->leaseDays, "How long (for ever)");
    hold.app->add_option("--owner", hold.options->owner, "Who holds the lease (you)")
        ->type_name("TEXT");
    hold.app->add_flag("--protect-pipeline", hold.options->protectPipeline,
                       "The pipeline cannot be deleted either");

    const Command drop = addCommand(*retention, "release", "End the leases that you hold on a run",
                                    release, exitCode);
    addRun(drop)->required();
    drop.app->add_option("--lease", drop.options->leases, "Only these leases")->type_name("ID");
    drop.app->add_option("--owner", drop.options->owner, "The leases of this holder")
        ->type_name("TEXT");

    addRun(addCommand(*retention, "delete", "Delete a completed run now, with logs and artifacts",
                      removeRun, exitCode))
        ->required();
}

} // namespace cli
