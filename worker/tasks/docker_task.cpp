// Docker@2 (worker-and-tasks 8).
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/docker_common.h"
#include "worker/tasks/implementations.h"

#include <algorithm>
#include <chrono>

namespace worker {
namespace {

using schema::TaskResult;
using schema::protocol::ServiceConnection;

std::string reversedHost(const std::string &url)
{
    auto host = url;
    if (const auto scheme = host.find("://"); scheme != std::string::npos)
        host.erase(0, scheme + 3);
    host = host.substr(0, host.find_first_of(":/"));
    auto parts = listEntries(host, ".");
    std::reverse(parts.begin(), parts.end());
    return parts.empty() ? std::string("slipway") : join(parts, ".");
}

/// --target ends the build at an earlier stage than the one a LABEL at the end of the file is in.
bool hasTarget(const std::vector<std::string> &arguments)
{
    return std::any_of(arguments.begin(), arguments.end(), [](const std::string &argument) {
        return argument.starts_with("--target");
    });
}

/// The Dockerfile with one LABEL instruction more; empty when its syntax is not the usual one.
Result<std::string> withLabels(const fs::path &file,
                               const std::vector<std::pair<std::string, std::string>> &labels)
{
    ASSIGN_OR_RETURN(auto text, readFile(file, 4U << 20U));
    const auto beginning = toLower(text.substr(0, 4096));
    if (beginning.find("escape=") != std::string::npos || trimmed(text).ends_with('\\'))
        return std::string();
    text += "\nLABEL";
    for (const auto &[name, value] : labels) {
        std::string quoted = replaceAll(replaceAll(value, "\\", "\\\\"), "\"", "\\\"");
        quoted = replaceAll(replaceAll(std::move(quoted), "$", "\\$"), "\n", " ");
        text.append(" ").append(name).append("=\"").append(quoted).append("\"");
    }
    return text + "\n";
}

constexpr const char *kPodman = "podman";

class Docker
{
public:
    explicit Docker(TaskContext &task)
        : m_task(task)
    {}

    Status run();

private:
    Status login();
    Status logout();
    Status build();
    Status push();
    Status other(const std::string &command);
    Status withCredentials();
    Result<fs::path> dockerfile() const;
    std::vector<std::pair<std::string, std::string>> labels(const fs::path &dockerfile) const;
    Result<ToolResult> docker(std::vector<std::string> arguments, bool print = true,
                              const std::string &input = {});
    Status mustSucceed(const std::string &what, const Result<ToolResult> &result);
    Result<std::string> digestOf(const std::string &reference, const std::string &tag,
                                 const ToolResult &pushed, const fs::path &digestFile);
    void writeOutput(const std::string &command, const std::string &text);
    bool chooseBuilder();

    TaskContext &m_task;
    const ServiceConnection *m_connection = nullptr;
    DockerConfig m_config;
    std::string m_name; ///< full image name without tag; empty when there is none
    std::vector<std::string> m_tags;
    std::vector<std::string> m_outputs;
};

Result<ToolResult> Docker::docker(std::vector<std::string> arguments, bool print,
                                  const std::string &input)
{
    ToolCall call;
    const bool podman = m_task.job().options.containerEngine == kPodman;
    call.program = podman ? kPodman : "docker";
    call.arguments = std::move(arguments);
    call.print = print;
    call.echo = print;
    call.input = input;
    if (!m_config.folder().empty())
        call.environment.emplace_back("DOCKER_CONFIG", m_config.folder().string());
    // Podman reads logins from this file alone.
    if (podman && !m_config.folder().empty())
        call.environment.emplace_back("REGISTRY_AUTH_FILE",
                                      (m_config.folder() / "config.json").string());
    return m_task.run(call);
}

Status Docker::mustSucceed(const std::string &what, const Result<ToolResult> &result)
{
    if (!result)
        return result.error();
    if (!result->ok())
        return {ErrorCode::Unavailable, explainDockerFailure(what, *result)};
    return {};
}

Status Docker::withCredentials()
{
    if (m_connection == nullptr)
        return {};
    return m_config.create(m_task.job(), m_task.environment, *m_connection);
}

Status Docker::login()
{
    if (m_connection == nullptr)
        return {ErrorCode::InvalidArgument, "the input 'containerRegistry' is required for login"};
    JobContext &job = m_task.job();
    const auto existing = job.variables.value("DOCKER_CONFIG");
    if (!existing.empty() && fs::path(existing).parent_path() == job.layout.temp) {
        RETURN_IF_ERROR(DockerConfig::addRegistry(m_task.job(), existing, *m_connection));
    } else {
        RETURN_IF_ERROR(m_config.create(m_task.job(), m_task.environment, *m_connection));
        m_config.keep(); // the job's temp folder is emptied at its end
        job.variables.set("DOCKER_CONFIG", m_config.folder().string());
    }
    const auto host = registryHost(*m_connection);
    m_task.print("Logged in to " + (host.empty() ? std::string("Docker Hub") : host) +
                 " for the following steps");
    return {};
}

Status Docker::logout()
{
    JobContext &job = m_task.job();
    const fs::path folder = job.variables.value("DOCKER_CONFIG");
    const bool own = !folder.empty() && folder.parent_path() == job.layout.temp;
    std::size_t left = 0;
    if (own && m_connection != nullptr) {
        ASSIGN_OR_RETURN(left, DockerConfig::removeRegistry(folder, *m_connection));
    }
    if (left > 0) {
        m_task.print("Logged out; credentials of " + counted(left, "other login") + " stay");
        return {};
    }
    if (own)
        RETURN_IF_ERROR(removeTree(folder));
    job.variables.set("DOCKER_CONFIG", "");
    m_task.print("Logged out");
    return {};
}

Result<fs::path> Docker::dockerfile() const
{
    const auto given = m_task.input("Dockerfile");
    if (!hasGlob(given)) {
        const auto path = m_task.absolute(given);
        if (!fs::is_regular_file(path))
            return {ErrorCode::NotFound, "there is no Dockerfile at '" + path.string() + "'"};
        return path;
    }
    ASSIGN_OR_RETURN(const auto found, findMatches(m_task.defaultDirectory(), {given},
                                                   {.matchBase = true, .directories = false}));
    if (found.empty())
        return {ErrorCode::NotFound, "no Dockerfile matches '" + given + "' below " +
                                         m_task.defaultDirectory().string()};
    return fs::path(found.front());
}

std::vector<std::pair<std::string, std::string>> Docker::labels(const fs::path &dockerfile) const
{
    const auto &variables = m_task.job().variables;
    const auto url = variables.value("System.TeamFoundationCollectionUri");
    const std::string prefix = reversedHost(url) + ".image.";
    std::vector<std::pair<std::string, std::string>> out;
    const auto add = [&out](const std::string &name, const std::string &value) {
        if (!value.empty())
            out.emplace_back(name, value);
    };
    add(prefix + "system.teamfoundationcollectionuri", url);
    add(prefix + "build.sourceversion", variables.value("Build.SourceVersion"));
    if (m_task.flag("addPipelineData")) {
        for (const char *name : {"System.TeamProject", "Build.Repository.Name",
                                 "Build.Repository.Uri", "Build.SourceBranchName",
                                 "Build.DefinitionName", "Build.BuildNumber", "Build.BuildUri"})
            add(prefix + toLower(name), variables.value(name));
    }
    if (m_task.flag("addBaseImageData")) {
        std::string base;
        const auto text = readFile(dockerfile);
        for (const auto &line : lines(text ? *text : std::string())) {
            const auto words = listEntries(line, " \t");
            if (words.size() > 1 && equalsIgnoringCase(words[0], "FROM"))
                base = words[1].starts_with("--") && words.size() > 2 ? words[2] : words[1];
        }
        if (base != "scratch" && base.find('$') == std::string::npos)
            add("image.base.ref.name", base);
    }
    return out;
}

bool Docker::chooseBuilder()
{
    if (m_task.job().options.containerEngine == kPodman)
        return true; // its own builder takes all labels at once, too
    if (const auto *given = findEnvironment(m_task.environment, "DOCKER_BUILDKIT"))
        return *given != "0";
    // Clients up to 20.10 have BuildKit built in, later ones in a component that may be missing;
    // then asking for it fails, whatever is asked. The classic builder is there for all.
    setEnvironment(m_task.environment, "DOCKER_BUILDKIT", "1");
    const auto probe = docker({"build", "--help"}, false);
    const bool works = probe && probe->ok();
    if (!works)
        setEnvironment(m_task.environment, "DOCKER_BUILDKIT", "0");
    return works;
}

void Docker::writeOutput(const std::string &command, const std::string &text)
{
    const auto folder = m_task.job().layout.temp / "task_outputs";
    const auto stamp = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    const auto file = folder / (command + "_" + std::to_string(stamp) + ".txt");
    if (auto status = makeDirectories(folder); !status)
        return m_task.warning(status.error().message);
    if (auto status = writeFile(file, text); !status)
        return m_task.warning(status.error().message);
    m_outputs.push_back(file.string());
}

Status Docker::build()
{
    ASSIGN_OR_RETURN(const auto file, dockerfile());
    const auto context = m_task.input("buildContext");
    const auto everything = m_task.defaultDirectory().string() + "/**";
    const fs::path folder = context.empty() || context == "**" || context == everything
                                ? file.parent_path()
                                : m_task.absolute(context);
    const auto extra = splitArguments(replaceAll(m_task.input("arguments"), "\n", " "));
    const bool buildKit = chooseBuilder();
    std::vector<std::string> arguments{"build", "-f", file.string()};
    std::string input;
    const auto all = labels(file);
    if (!buildKit && !all.empty() && !hasTarget(extra)) {
        // The classic builder runs a container for each --label; one LABEL line costs one.
        ASSIGN_OR_RETURN(input, withLabels(file, all));
        if (!input.empty())
            arguments[2] = "-";
    }
    if (input.empty()) {
        for (const auto &[name, value] : all)
            arguments.insert(arguments.end(),
                             {"--label", std::string(name).append("=").append(value)});
    }
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    if (!m_name.empty()) {
        for (const auto &tag : m_tags)
            arguments.insert(arguments.end(), {"-t", m_name + ":" + tag});
        if (m_tags.empty())
            arguments.insert(arguments.end(), {"-t", m_name});
    }
    arguments.push_back(folder.string());
    const auto result = docker(std::move(arguments), true, input);
    RETURN_IF_ERROR(mustSucceed("docker build", result));
    writeOutput("build", result->output);
    return {};
}

Result<std::string> Docker::digestOf(const std::string &reference, const std::string &tag,
                                     const ToolResult &pushed, const fs::path &digestFile)
{
    if (!digestFile.empty()) {
        ASSIGN_OR_RETURN(const auto digest, readFile(digestFile, 256));
        return trimmed(digest);
    }
    const auto text = pushed.output + pushed.errors;
    if (const auto at = text.find(tag + ": digest: sha256:"); at != std::string::npos) {
        const auto from = text.find("sha256:", at);
        const auto digest = text.substr(from, 7 + 64);
        if (digest.size() == 71 &&
            digest.find_first_not_of("0123456789abcdef", 7) == std::string::npos)
            return digest;
    }
    ASSIGN_OR_RETURN(
        const auto inspected,
        docker({"inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", reference},
               false));
    for (const auto &line : lines(inspected.output)) {
        if (const auto at = line.find("@sha256:");
            at != std::string::npos && line.substr(0, at) == m_name)
            return line.substr(at + 1);
    }
    return {ErrorCode::NotFound, "docker said no digest for " + reference};
}

Status Docker::push()
{
    if (m_name.empty())
        return {ErrorCode::InvalidArgument, "the input 'repository' is required for push"};
    const auto extra = equalsIgnoringCase(m_task.input("command"), "push")
                           ? splitArguments(replaceAll(m_task.input("arguments"), "\n", " "))
                           : std::vector<std::string>();
    std::string all;
    std::vector<std::pair<std::string, std::vector<std::string>>> byDigest;
    for (const auto &tag : m_tags.empty() ? std::vector<std::string>{"latest"} : m_tags) {
        const std::string reference = m_name + ":" + tag;
        std::vector<std::string> arguments{"push", reference};
        fs::path digestFile; // Podman prints none, and what is pushed is not what it holds
        if (m_task.job().options.containerEngine == kPodman) {
            digestFile = m_task.temporary(".digest");
            arguments = {"push", "--digestfile", digestFile.string(), reference};
        }
        arguments.insert(arguments.end(), extra.begin(), extra.end());
        const auto result = docker(arguments);
        RETURN_IF_ERROR(mustSucceed("docker push " + reference, result));
        all += result->output;
        ASSIGN_OR_RETURN(const auto digest, digestOf(reference, tag, *result, digestFile));
        const auto it =
            std::find_if(byDigest.begin(), byDigest.end(),
                         [&digest](const auto &entry) { return entry.first == digest; });
        if (it == byDigest.end())
            byDigest.push_back({digest, {tag}});
        else
            it->second.push_back(tag);
    }
    for (const auto &[digest, tags] : byDigest) {
        m_task.print("Pushed " + m_name + "@" + digest + " as " + join(tags, ", "));
        RETURN_IF_ERROR(m_task.job().sink.publishImage(
            {m_name, tags, digest, m_connection == nullptr ? "" : m_connection->name}));
        m_task.job().variables.set("RESOURCE_URIS", m_name + "@" + digest);
    }
    writeOutput("push", all);
    return {};
}

Status Docker::other(const std::string &command)
{
    std::vector<std::string> arguments{command};
    if (command == "start" || command == "stop") {
        const auto container = m_task.input("container");
        if (container.empty())
            return {ErrorCode::InvalidArgument, "the input 'container' is empty"};
        // The alias of a container of the job, or what docker knows it by.
        const auto &own = m_task.job().containers;
        const auto it = own.find(toLower(container));
        arguments.push_back(it == own.end() ? container : it->second.id);
    }
    for (auto &argument : splitArguments(replaceAll(m_task.input("arguments"), "\n", " ")))
        arguments.push_back(std::move(argument));
    const auto result = docker(arguments);
    RETURN_IF_ERROR(mustSucceed("docker " + command, result));
    writeOutput(command, result->output);
    return {};
}

Status Docker::run()
{
    const auto command = m_task.input("command");
    if (!m_task.input("containerRegistry").empty()) {
        ASSIGN_OR_RETURN(m_connection, m_task.connection("containerRegistry"));
    }
    auto repository = toLower(replaceAll(m_task.input("repository"), " ", ""));
    const auto host = m_connection == nullptr ? std::string() : registryHost(*m_connection);
    if (!repository.empty())
        m_name = host.empty() ? repository : host + "/" + repository;
    m_tags = listEntries(m_task.input("tags"), "\n,");

    if (equalsIgnoringCase(command, "login"))
        return login();
    if (equalsIgnoringCase(command, "logout"))
        return logout();
    const bool builds =
        equalsIgnoringCase(command, "build") || equalsIgnoringCase(command, "buildAndPush");
    const bool pushes =
        equalsIgnoringCase(command, "push") || equalsIgnoringCase(command, "buildAndPush");
    if ((builds || pushes) && m_connection != nullptr && m_name.empty())
        return {ErrorCode::InvalidArgument, "the input 'repository' is required with "
                                            "'containerRegistry'"};
    RETURN_IF_ERROR(withCredentials());
    if (builds)
        RETURN_IF_ERROR(build());
    if (pushes)
        RETURN_IF_ERROR(push());
    if (!builds && !pushes)
        RETURN_IF_ERROR(other(command));
    if (!m_outputs.empty()) {
        const auto value = join(m_outputs, "\n");
        JobContext &job = m_task.job();
        job.variables.set(m_task.step().name + ".DockerOutput", value, false, true);
        job.outputs.push_back({m_task.step().name, "DockerOutput", value, false});
    }
    return {};
}

} // namespace

TaskResult runDocker(TaskContext &task)
{
    if (const auto status = Docker(task).run(); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
