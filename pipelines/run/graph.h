#pragma once
/// The graph part of a run: plan and results so far in; what is ready, skipped or done out. Shared
/// by the server's state machine and `slipway run`; knows no workers, checks, clocks or stores.

#include "pipelines/base/diagnostic.h"
#include "schema/base/result.h"
#include "schema/model/plan.h"
#include "schema/model/states.h"
#include "schema/protocol/messages.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pipelines::run {

struct InstanceResult
{
    std::string name; ///< matrix leg, slice, "__default", or hook ("deploy")
    schema::TaskResult result = schema::TaskResult::Succeeded;
    std::vector<schema::protocol::OutputVariable> outputs;
};

enum class Progress : std::uint8_t { Pending, Running, Completed };

struct JobProgress
{
    Progress progress = Progress::Pending;
    std::optional<schema::TaskResult> result; ///< set when Completed
    std::vector<InstanceResult> finished;     ///< instances that ended, in order
    std::vector<std::string> running;         ///< instances created and not ended
};

struct StageProgress
{
    /// Pending: not decided. Running: its checks passed and its jobs may go. Completed: see result.
    Progress progress = Progress::Pending;
    std::optional<schema::TaskResult> result;
    std::map<std::string, JobProgress> jobs; ///< by Job::name
    bool ready = false;                      ///< decided to run, waiting for the caller's checks
};

struct RunProgress
{
    std::map<std::string, StageProgress> stages; ///< by Stage::name
    bool cancelRequested = false;
    std::vector<std::string> skippedStages; ///< chosen at queue time
    /// Variables of the run known outside the plan: predefined, queue-time, group values
    /// (already resolved per scope by `groups`). Names compare ignoring case.
    std::vector<schema::protocol::JobVariable> variables;
    std::map<std::string, std::vector<schema::protocol::JobVariable>> groups;
    /// Root variables whose `$[ ]` was evaluated when the run was created (resolveRootVariables):
    /// used instead of evaluating again, so that counter() counts once.
    std::vector<std::pair<std::string, std::string>> rootValues;
    /// Machines that a rolling deployment goes over, by "stage.job": the virtual machines of its
    /// environment that its tags choose, in order. Without an entry the hooks run once.
    std::map<std::string, std::vector<std::string>> machines;
    std::int64_t startTime = 0; ///< pipeline.startTime, milliseconds since the epoch
    bool completed = false;     ///< RunCompleted was applied
};

/// One instance of a job, ready to be given to a worker.
struct JobInstance
{
    std::string stage, job, name; ///< name as InstanceResult::name
    std::string displayName;
    std::string identifier; ///< "Build.BuildImages.__default"
    std::optional<schema::HookKind> hook;
    std::string machine;         ///< that it must run on: one of RunProgress::machines, or empty
    int position = 1, total = 1; ///< 1-based
    schema::Pool pool;           ///< runtime texts evaluated
    std::optional<schema::Container> container;
    std::vector<schema::Step> steps; ///< implicit checkout or artifact download included
    std::vector<schema::protocol::JobVariable> variables; ///< all scopes merged, `$[ ]` evaluated
    std::uint32_t timeoutMinutes = 60, cancelTimeoutMinutes = 5;
    bool continueOnError = false;
};

/// One thing that has to happen next. Apply in order; then ask again until nothing comes.
struct StageReady
{
    std::string stage;
}; ///< dependencies and condition allow it: run its checks

struct StageSkipped
{
    std::string stage, reason;
};

struct StageCompleted
{
    std::string stage;
    schema::TaskResult result;
    std::string message; ///< why, when the stage itself could not be decided
};

struct JobSkipped
{
    std::string stage, job, reason;
};

struct JobExpanded
{
    std::string stage, job;
    std::vector<JobInstance> instances;
}; ///< start these

struct JobCompleted
{
    std::string stage, job;
    schema::TaskResult result;
    std::string message;
};

struct RunCompleted
{
    schema::RunResult result;
};

using Step = std::variant<StageReady, StageSkipped, StageCompleted, JobSkipped, JobExpanded,
                          JobCompleted, RunCompleted>;

/// Everything that follows from `progress` now. Pure. A deployment job yields its hooks one after
/// the other (JobExpanded with one instance each; on.success / on.failure last), a rolling one with
/// machines does so for each of them, at most maxParallel at a time; a matrix with
/// maxParallel yields at most that many running. A bad `$[ ]` comes as JobCompleted with Failed,
/// a condition that cannot be evaluated as JobCompleted/StageCompleted with Abandoned, both with a
/// message naming the expression. A stage left out when queueing is skipped and its dependants
/// depend on what it depended on. When the run is being cancelled, what has not started is skipped
/// unless its condition holds nevertheless (always()). Never throws.
std::vector<Step> advance(const schema::RunPlan &plan, const RunProgress &progress);

/// `counter(prefix, seed)`: the next number of that prefix for this pipeline.
using CounterSource = std::function<std::int64_t(const std::string &prefix, std::int64_t seed)>;

/// Evaluates the `$[ ]` of root variables as the run is created (pipeline-language 12.3), each
/// seeing `progress.variables` and the root variables before it. To be kept in
/// RunProgress::rootValues. Errors: InvalidArgument naming the variable.
schema::Result<std::vector<std::pair<std::string, std::string>>>
resolveRootVariables(const schema::RunPlan &plan, const RunProgress &progress,
                     const CounterSource &counter);

/// Records a step of advance() in the progress, so that callers and tests share one bookkeeping.
/// JobExpanded moves its instances to `running`.
void apply(RunProgress &progress, const Step &step);
/// The caller's checks for a ready stage passed: its jobs may go.
void startStage(RunProgress &progress, const std::string &stage);
/// An instance ended.
void finishInstance(RunProgress &progress, const std::string &stage, const std::string &job,
                    InstanceResult result);

} // namespace pipelines::run
