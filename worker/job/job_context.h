#pragma once
/// Everything the steps of one job share, and the state of the step that runs.

#include "schema/protocol/messages.h"
#include "worker/job/layout.h"
#include "worker/job/step_log.h"
#include "worker/job/variables.h"
#include "worker/mask/masker.h"
#include "worker/process/cgroup.h"
#include "worker/process/process.h"
#include "worker/sink/job_sink.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace worker {

inline constexpr std::size_t kMaxIssuesOfAKind = 10;

/// Worst wins in the order of the enumerators; what is above Failed does not change any more
/// (worker-and-tasks 5.4).
schema::TaskResult mergeResults(schema::TaskResult current, schema::TaskResult other);

/// A step that failed, for somebody who wants to look around in its place.
struct FailedStep
{
    std::string name;
    fs::path folder;         ///< working directory
    Environment environment; ///< of its processes
    std::string container;   ///< id of the container it ran in; empty: this machine
};

/// How a worker is set up; the same for all its jobs.
struct WorkerOptions
{
    fs::path work;    ///< full path of the work folder
    std::string name; ///< Agent.Name
    /// Certificate authorities of an https server (schema::transport::Trust); may be empty.
    std::string authorityFile = {};
    Environment environment; ///< what steps inherit
    std::chrono::milliseconds interruptGrace{7500};
    std::chrono::milliseconds terminateGrace{2500};
    fs::path nodeFolder;                  ///< holds node*/bin/node; empty: the Node on PATH
    std::vector<std::string> taskFolders; ///< packaged tasks of this machine, before the server's
    /// Client of the container engine: "docker" or "podman"; "none": jobs with containers fail.
    std::string containerEngine = "docker";
    ResourceLimits limits;       ///< of each job
    std::uint64_t diskQuota = 0; ///< bytes that the work folder may hold between jobs; 0: any
    /// Called in the job's process when a step has failed, before the job goes on; may be empty.
    std::function<void(const FailedStep &)> onStepFailure;
    bool local = false;    ///< `slipway run`: sources are `localSources`, nothing is cloned
    fs::path localSources; ///< tree that the checkout of self copies
};

/// A running container that steps can be started in.
struct ContainerTarget
{
    std::string id;
    std::string user;      ///< "uid:gid" that steps run as
    std::string node = {}; ///< Node program that the image names by its label; may be empty
};

/// Alias of a job container that was written inline.
inline constexpr const char *kInlineJobContainer = "__job";

/// Sends the timeline records of one job with their sequence numbers.
class Records
{
public:
    explicit Records(JobSink &sink)
        : m_sink(sink)
    {}

    void send(schema::protocol::RecordUpdate update);

private:
    JobSink &m_sink;
    std::map<std::string, std::uint64_t> m_sequence;
};

struct JobContext
{
    JobContext(const schema::protocol::JobMessage &job, const WorkerOptions &workerOptions,
               JobSink &jobSink, StopSignal &stopSignal)
        : message(job)
        , options(workerOptions)
        , sink(jobSink)
        , stop(stopSignal)
        , records(jobSink)
        , connections(job.connections)
    {}

    const schema::protocol::JobMessage &message;
    const WorkerOptions &options;
    JobSink &sink;
    StopSignal &stop;
    Records records;
    /// Those of the message, as steps have changed them.
    std::vector<schema::protocol::ServiceConnection> connections;
    Masker masker;
    Variables variables;
    JobLayout layout;
    std::string lookupId;                 ///< VSTS_PROCESS_LOOKUP_ID of this job's processes
    std::vector<std::string> prependPath; ///< most recent first
    schema::TaskResult result = schema::TaskResult::Succeeded;
    std::vector<schema::protocol::OutputVariable> outputs;
    std::optional<Clock::time_point> killAt;            ///< after a cancel: end whatever still runs
    std::map<std::string, std::string> repositoryPaths; ///< alias -> checked-out folder
    std::size_t checkouts = 0;                          ///< checkout steps of this job
    std::map<std::string, ContainerTarget> containers;  ///< by lower-case alias, while they run
    std::string jobContainer; ///< alias of the job container; empty: steps run on the host
    /// Task-private values that the post-job half of a step reads: step id + name -> value.
    std::map<std::string, std::string> taskState;
    /// Task variables by step id: pre-job, main and post-job half of a step share them.
    std::map<std::string, std::map<std::string, std::string>> taskVariables;
    std::optional<int> nodeMajor; ///< that `nodeProgram` was looked for with; 0: the newest
    std::string nodeProgram;      ///< found Node
    int nodeRuns = 0;             ///< its major version
    bool saidOldNode = false;
    std::unique_ptr<JobCgroup> cgroup; ///< absent: no limits
    std::uint64_t memoryKills = 0;     ///< of the group, as last seen

    [[nodiscard]] bool canceled() const { return stop.reason() != StopReason::None; }

    /// The connection an input names, by name (ignoring case) or id; nullptr when unknown.
    [[nodiscard]] const schema::protocol::ServiceConnection *
    connection(std::string_view nameOrId) const;
    /// The container a step runs its scripts in: nullptr is the host. Errors: Unavailable when that
    /// container could not be started.
    [[nodiscard]] Result<const ContainerTarget *> containerFor(const schema::Step &step) const;
    /// Job result so far as `Agent.JobStatus` says it.
    [[nodiscard]] std::string statusText() const;
    /// PATH of steps: prepended folders, then the first of variable PATH, step env, process PATH.
    [[nodiscard]] std::string path(const Environment &stepEnvironment) const;
};

/// The step that runs: its record, its log, its issues and results.
class StepState
{
public:
    StepState(JobContext &job, const schema::Step &step, std::string recordId, int order,
              std::string displayName);

    /// Writes a line as it is (masked).
    void print(std::string_view text);
    /// Counts an issue, prints it as ##[error] or ##[warning].
    void issue(bool isError, std::string_view message, schema::TextMap data = {});

    void error(std::string_view message) { issue(true, message); }

    void warning(std::string_view message) { issue(false, message); }

    /// Only with system.debug.
    void debug(std::string_view text);
    void progress(int percent, std::string_view operation);

    /// Result as task.complete and bad commands left it, nothing when they did not speak.
    std::optional<schema::TaskResult> commandResult;
    std::string completeMessage;
    std::optional<Clock::time_point> finishBy;         ///< task.complete with done=true
    std::map<std::string, std::string> &taskVariables; ///< of this step, kept by the job
    std::vector<std::string> pendingTags;              ///< tags to deliver when the step ends
    std::string pendingRunNumber;

    struct Attachment
    {
        std::string type, name;
        fs::path path;
    };

    std::vector<Attachment> pendingAttachments;

    struct Upload
    {
        std::string artifact;
        fs::path path;
    };

    std::vector<Upload> pendingUploads;
    /// Test results and coverage that logging commands asked for; what the step ends with at least.
    std::vector<std::function<schema::TaskResult(StepState &)>> pendingResults;
    std::size_t testRuns = 0; ///< published by this step so far

    void started();
    void finished(schema::TaskResult result);

    JobContext &job;
    const schema::Step &step;
    const std::string recordId;
    const std::string displayName;
    StepLog log;

private:
    schema::protocol::RecordUpdate update() const;

    int m_order;
    std::vector<schema::protocol::Issue> m_issues;
    int m_errors = 0, m_warnings = 0, m_percent = 0;
};

} // namespace worker
