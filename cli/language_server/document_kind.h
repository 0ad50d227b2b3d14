#pragma once
/// Is an open document a pipeline or a template?

#include <string_view>
#include <vector>

namespace cli::language_server {

/// Most files of a repository are templates, and nothing in them says so. A pipeline has keys that
/// templates cannot have, or the usual name; a template has parameters, or no body, or a place
/// among templates. `path`: from the root of the repository.
bool looksLikeTemplate(std::string_view path, const std::vector<std::string_view> &lines);

} // namespace cli::language_server
