#pragma once
/// Arguments of a template reference: what the template declares, completed, shown and found.

#include "cli/language_server/cursor.h"
#include "cli/language_server/features.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli::language_server {

/// The template path as written (`steps/a.yml@tools`) whose `parameters` hold this place; empty:
/// the place is no argument.
std::string referenceOfArguments(const std::vector<std::string_view> &lines, Place place);

/// Parameters of the template that are not given yet, or what the one being written may be. False:
/// there is no template, and nothing was done.
bool completeArguments(const std::string *templateText, const Cursor &cursor, nlohmann::json &out);

/// Markdown about a parameter of the template; empty: it declares none of that name.
std::string hoverOfArgument(const std::string &templateText, std::string_view name);

/// Where the template declares a parameter.
std::optional<Target> declarationOfArgument(const std::string &templateText, std::string_view name);

} // namespace cli::language_server
