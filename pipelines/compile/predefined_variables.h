#pragma once
/// The variables that every run has (pipeline-language 17), for editors and documents.

#include <span>
#include <string_view>

namespace pipelines {

struct PredefinedVariable
{
    std::string_view name;
    bool inTemplates; ///< known before the run: may be read in `${{ }}`
    std::string_view summary;
};

/// In the order of the alphabet. The table is static.
std::span<const PredefinedVariable> predefinedVariables();

} // namespace pipelines
