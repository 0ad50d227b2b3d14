#include "server/store/record_pack.h"

#include "server/store/pack_bytes.h"

namespace server::store {
namespace {

constexpr std::uint64_t kFormat = 1;

/// Texts that nearly every job has. Part of format 1: never change them, make a format 2.
std::vector<std::string> knownTexts(const PackedJob &job)
{
    return {"",
            "[]",
            job.recordId,
            "Initialize job",
            "Finalize Job",
            R"({"id":"","name":"JobExtension","version":""})",
            "Bash",
            R"({"id":"","name":"Bash","version":"3"})",
            "CmdLine",
            R"({"id":"","name":"CmdLine","version":"2"})",
            R"({"id":"","name":"PowerShell","version":"2"})",
            "Checkout",
            R"({"id":"","name":"Docker","version":"2"})",
            R"({"id":"","name":"KubernetesManifest","version":"1"})",
            "Bash1",
            "Bash2",
            "Bash3",
            "Bash4"};
}

std::int64_t since(TimePoint time, TimePoint &last)
{
    const std::int64_t difference = schema::toEpochMillis(time) - schema::toEpochMillis(last);
    last = time;
    return difference;
}

template <typename T> std::optional<std::int64_t> wide(const std::optional<T> &value)
{
    return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
}

template <typename T> std::optional<T> narrow(const std::optional<std::int64_t> &value)
{
    return value ? std::optional(static_cast<T>(*value)) : std::nullopt;
}

} // namespace

Blob packRecords(const PackedJob &job, const std::vector<TimelineRow> &records)
{
    PackWriter out(knownTexts(job));
    out.number(kFormat);
    out.number(records.size());
    TimePoint last = schema::fromEpochMillis(0);
    for (const TimelineRow &row : records) {
        out.guid({row.id});
        out.text(row.parentId);
        out.text(row.name);
        out.text(row.refName);
        out.text(row.identifier);
        out.number(static_cast<std::uint64_t>(row.state));
        out.optional(wide(row.result));
        out.difference(row.ordinal);
        out.text(row.currentOperation);
        out.optional(wide(row.percentComplete));
        out.text(row.workerName);
        out.text(row.taskJson);
        out.text(row.issuesJson);
        out.difference(row.errorCount);
        out.difference(row.warningCount);
        out.optional(wide(row.logId));
        out.optional(row.startedAt ? std::optional(since(*row.startedAt, last)) : std::nullopt);
        out.optional(row.finishedAt ? std::optional(since(*row.finishedAt, last)) : std::nullopt);
        out.number(row.sequence);
        out.difference(row.changeId);
    }
    return out.take();
}

std::vector<TimelineRow> unpackRecords(const PackedJob &job, std::span<const std::uint8_t> pack)
{
    PackReader in(pack, knownTexts(job));
    if (in.number() != kFormat)
        throw SqlError({schema::ErrorCode::Internal,
                        "the pack of an ended job is damaged or of a newer Slipway"});
    std::vector<TimelineRow> records;
    TimePoint last = schema::fromEpochMillis(0);
    const auto time = [&]() -> std::optional<TimePoint> {
        const auto difference = in.optional();
        if (!difference)
            return std::nullopt;
        last = schema::fromEpochMillis(schema::toEpochMillis(last) + *difference);
        return last;
    };
    for (std::uint64_t rest = in.number(); rest > 0; --rest) {
        TimelineRow &row = records.emplace_back();
        row.runId = job.runId;
        row.attempt = job.attempt;
        row.jobId = job.id;
        row.id = in.guid().text;
        row.parentId = in.text();
        row.name = in.text().value_or("");
        row.refName = in.text().value_or("");
        row.identifier = in.text().value_or("");
        row.state = static_cast<schema::RecordState>(in.number());
        row.result = narrow<schema::TaskResult>(in.optional());
        row.ordinal = static_cast<int>(in.difference());
        row.currentOperation = in.text();
        row.percentComplete = narrow<int>(in.optional());
        row.workerName = in.text();
        row.taskJson = in.text().value_or("");
        row.issuesJson = in.text().value_or("[]");
        row.errorCount = static_cast<int>(in.difference());
        row.warningCount = static_cast<int>(in.difference());
        row.logId = narrow<int>(in.optional());
        row.startedAt = time();
        row.finishedAt = time();
        row.sequence = in.number();
        row.changeId = in.difference();
    }
    return records;
}

} // namespace server::store
