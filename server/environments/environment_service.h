#pragma once
/// Environments, their resources, deployment records, and the answer to "which version of which
/// service is where, and how did it get there".

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "schema/model/states.h"
#include "server/store/database.h"
#include "server/store/environment_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace server::environments {

using schema::TimePoint;

struct Resource
{
    std::int64_t id = 0;
    std::int64_t environmentId = 0;
    std::string name;
    std::string type; ///< "kubernetes" or "dockerHost"
    std::string clusterName, kubernetesNamespace;
    std::optional<std::string> connectionId; ///< service connection it is reached through
};

struct Environment
{
    std::int64_t id = 0;
    std::string projectId, name, description;
    int ordinal = 0; ///< column order in the matrix
    std::optional<std::string> createdBy;
    std::string createdByName; ///< read only
    TimePoint createdAt{};
    std::vector<Resource> resources;
};

struct DeploymentRecord
{
    std::int64_t id = 0;
    std::int64_t environmentId = 0;
    std::int64_t resourceId = 0; ///< 0: the environment itself
    std::int64_t runId = 0;
    std::string runNumber, planId;
    std::int64_t pipelineId = 0;
    std::string pipelineName;
    std::string stage, job, requestIdentifier;
    int stageAttempt = 1, jobAttempt = 1;
    TimePoint queuedAt{};
    std::optional<TimePoint> startedAt, finishedAt;
    std::optional<schema::TaskResult> result;
};

/// The record as the API shows it.
DeploymentRecord toRecord(const store::DeploymentRow &row);

/// Whose run it is; run numbers repeat from pipeline to pipeline. An id of 0: unknown.
struct PipelineRef
{
    std::int64_t id = 0;
    std::string name;
};

/// A version of a service: one image digest.
struct Version
{
    std::int64_t id = 0;
    std::string digest;
    std::vector<std::string> tags;
    std::string commit, commitMessage;
    std::int64_t runId = 0; ///< that built it; 0: unknown
    std::string runNumber;
    PipelineRef pipeline;
    TimePoint createdAt{};
};

struct Service
{
    std::int64_t id = 0;
    std::string key, imageRepository;
};

struct Decision
{
    std::string displayName, status, comment;
    std::optional<TimePoint> at;
};

enum class CellState : std::uint8_t { Ok, InProgress, Failed, Waiting };
/// "ok", "inProgress", "failed", "waiting".
std::string_view toString(CellState state);

/// What comes to a cell next, or tried to.
struct PendingDeployment
{
    std::int64_t runId = 0;
    std::string runNumber;
    PipelineRef pipeline;
    std::string state; ///< "waiting", "inProgress", "failed"
    std::string approvalId;
    std::optional<Version> version; ///< the service's version made by that run, when it made one
};

struct Cell
{
    std::int64_t serviceId = 0, environmentId = 0, resourceId = 0;
    CellState state = CellState::Ok; ///< of the newest attempt
    std::optional<Version> version;  ///< deployed last with success
    std::string image;               ///< as deployed, with tag
    std::int64_t deploymentId = 0;   ///< that success; 0: none yet
    std::int64_t runId = 0;
    std::string runNumber;
    PipelineRef pipeline;
    std::optional<TimePoint> since;
    std::string workload, kubernetesNamespace;
    std::vector<Decision> approvedBy;
    int behind = 0;                           ///< versions of the service built after this one
    std::optional<PendingDeployment> pending; ///< the newest attempt, when it has not succeeded
    /// Every run whose deployment to here waits for an approval, in the order of the approvals;
    /// several runs may wait for one environment at once.
    std::vector<PendingDeployment> waiting;
};

struct LockHolder
{
    std::int64_t environmentId = 0, runId = 0;
    std::string runNumber, stage;
    PipelineRef pipeline;
};

struct Matrix
{
    TimePoint at{};
    std::vector<Environment> environments; ///< by ordinal, then name
    std::vector<Service> services;         ///< by key
    std::vector<Cell> cells;
    std::vector<LockHolder> locks;
};

struct Commit
{
    std::string id, message, author;
    std::optional<TimePoint> at;
};

/// Reads git history; implemented by server/triggers. Called without any database lock held.
class CommitSource
{
public:
    virtual ~CommitSource() = default;

    /// Commits reachable from `to` and not from `from`, newest first, at most `limit`; empty
    /// `from`: the whole history. Errors: NotFound (repository or commit unknown).
    virtual schema::Result<std::vector<Commit>> between(const std::string &repositoryId,
                                                        const std::string &from,
                                                        const std::string &to, int limit) = 0;
    /// True when `ancestor` is reachable from `commit`.
    virtual schema::Result<bool> isAncestor(const std::string &repositoryId,
                                            const std::string &ancestor,
                                            const std::string &commit) = 0;
};

enum class Direction : std::uint8_t { First, Forward, Rollback, Redeploy, Sideways };
/// "first", "forward", "rollback", "redeploy", "sideways".
std::string_view toString(Direction direction);

struct HistoryEntry
{
    DeploymentRecord deployment;
    std::string environmentName;
    std::optional<Resource> resource;
    Service service; ///< id 0: the job recorded no image; `version` is the run's own commit
    std::optional<Version> version;
    std::string image, digest, workload, kubernetesNamespace;
    std::optional<std::string> requestedBy;
    std::string requestedByName;
    std::vector<Decision> approvals;
    /// Newly deployed commits, or those taken away by a rollback; newest first, at most 250.
    std::vector<Commit> commits;
    Direction direction = Direction::First;
};

struct HistoryFilter
{
    std::string projectId;
    std::optional<std::string> service; ///< key
    std::optional<std::int64_t> environmentId, resourceId, runId;
    /// Continuation: only deployments with a smaller id.
    std::optional<std::int64_t> beforeDeployment;
    int top = 25; ///< deployments, 1..200
    bool withCommits = true;
};

/// All methods are thread-safe.
class EnvironmentService
{
public:
    /// Both must outlive the service.
    EnvironmentService(store::Database &database, CommitSource &commits);

    schema::Result<std::vector<Environment>> list(const std::string &projectId);
    schema::Result<Environment> find(std::int64_t environmentId);
    /// By name (ignoring case) or id. Errors: NotFound naming what exists.
    schema::Result<Environment> findByName(const std::string &projectId, const std::string &name);
    /// Errors: AlreadyExists, InvalidArgument (name), NotFound (project).
    schema::Result<Environment> create(const Environment &environment);
    schema::Result<Environment> update(const Environment &environment);
    /// Errors: Conflict when deployments to it are on record.
    schema::Status remove(std::int64_t environmentId);
    schema::Result<Resource> addResource(const Resource &resource);
    schema::Status removeResource(std::int64_t resourceId);

    /// Newest first; `beforeId` continues.
    schema::Result<std::vector<DeploymentRecord>>
    deployments(std::int64_t environmentId, std::optional<std::int64_t> beforeId, int top);
    /// The matrix now or as it was at `at`.
    schema::Result<Matrix> matrix(const std::string &projectId, std::optional<TimePoint> at);
    schema::Result<std::vector<HistoryEntry>> history(const HistoryFilter &filter);

private:
    store::Database &m_database;
    CommitSource &m_commits;
};

} // namespace server::environments
