// `slipway run`: a pipeline file on this machine, without a server, by the worker's own executor.
#include "cli/command.h"
#include "cli/run_view.h"
#include "cli/validate_format.h"
#include "cli/validate_options.h"
#include "pipelines/run/graph.h"
#include "pipelines/run/run_number.h"
#include "schema/base/guid.h"
#include "worker/base/text.h"
#include "worker/local/local_job.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace cli {
namespace {

namespace fs = std::filesystem;
namespace graph = pipelines::run;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using schema::TaskResult;
using schema::protocol::JobVariable;
using worker::equalsIgnoringCase;

struct Options
{
    LanguageOptions language;
    std::vector<std::string> stages, jobs, steps, secrets;
    std::string secretsFile, connectionsFile, work;
    int parallel = 2;
    bool dryRun = false, yes = false;
};

/// NAME=VALUE, or NAME alone with the value from the environment (so that it is in no argument).
Result<JobVariable> secretOf(const std::string &text)
{
    const auto equals = text.find('=');
    if (equals != std::string::npos && equals > 0)
        return JobVariable{text.substr(0, equals), text.substr(equals + 1), true, false};
    const char *value = std::getenv(text.c_str());
    if (text.empty() || value == nullptr)
        return {ErrorCode::InvalidArgument, "--secret " + text +
                                                ": write NAME=VALUE, or NAME with the value in the "
                                                "environment variable of that name"};
    return JobVariable{text, value, true, false};
}

Result<schema::TextMap> textMembers(const nlohmann::ordered_json &json, const char *name)
{
    schema::TextMap out;
    if (!json.contains(name))
        return out;
    if (!json[name].is_object())
        return {ErrorCode::InvalidArgument, std::string(name) + ": expected an object"};
    for (const auto &[key, value] : json[name].items())
        out.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

Result<std::vector<schema::protocol::ServiceConnection>> readConnections(const std::string &file)
{
    std::vector<schema::protocol::ServiceConnection> out;
    if (file.empty())
        return out;
    ASSIGN_OR_RETURN(const auto text, worker::readFile(file));
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_array())
        return {ErrorCode::InvalidArgument,
                file + ": expected a JSON list of {name, type, url, parameters, data}"};
    for (const auto &entry : json) {
        schema::protocol::ServiceConnection connection;
        const auto member = [&entry](const char *name) {
            return entry.is_object() && entry.contains(name) && entry[name].is_string()
                       ? entry[name].get<std::string>()
                       : std::string();
        };
        connection.name = connection.id = member("name");
        connection.type = member("type");
        connection.url = member("url");
        connection.scheme = member("scheme");
        if (connection.name.empty())
            return {ErrorCode::InvalidArgument, file + ": a connection has no name"};
        ASSIGN_OR_RETURN(connection.parameters, textMembers(entry, "parameters"));
        ASSIGN_OR_RETURN(connection.data, textMembers(entry, "data"));
        out.push_back(std::move(connection));
    }
    return out;
}

bool isChosen(const std::vector<std::string> &chosen, const std::string &name)
{
    return std::any_of(chosen.begin(), chosen.end(),
                       [&name](const auto &entry) { return equalsIgnoringCase(entry, name); });
}

void keepSteps(std::vector<schema::Step> &steps, const std::vector<std::string> &chosen)
{
    std::erase_if(steps, [&chosen](const schema::Step &step) {
        return step.task != schema::kCheckoutTaskId && !isChosen(chosen, step.name) &&
               !isChosen(chosen, step.displayName);
    });
}

/// Leaves what --stage, --job and --step choose; what it depended on counts as done.
Status restrict(schema::RunPlan &plan, const Options &options)
{
    for (const auto &name : options.stages) {
        if (std::none_of(plan.stages.begin(), plan.stages.end(), [&name](const auto &stage) {
                return equalsIgnoringCase(stage.name, name);
            }))
            return {ErrorCode::NotFound, "--stage " + name + ": the pipeline has no such stage"};
    }
    if (!options.stages.empty())
        std::erase_if(plan.stages,
                      [&](const auto &stage) { return !isChosen(options.stages, stage.name); });
    bool found = options.jobs.empty();
    for (auto &stage : plan.stages) {
        if (!options.jobs.empty()) {
            std::erase_if(stage.jobs,
                          [&](const auto &job) { return !isChosen(options.jobs, job.name); });
            found |= !stage.jobs.empty();
        }
        for (auto &job : stage.jobs) {
            std::erase_if(job.dependsOn, [&stage](const std::string &name) {
                return std::none_of(
                    stage.jobs.begin(), stage.jobs.end(),
                    [&name](const auto &other) { return equalsIgnoringCase(other.name, name); });
            });
            if (!options.steps.empty()) {
                keepSteps(job.steps, options.steps);
                for (auto &hook : job.hooks)
                    keepSteps(hook.steps, options.steps);
            }
        }
    }
    if (!found)
        return {ErrorCode::NotFound,
                "--job " + worker::join(options.jobs, ", ") + ": the pipeline has no such job"};
    if (!options.jobs.empty())
        std::erase_if(plan.stages, [](const auto &stage) { return stage.jobs.empty(); });
    for (auto &stage : plan.stages) {
        std::erase_if(stage.dependsOn, [&plan](const std::string &name) {
            return std::none_of(plan.stages.begin(), plan.stages.end(), [&name](const auto &other) {
                return equalsIgnoringCase(other.name, name);
            });
        });
    }
    return {};
}

void printPlan(const schema::RunPlan &plan)
{
    const auto printSteps = [](const std::vector<schema::Step> &steps) {
        for (const auto &step : steps)
            std::cout << "    - " << (step.displayName.empty() ? step.task : step.displayName)
                      << (step.condition.empty() ? "" : "  [" + step.condition + "]") << '\n';
    };
    for (const auto &stage : plan.stages) {
        std::cout << "stage " << stage.name
                  << (stage.dependsOn.empty() ? ""
                                              : " after " + worker::join(stage.dependsOn, ", "))
                  << '\n';
        for (const auto &job : stage.jobs) {
            std::cout << "  " << (job.isDeployment ? "deployment " : "job ") << job.name;
            if (job.environment)
                std::cout << " to " << job.environment->name;
            for (const auto &leg : job.matrix)
                std::cout << (&leg == &job.matrix.front() ? ": " : ", ") << leg.name;
            std::cout << '\n';
            printSteps(job.steps);
            for (const auto &hook : job.hooks)
                printSteps(hook.steps);
        }
    }
}

class LocalRun
{
public:
    /// `plan`: what of the compiled plan is to run.
    LocalRun(const Options &options, CompiledFile compiled, schema::RunPlan plan)
        : m_options(options)
        , m_compiled(std::move(compiled))
        , m_plan(std::move(plan))
        , m_view(::isatty(STDOUT_FILENO) == 1)
    {}

    Result<int> run();

private:
    struct Instance
    {
        graph::JobInstance job;
        std::string label;
        std::string recordId;
        std::unique_ptr<worker::LocalJob> process;
    };

    Status prepare();
    bool advance();
    void startWaiting();
    void start(graph::JobInstance job);
    bool mayDeploy(const graph::JobInstance &job);
    const schema::Job *planned(const graph::JobInstance &job) const;
    void finish(const graph::JobInstance &job, graph::InstanceResult result);
    schema::protocol::JobMessage messageFor(const graph::JobInstance &job) const;
    void wait();
    void readFrom(Instance &instance);

    const Options &m_options;
    CompiledFile m_compiled;
    schema::RunPlan m_plan;
    RunView m_view;
    graph::RunProgress m_progress;
    std::vector<schema::protocol::ServiceConnection> m_connections;
    worker::WorkerOptions m_worker;
    fs::path m_artifacts;
    std::string m_number;
    std::deque<graph::JobInstance> m_waiting;
    std::vector<Instance> m_running;
    worker::UniqueFd m_signals;
    std::optional<schema::RunResult> m_result;
};

Status LocalRun::prepare()
{
    ASSIGN_OR_RETURN(m_connections, readConnections(m_options.connectionsFile));
    const auto now = schema::wallClockNow();
    m_progress.startTime = schema::toEpochMillis(now);
    for (const auto &[name, value] : m_compiled.variables)
        m_progress.variables.push_back({name, value, false, false});
    std::vector<std::string> secrets = m_options.secrets;
    if (!m_options.secretsFile.empty()) {
        ASSIGN_OR_RETURN(const auto text, worker::readFile(m_options.secretsFile, 1U << 20U));
        for (auto &line : worker::listEntries(text)) {
            if (!line.starts_with('#'))
                secrets.push_back(std::move(line));
        }
    }
    for (const auto &text : secrets) {
        ASSIGN_OR_RETURN(auto secret, secretOf(text));
        m_progress.variables.push_back(std::move(secret));
    }
    for (const auto &[name, values] : m_compiled.variableGroups) {
        auto &group = m_progress.groups[name];
        for (const auto &[key, value] : values)
            group.push_back({key, value, false, false});
    }
    const auto lookup = [this](std::string_view name) -> std::optional<std::string> {
        for (const auto &variable : m_progress.variables) {
            if (equalsIgnoringCase(variable.name, name))
                return variable.value;
        }
        return std::nullopt;
    };
    ASSIGN_OR_RETURN(m_number, graph::formatRunNumber(m_plan.name, now, lookup,
                                                      [](const std::string &) { return 1U; }));
    m_progress.variables.push_back({"Build.BuildNumber", m_number, false, false});
    m_progress.variables.push_back({"Build.BuildId", "1", false, false});
    ASSIGN_OR_RETURN(
        m_progress.rootValues,
        graph::resolveRootVariables(m_plan, m_progress,
                                    [](const std::string &, std::int64_t seed) { return seed; }));

    std::string work = m_options.work;
    if (work.empty()) {
        const char *cache = std::getenv("XDG_CACHE_HOME");
        const char *home = std::getenv("HOME");
        const fs::path base = cache != nullptr && *cache != '\0'
                                  ? fs::path(cache)
                                  : fs::path(home == nullptr ? "/tmp" : home) / ".cache";
        work = (base / "slipway" / "run" / schema::nameGuid("run", m_compiled.root)).string();
    }
    m_worker.work = fs::absolute(work).lexically_normal() / "_work";
    RETURN_IF_ERROR(worker::makeDirectories(m_worker.work));
    m_artifacts = m_worker.work.parent_path() / "artifacts";
    RETURN_IF_ERROR(worker::emptyDirectory(m_artifacts));
    m_worker.name = "local";
    m_worker.environment = worker::currentEnvironment();
    m_worker.local = true;
    m_worker.localSources = m_compiled.root;

    sigset_t signals{};
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    m_signals.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    return {};
}

const schema::Job *LocalRun::planned(const graph::JobInstance &job) const
{
    for (const auto &stage : m_plan.stages) {
        for (const auto &candidate : stage.jobs) {
            if (stage.name == job.stage && candidate.name == job.job)
                return &candidate;
        }
    }
    return nullptr;
}

schema::protocol::JobMessage LocalRun::messageFor(const graph::JobInstance &job) const
{
    schema::protocol::JobMessage message;
    message.jobId = schema::randomGuid();
    message.recordId = schema::randomGuid();
    message.runId = 1;
    message.runNumber = m_number;
    message.project = "local";
    message.pipelineName = fs::path(m_compiled.root).filename().string();
    message.stageName = job.stage;
    message.jobName = job.job;
    message.instanceName = job.name;
    message.displayName = job.displayName;
    message.identifier = job.identifier;
    message.steps = job.steps;
    message.variables = job.variables;
    message.connections = m_connections;
    message.repositories.push_back(
        {"self", message.pipelineName, "git", m_compiled.root, "", "", ""});
    for (const auto &option : m_options.language.repositories) {
        const auto equals = option.find('=');
        const auto name = option.substr(0, equals);
        for (const auto &resource : m_plan.repositories) {
            if (name == resource.alias || name == resource.name ||
                name == resource.name + "@" + resource.ref)
                message.repositories.push_back({resource.alias, resource.name, "git",
                                                fs::absolute(option.substr(equals + 1)).string(),
                                                resource.ref, "", ""});
        }
    }
    message.container = job.container;
    message.containers = m_plan.containers;
    message.timeoutMinutes = job.timeoutMinutes;
    message.cancelTimeoutMinutes = job.cancelTimeoutMinutes;
    if (const auto *plan = planned(job)) {
        message.services = plan->services;
        message.workspaceClean = plan->workspaceClean;
        if (plan->environment) {
            schema::protocol::JobEnvironment environment;
            environment.name = plan->environment->name;
            environment.resourceName = plan->environment->resourceName;
            environment.hookName = job.hook ? std::string(toString(*job.hook)) : std::string();
            message.environment = environment;
        }
    }
    return message;
}

void LocalRun::finish(const graph::JobInstance &job, graph::InstanceResult result)
{
    graph::finishInstance(m_progress, job.stage, job.job, std::move(result));
}

bool LocalRun::mayDeploy(const graph::JobInstance &job)
{
    const auto *plan = planned(job);
    if (m_options.yes || plan == nullptr || !plan->isDeployment)
        return true;
    const std::string what =
        "Deploy '" + job.job + "'" + (plan->environment ? " to " + plan->environment->name : "");
    if (::isatty(STDIN_FILENO) == 0) {
        m_view.say(what + ": not without --yes (nobody can be asked)");
        return false;
    }
    m_view.say(what + "? It reaches outside of this machine. [y/N]");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

void LocalRun::start(graph::JobInstance job)
{
    const std::string label = (job.stage == "__default" ? "" : job.stage + "/") + job.job +
                              (job.total > 1 || job.hook ? "/" + job.name : "");
    if (!mayDeploy(job))
        return finish(job, {job.name, TaskResult::Canceled, {}});
    const auto message = messageFor(job);
    m_view.jobStarted(label);
    auto process = worker::LocalJob::start(message, m_worker, m_artifacts);
    if (!process) {
        m_view.jobEnded(label, TaskResult::Failed, process.error().message);
        return finish(job, {job.name, TaskResult::Failed, {}});
    }
    m_running.push_back({std::move(job), label, message.recordId, std::move(*process)});
}

bool LocalRun::advance()
{
    const auto steps = graph::advance(m_plan, m_progress);
    for (const auto &step : steps) {
        graph::apply(m_progress, step);
        if (const auto *ready = std::get_if<graph::StageReady>(&step)) {
            graph::startStage(m_progress, ready->stage);
        } else if (const auto *skipped = std::get_if<graph::StageSkipped>(&step)) {
            m_view.say("Stage " + skipped->stage + " skipped: " + skipped->reason);
        } else if (const auto *job = std::get_if<graph::JobSkipped>(&step)) {
            m_view.say("Job " + job->job + " skipped: " + job->reason);
        } else if (const auto *expanded = std::get_if<graph::JobExpanded>(&step)) {
            for (const auto &instance : expanded->instances)
                m_waiting.push_back(instance);
        } else if (const auto *completed = std::get_if<graph::JobCompleted>(&step)) {
            if (!completed->message.empty())
                m_view.say("Job " + completed->job + ": " + completed->message);
        } else if (const auto *stage = std::get_if<graph::StageCompleted>(&step)) {
            if (!stage->message.empty())
                m_view.say("Stage " + stage->stage + ": " + stage->message);
        } else if (const auto *end = std::get_if<graph::RunCompleted>(&step)) {
            m_result = end->result;
        }
    }
    return !steps.empty();
}

void LocalRun::startWaiting()
{
    while (!m_waiting.empty() &&
           (m_progress.cancelRequested ||
            m_running.size() < static_cast<std::size_t>(m_options.parallel))) {
        auto job = std::move(m_waiting.front());
        m_waiting.pop_front();
        if (m_progress.cancelRequested)
            finish(job, {job.name, TaskResult::Canceled, {}});
        else
            start(std::move(job));
    }
}

void LocalRun::readFrom(Instance &instance)
{
    worker::LocalEvents events;
    events.log = [&](const std::string &recordId, std::string_view bytes) {
        if (recordId != instance.recordId) // the job's own log repeats its steps'
            m_view.log(instance.label, bytes);
    };
    events.record = [&](const schema::protocol::RecordUpdate &update) {
        if (update.state == schema::RecordState::InProgress && update.name)
            m_view.step(instance.label, *update.name);
        else if (!update.state && update.percentComplete && update.id != instance.recordId)
            m_view.progress(instance.label, *update.percentComplete);
    };
    if (instance.process->read(events))
        return;
    const auto &completion = instance.process->completion();
    m_view.jobEnded(instance.label, completion.result, completion.message);
    finish(instance.job, {instance.job.name, completion.result, completion.outputs});
    instance.process.reset();
}

void LocalRun::wait()
{
    std::vector<pollfd> polled{{m_signals.get(), POLLIN, 0}};
    for (const auto &instance : m_running)
        polled.push_back({instance.process->fd(), POLLIN, 0});
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    if (::poll(polled.data(), polled.size(), terminal ? 1000 : -1) == 0)
        m_view.tick();
    signalfd_siginfo info{};
    while (::read(m_signals.get(), &info, sizeof info) == sizeof info) {
        m_view.say(m_progress.cancelRequested ? "Killing" : "Canceling; once more kills");
        m_progress.cancelRequested = true;
        for (auto &instance : m_running)
            instance.process->cancel();
    }
    for (std::size_t i = 0; i < m_running.size(); ++i) {
        if (polled[i + 1].revents != 0)
            readFrom(m_running[i]);
    }
    std::erase_if(m_running, [](const auto &instance) { return instance.process == nullptr; });
}

Result<int> LocalRun::run()
{
    RETURN_IF_ERROR(prepare());
    while (!m_result) {
        const bool moved = advance();
        const auto before = m_waiting.size();
        startWaiting();
        if (m_result || moved || m_waiting.size() != before)
            continue;
        if (m_running.empty())
            return {ErrorCode::Internal, "the run neither ends nor goes on"};
        wait();
    }
    m_view.summary(*m_result);
    std::error_code error;
    if (fs::exists(m_artifacts, error) && !fs::is_empty(m_artifacts, error))
        std::cout << "Artifacts: " << m_artifacts.string() << '\n';
    return *m_result == schema::RunResult::Succeeded ||
                   *m_result == schema::RunResult::PartiallySucceeded
               ? 0
               : 1;
}

int runLocally(const Options &options)
{
    auto compiled = compileFile(options.language, true);
    if (!compiled) {
        std::cerr << "slipway run: " << compiled.error().message << '\n';
        return 2;
    }
    const auto &result = compiled->result;
    std::cerr << diagnosticsAsText(result.diagnostics,
                                   [&](const std::string &name) -> std::optional<std::string> {
                                       if (!result.files.empty() && name == result.files[0])
                                           return compiled->text;
                                       return std::nullopt;
                                   });
    if (!result.ok() || !result.plan)
        return 1;
    auto plan = *result.plan;
    if (auto status = restrict(plan, options); !status) {
        std::cerr << "slipway run: " << status.error().message << '\n';
        return 2;
    }
    if (options.dryRun) {
        printPlan(plan);
        return 0;
    }
    const auto exit = LocalRun(options, std::move(*compiled), std::move(plan)).run();
    if (exit)
        return *exit;
    std::cerr << "slipway run: " << exit.error().message << '\n';
    return 2;
}

} // namespace

void registerRun(CLI::App &app, int &exitCode)
{
    auto *const command =
        app.add_subcommand("run", "Run a pipeline file on this machine, without a server");
    const auto options = std::make_shared<Options>();
    addLanguageOptions(*command, options->language);
    command->add_option("--stage", options->stages, "Only this stage; may be repeated");
    command->add_option("--job", options->jobs, "Only this job; may be repeated");
    command->add_option("--step", options->steps,
                        "Only steps with this name or display name (and checkouts)");
    command->add_option(
        "--secret", options->secrets,
        "NAME=VALUE, or NAME with the value from the environment: a secret variable");
    command->add_option("--secrets-file", options->secretsFile, "File with one NAME=VALUE a line");
    command->add_option(
        "--connections", options->connectionsFile,
        "JSON file with service connections: [{name, type, url, parameters, data}]");
    command->add_option("--jobs", options->parallel, "Jobs at the same time")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    command->add_option("--work", options->work,
                        "Folder for workspaces and artifacts (default: in the user's cache)");
    command->add_flag("--dry-run", options->dryRun, "Print what would run");
    command->add_flag("--yes", options->yes, "Run deployment jobs without asking");
    command->footer("Works on a copy of the tree, uncommitted changes included.\nExit status: 0 "
                    "succeeded, 1 failed or invalid, 2 usage or unreadable input.");
    command->callback([options, &exitCode] { exitCode = runLocally(*options); });
}

} // namespace cli
