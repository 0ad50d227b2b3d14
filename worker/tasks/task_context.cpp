#include "schema/base/guid.h"
#include "schema/tasks/task_definition.h"
#include "worker/base/text.h"
#include "worker/container/arguments.h"
#include "worker/node/packaged_task.h"
#include "worker/tasks/task.h"

#include <algorithm>
#include <csignal>

namespace worker {
namespace {

/// What a task keeps of a tool's output to read or to quote.
constexpr std::size_t kKeptOutput = 4U << 20U;

void keep(std::string &kept, std::string_view bytes)
{
    kept += bytes;
    if (kept.size() > 2 * kKeptOutput)
        kept.erase(0, kept.size() - kKeptOutput);
}

std::string missingProgram(const std::string &program)
{
    if (program == "docker")
        return "docker is not installed on this worker: install the Docker client (Debian: "
               "docker.io or docker-cli) or run the job on a worker with the capability 'docker'";
    if (program == "podman")
        return "podman is not installed on this worker: install it (Debian: podman), or choose "
               "docker with --container-engine";
    if (program == "kubectl")
        return "kubectl is not installed on this worker: install it (Debian: kubernetes-client) or "
               "run the job on a worker with the capability 'kubectl'";
    if (program == "helm")
        return "helm is not installed on this worker: install it (https://helm.sh) or run the job "
               "on a worker with the capability 'helm'";
    if (program == "pwsh")
        return "pwsh (PowerShell) is not installed on this worker: install it, or use bash";
    return "'" + program +
           "' is not installed on this worker (not found on PATH): install it or "
           "run the job on a worker that has it";
}

} // namespace

TaskContext::TaskContext(StepState &step, const TaskDefinition &definition, ProcessLimits limits,
                         std::function<bool(StopReason)> shouldStop)
    : environment(stepEnvironment(step.job, step.step))
    , m_step(step)
    , m_definition(definition)
    , m_limits(limits)
    , m_shouldStop(std::move(shouldStop))
{
    for (const auto &[name, value] : step.taskVariables)
        setEnvironment(environment, "VSTS_TASKVARIABLE_" + name, value);
}

std::string TaskContext::input(std::string_view name) const
{
    // The tables that files are checked against say what a task takes; the keywords have their own.
    std::string_view fallback;
    std::vector<std::string_view> names{name};
    for (const auto &own : m_definition.inputs) {
        if (equalsIgnoringCase(own.name, name)) {
            fallback = own.fallback;
            names.push_back(own.alias);
        }
    }
    // A default may be another one in another version; keywords become steps without one.
    const auto &catalogue = schema::builtInTaskCatalogue();
    const auto *known = catalogue.find(m_definition.name, m_step.step.taskVersion);
    if (known == nullptr)
        known = catalogue.find(m_definition.name, m_definition.versions.back());
    if (const auto *row = known == nullptr ? nullptr : known->findInput(name)) {
        fallback = row->defaultValue;
        names.assign(row->aliases.begin(), row->aliases.end());
        names.push_back(row->name);
    }
    std::string_view raw = fallback;
    for (const auto &[key, value] : m_step.step.inputs) {
        if (std::any_of(names.begin(), names.end(),
                        [&key](std::string_view one) { return equalsIgnoringCase(key, one); }))
            raw = value;
    }
    return trimmed(m_step.job.variables.expand(raw));
}

void TaskContext::output(const std::string &name, const std::string &value, bool secret)
{
    JobContext &job = m_step.job;
    if (secret)
        job.masker.add(value);
    job.variables.set(m_step.step.name + "." + name, value, secret, true);
    std::erase_if(job.outputs, [&](const auto &other) {
        return other.step == m_step.step.name && equalsIgnoringCase(other.name, name);
    });
    job.outputs.push_back({m_step.step.name, name, value, secret});
}

bool TaskContext::flag(std::string_view name) const
{
    return isTrue(input(name));
}

fs::path TaskContext::defaultDirectory() const
{
    return m_step.job.variables.value("System.DefaultWorkingDirectory");
}

fs::path TaskContext::absolute(const std::string &path) const
{
    const fs::path given(path);
    return (given.is_absolute() ? given : defaultDirectory() / given).lexically_normal();
}

fs::path TaskContext::path(std::string_view name) const
{
    const auto text = input(name);
    return text.empty() ? defaultDirectory() : absolute(text);
}

Result<const schema::protocol::ServiceConnection *>
TaskContext::connection(std::string_view inputName) const
{
    const auto name = input(inputName);
    if (name.empty())
        return {ErrorCode::InvalidArgument,
                "the input '" + std::string(inputName) + "' names no service connection"};
    if (const auto *found = m_step.job.connection(name))
        return found;
    return {ErrorCode::NotFound,
            "there is no service connection '" + name + "' (input '" + std::string(inputName) +
                "'); create it in the project's settings and let this pipeline use it" +
                (m_step.job.options.local ? ", or describe it in the file given with --connections"
                                          : "")};
}

schema::TaskResult TaskContext::fail(std::string_view message)
{
    if (m_stopped == StopReason::None && !m_timedOut)
        m_step.error(message);
    return schema::TaskResult::Failed;
}

schema::TaskResult TaskContext::fail(const schema::Error &error)
{
    return fail(error.message);
}

fs::path TaskContext::temporary(std::string_view suffix)
{
    return m_step.job.layout.temp / (schema::randomGuid() + std::string(suffix));
}

Result<ToolResult> TaskContext::run(const ToolCall &call)
{
    if (m_stopped != StopReason::None)
        return {ErrorCode::Canceled, "the step was stopped"};
    if (m_timedOut)
        return {ErrorCode::Timeout, "the step timed out"};
    ProcessSpec spec;
    spec.environment = environment;
    for (const auto &[name, value] : call.environment)
        setEnvironment(spec.environment, name, value);
    const auto *path = findEnvironment(spec.environment, "PATH");
    const ContainerTarget *target = nullptr;
    if (call.inTarget) {
        ASSIGN_OR_RETURN(target, m_step.job.containerFor(m_step.step));
    }
    if (target == nullptr) {
        spec.program = findProgram(call.program, path == nullptr ? std::string() : *path);
        if (spec.program.empty())
            return {ErrorCode::NotFound, missingProgram(call.program)};
    }
    spec.arguments = call.arguments;
    spec.workingDirectory =
        call.workingDirectory.empty() ? defaultDirectory().string() : call.workingDirectory;
    spec.input = call.input;

    if (call.echo)
        print("[command]" + (target == nullptr ? spec.program : call.program) +
              (call.arguments.empty() ? "" : " ") + join(call.arguments, " "));
    ToolResult result;
    CommandRestrictions restrictions;
    if (m_step.step.target) {
        restrictions.restricted = m_step.step.target->restrictedCommands;
        restrictions.settable = m_step.step.target->settableVariables;
    }
    if (m_definition.package != nullptr) {
        const auto &execution = m_definition.package->execution;
        restrictions.restricted |= execution.restricted;
        restrictions.taskSettable = execution.settable;
        restrictions.outputs = execution.outputVariables;
    }
    StepCommands commands(m_step, restrictions);
    LineReader out(m_step, call.commands ? &commands : nullptr);
    LineReader error(m_step, call.commands ? &commands : nullptr);
    ProcessCallbacks callbacks;
    callbacks.output = [&](std::string_view bytes, Stream stream) {
        if (!call.commands || stream == Stream::Error)
            keep(stream == Stream::Out ? result.output : result.errors, bytes);
        if (call.print)
            (stream == Stream::Out ? out : error).feed(bytes);
    };
    callbacks.idle = [this] {
        m_step.log.flush();
        m_step.job.sink.flush();
    };
    callbacks.shouldStop = m_shouldStop;
    if (target != nullptr)
        RETURN_IF_ERROR(enterContainer(*target, call, spec, callbacks));
    if (call.commands)
        callbacks.finishBy = [this] { return m_step.finishBy; };
    ProcessLimits limits = m_limits;
    if (m_step.job.killAt && (!limits.deadline || *m_step.job.killAt < *limits.deadline))
        limits.deadline = m_step.job.killAt;

    m_step.log.flush();
    m_step.job.sink.flush();
    ASSIGN_OR_RETURN(const auto end, runProcess(spec, limits, &m_step.job.stop, callbacks));
    out.finish();
    error.finish();
    if (end.streamsLeftOpen)
        print("The process has ended, but something it started still holds its output; going on.");
    m_stopped = end.stopped;
    m_timedOut = end.timedOut;
    if (m_stopped != StopReason::None)
        return {ErrorCode::Canceled, "the step was stopped"};
    if (m_timedOut)
        return {ErrorCode::Timeout, "the step timed out"};
    result.exitCode = end.exitCode;
    return result;
}

Status TaskContext::enterContainer(const ContainerTarget &target, const ToolCall &call,
                                   ProcessSpec &spec, ProcessCallbacks &callbacks)
{
    JobContext &job = m_step.job;
    const Environment &own = job.options.environment;
    const auto *search = findEnvironment(own, "PATH");
    const auto client =
        findProgram(job.options.containerEngine, search == nullptr ? std::string() : *search);
    if (client.empty())
        return {ErrorCode::NotFound, missingProgram(job.options.containerEngine)};
    ExecSpec inside;
    inside.container = target.id;
    inside.user = target.user;
    inside.workingDirectory = spec.workingDirectory;
    inside.pidFile = temporary(".pid").string();
    inside.prependPath = join(job.prependPath, ":");
    inside.program = call.program;
    inside.arguments = call.arguments;
    // What the worker itself runs with stays outside.
    for (const auto &[name, value] : spec.environment) {
        const auto *inherited = findEnvironment(own, name);
        if (inherited == nullptr || *inherited != value)
            inside.environment.emplace_back(name, value);
    }
    auto made = execCall(inside, own);
    spec.program = client;
    spec.arguments = std::move(made.arguments);
    spec.environment = std::move(made.environment);
    spec.workingDirectory = defaultDirectory().string();
    callbacks.signal = [client, own, id = target.id, file = inside.pidFile](int number) {
        const auto pid = readFile(file, 32);
        if (!pid || trimmed(*pid).find_first_not_of("0123456789") != std::string::npos ||
            trimmed(*pid).empty())
            return; // not begun
        ProcessSpec kill;
        kill.program = client;
        kill.arguments = {"exec",
                          "--user",
                          "0",
                          id,
                          "sh",
                          "-c",
                          "kill -s \"$1\" -- \"-$2\"",
                          "kill",
                          number == SIGINT ? "INT" : (number == SIGTERM ? "TERM" : "KILL"),
                          trimmed(*pid)};
        kill.environment = own;
        ProcessLimits bounded;
        bounded.deadline = Clock::now() + std::chrono::seconds(10);
        bounded.interruptGrace = bounded.terminateGrace = std::chrono::milliseconds(100);
        // A process that is gone already needs no signal.
        [[maybe_unused]] const auto ended = runProcess(kill, bounded, nullptr, {});
    };
    return {};
}

Environment stepEnvironment(JobContext &job, const schema::Step &step)
{
    Environment out = job.options.environment;
    for (const auto &[name, value] : step.env)
        setEnvironment(out, name, job.variables.expand(value));
    const auto path = job.path(out);
    for (auto &[name, value] : job.variables.environment())
        setEnvironment(out, name, std::move(value));
    setEnvironment(out, "PATH", path);
    setEnvironment(out, "TF_BUILD", "True");
    setEnvironment(out, "AGENT_JOBSTATUS", job.statusText());
    setEnvironment(out, "agent.jobstatus", job.statusText());
    setEnvironment(out, "VSTS_PROCESS_LOOKUP_ID", job.lookupId);
    if (findEnvironment(out, "GIT_TERMINAL_PROMPT") == nullptr)
        setEnvironment(out, "GIT_TERMINAL_PROMPT", "0");
    return out;
}

} // namespace worker
