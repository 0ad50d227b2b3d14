#include "cli/client/follow.h"

#include "cli/client/lookup.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;

/// How long a server that answered before is waited for, and how often it is tried.
constexpr std::chrono::seconds kPatience(60);
constexpr std::chrono::milliseconds kRetry(250);

const json *recordOf(const json &records, const std::string &id)
{
    for (const json &record : records) {
        if (textOf(record, "id") == id)
            return &record;
    }
    return nullptr;
}

/// From the stage down to the record itself.
std::vector<const json *> pathOf(const json &records, const json &record)
{
    std::vector<const json *> path;
    for (const json *at = &record; at != nullptr && path.size() < 16;
         at = recordOf(records, textOf(*at, "parentId")))
        path.push_back(at);
    std::reverse(path.begin(), path.end());
    return path;
}

bool isNamed(const json &record, const std::string &name)
{
    return textOf(record, "name") == name || textOf(record, "identifier") == name ||
           textOf(record, "refName") == name;
}

struct StepLog
{
    std::vector<std::int64_t> order; ///< the records' `order` from the stage down
    std::string heading;
    std::int64_t logId = 0;
    bool wanted = true;
};

/// The logs of all steps, in the order in which the pipeline names them.
std::vector<StepLog> stepLogs(const json &run, const std::string &job)
{
    std::vector<StepLog> logs;
    const json &records = memberOf(run, "records");
    for (const json &record : records) {
        if (textOf(record, "type") != "Task" || !memberOf(record, "log").is_object())
            continue;
        StepLog log;
        log.logId = numberOf(memberOf(record, "log"), "id");
        log.wanted = job.empty();
        for (const json *part : pathOf(records, record)) {
            log.order.push_back(numberOf(*part, "order"));
            const std::string type = textOf(*part, "type");
            if (type == "Phase") // shown by its job
                continue;
            log.wanted = log.wanted || (type == "Job" && isNamed(*part, job));
            log.heading +=
                fmt::format("{}{}", log.heading.empty() ? "" : " / ", textOf(*part, "name"));
        }
        logs.push_back(std::move(log));
    }
    std::sort(logs.begin(), logs.end(), [](const StepLog &a, const StepLog &b) {
        return std::tie(a.order, a.logId) < std::tie(b.order, b.logId);
    });
    return logs;
}

} // namespace

LogPrinter::LogPrinter(const Connection &server, std::int64_t runId, std::string job)
    : m_server(server)
    , m_runId(runId)
    , m_job(std::move(job))
{}

schema::Status LogPrinter::update(const json &run, std::int64_t onlyLog)
{
    for (const StepLog &log : stepLogs(run, m_job)) {
        if (!log.wanted)
            continue;
        m_found = true;
        Progress &progress = m_logs[log.logId];
        if (progress.sealed || (onlyLog != 0 && onlyLog != log.logId))
            continue;
        for (;;) {
            ASSIGN_OR_RETURN(const LogPart part, m_server.client.log(m_server.project, m_runId,
                                                                     log.logId, progress.offset));
            progress.offset += part.bytes.size();
            progress.sealed = part.sealed && part.bytes.empty();
            print(log.heading, progress, part.bytes);
            if (part.bytes.empty())
                break;
        }
    }
    return {};
}

void LogPrinter::print(const std::string &heading, Progress &progress, const std::string &bytes)
{
    progress.unfinishedLine += bytes;
    // A line of another job must not be put into the middle of one, so only whole lines go out; the
    // last line of a log that is complete may lack its new-line.
    std::size_t end = progress.unfinishedLine.rfind('\n');
    end = end == std::string::npos ? 0 : end + 1;
    std::string text = progress.unfinishedLine.substr(0, end);
    progress.unfinishedLine.erase(0, end);
    if (progress.sealed && !progress.unfinishedLine.empty())
        text += std::exchange(progress.unfinishedLine, {}) + '\n';
    if (text.empty())
        return;
    if (m_heading != heading)
        std::cout << "== " << heading << '\n';
    m_heading = heading;
    std::cout << text << std::flush;
}

schema::Result<json>
followRun(const Connection &server, std::int64_t runId,
          const std::function<schema::Status(const json &run, std::int64_t logId)> &changed)
{
    using std::chrono::steady_clock;
    json run;
    schema::Status problem;
    std::optional<steady_clock::time_point> lastAnswer;
    bool waiting = false;
    const auto refresh = [&](std::int64_t logId) {
        auto detail = runDetail(server, runId);
        if (!detail) {
            problem = detail.error();
            return false;
        }
        run = std::move(detail).value();
        lastAnswer = steady_clock::now();
        if (std::exchange(waiting, false))
            std::cerr << "slipway: the server is back\n";
        problem = changed(run, logId);
        return problem.has_value() && textOf(run, "status") != "completed";
    };
    const auto onEvent = [&](std::string_view name, const json &data) {
        // The stream is open before the run is read for the first time, so no change falls
        // between; after a gap ("reset") everything is read again.
        if (name == "open" || name == "reset")
            return refresh(0);
        if (name == "run" && numberOf(data, "runId") == runId)
            return refresh(0);
        if (name == "log" && numberOf(data, "runId") == runId)
            return refresh(numberOf(data, "logId"));
        if (name == "ping")
            lastAnswer = steady_clock::now();
        return true;
    };
    for (;;) {
        problem = {};
        const schema::Status stream = server.client.events(server.project, onEvent);
        const schema::Status &outcome = problem ? stream : problem;
        if (outcome)
            return run;
        if (outcome.error().code != schema::ErrorCode::Unavailable || !lastAnswer ||
            steady_clock::now() - *lastAnswer > kPatience)
            return outcome.error();
        if (!std::exchange(waiting, true))
            std::cerr << fmt::format("slipway: {}; waiting for it\n", outcome.error().message);
        std::this_thread::sleep_for(kRetry); // between two attempts, so as not to storm the server
    }
}

} // namespace cli
