#pragma once
/// Rows of retention: policies, leases, runs that may go, and the deletion of what a run left.

#include "schema/model/states.h"
#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

struct RetentionPolicyRow
{
    std::string projectId;
    std::int64_t pipelineId = 0; ///< 0: of the project
    int runDays = 30, artifactDays = 30, pullRequestDays = 10;
    int minimumRuns = 10; ///< newest completed runs of a pipeline that always stay
};

struct RetentionLeaseRow
{
    std::int64_t id = 0, runId = 0, pipelineId = 0;
    std::string ownerId;
    schema::TimePoint createdAt, validUntil;
    bool protectPipeline = false;
};

/// A completed run, as its retention is decided.
struct CompletedRun
{
    std::int64_t id = 0, pipelineId = 0;
    schema::TimePoint finishedAt;
    schema::RunReason reason = schema::RunReason::Manual;
    bool leased = false;
    bool hasArtifacts = false;
};

struct LeaseQuery
{
    std::string projectId;
    std::optional<std::string> ownerId;
    std::optional<std::int64_t> pipelineId, runId;
};

/// Statements on retention, within the caller's transaction. Methods throw SqlError.
class RetentionStore
{
public:
    explicit RetentionStore(Connection &connection)
        : m_connection(connection)
    {}

    std::vector<RetentionPolicyRow> policies();
    std::optional<RetentionPolicyRow> policy(std::string_view projectId, std::int64_t pipelineId);
    void put(const RetentionPolicyRow &policy);
    void removePolicy(std::string_view projectId, std::int64_t pipelineId);

    std::int64_t insertLease(const RetentionLeaseRow &lease);
    /// False when there is none with this id in the project.
    bool removeLease(std::string_view projectId, std::int64_t id);
    void updateLease(const RetentionLeaseRow &lease);
    std::optional<RetentionLeaseRow> lease(std::string_view projectId, std::int64_t id);
    /// Oldest first, expired ones included, at most 10,000.
    std::vector<RetentionLeaseRow> leases(const LeaseQuery &query);
    /// A lease keeps the run now.
    bool isLeased(std::int64_t runId, schema::TimePoint now);
    /// A lease of the pipeline's runs that is valid and protects the pipeline.
    bool isPipelineProtected(std::int64_t pipelineId, schema::TimePoint now);
    void removeExpiredLeases(schema::TimePoint before);

    /// Id of the oldest of the newest `count` completed runs of a pipeline: what is below it may
    /// go. 0: there are not more than those.
    std::int64_t keptFrom(std::int64_t pipelineId, int count);
    /// Completed, not deleted runs of a pipeline with `after` < id < `below` that ended before a
    /// time, oldest first.
    std::vector<CompletedRun> completed(std::int64_t pipelineId, std::int64_t after,
                                        std::int64_t below, schema::TimePoint endedBefore,
                                        schema::TimePoint now, int limit);
    std::optional<CompletedRun> completedRun(std::int64_t runId, schema::TimePoint now);
    /// Runs that made, or deployed, what is recorded as deployed now; sorted.
    std::vector<std::int64_t> deployedRuns();

    /// Takes a run out of sight. False when it is deleted already.
    bool markDeleted(std::int64_t runId, schema::TimePoint now);
    /// Deleted runs whose remains are still there, oldest first.
    std::vector<std::int64_t> toEmpty(int limit);
    /// Deletes at most about `limit` rows of a deleted run; true when nothing is left of it but,
    /// where a deployment refers to it, its own row.
    bool emptySome(std::int64_t runId, int limit, schema::TimePoint now);
    /// Removes a run's artifacts; gives the content that they had.
    std::vector<std::string> removeArtifacts(std::int64_t runId);
    /// True while an artifact of some run has this content.
    bool isBlobUsed(std::string_view sha256);
    /// Removes plans that no run has, at most `limit`.
    int removeUnusedPlans(int limit);

    /// Takes a pipeline out of sight, its name being free again.
    void markPipelineDeleted(std::int64_t pipelineId, schema::TimePoint now);
    bool hasOpenRuns(std::int64_t pipelineId);
    std::vector<std::int64_t> runsOf(std::int64_t pipelineId);
    /// Id and project of every pipeline, deleted ones included.
    std::vector<std::pair<std::int64_t, std::string>> pipelines();

private:
    Connection &m_connection;
};

} // namespace server::store
