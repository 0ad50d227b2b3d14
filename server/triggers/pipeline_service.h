#pragma once
/// Pipelines: definitions, compiling at a commit, queueing runs. Thread-safe.

#include "pipelines/compile/compiler.h"
#include "schema/base/result.h"
#include "schema/model/states.h"
#include "server/auth/authenticator.h"
#include "server/library/library_service.h"
#include "server/library/project_service.h"
#include "server/scheduler/run_service.h"
#include "server/store/pipeline_store.h"
#include "server/tasks/task_store.h"
#include "server/triggers/plan_references.h"
#include "server/triggers/repository_service.h"

#include <optional>
#include <string>
#include <vector>

namespace server::triggers {

/// What somebody or something wants to run.
struct QueueRequest
{
    std::int64_t pipelineId = 0;
    schema::RunReason reason = schema::RunReason::Manual;
    std::string branch;  ///< full ref or branch name; empty: the pipeline's default branch
    std::string version; ///< commit id; empty: head of the branch
    std::optional<auth::Principal> requestedBy; ///< the person; absent for triggers
    schema::TextMap parameters;
    schema::TextMap variables; ///< queue-time, not secret
    std::vector<std::string> stagesToSkip;
    schema::RunPriority priority = schema::RunPriority::Normal;
    std::optional<std::string> yamlOverride; ///< preview of an edited entry file
    std::optional<store::Pipeline> draft;    ///< compile() only: a pipeline that is not there yet
    std::string scheduleName;                ///< Build.CronSchedule.DisplayName
    schema::TextMap triggerVariables;        ///< what started it; names as jobs see them
};

/// A pipeline compiled at a commit.
struct CompiledPipeline
{
    store::Pipeline pipeline;
    store::Repository repository;
    store::Project project;
    std::string branch; ///< full ref
    Commit commit;
    pipelines::Compilation compilation;
    /// Errors of the compilation and of references to things that do not exist; warnings too.
    std::vector<pipelines::Diagnostic> diagnostics;
    bool valid = false;
    std::string text; ///< the entry file; empty when there is none
};

struct QueuedRun
{
    std::int64_t runId = 0; ///< 0: not created, see diagnostics
    std::vector<pipelines::Diagnostic> diagnostics;
};

/// JSON list as stored with a run and given by the API: `[{severity, code, message, file, line,
/// column, hint}]`.
std::string diagnosticsJson(const std::vector<pipelines::Diagnostic> &diagnostics);

class PipelineService
{
public:
    /// All must outlive the service.
    PipelineService(store::Database &database, library::ProjectService &projects,
                    RepositoryService &repositories, library::LibraryService &library,
                    environments::EnvironmentService &environments, scheduler::RunService &runs,
                    const tasks::TaskStore &tasks);

    schema::Result<std::vector<store::Pipeline>> list(const std::string &projectId);
    /// Errors: NotFound (also when it is another project's; empty `projectId`: any).
    schema::Result<store::Pipeline> find(const std::string &projectId, std::int64_t id);
    schema::Result<std::vector<store::Pipeline>> ofRepository(const std::string &repositoryId);
    schema::Result<std::vector<store::Pipeline>> all();
    /// Errors: AlreadyExists, InvalidArgument naming the field, NotFound (repository).
    schema::Result<store::Pipeline> create(store::Pipeline pipeline);

    /// Writes name, folder, path, default branch, queue status and limit. Errors: NotFound,
    /// AlreadyExists, InvalidArgument naming the field.
    schema::Result<store::Pipeline> update(store::Pipeline pipeline);

    /// Compiles without creating anything (preview, queue dialog). Broken YAML is a value with
    /// diagnostics; errors: NotFound (pipeline, branch, commit), Conflict (pipeline is disabled).
    schema::Result<CompiledPipeline> compile(const QueueRequest &request,
                                             bool requireParameters = true);
    /// Compiles and creates a run. With errors in the pipeline: nothing is created when a person
    /// asked (the diagnostics go back), a failed run with the diagnostics when a trigger did.
    schema::Result<QueuedRun> queue(const QueueRequest &request);

private:
    schema::Result<std::string> nextNumber(const CompiledPipeline &compiled,
                                           const QueueRequest &request,
                                           const schema::RunPlan &plan);
    schema::Result<KnownNames> knownNames(const std::string &projectId, bool mayCreate);

    store::Database &m_database;
    library::ProjectService &m_projects;
    RepositoryService &m_repositories;
    library::LibraryService &m_library;
    environments::EnvironmentService &m_environments;
    scheduler::RunService &m_runs;
    const tasks::TaskStore &m_tasks;
};

} // namespace server::triggers
