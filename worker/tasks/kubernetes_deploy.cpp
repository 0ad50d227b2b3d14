// deploy, promote and reject of KubernetesManifest with their strategies
// (worker-and-tasks 9.3, 9.4).
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/manifest/canary.h"
#include "worker/tasks/docker_common.h"
#include "worker/tasks/kubernetes_manifest.h"

#include <algorithm>
#include <charconv>

namespace worker {
namespace {

bool isCanary(const TaskContext &task)
{
    return equalsIgnoringCase(task.input("strategy"), "canary");
}

std::string member(const ManifestJson &object, const char *name)
{
    return object.is_object() && object.contains(name) && object[name].is_string()
               ? object[name].get<std::string>()
               : std::string();
}

std::string nameOf(const ManifestJson &object)
{
    return object.contains("metadata") ? member(object["metadata"], "name") : std::string();
}

} // namespace

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

Status KubernetesManifest::adapt(std::vector<ManifestJson> &objects)
{
    const auto containers = listEntries(m_task.input("containers"));
    auto pullSecrets = listEntries(m_task.input("imagePullSecrets"));
    if (!m_task.input("dockerRegistryEndpoint").empty() && !m_task.input("secretName").empty())
        pullSecrets.push_back(m_task.input("secretName"));
    const auto notes = annotations();
    std::size_t replaced = 0;
    for (auto &object : objects) {
        replaced += substituteImages(object, containers);
        addPullSecrets(object, pullSecrets);
        annotate(object, notes);
    }
    if (!containers.empty() && replaced == 0)
        m_task.warning("no image of the manifests equals an entry of 'containers' (compared whole, "
                       "registry included); the manifests are applied with their own images");
    return {};
}

Status KubernetesManifest::apply(const std::vector<ManifestJson> &objects)
{
    std::vector<std::string> files;
    for (const auto &object : objects) {
        const auto file =
            m_task.job().layout.temp / (replaceAll(objectName(object), "/", "_") + "_" +
                                        std::to_string(files.size() + 1) + ".json");
        RETURN_IF_ERROR(writeFile(
            file, object.dump(1, ' ', false, ManifestJson::error_handler_t::replace), 0600));
        files.push_back(file.string());
    }
    const auto list = join(files, ",");
    ASSIGN_OR_RETURN(const auto applied, m_kubectl.must({"apply", "-f", list}));
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
    RETURN_IF_ERROR(waitForOthers(objects));
    if (std::any_of(objects.begin(), objects.end(),
                    [](const auto &object) { return member(object, "kind") == "Ingress"; }))
        static_cast<void>(m_kubectl.call({"get", "ingress"}));
    annotateLive({"-f", list}, all);
    // A canary is on trial: what the environment runs changes with promote.
    return isCanary(m_task) && equalsIgnoringCase(m_task.input("action"), "deploy") ? Status()
                                                                                    : publish(all);
}

Status KubernetesManifest::deploy()
{
    const auto strategy = m_task.input("strategy");
    if (!strategy.empty() && !equalsIgnoringCase(strategy, "none") && !isCanary(m_task))
        return {ErrorCode::InvalidArgument,
                "the input 'strategy' ('" + strategy + "') must be none or canary"};
    ASSIGN_OR_RETURN(auto objects, readManifests());
    RETURN_IF_ERROR(adapt(objects));
    return isCanary(m_task) ? deployCanary(objects) : apply(objects);
}

Status KubernetesManifest::deployCanary(const std::vector<ManifestJson> &objects)
{
    RETURN_IF_ERROR(requireCanary("deploy"));
    const auto text = m_task.input("percentage");
    int percentage = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percentage);
    if (error != std::errc() || end != text.data() + text.size() || percentage < 0 ||
        percentage > 100)
        return {ErrorCode::InvalidArgument,
                "the input 'percentage' ('" + text + "') must be a whole number from 0 to 100"};
    std::vector<ManifestJson> out;
    for (const auto &object : objects) {
        if (!isSplit(object)) {
            out.push_back(object);
            continue;
        }
        const int replicas = canaryReplicas(object, percentage);
        out.push_back(variantOf(object, Variant::Canary, replicas));
        ASSIGN_OR_RETURN(const auto stable, live(member(object, "kind"), nameOf(object)));
        if (stable)
            out.push_back(variantOf(*stable, Variant::Baseline, replicas));
        else
            m_task.print("There is no " + objectName(object) +
                         " yet, so the canary has no baseline to be compared with.");
    }
    return apply(out);
}

Status KubernetesManifest::requireCanary(std::string_view action) const
{
    if (!isCanary(m_task))
        return {ErrorCode::InvalidArgument, "the action '" + std::string(action) +
                                                "' needs the strategy 'canary' (input 'strategy')"};
    const auto method = m_task.input("trafficSplitMethod");
    if (!method.empty() && !equalsIgnoringCase(method, "pod"))
        return {ErrorCode::InvalidArgument, "trafficSplitMethod '" + method +
                                                "' (a service mesh) is not available; only 'pod' "
                                                "is"};
    return {};
}

Status KubernetesManifest::promote()
{
    RETURN_IF_ERROR(requireCanary("promote"));
    ASSIGN_OR_RETURN(auto objects, readManifests());
    RETURN_IF_ERROR(adapt(objects));
    RETURN_IF_ERROR(apply(objects));
    return removeVariants(objects);
}

Status KubernetesManifest::reject()
{
    RETURN_IF_ERROR(requireCanary("reject"));
    ASSIGN_OR_RETURN(const auto objects, readManifests());
    return removeVariants(objects);
}

Status KubernetesManifest::removeVariants(const std::vector<ManifestJson> &objects)
{
    for (const auto &object : objects) {
        if (!isSplit(object))
            continue;
        const auto kind = member(object, "kind");
        std::vector<std::string> arguments{"delete", kind};
        for (const auto variant : {Variant::Canary, Variant::Baseline}) {
            const auto name = variantName(nameOf(object), variant);
            ASSIGN_OR_RETURN(const auto found, live(kind, name));
            if (found)
                arguments.push_back(name);
        }
        if (arguments.size() == 2) {
            m_task.print("There is no canary of " + objectName(object) + ".");
            continue;
        }
        ASSIGN_OR_RETURN(const auto result, m_kubectl.must(arguments));
        static_cast<void>(result);
    }
    return {};
}

} // namespace worker
