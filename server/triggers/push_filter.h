#pragma once
/// Does a push start a pipeline? Branch, tag and path filters (pipeline-language 5.1) and skip
/// markers (5.3). Pure.

#include "pipelines/compile/compiler.h"

#include <string>
#include <string_view>
#include <vector>

namespace server::triggers {

/// True when a move of `ref` (full name) that changed `changedPaths` (with leading '/') is accepted
/// by the `trigger:` block.
bool matches(const pipelines::Triggers::Push &push, const std::string &ref,
             const std::vector<std::string> &changedPaths);

/// `*`: any run of characters, `/` included; `?`: exactly one. Case-sensitive.
bool matchesWildcard(std::string_view pattern, std::string_view text);

/// True when the message of the head commit asks for no run ("[skip ci]", "***NO_CI***", ...).
bool skipsRuns(std::string_view commitMessage);

} // namespace server::triggers
