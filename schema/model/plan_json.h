#pragma once
/// JSON form of the run plan, version 1. Reading is strict about types and tolerant of missing
/// members, so that a newer reader takes an older writer's plan.

#include "schema/base/result.h"
#include "schema/model/plan.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace schema {

nlohmann::ordered_json toJson(const RunPlan &plan);
nlohmann::ordered_json toJson(const Stage &stage);
nlohmann::ordered_json toJson(const Job &job);
nlohmann::ordered_json toJson(const Step &step);
nlohmann::ordered_json toJson(const Container &container);
nlohmann::ordered_json
toJson(const TextMap &map); ///< list of [name, value] pairs (keeps order and duplicates)

/// Errors: InvalidArgument naming the member ("stages[1].jobs[0].timeoutMinutes: expected text").
Result<RunPlan> runPlanFromJson(const nlohmann::ordered_json &json);
Result<Step> stepFromJson(const nlohmann::ordered_json &json);
Result<Container> containerFromJson(const nlohmann::ordered_json &json);
Result<TextMap> textMapFromJson(const nlohmann::ordered_json &json);

/// Compact text form as stored in the database.
std::string planToText(const RunPlan &plan);
Result<RunPlan> planFromText(std::string_view text);

} // namespace schema
