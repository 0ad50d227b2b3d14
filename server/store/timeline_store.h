#pragma once
/// Rows of timelines and logs, and the packs that those of ended jobs become. Stage, phase, job and
/// checkpoint records are written by the scheduler as its rows change; task records are merged from
/// what job processes report.

#include "schema/protocol/messages.h"
#include "server/store/record_pack.h"
#include "server/store/run_store.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace server::store {

/// More attempts than anything has.
inline constexpr int kNewestAttempt = std::numeric_limits<int>::max();

/// Statements on timelines, within the caller's transaction. Methods throw SqlError.
class TimelineStore
{
public:
    explicit TimelineStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Newest attempt of each record up to `attempt`, ordered by (parent, ordinal); `changedAfter`:
    /// only those with a later change id. Steps of a job's earlier attempt are left out, also when
    /// the later one has not begun them.
    std::vector<TimelineRow> list(std::int64_t runId, std::int64_t changedAfter = 0,
                                  int attempt = kNewestAttempt);
    /// The attempts of each record before its newest one, ascending, by the record's id; records
    /// with one attempt are not in it.
    std::map<std::string, std::vector<int>> earlierAttempts(std::int64_t runId);
    /// Newest attempt of the stage records alone.
    std::vector<TimelineRow> stageRecords(std::int64_t runId);
    /// Records of jobs and tasks that failed or were abandoned, in any attempt, oldest first.
    std::vector<TimelineRow> failures(std::int64_t runId);
    /// Every attempt of one record, oldest first.
    std::vector<TimelineRow> attempts(std::int64_t runId, const std::string &recordId);

    /// Inserts or updates a record that the server owns. On an existing row: names, state, result,
    /// times, worker and change id are replaced; issues, log and progress stay; `issuesJson` of the
    /// new row, when not empty, is appended.
    void put(const TimelineRow &record);
    /// Ends every open record below a job: Canceled, Abandoned, ... as given.
    void closeTasks(std::int64_t runId, const std::string &jobId, schema::TaskResult result,
                    TimePoint now, std::int64_t changeId);

    /// The job that a task record of this attempt belongs to.
    std::optional<std::string> jobOf(std::int64_t runId, const std::string &recordId, int attempt);
    /// Merges a report on a record of a job (see RecordUpdate); false when it is not newer than
    /// what is stored. On the job's own record only issues, counts and progress are taken.
    bool merge(std::int64_t runId, int attempt, const std::string &jobId, bool isJobRecord,
               const schema::protocol::RecordUpdate &update, std::int64_t changeId);
    /// One more change of the run; gives the new change id.
    std::int64_t nextChange(std::int64_t runId);

    std::vector<LogRow> logs(std::int64_t runId);
    std::optional<LogRow> findLog(std::int64_t runId, const std::string &recordId, int attempt);
    std::optional<LogRow> findLog(std::int64_t runId, std::int64_t logId);
    /// Creates the log of a record and refers to it from the record; gives its number (1 is the
    /// first of a run).
    LogRow createLog(std::int64_t runId, const std::string &recordId, int attempt,
                     const std::string &jobId, TimePoint now, std::int64_t changeId);
    /// Marks the logs of a job as ended; gives those that were open.
    std::vector<LogRow> sealLogs(const std::string &jobId);
    /// Number and record of the logs of a run but those of whole jobs, which repeat their steps'.
    std::vector<std::pair<int, std::string>> stepLogs(std::int64_t runId);

    /// Makes one small blob of the task records of a job that has ended (job_pack). They read as
    /// before, but nothing can change them any more.
    void packTasks(const PackedJob &job);

private:
    /// Calls `take` for the packed records of a run, until it gives false: those of packs that
    /// changed after `changedAfter`, or only those of packs with a failed record.
    void eachPacked(std::int64_t runId, std::int64_t changedAfter, bool failedOnly,
                    const std::function<bool(TimelineRow &&)> &take);

    /// Drops steps that belong to an earlier attempt of their job than the newest up to `attempt`.
    void dropEarlierSteps(std::int64_t runId, int attempt, std::vector<TimelineRow> &rows);

    Connection &m_connection;
};

} // namespace server::store
