#include "server/retention/retention_service.h"

#include "server/artifacts/artifact_store.h"
#include "server/backup/backup.h"
#include "server/logs/log_store.h"
#include "server/store/run_store.h"

#include <QLoggingCategory>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace server::retention {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using schema::TimePoint;
using store::Connection;
using store::RetentionLeaseRow;
using store::RetentionPolicyRow;
using store::RetentionStore;

namespace {

Q_LOGGING_CATEGORY(lcRetention, "server.retention", QtInfoMsg)

constexpr std::chrono::minutes kInterval{60};
/// Rows of one transaction: others write between two of them.
constexpr int kPiece = 500;
/// Runs looked at in one read.
constexpr int kPage = 200;
/// 9999-12-31T23:59:59Z, what Azure DevOps shows for "for ever".
const TimePoint kForEver = schema::fromEpochMillis(253'402'300'799'000);

TimePoint validUntil(TimePoint from, int daysValid)
{
    return daysValid >= kMostDays ? kForEver : from + std::chrono::days(daysValid);
}

Status checkLease(const NewLease &lease)
{
    if (lease.ownerId.empty() || lease.ownerId.size() > 400)
        return {ErrorCode::InvalidArgument, "'ownerId' must have 1 to 400 characters"};
    if (lease.daysValid < 1)
        return {ErrorCode::InvalidArgument, "'daysValid' must be at least 1"};
    return {};
}

RetentionPolicyRow effective(RetentionStore &store, const std::string &projectId,
                             std::int64_t pipelineId, bool &own)
{
    auto policy = store.policy(projectId, pipelineId);
    own = policy.has_value();
    if (!policy && pipelineId != 0)
        policy = store.policy(projectId, 0);
    if (!policy)
        policy = RetentionPolicyRow{};
    policy->projectId = projectId;
    policy->pipelineId = pipelineId;
    return *policy;
}

} // namespace

RetentionService::RetentionService(store::Database &database, logs::LogStore &logs,
                                   artifacts::ArtifactStore &artifacts,
                                   std::filesystem::path deletionLock, Clock now)
    : m_database(database)
    , m_logs(logs)
    , m_artifacts(artifacts)
    , m_deletionLock(std::move(deletionLock))
    , m_now(std::move(now))
{}

RetentionService::~RetentionService()
{
    stop();
}

void RetentionService::start()
{
    m_thread = std::jthread([this](const std::stop_token &stop) { loop(stop); });
}

void RetentionService::stop()
{
    m_thread.request_stop();
    if (m_thread.joinable())
        m_thread.join();
}

void RetentionService::wake()
{
    {
        const std::lock_guard lock(m_mutex);
        m_wanted = true;
    }
    m_changed.notify_all();
}

void RetentionService::loop(const std::stop_token &stop)
{
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(m_mutex);
            m_changed.wait_for(lock, stop, kInterval, [this] { return m_wanted; });
            m_wanted = false;
        }
        if (stop.stop_requested())
            return;
        const auto swept = sweep();
        if (!swept)
            qCWarning(lcRetention, "error=%s", swept.error().message.c_str());
        else if (swept->runs > 0 || swept->artifacts > 0)
            qCInfo(lcRetention, "deleted runs=%d artifacts=%d", swept->runs, swept->artifacts);
    }
}

Result<RetentionService::Effective> RetentionService::policy(const std::string &projectId,
                                                             std::int64_t pipelineId)
{
    return m_database.read([&](Connection &connection) -> Result<Effective> {
        RetentionStore store(connection);
        Effective out;
        out.policy = effective(store, projectId, pipelineId, out.own);
        return out;
    });
}

Status RetentionService::setPolicy(const RetentionPolicyRow &policy)
{
    RETURN_IF_ERROR(checkPolicy(policy));
    return m_database.write([&](Connection &connection) -> Status {
        RetentionStore(connection).put(policy);
        return {};
    });
}

Status RetentionService::clearPolicy(const std::string &projectId, std::int64_t pipelineId)
{
    return m_database.write([&](Connection &connection) -> Status {
        RetentionStore(connection).removePolicy(projectId, pipelineId);
        return {};
    });
}

Result<std::vector<RetentionLeaseRow>>
RetentionService::addLeases(const std::string &projectId, const std::vector<NewLease> &leases)
{
    const TimePoint now = m_now();
    for (const auto &lease : leases)
        RETURN_IF_ERROR(checkLease(lease));
    return m_database.write([&](Connection &connection) -> Result<std::vector<RetentionLeaseRow>> {
        RetentionStore store(connection);
        store::RunStore runs(connection);
        std::vector<RetentionLeaseRow> out;
        for (const auto &lease : leases) {
            const auto run = runs.find(lease.runId);
            if (!run || run->projectId != projectId)
                return Error{
                    ErrorCode::InvalidArgument,
                    fmt::format("'runId': run {} does not exist in this project", lease.runId)};
            RetentionLeaseRow row{0,
                                  run->id,
                                  run->pipelineId,
                                  lease.ownerId,
                                  now,
                                  validUntil(now, lease.daysValid),
                                  lease.protectPipeline};
            row.id = store.insertLease(row);
            out.push_back(std::move(row));
        }
        return out;
    });
}

Result<RetentionLeaseRow> RetentionService::lease(const std::string &projectId, std::int64_t id)
{
    return m_database.read([&](Connection &connection) -> Result<RetentionLeaseRow> {
        auto found = RetentionStore(connection).lease(projectId, id);
        if (!found)
            return Error{ErrorCode::NotFound, fmt::format("no retention lease {}", id)};
        return *std::move(found);
    });
}

Result<std::vector<RetentionLeaseRow>> RetentionService::leases(const store::LeaseQuery &query)
{
    return m_database.read(
        [&](Connection &connection) { return Result(RetentionStore(connection).leases(query)); });
}

Status RetentionService::removeLeases(const std::string &projectId,
                                      const std::vector<std::int64_t> &ids)
{
    return m_database.write([&](Connection &connection) -> Status {
        RetentionStore store(connection);
        for (const auto id : ids)
            store.removeLease(projectId, id);
        return {};
    });
}

Result<RetentionLeaseRow> RetentionService::updateLease(const std::string &projectId,
                                                        std::int64_t id,
                                                        std::optional<int> daysValid,
                                                        std::optional<bool> protectPipeline)
{
    if (daysValid && *daysValid < 1)
        return Error{ErrorCode::InvalidArgument, "'daysValid' must be at least 1"};
    return m_database.write([&](Connection &connection) -> Result<RetentionLeaseRow> {
        RetentionStore store(connection);
        auto found = store.lease(projectId, id);
        if (!found)
            return Error{ErrorCode::NotFound, fmt::format("no retention lease {}", id)};
        if (daysValid)
            found->validUntil = validUntil(found->createdAt, *daysValid);
        found->protectPipeline = protectPipeline.value_or(found->protectPipeline);
        store.updateLease(*found);
        return *std::move(found);
    });
}

Result<std::set<std::int64_t>> RetentionService::leased(const std::vector<std::int64_t> &runIds)
{
    return m_database.read([&](Connection &connection) {
        RetentionStore store(connection);
        const TimePoint now = m_now();
        std::set<std::int64_t> found;
        std::copy_if(runIds.begin(), runIds.end(), std::inserter(found, found.end()),
                     [&](std::int64_t id) { return store.isLeased(id, now); });
        return Result(std::move(found));
    });
}

Status RetentionService::deleteRun(std::int64_t runId)
{
    const TimePoint now = m_now();
    RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
        RetentionStore store(connection);
        const auto row = store::RunStore(connection).find(runId);
        if (!row)
            return {ErrorCode::NotFound, fmt::format("run {} does not exist", runId)};
        const auto run = store.completedRun(runId, now);
        if (!run)
            return {ErrorCode::Conflict,
                    fmt::format("run {} is not completed; cancel it first", row->number)};
        if (run->leased)
            return {ErrorCode::Conflict,
                    fmt::format("run {} is kept by a retention lease; remove the lease first",
                                row->number)};
        const auto deployed = store.deployedRuns();
        if (std::binary_search(deployed.begin(), deployed.end(), runId))
            return {
                ErrorCode::Conflict,
                fmt::format("run {} made or deployed a version that is deployed now", row->number)};
        store.markDeleted(runId, now);
        return {};
    }));
    wake();
    return {};
}

Status RetentionService::deletePipeline(std::int64_t pipelineId)
{
    const TimePoint now = m_now();
    RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
        RetentionStore store(connection);
        if (store.hasOpenRuns(pipelineId))
            return {ErrorCode::Conflict,
                    "runs of the pipeline are going on; cancel them or wait, then delete it"};
        if (store.isPipelineProtected(pipelineId, now))
            return {ErrorCode::Conflict,
                    "a retention lease protects the pipeline; remove it first"};
        for (const auto run : store.runsOf(pipelineId))
            store.markDeleted(run, now);
        store.markPipelineDeleted(pipelineId, now);
        return {};
    }));
    wake();
    return {};
}

Result<Verdict> RetentionService::verdict(const std::string &projectId, std::int64_t runId)
{
    const TimePoint now = m_now();
    return m_database.read([&](Connection &connection) -> Result<Verdict> {
        RetentionStore store(connection);
        const auto run = store.completedRun(runId, now);
        if (!run)
            return Error{ErrorCode::NotFound,
                         fmt::format("run {} does not exist or is not completed", runId)};
        bool own = false;
        const auto policy = effective(store, projectId, run->pipelineId, own);
        const auto deployed = store.deployedRuns();
        return decideRetention(*run, policy,
                               std::binary_search(deployed.begin(), deployed.end(), runId),
                               runId >= store.keptFrom(run->pipelineId, policy.minimumRuns), now);
    });
}

Status RetentionService::dropBlobs(const std::vector<std::string> &blobs)
{
    for (const auto &blob : blobs)
        RETURN_IF_ERROR(m_artifacts.removeUnused(blob));
    return {};
}

Status RetentionService::emptyRun(std::int64_t runId)
{
    const TimePoint now = m_now();
    // Files first: once the row is gone nobody knows of them.
    RETURN_IF_ERROR(m_logs.removeRun(runId));
    ASSIGN_OR_RETURN(const auto blobs, m_database.write([&](Connection &connection) {
        return Result(RetentionStore(connection).removeArtifacts(runId));
    }));
    RETURN_IF_ERROR(dropBlobs(blobs));
    for (bool done = false; !done;) {
        ASSIGN_OR_RETURN(done, m_database.write([&](Connection &connection) {
            return Result(RetentionStore(connection).emptySome(runId, kPiece, now));
        }));
    }
    return {};
}

Result<RetentionService::Swept>
RetentionService::sweepPipeline(std::int64_t pipelineId, const RetentionPolicyRow &policy,
                                const std::vector<std::int64_t> &deployed)
{
    const TimePoint now = m_now();
    const int shortest = std::min({policy.runDays, policy.artifactDays, policy.pullRequestDays});
    Swept swept;
    std::int64_t after = 0;
    while (!m_thread.get_stop_token().stop_requested()) {
        std::int64_t below = 0;
        ASSIGN_OR_RETURN(const auto runs, m_database.read([&](Connection &connection) {
            RetentionStore store(connection);
            below = store.keptFrom(pipelineId, policy.minimumRuns);
            return Result(store.completed(pipelineId, after, below,
                                          now - std::chrono::days(shortest), now, kPage));
        }));
        for (const auto &run : runs) {
            after = run.id;
            const auto verdict = decideRetention(
                run, policy, std::binary_search(deployed.begin(), deployed.end(), run.id),
                run.id >= below, now);
            if (verdict.fate == Fate::Delete) {
                // Decided on a snapshot: a lease or a deployment may have come meanwhile, so the
                // deletion asks once more.
                const Status gone = deleteRun(run.id);
                if (!gone && gone.error().code != ErrorCode::Conflict)
                    return gone.error();
            } else if (verdict.fate == Fate::DropArtifacts) {
                ASSIGN_OR_RETURN(const auto blobs, m_database.write([&](Connection &connection) {
                    return Result(RetentionStore(connection).removeArtifacts(run.id));
                }));
                RETURN_IF_ERROR(dropBlobs(blobs));
                swept.artifacts += static_cast<int>(blobs.size());
            }
        }
        if (runs.size() < kPage)
            break;
    }
    return swept;
}

Result<RetentionService::Swept> RetentionService::sweep()
{
    const auto lock = backup::DeletionLock::exclusive(m_deletionLock);
    if (!lock && lock.error().code == ErrorCode::Unavailable)
        return Swept{}; // a backup is running; the next round comes
    if (!lock)
        return lock.error();
    std::vector<std::pair<std::int64_t, std::string>> pipelines;
    std::map<std::int64_t, RetentionPolicyRow> policies;
    std::vector<std::int64_t> deployed;
    RETURN_IF_ERROR(m_database.read([&](Connection &connection) -> Status {
        RetentionStore store(connection);
        pipelines = store.pipelines();
        for (const auto &[id, project] : pipelines) {
            bool own = false;
            policies[id] = effective(store, project, id, own);
        }
        deployed = store.deployedRuns();
        return {};
    }));
    Swept swept;
    for (const auto &[id, project] : pipelines) {
        ASSIGN_OR_RETURN(const Swept part, sweepPipeline(id, policies[id], deployed));
        swept.artifacts += part.artifacts;
    }
    // Marked ones, of this round and of an earlier one that was interrupted.
    while (!m_thread.get_stop_token().stop_requested()) {
        ASSIGN_OR_RETURN(const auto runs, m_database.read([](Connection &connection) {
            return Result(RetentionStore(connection).toEmpty(kPage));
        }));
        if (runs.empty())
            break;
        for (const auto run : runs) {
            if (m_thread.get_stop_token().stop_requested())
                return swept;
            RETURN_IF_ERROR(emptyRun(run));
            ++swept.runs;
        }
    }
    if (swept.runs > 0) {
        for (int removed = kPiece; removed >= kPiece;) {
            ASSIGN_OR_RETURN(removed, m_database.write([](Connection &connection) {
                return Result(RetentionStore(connection).removeUnusedPlans(kPiece));
            }));
        }
    }
    return swept;
}

} // namespace server::retention
