#include "server/events/event_hub.h"
#include "server/scheduler/scheduler.h"
#include "server/store/environment_store.h"
#include "server/store/test_store.h"
#include "server/store/timeline_store.h"
#include "server/store/token.h"
#include "server/workers/image_name.h"
#include "server/workers/job_access.h"
#include "server/workers/worker_service.h"

#include <fmt/format.h>

namespace server::workers {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::JobRow;
using store::JobState;

JobAccess accessOf(Connection &connection, const JobRow &job)
{
    return {job.id,      job.runId, job.recordId, job.attempt, projectOf(connection, job.runId),
            job.queuedAt};
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

Result<artifacts::ArtifactUpload>
JobService::beginArtifact(const std::string &jobId, std::string_view token, const std::string &name)
{
    ASSIGN_OR_RETURN(const JobAccess job, access(jobId, token));
    return m_artifacts.begin(job.runId, name, job.recordId,
                             job.attempt > 1 ? job.queuedAt : schema::TimePoint());
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

} // namespace server::workers
