#pragma once
/// Completion inside of expressions and macros.

#include "cli/language_server/cursor.h"
#include "pipelines/expr/functions.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli::language_server {

/// Is a byte of the line inside of `${{ }}`?
bool insideExpression(std::string_view line, std::size_t byte);

/// What kind of expression the text before the cursor ends in: `${{`, `$[`, the value of a
/// `condition`; nothing: in none.
std::optional<pipelines::expr::Slot> slotAt(std::string_view before, const Cursor &cursor);

/// Functions, contexts, and behind `parameters.`, `variables['` ... the names in them. `included`:
/// names of variables that templates bring.
void completeExpression(const std::vector<std::string_view> &lines, std::string_view before,
                        pipelines::expr::Slot slot, const std::vector<std::string> &included,
                        nlohmann::json &out);

/// Variables of the document, those that templates bring, and those that every run has.
/// `inTemplates`: only those known before the run.
void completeVariables(const std::vector<std::string_view> &lines,
                       const std::vector<std::string> &included, bool inTemplates,
                       nlohmann::json &out);

/// Markdown about a variable that every run has; empty: it is none.
std::string hoverOfVariable(std::string_view name);

} // namespace cli::language_server
