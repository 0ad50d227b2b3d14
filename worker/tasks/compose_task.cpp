// DockerCompose@0 and @1 (worker-and-tasks 9.9) against the environment's Docker host.
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/manifest/manifest.h"
#include "worker/tasks/docker_common.h"
#include "worker/tasks/implementations.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <poll.h>

namespace worker {
namespace {

using schema::TaskResult;
using Json = nlohmann::ordered_json;

/// How long services with a health check get to become healthy after `up`.
constexpr std::chrono::seconds kHealthLimit{180};
constexpr int kHealthLookMs = 250;

struct ServiceContainer
{
    std::string id, service, name, image, imageId, health, state;
};

class Compose
{
public:
    explicit Compose(TaskContext &task)
        : m_task(task)
    {}

    Status run();

private:
    Status chooseHost();
    Status login();
    Status findFiles();
    Status findProgram();
    Result<ToolResult> compose(std::vector<std::string> arguments, bool print = true);
    Status must(std::vector<std::string> arguments);
    Status up(std::vector<std::string> arguments);
    Result<std::vector<ServiceContainer>> containers();
    Status waitUntilHealthy();
    Status recordDeployed(const std::vector<std::string> &arguments);
    Result<ToolResult> docker(std::vector<std::string> arguments);
    /// The files as one; its services' images by digest when `locked`.
    Result<ManifestJson> configuration(bool locked);
    Result<std::string> digestOf(const std::string &image);
    Status writeDigests();
    Status write(const ManifestJson &json, const char *input, const char *fallback);

    TaskContext &m_task;
    DockerConfig m_config;
    Environment m_environment;
    std::vector<std::string> m_program; ///< {"docker", "compose"} or {"docker-compose"}
    std::vector<std::string> m_files;
    std::string m_project;
};

Result<ToolResult> Compose::docker(std::vector<std::string> arguments)
{
    ToolCall call;
    call.program = "docker";
    call.arguments = std::move(arguments);
    call.environment = m_environment;
    call.print = call.echo = false;
    return m_task.run(call);
}

Status Compose::chooseHost()
{
    const schema::protocol::ServiceConnection *host = nullptr;
    const auto &environment = m_task.job().message.environment;
    if (!m_task.input("dockerHostEndpoint").empty()) {
        ASSIGN_OR_RETURN(host, m_task.connection("dockerHostEndpoint"));
    } else if (environment && equalsIgnoringCase(environment->resourceType, "dockerHost") &&
               !environment->connection.empty()) {
        host = m_task.job().connection(environment->connection);
        if (host == nullptr)
            return {ErrorCode::NotFound,
                    "the environment's resource '" + environment->resourceName +
                        "' names a service connection that does not exist; give it another one in "
                        "the environment's settings"};
    }
    if (host != nullptr && !host->url.empty()) {
        auto url = host->url;
        if (url.starts_with("http://"))
            url.replace(0, 7, "tcp://");
        m_environment.emplace_back("DOCKER_HOST", url);
    }
    return {};
}

Status Compose::login()
{
    if (m_task.input("dockerRegistryEndpoint").empty())
        return {};
    ASSIGN_OR_RETURN(const auto *registry, m_task.connection("dockerRegistryEndpoint"));
    RETURN_IF_ERROR(m_config.create(m_task.job(), m_task.environment, *registry));
    m_environment.emplace_back("DOCKER_CONFIG", m_config.folder().string());
    return {};
}

Status Compose::findFiles()
{
    std::vector<std::string> patterns{m_task.input("dockerComposeFile")};
    for (auto &extra : listEntries(m_task.input("additionalDockerComposeFiles")))
        patterns.push_back(std::move(extra));
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const auto path = m_task.absolute(patterns[i]);
        if (!hasGlob(patterns[i]) && fs::is_regular_file(path)) {
            m_files.push_back(path.string());
            continue;
        }
        ASSIGN_OR_RETURN(const auto found, findMatches(m_task.defaultDirectory(), {patterns[i]},
                                                       {.matchBase = false, .directories = false}));
        if (!found.empty())
            m_files.push_back(found.front());
        else if (i == 0 || m_task.flag("requireAdditionalDockerComposeFiles"))
            return {ErrorCode::NotFound, "no compose file matches '" + patterns[i] + "' below " +
                                             m_task.defaultDirectory().string()};
    }
    return {};
}

Status Compose::findProgram()
{
    const auto given = m_task.input("dockerComposePath");
    if (!given.empty()) {
        m_program = {given};
        return {};
    }
    if (m_task.job().options.containerEngine == "podman")
        return {ErrorCode::InvalidArgument,
                "DockerCompose needs Docker: Compose does not drive Podman reliably; use Docker@2 "
                "and scripts, or a worker with --container-engine docker"};
    const auto plugin = docker({"compose", "version"});
    if (plugin && plugin->ok()) {
        m_program = {"docker", "compose"};
        return {};
    }
    const auto *path = findEnvironment(m_task.environment, "PATH");
    if (worker::findProgram("docker-compose", path == nullptr ? "" : *path).empty())
        return {ErrorCode::NotFound,
                "Docker Compose is not installed on this worker: install docker-compose (or the "
                "compose plugin of the Docker client)"};
    m_program = {"docker-compose"};
    return {};
}

Result<ToolResult> Compose::compose(std::vector<std::string> arguments, bool print)
{
    ToolCall call;
    call.program = m_program.front();
    call.arguments.assign(m_program.begin() + 1, m_program.end());
    for (const auto &file : m_files)
        call.arguments.insert(call.arguments.end(), {"-f", file});
    call.arguments.insert(call.arguments.end(), {"-p", m_project});
    call.arguments.insert(call.arguments.end(), arguments.begin(), arguments.end());
    call.environment = m_environment;
    call.workingDirectory = m_task.path("cwd").string();
    call.print = call.echo = print;
    return m_task.run(call);
}

Status Compose::must(std::vector<std::string> arguments)
{
    const auto what = "docker compose " + arguments.front();
    ASSIGN_OR_RETURN(const auto result, compose(std::move(arguments)));
    if (!result.ok())
        return {ErrorCode::Unavailable, explainDockerFailure(what, result)};
    return {};
}

Result<std::vector<ServiceContainer>> Compose::containers()
{
    ASSIGN_OR_RETURN(const auto listed, compose({"ps", "-q"}, false));
    const auto ids = listEntries(listed.output);
    std::vector<ServiceContainer> out;
    if (ids.empty())
        return out;
    std::vector<std::string> arguments{"inspect", "--type", "container"};
    arguments.insert(arguments.end(), ids.begin(), ids.end());
    ASSIGN_OR_RETURN(const auto inspected, docker(arguments));
    const auto json = Json::parse(inspected.output, nullptr, false);
    if (!json.is_array())
        return {ErrorCode::Unavailable, explainDockerFailure("docker inspect", inspected)};
    const auto text = [](const Json &value, const Json::json_pointer &pointer) {
        return value.contains(pointer) && value[pointer].is_string()
                   ? value[pointer].get<std::string>()
                   : std::string();
    };
    for (const auto &entry : json) {
        using Pointer = Json::json_pointer;
        ServiceContainer container;
        container.id = text(entry, Pointer("/Id"));
        container.service = text(entry, Pointer("/Config/Labels/com.docker.compose.service"));
        container.name = text(entry, Pointer("/Name"));
        if (container.name.starts_with('/'))
            container.name.erase(0, 1);
        container.image = text(entry, Pointer("/Config/Image"));
        container.imageId = text(entry, Pointer("/Image"));
        container.health = text(entry, Pointer("/State/Health/Status"));
        container.state = text(entry, Pointer("/State/Status"));
        out.push_back(std::move(container));
    }
    return out;
}

Status Compose::waitUntilHealthy()
{
    const auto end = Clock::now() + kHealthLimit;
    std::string last;
    while (true) {
        ASSIGN_OR_RETURN(const auto all, containers());
        std::string waiting;
        for (const auto &container : all) {
            const bool ended = container.state == "exited" || container.state == "dead" ||
                               container.state == "restarting";
            if (container.health == "unhealthy" || ended) {
                m_task.print("Last lines of " + container.name + ":");
                const auto log = docker({"logs", "--tail", "20", container.id});
                if (log)
                    m_task.print(defuseCommands(trimmed(log->output + log->errors)));
                if (container.state == "exited" && container.health.empty())
                    continue; // a service that does its work and ends
                return {ErrorCode::Unavailable, "the service '" + container.service + "' (" +
                                                    container.image + ") is " +
                                                    (ended ? container.state : container.health) +
                                                    "; its last lines are above"};
            }
            if (container.health == "starting")
                waiting += (waiting.empty() ? "" : ", ") + container.service;
        }
        if (waiting.empty())
            return {};
        if (waiting != last)
            m_task.print("Waiting for the health check of " + waiting);
        m_task.state().log.flush();
        m_task.job().sink.flush();
        last = waiting;
        if (Clock::now() >= end)
            return {ErrorCode::Timeout, "not healthy within " +
                                            std::to_string(kHealthLimit.count()) +
                                            " seconds: " + waiting};
        pollfd stop{m_task.job().stop.fd(), POLLIN, 0};
        if (::poll(&stop, 1, kHealthLookMs) > 0)
            return {ErrorCode::Canceled, "the step was stopped"};
    }
}

Status Compose::recordDeployed(const std::vector<std::string> &arguments)
{
    ASSIGN_OR_RETURN(auto all, containers());
    // `up --no-deps web` touches only web: the other services are as some earlier run left them.
    const auto says = [&arguments](const std::string &word) {
        return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
    };
    const auto named = [&says](const ServiceContainer &c) { return says(c.service); };
    if (says("--no-deps") && std::any_of(all.begin(), all.end(), named))
        std::erase_if(all, std::not_fn(named));
    std::vector<schema::protocol::DeployedItem> items;
    for (const auto &container : all) {
        schema::protocol::DeployedItem item{
            "ComposeService", container.service, container.name, container.image, "", {}};
        const auto digests =
            docker({"image", "inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}",
                    container.imageId});
        if (digests) {
            // The image may have digests in several registries: the one it was started from counts.
            auto repository = container.image.substr(0, container.image.find('@'));
            const auto slash = repository.rfind('/');
            const auto colon = repository.rfind(':');
            if (colon != std::string::npos && (slash == std::string::npos || colon > slash))
                repository.erase(colon);
            for (const auto &line : lines(digests->output)) {
                const auto at = line.find("@sha256:");
                if (at != std::string::npos &&
                    (line.substr(0, at) == repository || item.digest.empty()))
                    item.digest = line.substr(at + 1);
            }
        }
        m_task.print("Service " + item.name + " runs " + item.image +
                     (item.digest.empty() ? "" : " (" + item.digest + ")"));
        items.push_back(std::move(item));
    }
    if (items.empty() || !m_task.job().message.environment)
        return {};
    return m_task.job().sink.publishDeployed(items);
}

Result<std::string> Compose::digestOf(const std::string &image)
{
    ASSIGN_OR_RETURN(const auto inspected,
                     docker({"image", "inspect", "--format",
                             "{{range .RepoDigests}}{{println .}}{{end}}", image}));
    for (const auto &line : lines(inspected.output)) {
        if (line.substr(0, line.find('@')) == imageRepository(image))
            return line;
    }
    return {ErrorCode::NotFound, "the image '" + image + "' has no digest: push or pull it first"};
}

Result<ManifestJson> Compose::configuration(bool locked)
{
    ASSIGN_OR_RETURN(const auto result, compose({"config"}, false));
    if (!result.ok())
        return {ErrorCode::InvalidArgument, explainDockerFailure("docker compose config", result)};
    ASSIGN_OR_RETURN(auto documents, parseYaml(result.output));
    if (documents.size() != 1 || !documents.front().is_object())
        return {ErrorCode::Internal, "docker compose config printed no document"};
    auto &json = documents.front();
    for (auto &[name, service] : json["services"].items()) {
        if (m_task.flag("removeBuildOptions"))
            service.erase("build");
        if (locked && service.contains("image")) {
            ASSIGN_OR_RETURN(service["image"], digestOf(service["image"].get<std::string>()));
        }
    }
    return std::move(json);
}

Status Compose::write(const ManifestJson &json, const char *input, const char *fallback)
{
    const auto given = m_task.input(input);
    const auto file =
        given.empty()
            ? fs::path(m_task.job().variables.value("Build.ArtifactStagingDirectory")) / fallback
            : m_task.absolute(given);
    RETURN_IF_ERROR(makeDirectories(file.parent_path()));
    m_task.print("Wrote " + file.string());
    m_task.output("DockerComposeOutput", file.string());
    // JSON is YAML: compose reads it.
    return writeFile(file, json.dump(2, ' ', false, ManifestJson::error_handler_t::replace) + "\n");
}

Status Compose::writeDigests()
{
    ASSIGN_OR_RETURN(const auto all, configuration(false));
    ManifestJson out{{"version", all.value("version", "3")}, {"services", ManifestJson::object()}};
    for (const auto &[name, service] : all["services"].items()) {
        if (service.contains("image")) {
            ASSIGN_OR_RETURN(out["services"][name]["image"],
                             digestOf(service["image"].get<std::string>()));
        }
    }
    return write(out, "imageDigestComposeFile", "docker-compose.images.yml");
}

Status Compose::up(std::vector<std::string> arguments)
{
    const bool detached =
        std::any_of(arguments.begin(), arguments.end(), [](const std::string &argument) {
            return argument == "-d" || argument == "--detach";
        });
    RETURN_IF_ERROR(must(arguments));
    if (!detached)
        return {};
    RETURN_IF_ERROR(waitUntilHealthy());
    return recordDeployed(arguments);
}

Status Compose::run()
{
    const auto action = toLower(m_task.input("action"));
    if (equalsIgnoringCase(m_task.input("containerregistrytype"), "Azure Container Registry"))
        m_task.warning("containerregistrytype 'Azure Container Registry' is not available; "
                       "dockerRegistryEndpoint is used");
    RETURN_IF_ERROR(chooseHost());
    RETURN_IF_ERROR(login());
    RETURN_IF_ERROR(findFiles());
    for (const auto &line : listEntries(m_task.input("dockerComposeFileArgs"))) {
        const auto equals = line.find('=');
        if (equals == std::string::npos || equals == 0)
            return {ErrorCode::InvalidArgument,
                    "the input 'dockerComposeFileArgs' holds '" + line + "'; expected NAME=VALUE"};
        m_environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
    m_project = toLower(m_task.input("projectName"));
    std::erase_if(m_project, [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
    });
    if (m_project.empty())
        return {ErrorCode::InvalidArgument, "the input 'projectName' is empty"};
    RETURN_IF_ERROR(findProgram());

    if (action == "run services") {
        std::vector<std::string> arguments{"up"};
        if (m_task.flag("detached"))
            arguments.emplace_back("-d");
        else if (m_task.flag("abortOnContainerExit"))
            arguments.emplace_back("--abort-on-container-exit");
        if (m_task.flag("buildImages"))
            arguments.emplace_back("--build");
        return up(std::move(arguments));
    }
    if (action == "build services")
        return must({"build"});
    if (action == "push services")
        return must({"push"});
    if (action == "run a specific service") {
        std::vector<std::string> arguments{"run", "--rm"};
        if (m_task.flag("detached"))
            arguments = {"run", "-d"};
        arguments.push_back(m_task.input("serviceName"));
        for (auto &word : splitShellWords(m_task.input("containerCommand")))
            arguments.push_back(std::move(word));
        return must(std::move(arguments));
    }
    if (action == "combine configuration" || action == "lock services") {
        ASSIGN_OR_RETURN(const auto json, configuration(action == "lock services"));
        return write(json, "outputDockerComposeFile", "docker-compose.yml");
    }
    if (action == "write service image digests")
        return writeDigests();
    if (action != "run a docker compose command")
        return {ErrorCode::InvalidArgument,
                "the input 'action' ('" + m_task.input("action") +
                    "') must be 'Run services', 'Build services', 'Push services', 'Run a specific "
                    "service', 'Lock services', 'Write service image digests', 'Combine "
                    "configuration' or 'Run a Docker Compose command'"};
    auto arguments = splitShellWords(m_task.input("dockerComposeCommand"));
    if (arguments.empty())
        return {ErrorCode::InvalidArgument, "the input 'dockerComposeCommand' is empty"};
    for (auto &word : splitShellWords(m_task.input("arguments")))
        arguments.push_back(std::move(word));
    if (arguments.front() == "up")
        return up(std::move(arguments));
    return must(std::move(arguments));
}

} // namespace

TaskResult runDockerCompose(TaskContext &task)
{
    if (const auto status = Compose(task).run(); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
