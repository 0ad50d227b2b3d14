#include "worker/container/job_containers.h"

#include "schema/base/guid.h"
#include "worker/base/text.h"
#include "worker/container/arguments.h"
#include "worker/tasks/docker_common.h"
#include "worker/tasks/local_history.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <poll.h>
#include <set>
#include <sstream>
#include <unistd.h>

namespace worker {
namespace {

using schema::Container;
using schema::protocol::JobMessage;

constexpr int kPullTries = 3;
constexpr std::chrono::milliseconds kFirstHealthPause{250};
constexpr std::chrono::milliseconds kLongestHealthPause{8000};
/// So long after its time a health check counts as one that nobody makes.
constexpr std::chrono::milliseconds kLateHealthCheck{1000};
/// What one clean-up command may take.
constexpr std::chrono::seconds kCleanUpLimit{60};

/// The container a step names; empty: none, or the host.
std::string containerTarget(const schema::Step &step)
{
    if (!step.target || equalsIgnoringCase(step.target->container, "host"))
        return {};
    return step.target->container;
}

const Container *find(const std::vector<std::pair<std::string, Container>> &all,
                      std::string_view alias)
{
    const auto it = std::find_if(all.begin(), all.end(), [alias](const auto &entry) {
        return equalsIgnoringCase(entry.first, alias);
    });
    return it == all.end() ? nullptr : &it->second;
}

bool isJobContainer(const JobMessage &message, std::string_view alias)
{
    return message.container && equalsIgnoringCase(message.container->alias, alias) &&
           !alias.empty();
}

/// While this file is there, containers of the job may be.
fs::path markerOf(const WorkerOptions &options, const std::string &jobId)
{
    return options.work / "_containers" / jobId;
}

std::string labelOf(const std::string &jobId)
{
    return "slipway.job=" + jobId;
}

/// Letters, digits, '_' and '-' of a name, for the name of a container.
std::string nameText(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || ((c == '_' || c == '-') && !out.empty()))
            out += c;
    }
    return out.empty() ? "container" : out.substr(0, 60);
}

/// What an engine says of a container's health.
struct HealthState
{
    std::string status; ///< empty: the container has no check
    bool checked = false;
    std::chrono::milliseconds interval{0}; ///< between two checks
};

/// Engines leave such a file in what they start.
bool isInContainer()
{
    std::error_code error;
    return fs::exists("/.dockerenv", error) || fs::exists("/run/.containerenv", error);
}

class Starter
{
public:
    explicit Starter(TaskContext &task)
        : m_task(task)
        , m_job(task.job())
        , m_label(labelOf(task.job().message.jobId))
    {}

    Status run();

private:
    /// One call of the client; `what` begins the sentence of a failure.
    Result<std::string> docker(std::vector<std::string> arguments, const std::string &what,
                               Environment environment = {}, bool print = false);

    [[nodiscard]] bool isPodman() const { return m_job.options.containerEngine == "podman"; }

    Container expanded(const Container &container) const;
    Result<std::string> pull(const Container &container);
    Status startOne(const std::string &alias, const Container &container, bool isService);
    Status checkRunning(const std::string &alias, const std::string &id);
    Status checkFolders(const std::string &id);
    Status publishPorts(const std::string &alias, const std::string &id);
    Status waitUntilHealthy(const std::string &alias, const std::string &id);
    Result<HealthState> healthOf(const std::string &id);
    bool pause(std::chrono::milliseconds time);
    std::vector<Mount> mounts(const Container &container) const;
    std::string socketPath() const;
    Status writeMarker() const;

    TaskContext &m_task;
    JobContext &m_job;
    std::string m_label, m_network;
    std::vector<std::pair<std::string, std::string>> m_services;         ///< alias, id
    nlohmann::ordered_json m_mapping = nlohmann::ordered_json::object(); ///< alias: {id}
};

Result<std::string> Starter::docker(std::vector<std::string> arguments, const std::string &what,
                                    Environment environment, bool print)
{
    ToolCall call;
    call.program = m_job.options.containerEngine;
    call.arguments = std::move(arguments);
    call.environment = std::move(environment);
    call.echo = print;
    call.print = print;
    // Not the step's PATH or sources: nothing of the job exists yet.
    call.workingDirectory = m_job.layout.workspace.string();
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (!result.ok())
        return {ErrorCode::Unavailable, explainDockerFailure(what, result)};
    return trimmed(result.output);
}

bool Starter::pause(std::chrono::milliseconds time)
{
    m_task.state().log.flush();
    m_job.sink.flush();
    pollfd stop{m_job.stop.fd(), POLLIN, 0};
    return !m_job.canceled() && ::poll(&stop, 1, static_cast<int>(time.count())) == 0;
}

Container Starter::expanded(const Container &container) const
{
    Container out = container;
    const auto expand = [this](std::string &text) { text = m_job.variables.expand(text); };
    expand(out.image);
    expand(out.options);
    expand(out.endpoint);
    for (auto &[name, value] : out.env)
        expand(value);
    std::for_each(out.ports.begin(), out.ports.end(), expand);
    std::for_each(out.volumes.begin(), out.volumes.end(), expand);
    return out;
}

/// Pulls with the credentials of the container's own connection, which are gone afterwards.
Result<std::string> Starter::pull(const Container &container)
{
    DockerConfig config;
    std::string image = container.image;
    std::vector<std::string> arguments;
    Environment credentials;
    if (!container.endpoint.empty()) {
        const auto *connection = m_job.connection(container.endpoint);
        if (connection == nullptr)
            return {ErrorCode::NotFound,
                    "there is no service connection '" + container.endpoint +
                        "' (the endpoint of the container '" + container.image +
                        "'); create it in the project's settings and let this pipeline use it"};
        RETURN_IF_ERROR(config.create(m_job, m_task.environment, *connection));
        image = imageAt(registryHost(*connection), image);
        if (isPodman())
            credentials.emplace_back("REGISTRY_AUTH_FILE",
                                     (config.folder() / "config.json").string());
        else
            arguments = {"--config", config.folder().string()};
    }
    if (container.localImage) {
        if (docker({"image", "inspect", "--format", "{{.Id}}", image}, "docker inspect"))
            return image;
        return {ErrorCode::NotFound,
                "the image '" + image +
                    "' is not on this machine, and 'localImage: true' says not to pull it; build "
                    "it here in an earlier job, or leave 'localImage' out"};
    }
    arguments.emplace_back("pull");
    // Docker takes plain HTTP of registries on this machine by itself.
    if (isPodman() && (image.starts_with("localhost:") || image.starts_with("127.")))
        arguments.emplace_back("--tls-verify=false");
    arguments.push_back(image);
    Result<std::string> pulled = docker(arguments, "docker pull", credentials, true);
    const bool isHere =
        !pulled && docker({"image", "inspect", "--format", "{{.Id}}", image}, "docker inspect");
    for (int tries = 1; !pulled && !isHere && tries < kPullTries; ++tries) {
        m_task.warning(pulled.error().message + "; trying again");
        if (!pause(std::chrono::seconds(tries * tries)))
            break;
        pulled = docker(arguments, "docker pull", credentials, true);
    }
    if (pulled)
        return image;
    if (!isHere)
        return {ErrorCode::Unavailable,
                "the image '" + image + "' cannot be pulled: " + pulled.error().message};
    m_task.warning("The image '" + image +
                   "' cannot be pulled; going on with the one that is on this machine.");
    return image;
}

std::string Starter::socketPath() const
{
    const auto *host = findEnvironment(m_job.options.environment, "DOCKER_HOST");
    if (host == nullptr || host->empty())
        return "/var/run/docker.sock";
    return host->starts_with("unix://") ? host->substr(7) : std::string();
}

std::vector<Mount> Starter::mounts(const Container &container) const
{
    // The job's temporary folder is always written: steps are started by way of it.
    const auto closed = [&container](const char *name) {
        return std::find(container.mountReadOnly.begin(), container.mountReadOnly.end(), name) !=
               container.mountReadOnly.end();
    };
    const bool noWork = closed("work");
    const bool noTools = closed("tools");
    const JobLayout &layout = m_job.layout;
    const auto number = layout.workspace.filename().string();
    const fs::path tasks = layout.work / "_tasks";
    std::vector<Mount> out{{layout.workspace, layout.workspace, noWork},
                           {layout.temp, layout.temp},
                           {layout.tools, layout.tools, noTools},
                           {layout.workspace, "/__w/" + number, noWork},
                           {layout.temp, "/__w/_temp"},
                           {layout.tools, "/__t", noTools}};
    // The copy of a local tree finds its history there.
    if (const auto objects =
            m_job.options.local ? objectsOf(m_job.options.localSources) : fs::path();
        !objects.empty())
        out.push_back({objects, objects, true});
    // Packaged tasks run in the container as well.
    std::vector<fs::path> folders(m_job.options.taskFolders.begin(),
                                  m_job.options.taskFolders.end());
    folders.push_back(tasks);
    for (const auto &folder : folders) {
        std::error_code error;
        if (fs::is_directory(folder, error))
            out.push_back(
                {fs::absolute(folder, error), fs::absolute(folder, error), closed("tasks")});
    }
    return out;
}

Status Starter::checkRunning(const std::string &alias, const std::string &id)
{
    ASSIGN_OR_RETURN(const auto state,
                     docker({"inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", id},
                            "docker inspect"));
    if (state.starts_with("running"))
        return {};
    if (alias == kInlineJobContainer && state.ends_with(" 127"))
        return {ErrorCode::InvalidArgument, "the image of the job container has no shell ('sh'), "
                                            "in which the steps run; take an image with one"};
    // Shown for people; what matters is that it ended.
    static_cast<void>(docker({"logs", "--tail", "50", id}, "docker logs", {}, true));
    return {ErrorCode::Unavailable, "the container '" + alias + "' does not stay up (" + state +
                                        "); its output stands above"};
}

Status Starter::checkFolders(const std::string &id)
{
    // A file that nobody else has: engines make folders that are missing on their machine, and
    // another worker there may have the same ones.
    const fs::path sign = m_job.layout.temp / ("seen-" + schema::randomGuid());
    RETURN_IF_ERROR(writeFile(sign, ""));
    const auto seen =
        docker({"exec", "--user", "0", id, "test", "-f", sign.string()}, "docker exec");
    std::error_code ignored;
    fs::remove(sign, ignored);
    if (!seen && seen.error().code == ErrorCode::Canceled)
        return seen.error();
    if (seen)
        return {};
    const auto work = m_job.layout.work.string();
    if (isInContainer())
        return {ErrorCode::InvalidArgument,
                "the container does not see this worker's work folder '" + work +
                    "': the worker runs in a container itself, and the engine it uses looks for "
                    "the folder on its own machine. Give both the same folder at the same path: "
                    "start the worker's container with --volume " +
                    work + ":" + work + " instead of a volume with a name"};
    return {ErrorCode::InvalidArgument,
            "the container does not see this worker's work folder '" + work +
                "', or has no 'test': the engine must run on the worker's machine, and the image "
                "needs a shell ('sh') and the basic tools"};
}

Status Starter::publishPorts(const std::string &alias, const std::string &id)
{
    ASSIGN_OR_RETURN(const auto output, docker({"port", id}, "docker port"));
    for (const auto &[inside, host] : publishedPorts(output))
        m_job.variables.set(join({"agent.services", alias, "ports", inside}, "."), host);
    return {};
}

Result<HealthState> Starter::healthOf(const std::string &id)
{
    ASSIGN_OR_RETURN(
        const auto text,
        docker({"inspect", "--format",
                "{{if .State.Health}}{{.State.Health.Status}} {{len .State.Health.Log}} {{with "
                ".Config.Healthcheck}}{{printf \"%d\" .Interval}}{{end}}{{end}}",
                id},
               "docker inspect"));
    std::istringstream words(text);
    HealthState out;
    int checks = 0;
    std::int64_t nanoseconds = 0;
    words >> out.status;
    if (out.status == "0") // Podman, of a container without a check
        out.status.clear();
    words >> checks >> nanoseconds;
    out.checked = checks > 0;
    out.interval = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::nanoseconds(nanoseconds));
    return out;
}

Status Starter::waitUntilHealthy(const std::string &alias, const std::string &id)
{
    auto wait = kFirstHealthPause;
    std::chrono::milliseconds waited{0};
    bool said = false;
    bool ours = false;
    while (true) {
        ASSIGN_OR_RETURN(const auto health, healthOf(id));
        if (health.status.empty() || health.status == "healthy" || health.status == "none")
            return {};
        RETURN_IF_ERROR(checkRunning(alias, id));
        if (health.status != "starting") {
            static_cast<void>(docker({"logs", "--tail", "50", id}, "docker logs", {}, true));
            return {ErrorCode::Unavailable,
                    std::string("the service '").append(alias).append("' is ") + health.status +
                        "; its output stands above, its health check is part of the image or of "
                        "'options'"};
        }
        // Podman leaves checks to timers of systemd. Where that does not run (in a container, for a
        // user without a session) nobody looks, and the service would start for ever.
        ours =
            ours || (isPodman() && !health.checked && waited > health.interval + kLateHealthCheck);
        if (ours) {
            // Its exit status is kept by the engine, and asked for above.
            static_cast<void>(docker({"healthcheck", "run", id}, "podman healthcheck run"));
            wait = std::max(health.interval, kFirstHealthPause);
        }
        if (!said)
            m_task.print("Waiting until the service '" + alias + "' is healthy");
        said = true;
        if (!pause(wait))
            return {ErrorCode::Canceled, "canceled while the service '" + alias + "' started"};
        waited += wait;
        if (!ours)
            wait = std::min(wait * 2, kLongestHealthPause);
    }
}

Status Starter::startOne(const std::string &alias, const Container &written, bool isService)
{
    ContainerSpec spec;
    spec.container = expanded(written);
    ASSIGN_OR_RETURN(spec.image, pull(spec.container));
    spec.name = nameText(alias == kInlineJobContainer ? "job" : alias) + "_" +
                schema::randomGuid().substr(0, 8);
    spec.networkAlias = isService ? alias : std::string();
    spec.network = m_network;
    spec.jobLabel = m_label;
    spec.idle = !isService;
    spec.mounts = mounts(written);
    if (const auto socket = socketPath(); !isService && written.mapDockerSocket && !socket.empty())
        spec.mounts.push_back({socket, "/var/run/docker.sock"});
    ASSIGN_OR_RETURN(const auto id,
                     docker(createArguments(spec), "docker create (container '" + spec.name + "')",
                            containerEnvironment(spec.container)));
    ASSIGN_OR_RETURN(const auto started,
                     docker({"start", id}, "docker start (container '" + spec.name + "')"));
    static_cast<void>(started);
    m_task.print("Started container '" + spec.name + "' from " + spec.image);
    ContainerTarget &target = m_job.containers[toLower(alias)];
    target.id = id;
    m_mapping[alias] = {{"id", id}};
    target.user = std::to_string(::geteuid()) + ":" + std::to_string(::getegid());
    ASSIGN_OR_RETURN(target.node,
                     docker({"inspect", "--format",
                             "{{with .Config.Labels}}{{index . "
                             "\"com.azure.dev.pipelines.agent.handler.node.path\"}}{{end}}",
                             id},
                            "docker inspect"));
    if (isService)
        m_services.emplace_back(alias, id);
    RETURN_IF_ERROR(checkRunning(isService ? alias : kInlineJobContainer, id));
    if (!isService)
        RETURN_IF_ERROR(checkFolders(id));
    return publishPorts(alias, id);
}

Status Starter::writeMarker() const
{
    const auto marker = markerOf(m_job.options, m_job.message.jobId);
    RETURN_IF_ERROR(makeDirectories(marker.parent_path()));
    return writeFileDurably(marker, "");
}

Status Starter::run()
{
    const JobMessage &message = m_job.message;
    if (m_job.options.containerEngine == "none")
        return {ErrorCode::InvalidArgument,
                "the job has containers, and this worker has none (--container-engine none); run "
                "it with docker or podman"};
    ASSIGN_OR_RETURN(
        const auto version,
        docker({"version", "--format", isPodman() ? "{{.Client.Version}}" : "{{.Server.Version}}"},
               "docker version"));
    m_task.print((isPodman() ? "Podman " : "Docker Engine ") + version);
    RETURN_IF_ERROR(writeMarker());
    m_network = "slipway_" + message.jobId;
    RETURN_IF_ERROR(
        docker({"network", "create", "--label", m_label, m_network}, "docker network create"));

    if (const auto &own = message.container) {
        m_job.jobContainer = own->alias.empty() ? std::string(kInlineJobContainer) : own->alias;
        RETURN_IF_ERROR(startOne(m_job.jobContainer, *own, false));
    }
    for (const auto &[alias, container] : message.services)
        RETURN_IF_ERROR(startOne(alias, container, true));
    for (const auto &step : message.steps) {
        const auto alias = containerTarget(step);
        if (alias.empty() || m_job.containers.contains(toLower(alias)))
            continue;
        if (const auto *container = find(message.containers, alias))
            RETURN_IF_ERROR(startOne(alias, *container, false));
    }
    for (const auto &[alias, id] : m_services)
        RETURN_IF_ERROR(waitUntilHealthy(alias, id));

    m_job.variables.set("agent.containernetwork", m_network);
    m_job.variables.set("agent.containermapping", m_mapping.dump());
    if (const auto it = m_job.containers.find(toLower(m_job.jobContainer));
        it != m_job.containers.end())
        m_job.variables.set("agent.containerid", it->second.id);
    return {};
}

/// A command that cleans up: not part of a step, not ended by a cancel.
Result<std::string> quietly(const WorkerOptions &options, std::vector<std::string> arguments)
{
    const auto *path = findEnvironment(options.environment, "PATH");
    ProcessSpec spec;
    const auto &engine = options.containerEngine;
    spec.program = findProgram(engine, path == nullptr ? std::string() : *path);
    if (spec.program.empty())
        return {ErrorCode::NotFound, engine + " is not installed any more"};
    spec.environment = options.environment;
    spec.arguments = std::move(arguments);
    ProcessLimits limits;
    limits.deadline = Clock::now() + kCleanUpLimit;
    std::string output, errors;
    ProcessCallbacks callbacks;
    callbacks.output = [&](std::string_view bytes, Stream stream) {
        (stream == Stream::Out ? output : errors) += bytes;
    };
    ASSIGN_OR_RETURN(const auto end, runProcess(spec, limits, nullptr, callbacks));
    if (end.timedOut)
        return {ErrorCode::Timeout,
                engine + " " + spec.arguments.front() + " did not end within a minute"};
    if (end.exitCode != 0)
        return {ErrorCode::Unavailable,
                engine + " " + spec.arguments.front() + ": " + trimmed(errors)};
    return output;
}

} // namespace

bool needsContainers(const JobMessage &message)
{
    return message.container || !message.services.empty() ||
           std::any_of(message.steps.begin(), message.steps.end(),
                       [](const auto &step) { return !containerTarget(step).empty(); });
}

std::string unknownTarget(const JobMessage &message, const schema::Step &step)
{
    const auto alias = containerTarget(step);
    if (alias.empty() || isJobContainer(message, alias) ||
        find(message.services, alias) != nullptr || find(message.containers, alias) != nullptr)
        return {};
    return "its target '" + alias +
           "' is neither 'host' nor a container of the job or of 'resources.containers'";
}

Status startContainers(TaskContext &task)
{
    return Starter(task).run();
}

void explainServices(TaskContext &task)
{
    for (const auto &[alias, container] : task.job().message.services) {
        const auto it = task.job().containers.find(toLower(alias));
        if (it == task.job().containers.end())
            continue;
        const auto state =
            quietly(task.job().options, {"inspect", "--format",
                                         "{{.State.Status}} {{.State.ExitCode}}", it->second.id});
        if (!state || !state->starts_with("exited") || trimmed(*state).ends_with(" 0"))
            continue;
        task.warning("The service '" + alias + "' had ended by itself (" + trimmed(*state) + ").");
        const auto log = quietly(task.job().options, {"logs", "--tail", "50", it->second.id});
        if (log)
            task.print(defuseCommands(*log));
    }
}

Status removeContainers(const std::string &jobId, const WorkerOptions &options)
{
    std::error_code error;
    const auto marker = markerOf(options, jobId);
    if (!fs::exists(marker, error))
        return {};
    const std::string filter = "label=" + labelOf(jobId);
    ASSIGN_OR_RETURN(const auto ids, quietly(options, {"ps", "--all", "--quiet", "--no-trunc",
                                                       "--filter", filter}));
    if (auto list = listEntries(ids); !list.empty()) {
        list.insert(list.begin(), {"rm", "--force", "--volumes"});
        RETURN_IF_ERROR(quietly(options, list));
    }
    ASSIGN_OR_RETURN(const auto networks,
                     quietly(options, {"network", "ls", "--quiet", "--filter", filter}));
    if (auto list = listEntries(networks); !list.empty()) {
        list.insert(list.begin(), {"network", "rm"});
        RETURN_IF_ERROR(quietly(options, list));
    }
    return removeTree(marker);
}

} // namespace worker
