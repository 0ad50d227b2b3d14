// Logs: their bytes, their lines, and what is found in them.
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ostream>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

/// How long one call may search before it answers with where to go on.
constexpr std::chrono::milliseconds kSearchTime{1500};
constexpr std::int64_t kMostMatches = 1000;

/// Log of a call; the run must be the project's.
Result<logs::LogKey> logOf(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto id, call.id("logId"));
    if (id > INT32_MAX)
        return {ErrorCode::NotFound, "no log " + std::to_string(id)};
    return logs::LogKey{run.id, static_cast<int>(id)};
}

/// Bytes of a log that are read and sent at a time.
constexpr std::uint64_t kPiece = 256U << 10U;

Result<Reply> logBytes(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto key, logOf(call, services));
    ASSIGN_OR_RETURN(const auto offset, call.query().number("offset", 0, INT64_MAX));
    ASSIGN_OR_RETURN(const auto length, services.logs.length(key));
    const auto from = std::min(static_cast<std::uint64_t>(offset.value_or(0)), length.bytes);
    Reply reply;
    reply.contentType = "text/plain; charset=utf-8";
    reply.with("X-Slipway-Length", std::to_string(length.bytes))
        .with("X-Slipway-Sealed", length.sealed ? "1" : "0");
    reply.streamLength = length.bytes - from;
    Services *all = &services;
    const std::uint64_t end = length.bytes; // bytes that come meanwhile are for the next call
    reply.stream = [all, key, from, end](std::ostream &out) -> Status {
        for (auto at = from; at < end;) {
            const auto wanted = std::min(kPiece, end - at);
            ASSIGN_OR_RETURN(const auto bytes,
                             all->logs.read(key, at, static_cast<std::size_t>(wanted)));
            if (bytes.empty())
                return {ErrorCode::Io, "the log became shorter"};
            out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            at += bytes.size();
        }
        return {};
    };
    return reply;
}

Result<Reply> searchOne(Call &call, Services &services, const logs::LogKey &key,
                        const std::string &text, std::uint64_t from)
{
    ASSIGN_OR_RETURN(const auto count, call.query().number("count", 1, kMostMatches));
    logs::SearchBounds bounds;
    bounds.matches = static_cast<std::size_t>(count.value_or(100));
    bounds.until = std::chrono::steady_clock::now() + kSearchTime;
    ASSIGN_OR_RETURN(const auto found, services.logs.search(key, text, from, bounds));
    Json matches = Json::array();
    for (const auto &match : found.matches)
        matches.push_back({{"line", match.line}, {"text", match.text}});
    Json out{{"from", from},
             {"total", found.total},
             {"sealed", found.sealed},
             {"matches", std::move(matches)}};
    if (found.next)
        out["next"] = *found.next;
    return Reply::json(out);
}

Result<Reply> logLines(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto key, logOf(call, services));
    ASSIGN_OR_RETURN(const auto begin, call.query().number("from", 0, INT64_MAX));
    auto from = static_cast<std::uint64_t>(begin.value_or(0));
    if (const auto at = call.query().text("at"); !at.empty()) {
        const auto time = schema::parseIso8601(at);
        if (!time)
            return {ErrorCode::InvalidArgument, "'at': " + time.error().message};
        ASSIGN_OR_RETURN(const auto line, services.logs.lineAt(key, *time));
        from = std::max(from, line);
    }
    if (const auto text = call.query().text("search"); !text.empty())
        return searchOne(call, services, key, text, from);
    ASSIGN_OR_RETURN(const auto count, call.query().number("count", 1, 20000));
    ASSIGN_OR_RETURN(
        const auto piece,
        services.logs.lines(key, from, static_cast<std::uint64_t>(count.value_or(1000))));
    return Reply::json({{"from", piece.from},
                        {"total", piece.total},
                        {"sealed", piece.sealed},
                        {"lines", piece.lines}});
}

/// Where a search across runs goes on: in this run or, when it was deleted meanwhile, the next
/// older one.
struct SearchPlace
{
    std::int64_t runId = INT64_MAX - 1;
    logs::RunPlace place;
};

std::string tokenOf(const SearchPlace &at)
{
    return std::to_string(at.runId) + '.' + std::to_string(at.place.logId) + '.' +
           std::to_string(at.place.line);
}

Result<SearchPlace> placeOf(const std::string &token)
{
    SearchPlace out;
    if (token.empty())
        return out;
    const char *at = token.data();
    const char *end = at + token.size();
    const auto number = [&at, end](auto &value, bool last) {
        const auto [stop, problem] = std::from_chars(at, end, value);
        at = last || stop == end ? stop : stop + 1;
        return problem == std::errc() && (last ? stop == end : stop != end && *stop == '.');
    };
    if (!number(out.runId, false) || !number(out.place.logId, false) ||
        !number(out.place.line, true) || out.runId < 0 || out.runId == INT64_MAX ||
        out.place.logId < 0)
        return {ErrorCode::InvalidArgument,
                "'continuationToken' must be one that a search answered"};
    return out;
}

/// The newest runs first.
Result<Reply> searchRuns(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    const auto text = call.query().text("search");
    if (text.empty())
        return {ErrorCode::InvalidArgument, "'search' must name the text to search for"};
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, kMostMatches));
    const auto most = static_cast<std::size_t>(top.value_or(100));
    ASSIGN_OR_RETURN(const SearchPlace begin, placeOf(call.query().text("continuationtoken")));
    store::RunFilter filter;
    filter.projectId = project.id;
    filter.top = 50;
    filter.beforeId = begin.runId + 1;
    ASSIGN_OR_RETURN(filter.pipelineId, call.query().number("pipelineid", 1, INT64_MAX));
    logs::SearchBounds bounds;
    bounds.until = std::chrono::steady_clock::now() + kSearchTime;
    Json list = Json::array();
    for (;;) {
        ASSIGN_OR_RETURN(const auto page, services.runs.list(filter));
        for (const auto &run : page) {
            const auto from = run.id == begin.runId ? begin.place : logs::RunPlace();
            bounds.matches = most - list.size();
            ASSIGN_OR_RETURN(const auto found, services.logs.searchRun(run.id, text, from, bounds));
            for (const auto &match : found.matches)
                list.push_back({{"runId", run.id},
                                {"runNumber", run.number},
                                {"logId", match.logId},
                                {"recordId", match.recordId},
                                {"line", match.line},
                                {"text", match.text}});
            if (found.next)
                return Reply::list(std::move(list), tokenOf({run.id, *found.next}));
            if (list.size() >= most || std::chrono::steady_clock::now() >= bounds.until)
                return Reply::list(std::move(list), tokenOf({run.id - 1, {}}));
        }
        if (page.size() < static_cast<std::size_t>(filter.top))
            return Reply::list(std::move(list), {});
        filter.beforeId = page.back().id;
    }
}

} // namespace

void addLogRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    const std::string base = "{project}/_apis/slipway/";
    router.add("GET", base + "logs", bind(searchRuns));
    router.add("GET", base + "logs/{runId}/{logId}", bind(logBytes));
    router.add("GET", base + "logs/{runId}/{logId}/lines", bind(logLines));
}

} // namespace server::http
