#pragma once
/// What a built-in task is and what it gets to work with.

#include "worker/command/step_commands.h"
#include "worker/job/job_context.h"

#include <string>
#include <string_view>
#include <vector>

namespace worker {

// GCC wants an initializer for every member that designated initializers leave out.
// NOLINTBEGIN(readability-redundant-member-init)

/// An input of a keyword's task; those of other tasks are in schema/tasks.
struct TaskInput
{
    std::string_view name;
    std::string_view fallback;
    std::string_view alias = {}; ///< second name that pipelines may use
};

class TaskContext;
struct PackagedTask;
using TaskFunction = schema::TaskResult (*)(TaskContext &);

struct TaskDefinition
{
    std::string_view id;                    ///< GUID
    std::string_view name;                  ///< as in YAML, before '@'
    std::vector<std::string_view> versions; ///< majors this implementation stands for
    TaskFunction run = nullptr;
    TaskFunction post = nullptr; ///< runs after the job's steps, in reverse order; may be absent
    TaskFunction pre = nullptr;  ///< runs before the job's steps; may be absent
    const PackagedTask *package = nullptr; ///< of a task that is not built in
    std::vector<TaskInput> inputs = {};    ///< of keywords only
    std::string_view title;                ///< display name of a step without one
};

/// The built-in task of a step, or nullptr. `known` (if given) is set when the name exists with
/// other versions only.
const TaskDefinition *findTask(const schema::Step &step, std::string *why = nullptr);
const std::vector<TaskDefinition> &builtInTasks();

/// A program a task runs.
struct ToolCall
{
    std::string program; ///< name (searched on the step's PATH) or path
    std::vector<std::string> arguments;
    Environment environment = {};      ///< besides the step's; wins
    std::string workingDirectory = {}; ///< empty: System.DefaultWorkingDirectory
    std::string input = {};            ///< standard input
    bool echo = true;                  ///< print "[command]program arguments" first
    bool print = true;                 ///< output goes to the log
    bool inTarget = false;             ///< in the step's container, if it has one; else on the host
    bool commands = false; ///< logging commands in the output are carried out, else defused
};

// NOLINTEND(readability-redundant-member-init)

struct ToolResult
{
    int exitCode = 0;
    std::string output; ///< standard output, last part of it when it is long
    std::string errors; ///< standard error, likewise

    [[nodiscard]] bool ok() const { return exitCode == 0; }
};

/// One execution of one task. Lives as long as the attempt.
class TaskContext
{
public:
    TaskContext(StepState &step, const TaskDefinition &definition, ProcessLimits limits,
                std::function<bool(StopReason)> shouldStop);

    /// Value of an input: given or fallback, macros expanded, trimmed.
    [[nodiscard]] std::string input(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const;
    /// A path input made absolute.
    [[nodiscard]] fs::path path(std::string_view name) const;
    /// Relative paths are taken from the default working directory.
    [[nodiscard]] fs::path absolute(const std::string &path) const;
    [[nodiscard]] fs::path defaultDirectory() const;
    /// Declares an output variable: `$(step.name)` for later steps, and for other jobs.
    void output(const std::string &name, const std::string &value, bool secret = false);
    /// The service connection an input names. Errors: InvalidArgument (empty), NotFound.
    Result<const schema::protocol::ServiceConnection *>
    connection(std::string_view inputName) const;

    void print(std::string_view text) { m_step.print(text); }

    void warning(std::string_view text) { m_step.warning(text); }

    /// Records the error (unless it only says that the step was stopped) and returns Failed.
    schema::TaskResult fail(std::string_view message);
    schema::TaskResult fail(const schema::Error &error);

    /// Runs a program to its end; its exit code is the caller's to judge. Errors: NotFound with a
    /// remedy, Canceled and Timeout when the step was stopped, Io.
    Result<ToolResult> run(const ToolCall &call);

    /// A new file name in the job's temp folder.
    fs::path temporary(std::string_view suffix);
    /// The step's environment; changes hold for this attempt.
    Environment environment;

    StepState &state() { return m_step; }

    JobContext &job() { return m_step.job; }

    [[nodiscard]] const JobContext &job() const { return m_step.job; }

    [[nodiscard]] const schema::Step &step() const { return m_step.step; }

    [[nodiscard]] const TaskDefinition &definition() const { return m_definition; }

    /// Why processes of this attempt were stopped.
    [[nodiscard]] StopReason stopped() const { return m_stopped; }

    [[nodiscard]] bool timedOut() const { return m_timedOut; }

    [[nodiscard]] const ProcessLimits &limits() const { return m_limits; }

private:
    /// Makes the call one of the container client, and of signals ones to the process inside.
    Status enterContainer(const ContainerTarget &target, const ToolCall &call, ProcessSpec &spec,
                          ProcessCallbacks &callbacks);

    StepState &m_step;
    const TaskDefinition &m_definition;
    ProcessLimits m_limits;
    std::function<bool(StopReason)> m_shouldStop;
    StopReason m_stopped = StopReason::None;
    bool m_timedOut = false;
};

/// The environment of a step's processes (worker-and-tasks 2.1).
Environment stepEnvironment(JobContext &job, const schema::Step &step);

} // namespace worker
