#include "server/events/event_hub.h"
#include "server/scheduler/scheduler.h"
#include "server/store/environment_store.h"
#include "server/store/test_store.h"
#include "server/store/timeline_store.h"
#include "server/store/token.h"
#include "server/workers/image_name.h"
#include "server/workers/worker_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace server::workers {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::JobRow;
using store::JobState;

/// Records of one call at most; a job process sends far fewer.
constexpr std::size_t kMostRecords = 10'000;

Error leaseLost()
{
    return {ErrorCode::Conflict, "leaseLost: the server gave this job up"};
}

/// The open job that `token` is for. While a job is open its hash stands in the row; a completed
/// one keeps it so that a repeated `complete` is recognised, but takes nothing else any more.
Result<JobRow> openJob(Connection &connection, const std::string &jobId, const store::Blob &hash)
{
    auto job = store::RunStore(connection).findJob(jobId);
    if (!job)
        return Error{ErrorCode::NotFound, fmt::format("job {} is unknown", jobId)};
    if (job->state == JobState::Completed || job->state == JobState::Queued ||
        job->tokenHash.empty())
        return leaseLost();
    if (!store::sameHash(job->tokenHash, hash)) {
        // An earlier offer of the same job that was taken back, or a stranger; neither may go on.
        return store::RunStore(connection).findJobByToken(hash)
                   ? Error{ErrorCode::Unauthenticated, "this token is for another job"}
                   : leaseLost();
    }
    return std::move(*job);
}

std::string projectOf(Connection &connection, std::int64_t runId)
{
    return store::RunStore(connection).projectOf(runId);
}

JobAccess accessOf(Connection &connection, const JobRow &job)
{
    return {job.id, job.runId, job.recordId, job.attempt, projectOf(connection, job.runId)};
}

std::string runEvent(std::int64_t runId, std::int64_t changeId)
{
    return fmt::format(R"({{"runId":{},"changeId":{}}})", runId, changeId);
}

} // namespace

JobService::JobService(store::Database &database, scheduler::Scheduler &scheduler,
                       logs::LogStore &logs, artifacts::ArtifactStore &artifacts,
                       events::EventHub &events)
    : m_database(database)
    , m_scheduler(scheduler)
    , m_logs(logs)
    , m_artifacts(artifacts)
    , m_events(events)
{}

Result<JobAccess> JobService::authorize(std::string_view token)
{
    const store::Blob hash = store::tokenHash(token);
    return m_database.read([&](Connection &connection) -> Result<JobAccess> {
        const auto job = store::RunStore(connection).findJobByToken(hash);
        if (!job || job->state == JobState::Completed)
            return Error{ErrorCode::Unauthenticated,
                         "the job token is unknown or its job has ended"};
        return accessOf(connection, *job);
    });
}

Result<JobAccess> JobService::access(const std::string &jobId, std::string_view token)
{
    const store::Blob hash = store::tokenHash(token);
    bool unaccepted = false;
    auto access = m_database.read([&](Connection &connection) -> Result<JobAccess> {
        ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
        unaccepted = job.state == JobState::Assigned;
        return accessOf(connection, job);
    });
    if (unaccepted)
        m_scheduler.jobSeen(jobId);
    return access;
}

Status JobService::mergeRecords(const std::string &jobId, std::string_view token,
                                const std::vector<schema::protocol::RecordUpdate> &updates)
{
    if (updates.size() > kMostRecords)
        return {ErrorCode::LimitExceeded,
                fmt::format("records: at most {} in one call", kMostRecords)};
    const store::Blob hash = store::tokenHash(token);
    bool unaccepted = false;
    std::int64_t runId = 0;
    std::int64_t changeId = 0;
    std::string projectId;
    const Status merged = m_database.write([&](Connection &connection) -> Status {
        ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
        unaccepted = job.state == JobState::Assigned;
        runId = job.runId;
        projectId = projectOf(connection, runId);
        store::TimelineStore timeline(connection);
        changeId = timeline.nextChange(runId);
        std::set<std::string> known{job.recordId};
        for (const schema::protocol::RecordUpdate &update : updates) {
            const bool own = update.id == job.recordId;
            if (!own) {
                const auto owner = timeline.jobOf(runId, update.id, job.attempt);
                if (owner && *owner != jobId)
                    return {ErrorCode::InvalidArgument,
                            fmt::format("records: '{}' belongs to another job", update.id)};
                if (!owner && !known.contains(update.parentId) &&
                    timeline.jobOf(runId, update.parentId, job.attempt) != jobId)
                    return {ErrorCode::InvalidArgument,
                            fmt::format(
                                "records: '{}' has parentId '{}', which is no record of this job",
                                update.id, update.parentId)};
                known.insert(update.id);
            }
            timeline.merge(runId, job.attempt, jobId, own, update, changeId);
        }
        return {};
    });
    if (unaccepted)
        m_scheduler.jobSeen(jobId);
    if (merged)
        m_events.publish("run", projectId, runEvent(runId, changeId));
    return merged;
}

Result<JobService::Appended> JobService::appendLog(const std::string &jobId, std::string_view token,
                                                   const std::string &recordId,
                                                   std::uint64_t offset,
                                                   std::span<const char> bytes)
{
    if (bytes.size() > schema::protocol::kMaxLogChunkBytes)
        return Error{ErrorCode::LimitExceeded, fmt::format("log: at most {} bytes in one call",
                                                           schema::protocol::kMaxLogChunkBytes)};
    const store::Blob hash = store::tokenHash(token);

    struct Target
    {
        logs::LogKey key;
        bool found = false;
        bool unaccepted = false;
        std::string projectId;
    };

    const auto locate = [&](Connection &connection) -> Result<Target> {
        ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
        store::TimelineStore timeline(connection);
        Target target;
        target.key.runId = job.runId;
        target.unaccepted = job.state == JobState::Assigned;
        target.projectId = projectOf(connection, job.runId);
        if (const auto log = timeline.findLog(job.runId, recordId, job.attempt)) {
            if (log->jobId != jobId)
                return Error{ErrorCode::InvalidArgument,
                             fmt::format("logs: record '{}' belongs to another job", recordId)};
            target.key.logId = log->logId;
            target.found = true;
        }
        return target;
    };
    // Only the first bytes of a log write to the database (its number); all others cost a read.
    ASSIGN_OR_RETURN(Target target, m_database.read(locate));
    if (!target.found) {
        auto created = m_database.write([&](Connection &connection) -> Result<Target> {
            ASSIGN_OR_RETURN(Target again, locate(connection));
            if (again.found)
                return again;
            store::TimelineStore timeline(connection);
            ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
            if (timeline.jobOf(job.runId, recordId, job.attempt) != jobId)
                return Error{
                    ErrorCode::InvalidArgument,
                    fmt::format("logs: record '{}' is unknown; send the record first", recordId)};
            again.key.logId =
                timeline.createLog(job.runId, recordId, job.attempt, jobId, schema::wallClockNow())
                    .logId;
            return again;
        });
        if (!created)
            return created.error();
        target = std::move(*created);
    }
    if (target.unaccepted)
        m_scheduler.jobSeen(jobId);
    auto length = m_logs.append(target.key, offset, bytes);
    if (!length) {
        if (length.error().code != ErrorCode::Conflict)
            return length.error();
        ASSIGN_OR_RETURN(const logs::LogLength stored, m_logs.length(target.key));
        if (stored.sealed)
            return leaseLost();
        return Appended{stored.bytes, true};
    }
    m_events.publish("log", target.projectId,
                     fmt::format(R"({{"runId":{},"logId":{},"length":{},"sealed":false}})",
                                 target.key.runId, target.key.logId, *length));
    return Appended{*length, false};
}

Result<artifacts::ArtifactUpload>
JobService::beginArtifact(const std::string &jobId, std::string_view token, const std::string &name)
{
    ASSIGN_OR_RETURN(const JobAccess job, access(jobId, token));
    return m_artifacts.begin(job.runId, name, job.recordId);
}

Result<std::vector<artifacts::Artifact>> JobService::artifacts(const std::string &jobId,
                                                               std::string_view token)
{
    ASSIGN_OR_RETURN(const JobAccess job, access(jobId, token));
    return m_artifacts.list(job.runId);
}

Result<artifacts::Artifact> JobService::artifact(const std::string &jobId, std::string_view token,
                                                 const std::string &name)
{
    ASSIGN_OR_RETURN(const JobAccess job, access(jobId, token));
    return m_artifacts.find(job.runId, name);
}

Status JobService::addTestRun(const std::string &jobId, std::string_view token,
                              const schema::protocol::TestRunUpload &run)
{
    const store::Blob hash = store::tokenHash(token);
    std::int64_t runId = 0;
    std::int64_t changeId = 0;
    std::string projectId;
    const Status added = m_database.write([&](Connection &connection) -> Status {
        ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
        runId = job.runId;
        projectId = projectOf(connection, runId);
        changeId = store::TimelineStore(connection).nextChange(runId);
        store::TestStore(connection).insert(job.runId, jobId, run, schema::wallClockNow());
        return {};
    });
    if (added)
        m_events.publish("run", projectId, runEvent(runId, changeId));
    return added;
}

Status JobService::addImage(const std::string &jobId, std::string_view token,
                            const schema::protocol::PushedImage &image)
{
    if (image.repository.empty() || image.digest.empty())
        return {ErrorCode::InvalidArgument, "images: repository and digest must be given"};
    const store::Blob hash = store::tokenHash(token);
    std::string projectId;
    std::int64_t serviceId = 0;
    const Status added = m_database.write([&](Connection &connection) -> Status {
        ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
        projectId = projectOf(connection, job.runId);
        store::EnvironmentStore environments(connection);
        store::VersionRow version;
        version.serviceId = serviceId = environments.serviceOf(projectId, image.repository).id;
        version.digest = image.digest;
        version.tags = image.tags;
        version.runId = job.runId;
        version.createdAt = schema::wallClockNow();
        if (const auto run = store::RunStore(connection).find(job.runId))
            version.commit = run->sourceVersion;
        environments.putVersion(version);
        return {};
    });
    if (added)
        m_events.publish(
            "matrix", projectId,
            fmt::format(R"({{"serviceId":{},"environmentId":0,"resourceId":0}})", serviceId));
    return added;
}

Status JobService::addDeployed(const std::string &jobId, std::string_view token,
                               const std::vector<schema::protocol::DeployedItem> &items)
{
    const store::Blob hash = store::tokenHash(token);
    return m_database.write([&](Connection &connection) -> Status {
        ASSIGN_OR_RETURN(const JobRow job, openJob(connection, jobId, hash));
        store::EnvironmentStore environments(connection);
        std::optional<store::DeploymentRow> deployment;
        for (const store::DeploymentRow &row : environments.deploymentsOfRun(job.runId)) {
            if (row.stage == job.stage && row.phase == job.phase && row.phaseAttempt == job.attempt)
                deployment = row;
        }
        if (!deployment)
            return {ErrorCode::InvalidArgument, "deployed: this is not a deployment job; only jobs "
                                                "with an environment write its history"};
        const std::string projectId = projectOf(connection, job.runId);
        for (const schema::protocol::DeployedItem &item : items) {
            const ImageName image = parseImageName(item.image);
            if (image.repository.empty())
                return {ErrorCode::InvalidArgument,
                        fmt::format("deployed: '{}' is no image name", item.image)};
            const store::ServiceRow service = environments.serviceOf(projectId, image.repository);
            const std::string digest = item.digest.empty() ? image.digest : item.digest;
            std::optional<store::VersionRow> version;
            if (!digest.empty())
                version = environments.findVersion(service.id, digest, job.runId);
            if (!version && digest.empty() && !image.tag.empty())
                version = environments.findVersionByTag(service.id, image.tag);
            std::optional<std::int64_t> versionId;
            if (version) {
                versionId = version->id;
            } else if (!digest.empty()) {
                // Built elsewhere: the digest still identifies it, who made it nobody here knows.
                store::VersionRow foreign;
                foreign.serviceId = service.id;
                foreign.digest = digest;
                if (!image.tag.empty())
                    foreign.tags.push_back(image.tag);
                foreign.createdAt = schema::wallClockNow();
                versionId = environments.putVersion(foreign);
            }
            environments.putItem({deployment->id, service.id, versionId, item.image,
                                  digest.empty() && version ? version->digest : digest,
                                  item.kind.empty() ? item.name : item.kind + "/" + item.name,
                                  item.kubernetesNamespace});
        }
        return {};
    });
}

Status JobService::complete(const std::string &jobId, std::string_view token,
                            const schema::protocol::JobCompletion &completion)
{
    return m_scheduler.completeJob(jobId, token, completion);
}

} // namespace server::workers
