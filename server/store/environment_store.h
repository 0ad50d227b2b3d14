#pragma once
/// Rows of environments, resources, deployments, services, versions and the matrix.

#include "schema/model/states.h"
#include "schema/protocol/messages.h"
#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

using schema::TimePoint;

struct EnvironmentRow
{
    std::int64_t id = 0;
    std::string projectId, name, description;
    int ordinal = 0;
    std::optional<std::string> createdBy;
    TimePoint createdAt{};
    std::string createdByName; ///< read only, joined
};

struct ResourceRow
{
    std::int64_t id = 0;
    std::int64_t environmentId = 0;
    std::string name, type, clusterName, kubernetesNamespace;
    std::optional<std::string> connectionId;
};

struct DeploymentRow
{
    std::int64_t id = 0;
    std::int64_t environmentId = 0;
    std::int64_t resourceId = 0; ///< 0: none
    std::int64_t runId = 0;
    std::string stage, phase, requestIdentifier;
    int stageAttempt = 1, phaseAttempt = 1;
    TimePoint queuedAt{};
    std::optional<TimePoint> startedAt, finishedAt;
    std::optional<schema::TaskResult> result;
    // read only, joined
    std::string runNumber, planId, pipelineName;
    std::int64_t pipelineId = 0;
};

struct ServiceRow
{
    std::int64_t id = 0;
    std::string projectId, key, imageRepository;
};

struct VersionRow
{
    std::int64_t id = 0;
    std::int64_t serviceId = 0;
    std::string digest;
    std::vector<std::string> tags;
    std::string commit;
    std::int64_t runId = 0; ///< 0: unknown
    TimePoint createdAt{};
    // read only, joined
    std::string runNumber, commitMessage;
    std::int64_t pipelineId = 0;
    std::string pipelineName;
};

struct ItemRow
{
    std::int64_t deploymentId = 0, serviceId = 0;
    std::optional<std::int64_t> versionId;
    std::string image, digest, workload, kubernetesNamespace;
};

/// A deployment with one of its items, newest first: the material of matrix and history.
struct DeployedRow
{
    DeploymentRow deployment;
    ItemRow item;
};

/// Statements on environments, within the caller's transaction. Methods throw SqlError.
class EnvironmentStore
{
public:
    explicit EnvironmentStore(Connection &connection)
        : m_connection(connection)
    {}

    std::vector<EnvironmentRow> list(const std::string &projectId);
    std::optional<EnvironmentRow> find(std::int64_t id);
    std::optional<EnvironmentRow> find(const std::string &projectId, std::string_view name);
    std::int64_t insert(const EnvironmentRow &row);
    void update(const EnvironmentRow &row);
    /// True when an approval asked for one of its checks is on record.
    bool isReferenced(std::int64_t id);
    /// Removes an environment with its resources and checks. Throws SqlError when deployments refer
    /// to it.
    bool remove(std::int64_t id);
    std::vector<ResourceRow> resources(std::int64_t environmentId);
    std::optional<ResourceRow> findResource(std::int64_t id);
    std::int64_t insertResource(const ResourceRow &row);
    bool removeResource(std::int64_t id);

    /// Inserts or updates by (run, stage, attempts). Gives the id.
    std::int64_t put(const DeploymentRow &row);
    std::optional<DeploymentRow> findDeployment(std::int64_t runId, const std::string &stage,
                                                int stageAttempt, const std::string &phase,
                                                int phaseAttempt);
    std::vector<DeploymentRow> deploymentsOfRun(std::int64_t runId);
    /// Newest first.
    std::vector<DeploymentRow> deployments(std::int64_t environmentId,
                                           std::optional<std::int64_t> beforeId, int top);
    /// Unfinished deployments of a project's environments.
    std::vector<DeploymentRow> openDeployments(const std::string &projectId);
    /// The newest deployment of each environment and resource of a project.
    std::vector<DeploymentRow> newestDeployments(const std::string &projectId);

    /// The service of an image repository ("localhost:5000/space-game/web"), made when new: its key
    /// is the last path segment, or the path without the registry when that is taken.
    ServiceRow serviceOf(const std::string &projectId, const std::string &imageRepository);
    std::vector<ServiceRow> services(const std::string &projectId);

    /// Records a pushed image; repeating it adds tags. Gives the id.
    std::int64_t putVersion(const VersionRow &version);
    /// By digest: of this run if it made it, else the newest.
    std::optional<VersionRow> findVersion(std::int64_t serviceId, std::string_view digest,
                                          std::int64_t runId);
    /// The newest version pushed with this tag.
    std::optional<VersionRow> findVersionByTag(std::int64_t serviceId, std::string_view tag);
    std::optional<VersionRow> version(std::int64_t id);
    /// Versions a run made.
    std::vector<VersionRow> versionsOfRun(std::int64_t runId);
    /// Number of versions of the service built after that one, by commit: a commit that was built
    /// twice brings nothing new. Where the commit is not known, each digest counts.
    int versionsAfter(const VersionRow &version);

    void putItem(const ItemRow &item);
    std::vector<ItemRow> items(std::int64_t deploymentId);
    /// Brings the matrix to what a succeeded deployment put in place; gives the services.
    std::vector<std::int64_t> updateCells(const DeploymentRow &deployment, TimePoint now);
    /// What the matrix holds now, or held at a time: the newest successful deployment per service
    /// and target.
    std::vector<DeployedRow> cells(const std::string &projectId, std::optional<TimePoint> at);

    struct HistoryQuery
    {
        std::string projectId;
        std::optional<std::string> serviceKey;
        std::optional<std::int64_t> environmentId, resourceId, runId, beforeDeployment;
        int top = 25;
    };

    std::vector<DeployedRow> history(const HistoryQuery &query);
    /// The successful deployment of the service to the target before this one.
    std::optional<DeployedRow> previous(std::int64_t serviceId, const DeploymentRow &deployment);

private:
    Connection &m_connection;
};

} // namespace server::store
