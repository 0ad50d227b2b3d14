// KubernetesManifest@0 and @1 (worker-and-tasks 9.2 to 9.5): what the actions share.
#include "worker/base/text.h"
#include "worker/tasks/kubernetes_manifest.h"

#include <algorithm>
#include <charconv>
#include <poll.h>

namespace worker {
namespace {

/// How long one look at a rollout takes before the pods are asked why it is not done.
constexpr int kRolloutLookSeconds = 5;
/// Looks in a row that must find the same hopeless pod before the rollout is given up.
constexpr int kHopelessLooks = 3;
/// Looks at pods and at services that wait for an address.
constexpr int kPodLooks = 600;
constexpr int kBalancerLooks = 180;
constexpr int kLookMs = 1000;

/// What kubectl says it changed: "deployment.apps/web patched" -> {"deployment", "web"}.
std::vector<std::pair<std::string, std::string>> namedResources(const std::string &output)
{
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto &line : lines(output)) {
        const auto slash = line.find('/');
        const auto blank = line.find(' ', slash == std::string::npos ? 0 : slash);
        if (slash == std::string::npos || blank == std::string::npos)
            continue;
        const auto kind = line.substr(0, slash);
        out.emplace_back(kind.substr(0, kind.find('.')), line.substr(slash + 1, blank - slash - 1));
    }
    return out;
}

} // namespace

using schema::TaskResult;

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

Status KubernetesManifest::waitForOthers(const std::vector<ManifestJson> &objects)
{
    std::string failures;
    for (const auto &object : objects) {
        const bool pod = object.value("kind", "") == "Pod";
        const auto pointer = ManifestJson::json_pointer("/spec/type");
        const bool balancer = object.value("kind", "") == "Service" && object.contains(pointer) &&
                              object[pointer] == "LoadBalancer";
        if (!pod && !balancer)
            continue;
        const auto slash = objectName(object);
        const auto name = slash.substr(slash.find('/') + 1);
        bool ready = false;
        for (int look = 0; !ready && look < (pod ? kPodLooks : kBalancerLooks); ++look) {
            if (look > 0 && !pause())
                return {ErrorCode::Canceled, "the step was stopped"};
            ASSIGN_OR_RETURN(const auto found, live(object.value("kind", ""), name));
            if (!found)
                return {ErrorCode::NotFound, slash + " is gone"};
            const auto phase =
                found->value(ManifestJson::json_pointer("/status/phase"), std::string());
            const auto addresses = ManifestJson::json_pointer("/status/loadBalancer/ingress");
            ready = pod ? phase == "Running" || phase == "Succeeded"
                        : found->contains(addresses) && !(*found)[addresses].empty();
            if (pod && phase == "Failed")
                break;
            if (!ready && look == 0)
                m_task.print("Waiting for " + slash);
        }
        if (!ready) {
            static_cast<void>(m_kubectl.call({"describe", object.value("kind", ""), name}));
            failures += (failures.empty() ? "" : "\n") + slash +
                        (pod ? " does not run" : " got no external address") +
                        "; what 'kubectl describe' says is above";
        }
    }
    if (!failures.empty())
        return {ErrorCode::Timeout, failures};
    return {};
}

bool KubernetesManifest::pause()
{
    m_task.state().log.flush();
    m_task.job().sink.flush();
    pollfd stop{m_task.job().stop.fd(), POLLIN, 0};
    return ::poll(&stop, 1, kLookMs) == 0;
}

Result<std::optional<ManifestJson>> KubernetesManifest::live(const std::string &kind,
                                                             const std::string &name)
{
    ASSIGN_OR_RETURN(
        const auto result,
        m_kubectl.must({"get", kind + "/" + name, "-o", "json", "--ignore-not-found"}, true));
    if (trimmed(result.output).empty())
        return std::optional<ManifestJson>();
    auto json = ManifestJson::parse(result.output, nullptr, false);
    if (!json.is_object())
        return {ErrorCode::Internal, "kubectl get " + kind + " printed no JSON"};
    return std::optional<ManifestJson>(std::move(json));
}

void KubernetesManifest::annotateLive(const std::vector<std::string> &target,
                                      const std::vector<Workload> &all)
{
    std::vector<std::string> notes;
    for (const auto &[name, value] : annotations())
        notes.push_back(name + "=" + value);
    notes.emplace_back("--overwrite");
    const auto annotateOne = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "annotate");
        arguments.insert(arguments.end(), notes.begin(), notes.end());
        const auto result = m_kubectl.call(std::move(arguments), true);
        if (!result || !result->ok())
            m_task.warning("the annotations were not written: " +
                           (result ? explainKubectlFailure("kubectl annotate", *result)
                                   : result.error().message));
    };
    if (!target.empty())
        annotateOne(target);
    const auto running = pods();
    if (!running)
        return m_task.warning(running.error().message);
    std::vector<std::string> names{"pod"};
    for (const auto &workload : all) {
        for (auto &name : podNames(workload, *running))
            names.push_back(std::move(name));
    }
    if (names.size() > 1)
        annotateOne(names);
}

Status KubernetesManifest::publish(const std::vector<Workload> &all)
{
    ASSIGN_OR_RETURN(const auto running, pods());
    const auto items = deployedItems(all, running, m_kubectl.kubernetesNamespace());
    for (const auto &item : items)
        m_task.print(item.kind + "/" + item.name + " runs " + item.image +
                     (item.digest.empty() ? "" : " (" + item.digest + ")"));
    if (items.empty() || !m_task.job().message.environment)
        return {};
    return m_task.job().sink.publishDeployed(items);
}

Status KubernetesManifest::afterChange(const std::string &kind, const std::string &name)
{
    ASSIGN_OR_RETURN(const auto now, live(kind, name));
    if (!now)
        return {};
    const auto all = workloads({*now});
    for (const auto &workload : all) {
        if (workload.kind != "ReplicaSet")
            RETURN_IF_ERROR(waitFor(workload));
    }
    annotateLive({kind + "/" + name}, all);
    return all.empty() ? Status() : publish(all);
}

Status KubernetesManifest::scale()
{
    const auto kind = m_task.input("kind");
    const auto name = m_task.input("name");
    const auto replicas = m_task.input("replicas");
    if (kind.empty() || name.empty() || replicas.empty())
        return {ErrorCode::InvalidArgument,
                "the inputs 'kind', 'name' and 'replicas' are required"};
    ASSIGN_OR_RETURN(const auto result,
                     m_kubectl.must({"scale", kind + "/" + name, "--replicas=" + replicas}));
    static_cast<void>(result);
    return afterChange(kind, name);
}

Status KubernetesManifest::patch()
{
    std::vector<std::string> arguments{"patch"};
    if (equalsIgnoringCase(m_task.input("resourceToPatch"), "name")) {
        if (m_task.input("kind").empty() || m_task.input("name").empty())
            return {ErrorCode::InvalidArgument, "the inputs 'kind' and 'name' are required"};
        arguments.insert(arguments.end(), {m_task.input("kind"), m_task.input("name")});
    } else {
        arguments.insert(arguments.end(), {"-f", m_task.path("resourceFileToPatch").string()});
    }
    arguments.insert(arguments.end(),
                     {"--type=" + m_task.input("mergeStrategy"), "-p", m_task.input("patch")});
    ASSIGN_OR_RETURN(const auto result, m_kubectl.must(arguments));
    for (const auto &[kind, name] : namedResources(result.output))
        RETURN_IF_ERROR(afterChange(kind, name));
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
    if (action == "promote")
        return promote();
    if (action == "reject")
        return reject();
    if (action == "createsecret")
        return createSecret();
    if (action == "scale")
        return scale();
    if (action == "patch")
        return patch();
    if (action == "delete")
        return remove();
    return {ErrorCode::InvalidArgument,
            "the input 'action' ('" + action +
                "') must be deploy, promote, reject, createSecret, scale, patch, delete or bake"};
}

TaskResult runKubernetesManifest(TaskContext &task)
{
    if (const auto status = KubernetesManifest(task).run(); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
