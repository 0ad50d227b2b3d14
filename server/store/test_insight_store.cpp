#include "server/store/test_insight_store.h"

namespace server::store {
namespace {

// A test is flaky at a commit when one and the same job saw it pass and fail there, in a retry or
// in another run: nothing had changed. Legs of a matrix are different jobs. Skipped outcomes say
// nothing.
constexpr const char *kInsights =
    "WITH recent AS (SELECT id, source_version FROM run WHERE pipeline_id = ?1 AND deleted_at IS"
    "  NULL ORDER BY id DESC LIMIT ?2),"
    " middle AS (SELECT (min(id) + max(id)) / 2 AS id FROM recent),"
    " seen AS (SELECT n.id AS run_id, n.source_version, coalesce(j.identifier, '') AS job,"
    "  r.class_name, r.name, r.outcome, r.duration_ms FROM recent n"
    "  JOIN test_run t ON t.run_id = n.id LEFT JOIN job j ON j.number = t.job_number"
    "  JOIN test_result r ON r.test_run_id = t.id WHERE r.outcome IN('Passed', 'Failed')),"
    " flaky AS (SELECT class_name, name, max(run_id) AS run_id FROM seen"
    "  GROUP BY source_version, job, class_name, name HAVING count(DISTINCT outcome) = 2),"
    " flakes AS (SELECT class_name, name, count(*) AS commits, max(run_id) AS run_id FROM flaky"
    "  GROUP BY class_name, name)"
    " SELECT s.class_name, s.name, count(DISTINCT s.run_id), sum(s.outcome = 'Failed'),"
    "  coalesce(f.commits, 0), coalesce(f.run_id, 0), max(s.run_id),"
    "  coalesce(cast(avg(CASE WHEN s.run_id > m.id THEN s.duration_ms END) AS INTEGER), 0),"
    "  coalesce(cast(avg(CASE WHEN s.run_id <= m.id THEN s.duration_ms END) AS INTEGER), 0)"
    " FROM seen s CROSS JOIN middle m LEFT JOIN flakes f ON f.class_name = s.class_name AND"
    "  f.name = s.name GROUP BY s.class_name, s.name"
    " ORDER BY coalesce(f.commits, 0) DESC, sum(s.outcome = 'Failed') DESC, s.class_name, s.name"
    " LIMIT ?3";
constexpr const char *kLastOutcome =
    "SELECT r.outcome FROM test_run t JOIN test_result r ON r.test_run_id = t.id"
    " WHERE t.run_id = ?1 AND r.class_name = ?2 AND r.name = ?3 ORDER BY t.id DESC LIMIT 1";

} // namespace

std::vector<TestInsight> TestInsightStore::insights(std::int64_t pipelineId, int runs, int top)
{
    std::vector<TestInsight> out;
    {
        Statement s = m_connection.prepare(kInsights);
        s.bind(pipelineId, runs, top);
        while (s.step()) {
            TestInsight insight;
            insight.className = s.get<std::string>(0);
            insight.name = s.get<std::string>(1);
            insight.runs = s.get<std::int64_t>(2);
            insight.failures = s.get<std::int64_t>(3);
            insight.flakyCommits = s.get<std::int64_t>(4);
            insight.lastFlakyRun = s.get<std::int64_t>(5);
            insight.lastRun = s.get<std::int64_t>(6);
            insight.newerMs = s.get<std::int64_t>(7);
            insight.olderMs = s.get<std::int64_t>(8);
            out.push_back(std::move(insight));
        }
    }
    for (auto &insight : out) {
        Statement s = m_connection.prepare(kLastOutcome);
        if (s.bind(insight.lastRun, insight.className, insight.name).step())
            insight.lastOutcome = s.get<std::string>(0);
    }
    return out;
}

} // namespace server::store
