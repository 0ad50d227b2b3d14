#pragma once
/// Runs as the API sees them: create, cancel, retry, read. Changing calls go through the scheduler
/// loop and return when the change is on disk.

#include "schema/base/guid.h"
#include "schema/base/result.h"
#include "schema/model/plan.h"
#include "schema/model/states.h"
#include "server/store/run_store.h"
#include "server/store/timeline_store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace server::scheduler {

class Scheduler;

/// A run to be created. The caller compiled the pipeline and knows the commit.
struct NewRun
{
    /// Of its plan; the ids of its records are made from it.
    std::string planId = schema::randomGuid();
    std::int64_t pipelineId = 0;
    schema::RunReason reason = schema::RunReason::Manual;
    std::string sourceBranch;  ///< full ref, "refs/heads/main"
    std::string sourceVersion; ///< commit id
    std::string commitMessage, commitAuthor;
    std::optional<std::string> requestedBy; ///< identity id of the person who asked for it
    schema::TextMap parameters;             ///< as given, for display
    schema::TextMap variables;              ///< queue-time variables, not secret
    std::vector<std::string> stagesToSkip;
    schema::RunPriority priority = schema::RunPriority::Normal;
    schema::TextMap triggerVariables; ///< what started it; names as jobs see them
    std::string number; ///< run number; `$(Build.BuildId)` in it is replaced by the run's id
    schema::RunPlan plan;
    std::string finalYaml;
    /// JSON list of diagnostics. When `valid` is false the run is created as failed, with these as
    /// the reason, and nothing is executed.
    std::string validationJson = "[]";
    bool valid = true;
};

struct RunReference
{
    std::int64_t id = 0;
    std::string number, pipelineName;
};

/// A limit on jobs at once, used up.
struct ReachedLimit
{
    bool ofPool = true; ///< else of the pipeline
    std::string name;   ///< of pool or pipeline
    int maximum = 0, inUse = 0;
    std::vector<RunReference> runs; ///< whose jobs use it up, oldest first; the first of many
};

/// Why a stage or job waits: in one sentence, and in parts for programs.
struct Waiting
{
    /// "worker", "limit" (of pool or pipeline), "approval", "lock", "dependency", "person"
    /// (trigger: manual), "parallel" (maxParallel)
    std::string kind;
    std::string stage, job; ///< stage's name; job's shown name, empty when the stage waits
    std::string jobId;      ///< worker, limit: the job instance
    std::string sentence;
    std::optional<schema::TimePoint> since;
    std::vector<std::string> approvers; ///< approval: who may still decide
    std::optional<RunReference> heldBy; ///< lock: who has it
    /// lock, worker, limit: 1-based place among those who wait. Jobs of a pool: in the order in
    /// which they would get workers now.
    int position = 0, queueLength = 0;
    /// lock: when its turn may come, from how long those before it took last; nothing without a
    /// history.
    std::optional<schema::TimePoint> estimatedAt;
    std::string pool;                  ///< worker, limit: where it is to run
    std::optional<ReachedLimit> limit; ///< limit
    std::string nearestWorker;         ///< worker: no worker meets the demands; the nearest one
    std::vector<std::string> missing;  ///< worker: demands that the nearest one does not meet
};

/// One job instance that did not succeed (yet).
struct JobExplanation
{
    std::string id, stage, name, identifier;
    store::JobState state = store::JobState::Queued;
    std::optional<schema::TaskResult> result;
    std::string sentence;
};

struct Explanation
{
    std::string sentence; ///< the whole run in one
    std::vector<Waiting> waiting;
    std::vector<JobExplanation> jobs; ///< of the newest attempts
};

/// The records of a run, of one moment.
struct Timeline
{
    std::vector<store::TimelineRow> records;
    /// Attempts before the newest one, ascending, by the id of the record.
    std::map<std::string, std::vector<int>> earlierAttempts;
};

/// Everything the page of one run needs, of one moment.
struct RunDetail
{
    store::RunRow run;
    schema::RunPlan plan;
    std::string finalYaml;
    std::vector<store::StageRow> stages; ///< newest attempts, plan order
    std::vector<store::PhaseRow> phases;
    std::vector<store::JobRow> jobs;
    std::vector<store::TimelineRow> records;
    std::map<std::string, std::vector<int>> earlierAttempts; ///< see Timeline
    std::vector<store::LogRow> logs;
    std::set<std::string> queuedStages; ///< begun, but only wait for workers
    std::string sentence;               ///< what the run is doing or how it ended, in plain words
};

/// A run with its stages in the state of one moment, for lists.
struct RunOverview
{
    store::RunRow run;
    std::vector<store::StageRow> stages;   ///< newest attempts, plan order
    std::vector<std::string> displayNames; ///< of `stages`
    std::set<std::string> queuedStages;    ///< begun, but only wait for workers
    std::string sentence; ///< what the run is doing or how it ended, in plain words
};

/// All methods are thread-safe.
class RunService
{
public:
    /// Both must outlive the service.
    RunService(store::Database &database, Scheduler &scheduler);

    /// Creates the run, and in the same transaction starts what can start. Gives its id. Errors:
    /// NotFound (pipeline), InvalidArgument (unknown stage in stagesToSkip), Io, Unavailable.
    schema::Result<std::int64_t> createRun(NewRun run);
    /// Asks every stage of the run to end; harmless when already asked. Errors: NotFound, Conflict
    /// (run is completed).
    schema::Status cancelRun(std::int64_t runId, const std::string &identityId);
    /// Runs a completed stage again as a new attempt, with the stages that depend on it; jobs that
    /// succeeded stay unless `allJobs`. Errors: NotFound, Conflict (stage not completed, or nothing
    /// to retry).
    schema::Status retryStage(std::int64_t runId, const std::string &stage, bool allJobs,
                              const std::string &identityId);
    /// Starts a stage that waits for a person (`trigger: manual`). Errors: NotFound, Conflict.
    schema::Status startStage(std::int64_t runId, const std::string &stage,
                              const std::string &identityId);
    /// Ends one stage: its jobs are asked to end, nothing of it begins any more, the rest of the
    /// run goes on. Errors: NotFound, Conflict (stage is completed).
    schema::Status cancelStage(std::int64_t runId, const std::string &stage,
                               const std::string &identityId);
    /// Ends one job instance; the rest of its stage goes on. Errors: NotFound, Conflict (ended).
    schema::Status cancelJob(std::int64_t runId, const std::string &jobId,
                             const std::string &identityId);
    /// Runs a job again whose stage still goes on: the instances that did not succeed, and jobs
    /// that were skipped because of it. In a completed stage, like retryStage(). Errors: NotFound,
    /// Conflict (not ended, succeeded, or a job that depends on it has begun).
    schema::Status retryJob(std::int64_t runId, const std::string &jobId,
                            const std::string &identityId);
    /// Retries every failed, canceled or abandoned stage of a completed run.
    schema::Status retryRun(std::int64_t runId, const std::string &identityId);
    /// Decides which of several waiting jobs get workers first. Errors: NotFound; Conflict
    /// (completed).
    schema::Status setPriority(std::int64_t runId, schema::RunPriority priority);
    /// Gives the run another number, `Build.BuildNumber` of jobs that begin later. Errors:
    /// InvalidArgument (pipelines::run::checkRunNumber); NotFound; Conflict (completed).
    schema::Status rename(std::int64_t runId, const std::string &number);
    /// Limits of pipelines were changed: looks at the queues again.
    void limitsChanged();

    /// Runs alone, newest first: for whoever decides or counts by their rows.
    schema::Result<std::vector<store::RunRow>> list(const store::RunFilter &filter);
    /// The same with their stages and the sentence that says what each does or waits for, which
    /// takes several statements a run: for people's pages.
    schema::Result<std::vector<RunOverview>> overviews(const store::RunFilter &filter);
    /// How many runs are in each state but Completed.
    schema::Result<std::map<schema::RunStatus, std::int64_t>> openCounts();
    /// The expanded document of the run's plan. Errors: NotFound.
    schema::Result<std::string> finalYaml(std::int64_t runId);
    schema::Result<RunDetail> detail(std::int64_t runId);
    schema::Result<store::RunRow> run(std::int64_t runId);
    /// Newest attempts up to `attempt`, see store::TimelineStore::list. Errors: NotFound.
    schema::Result<Timeline> timeline(std::int64_t runId, std::int64_t changedAfter = 0,
                                      int attempt = store::kNewestAttempt);
    /// Every attempt of one record, oldest first. Errors: NotFound.
    schema::Result<std::vector<store::TimelineRow>> attempts(std::int64_t runId,
                                                             const std::string &recordId);
    /// Logs of a run, by number; their bytes are in logs::LogStore.
    schema::Result<std::vector<store::LogRow>> logs(std::int64_t runId);
    /// Errors: NotFound.
    schema::Result<store::LogRow> log(std::int64_t runId, std::int64_t logId);
    schema::Result<Explanation> explain(std::int64_t runId);

private:
    void explainStage(store::Connection &connection, const RunDetail &detail, std::size_t index,
                      const std::string &name, Explanation &explanation);

    store::Database &m_database;
    Scheduler &m_scheduler;
};

} // namespace server::scheduler
