#pragma once
/// `trigger`, `pr` and `schedules` of the entry file (pipeline-language 5).

#include "pipelines/compile/compiler.h"
#include "pipelines/yaml/node.h"

namespace pipelines::compiler {

/// Reads what is well-formed; the shape is the checker's business.
Triggers readTriggers(const yaml::Node &root);

/// Schedules that never come and patterns that no branch can match.
void checkTriggers(const yaml::Node &root, std::vector<Diagnostic> &diagnostics);

} // namespace pipelines::compiler
