#include "worker/tasks/docker_common.h"

#include "schema/base/guid.h"
#include "worker/base/text.h"

#include <nlohmann/json.hpp>

#include <array>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHubHost = "index.docker.io";
constexpr const char *kHubKey = "https://index.docker.io/v1/";

const std::string &textOf(const schema::TextMap &map, std::string_view key)
{
    static const std::string none;
    const auto *value = schema::findText(map, key);
    return value == nullptr ? none : *value;
}

} // namespace

std::string registryHost(const schema::protocol::ServiceConnection &connection)
{
    std::string host = textOf(connection.parameters, "registry");
    if (host.empty())
        host = connection.url;
    if (const auto scheme = host.find("://"); scheme != std::string::npos)
        host.erase(0, scheme + 3);
    while (host.ends_with('/'))
        host.pop_back();
    if (host.starts_with(kHubHost) || host == "docker.io" || host == "hub.docker.com" ||
        host.starts_with("registry-1.docker.io"))
        return {};
    return toLower(host);
}

DockerConfig::~DockerConfig()
{
    if (!m_folder.empty() && !m_keep)
        static_cast<void>(removeTree(m_folder));
}

Status DockerConfig::create(JobContext &job, const Environment &environment,
                            const schema::protocol::ServiceConnection &connection)
{
    m_folder = job.layout.temp / ("DockerConfig_" + schema::randomGuid());
    RETURN_IF_ERROR(makeDirectories(m_folder));
    std::error_code ignored;
    fs::permissions(m_folder, fs::perms::owner_all, ignored);
    // The client looks for its plugins in the folder it reads its configuration from.
    const auto *home = findEnvironment(environment, "HOME");
    const auto *own = findEnvironment(environment, "DOCKER_CONFIG");
    const fs::path plugins =
        (own != nullptr ? fs::path(*own) : fs::path(home == nullptr ? "/" : *home) / ".docker") /
        "cli-plugins";
    if (fs::is_directory(plugins, ignored))
        fs::create_directory_symlink(plugins, m_folder / "cli-plugins", ignored);
    return addRegistry(job, m_folder, connection);
}

Status DockerConfig::addRegistry(JobContext &job, const fs::path &folder,
                                 const schema::protocol::ServiceConnection &connection)
{
    const fs::path file = folder / "config.json";
    auto config = Json::parse(readFile(file).value_or("{}"), nullptr, false);
    if (!config.is_object())
        config = Json::object();
    const auto &user = textOf(connection.parameters, "username");
    const auto &password = textOf(connection.parameters, "password");
    if (user.empty() && password.empty()) {
        // A registry without authentication: nothing to log in with.
        config["auths"] = config.value("auths", Json::object());
    } else {
        const auto host = registryHost(connection);
        const auto auth = encodeBase64(user + ":" + password);
        job.masker.add(auth);
        config["auths"][host.empty() ? kHubKey : host] = {{"auth", auth}};
    }
    return writeFile(file, config.dump(1), 0600);
}

Result<std::size_t>
DockerConfig::removeRegistry(const fs::path &folder,
                             const schema::protocol::ServiceConnection &connection)
{
    const fs::path file = folder / "config.json";
    auto config = Json::parse(readFile(file).value_or("{}"), nullptr, false);
    if (!config.is_object() || !config.contains("auths") || !config["auths"].is_object())
        return std::size_t{0};
    const auto host = registryHost(connection);
    config["auths"].erase(host.empty() ? std::string(kHubKey) : host);
    RETURN_IF_ERROR(writeFile(file, config.dump(1), 0600));
    return config["auths"].size();
}

std::string explainDockerFailure(const std::string &what, const ToolResult &result)
{
    const std::string text = toLower(result.errors + "\n" + result.output);
    const auto has = [&text](std::string_view part) {
        return text.find(part) != std::string::npos;
    };
    std::string why;
    if (has("cannot connect to the docker daemon") || has("is the docker daemon running"))
        why = "the Docker Engine does not answer; start it on this worker, or set DOCKER_HOST for "
              "the worker to one that runs";
    else if (has("permission denied") && has("docker.sock"))
        why = "the worker's user may not use the Docker Engine; add it to the group 'docker'";
    else if (has("unauthorized") || has("authentication required") || has("incorrect username") ||
             has("denied: requested access") || has("access denied") || has(" 401"))
        why =
            "the registry refused the credentials (401 or denied); check user and password of the "
            "service connection, and that it may push to this repository";
    else if (has("no space left on device"))
        why =
            "no disk space is left where Docker keeps its images; free some (docker system prune) "
            "or add disk";
    else if (has("connection refused") || has("no such host") || has("i/o timeout") ||
             has("tls handshake timeout") || has("no route to host") ||
             has("network is unreachable"))
        why = "the registry (or a host that was needed) cannot be reached; check that it runs and "
              "that the address in the service connection is right";
    else if (has("server gave http response to https client"))
        why = "the registry speaks http but the Docker Engine expects https; list it under "
              "insecure-registries of the engine";
    else if (has("manifest unknown") || has("not found: manifest"))
        why = "the image or tag does not exist in the registry";
    else {
        const auto all = lines(trimmed(result.errors.empty() ? result.output : result.errors));
        why = all.empty() ? "no message" : defuseCommands(all.back());
    }
    return what + " failed with exit code " + std::to_string(result.exitCode) + ": " + why;
}

} // namespace worker
