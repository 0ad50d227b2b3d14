#pragma once
/// What each stable code of a diagnostic means; docs/compatibility.md shows this table.

#include <span>
#include <string_view>

namespace pipelines {

struct DiagnosticCode
{
    std::string_view code;
    bool isError = true;      ///< some problems of this code make the file invalid
    bool isWarning = false;   ///< some of them do not
    std::string_view meaning; ///< one sentence without a full stop
};

/// All codes, in alphabetical order. The table lives as long as the program; any thread.
std::span<const DiagnosticCode> diagnosticCodes();
/// The meaning of one code; empty for a code that does not exist.
std::string_view meaningOf(std::string_view code);

} // namespace pipelines
