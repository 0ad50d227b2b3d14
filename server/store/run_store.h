#pragma once
/// Rows of runs, their stages, phases, job instances and timeline, and the statements that read and
/// write them. Only the scheduler writes run, stage, phase and job rows; workers' calls merge
/// timeline records.

#include "schema/model/states.h"
#include "schema/protocol/messages.h"
#include "server/store/database.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

using schema::TimePoint;

struct RunRow
{
    std::int64_t id = 0;
    std::int64_t pipelineId = 0;
    std::string pipelineName, pipelineFolder; ///< read only, joined
    std::string projectId;                    ///< read only, joined
    std::string number;
    std::string planId;
    schema::RunReason reason = schema::RunReason::Manual;
    schema::RunStatus status = schema::RunStatus::NotStarted;
    schema::RunResult result = schema::RunResult::None;
    std::string sourceBranch, sourceVersion, commitMessage, commitAuthor;
    std::optional<std::string> requestedBy; ///< identity id
    std::string requestedByName;            ///< read only, joined
    std::string parametersJson = "{}";      ///< object name -> value
    std::string variablesJson = "{}";       ///< object name -> value, queue-time variables
    std::vector<std::string> stagesToSkip;
    std::int64_t compiledPlanId = 0;   ///< row with plan and expanded document
    std::string validationJson = "[]"; ///< diagnostics that kept the run from starting
    TimePoint queuedAt{};
    std::optional<TimePoint> startedAt, finishedAt;
    std::optional<std::string> cancelRequestedBy;
    schema::RunPriority priority = schema::RunPriority::Normal;
    std::string triggerJson = "{}"; ///< object name -> value: variables that say what started it
    std::int64_t changeId = 1;      ///< grows with every change of the run or its timeline
};

enum class StagePhase : std::uint8_t { Pending, Checking, Running, Completed };

struct StageRow
{
    std::int64_t runId = 0;
    std::string name;
    int attempt = 1;
    std::string recordId;
    int ordinal = 0;
    StagePhase phase = StagePhase::Pending;
    std::optional<schema::TaskResult> result;
    std::string
        waitingReason; ///< one sentence while Checking; why it was skipped or failed afterwards
    std::optional<std::string> requestedBy; ///< who asked for this attempt, when it is a retry
    std::optional<TimePoint> startedAt, finishedAt;
    bool operator==(const StageRow &) const = default;
};

/// A job of the YAML ("phase" in the timeline).
struct PhaseRow
{
    std::int64_t runId = 0;
    std::string stage, name;
    int attempt = 1;
    std::string recordId;
    int ordinal = 0;
    schema::RecordState state = schema::RecordState::Pending;
    std::optional<schema::TaskResult> result;
    std::string message; ///< why, when not succeeded
    /// Instances that succeeded in this attempt or a later one (before `attempt`) count here; 0:
    /// none.
    int carriesFrom = 0;
    std::int64_t environmentId = 0, resourceId = 0; ///< target of a deployment job, once resolved
    std::optional<TimePoint> startedAt, finishedAt;
    bool operator==(const PhaseRow &) const = default;
};

enum class JobState : std::uint8_t { Queued, Assigned, Running, Completed };

/// One instance of a job in one attempt: what a worker executes.
struct JobRow
{
    std::string id; ///< GUID
    std::int64_t runId = 0;
    std::string stage, phase, name; ///< name: matrix leg, slice, hook or "__default"
    int attempt = 1;
    std::string identifier, recordId, displayName;
    int ordinal = 0;
    std::string hook; ///< toString(HookKind) of a deployment job, else empty
    JobState state = JobState::Queued;
    std::optional<schema::TaskResult> result;
    std::string message;
    std::optional<std::int64_t> poolId;
    std::vector<std::string> demands;
    int timeoutMinutes = 60; ///< 0: none
    int cancelTimeoutMinutes = 5;
    std::optional<std::int64_t> workerId;
    Blob tokenHash;
    std::optional<TimePoint> leasedUntil, timeoutAt, cancelAt;
    Blob instanceSealed; ///< what the job message is made of; empty once completed
    std::vector<schema::protocol::OutputVariable> outputs; ///< without secret ones
    Blob outputsSealed;                                    ///< secret outputs
    TimePoint queuedAt{};
    std::optional<TimePoint> assignedAt, startedAt, finishedAt;
    bool operator==(const JobRow &) const = default;
};

struct TimelineRow
{
    std::int64_t runId = 0;
    std::string id;
    int attempt = 1;
    std::optional<std::string> parentId;
    std::optional<std::string> jobId; ///< job row that a Job or Task record belongs to
    schema::RecordType type = schema::RecordType::Task;
    std::string name, refName, identifier;
    int ordinal = 0;
    schema::RecordState state = schema::RecordState::Pending;
    std::optional<schema::TaskResult> result;
    std::optional<std::string> currentOperation;
    std::optional<int> percentComplete;
    std::optional<std::string> workerName;
    std::string taskJson;          ///< {"id","name","version"} or empty
    std::string issuesJson = "[]"; ///< [{"type":"error"|"warning","message","data":{}}]
    int errorCount = 0, warningCount = 0;
    std::optional<int> logId;
    std::optional<TimePoint> startedAt, finishedAt;
    std::uint64_t sequence = 0;
    std::int64_t changeId = 0;
};

/// A log of a record, which refers to it by its number.
struct LogRow
{
    std::int64_t runId = 0;
    int logId = 0;
    std::optional<std::string> jobId;
    TimePoint createdAt{};
    bool sealed = false;
};

/// What a run's variables and job messages say about where it comes from.
struct RunFacts
{
    std::string projectId, projectName;
    std::string pipelineName, pipelineFolder;
    std::int64_t pipelineRevision = 1;
    std::string repositoryId, repositoryName, repositoryType, repositoryUrl;
    bool repositoryHosted = false;
    std::string requestedByName, requestedByUniqueName;
};

/// Which runs, newest first unless `afterId` is there.
struct RunFilter
{
    std::optional<std::string> projectId;
    std::optional<std::int64_t> pipelineId;
    std::optional<std::string> branch; ///< full ref
    std::optional<schema::RunStatus> status;
    std::optional<schema::RunResult> result;
    std::optional<schema::RunReason> reason;
    std::vector<std::int64_t> ids;        ///< only these, when not empty
    std::optional<std::int64_t> beforeId; ///< continuation: runs older than this id
    std::optional<std::int64_t> afterId;  ///< oldest first, and only runs newer than this id
    int top = 100;                        ///< 1..1000
};

/// Statements on runs, within the caller's transaction. Methods throw SqlError (see database.h).
class RunStore
{
public:
    explicit RunStore(Connection &connection)
        : m_connection(connection)
    {}

    std::vector<RunRow> list(const RunFilter &filter);
    std::optional<RunRow> find(std::int64_t runId);
    /// How many runs are in each state but Completed.
    std::map<schema::RunStatus, std::int64_t> openCounts();
    /// Empty when the run is unknown.
    std::string projectOf(std::int64_t runId);
    std::optional<RunFacts> facts(std::int64_t runId);
    /// Ids of runs that are not completed, oldest first.
    std::vector<std::int64_t> openRuns();
    /// Id of the newest run, 0 when there is none.
    std::int64_t newestId();
    /// Ids above `id`, oldest first.
    std::vector<std::int64_t> idsAfter(std::int64_t id, int limit);
    /// Compiled plan (schema/model/plan_json.h) and expanded document.
    std::string planText(std::int64_t compiledPlanId);
    std::string finalYaml(std::int64_t compiledPlanId);

    /// All attempts, in plan order, then by attempt.
    std::vector<StageRow> stages(std::int64_t runId);
    /// Names of the stages with queued jobs, none of whose jobs is with a worker.
    std::set<std::string> queuedStages(std::int64_t runId);
    /// How long a stage of a pipeline took when it succeeded, of its last runs (50 are looked at).
    std::vector<std::chrono::milliseconds> stageDurations(std::int64_t pipelineId,
                                                          std::string_view stage);
    std::vector<PhaseRow> phases(std::int64_t runId);
    std::vector<JobRow> jobs(std::int64_t runId);
    /// Stage of each job instance of the newest attempts, by job id.
    std::map<std::string, std::string> jobStages(std::int64_t runId);
    std::optional<JobRow> findJob(const std::string &jobId);
    /// The job that has not ended yet with this token.
    std::optional<JobRow> findJobByToken(const Blob &tokenHash);

    /// Stores a compilation, or finds the equal one. Gives its id.
    std::int64_t putPlan(const std::string &planText, const std::string &finalYaml);
    /// Inserts a run; gives its id.
    std::int64_t insert(const RunRow &run);
    /// Writes number, status, result, times, cancel, validation and priority of an existing run
    /// (its change id: TimelineStore).
    void update(const RunRow &run);
    /// Inserts or replaces by key.
    void put(const StageRow &stage);
    void put(const PhaseRow &phase);
    void put(const JobRow &job);
    void renewLease(const std::string &jobId, std::optional<TimePoint> leasedUntil);
    /// Values of root variables that were evaluated when the run was created, sealed; empty: none.
    Blob rootValues(std::int64_t runId);
    void putRootValues(std::int64_t runId, const Blob &sealed);

private:
    Connection &m_connection;
};

} // namespace server::store
