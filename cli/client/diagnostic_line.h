#pragma once
/// Diagnostics of a pipeline as the API gives them, for the terminal.

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace cli {

/// "/azure-pipelines.yml:3:5: error: unknown key (did you mean ...)". Without the place when there
/// is none (a value given to the call), without the hint when there is none.
std::string diagnosticLine(const nlohmann::json &diagnostic);

} // namespace cli
