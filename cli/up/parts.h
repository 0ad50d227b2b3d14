#pragma once
/// The Docker Engine, registry and cluster that `slipway up` uses: those that are there already,
/// else private ones, started by the scripts of tests/parts (share/slipway/parts when installed).

#include "cli/up/console.h"
#include "cli/up/process.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cli {

/// Files that belong to the program: tests/parts, examples/space-game, web/dist. Looked for beside
/// an installed program (../share/slipway/NAME) and in the source tree of a built one.
std::filesystem::path findResource(const std::string &installed, const std::string &inSourceTree);

class Parts
{
public:
    /// `folder`: where private parts keep their state. The references must outlive this object.
    Parts(std::filesystem::path folder, const StopSignals &signals, Console &console);

    /// Finds or starts a Docker Engine; sets dockerHost(). The error says in two sentences what to
    /// do.
    schema::Status findEngine();

    /// Takes `configured` ("host:port", when not empty) or starts a private registry, on `port`
    /// when that is not 0; sets registry().
    schema::Status findRegistry(const std::string &configured, int port);

    /// The cluster of KUBECONFIG, with the namespaces created when one answers; else nothing. Gives
    /// the text of a kubeconfig that needs no other file.
    schema::Result<std::optional<std::string>>
    findCluster(const std::vector<std::string> &namespaces);

    /// Stops the private parts, whether this object or an earlier `slipway up` started them.
    void stop();

    /// DOCKER_HOST for clients; empty: the default engine.
    [[nodiscard]] const std::string &dockerHost() const { return m_dockerHost; }

    /// "host:port" as images are named.
    [[nodiscard]] const std::string &registry() const { return m_registry; }

private:
    schema::Result<Output> run(Command command, std::chrono::seconds limit);
    /// Starts tests/parts/NAME; the value that it prints for `key`.
    schema::Result<std::string> startPart(const std::string &name, const std::string &key,
                                          std::map<std::string, std::string> environment);

    std::filesystem::path m_folder;
    std::filesystem::path m_scripts;
    const StopSignals &m_signals;
    Console &m_console;
    std::string m_dockerHost;
    std::string m_registry;
    std::vector<std::string> m_started;
};

} // namespace cli
