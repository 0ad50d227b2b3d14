#pragma once
/// What Docker@2 and DockerCompose share: registry names, credentials in a folder of their own, the
/// explanation of failed pushes and pulls.

#include "worker/tasks/task.h"

namespace worker {

/// Host (and port) of a registry connection; empty for Docker Hub.
std::string registryHost(const schema::protocol::ServiceConnection &connection);

/// A DOCKER_CONFIG folder in the job's temp folder with the credentials of one registry. The
/// client's plugins (buildx, compose) stay visible. Deleted when it goes, unless kept.
class DockerConfig
{
public:
    DockerConfig() = default;
    ~DockerConfig();
    DockerConfig(const DockerConfig &) = delete;
    DockerConfig &operator=(const DockerConfig &) = delete;

    /// Errors: InvalidArgument (connection without credentials), Io.
    Status create(JobContext &job, const Environment &environment,
                  const schema::protocol::ServiceConnection &connection);
    /// Adds a registry to a folder that exists already ("login" twice).
    static Status addRegistry(JobContext &job, const fs::path &folder,
                              const schema::protocol::ServiceConnection &connection);

    /// Takes a registry out of a folder; gives how many are left in it.
    static Result<std::size_t>
    removeRegistry(const fs::path &folder, const schema::protocol::ServiceConnection &connection);

    [[nodiscard]] const fs::path &folder() const { return m_folder; }

    void keep() { m_keep = true; }

private:
    fs::path m_folder;
    bool m_keep = false;
};

/// One sentence on why docker failed, from its error output: wrong password, registry down, engine
/// not running, no disk space; else the last line of the output.
std::string explainDockerFailure(const std::string &what, const ToolResult &result);

} // namespace worker
