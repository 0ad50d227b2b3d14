#pragma once
/// Diagnostics for people (source excerpt with a caret), for tools (JSON) and for code scanning
/// (SARIF 2.1.0).

#include "pipelines/base/diagnostic.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Text of a file as messages name it ("/t.yml@alias"), or nothing.
using TextOfFile = std::function<std::optional<std::string>(const std::string &name)>;

std::string diagnosticsAsText(const std::vector<pipelines::Diagnostic> &diagnostics,
                              const TextOfFile &textOfFile);
std::string diagnosticsAsJson(const std::vector<pipelines::Diagnostic> &diagnostics);
std::string diagnosticsAsSarif(const std::vector<pipelines::Diagnostic> &diagnostics);

} // namespace cli
