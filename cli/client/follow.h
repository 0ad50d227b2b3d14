#pragma once
/// Printing the logs of a run, also while it goes on.

#include "cli/client/options.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace cli {

/// Prints the steps' logs of one run, each byte once. Lines of different jobs are told apart by a
/// heading whenever the step changes.
class LogPrinter
{
public:
    /// `job`: only logs of jobs whose name, display name or identifier is this; empty: all.
    LogPrinter(const Connection &server, std::int64_t runId, std::string job);

    /// Prints what is new. `run` is a RunDetail; `onlyLog` 0 or the only log that changed.
    schema::Status update(const nlohmann::json &run, std::int64_t onlyLog = 0);

    /// Whether a job that matches the filter has been seen.
    [[nodiscard]] bool found() const { return m_found; }

private:
    struct Progress
    {
        std::uint64_t offset = 0;
        std::string unfinishedLine;
        bool sealed = false;
    };

    void print(const std::string &heading, Progress &progress, const std::string &bytes);

    const Connection &m_server;
    std::int64_t m_runId;
    std::string m_job;
    std::map<std::int64_t, Progress> m_logs;
    std::string m_heading;
    bool m_found = false;
};

/// Calls `changed` with the newest RunDetail (and the log that changed, or 0) at the start and
/// after every event of the run, until the run is completed; returns the last RunDetail. A server
/// that goes away after the first answer (a restart, a network that fails) is waited for, for a
/// minute from its last answer; standard error tells so.
schema::Result<nlohmann::json> followRun(
    const Connection &server, std::int64_t runId,
    const std::function<schema::Status(const nlohmann::json &run, std::int64_t logId)> &changed);

} // namespace cli
