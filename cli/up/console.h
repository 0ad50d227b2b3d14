#pragma once
/// What `slipway up` says: one line per thing that it does, with the time when it took a second.

#include "cli/up/process.h"

#include <string>

namespace cli {

/// Prints to standard error, so that standard output stays free for `--format json`.
class Console
{
public:
    Console();

    /// "Starting the Docker Engine ..."; ended by done() or by the next begin().
    void begin(const std::string &what);
    /// Ends the line of begin(): " done", or `how`.
    void done(const std::string &how = {});
    /// A line of its own.
    void line(const std::string &text);
    /// Shows on a terminal that time passes.
    [[nodiscard]] Tick tick();

private:
    void endLine(const std::string &how);

    bool m_terminal;
    bool m_open = false;
    std::chrono::seconds m_shown{};
    std::string m_what;
    std::chrono::steady_clock::time_point m_begin;
};

} // namespace cli
