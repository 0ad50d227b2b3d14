// Fills a database with copies of one finished run, by the store's own code: what a server looks
// like after years.
//   fill_history DATABASE RUN COPIES
#include "schema/base/guid.h"
#include "server/logs/log_store.h"
#include "server/store/run_store.h"
#include "server/store/timeline_store.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
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
    std::vector<std::string> texts; ///< by log
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
    return out;
}

void write(Connection &connection, server::logs::LogKey key, const Template &from, int logId)
{
    for (std::size_t i = 0; i < from.logs.size(); ++i) {
        const std::string &text = from.texts[i];
        if (from.logs[i].logId != logId || text.empty())
            continue;
        server::logs::Piece piece;
        piece.bytes = {text.data(), text.size()};
        server::logs::Piece::Part &part = piece.parts.emplace_back();
        part.size = part.stored = text.size();
        part.facts = server::logs::factsOf(text);
        server::logs::LogStore::write(connection, key, piece);
    }
}

void copy(Connection &connection, const Template &from, std::int64_t number)
{
    RunStore runs(connection);
    TimelineStore timeline(connection);
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
    for (const TimelineRow &row : from.records) {
        if (row.logId)
            timeline.createLog(run.id, fresh(row.id), row.attempt, fresh(row.jobId.value_or("")),
                               from.logs.front().createdAt, run.changeId);
    }
    // Numbered anew by the order of the records; each gets the text of the log it is a copy of.
    int logId = 0;
    for (const TimelineRow &row : from.records) {
        if (row.logId)
            write(connection, {run.id, ++logId}, from, *row.logId);
    }
    for (const JobRow &job : from.jobs) {
        std::vector<int> ended;
        for (const LogRow &log : timeline.sealLogs(fresh(job.id)))
            ended.push_back(log.logId);
        timeline.packTasks({run.id, fresh(job.id), fresh(job.recordId), job.attempt});
        (void)server::logs::LogStore::pack(connection, run.id, fresh(job.id), ended);
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
    auto from = (*database)->read(
        [&](Connection &connection) { return load(connection, std::atoll(argv[2])); });
    if (!from) {
        std::fprintf(stderr, "%s\n", from.error().message.c_str());
        return 1;
    }
    const auto logs = server::logs::LogStore::open(
        **database, std::filesystem::path(argv[1]).parent_path() / "logs");
    for (const LogRow &log : from->logs) {
        auto text = logs ? (*logs)->read({from->run.id, log.logId}, 0, 1U << 20U)
                         : schema::Result<std::string>(logs.error());
        if (!text) {
            std::fprintf(stderr, "%s\n", text.error().message.c_str());
            return 1;
        }
        from->texts.push_back(std::move(*text));
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
