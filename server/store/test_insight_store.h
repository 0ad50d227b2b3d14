#pragma once
/// What the newest runs of a pipeline say about its tests together.

#include "server/store/database.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

/// One test over the newest runs of a pipeline.
struct TestInsight
{
    std::string className, name;
    std::int64_t runs = 0;     ///< in which it ran
    std::int64_t failures = 0; ///< outcomes that were failures, attempts counted each
    /// Commits at which the same job of the pipeline saw it both pass and fail.
    std::int64_t flakyCommits = 0;
    std::int64_t lastFlakyRun = 0; ///< 0: never
    std::string lastOutcome;
    std::int64_t lastRun = 0;
    /// Average duration in the newer and in the older half of the runs, milliseconds.
    std::int64_t newerMs = 0, olderMs = 0;
};

/// Statements within the caller's transaction. Methods throw SqlError.
class TestInsightStore
{
public:
    explicit TestInsightStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Over the newest `runs` runs of the pipeline; flaky ones first, then those that fail most
    /// often, at most `top`.
    std::vector<TestInsight> insights(std::int64_t pipelineId, int runs, int top);

private:
    Connection &m_connection;
};

} // namespace server::store
