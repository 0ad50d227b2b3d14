#pragma once
/// A Kubernetes connection as a kubeconfig file, and kubectl calls with it.

#include "worker/tasks/task.h"

namespace worker {

/// kubectl against one cluster and namespace; the credentials live in a file of mode 0600 that goes
/// with this object.
class Kubectl
{
public:
    explicit Kubectl(TaskContext &task)
        : m_task(task)
    {}

    ~Kubectl();
    Kubectl(const Kubectl &) = delete;
    Kubectl &operator=(const Kubectl &) = delete;

    /// Takes the connection of one of the inputs, else the one of the job's environment resource,
    /// else KUBECONFIG as it is. Errors: NotFound, InvalidArgument, Io.
    Status connect(const std::vector<std::string_view> &inputs);

    /// The input, else the environment's, else the connection's, else "default".
    [[nodiscard]] std::string kubernetesNamespace() const;
    /// The same, empty when nobody names one.
    [[nodiscard]] std::string givenNamespace() const;

    /// Kubernetes@1 names the namespace right after the verb ("-n NS").
    void namespaceFirst() { m_namespaceFirst = true; }

    /// Another program than the kubectl on PATH (Kubernetes@1 specifyLocation).
    void setProgram(std::string program) { m_program = std::move(program); }

    /// Folder that kubectl runs in; empty: the default working directory.
    void setDirectory(std::string folder) { m_directory = std::move(folder); }

    /// One call; the namespace flag comes last. `quiet`: neither command nor output in the log.
    Result<ToolResult> call(std::vector<std::string> arguments, bool quiet = false,
                            const std::string &input = {});
    /// The same, an exit code other than 0 becomes an error that explains it.
    Result<ToolResult> must(std::vector<std::string> arguments, bool quiet = false,
                            const std::string &input = {});
    /// Creates the object (JSON, with secrets in it) or takes the place of the one of that name; a
    /// secret's type cannot be changed, so an existing one is deleted first.
    Status replace(const std::string &object, const std::string &kind, const std::string &name);
    /// Leaves the file for later steps (Kubernetes@1 login).
    fs::path keep();

private:
    Status writeConfig(const schema::protocol::ServiceConnection &connection);

    TaskContext &m_task;
    fs::path m_file;
    const schema::protocol::ServiceConnection *m_connection = nullptr;
    bool m_insecure = false, m_keep = false, m_namespaceFirst = false;
    std::string m_program = "kubectl", m_directory;
};

/// One sentence on why kubectl failed: cluster down, token refused, forbidden, namespace missing.
std::string explainKubectlFailure(const std::string &what, const ToolResult &result);

} // namespace worker
