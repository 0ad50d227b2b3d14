#pragma once
/// The names that a half-written document declares, found line by line.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cli::language_server {

/// Letters, digits, `_`, `-`, `.`, and everything beyond ASCII.
bool isNameCharacter(char c);

/// Without blanks around it and without its quotes.
std::string_view unquoted(std::string_view text);

/// A name that a line of the document declares: `- name: x`, `- stage: x`, `x: value`.
struct Declared
{
    std::string name;
    std::size_t line = 0, from = 0, to = 0; ///< bytes in the line
};

/// Values of the `keys` (`- stage: A` gives A). `container`: only in lists of this key; empty:
/// anywhere.
std::vector<Declared> declared(const std::vector<std::string_view> &lines,
                               const std::vector<std::string_view> &keys,
                               std::string_view container);

/// Declared parameters.
std::vector<Declared> parameters(const std::vector<std::string_view> &lines);

/// Named variables of lists, and the keys of mappings.
std::vector<Declared> variables(const std::vector<std::string_view> &lines);

/// The references of the templates that bring variables.
std::vector<std::string> variableTemplates(const std::vector<std::string_view> &lines);

} // namespace cli::language_server
