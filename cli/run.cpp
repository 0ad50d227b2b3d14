// `slipway run`: a pipeline file on this machine, without a server, by the worker's own executor.
#include "cli/command.h"
#include "cli/run_artifacts.h"
#include "cli/run_options.h"
#include "cli/run_shell.h"
#include "cli/run_view.h"
#include "cli/run_watch.h"
#include "cli/validate_format.h"
#include "pipelines/run/graph.h"
#include "pipelines/run/groups.h"
#include "pipelines/run/job_repositories.h"
#include "pipelines/run/run_number.h"
#include "schema/base/guid.h"
#include "schema/model/plan_json.h"
#include "worker/base/text.h"
#include "worker/local/local_job.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
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
using worker::equalsIgnoringCase;

constexpr std::string_view kRunNumber = "Build.BuildNumber";

class LocalRun
{
public:
    /// `plan`: what of the compiled plan is to run.
    LocalRun(const RunOptions &options, CompiledFile compiled, schema::RunPlan plan)
        : m_options(options)
        , m_compiled(std::move(compiled))
        , m_plan(std::move(plan))
        , m_view(options.format != "json" && ::isatty(STDOUT_FILENO) == 1)
    {}

    Result<int> run();

    /// What became of it, for --format json. Only after run().
    [[nodiscard]] nlohmann::ordered_json outcome() const;

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
    bool askWhether(const std::string &what);
    void takeSignals();
    const schema::Job *planned(const graph::JobInstance &job) const;
    void finish(const graph::JobInstance &job, graph::InstanceResult result);
    schema::protocol::JobMessage messageFor(const graph::JobInstance &job) const;
    void wait();
    void rename(const std::string &number);
    void readFrom(Instance &instance);

    const RunOptions &m_options;
    CompiledFile m_compiled;
    schema::RunPlan m_plan;
    RunView m_view;
    graph::RunProgress m_progress;
    std::vector<schema::protocol::ServiceConnection> m_connections;
    worker::WorkerOptions m_worker;
    fs::path m_artifacts;
    std::optional<ArtifactFolder> m_taken; ///< keeps that folder from other runs
    std::string m_number;
    std::map<std::pair<std::string, std::string>, bool> m_deployments; ///< stage, job: answer
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
    for (const std::string &name : graph::groupsOf(m_plan)) {
        if (!m_progress.groups.contains(name))
            m_view.say(fmt::format("warning: no values of the variable group '{0}' are given, so "
                                   "its variables do not exist; give them with "
                                   "--variable-group '{0}=FILE'",
                                   name));
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
    m_progress.variables.push_back({std::string(kRunNumber), m_number, false, false});
    m_progress.variables.push_back({"Build.BuildId", "1", false, false});
    ASSIGN_OR_RETURN(
        m_progress.rootValues,
        graph::resolveRootVariables(m_plan, m_progress,
                                    [](const std::string &, std::int64_t seed) { return seed; }));

    const auto folder = runFolder(m_options, m_compiled.root);
    if (folder == fs::path(m_compiled.root))
        return {ErrorCode::InvalidArgument, "--work " + m_options.work +
                                                " is the tree itself, whose copy would be made in "
                                                "it; name a folder of its own"};
    m_worker.work = folder / "_work";
    RETURN_IF_ERROR(worker::makeDirectories(m_worker.work));
    ASSIGN_OR_RETURN(auto taken, ArtifactFolder::take(folder));
    m_artifacts = taken.path();
    m_taken = std::move(taken);
    m_worker.name = "local";
    m_worker.environment = worker::currentEnvironment();
    m_worker.local = true;
    m_worker.localSources = m_compiled.root;
    m_worker.taskFolders = m_options.language.tasks;
    m_worker.nodeFolder = m_options.nodeFolder;
    m_worker.containerEngine = m_options.engine;

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
    const auto *plan = planned(job);
    const auto used = plan ? graph::jobRepositories(*plan) : graph::Aliases{};
    for (const auto &option : m_options.language.repositories) {
        const auto equals = option.find('=');
        const auto name = option.substr(0, equals);
        for (const auto &resource : m_plan.repositories) {
            if (used.contains(resource.alias) && (name == resource.alias || name == resource.name ||
                                                  name == resource.name + "@" + resource.ref))
                message.repositories.push_back({resource.alias, resource.name, "git",
                                                fs::absolute(option.substr(equals + 1)).string(),
                                                resource.ref, "", ""});
        }
    }
    message.container = job.container;
    message.containers = m_plan.containers;
    message.timeoutMinutes = job.timeoutMinutes;
    message.cancelTimeoutMinutes = job.cancelTimeoutMinutes;
    if (plan != nullptr) {
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

/// One answer holds for all jobs of a deployment: half of one would be worse than none.
bool LocalRun::mayDeploy(const graph::JobInstance &job)
{
    const auto *plan = planned(job);
    if (m_options.yes || plan == nullptr || !plan->isDeployment)
        return true;
    const auto [answer, isNew] = m_deployments.try_emplace({job.stage, job.job}, false);
    if (!isNew)
        return answer->second;
    answer->second = askWhether("Deploy '" + job.job + "'" +
                                (plan->environment ? " to " + plan->environment->name : ""));
    return answer->second;
}

/// False also when the run is canceled meanwhile, or standard input ends.
bool LocalRun::askWhether(const std::string &what)
{
    if (::isatty(STDIN_FILENO) == 0) {
        m_view.say(what + ": not without --yes (nobody can be asked)");
        return false;
    }
    m_view.say(what + "? It reaches outside of this machine. [y/N]");
    std::cout.flush(); // into a pipe it would wait for more
    std::string answer;
    while (true) {
        std::array<pollfd, 2> polled{{{m_signals.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR)
            continue;
        takeSignals();
        char c = 0;
        if (m_progress.cancelRequested || ::read(STDIN_FILENO, &c, 1) != 1)
            return false;
        if (c == '\n')
            return answer == "y" || answer == "Y" || answer == "yes";
        if (answer.size() < 80)
            answer += c;
    }
}

void LocalRun::start(graph::JobInstance job)
{
    const std::string label = (job.stage == "__default" ? "" : job.stage + "/") + job.job +
                              (job.total > 1 || job.hook ? "/" + job.name : "");
    if (!mayDeploy(job))
        return finish(job, {job.name, TaskResult::Canceled, {}});
    const auto message = messageFor(job);
    m_view.jobStarted(label);
    auto process =
        worker::LocalJob::start(message, m_worker, m_artifacts, m_options.breakOnFailure);
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

/// Jobs that begin from now on see it, too.
void LocalRun::rename(const std::string &number)
{
    m_number = number;
    for (auto &variable : m_progress.variables) {
        if (variable.name == kRunNumber)
            variable.value = number;
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
    events.failed = [&](const worker::FailedStep &step) {
        m_view.say("Step '" + step.name + "' failed. A shell in its folder and environment; exit " +
                   "goes on.");
        shellAt(step, m_options.engine);
        // Ctrl-C in the shell was the shell's.
        signalfd_siginfo info{};
        while (::read(m_signals.get(), &info, sizeof info) == sizeof info) {
        }
    };
    events.renamed = [&](const std::string &number) { rename(number); };
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
    takeSignals();
    for (std::size_t i = 0; i < m_running.size(); ++i) {
        if (polled[i + 1].revents != 0)
            readFrom(m_running[i]);
    }
    std::erase_if(m_running, [](const auto &instance) { return instance.process == nullptr; });
}

void LocalRun::takeSignals()
{
    signalfd_siginfo info{};
    while (::read(m_signals.get(), &info, sizeof info) == sizeof info) {
        m_view.say(m_progress.cancelRequested ? "Killing" : "Canceling; once more kills");
        m_progress.cancelRequested = true;
        for (auto &instance : m_running)
            instance.process->cancel();
    }
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
    if (!fs::is_empty(m_artifacts, error) && !error)
        std::cout << "Artifacts: " << m_artifacts.string() << '\n';
    return *m_result == schema::RunResult::Succeeded ||
                   *m_result == schema::RunResult::PartiallySucceeded
               ? 0
               : 1;
}

nlohmann::ordered_json LocalRun::outcome() const
{
    nlohmann::ordered_json out{{"result", m_result ? toString(*m_result) : "failed"},
                               {"number", m_number},
                               {"jobs", m_view.jobs()}};
    std::error_code error;
    if (fs::exists(m_artifacts, error) && !fs::is_empty(m_artifacts, error))
        out["artifacts"] = m_artifacts.string();
    return out;
}

/// `answer`: what --format json prints in the end.
int runOnce(const RunOptions &options, nlohmann::ordered_json &answer)
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
    if (!result.ok() || !result.plan) {
        answer = nlohmann::ordered_json::parse(diagnosticsAsJson(result.diagnostics));
        return 1;
    }
    auto plan = *result.plan;
    if (auto status = restrict(plan, options); !status) {
        std::cerr << "slipway run: " << status.error().message << '\n';
        return 2;
    }
    if (options.dryRun) {
        answer = schema::toJson(plan);
        printPlan(plan);
        return 0;
    }
    LocalRun run(options, std::move(*compiled), std::move(plan));
    const auto exit = run.run();
    if (exit) {
        answer = run.outcome();
        return *exit;
    }
    std::cerr << "slipway run: " << exit.error().message << '\n';
    return 2;
}

/// Runs again at each change of the tree, until Ctrl-C; its result is that of the last run.
int watchAndRun(const RunOptions &options)
{
    std::error_code error;
    const auto &language = options.language;
    const std::string root =
        language.root.empty()
            ? repositoryFolder(fs::absolute(language.file, error).lexically_normal().string())
            : fs::absolute(language.root, error).lexically_normal().string();
    sigset_t signals{};
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const worker::UniqueFd stop(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    while (true) {
        // Made before the run, so that what changes meanwhile counts.
        auto watch = TreeWatch::create(root, runFolder(options, root));
        if (!watch) {
            std::cerr << "slipway run: " << watch.error().message << '\n';
            return 2;
        }
        nlohmann::ordered_json unused;
        const int exit = runOnce(options, unused);
        std::cout << "Waiting for changes below " << root << " (Ctrl-C ends)\n" << std::flush;
        if (!watch->wait(stop.get()))
            return exit;
    }
}

int runLocally(const RunOptions &options)
{
    nlohmann::ordered_json answer;
    if (options.format != "json")
        return options.watch ? watchAndRun(options) : runOnce(options, answer);
    if (options.watch || options.breakOnFailure) {
        std::cerr << "slipway run: --format json answers once, in the end: not with --watch or "
                     "--break-on-failure\n";
        return 2;
    }
    // Standard output is the answer's alone; people read the log on the other one.
    std::streambuf *const own = std::cout.rdbuf(std::cerr.rdbuf());
    const int exit = runOnce(options, answer);
    std::cout.rdbuf(own);
    if (!answer.is_null())
        std::cout << answer.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
                  << '\n'
                  << std::flush;
    return exit;
}

} // namespace

void registerRun(CLI::App &app, int &exitCode)
{
    auto *const command =
        app.add_subcommand("run", "Run a pipeline file on this machine, without a server");
    const auto options = std::make_shared<RunOptions>();
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
    command->add_option("--node-folder", options->nodeFolder,
                        "Folder with node*/bin/node for packaged tasks (default: node on PATH)");
    command->add_flag("--dry-run", options->dryRun, "Print what would run");
    command
        ->add_option("--container-engine", options->engine,
                     "docker, podman, or none: jobs with containers fail")
        ->check(CLI::IsMember({"docker", "podman", "none"}))
        ->capture_default_str();
    command->add_flag("--watch", options->watch, "Run again whenever a file of the tree changes");
    command->add_flag(
        "--break-on-failure", options->breakOnFailure,
        "After a failed step open a shell in its folder and environment; its end lets "
        "the job go on");
    command->add_flag("--yes", options->yes, "Run deployment jobs without asking");
    command
        ->add_option("--format", options->format,
                     "json: one object on standard output in the end (result and jobs; the plan "
                     "with --dry-run; diagnostics of an invalid file), the log on standard error")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    command->footer("Works on a copy of the tree and its history, uncommitted changes "
                    "included.\nExit status: 0 "
                    "succeeded, 1 failed or invalid, 2 usage or unreadable input.");
    command->callback([options, &exitCode] { exitCode = runLocally(*options); });
}

} // namespace cli
