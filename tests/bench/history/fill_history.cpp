// Fills a database with copies of one finished run, by the store's own code: what a server looks
// like after years.
//   fill_history DATABASE RUN COPIES
#include "schema/base/guid.h"
#include "server/store/log_chunk_store.h"
#include "server/store/run_store.h"
#include "server/store/timeline_store.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace server::store;
using schema::Status;

struct Template
{
    RunRow run;
    std::vector<StageRow> stages;
    std::vector<PhaseRow> phases;
    std::vector<JobRow> jobs;
    std::vector<TimelineRow> records;
    std::vector<LogRow> logs;
    std::vector<std::pair<LogChunkRow, std::string>> chunks;
};

schema::Result<Template> load(Connection &connection, std::int64_t id)
{
    Template out;
    RunStore runs(connection);
    const auto run = runs.find(id);
    if (!run || run->status != schema::RunStatus::Completed)
        return {schema::ErrorCode::NotFound, "no finished run " + std::to_string(id)};
    out.run = *run;
    out.stages = runs.stages(id);
    out.phases = runs.phases(id);
    out.jobs = runs.jobs(id);
    TimelineStore timeline(connection);
    out.records = timeline.list(id);
    out.logs = timeline.logs(id);
    LogChunkStore chunks(connection);
    for (const LogRow &log : out.logs) {
        for (auto row = chunks.find(id, log.logId, 0); row;
             row = chunks.find(id, log.logId, row->endByte()))
            out.chunks.emplace_back(*row, chunks.data(*row));
    }
    return out;
}

void copy(Connection &connection, const Template &from, std::int64_t number)
{
    RunStore runs(connection);
    TimelineStore timeline(connection);
    LogChunkStore chunks(connection);
    RunRow run = from.run;
    run.planId = schema::randomGuid();
    const auto fresh = [&](const std::string &id) { return schema::nameGuid(run.planId, id); };
    run.number = from.run.number + "." + std::to_string(number);
    run.id = runs.insert(run);
    runs.update(run);
    for (StageRow row : from.stages) {
        row.runId = run.id;
        row.recordId = fresh(row.recordId);
        runs.put(row);
    }
    for (PhaseRow row : from.phases) {
        row.runId = run.id;
        row.recordId = fresh(row.recordId);
        runs.put(row);
    }
    for (JobRow row : from.jobs) {
        row.runId = run.id;
        row.id = fresh(row.id);
        row.recordId = fresh(row.recordId);
        std::generate(row.tokenHash.begin(), row.tokenHash.end(),
                      [] { return static_cast<std::uint8_t>(std::rand()); });
        runs.put(row);
    }
    for (TimelineRow row : from.records) {
        row.runId = run.id;
        row.id = fresh(row.id);
        if (row.parentId)
            row.parentId = fresh(*row.parentId);
        if (row.jobId)
            row.jobId = fresh(*row.jobId);
        if (row.type != schema::RecordType::Task) {
            timeline.put(row);
            continue;
        }
        schema::protocol::RecordUpdate update;
        update.id = row.id;
        update.parentId = row.parentId.value_or("");
        update.sequence = row.sequence;
        update.name = row.name;
        update.refName = row.refName;
        update.order = row.ordinal;
        update.state = row.state;
        update.result = row.result;
        update.percentComplete = row.percentComplete;
        update.workerName = row.workerName;
        update.startTime = row.startedAt;
        update.finishTime = row.finishedAt;
        update.taskName = "Bash";
        update.taskVersion = "3";
        timeline.merge(run.id, row.attempt, row.jobId.value_or(""), false, update, row.changeId);
    }
    for (const LogRow &log : from.logs)
        timeline.createLog(run.id, fresh(log.recordId), log.attempt, fresh(log.jobId.value_or("")),
                           log.createdAt, run.changeId);
    for (const JobRow &job : from.jobs)
        timeline.sealLogs(run.id, fresh(job.id));
    for (auto [row, data] : from.chunks) {
        row.runId = run.id;
        chunks.insert(row, data);
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 4) {
        std::fprintf(stderr, "usage: fill_history DATABASE RUN COPIES\n");
        return 2;
    }
    auto database = Database::open(argv[1]);
    if (!database) {
        std::fprintf(stderr, "%s\n", database.error().message.c_str());
        return 1;
    }
    const auto from = (*database)->read(
        [&](Connection &connection) { return load(connection, std::atoll(argv[2])); });
    if (!from) {
        std::fprintf(stderr, "%s\n", from.error().message.c_str());
        return 1;
    }
    constexpr std::int64_t kPerCommit = 2000;
    const std::int64_t copies = std::atoll(argv[3]);
    for (std::int64_t done = 0; done < copies; done += kPerCommit) {
        const Status status = (*database)->write([&](Connection &connection) -> Status {
            for (std::int64_t i = done; i < std::min(copies, done + kPerCommit); ++i)
                copy(connection, *from, i);
            return {};
        });
        if (!status) {
            std::fprintf(stderr, "%s\n", status.error().message.c_str());
            return 1;
        }
    }
    return 0;
}
