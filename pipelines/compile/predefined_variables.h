#pragma once
/// The variables that every run has (pipeline-language 17), for the compiler, editors and
/// documents.

#include <cstdint>
#include <span>
#include <string_view>

namespace pipelines {

/// What a template expression finds under the name of a predefined variable.
enum class KnownAt : std::uint8_t {
    Compilation, ///< its value, when the run that is made has one
    Reference, ///< `$(name)`, which the worker expands: a secret, a folder or an address of its own
    Run,       ///< nothing: it has no value before the run
};

struct PredefinedVariable
{
    std::string_view name;
    KnownAt known;
    std::string_view summary;
    std::string_view absent = {}; ///< why no run of Slipway has it; empty: runs have it
};

/// In the order of the alphabet. The table is static.
std::span<const PredefinedVariable> predefinedVariables();

/// The row of that name, ignoring case; null when there is none. Static.
const PredefinedVariable *predefinedVariable(std::string_view name);

} // namespace pipelines
