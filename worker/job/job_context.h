#pragma once
/// Everything the steps of one job share, and the state of the step that runs.

#include "schema/protocol/messages.h"
#include "worker/job/layout.h"
#include "worker/job/step_log.h"
#include "worker/job/variables.h"
#include "worker/mask/masker.h"
#include "worker/process/process.h"
#include "worker/sink/job_sink.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace worker {

inline constexpr std::size_t kMaxIssuesOfAKind = 10;

/// Worst wins in the order of the enumerators; what is above Failed does not change any more
/// (worker-and-tasks 5.4).
schema::TaskResult mergeResults(schema::TaskResult current, schema::TaskResult other);

/// How a worker is set up; the same for all its jobs.
struct WorkerOptions
{
    fs::path work;           ///< full path of the work folder
    std::string name;        ///< Agent.Name
    Environment environment; ///< what steps inherit
    std::chrono::milliseconds interruptGrace{7500};
    std::chrono::milliseconds terminateGrace{2500};
    bool local = false;    ///< `slipway run`: sources are `localSources`, nothing is cloned
    fs::path localSources; ///< tree that the checkout of self copies
};

/// A running container that steps can be started in.
struct ContainerTarget
{
    std::string id;
    std::string user; ///< "uid:gid" that steps run as
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
    {}

    const schema::protocol::JobMessage &message;
    const WorkerOptions &options;
    JobSink &sink;
    StopSignal &stop;
    Records records;
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
    std::optional<Clock::time_point> finishBy; ///< task.complete with done=true
    std::map<std::string, std::string> taskVariables;
    std::vector<std::string> pendingTags; ///< tags to deliver when the step ends
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
