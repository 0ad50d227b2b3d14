#include "cli/up/parts.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>
#include <unistd.h>
#include <utility>

namespace cli {
namespace {

using schema::ErrorCode;
using std::chrono::seconds;

constexpr seconds kQuestion{10}; // "are you there?"
constexpr seconds kPartStart{120};

std::string lastLine(const std::string &text)
{
    std::istringstream in(text);
    std::string last;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty())
            last = line;
    }
    return last;
}

/// The value of a line KEY=VALUE.
std::string valueOf(const std::string &text, const std::string &key)
{
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(key + "="))
            return line.substr(key.size() + 1);
    }
    return {};
}

} // namespace

std::filesystem::path findResource(const std::string &installed, const std::string &inSourceTree)
{
    std::error_code problem;
    const std::filesystem::path program =
        std::filesystem::read_symlink("/proc/self/exe", problem).parent_path();
    // Installed in libexec/slipway, or alone in bin; built in build/<preset>/cli.
    for (const auto &candidate :
         {program / "../../share/slipway" / installed, program / "../share/slipway" / installed,
          program / "../../.." / inSourceTree}) {
        if (std::filesystem::exists(candidate, problem))
            return std::filesystem::weakly_canonical(candidate, problem);
    }
    return {};
}

Parts::Parts(std::filesystem::path folder, const StopSignals &signals, Console &console)
    : m_folder(std::move(folder))
    , m_scripts(findResource("parts", "tests/parts"))
    , m_signals(signals)
    , m_console(console)
{}

schema::Result<Output> Parts::run(Command command, seconds limit)
{
    if (!m_dockerHost.empty())
        command.environment.emplace("DOCKER_HOST", m_dockerHost);
    return runProgram(command, m_signals, limit, m_console.tick());
}

schema::Result<std::string> Parts::startPart(const std::string &name, const std::string &key,
                                             std::map<std::string, std::string> environment)
{
    if (m_scripts.empty())
        return {ErrorCode::NotFound,
                fmt::format(
                    "this installation lacks the script that starts a private {0} (it is part of "
                    "the source: tests/parts/{0}){1}",
                    name,
                    name == "registry" ? "; name one that runs with --registry HOST:PORT" : "")};
    ASSIGN_OR_RETURN(const Output output,
                     run({{(m_scripts / name).string(), "start", (m_folder / name).string()},
                          std::move(environment),
                          {}},
                         kPartStart));
    if (output.exitCode != 0)
        return {ErrorCode::Unavailable, lastLine(output.err)};
    m_started.push_back(name);
    return valueOf(output.out, key);
}

schema::Status Parts::findEngine()
{
    m_console.begin("Looking for a Docker Engine");
    const Command question{{"docker", "version", "--format", "{{.Server.Version}}"}, {}, {}};
    const auto answer = run(question, kQuestion);
    if (answer && answer->exitCode == 0) {
        const char *host = std::getenv("DOCKER_HOST"); // NOLINT(concurrency-mt-unsafe): one thread
        m_dockerHost = host == nullptr ? "" : host;
        m_console.done("found");
        return {};
    }
    if (!answer && answer.error().code == ErrorCode::Canceled)
        return answer.error();
    if (geteuid() != 0)
        return {
            ErrorCode::Unavailable,
            "no Docker Engine answers, and only root may start a private one. Start one (or add "
            "yourself to its "
            "group, or set DOCKER_HOST), or run this command as root; --no-sample goes without"};
    m_console.done("none answers");
    m_console.begin("Starting a private Docker Engine");
    auto host = startPart("docker", "DOCKER_HOST", {});
    if (!host)
        return schema::Error{host.error().code,
                             host.error().message +
                                 ". Mend that, start an engine yourself and set "
                                 "DOCKER_HOST, or go without the sample: --no-sample"};
    m_dockerHost = *host;
    m_console.done();
    return {};
}

schema::Status Parts::findRegistry(const std::string &configured, int port)
{
    if (!configured.empty()) {
        m_registry = configured;
        return {};
    }
    m_console.begin("Starting a container registry");
    std::map<std::string, std::string> environment;
    if (port != 0)
        environment["REGISTRY_PORT"] = std::to_string(port);
    ASSIGN_OR_RETURN(m_registry, startPart("registry", "REGISTRY", std::move(environment)));
    m_console.done(m_registry);
    return {};
}

schema::Result<std::optional<std::string>>
Parts::findCluster(const std::vector<std::string> &namespaces)
{
    const char *config = std::getenv("KUBECONFIG"); // NOLINT(concurrency-mt-unsafe): one thread
    if (config == nullptr || *config == '\0')
        return std::optional<std::string>();
    m_console.begin("Looking for the Kubernetes cluster of KUBECONFIG");
    const auto ready =
        run({{"kubectl", "--request-timeout=5s", "get", "--raw", "/readyz"}, {}, {}}, kQuestion);
    if (!ready && ready.error().code == ErrorCode::Canceled)
        return ready.error();
    if (!ready || ready->exitCode != 0) {
        m_console.done(fmt::format("it does not answer ({})",
                                   ready ? lastLine(ready->err) : ready.error().message));
        return std::optional<std::string>();
    }
    for (const std::string &name : namespaces) {
        ASSIGN_OR_RETURN(
            const Output created,
            run({{"kubectl", "--request-timeout=10s", "create", "namespace", name}, {}, {}},
                kQuestion * 2));
        if (created.exitCode != 0 && created.err.find("AlreadyExists") == std::string::npos)
            return {ErrorCode::Unavailable,
                    fmt::format("cannot create the namespace '{}': {}; create it, or give "
                                "KUBECONFIG an account that may",
                                name, lastLine(created.err))};
    }
    ASSIGN_OR_RETURN(
        Output view,
        run({{"kubectl", "config", "view", "--raw", "--flatten", "--minify"}, {}, {}}, kQuestion));
    if (view.exitCode != 0)
        return {ErrorCode::InvalidArgument,
                fmt::format("cannot read KUBECONFIG: {}", lastLine(view.err))};
    m_console.done("found");
    return std::optional<std::string>(std::move(view.out));
}

void Parts::stop()
{
    for (const char *name : {"registry", "docker"}) {
        std::error_code problem;
        if (m_scripts.empty() || !std::filesystem::exists(m_folder / name, problem))
            continue;
        m_console.begin(fmt::format("Stopping the {}",
                                    std::string_view(name) == "docker" ? "Docker Engine" : name));
        const Command stop{
            {(m_scripts / name).string(), "stop", (m_folder / name).string()}, {}, {}};
        auto output = run(stop, kPartStart);
        // Another Ctrl-C must not leave the part behind: stopping starts over.
        for (int again = 0; again < 3 && !output && output.error().code == ErrorCode::Canceled;
             ++again)
            output = run(stop, kPartStart);
        m_console.done(!output                 ? output.error().message
                       : output->exitCode == 0 ? ""
                                               : lastLine(output->err));
    }
}

} // namespace cli
