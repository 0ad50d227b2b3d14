#include "pipelines/base/diagnostic.h"

#include <algorithm>

namespace pipelines {

Diagnostic makeDiagnostic(Severity severity, std::string code, std::string message,
                          schema::SourcePosition position, std::string hint)
{
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.code = std::move(code);
    diagnostic.message = std::move(message);
    diagnostic.position = std::move(position);
    diagnostic.hint = std::move(hint);
    return diagnostic;
}

bool append(std::vector<Diagnostic> &diagnostics, Diagnostic diagnostic)
{
    const std::size_t most =
        diagnostic.severity == Severity::Error ? 2 * kMaxDiagnostics : kMaxDiagnostics;
    if (diagnostics.size() >= most)
        return false;
    diagnostics.push_back(std::move(diagnostic));
    return true;
}

bool hasErrors(const std::vector<Diagnostic> &diagnostics)
{
    return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic &diagnostic) {
        return diagnostic.severity == Severity::Error;
    });
}

} // namespace pipelines
