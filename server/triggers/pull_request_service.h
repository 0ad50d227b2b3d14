#pragma once
/// Pull requests of hosted repositories: made and changed by people, merged for trial on every
/// push, and what starts the runs that validate them (`pr:`). Thread-safe; evaluate() belongs to
/// the trigger loop.

#include "pipelines/compile/compiler.h"
#include "schema/base/result.h"
#include "server/scheduler/run_service.h"
#include "server/store/pull_request_store.h"
#include "server/triggers/pipeline_service.h"
#include "server/triggers/repository_service.h"

#include <optional>
#include <string>
#include <vector>

namespace server::triggers {

/// What a person wants changed; absent members stay.
struct PullRequestChange
{
    std::optional<std::string> title, description, targetRef, status;
    std::optional<bool> isDraft;
    std::string expectedSource; ///< completing: head of the source that was seen; empty: any
    bool deleteSource = false;  ///< completing: remove the source branch
};

class PullRequestService
{
public:
    /// All must outlive the service.
    PullRequestService(store::Database &database, RepositoryService &repositories,
                       PipelineService &pipelines, scheduler::RunService &runs);

    /// Errors: InvalidArgument (title, branches), AlreadyExists (active one of these branches).
    schema::Result<store::PullRequest> create(const store::Repository &repository,
                                              store::PullRequest request);
    schema::Result<store::PullRequest> find(const std::string &projectId, std::int64_t id);
    schema::Result<std::vector<store::PullRequest>> list(const store::PullRequestQuery &query);
    /// Completing merges into the target branch. Errors: NotFound; Conflict (closed already, has
    /// conflicts, a branch was moved); InvalidArgument.
    schema::Result<store::PullRequest> update(const std::string &projectId, std::int64_t id,
                                              const PullRequestChange &change,
                                              const std::string &by);

    /// Merges the active ones whose branches moved and starts their runs; earlier runs of the same
    /// pull request are cancelled where the pipeline says autoCancel. Gives the number of runs.
    schema::Result<int> evaluate(const store::Repository &repository);

private:
    schema::Result<int> startRuns(const store::Repository &repository, const GitRepository &git,
                                  const store::PullRequest &request);
    schema::Result<bool> alreadyStarted(std::int64_t pipelineId, const store::PullRequest &request);
    schema::Status cancelEarlier(std::int64_t pipelineId, const store::PullRequest &request);
    schema::Result<store::PullRequest> complete(const store::Repository &repository,
                                                store::PullRequest request,
                                                const PullRequestChange &change);

    store::Database &m_database;
    RepositoryService &m_repositories;
    PipelineService &m_pipelines;
    scheduler::RunService &m_runs;
};

} // namespace server::triggers
