#pragma once
/// Test runs and their results, as published by jobs.

#include "schema/protocol/messages.h"
#include "server/store/database.h"

#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct TestRunRow
{
    std::int64_t id = 0;
    std::int64_t runId = 0;
    std::string jobId, key, title;
    std::int64_t passed = 0, failed = 0, skipped = 0;
    std::int64_t durationMs = 0;
    schema::TimePoint createdAt{};
};

struct TestResultRow
{
    std::int64_t id = 0; ///< 1-based within its test run
    schema::protocol::TestCaseResult result;
};

/// One earlier outcome of a test.
struct TestHistoryRow
{
    std::int64_t runId = 0;
    std::string runNumber, outcome;
    std::int64_t durationMs = 0;
};

class TestStore
{
public:
    explicit TestStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Stores an upload with its sums. A repeat of the same job and key changes nothing. Gives the
    /// id of the test run.
    std::int64_t insert(std::int64_t runId, const std::string &jobId,
                        const schema::protocol::TestRunUpload &upload, schema::TimePoint now);
    /// Of one run, oldest first.
    [[nodiscard]] std::vector<TestRunRow> list(std::int64_t runId);
    [[nodiscard]] std::optional<TestRunRow> find(std::int64_t testRunId);
    /// Failed ones first, then in order of publication.
    [[nodiscard]] std::vector<TestResultRow> results(std::int64_t testRunId, std::int64_t skip,
                                                     std::int64_t top);
    /// How the test went in the newest 20 runs of the pipeline up to `runId`, newest first; runs
    /// without the test are left out, a run that has it several times (a matrix) gives each.
    [[nodiscard]] std::vector<TestHistoryRow> history(std::int64_t pipelineId, std::int64_t runId,
                                                      std::string_view className,
                                                      std::string_view name);

private:
    Connection &m_connection;
};

} // namespace server::store
