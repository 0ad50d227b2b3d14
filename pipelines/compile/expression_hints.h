#pragma once
/// What to do about an expression of the run that cannot be read.

#include "pipelines/expr/expression.h"

#include <string>
#include <string_view>

namespace pipelines::compiler {

/// What people write in conditions that is no expression: operators, macros, double quotes. Empty
/// when nothing of the kind is in `text`.
std::string conditionHint(std::string_view text);

/// For a name of `text` that `slot` does not have: where it exists, or the name that was probably
/// meant. Empty when neither is known, or when the error is another one.
std::string nameHint(const expr::ParseError &error, std::string_view text, expr::Slot slot);

} // namespace pipelines::compiler
