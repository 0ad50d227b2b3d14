#pragma once
/// The outline of one text.

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace cli::language_server {

/// `DocumentSymbol[]`: parameters, variables, stages, jobs, steps; also those that an `extends`
/// gives to its template. Empty when the text is no YAML.
nlohmann::json symbolsOf(std::string_view text);

} // namespace cli::language_server
