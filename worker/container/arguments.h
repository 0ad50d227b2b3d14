#pragma once
/// Command lines of the container client. Pure: nothing here starts a program.

#include "schema/model/plan.h"
#include "worker/process/process.h"

#include <string>
#include <vector>

namespace worker {

/// A folder or socket of this machine that a container sees.
struct Mount
{
    std::string host, inside;
    bool readOnly = false;
};

/// One container of a job, ready to be created: texts are expanded.
struct ContainerSpec
{
    schema::Container container;
    std::string image; ///< with the registry's host, as it was pulled
    std::string name;
    std::string networkAlias; ///< of a service: its key in the job; else empty
    std::string network;
    std::string jobLabel; ///< "slipway.job=ID": whoever cleans up finds it by this
    std::vector<Mount> mounts;
    /// Kept alive by a shell, so that steps can be started in it; a service runs what its image
    /// says.
    bool idle = true;
};

/// `docker create` and its arguments. Values of `env` are not in them: the client takes them from
/// its own environment (clientEnvironment), so no process list shows them.
std::vector<std::string> createArguments(const ContainerSpec &spec);

/// What the client needs in its environment besides its own for `createArguments`.
Environment containerEnvironment(const schema::Container &container);

/// A program to be started inside a running container.
struct ExecSpec
{
    std::string container; ///< id
    std::string user;      ///< "uid:gid"
    std::string workingDirectory;
    std::string pidFile;     ///< seen at the same path on both sides; gets the process id inside
    std::string prependPath; ///< goes in front of the image's PATH
    std::string program;     ///< looked for on the PATH inside
    std::vector<std::string> arguments;
    Environment environment; ///< for the program, besides what the image sets
};

/// The client's arguments from "--host" on and its environment. `own` is the environment that the
/// client itself runs with (DOCKER_HOST, HOME).
struct ClientCall
{
    std::vector<std::string> arguments;
    Environment environment;
};

ClientCall execCall(const ExecSpec &spec, const Environment &own);

/// "team/web" of a connection to "host:5000" becomes "host:5000/team/web", unless it has the host
/// already.
std::string imageAt(const std::string &registryHost, const std::string &image);

/// Host ports by container port, from what `docker port ID` prints: "80/tcp -> 0.0.0.0:32768" gives
/// {"80", "32768"}.
std::vector<std::pair<std::string, std::string>> publishedPorts(const std::string &output);

} // namespace worker
