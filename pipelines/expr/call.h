#pragma once
/// The functions whose arguments are always all evaluated (private to pipelines/expr).

#include "pipelines/expr/functions.h"
#include "pipelines/expr/value.h"

#include <string_view>
#include <vector>

namespace pipelines::expr {

/// Longest text a function may produce, bytes: nested replace() and join() must not explode.
inline constexpr std::size_t kMaxTextBytes = 10U << 20U;
/// What is said about longer ones.
inline constexpr std::string_view kTooLarge = "Maximum object size exceeded";
/// Elements that split() may make: with their texts, less than what the files of a pipeline may be.
inline constexpr std::size_t kMostParts = 1'000'000;

/// Throws EvaluationError. The number of arguments was checked by the parser.
Value callFunction(Function function, const std::vector<Value> &arguments);

} // namespace pipelines::expr
