// Deliveries of job processes: one transaction each; the first and the last one of a job in the
// scheduler's.
#include "server/events/event_hub.h"
#include "server/scheduler/scheduler.h"
#include "server/store/timeline_store.h"
#include "server/store/token.h"
#include "server/workers/job_access.h"
#include "server/workers/worker_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace server::workers {
namespace {

namespace protocol = schema::protocol;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::JobRow;
using store::TimelineStore;

/// Records of one delivery at most; a job process sends far fewer.
constexpr std::size_t kMostRecords = 10'000;
/// Accepted jobs that are remembered in one slot.
constexpr std::size_t kMostRemembered = 4096;

/// A delivery on its way into the database.
class Taking
{
public:
    Taking(const protocol::Delivery &delivery, const std::vector<logs::Piece> &pieces)
        : m_delivery(delivery)
        , m_pieces(pieces)
    {}

    /// Everything but the end of the job. Nothing is written when it gives an error.
    Status write(Connection &connection, const JobRow &job, std::int64_t changeId);

    [[nodiscard]] bool gap() const { return m_gap; }

    std::int64_t runId = 0, changeId = 0;
    std::string projectId;
    protocol::Delivered answer;
    std::vector<int> logIds; ///< by log of the delivery

private:
    Status check(TimelineStore &timeline, const JobRow &job);

    const protocol::Delivery &m_delivery;
    const std::vector<logs::Piece> &m_pieces;
    bool m_gap = false;
};

Status Taking::check(TimelineStore &timeline, const JobRow &job)
{
    std::set<std::string_view> known{job.recordId};
    for (const protocol::RecordUpdate &update : m_delivery.records) {
        if (update.id == job.recordId || known.contains(update.id))
            continue;
        const auto owner = timeline.jobOf(runId, update.id, job.attempt);
        if (owner && *owner != job.id)
            return {ErrorCode::InvalidArgument,
                    fmt::format("records: '{}' belongs to another job", update.id)};
        if (!owner && !known.contains(update.parentId) &&
            timeline.jobOf(runId, update.parentId, job.attempt) != job.id)
            return {ErrorCode::InvalidArgument,
                    fmt::format("records: '{}' has parentId '{}', which is no record of this job",
                                update.id, update.parentId)};
        known.insert(update.id);
    }
    for (const protocol::LogPiece &piece : m_delivery.logs) {
        int &logId = logIds.emplace_back(0);
        if (const auto log = timeline.findLog(runId, piece.recordId, job.attempt)) {
            if (log->jobId != job.id)
                return {ErrorCode::InvalidArgument,
                        fmt::format("logs: record '{}' belongs to another job", piece.recordId)};
            logId = log->logId;
        } else if (!known.contains(piece.recordId) &&
                   timeline.jobOf(runId, piece.recordId, job.attempt) != job.id) {
            return {
                ErrorCode::InvalidArgument,
                fmt::format("logs: record '{}' is unknown; send the record first", piece.recordId)};
        }
    }
    return {};
}

Status Taking::write(Connection &connection, const JobRow &job, std::int64_t change)
{
    runId = job.runId;
    changeId = change;
    TimelineStore timeline(connection);
    RETURN_IF_ERROR(check(timeline, job));
    for (const protocol::RecordUpdate &update : m_delivery.records)
        timeline.merge(runId, job.attempt, job.id, update.id == job.recordId, update, change);
    for (std::size_t i = 0; i < m_pieces.size(); ++i) {
        const std::string &recordId = m_delivery.logs[i].recordId;
        if (logIds[i] == 0) {
            // Named twice in one delivery, it exists by now.
            const auto made = timeline.findLog(runId, recordId, job.attempt);
            logIds[i] = made ? made->logId
                             : timeline
                                   .createLog(runId, recordId, job.attempt, job.id,
                                              schema::wallClockNow(), change)
                                   .logId;
        }
        const logs::Appended appended =
            logs::LogStore::write(connection, {runId, logIds[i]}, m_pieces[i]);
        m_gap = m_gap || appended.gap;
        answer.lengths.push_back(appended.length);
    }
    return {};
}

} // namespace

JobService::Slot &JobService::slotOf(const std::string &jobId)
{
    return m_slots[std::hash<std::string>()(jobId) % m_slots.size()];
}

Result<protocol::Delivered> JobService::deliver(const std::string &jobId, std::string_view token,
                                                const protocol::Delivery &delivery)
{
    if (delivery.records.size() > kMostRecords)
        return Error{ErrorCode::LimitExceeded,
                     fmt::format("records: at most {} in one delivery", kMostRecords)};
    const store::Blob hash = store::tokenHash(token);
    Slot &slot = slotOf(jobId);
    const std::scoped_lock lock(slot.mutex);

    std::vector<logs::Piece> pieces;
    for (const protocol::LogPiece &piece : delivery.logs) {
        // Big pieces go to the log's file before the transaction, so its number must be known.
        std::optional<logs::LogKey> key;
        if (piece.bytes.size() >= logs::kChunkBytes / 2) {
            ASSIGN_OR_RETURN(
                key,
                m_database.read([&](Connection &connection) -> Result<std::optional<logs::LogKey>> {
                    ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
                    const auto log =
                        TimelineStore(connection).findLog(job.runId, piece.recordId, job.attempt);
                    if (!log || log->jobId != jobId)
                        return std::optional<logs::LogKey>();
                    return std::optional(logs::LogKey{job.runId, log->logId});
                }));
        }
        ASSIGN_OR_RETURN(auto prepared, m_logs.prepare(key, piece.offset, piece.bytes));
        pieces.push_back(std::move(prepared));
    }

    Taking taking(delivery, pieces);
    const bool first = !slot.running.contains(jobId);
    if (first || delivery.completion) {
        scheduler::JobDelivery command;
        command.jobId = jobId;
        command.tokenHash = hash;
        command.completion = delivery.completion;
        command.write = [&](Connection &connection, const JobRow &job,
                            std::int64_t change) -> Result<bool> {
            RETURN_IF_ERROR(taking.write(connection, job, change));
            return !taking.gap();
        };
        ASSIGN_OR_RETURN(taking.answer.completed, m_scheduler.deliver(std::move(command)));
    } else {
        RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
            ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
            return taking.write(connection, job, TimelineStore(connection).nextChange(job.runId));
        }));
    }
    if (taking.answer.completed) {
        slot.running.erase(jobId);
    } else if (first) {
        if (slot.running.size() >= kMostRemembered)
            slot.running.clear(); // they only cost a detour through the scheduler again
        slot.running.insert(jobId);
    }
    if (taking.runId == 0)
        return taking.answer; // a completion that was repeated
    const auto project = m_database.read([&](Connection &connection) -> Result<std::string> {
        return projectOf(connection, taking.runId);
    });
    if (!project)
        return taking.answer; // nobody hears of it until the next change; it is taken nevertheless
    m_events.publish("run", *project, runEvent(taking.runId, taking.changeId));
    for (std::size_t i = 0; i < pieces.size(); ++i)
        m_events.publish("log", *project,
                         fmt::format(R"({{"runId":{},"logId":{},"length":{},"sealed":false}})",
                                     taking.runId, taking.logIds[i], taking.answer.lengths[i]));
    return taking.answer;
}

Status JobService::mergeRecords(const std::string &jobId, std::string_view token,
                                const std::vector<protocol::RecordUpdate> &updates)
{
    protocol::Delivery delivery;
    delivery.records = updates;
    RETURN_IF_ERROR(deliver(jobId, token, delivery));
    return {};
}

Result<JobService::Appended> JobService::appendLog(const std::string &jobId, std::string_view token,
                                                   const std::string &recordId,
                                                   std::uint64_t offset,
                                                   std::span<const char> bytes)
{
    if (bytes.size() > protocol::kMaxLogChunkBytes)
        return Error{ErrorCode::LimitExceeded, fmt::format("logs: at most {} bytes in one piece",
                                                           protocol::kMaxLogChunkBytes)};
    protocol::Delivery delivery;
    delivery.logs.push_back({recordId, offset, std::string(bytes.begin(), bytes.end())});
    ASSIGN_OR_RETURN(const protocol::Delivered taken, deliver(jobId, token, delivery));
    return Appended{taken.lengths.front(), offset > taken.lengths.front()};
}

Status JobService::complete(const std::string &jobId, std::string_view token,
                            const protocol::JobCompletion &completion)
{
    protocol::Delivery delivery;
    delivery.completion = completion;
    RETURN_IF_ERROR(deliver(jobId, token, delivery));
    return {};
}

} // namespace server::workers
