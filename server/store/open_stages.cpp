#include "server/store/open_stages.h"

#include "schema/model/states.h"

namespace server::store {

std::map<std::int64_t, std::int64_t> succeededStagesOfOpenRuns(Connection &connection)
{
    std::map<std::int64_t, std::int64_t> counts;
    Statement s = connection.prepare(
        "SELECT s.run_id, count(*) FROM run r JOIN stage_state s ON s.run_id = r.id "
        "WHERE r.status <> 2 AND s.phase = 'completed' AND s.result IN (?, ?) GROUP BY s.run_id");
    s.bind(static_cast<std::int64_t>(schema::TaskResult::Succeeded),
           static_cast<std::int64_t>(schema::TaskResult::SucceededWithIssues));
    while (s.step())
        counts[s.get<std::int64_t>(0)] = s.get<std::int64_t>(1);
    return counts;
}

} // namespace server::store
