#include "schema/protocol/job_resources.h"

#include "schema/protocol/fields.h"

#include <nlohmann/json.hpp>

namespace schema::protocol {
namespace {

template <typename T> Result<T> finish(const Fields &fields, T value)
{
    if (auto status = fields.status(); !status)
        return status.error();
    return value;
}

} // namespace

Json toJson(const CoverageUpload &coverage)
{
    Json statistics = Json::array();
    for (const auto &one : coverage.statistics)
        statistics.push_back(
            {{"label", one.label}, {"covered", one.covered}, {"total", one.total}});
    return {{"key", coverage.key}, {"tool", coverage.tool}, {"statistics", std::move(statistics)}};
}

Result<CoverageUpload> coverageUploadFromJson(const Json &json)
{
    CoverageUpload out;
    Fields fields(json, "");
    fields.text("key", out.key, Need::Required);
    fields.text("tool", out.tool);
    fields.list("statistics", [&out](const Json &element, const std::string &path) {
        CoverageStatistic &one = out.statistics.emplace_back();
        Fields members(element, path + ".");
        members.text("label", one.label, Need::Required);
        members.integer("covered", one.covered);
        members.integer("total", one.total);
        if (!members.failed() && (one.covered < 0 || one.total < one.covered))
            members.fail("covered", "expected a number from 0 to total");
        return members.status();
    });
    return finish(fields, std::move(out));
}

Json toJson(const RunQuery &query)
{
    return {{"pipeline", query.pipeline},
            {"runId", query.runId},
            {"branch", query.branch},
            {"tags", query.tags},
            {"partiallySucceeded", query.partiallySucceeded},
            {"failed", query.failed},
            {"preferTriggering", query.preferTriggering}};
}

Result<RunQuery> runQueryFromJson(const Json &json)
{
    RunQuery out;
    Fields fields(json, "");
    fields.text("pipeline", out.pipeline);
    fields.integer("runId", out.runId);
    fields.text("branch", out.branch);
    fields.texts("tags", out.tags);
    fields.boolean("partiallySucceeded", out.partiallySucceeded);
    fields.boolean("failed", out.failed);
    fields.boolean("preferTriggering", out.preferTriggering);
    return finish(fields, std::move(out));
}

Json toJson(const RunFound &found)
{
    return {{"runId", found.runId}, {"number", found.number}};
}

Result<RunFound> runFoundFromJson(const Json &json)
{
    RunFound out;
    Fields fields(json, "");
    fields.integer("runId", out.runId, Need::Required);
    fields.text("number", out.number);
    return finish(fields, std::move(out));
}

} // namespace schema::protocol
