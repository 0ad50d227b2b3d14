#pragma once
/// Reading texts out of a tree whose shape was checked already: what is missing or of another shape
/// gives the default.

#include "pipelines/yaml/node.h"
#include "schema/model/plan.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipelines::compiler {

std::string text(const yaml::Node &mapping, std::string_view key, std::string_view otherwise = {});
bool flag(const yaml::Node &mapping, std::string_view key, bool otherwise);
/// A list's texts; a text is a list of one. Null: an empty list.
std::vector<std::string> texts(const yaml::Node *list);
schema::TextMap textMap(const yaml::Node *mapping);
/// Decimal digits only, at most nine of them.
std::optional<std::uint32_t> wholeNumber(std::string_view value);

} // namespace pipelines::compiler
