#include "server/store/timeline_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace server::store {
namespace {

using nlohmann::json;
using schema::RecordState;
using schema::RecordType;

/// Task records of a job with more of them stay rows.
constexpr std::size_t kMostPacked = 2000;

constexpr const char *kColumns =
    "SELECT id, attempt, parent_id, job_id, type, name, ref_name, identifier, ordinal, state, "
    "result, current_operation, "
    "percent_complete, worker_name, task_json, issues_json, error_count, warning_count, log_id, "
    "started_at, finished_at, sequence, "
    "change_id FROM timeline_record t ";

TimelineRow readRecord(const Statement &s, std::int64_t runId)
{
    TimelineRow row;
    row.runId = runId;
    row.id = s.get<Guid>(0).text;
    row.attempt = s.get<int>(1);
    row.parentId = textOf(s.get<std::optional<Guid>>(2));
    row.jobId = textOf(s.get<std::optional<Guid>>(3));
    row.type = schema::recordTypeFromString(s.get<std::string>(4)).value_or(RecordType::Task);
    row.name = s.get<std::string>(5);
    row.refName = s.get<std::string>(6);
    row.identifier = s.get<std::string>(7);
    row.ordinal = s.get<int>(8);
    row.state = s.get<RecordState>(9);
    row.result = s.get<std::optional<schema::TaskResult>>(10);
    row.currentOperation = s.get<std::optional<std::string>>(11);
    row.percentComplete = s.get<std::optional<int>>(12);
    row.workerName = s.get<std::optional<std::string>>(13);
    row.taskJson = s.get<std::string>(14);
    row.issuesJson = s.get<std::string>(15);
    row.errorCount = s.get<int>(16);
    row.warningCount = s.get<int>(17);
    row.logId = s.get<std::optional<int>>(18);
    row.startedAt = s.get<std::optional<TimePoint>>(19);
    row.finishedAt = s.get<std::optional<TimePoint>>(20);
    row.sequence = s.get<std::uint64_t>(21);
    row.changeId = s.get<std::int64_t>(22);
    return row;
}

constexpr const char *kLogColumns = "SELECT l.log_id, j.id, l.created_at, l.sealed FROM log l "
                                    "LEFT JOIN job j ON j.number = l.job_number ";

LogRow readLog(const Statement &s, std::int64_t runId)
{
    return {runId, s.get<int>(0), textOf(s.get<std::optional<Guid>>(1)), s.get<TimePoint>(2),
            s.get<bool>(3)};
}

std::vector<LogRow> readLogs(Statement s, std::int64_t runId)
{
    std::vector<LogRow> rows;
    while (s.step())
        rows.push_back(readLog(s, runId));
    return rows;
}

bool hasFailed(const TimelineRow &row)
{
    return row.result == schema::TaskResult::Failed || row.result == schema::TaskResult::Abandoned;
}

std::string issuesText(const std::vector<schema::protocol::Issue> &issues)
{
    json list = json::array();
    for (const auto &issue : issues) {
        json data = json::object();
        for (const auto &[name, value] : issue.data)
            data[name] = value;
        list.push_back({{"type", issue.isError ? "error" : "warning"},
                        {"message", issue.message},
                        {"data", data}});
    }
    // Logs of programs are not always UTF-8; a broken byte must not lose the issue.
    return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string appended(const std::string &stored, const std::string &added)
{
    json list = json::parse(stored, nullptr, false);
    if (!list.is_array())
        list = json::array();
    for (const json &issue : json::parse(added, nullptr, false)) {
        if (std::find(list.begin(), list.end(), issue) == list.end())
            list.push_back(issue);
    }
    return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::vector<TimelineRow> TimelineStore::list(std::int64_t runId, std::int64_t changedAfter,
                                             int attempt)
{
    static const std::string kSql =
        std::string(kColumns) +
        "WHERE run_id = ?1 AND change_id > ?2 AND attempt = (SELECT max(attempt) FROM "
        "timeline_record n WHERE n.run_id = ?1 AND n.id = t.id AND n.attempt <= ?3)";
    std::vector<TimelineRow> rows;
    eachPacked(runId, changedAfter, false, [&](TimelineRow &&row) {
        if (row.changeId > changedAfter && row.attempt <= attempt)
            rows.push_back(std::move(row));
        return true;
    });
    {
        Statement s = m_connection.prepare(kSql.c_str());
        s.bind(runId, changedAfter, attempt);
        while (s.step())
            rows.push_back(readRecord(s, runId));
    }
    // A newer attempt of a record changed later, so whenever the older one is here, it is as well.
    // What is packed comes before what somebody sent afterwards under the same id.
    std::stable_sort(rows.begin(), rows.end(), [](const TimelineRow &a, const TimelineRow &b) {
        return std::tie(a.id, b.attempt) < std::tie(b.id, a.attempt);
    });
    rows.erase(std::unique(rows.begin(), rows.end(),
                           [](const TimelineRow &a, const TimelineRow &b) { return a.id == b.id; }),
               rows.end());
    dropEarlierSteps(runId, attempt, rows);
    std::stable_sort(rows.begin(), rows.end(), [](const TimelineRow &a, const TimelineRow &b) {
        return std::tie(a.parentId, a.ordinal) < std::tie(b.parentId, b.ordinal);
    });
    return rows;
}

void TimelineStore::dropEarlierSteps(std::int64_t runId, int attempt,
                                     std::vector<TimelineRow> &rows)
{
    std::map<std::string, int> jobs;
    for (const TimelineRow &row : rows) {
        if (row.type == RecordType::Job)
            jobs.emplace(row.id, row.attempt);
    }
    // Of a job that did not change itself the newest attempt is looked up.
    const auto attemptOf = [&](const std::string &job) {
        const auto known = jobs.find(job);
        if (known != jobs.end())
            return known->second;
        Statement s = m_connection.prepare("SELECT coalesce(max(attempt), 0) FROM timeline_record "
                                           "WHERE run_id = ? AND id = ? AND attempt <= ?");
        s.bind(runId, Guid{job}, attempt);
        s.step();
        return jobs.emplace(job, s.get<int>(0)).first->second;
    };
    std::erase_if(rows, [&](const TimelineRow &row) {
        return row.type == RecordType::Task && row.parentId &&
               row.attempt < attemptOf(*row.parentId);
    });
}

std::map<std::string, std::vector<int>> TimelineStore::earlierAttempts(std::int64_t runId)
{
    std::map<std::string, std::vector<int>> attempts;
    {
        Statement s =
            m_connection.prepare("SELECT id, attempt FROM timeline_record WHERE run_id = ?");
        s.bind(runId);
        while (s.step())
            attempts[s.get<Guid>(0).text].push_back(s.get<int>(1));
    }
    eachPacked(runId, -1, false, [&](TimelineRow &&row) {
        attempts[row.id].push_back(row.attempt);
        return true;
    });
    for (auto &[id, list] : attempts) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
        list.pop_back();
    }
    std::erase_if(attempts, [](const auto &item) { return item.second.empty(); });
    return attempts;
}

std::vector<TimelineRow> TimelineStore::failures(std::int64_t runId)
{
    constexpr std::size_t kMost = 100;
    static const std::string kSql =
        std::string(kColumns) +
        "WHERE run_id = ?1 AND result IN (2, 5) AND type IN ('Job', 'Task') "
        "ORDER BY finished_at, ordinal LIMIT 100";
    std::vector<TimelineRow> rows;
    eachPacked(runId, -1, true, [&](TimelineRow &&row) {
        if (hasFailed(row))
            rows.push_back(std::move(row));
        return rows.size() < kMost;
    });
    {
        Statement s = m_connection.prepare(kSql.c_str());
        s.bind(runId);
        while (s.step())
            rows.push_back(readRecord(s, runId));
    }
    std::stable_sort(rows.begin(), rows.end(), [](const TimelineRow &a, const TimelineRow &b) {
        return std::tie(a.finishedAt, a.ordinal) < std::tie(b.finishedAt, b.ordinal);
    });
    rows.resize(std::min(rows.size(), kMost));
    return rows;
}

std::vector<TimelineRow> TimelineStore::stageRecords(std::int64_t runId)
{
    static const std::string kSql =
        std::string(kColumns) + "WHERE run_id = ?1 AND id IN (SELECT record_id FROM stage_state "
                                "WHERE run_id = ?1) ORDER BY ordinal, attempt";
    std::vector<TimelineRow> rows;
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    while (s.step()) {
        TimelineRow row = readRecord(s, runId);
        if (!rows.empty() && rows.back().id == row.id)
            rows.back() = std::move(row);
        else
            rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<TimelineRow> TimelineStore::attempts(std::int64_t runId, const std::string &recordId)
{
    static const std::string kSql =
        std::string(kColumns) + "WHERE run_id = ? AND id = ? ORDER BY attempt";
    std::vector<TimelineRow> rows;
    {
        Statement s = m_connection.prepare(kSql.c_str());
        s.bind(runId, Guid{recordId});
        while (s.step())
            rows.push_back(readRecord(s, runId));
    }
    // Only records of tasks are ever packed.
    if (rows.empty() || rows.front().type == RecordType::Task) {
        eachPacked(runId, -1, false, [&](TimelineRow &&row) {
            if (row.id == recordId)
                rows.push_back(std::move(row));
            return true;
        });
        std::sort(rows.begin(), rows.end(),
                  [](const TimelineRow &a, const TimelineRow &b) { return a.attempt < b.attempt; });
    }
    return rows;
}

void TimelineStore::put(const TimelineRow &row)
{
    std::string issues = row.issuesJson;
    int errors = row.errorCount;
    if (issues != "[]" && !issues.empty()) {
        Statement s = m_connection.prepare("SELECT issues_json, error_count FROM timeline_record "
                                           "WHERE run_id=? AND id=? AND attempt=?");
        s.bind(row.runId, Guid{row.id}, row.attempt);
        if (s.step()) {
            const std::string before = s.get<std::string>(0);
            issues = appended(before, issues);
            errors = s.get<int>(1) + (issues == before ? 0 : row.errorCount);
        }
    }
    // NULL keeps the stored issues: ?14 and ?15 are only given when something is added.
    const bool adds = row.issuesJson != "[]" && !row.issuesJson.empty();
    m_connection.run(
        "INSERT INTO timeline_record(run_id, id, attempt, parent_id, job_id, type, name, ref_name, "
        "identifier, ordinal, state, result, "
        "worker_name, issues_json, error_count, started_at, finished_at, change_id) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,coalesce(?14,'[]'),coalesce(?15,0),?16,?"
        "17,?18) "
        "ON CONFLICT(run_id, id, attempt) DO UPDATE SET parent_id=excluded.parent_id, "
        "job_id=excluded.job_id, name=excluded.name, "
        "state=excluded.state, result=excluded.result, worker_name=coalesce(excluded.worker_name, "
        "worker_name), "
        "issues_json=coalesce(?14, issues_json), error_count=coalesce(?15, error_count), "
        "started_at=coalesce(started_at, excluded.started_at), finished_at=excluded.finished_at, "
        "change_id=excluded.change_id",
        row.runId, Guid{row.id}, row.attempt, guidOf(row.parentId), guidOf(row.jobId),
        schema::toString(row.type), row.name, row.refName, row.identifier, row.ordinal, row.state,
        row.result, row.workerName, adds ? std::optional(issues) : std::nullopt,
        adds ? std::optional(errors) : std::nullopt, row.startedAt, row.finishedAt, row.changeId);
}

void TimelineStore::closeTasks(std::int64_t runId, const std::string &jobId,
                               schema::TaskResult result, TimePoint now, std::int64_t changeId)
{
    // A step that never began was skipped, whatever ended the job.
    m_connection.run(
        "UPDATE timeline_record SET result = CASE state WHEN 0 THEN 4 ELSE ?1 END, "
        "finished_at = CASE state WHEN 0 THEN NULL ELSE ?2 END, state = 2, change_id = ?3 "
        "WHERE job_id = ?4 AND run_id = ?5 AND type = 'Task' AND state <> 2",
        result, now, changeId, Guid{jobId}, runId);
}

std::optional<std::string> TimelineStore::jobOf(std::int64_t runId, const std::string &recordId,
                                                int attempt)
{
    Statement s = m_connection.prepare(
        "SELECT job_id FROM timeline_record WHERE run_id=? AND id=? AND attempt=?");
    s.bind(runId, Guid{recordId}, attempt);
    return s.step() ? textOf(s.get<std::optional<Guid>>(0)) : std::nullopt;
}

bool TimelineStore::merge(std::int64_t runId, int attempt, const std::string &jobId,
                          bool isJobRecord, const schema::protocol::RecordUpdate &u,
                          std::int64_t changeId)
{
    const std::optional<std::string> issues =
        u.issues ? std::optional(issuesText(*u.issues)) : std::nullopt;
    if (isJobRecord) {
        return m_connection.run("UPDATE timeline_record SET sequence=?1, "
                                "current_operation=coalesce(?2, current_operation), "
                                "percent_complete=coalesce(?3, percent_complete), "
                                "issues_json=coalesce(?4, issues_json), "
                                "error_count=coalesce(?5, error_count), warning_count=coalesce(?6, "
                                "warning_count), change_id=?7 "
                                "WHERE run_id=?8 AND id=?9 AND attempt=?10 AND sequence < ?1",
                                u.sequence, u.currentOperation, u.percentComplete, issues,
                                u.errorCount, u.warningCount, changeId, runId, Guid{u.id},
                                attempt) > 0;
    }
    std::optional<std::string> task;
    if (u.taskId || u.taskName)
        task = json{{"id", u.taskId.value_or("")},
                    {"name", u.taskName.value_or("")},
                    {"version", u.taskVersion.value_or("")}}
                   .dump(-1, ' ', false, json::error_handler_t::replace);
    return m_connection.run(
               "INSERT INTO timeline_record(run_id, id, attempt, parent_id, job_id, type, name, "
               "ref_name, ordinal, state, result, "
               "current_operation, percent_complete, worker_name, task_json, issues_json, "
               "error_count, warning_count, started_at, "
               "finished_at, sequence, change_id) "
               "VALUES(?1,?2,?3,?4,?5,?6,coalesce(?7,''),coalesce(?8,''),coalesce(?9,0),"
               "coalesce(?10,0),?11,?12,?13,?14,coalesce(?15,''),coalesce(?16,'[]'),coalesce(?17,0)"
               ",coalesce(?18,0),?19,?20,?21,?22) "
               "ON CONFLICT(run_id, id, attempt) DO UPDATE SET name=coalesce(?7,name), "
               "ref_name=coalesce(?8,ref_name), "
               "ordinal=coalesce(?9,ordinal), state=coalesce(?10,state), "
               "result=coalesce(?11,result), "
               "current_operation=coalesce(?12,current_operation), "
               "percent_complete=coalesce(?13,percent_complete), "
               "worker_name=coalesce(?14,worker_name), task_json=coalesce(?15,task_json), "
               "issues_json=coalesce(?16,issues_json), "
               "error_count=coalesce(?17,error_count), warning_count=coalesce(?18,warning_count), "
               "started_at=coalesce(?19,started_at), finished_at=coalesce(?20,finished_at), "
               "sequence=?21, change_id=?22 "
               "WHERE sequence < ?21 AND job_id = ?5",
               runId, Guid{u.id}, attempt, Guid{u.parentId}, Guid{jobId}, schema::toString(u.type),
               u.name, u.refName, u.order, u.state, u.result, u.currentOperation, u.percentComplete,
               u.workerName, task, issues, u.errorCount, u.warningCount, u.startTime, u.finishTime,
               u.sequence, changeId) > 0;
}

std::int64_t TimelineStore::nextChange(std::int64_t runId)
{
    Statement s = m_connection.prepare(
        "UPDATE run SET change_id = change_id + 1 WHERE id = ? RETURNING change_id");
    s.bind(runId);
    const std::int64_t id = s.step() ? s.get<std::int64_t>(0) : 0;
    while (s.step()) {
    }
    return id;
}

std::vector<LogRow> TimelineStore::logs(std::int64_t runId)
{
    static const std::string kSql =
        std::string(kLogColumns) + "WHERE l.run_id = ? ORDER BY l.log_id";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    return readLogs(std::move(s), runId);
}

std::optional<LogRow> TimelineStore::findLog(std::int64_t runId, const std::string &recordId,
                                             int attempt)
{
    static const std::string kSql =
        std::string(kLogColumns) +
        "WHERE l.run_id = ?1 AND l.log_id = (SELECT t.log_id FROM timeline_record t "
        "WHERE t.run_id = ?1 AND t.id = ?2 AND t.attempt = ?3)";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId, Guid{recordId}, attempt);
    if (!s.step())
        return std::nullopt;
    return readLog(s, runId);
}

std::optional<LogRow> TimelineStore::findLog(std::int64_t runId, std::int64_t logId)
{
    static const std::string kSql =
        std::string(kLogColumns) + "WHERE l.run_id = ?1 AND l.log_id = ?2";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId, logId);
    if (!s.step())
        return std::nullopt;
    return readLog(s, runId);
}

LogRow TimelineStore::createLog(std::int64_t runId, const std::string &recordId, int attempt,
                                const std::string &jobId, TimePoint now, std::int64_t changeId)
{
    LogRow log{runId, 1, jobId, now, false};
    {
        Statement s =
            m_connection.prepare("SELECT coalesce(max(log_id), 0) + 1 FROM log WHERE run_id = ?");
        s.bind(runId);
        s.step();
        log.logId = s.get<int>(0);
    }
    m_connection.run("INSERT INTO log(run_id, log_id, job_number, created_at) "
                     "VALUES(?,?,(SELECT number FROM job WHERE id = ?),?)",
                     runId, log.logId, Guid{jobId}, now);
    m_connection.run(
        "UPDATE timeline_record SET log_id=?, change_id=? WHERE run_id=? AND id=? AND attempt=?",
        log.logId, changeId, runId, Guid{recordId}, attempt);
    return log;
}

std::vector<LogRow> TimelineStore::sealLogs(const std::string &jobId)
{
    static const std::string kSql =
        "SELECT l.log_id, j.id, l.created_at, l.sealed, l.run_id FROM job j "
        "JOIN log l ON l.job_number = j.number AND l.sealed = 0 WHERE j.id = ?";
    std::vector<LogRow> rows;
    {
        Statement s = m_connection.prepare(kSql.c_str());
        s.bind(Guid{jobId});
        while (s.step())
            rows.push_back(readLog(s, s.get<std::int64_t>(4)));
    }
    if (!rows.empty())
        m_connection.run("UPDATE log SET sealed = 1 WHERE sealed = 0 AND job_number = (SELECT "
                         "number FROM job WHERE id = ?)",
                         Guid{jobId});
    return rows;
}

std::vector<std::pair<int, std::string>> TimelineStore::stepLogs(std::int64_t runId)
{
    std::vector<std::pair<int, std::string>> logs;
    eachPacked(runId, -1, false, [&](TimelineRow &&row) {
        if (row.logId)
            logs.emplace_back(*row.logId, std::move(row.id));
        return true;
    });
    Statement s = m_connection.prepare("SELECT log_id, id FROM timeline_record WHERE run_id = ? "
                                       "AND log_id IS NOT NULL AND type <> 'Job'");
    s.bind(runId);
    while (s.step())
        logs.emplace_back(s.get<int>(0), s.get<Guid>(1).text);
    std::sort(logs.begin(), logs.end());
    return logs;
}

void TimelineStore::packTasks(const PackedJob &job)
{
    static const std::string kSql = std::string(kColumns) + "WHERE job_id = ?1 AND run_id = ?2 "
                                                            "AND type = 'Task' ORDER BY ordinal "
                                                            "LIMIT ?3";
    std::vector<TimelineRow> rows;
    {
        Statement s = m_connection.prepare(kSql.c_str());
        s.bind(Guid{job.id}, job.runId, kMostPacked + 1);
        while (s.step())
            rows.push_back(readRecord(s, job.runId));
    }
    if (rows.empty() || rows.size() > kMostPacked)
        return;
    std::int64_t newest = 0;
    for (const TimelineRow &row : rows)
        newest = std::max(newest, row.changeId);
    m_connection.run(
        "INSERT INTO job_pack(job_number, change_id, failed, tasks) "
        "VALUES((SELECT number FROM job WHERE id = ?1),?2,?3,?4) ON CONFLICT(job_number) DO UPDATE "
        "SET change_id=excluded.change_id, failed=excluded.failed, tasks=excluded.tasks",
        Guid{job.id}, newest, std::any_of(rows.begin(), rows.end(), hasFailed),
        packRecords(job, rows));
    m_connection.run(
        "DELETE FROM timeline_record WHERE job_id = ?1 AND run_id = ?2 AND type = 'Task'",
        Guid{job.id}, job.runId);
}

void TimelineStore::eachPacked(std::int64_t runId, std::int64_t changedAfter, bool failedOnly,
                               const std::function<bool(TimelineRow &&)> &take)
{
    Statement s = m_connection.prepare(
        "SELECT j.id, j.record_id, j.attempt, p.tasks FROM job j JOIN job_pack p ON "
        "p.job_number = j.number WHERE j.run_id = ?1 AND p.change_id > ?2 AND p.failed >= ?3");
    s.bind(runId, changedAfter, failedOnly);
    while (s.step()) {
        const PackedJob job{runId, s.get<Guid>(0).text, s.get<Guid>(1).text, s.get<int>(2)};
        const Blob tasks = s.get<Blob>(3);
        if (tasks.empty())
            continue;
        for (TimelineRow &row : unpackRecords(job, tasks)) {
            if (!take(std::move(row)))
                return;
        }
    }
}

} // namespace server::store
