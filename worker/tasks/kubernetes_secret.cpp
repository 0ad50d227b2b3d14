// Secrets (and the data of config maps) that the Kubernetes tasks create. They travel through
// kubectl's standard input: arguments are for everybody on the machine to read.
#include "worker/base/text.h"
#include "worker/tasks/docker_common.h"
#include "worker/tasks/kubernetes_manifest.h"

namespace worker {
namespace {

/// A Secret or ConfigMap takes no more than that.
constexpr std::size_t kMaxData = 1U << 20U;

Result<ManifestJson> dockerConfig(TaskContext &task)
{
    ASSIGN_OR_RETURN(const auto *registry, task.connection("dockerRegistryEndpoint"));
    const auto *user = schema::findText(registry->parameters, "username");
    const auto *password = schema::findText(registry->parameters, "password");
    const std::string u = user == nullptr ? std::string() : *user;
    const std::string p = password == nullptr ? std::string() : *password;
    auto host = registryHost(*registry);
    if (host.empty())
        host = "https://index.docker.io/v1/";
    task.job().masker.add(encodeBase64(u + ":" + p));
    return ManifestJson{
        {"auths",
         {{host, {{"username", u}, {"password", p}, {"auth", encodeBase64(u + ":" + p)}}}}}};
}

} // namespace

Result<ManifestJson> dataFromArguments(TaskContext &task, std::string_view inputName, bool encode)
{
    ManifestJson data = ManifestJson::object();
    const auto put = [&](const std::string &key, std::string_view value) {
        data[key] = encode ? encodeBase64(value) : std::string(value);
    };
    for (const auto &argument : splitShellWords(task.input(inputName))) {
        const std::string_view text(argument);
        const bool literal = text.starts_with("--from-literal=");
        if (!literal && !text.starts_with("--from-file="))
            return {ErrorCode::InvalidArgument,
                    "the input '" + std::string(inputName) +
                        "' may hold --from-literal=KEY=VALUE and --from-file=[KEY=]PATH"};
        const auto pair = text.substr(text.find('=') + 1);
        const auto equals = pair.find('=');
        if (literal) {
            if (equals == std::string_view::npos)
                return {ErrorCode::InvalidArgument, "--from-literal needs KEY=VALUE"};
            put(std::string(pair.substr(0, equals)), pair.substr(equals + 1));
            continue;
        }
        const std::string path(equals == std::string_view::npos ? pair : pair.substr(equals + 1));
        const std::string key = equals == std::string_view::npos
                                    ? fs::path(path).filename().string()
                                    : std::string(pair.substr(0, equals));
        ASSIGN_OR_RETURN(const auto content, readFile(task.absolute(path), kMaxData));
        put(key, content);
    }
    return data;
}

Result<ManifestJson> secretFromInputs(TaskContext &task, const std::string &name)
{
    ManifestJson secret = {
        {"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", name}}}};
    if (equalsIgnoringCase(task.input("secretType"), "generic")) {
        ASSIGN_OR_RETURN(auto data, dataFromArguments(task, "secretArguments", true));
        secret["type"] = "Opaque";
        secret["data"] = std::move(data);
        return secret;
    }
    ASSIGN_OR_RETURN(const auto config, dockerConfig(task));
    secret["type"] = "kubernetes.io/dockerconfigjson";
    secret["data"] = {{".dockerconfigjson", encodeBase64(config.dump())}};
    return secret;
}

Status KubernetesManifest::createSecret()
{
    const auto name = m_task.input("secretName");
    if (name.empty())
        return {ErrorCode::InvalidArgument, "the input 'secretName' is empty"};
    ASSIGN_OR_RETURN(const auto secret, secretFromInputs(m_task, name));
    return m_kubectl.replace(secret.dump(), "secret", name);
}

} // namespace worker
