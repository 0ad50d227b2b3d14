#include "worker/tasks/kube_config.h"

#include "schema/base/guid.h"
#include "worker/base/text.h"

#include <nlohmann/json.hpp>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;

std::string textOf(const schema::TextMap &map, std::string_view key)
{
    const auto *value = schema::findText(map, key);
    return value == nullptr ? std::string() : *value;
}

/// A service account's token as secrets hold it (base64 of a JWT), or as it is used.
std::string plainToken(const std::string &token)
{
    const auto decoded = decodeBase64(token);
    return decoded.starts_with("ey") ? decoded : token;
}

} // namespace

Kubectl::~Kubectl()
{
    if (!m_file.empty() && !m_keep) {
        std::error_code ignored;
        fs::remove(m_file, ignored);
    }
}

fs::path Kubectl::keep()
{
    m_keep = true;
    return m_file;
}

Status Kubectl::connect(const std::vector<std::string_view> &inputs)
{
    for (const auto input : inputs) {
        if (!m_task.input(input).empty()) {
            ASSIGN_OR_RETURN(m_connection, m_task.connection(input));
            return writeConfig(*m_connection);
        }
    }
    const auto &environment = m_task.job().message.environment;
    if (environment && !environment->connection.empty() &&
        equalsIgnoringCase(environment->resourceType, "kubernetes")) {
        m_connection = m_task.job().connection(environment->connection);
        if (m_connection == nullptr)
            return {ErrorCode::NotFound,
                    "the environment's resource '" + environment->resourceName +
                        "' names a service connection that does not exist; give it another one in "
                        "the environment's settings"};
        return writeConfig(*m_connection);
    }
    if (findEnvironment(m_task.environment, "KUBECONFIG") == nullptr && !m_task.job().options.local)
        return {ErrorCode::InvalidArgument,
                "no Kubernetes cluster is named: set the input 'kubernetesServiceConnection', or "
                "deploy to an environment with a Kubernetes resource"};
    return {};
}

Status Kubectl::writeConfig(const schema::protocol::ServiceConnection &connection)
{
    const auto folder = m_task.job().layout.temp / "kubectlTask";
    RETURN_IF_ERROR(makeDirectories(folder));
    m_file = folder / schema::randomGuid();
    m_insecure = isTrue(textOf(connection.data, "acceptUntrustedCerts"));
    const auto given = textOf(connection.parameters, "kubeconfig");
    if (!given.empty()) {
        RETURN_IF_ERROR(writeFile(m_file, given, 0600));
        setEnvironment(m_task.environment, "KUBECONFIG", m_file.string());
        if (const auto context = textOf(connection.parameters, "clusterContext");
            !context.empty()) {
            ToolCall use{"kubectl", {"config", "use-context", context}};
            use.echo = use.print = false;
            ASSIGN_OR_RETURN(const auto result, m_task.run(use));
            if (!result.ok())
                return {ErrorCode::InvalidArgument, "the service connection '" + connection.name +
                                                        "' names the context '" + context +
                                                        "', which its kubeconfig lacks"};
        }
        return {};
    }
    const auto token = plainToken(textOf(connection.parameters, "apiToken"));
    if (connection.url.empty())
        return {ErrorCode::InvalidArgument,
                "the service connection '" + connection.name + "' has no cluster address"};
    Json cluster = {{"server", connection.url}};
    if (const auto authority = textOf(connection.parameters, "serviceAccountCertificate");
        !authority.empty())
        cluster["certificate-authority-data"] = authority;
    else if (m_insecure)
        cluster["insecure-skip-tls-verify"] = true;
    Json user = Json::object();
    if (!token.empty()) {
        m_task.job().masker.add(token);
        user["token"] = token;
    }
    for (const auto &[key, member] :
         {std::pair{"username", "username"}, {"password", "password"}}) {
        if (const auto value = textOf(connection.parameters, key); !value.empty())
            user[member] = value;
    }
    const Json config = {
        {"apiVersion", "v1"},
        {"kind", "Config"},
        {"clusters", {{{"name", "c"}, {"cluster", cluster}}}},
        {"users", {{{"name", "u"}, {"user", user}}}},
        {"contexts", {{{"name", "x"}, {"context", {{"cluster", "c"}, {"user", "u"}}}}}},
        {"current-context", "x"}};
    setEnvironment(m_task.environment, "KUBECONFIG", m_file.string());
    return writeFile(m_file, config.dump(1), 0600);
}

std::string Kubectl::kubernetesNamespace() const
{
    auto given = givenNamespace();
    return given.empty() ? "default" : given;
}

std::string Kubectl::givenNamespace() const
{
    if (auto given = m_task.input("namespace"); !given.empty())
        return given;
    const auto &environment = m_task.job().message.environment;
    if (environment && !environment->kubernetesNamespace.empty())
        return environment->kubernetesNamespace;
    if (m_connection != nullptr) {
        if (auto own = textOf(m_connection->data, "namespace"); !own.empty())
            return own;
    }
    return {};
}

Result<ToolResult> Kubectl::call(std::vector<std::string> arguments, bool quiet,
                                 const std::string &input)
{
    if (m_insecure)
        arguments.emplace_back("--insecure-skip-tls-verify");
    if (m_namespaceFirst)
        arguments.insert(arguments.begin() + 1, {"-n", kubernetesNamespace()});
    else
        arguments.insert(arguments.end(), {"--namespace", kubernetesNamespace()});
    ToolCall call;
    call.program = m_program;
    call.workingDirectory = m_directory;
    call.arguments = std::move(arguments);
    call.print = call.echo = !quiet;
    call.input = input;
    return m_task.run(call);
}

Result<ToolResult> Kubectl::must(std::vector<std::string> arguments, bool quiet,
                                 const std::string &input)
{
    const std::string what = "kubectl " + arguments.front();
    ASSIGN_OR_RETURN(auto result, call(std::move(arguments), quiet, input));
    if (!result.ok())
        return {ErrorCode::Unavailable, explainKubectlFailure(what, result)};
    return result;
}

Status Kubectl::replace(const std::string &object, const std::string &kind, const std::string &name)
{
    ASSIGN_OR_RETURN(const auto gone, must({"delete", kind, name, "--ignore-not-found"}, true));
    static_cast<void>(gone);
    ASSIGN_OR_RETURN(const auto made, must({"create", "-f", "-"}, true, object));
    m_task.print(defuseCommands(trimmed(made.output)));
    return {};
}

std::string explainKubectlFailure(const std::string &what, const ToolResult &result)
{
    const std::string text = toLower(result.errors);
    const auto has = [&text](std::string_view part) {
        return text.find(part) != std::string::npos;
    };
    const auto all = lines(trimmed(result.errors.empty() ? result.output : result.errors));
    const std::string last = all.empty() ? "no message" : defuseCommands(all.back());
    std::string advice;
    if (has("connection refused") || has("no such host") || has("i/o timeout") ||
        has("unable to connect to the server") || has("no route to host"))
        advice = "; the cluster cannot be reached: check that it runs and that the address in the "
                 "service connection is right";
    else if (has("unauthorized") || has("you must be logged in"))
        advice = "; the cluster refused the credentials: renew the token in the service connection";
    else if (has("forbidden"))
        advice = "; the service account may not do this: give it a role in the namespace";
    else if (has("namespaces") && has("not found"))
        advice = "; create the namespace, or correct the input 'namespace'";
    else if (has("x509"))
        advice = "; the cluster's certificate is not trusted: put its authority into the service "
                 "connection";
    return what + " failed with exit code " + std::to_string(result.exitCode) + ": " + last +
           advice;
}

} // namespace worker
