#pragma once
/// What an editor asks about one text: completion, hover, definitions, symbols. Pure.

#include "schema/tasks/task_definition.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli::language_server {

struct Place
{
    std::size_t line = 0; ///< 0-based
    std::size_t byte = 0; ///< in the line
};

/// Items for `textDocument/completion`. `templateText`: of the template whose arguments hold the
/// place (referenceOfArguments()), if it is known. `paths`: what a path of a template
/// (typedTemplatePath()) may go on with: files, and folders with a slash at the end. `included`:
/// names of the variables that templates bring (variableTemplates()).
nlohmann::json completionsAt(const std::vector<std::string_view> &lines, Place place,
                             const schema::TaskCatalogue &tasks,
                             const std::string *templateText = nullptr,
                             const std::vector<std::string> &paths = {},
                             const std::vector<std::string> &included = {});

/// What stands between `template: ` and the place; nothing when it is elsewhere.
std::optional<std::string> typedTemplatePath(const std::vector<std::string_view> &lines,
                                             Place place);

/// Markdown about what stands there; empty: nothing to say.
std::string hoverAt(const std::vector<std::string_view> &lines, Place place,
                    const schema::TaskCatalogue &tasks, const std::string *templateText = nullptr);

/// What a definition request leads to.
struct Target
{
    std::string reference;        ///< a template path as written, or empty
    std::size_t line = 0;         ///< in this document, when there is no reference
    std::size_t from = 0, to = 0; ///< bytes of the name there
    std::string parameter;        ///< of the template that is meant; empty: the file as a whole
};

std::optional<Target> definitionAt(const std::vector<std::string_view> &lines, Place place);

} // namespace cli::language_server
