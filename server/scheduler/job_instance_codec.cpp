#include "server/scheduler/job_instance_codec.h"

#include "schema/model/plan_json.h"

#include <nlohmann/json.hpp>

#include <array>

namespace server::scheduler {
namespace {

using Json = nlohmann::ordered_json;
using pipelines::run::JobInstance;
using schema::Error;
using schema::ErrorCode;
using schema::HookKind;

constexpr std::array kHooks{HookKind::PreDeploy,        HookKind::Deploy,    HookKind::RouteTraffic,
                            HookKind::PostRouteTraffic, HookKind::OnFailure, HookKind::OnSuccess};

} // namespace

std::string instanceToText(const JobInstance &instance)
{
    Json json{
        {"stage", instance.stage},
        {"job", instance.job},
        {"name", instance.name},
        {"displayName", instance.displayName},
        {"identifier", instance.identifier},
        {"hook", instance.hook ? std::string(schema::toString(*instance.hook)) : std::string()},
        {"position", instance.position},
        {"total", instance.total},
        {"pool",
         {{"name", instance.pool.name},
          {"vmImage", instance.pool.vmImage},
          {"demands", instance.pool.demands},
          {"server", instance.pool.server}}},
        {"timeoutMinutes", instance.timeoutMinutes},
        {"cancelTimeoutMinutes", instance.cancelTimeoutMinutes},
        {"continueOnError", instance.continueOnError}};
    if (instance.container)
        json["container"] = schema::toJson(*instance.container);
    Json steps = Json::array();
    for (const schema::Step &step : instance.steps)
        steps.push_back(schema::toJson(step));
    json["steps"] = std::move(steps);
    Json variables = Json::array();
    for (const auto &variable : instance.variables)
        variables.push_back({variable.name, variable.value, variable.isSecret, variable.readOnly});
    json["variables"] = std::move(variables);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

schema::Result<JobInstance> instanceFromText(std::string_view text)
{
    try {
        const Json json = Json::parse(text);
        JobInstance instance;
        instance.stage = json.at("stage");
        instance.job = json.at("job");
        instance.name = json.at("name");
        instance.displayName = json.at("displayName");
        instance.identifier = json.at("identifier");
        const std::string hook = json.at("hook");
        for (const HookKind kind : kHooks) {
            if (hook == schema::toString(kind))
                instance.hook = kind;
        }
        instance.position = json.at("position");
        instance.total = json.at("total");
        const Json &pool = json.at("pool");
        instance.pool = {pool.at("name"), pool.at("vmImage"),
                         pool.at("demands").get<std::vector<std::string>>(), pool.at("server")};
        instance.timeoutMinutes = json.at("timeoutMinutes");
        instance.cancelTimeoutMinutes = json.at("cancelTimeoutMinutes");
        instance.continueOnError = json.at("continueOnError");
        if (json.contains("container")) {
            ASSIGN_OR_RETURN(instance.container, schema::containerFromJson(json.at("container")));
        }
        for (const Json &step : json.at("steps")) {
            ASSIGN_OR_RETURN(schema::Step read, schema::stepFromJson(step));
            instance.steps.push_back(std::move(read));
        }
        for (const Json &variable : json.at("variables"))
            instance.variables.push_back(
                {variable.at(0), variable.at(1), variable.at(2), variable.at(3)});
        return instance;
    } catch (const Json::exception &error) {
        return Error{ErrorCode::Internal, std::string("stored job instance: ") + error.what()};
    }
}

std::string outputsToText(const std::vector<schema::protocol::OutputVariable> &outputs)
{
    Json list = Json::array();
    for (const auto &output : outputs)
        list.push_back({output.step, output.name, output.value});
    return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

schema::Result<std::vector<schema::protocol::OutputVariable>> outputsFromText(std::string_view text)
{
    try {
        std::vector<schema::protocol::OutputVariable> outputs;
        for (const Json &output : Json::parse(text))
            outputs.push_back({output.at(0), output.at(1), output.at(2), true});
        return outputs;
    } catch (const Json::exception &error) {
        return Error{ErrorCode::Internal, std::string("stored outputs: ") + error.what()};
    }
}

std::string pairsToText(const std::vector<std::pair<std::string, std::string>> &pairs)
{
    Json list = Json::array();
    for (const auto &[name, value] : pairs)
        list.push_back({name, value});
    return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

schema::Result<std::vector<std::pair<std::string, std::string>>>
pairsFromText(std::string_view text)
{
    try {
        std::vector<std::pair<std::string, std::string>> pairs;
        for (const Json &pair : Json::parse(text))
            pairs.emplace_back(pair.at(0), pair.at(1));
        return pairs;
    } catch (const Json::exception &error) {
        return Error{ErrorCode::Internal, std::string("stored root variables: ") + error.what()};
    }
}

} // namespace server::scheduler
