#include "server/store/test_store.h"

namespace server::store {

namespace {

#define SLIPWAY_TEST_RUN_COLUMNS                                                                   \
    "SELECT id, run_id, job_id, key, title, passed, failed, skipped, duration_ms, created_at"      \
    " FROM test_run "

constexpr const char *kFindByKey = "SELECT id FROM test_run WHERE job_id = ?1 AND key = ?2";
constexpr const char *kInsertRun =
    "INSERT INTO test_run(run_id, job_id, key, title, passed, failed, skipped, duration_ms,"
    " created_at, job_number) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
    " (SELECT number FROM job WHERE id = ?10))";
constexpr const char *kInsertResult =
    "INSERT INTO test_result(test_run_id, id, suite, class_name, name, outcome, duration_ms,"
    " message, stack_trace) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
constexpr const char *kList = SLIPWAY_TEST_RUN_COLUMNS "WHERE run_id = ?1 ORDER BY id";
constexpr const char *kFind = SLIPWAY_TEST_RUN_COLUMNS "WHERE id = ?1";
constexpr const char *kResults =
    "SELECT id, suite, class_name, name, outcome, duration_ms, message, stack_trace"
    " FROM test_result WHERE test_run_id = ?1 ORDER BY outcome <> 'Failed', id LIMIT ?3 OFFSET ?2";

constexpr const char *kHistory =
    "SELECT run.id, run.number, r.outcome, r.duration_ms FROM run"
    " JOIN test_run t ON t.run_id = run.id JOIN test_result r ON r.test_run_id = t.id"
    " WHERE run.id IN (SELECT id FROM run WHERE pipeline_id = ?1 AND id <= ?2"
    " ORDER BY id DESC LIMIT 20) AND r.class_name = ?3 AND r.name = ?4"
    " ORDER BY run.id DESC, t.id, r.id";

#undef SLIPWAY_TEST_RUN_COLUMNS

TestRunRow row(Statement &statement)
{
    TestRunRow out;
    out.id = statement.get<std::int64_t>(0);
    out.runId = statement.get<std::int64_t>(1);
    out.jobId = statement.get<std::string>(2);
    out.key = statement.get<std::string>(3);
    out.title = statement.get<std::string>(4);
    out.passed = statement.get<std::int64_t>(5);
    out.failed = statement.get<std::int64_t>(6);
    out.skipped = statement.get<std::int64_t>(7);
    out.durationMs = statement.get<std::int64_t>(8);
    out.createdAt = statement.get<schema::TimePoint>(9);
    return out;
}

} // namespace

std::int64_t TestStore::insert(std::int64_t runId, const std::string &jobId,
                               const schema::protocol::TestRunUpload &upload, schema::TimePoint now)
{
    {
        auto statement = m_connection.prepare(kFindByKey);
        if (statement.bind(jobId, upload.key).step())
            return statement.get<std::int64_t>(0);
    }
    std::int64_t passed = 0;
    std::int64_t failed = 0;
    std::int64_t skipped = 0;
    std::int64_t duration = 0;
    for (const auto &result : upload.results) {
        ++(result.outcome == "Passed" ? passed : result.outcome == "Failed" ? failed : skipped);
        duration += result.durationMs;
    }
    m_connection.run(kInsertRun, runId, jobId, upload.key, upload.title, passed, failed, skipped,
                     duration, now, Guid{jobId});
    const auto id = m_connection.lastInsertId();
    std::int64_t number = 0;
    for (const auto &result : upload.results)
        m_connection.run(kInsertResult, id, ++number, result.suite, result.className, result.name,
                         result.outcome, result.durationMs, result.message, result.stackTrace);
    return id;
}

std::vector<TestRunRow> TestStore::list(std::int64_t runId)
{
    std::vector<TestRunRow> out;
    auto statement = m_connection.prepare(kList);
    statement.bind(runId);
    while (statement.step())
        out.push_back(row(statement));
    return out;
}

std::optional<TestRunRow> TestStore::find(std::int64_t testRunId)
{
    auto statement = m_connection.prepare(kFind);
    if (!statement.bind(testRunId).step())
        return std::nullopt;
    return row(statement);
}

std::vector<TestResultRow> TestStore::results(std::int64_t testRunId, std::int64_t skip,
                                              std::int64_t top)
{
    std::vector<TestResultRow> out;
    auto statement = m_connection.prepare(kResults);
    statement.bind(testRunId, skip, top);
    while (statement.step()) {
        TestResultRow item;
        item.id = statement.get<std::int64_t>(0);
        item.result.suite = statement.get<std::string>(1);
        item.result.className = statement.get<std::string>(2);
        item.result.name = statement.get<std::string>(3);
        item.result.outcome = statement.get<std::string>(4);
        item.result.durationMs = statement.get<std::int64_t>(5);
        item.result.message = statement.get<std::string>(6);
        item.result.stackTrace = statement.get<std::string>(7);
        out.push_back(std::move(item));
    }
    return out;
}

std::vector<TestHistoryRow> TestStore::history(std::int64_t pipelineId, std::int64_t runId,
                                               std::string_view className, std::string_view name)
{
    std::vector<TestHistoryRow> out;
    auto statement = m_connection.prepare(kHistory);
    statement.bind(pipelineId, runId, className, name);
    while (statement.step()) {
        TestHistoryRow item;
        item.runId = statement.get<std::int64_t>(0);
        item.runNumber = statement.get<std::string>(1);
        item.outcome = statement.get<std::string>(2);
        item.durationMs = statement.get<std::int64_t>(3);
        out.push_back(std::move(item));
    }
    return out;
}

} // namespace server::store
