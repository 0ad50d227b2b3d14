#pragma once
/// The worker's half of the language: macros in texts and conditions of steps (pipeline-language
/// 12, 13).

#include "schema/base/result.h"
#include "schema/model/states.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pipelines::run {

/// Finds a variable by name (ignoring case); nothing when it is not set.
using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Replaces every `$(name)`; unknown names stay as they are; values are expanded again up to a
/// fixed depth, recursion is left as text (the agent's rules, pipeline-language 12).
std::string expandMacros(std::string_view text, const VariableLookup &lookup);

/// Status a step condition is evaluated against.
struct StepStatus
{
    schema::TaskResult jobResult = schema::TaskResult::Succeeded; ///< so far
    bool canceled = false;
};

struct ConditionOutcome
{
    bool run = false;
    std::string trace; ///< "and(succeeded(), eq(...)) => False", shown in the log
};

/// Evaluates a step's condition; empty text means succeeded(). Errors: InvalidArgument with
/// position and reason.
schema::Result<ConditionOutcome> evaluateStepCondition(std::string_view condition,
                                                       const StepStatus &status,
                                                       const VariableLookup &lookup);

} // namespace pipelines::run
