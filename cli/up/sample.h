#pragma once
/// The sample of examples/space-game as a project of a server.

#include "cli/client/api_client.h"
#include "cli/up/console.h"
#include "cli/up/process.h"

#include <filesystem>
#include <optional>
#include <string>

namespace cli {

struct SampleSettings
{
    std::filesystem::path source;    ///< examples/space-game
    std::filesystem::path clone;     ///< where the user's working copy is made
    std::filesystem::path tokenFile; ///< what git uses as password
    std::string registry;            ///< "host:port"
    std::string dockerHost;          ///< for the Docker-host resources; empty: the default engine
    std::optional<std::string> kubeconfig; ///< text; without one the environments are Docker hosts
    int devWebPort = 0;
    int productionWebPort = 0;
};

/// Creates project, repository, connections, variables, environments, checks and pipelines, and
/// queues the first run. Goes on where an interrupted call stopped: what is there already stays as
/// it is. Gives the id of the first run.
schema::Result<std::int64_t> importSample(const ApiClient &client, const SampleSettings &settings,
                                          const StopSignals &signals, Console &console);

/// Points the working copy at the server's present address.
schema::Status updateClone(const ApiClient &client, const SampleSettings &settings,
                           const StopSignals &signals);

} // namespace cli
