// KubernetesManifest@0 and @1 (worker-and-tasks 9.2, 9.3, 9.5).
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/manifest/manifest.h"
#include "worker/tasks/docker_common.h"
#include "worker/tasks/implementations.h"
#include "worker/tasks/kube_config.h"

#include <algorithm>
#include <charconv>

namespace worker {
namespace {

using schema::TaskResult;

/// How long one look at a rollout takes before the pods are asked why it is not done.
constexpr int kRolloutLookSeconds = 5;
/// Looks in a row that must find the same hopeless pod before the rollout is given up.
constexpr int kHopelessLooks = 3;

class KubernetesManifest
{
public:
    explicit KubernetesManifest(TaskContext &task)
        : m_task(task)
        , m_kubectl(task)
    {}

    Status run();

private:
    Status deploy();
    Status createSecret();
    Status scale();
    Status patch();
    Status remove();
    Status bake();
    Result<std::vector<ManifestJson>> readManifests();
    std::map<std::string, std::string> annotations() const;
    Status waitFor(const Workload &workload);
    Status explain(const Workload &workload, const std::string &what);
    Result<ManifestJson> pods();

    TaskContext &m_task;
    Kubectl m_kubectl;
};

Result<std::vector<ManifestJson>> KubernetesManifest::readManifests()
{
    const auto given = m_task.input("manifests");
    if (given.empty())
        return {ErrorCode::InvalidArgument, "the input 'manifests' is empty"};
    ASSIGN_OR_RETURN(const auto files, findMatches(m_task.defaultDirectory(), lines(given),
                                                   {.matchBase = false, .directories = false}));
    if (files.empty())
        return {ErrorCode::NotFound, "no file matches the input 'manifests' (" +
                                         join(listEntries(given), ", ") + ") below " +
                                         m_task.defaultDirectory().string()};
    std::vector<ManifestJson> objects;
    for (const auto &file : files) {
        ASSIGN_OR_RETURN(const auto text, readFile(file));
        auto parsed = parseManifest(text);
        if (!parsed)
            return parsed.error().withContext(file);
        for (auto &object : *parsed)
            objects.push_back(std::move(object));
    }
    if (objects.empty())
        return {ErrorCode::InvalidArgument, "the manifests hold no objects"};
    return objects;
}

std::map<std::string, std::string> KubernetesManifest::annotations() const
{
    const auto &variables = m_task.job().variables;
    const auto value = [&variables](const char *name) { return variables.value(name); };
    const auto collection = value("System.TeamFoundationCollectionUri");
    return {{"azure-pipelines/run", value("Build.BuildNumber")},
            {"azure-pipelines/pipeline", "\"" + value("Build.DefinitionName") + "\""},
            {"azure-pipelines/pipelineId", "\"" + value("System.DefinitionId") + "\""},
            {"azure-pipelines/jobName", "\"" + value("Agent.JobName") + "\""},
            {"azure-pipelines/runuri", collection + (collection.ends_with('/') ? "" : "/") +
                                           value("System.TeamProject") +
                                           "/_build/results?buildId=" + value("Build.BuildId")},
            {"azure-pipelines/project", value("System.TeamProject")},
            {"azure-pipelines/org", collection}};
}

Result<ManifestJson> KubernetesManifest::pods()
{
    ASSIGN_OR_RETURN(const auto result, m_kubectl.must({"get", "pods", "-o", "json"}, true));
    auto json = ManifestJson::parse(result.output, nullptr, false);
    if (json.is_discarded())
        return {ErrorCode::Internal, "kubectl get pods printed no JSON"};
    return json;
}

Status KubernetesManifest::explain(const Workload &workload, const std::string &what)
{
    ASSIGN_OR_RETURN(const auto all, pods());
    std::string reasons;
    for (const auto &problem : podProblems(workload, all)) {
        m_task.state().error(defuseCommands(problem.sentence));
        if (reasons.empty())
            reasons = problem.sentence;
        if (problem.crashed) {
            m_task.print("Last lines of " + problem.pod + "/" + problem.container + ":");
            static_cast<void>(
                m_kubectl.call({"logs", problem.pod, "-c", problem.container, "--tail", "20"}));
        }
    }
    static_cast<void>(m_kubectl.call({"describe", workload.kind, workload.name}));
    return {ErrorCode::Timeout, what + (reasons.empty() ? "; what 'kubectl describe' says is above"
                                                        : ": " + defuseCommands(reasons))};
}

Status KubernetesManifest::waitFor(const Workload &workload)
{
    const std::string name = workload.kind + "/" + workload.name;
    int limit = 0;
    const auto text = m_task.input("rolloutStatusTimeout");
    std::from_chars(text.data(), text.data() + text.size(), limit);
    const auto end = Clock::now() + std::chrono::seconds(limit);
    int hopeless = 0;
    for (bool first = true;; first = false) {
        int look = kRolloutLookSeconds;
        if (limit > 0) {
            const auto left = std::chrono::ceil<std::chrono::seconds>(end - Clock::now()).count();
            if (left <= 0)
                return explain(workload, name + " was not ready within " +
                                             counted(static_cast<std::size_t>(limit), "second"));
            look = static_cast<int>(std::min<std::int64_t>(left, look));
        }
        std::vector<std::string> arguments{"rollout", "status", name,
                                           "--timeout=" + std::to_string(look) + "s"};
        ASSIGN_OR_RETURN(const auto result, m_kubectl.call(arguments, !first));
        if (result.ok())
            return {};
        const auto errors = toLower(result.errors);
        if (errors.find("exceeded its progress deadline") != std::string::npos)
            return explain(workload, name + " did not become ready within its progress deadline");
        if (errors.find("timed out waiting") == std::string::npos)
            return {ErrorCode::Unavailable,
                    explainKubectlFailure("kubectl rollout status", result)};
        ASSIGN_OR_RETURN(const auto all, pods());
        const auto problems = podProblems(workload, all);
        const bool stuck = std::any_of(problems.begin(), problems.end(),
                                       [](const auto &problem) { return problem.hopeless; });
        hopeless = stuck ? hopeless + 1 : 0;
        if (!problems.empty())
            m_task.print("Waiting for " + name + ": " + defuseCommands(problems.front().sentence));
        if (hopeless >= kHopelessLooks)
            return explain(workload, name + " cannot become ready");
    }
}

Status KubernetesManifest::deploy()
{
    const auto strategy = m_task.input("strategy");
    if (!strategy.empty() && !equalsIgnoringCase(strategy, "none"))
        return {ErrorCode::InvalidArgument,
                "the strategy '" + strategy + "' is not available; only 'none' is"};
    ASSIGN_OR_RETURN(auto objects, readManifests());
    const auto containers = listEntries(m_task.input("containers"));
    const auto pullSecrets = listEntries(m_task.input("imagePullSecrets"));
    const auto notes = annotations();
    std::size_t replaced = 0;
    std::vector<std::string> files;
    std::size_t number = 0;
    for (auto &object : objects) {
        replaced += substituteImages(object, containers);
        addPullSecrets(object, pullSecrets);
        annotate(object, notes);
        const auto file = m_task.job().layout.temp / (replaceAll(objectName(object), "/", "_") +
                                                      "_" + std::to_string(++number) + ".json");
        RETURN_IF_ERROR(writeFile(
            file, object.dump(1, ' ', false, ManifestJson::error_handler_t::replace), 0600));
        files.push_back(file.string());
    }
    if (!containers.empty() && replaced == 0)
        m_task.warning("no image of the manifests equals an entry of 'containers' (compared whole, "
                       "registry included); the manifests are applied with their own images");
    ASSIGN_OR_RETURN(const auto applied, m_kubectl.must({"apply", "-f", join(files, ",")}));
    static_cast<void>(applied);
    const auto all = workloads(objects);
    std::string failures;
    for (const auto &workload : all) {
        if (workload.kind == "ReplicaSet")
            continue;
        auto status = waitFor(workload);
        if (!status && (m_task.stopped() != StopReason::None || m_task.timedOut()))
            return status;
        if (!status)
            failures += (failures.empty() ? "" : "\n") + status.error().message;
    }
    if (!failures.empty())
        return {ErrorCode::Timeout, failures};
    ASSIGN_OR_RETURN(const auto running, pods());
    const auto items = deployedItems(all, running, m_kubectl.kubernetesNamespace());
    for (const auto &item : items)
        m_task.print(item.kind + "/" + item.name + " runs " + item.image +
                     (item.digest.empty() ? "" : " (" + item.digest + ")"));
    if (items.empty() || !m_task.job().message.environment)
        return {};
    return m_task.job().sink.publishDeployed(items);
}

Status KubernetesManifest::createSecret()
{
    const auto name = m_task.input("secretName");
    if (name.empty())
        return {ErrorCode::InvalidArgument, "the input 'secretName' is empty"};
    ManifestJson secret = {
        {"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", name}}}};
    if (equalsIgnoringCase(m_task.input("secretType"), "generic")) {
        ManifestJson data = ManifestJson::object();
        for (const auto &argument : splitShellWords(m_task.input("secretArguments"))) {
            const std::string_view text(argument);
            const bool literal = text.starts_with("--from-literal=");
            if (!literal && !text.starts_with("--from-file="))
                return {
                    ErrorCode::InvalidArgument,
                    "'secretArguments' may hold --from-literal=KEY=VALUE and --from-file=KEY=PATH"};
            const auto pair = text.substr(text.find('=') + 1);
            const auto equals = pair.find('=');
            if (literal && equals == std::string_view::npos)
                return {ErrorCode::InvalidArgument, "--from-literal needs KEY=VALUE"};
            if (literal) {
                data[std::string(pair.substr(0, equals))] = encodeBase64(pair.substr(equals + 1));
                continue;
            }
            const std::string path(equals == std::string_view::npos ? pair
                                                                    : pair.substr(equals + 1));
            const std::string key = equals == std::string_view::npos
                                        ? fs::path(path).filename().string()
                                        : std::string(pair.substr(0, equals));
            ASSIGN_OR_RETURN(const auto content, readFile(m_task.absolute(path), 1U << 20U));
            data[key] = encodeBase64(content);
        }
        secret["type"] = "Opaque";
        secret["data"] = std::move(data);
    } else {
        ASSIGN_OR_RETURN(const auto *registry, m_task.connection("dockerRegistryEndpoint"));
        const auto *user = schema::findText(registry->parameters, "username");
        const auto *password = schema::findText(registry->parameters, "password");
        const std::string u = user == nullptr ? std::string() : *user;
        const std::string p = password == nullptr ? std::string() : *password;
        auto host = registryHost(*registry);
        if (host.empty())
            host = "https://index.docker.io/v1/";
        const ManifestJson config = {
            {"auths",
             {{host, {{"username", u}, {"password", p}, {"auth", encodeBase64(u + ":" + p)}}}}}};
        m_task.job().masker.add(encodeBase64(u + ":" + p));
        secret["type"] = "kubernetes.io/dockerconfigjson";
        secret["data"] = {{".dockerconfigjson", encodeBase64(config.dump())}};
    }
    // Through standard input: arguments are for everybody on the machine to read.
    ASSIGN_OR_RETURN(const auto result, m_kubectl.must({"apply", "-f", "-"}, false, secret.dump()));
    static_cast<void>(result);
    return {};
}

Status KubernetesManifest::scale()
{
    const Workload workload{m_task.input("kind"), m_task.input("name"), {}, {}};
    const auto replicas = m_task.input("replicas");
    if (workload.kind.empty() || workload.name.empty() || replicas.empty())
        return {ErrorCode::InvalidArgument,
                "the inputs 'kind', 'name' and 'replicas' are required"};
    ASSIGN_OR_RETURN(
        const auto result,
        m_kubectl.must({"scale", workload.kind + "/" + workload.name, "--replicas=" + replicas}));
    static_cast<void>(result);
    return waitFor(workload);
}

Status KubernetesManifest::patch()
{
    std::vector<std::string> arguments{"patch"};
    Workload workload;
    if (equalsIgnoringCase(m_task.input("resourceToPatch"), "name")) {
        workload = {m_task.input("kind"), m_task.input("name"), {}, {}};
        arguments.insert(arguments.end(), {workload.kind, workload.name});
    } else {
        arguments.insert(arguments.end(), {"-f", m_task.path("resourceFileToPatch").string()});
    }
    arguments.insert(arguments.end(),
                     {"--type=" + m_task.input("mergeStrategy"), "-p", m_task.input("patch")});
    ASSIGN_OR_RETURN(const auto result, m_kubectl.must(arguments));
    static_cast<void>(result);
    if (equalsIgnoringCase(workload.kind, "deployment") ||
        equalsIgnoringCase(workload.kind, "statefulset") ||
        equalsIgnoringCase(workload.kind, "daemonset"))
        return waitFor(workload);
    return {};
}

Status KubernetesManifest::remove()
{
    const auto given = splitShellWords(m_task.input("arguments"));
    if (given.empty())
        return {ErrorCode::InvalidArgument, "the input 'arguments' is required for delete"};
    std::vector<std::string> arguments{"delete"};
    arguments.insert(arguments.end(), given.begin(), given.end());
    ASSIGN_OR_RETURN(const auto result, m_kubectl.must(arguments));
    static_cast<void>(result);
    return {};
}

Status KubernetesManifest::bake()
{
    if (!equalsIgnoringCase(m_task.input("renderType"), "kustomize"))
        return {ErrorCode::InvalidArgument, "renderType '" + m_task.input("renderType") +
                                                "' is not available; only 'kustomize' is"};
    ToolCall call{"kubectl", {"kustomize", m_task.path("kustomizationPath").string()}};
    call.print = false;
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (!result.ok())
        return {ErrorCode::InvalidArgument, explainKubectlFailure("kubectl kustomize", result)};
    const auto file = m_task.temporary(".yaml");
    RETURN_IF_ERROR(writeFile(file, result.output));
    JobContext &job = m_task.job();
    job.variables.set(m_task.step().name + ".manifestsBundle", file.string(), false, true);
    job.outputs.push_back({m_task.step().name, "manifestsBundle", file.string(), false});
    return {};
}

Status KubernetesManifest::run()
{
    const auto action = toLower(m_task.input("action"));
    if (action == "bake")
        return bake();
    if (equalsIgnoringCase(m_task.input("connectionType"), "azureResourceManager"))
        return {ErrorCode::InvalidArgument,
                "connectionType 'azureResourceManager' is not available; use "
                "'kubernetesServiceConnection'"};
    RETURN_IF_ERROR(m_kubectl.connect({"kubernetesServiceEndpoint"}));
    if (action == "deploy")
        return deploy();
    if (action == "createsecret")
        return createSecret();
    if (action == "scale")
        return scale();
    if (action == "patch")
        return patch();
    if (action == "delete")
        return remove();
    return {ErrorCode::InvalidArgument,
            "the action '" + action +
                "' is not available; deploy, createSecret, scale, patch, "
                "delete and bake are"};
}

} // namespace

TaskResult runKubernetesManifest(TaskContext &task)
{
    if (const auto status = KubernetesManifest(task).run(); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
