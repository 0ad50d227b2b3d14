#pragma once
/// A problem in a pipeline file: always located, always with a stable code, as many as one pass
/// finds.

#include "schema/model/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pipelines {

enum class Severity : std::uint8_t { Error, Warning };

struct Diagnostic
{
    Severity severity = Severity::Error;
    std::string code; ///< stable, kebab-case: "unexpected-value", "unknown-dependency"
    std::string
        message; ///< one sentence; contains the service's own phrase where one is documented
    schema::SourcePosition position;
    std::uint32_t length = 0; ///< characters to underline; 0: unknown
    std::string hint;         ///< the fix, if known: "did you mean `dependsOn`?"
    std::vector<schema::SourcePosition> includedFrom; ///< innermost template reference first
    bool operator==(const Diagnostic &) const = default;
};

/// A diagnostic of the usual parts; length and include chain are left to the caller.
Diagnostic makeDiagnostic(Severity severity, std::string code, std::string message,
                          schema::SourcePosition position, std::string hint = {});
/// Warnings are collected up to this number of problems, errors up to twice of it, so that a broken
/// loop fills no memory and an error is always among them.
inline constexpr std::size_t kMaxDiagnostics = 1'000;

/// Appends, unless there are too many already; false: it was dropped.
bool append(std::vector<Diagnostic> &diagnostics, Diagnostic diagnostic);
/// True when any of them is an error.
bool hasErrors(const std::vector<Diagnostic> &diagnostics);

} // namespace pipelines
