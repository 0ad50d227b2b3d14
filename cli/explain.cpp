// slipway explain: why a run or one of its jobs is where it is.
#include "cli/client/lookup.h"
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

/// A run may have ten thousand jobs in a queue; the first ones get workers next.
constexpr std::size_t kMostShown = 40;

struct ExplainOptions
{
    std::string run, job;
};

/// Leaves what the answer says about the job or stage. What waits names its job by id.
void keepOnly(json &answer, const std::string &name)
{
    const auto isAbout = [&name](const json &entry) {
        return isCalled(entry, name) || sameName(textOf(entry, "stage"), name);
    };
    json jobs = json::array();
    std::set<std::string> ids;
    for (const json &entry : memberOf(answer, "jobs")) {
        if (isAbout(entry)) {
            ids.insert(textOf(entry, "id"));
            jobs.push_back(entry);
        }
    }
    json waiting = json::array();
    for (const json &entry : memberOf(answer, "waiting")) {
        if (isAbout(entry) || ids.contains(textOf(entry, "jobId")))
            waiting.push_back(entry);
    }
    answer["jobs"] = std::move(jobs);
    answer["waiting"] = std::move(waiting);
}

schema::Result<int> explain(const ClientOptions &client, const ExplainOptions &options)
{
    ASSIGN_OR_RETURN(const Connection server, connect(client));
    ASSIGN_OR_RETURN(const std::int64_t run, findRun(server, options.run));
    ASSIGN_OR_RETURN(json answer, server.client.get(fmt::format("/{}/_apis/slipway/runs/{}/explain",
                                                                server.project, run)));
    if (!options.job.empty())
        keepOnly(answer, options.job);
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
    std::vector<std::string> sentences;
    for (const json &entry : answer["waiting"])
        sentences.push_back(textOf(entry, "sentence"));
    for (const json &entry : answer["jobs"]) {
        // Jobs that wait for a worker stand in the list above, with more to say.
        if (textOf(entry, "state") != "queued")
            sentences.push_back(textOf(entry, "sentence"));
    }
    const std::size_t shown = std::min(sentences.size(), kMostShown);
    for (std::size_t i = 0; i < shown; ++i)
        std::cout << "- " << sentences[i] << '\n';
    if (shown < sentences.size())
        std::cout << fmt::format(
            "and {} more; 'slipway explain {} JOB' tells of one, --format json of all\n",
            sentences.size() - shown, options.run);
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
