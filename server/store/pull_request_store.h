#pragma once
/// Pull requests of hosted repositories, and pushes that wait for a run to end (`batch: true`).

#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

struct PullRequest
{
    std::int64_t id = 0;
    std::string repositoryId, title, description;
    std::string sourceRef, targetRef; ///< full refs of branches
    std::string status = "active";    ///< "active", "abandoned", "completed"
    bool isDraft = false;
    std::optional<std::string> createdBy; ///< identity id
    std::string createdByName;            ///< read only, joined
    schema::TimePoint createdAt;
    std::optional<schema::TimePoint> closedAt;
    std::string sourceCommit, targetCommit, mergeCommit; ///< of the last merge
    std::string mergeStatus = "queued"; ///< "queued", "succeeded", "conflicts", "failure"
    std::string conflictsJson = "[]";   ///< paths
    std::string evaluatedCommit;        ///< head of the source that runs were last started for
    bool evaluatedDraft = false;

    [[nodiscard]] std::string mergeRef() const
    {
        return "refs/pull/" + std::to_string(id) + "/merge";
    }
};

struct PullRequestQuery
{
    std::string projectId;
    std::optional<std::string> repositoryId, status, sourceRef, targetRef;
    int top = 100, skip = 0;
};

struct BatchedPush
{
    std::int64_t pipelineId = 0;
    std::string ref, commit;
    schema::TimePoint at;
};

/// Statements within the caller's transaction. Methods throw SqlError.
class PullRequestStore
{
public:
    explicit PullRequestStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Gives the id. Throws AlreadyExists when an active one has the same branches.
    std::int64_t insert(const PullRequest &request);
    /// Writes what people change: texts, target, status, draft.
    void update(const PullRequest &request);
    /// Writes what the server finds out: the merge, and what runs were started for.
    void putMerge(const PullRequest &request);
    std::optional<PullRequest> find(std::string_view projectId, std::int64_t id);
    /// Newest first.
    std::vector<PullRequest> list(const PullRequestQuery &query);
    std::vector<PullRequest> active(std::string_view repositoryId);

    /// Inserts, or moves the waiting push of the branch on; the time of the first one stays.
    void putBatched(const BatchedPush &push);
    std::vector<BatchedPush> batched();
    void removeBatched(std::int64_t pipelineId, std::string_view ref);

private:
    Connection &m_connection;
};

} // namespace server::store
