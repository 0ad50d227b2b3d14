#include "worker/container/arguments.h"

#include "worker/base/text.h"

#include <algorithm>
#include <array>

namespace worker {
namespace {

/// Keeps the container until it is removed and ends at once when asked to.
constexpr const char *kIdle = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

/// Notes its own process id for whoever has to signal it, then becomes the program.
constexpr const char *kStart =
    "echo $$ >\"$0\"; PATH=\"${SLIPWAY_PREPEND_PATH:+$SLIPWAY_PREPEND_PATH:}$PATH\"; "
    "export PATH; unset SLIPWAY_PREPEND_PATH; exec \"$@\"";

/// They would make the client speak to another engine.
constexpr std::array<std::string_view, 4> kClientOnly{"DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
                                                      "DOCKER_API_VERSION", "DOCKER_CONTEXT"};

std::string valueOf(const Environment &environment, std::string_view name)
{
    const auto *value = findEnvironment(environment, name);
    return value == nullptr ? std::string() : *value;
}

} // namespace

std::vector<std::string> createArguments(const ContainerSpec &spec)
{
    std::vector<std::string> out{"create", "--name", spec.name, "--label", spec.jobLabel};
    if (!spec.network.empty())
        out.insert(out.end(), {"--network", spec.network});
    if (!spec.networkAlias.empty())
        out.insert(out.end(), {"--network-alias", spec.networkAlias});
    if (spec.idle)
        out.emplace_back("--init");
    for (const auto &port : spec.container.ports)
        out.insert(out.end(), {"--publish", port});
    for (const auto &[name, value] : spec.container.env)
        out.insert(out.end(), {"--env", name});
    for (const auto &[host, inside, readOnly] : spec.mounts)
        out.insert(out.end(), {"--volume", join({host, inside}, ":") + (readOnly ? ":ro" : "")});
    for (const auto &volume : spec.container.volumes)
        out.insert(out.end(), {"--volume", volume});
    const auto options = splitShellWords(spec.container.options);
    const bool ownEntrypoint = std::any_of(options.begin(), options.end(), [](const auto &word) {
        return word.starts_with("--entrypoint");
    });
    // An entry point would swallow the command that keeps the container.
    if (spec.idle && !ownEntrypoint)
        out.insert(out.end(), {"--entrypoint", ""});
    out.insert(out.end(), options.begin(), options.end());
    out.push_back(spec.image);
    if (spec.idle)
        out.insert(out.end(), {"sh", "-c", kIdle});
    return out;
}

Environment containerEnvironment(const schema::Container &container)
{
    Environment out;
    for (const auto &[name, value] : container.env) {
        if (!value.empty()) // an empty value inherits the worker's
            out.emplace_back(name, value);
    }
    return out;
}

ClientCall execCall(const ExecSpec &spec, const Environment &own)
{
    ClientCall out;
    out.environment = own;
    std::vector<std::string> names;
    for (const auto &[name, value] : spec.environment) {
        if (name == "PATH" ||
            std::find(kClientOnly.begin(), kClientOnly.end(), name) != kClientOnly.end())
            continue;
        names.push_back(name);
        setEnvironment(out.environment, name, value);
    }
    if (!spec.prependPath.empty()) {
        names.emplace_back("SLIPWAY_PREPEND_PATH");
        setEnvironment(out.environment, "SLIPWAY_PREPEND_PATH", spec.prependPath);
    }
    // Variables of the step must not lead the client elsewhere.
    auto host = valueOf(own, "DOCKER_HOST");
    if (host.empty() && findEnvironment(spec.environment, "DOCKER_HOST") != nullptr)
        host = "unix:///var/run/docker.sock";
    if (!host.empty())
        out.arguments.insert(out.arguments.end(), {"--host", host});
    auto config = valueOf(own, "DOCKER_CONFIG");
    if (config.empty())
        config = valueOf(own, "HOME") + "/.docker";
    out.arguments.insert(out.arguments.end(),
                         {"--config", config, "exec", "--interactive", "--user", spec.user,
                          "--workdir", spec.workingDirectory});
    for (auto &name : names)
        out.arguments.insert(out.arguments.end(), {"--env", std::move(name)});
    out.arguments.insert(out.arguments.end(),
                         {spec.container, "sh", "-c", kStart, spec.pidFile, spec.program});
    out.arguments.insert(out.arguments.end(), spec.arguments.begin(), spec.arguments.end());
    return out;
}

std::string imageAt(const std::string &registryHost, const std::string &image)
{
    if (registryHost.empty() || image.starts_with(registryHost + "/"))
        return image;
    return registryHost + "/" + image;
}

std::vector<std::pair<std::string, std::string>> publishedPorts(const std::string &output)
{
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto &line : lines(output)) {
        const auto slash = line.find('/');
        const auto colon = line.rfind(':');
        if (slash == std::string::npos || colon == std::string::npos || colon < slash)
            continue;
        const auto inside = line.substr(0, slash);
        // One line per address family; the first tells the port.
        if (std::none_of(out.begin(), out.end(),
                         [&inside](const auto &entry) { return entry.first == inside; }))
            out.emplace_back(inside, trimmed(line.substr(colon + 1)));
    }
    return out;
}

} // namespace worker
