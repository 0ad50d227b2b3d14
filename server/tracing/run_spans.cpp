#include "server/tracing/run_spans.h"

#include "schema/base/guid.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace server::tracing {
namespace {

using Json = nlohmann::ordered_json;
using schema::RecordType;
using schema::TaskResult;
using schema::TimePoint;

/// Hexadecimal digits of a GUID made of a name, as many as wanted.
std::string hexId(const std::string &space, const std::string &name, std::size_t digits)
{
    std::string out = schema::nameGuid(space, name);
    std::erase(out, '-');
    return out.substr(0, digits);
}

std::string nanoseconds(TimePoint time)
{
    return std::to_string(schema::toEpochMillis(time)) + "000000";
}

Json text(const char *key, const std::string &value)
{
    return {{"key", key}, {"value", {{"stringValue", value}}}};
}

Json number(const char *key, std::int64_t value)
{
    // 64-bit integers are text in the JSON encoding of protocol buffers.
    return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

/// Words of the semantic conventions for the result of a pipeline run and its tasks.
const char *resultWord(TaskResult result)
{
    switch (result) {
    case TaskResult::Succeeded:
    case TaskResult::SucceededWithIssues:
        return "success";
    case TaskResult::Canceled:
        return "cancellation";
    case TaskResult::Skipped:
        return "skip";
    case TaskResult::Abandoned:
        return "error";
    default:
        return "failure";
    }
}

const char *resultWord(schema::RunResult result)
{
    switch (result) {
    case schema::RunResult::Succeeded:
    case schema::RunResult::PartiallySucceeded:
        return "success";
    case schema::RunResult::Canceled:
        return "cancellation";
    default:
        return "failure";
    }
}

const char *kindWord(RecordType type)
{
    switch (type) {
    case RecordType::Stage:
        return "stage";
    case RecordType::Job:
        return "job";
    default:
        return "step";
    }
}

bool isSpan(const store::TimelineRow &record)
{
    return (record.type == RecordType::Stage || record.type == RecordType::Job ||
            record.type == RecordType::Task) &&
           record.startedAt && record.finishedAt;
}

class Builder
{
public:
    Builder(const scheduler::RunDetail &run, const std::string &serverUrl)
        : m_run(run)
        , m_serverUrl(serverUrl)
        , m_traceId(hexId(run.run.planId, "trace", 32))
        , m_rootId(hexId(run.run.planId, "run", 16))
    {
        for (const auto &record : run.records)
            m_records[{record.id, record.attempt}] = &record;
    }

    Json root() const
    {
        const auto &run = m_run.run;
        Json span = base(m_rootId, run.pipelineName, *run.startedAt, *run.finishedAt);
        span["attributes"] = Json::array(
            {text("cicd.pipeline.name", run.pipelineName), number("cicd.pipeline.run.id", run.id),
             text("cicd.pipeline.result", resultWord(run.result)),
             text("slipway.run.number", run.number),
             text("slipway.run.reason", std::string(schema::toString(run.reason))),
             text("vcs.ref.head.name", run.sourceBranch),
             text("vcs.ref.head.revision", run.sourceVersion)});
        if (!m_serverUrl.empty())
            span["attributes"].push_back(text("cicd.pipeline.run.url.full",
                                              m_serverUrl + "/runs/" + std::to_string(run.id)));
        if (run.result == schema::RunResult::Failed)
            span["status"] = {{"code", 2}, {"message", m_run.sentence}};
        return span;
    }

    Json span(const store::TimelineRow &record) const
    {
        Json span = base(idOf(record), record.name, *record.startedAt, *record.finishedAt);
        span["parentSpanId"] = parentOf(record);
        span["attributes"] = Json::array({text("cicd.pipeline.task.name", record.name),
                                          text("cicd.pipeline.task.run.id", record.id),
                                          text("slipway.record.type", kindWord(record.type)),
                                          number("slipway.record.attempt", record.attempt)});
        if (!record.identifier.empty())
            span["attributes"].push_back(text("slipway.record.identifier", record.identifier));
        if (record.workerName)
            span["attributes"].push_back(text("cicd.worker.name", *record.workerName));
        if (record.result) {
            span["attributes"].push_back(
                text("cicd.pipeline.task.run.result", resultWord(*record.result)));
            if (*record.result == TaskResult::Failed || *record.result == TaskResult::Abandoned)
                span["status"] = {{"code", 2}};
        }
        return span;
    }

private:
    Json base(const std::string &id, const std::string &name, TimePoint from, TimePoint to) const
    {
        // A clock that was set back meanwhile must not give a span of negative length.
        return {{"traceId", m_traceId},
                {"spanId", id},
                {"name", name},
                {"kind", 1},
                {"startTimeUnixNano", nanoseconds(from)},
                {"endTimeUnixNano", nanoseconds(std::max(from, to))}};
    }

    std::string idOf(const store::TimelineRow &record) const
    {
        return hexId(m_run.run.planId, record.id + "#" + std::to_string(record.attempt), 16);
    }

    /// The nearest record above that is a span; the run itself at last.
    std::string parentOf(const store::TimelineRow &record) const
    {
        const store::TimelineRow *at = &record;
        for (int depth = 0; depth < 10 && at->parentId; ++depth) {
            const auto above = find(*at->parentId, record.attempt);
            if (!above)
                break;
            if (isSpan(**above))
                return idOf(**above);
            at = *above;
        }
        return m_rootId;
    }

    /// The record in this attempt, else in the newest one before: what succeeded is not run again.
    std::optional<const store::TimelineRow *> find(const std::string &id, int attempt) const
    {
        for (int one = attempt; one > 0; --one)
            if (const auto found = m_records.find({id, one}); found != m_records.end())
                return found->second;
        return std::nullopt;
    }

    const scheduler::RunDetail &m_run;
    const std::string &m_serverUrl;
    std::string m_traceId, m_rootId;
    std::map<std::pair<std::string, int>, const store::TimelineRow *> m_records;
};

std::string bodyOf(Json spans)
{
    const Json resource{{"attributes", Json::array({text("service.name", "slipway"),
                                                    text("service.version", SLIPWAY_VERSION)})}};
    const Json scope{{"scope", {{"name", "slipway"}, {"version", SLIPWAY_VERSION}}},
                     {"spans", std::move(spans)}};
    const Json body{{"resourceSpans", Json::array({{{"resource", resource},
                                                    {"scopeSpans", Json::array({scope})}}})}};
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::vector<std::string> otlpBodies(const scheduler::RunDetail &run, const std::string &serverUrl,
                                    std::size_t spansPerBody)
{
    std::vector<std::string> bodies;
    if (!run.run.startedAt || !run.run.finishedAt)
        return bodies;
    const Builder builder(run, serverUrl);
    Json spans = Json::array({builder.root()});
    for (const auto &record : run.records) {
        if (!isSpan(record))
            continue;
        if (spans.size() >= spansPerBody)
            bodies.push_back(bodyOf(std::exchange(spans, Json::array())));
        spans.push_back(builder.span(record));
    }
    bodies.push_back(bodyOf(std::move(spans)));
    return bodies;
}

} // namespace server::tracing
