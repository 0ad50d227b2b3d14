#include "cli/run_options.h"

#include "schema/base/guid.h"
#include "worker/base/files.h"
#include "worker/base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace cli {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using schema::protocol::JobVariable;
using worker::equalsIgnoringCase;

Result<JobVariable> secretOf(const std::string &text)
{
    const auto equals = text.find('=');
    if (equals != std::string::npos && equals > 0)
        return JobVariable{text.substr(0, equals), text.substr(equals + 1), true, false};
    const char *value = std::getenv(text.c_str());
    if (text.empty() || value == nullptr)
        return {ErrorCode::InvalidArgument, "--secret " + text +
                                                ": write NAME=VALUE, or NAME with the value in the "
                                                "environment variable of that name"};
    return JobVariable{text, value, true, false};
}

namespace {

Result<schema::TextMap> textMembers(const nlohmann::ordered_json &json, const char *name)
{
    schema::TextMap out;
    if (!json.contains(name))
        return out;
    if (!json[name].is_object())
        return {ErrorCode::InvalidArgument, std::string(name) + ": expected an object"};
    for (const auto &[key, value] : json[name].items())
        out.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

} // namespace

Result<std::vector<schema::protocol::ServiceConnection>> readConnections(const std::string &file)
{
    std::vector<schema::protocol::ServiceConnection> out;
    if (file.empty())
        return out;
    ASSIGN_OR_RETURN(const auto text, worker::readFile(file));
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_array())
        return {ErrorCode::InvalidArgument,
                file + ": expected a JSON list of {name, type, url, parameters, data}"};
    for (const auto &entry : json) {
        schema::protocol::ServiceConnection connection;
        const auto member = [&entry](const char *name) {
            return entry.is_object() && entry.contains(name) && entry[name].is_string()
                       ? entry[name].get<std::string>()
                       : std::string();
        };
        connection.name = connection.id = member("name");
        connection.type = member("type");
        connection.url = member("url");
        connection.scheme = member("scheme");
        if (connection.name.empty())
            return {ErrorCode::InvalidArgument, file + ": a connection has no name"};
        ASSIGN_OR_RETURN(connection.parameters, textMembers(entry, "parameters"));
        ASSIGN_OR_RETURN(connection.data, textMembers(entry, "data"));
        out.push_back(std::move(connection));
    }
    return out;
}

namespace {

bool isChosen(const std::vector<std::string> &chosen, const std::string &name)
{
    return std::any_of(chosen.begin(), chosen.end(),
                       [&name](const auto &entry) { return equalsIgnoringCase(entry, name); });
}

/// Takes the others out; gives whether any stays but checkouts. `found`: names that stood for one.
bool keepSteps(std::vector<schema::Step> &steps, const std::vector<std::string> &chosen,
               std::vector<std::string> &found)
{
    bool any = false;
    std::erase_if(steps, [&](const schema::Step &step) {
        bool wanted = false;
        for (const auto &name : chosen) {
            if (equalsIgnoringCase(name, step.name) || equalsIgnoringCase(name, step.displayName)) {
                wanted = true;
                found.push_back(name);
            }
        }
        any |= wanted;
        return !wanted && step.task != schema::kCheckoutTaskId;
    });
    return any;
}

/// The first name that nothing stands for; empty: none.
std::string unknown(const std::vector<std::string> &chosen, const std::vector<std::string> &found)
{
    for (const auto &name : chosen) {
        if (!isChosen(found, name))
            return name;
    }
    return {};
}

} // namespace

Status restrict(schema::RunPlan &plan, const RunOptions &options)
{
    for (const auto &name : options.stages) {
        if (std::none_of(plan.stages.begin(), plan.stages.end(), [&name](const auto &stage) {
                return equalsIgnoringCase(stage.name, name);
            }))
            return {ErrorCode::NotFound, "--stage " + name + ": the pipeline has no such stage"};
    }
    if (!options.stages.empty())
        std::erase_if(plan.stages,
                      [&](const auto &stage) { return !isChosen(options.stages, stage.name); });
    std::vector<std::string> jobs, steps;
    for (auto &stage : plan.stages) {
        std::erase_if(stage.jobs, [&](auto &job) {
            if (!options.jobs.empty() && !isChosen(options.jobs, job.name))
                return true;
            jobs.push_back(job.name);
            if (options.steps.empty())
                return false;
            bool any = keepSteps(job.steps, options.steps, steps);
            for (auto &hook : job.hooks)
                any |= keepSteps(hook.steps, options.steps, steps);
            return !any;
        });
        for (auto &job : stage.jobs) {
            std::erase_if(job.dependsOn, [&stage](const std::string &name) {
                return std::none_of(
                    stage.jobs.begin(), stage.jobs.end(),
                    [&name](const auto &other) { return equalsIgnoringCase(other.name, name); });
            });
        }
    }
    if (const auto name = unknown(options.jobs, jobs); !name.empty())
        return {ErrorCode::NotFound, "--job " + name + ": the pipeline has no such job"};
    if (const auto name = unknown(options.steps, steps); !name.empty())
        return {ErrorCode::NotFound,
                "--step " + name + ": no step of what is to run has this name or display name"};
    if (!options.jobs.empty() || !options.steps.empty())
        std::erase_if(plan.stages, [](const auto &stage) { return stage.jobs.empty(); });
    for (auto &stage : plan.stages) {
        std::erase_if(stage.dependsOn, [&plan](const std::string &name) {
            return std::none_of(plan.stages.begin(), plan.stages.end(), [&name](const auto &other) {
                return equalsIgnoringCase(other.name, name);
            });
        });
    }
    return {};
}

worker::fs::path runFolder(const RunOptions &options, const std::string &root)
{
    worker::fs::path work = options.work;
    if (work.empty()) {
        const char *cache = std::getenv("XDG_CACHE_HOME");
        const char *home = std::getenv("HOME");
        work = (cache != nullptr && *cache != '\0'
                    ? worker::fs::path(cache)
                    : worker::fs::path(home == nullptr ? "/tmp" : home) / ".cache") /
               "slipway" / "run" / schema::nameGuid("run", root);
    }
    work = worker::fs::absolute(work).lexically_normal();
    return work.has_filename() ? work : work.parent_path(); // "w/" is w
}

void printPlan(const schema::RunPlan &plan)
{
    const auto printSteps = [](const std::vector<schema::Step> &steps, const char *indent) {
        for (const auto &step : steps) {
            if (step.task == schema::kCheckoutTaskId && step.condition == "false")
                continue; // `checkout: none`
            std::cout << indent << "- " << (step.displayName.empty() ? step.task : step.displayName)
                      << (step.condition.empty() ? "" : "  [" + step.condition + "]") << '\n';
        }
    };
    for (const auto &stage : plan.stages) {
        std::cout << "stage " << stage.name
                  << (stage.dependsOn.empty() ? ""
                                              : " after " + worker::join(stage.dependsOn, ", "))
                  << '\n';
        for (const auto &job : stage.jobs) {
            std::cout << "  " << (job.isDeployment ? "deployment " : "job ") << job.name;
            if (job.environment)
                std::cout << " to " << job.environment->name;
            for (const auto &leg : job.matrix)
                std::cout << (&leg == &job.matrix.front() ? ": " : ", ") << leg.name;
            std::cout << '\n';
            printSteps(job.steps, "    ");
            for (const auto &hook : job.hooks) {
                std::cout << "    " << toString(hook.kind) << ":\n";
                printSteps(hook.steps, "      ");
            }
        }
    }
}

} // namespace cli
