#pragma once
/// Writes a tree as YAML text that reads back to the same data, every scalar as text.

#include "pipelines/yaml/node.h"

#include <string>

namespace pipelines::yaml {

/// Block style, two blanks of indentation; multi-line texts as literal blocks.
std::string write(const Node &node);

} // namespace pipelines::yaml
