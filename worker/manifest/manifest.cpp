#include "worker/manifest/manifest.h"

#include "worker/base/text.h"

#include <algorithm>
#include <array>

namespace worker {
namespace {

std::string textAt(const ManifestJson &json, const char *name)
{
    if (!json.is_object())
        return {};
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const ManifestJson *at(const ManifestJson &json, std::initializer_list<const char *> path)
{
    const ManifestJson *current = &json;
    for (const char *name : path) {
        if (!current->is_object())
            return nullptr;
        const auto it = current->find(name);
        if (it == current->end())
            return nullptr;
        current = &*it;
    }
    return current;
}

ManifestJson *at(ManifestJson &json, std::initializer_list<const char *> path)
{
    return const_cast<ManifestJson *>(at(std::as_const(json), path)); // NOLINT: same object
}

/// The pod spec inside a workload, or nullptr.
ManifestJson *podSpec(ManifestJson &object)
{
    static constexpr std::array<std::string_view, 5> kTemplated{"Deployment", "ReplicaSet",
                                                                "DaemonSet", "StatefulSet", "Job"};
    const auto kind = textAt(object, "kind");
    ManifestJson *spec = nullptr;
    if (std::find(kTemplated.begin(), kTemplated.end(), kind) != kTemplated.end())
        spec = at(object, {"spec", "template", "spec"});
    else if (kind == "Pod")
        spec = at(object, {"spec"});
    else if (kind == "CronJob")
        spec = at(object, {"spec", "jobTemplate", "spec", "template", "spec"});
    return spec != nullptr && spec->is_object() ? spec : nullptr;
}

std::map<std::string, std::string> textMap(const ManifestJson *json)
{
    std::map<std::string, std::string> out;
    if (json == nullptr || !json->is_object())
        return out;
    for (const auto &[name, value] : json->items()) {
        if (value.is_string())
            out[name] = value.get<std::string>();
    }
    return out;
}

bool selects(const Workload &workload, const ManifestJson &pod)
{
    if (workload.selector.empty() || at(pod, {"metadata", "deletionTimestamp"}) != nullptr)
        return false;
    const auto labels = textMap(at(pod, {"metadata", "labels"}));
    // A stable workload's selector also matches the pods of its canary and baseline.
    if (labels.contains(kVersionLabel) && !workload.selector.contains(kVersionLabel))
        return false;
    return std::all_of(workload.selector.begin(), workload.selector.end(), [&](const auto &entry) {
        const auto it = labels.find(entry.first);
        return it != labels.end() && it->second == entry.second;
    });
}

std::string adviceFor(const std::string &reason, const std::string &message)
{
    const auto text = toLower(message);
    const auto has = [&text](std::string_view part) {
        return text.find(part) != std::string::npos;
    };
    if (reason == "ErrImagePull" || reason == "ImagePullBackOff") {
        if (has("401") || has("unauthorized") || has("denied") || has("403"))
            return "the registry refused the pull (401): give the namespace a pull secret "
                   "(imagePullSecrets) with valid credentials";
        if (has("not found") || has("manifest unknown"))
            return "the image or tag is not in the registry: check that it was pushed";
        if (has("connection refused") || has("no such host") || has("timeout"))
            return "the cluster cannot reach the registry";
        return "the image cannot be pulled";
    }
    if (reason == "InvalidImageName")
        return "the image name is not valid: check 'containers' and the variables in it";
    if (reason == "CrashLoopBackOff" || reason == "Error")
        return "the program ends right after its start; its last lines are below";
    if (reason == "OOMKilled")
        return "it used more memory than its limit";
    if (reason == "CreateContainerConfigError")
        return "a ConfigMap or Secret it names does not exist";
    if (reason == "Unschedulable")
        return "no node has room for it";
    return {};
}

bool isHopeless(const std::string &reason, const std::string &message)
{
    if (reason == "InvalidImageName" || reason == "ErrImageNeverPull")
        return true;
    const auto text = toLower(message);
    return (reason == "ImagePullBackOff" || reason == "ErrImagePull") &&
           (text.find("unauthorized") != std::string::npos ||
            text.find("manifest unknown") != std::string::npos ||
            text.find("not found") != std::string::npos || text.find("401") != std::string::npos ||
            text.find("denied") != std::string::npos);
}

void addContainerProblem(const std::string &pod, const ManifestJson &status,
                         std::vector<PodProblem> &out)
{
    const ManifestJson *ready = at(status, {"ready"});
    if (ready != nullptr && ready->is_boolean() && ready->get<bool>())
        return;
    PodProblem problem{pod, textAt(status, "name"), {}, {}, false, false};
    std::string message;
    if (const auto *waiting = at(status, {"state", "waiting"})) {
        problem.reason = textAt(*waiting, "reason");
        message = textAt(*waiting, "message");
    } else if (const auto *ended = at(status, {"state", "terminated"})) {
        problem.reason = textAt(*ended, "reason");
        message = textAt(*ended, "message");
    } else {
        problem.reason = "NotReady";
        message = "it runs, but its readiness probe does not succeed";
    }
    if (problem.reason == "ContainerCreating" || problem.reason == "PodInitializing")
        return;
    const auto advice = adviceFor(problem.reason, message);
    problem.crashed = problem.reason == "CrashLoopBackOff" || problem.reason == "Error";
    problem.hopeless = isHopeless(problem.reason, message);
    problem.sentence = "pod " + pod + ", container " + problem.container + ": " + problem.reason +
                       (message.empty() ? "" : ": " + message) +
                       (advice.empty() ? "" : "; " + advice);
    out.push_back(std::move(problem));
}

} // namespace

std::string objectName(const ManifestJson &object)
{
    const auto *name = at(object, {"metadata", "name"});
    return textAt(object, "kind") + "/" +
           (name != nullptr && name->is_string() ? name->get<std::string>() : std::string("?"));
}

std::string imageRepository(std::string_view reference)
{
    reference = reference.substr(0, reference.find('@'));
    const auto slash = reference.rfind('/');
    const auto colon = reference.rfind(':');
    if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash))
        reference = reference.substr(0, colon);
    return std::string(reference);
}

std::size_t substituteImages(ManifestJson &object, const std::vector<std::string> &containers)
{
    ManifestJson *spec = podSpec(object);
    if (spec == nullptr)
        return 0;
    std::size_t replaced = 0;
    for (const char *list : {"containers", "initContainers"}) {
        const auto it = spec->find(list);
        if (it == spec->end() || !it->is_array())
            continue;
        for (auto &container : *it) {
            const auto image = textAt(container, "image");
            for (const auto &entry : containers) {
                if (!image.empty() && imageRepository(image) == imageRepository(entry)) {
                    container["image"] = entry;
                    ++replaced;
                }
            }
        }
    }
    return replaced;
}

void addPullSecrets(ManifestJson &object, const std::vector<std::string> &names)
{
    ManifestJson *spec = podSpec(object);
    if (spec == nullptr || names.empty())
        return;
    auto &list = (*spec)["imagePullSecrets"];
    if (!list.is_array())
        list = ManifestJson::array();
    for (const auto &name : names) {
        const bool known = std::any_of(list.begin(), list.end(), [&name](const auto &entry) {
            return textAt(entry, "name") == name;
        });
        if (!known)
            list.push_back({{"name", name}});
    }
}

void annotate(ManifestJson &object, const std::map<std::string, std::string> &annotations)
{
    auto &metadata = object["metadata"];
    if (!metadata.is_object())
        return; // kubectl says what is wrong with it
    auto &existing = metadata["annotations"];
    if (!existing.is_object())
        existing = ManifestJson::object();
    for (const auto &[name, value] : annotations)
        existing[name] = value;
}

std::vector<Workload> workloads(const std::vector<ManifestJson> &objects)
{
    std::vector<Workload> out;
    for (const auto &object : objects) {
        Workload workload;
        workload.kind = textAt(object, "kind");
        if (workload.kind != "Deployment" && workload.kind != "StatefulSet" &&
            workload.kind != "DaemonSet" && workload.kind != "ReplicaSet")
            continue;
        if (const auto *metadata = at(object, {"metadata"}))
            workload.name = textAt(*metadata, "name");
        workload.selector = textMap(at(object, {"spec", "selector", "matchLabels"}));
        if (const auto *list = at(object, {"spec", "template", "spec", "containers"});
            list != nullptr && list->is_array()) {
            for (const auto &container : *list)
                workload.images.emplace_back(textAt(container, "name"), textAt(container, "image"));
        }
        out.push_back(std::move(workload));
    }
    return out;
}

std::vector<schema::protocol::DeployedItem> deployedItems(const std::vector<Workload> &all,
                                                          const ManifestJson &pods,
                                                          const std::string &kubernetesNamespace)
{
    const auto *items = at(pods, {"items"});
    std::vector<schema::protocol::DeployedItem> out;
    for (const auto &workload : all) {
        for (const auto &[container, image] : workload.images) {
            schema::protocol::DeployedItem item{
                workload.kind, workload.name, container, image, "", kubernetesNamespace};
            if (items != nullptr && items->is_array()) {
                for (const auto &pod : *items) {
                    const auto *statuses = at(pod, {"status", "containerStatuses"});
                    const auto *specs = at(pod, {"spec", "containers"});
                    if (statuses == nullptr || specs == nullptr || !selects(workload, pod))
                        continue;
                    // Pods of the revision before may still live: only the applied image counts.
                    const bool current =
                        std::any_of(specs->begin(), specs->end(), [&](const auto &spec) {
                            return textAt(spec, "name") == container &&
                                   textAt(spec, "image") == image;
                        });
                    for (const auto &status : *statuses) {
                        const auto id = textAt(status, "imageID");
                        if (current && textAt(status, "name") == container &&
                            id.find("@sha256:") != std::string::npos)
                            item.digest = id.substr(id.find("@sha256:") + 1);
                    }
                }
            }
            if (item.digest.empty() && image.find("@sha256:") != std::string::npos)
                item.digest = image.substr(image.find("@sha256:") + 1);
            out.push_back(std::move(item));
        }
    }
    return out;
}

std::vector<std::string> podNames(const Workload &workload, const ManifestJson &pods)
{
    std::vector<std::string> out;
    const auto *items = at(pods, {"items"});
    if (items == nullptr || !items->is_array())
        return out;
    for (const auto &pod : *items) {
        const auto *metadata = at(pod, {"metadata"});
        if (metadata != nullptr && selects(workload, pod))
            out.push_back(textAt(*metadata, "name"));
    }
    return out;
}

std::vector<PodProblem> podProblems(const Workload &workload, const ManifestJson &pods)
{
    std::vector<PodProblem> out;
    const auto *items = at(pods, {"items"});
    if (items == nullptr || !items->is_array())
        return out;
    for (const auto &pod : *items) {
        if (!selects(workload, pod))
            continue;
        const auto *metadata = at(pod, {"metadata"});
        const auto name = metadata == nullptr ? std::string("?") : textAt(*metadata, "name");
        for (const char *list : {"initContainerStatuses", "containerStatuses"}) {
            const auto *statuses = at(pod, {"status", list});
            if (statuses == nullptr || !statuses->is_array())
                continue;
            for (const auto &status : *statuses) {
                const auto *ended = at(status, {"state", "terminated"});
                if (std::string_view(list) == "initContainerStatuses" && ended != nullptr &&
                    textAt(*ended, "reason") == "Completed")
                    continue;
                addContainerProblem(name, status, out);
            }
        }
        if (const auto *conditions = at(pod, {"status", "conditions"});
            conditions != nullptr && conditions->is_array()) {
            for (const auto &condition : *conditions) {
                if (textAt(condition, "type") == "PodScheduled" &&
                    textAt(condition, "status") == "False")
                    out.push_back({name, "", textAt(condition, "reason"),
                                   "pod " + name + ": " + textAt(condition, "reason") + ": " +
                                       textAt(condition, "message"),
                                   false, false});
            }
        }
    }
    return out;
}

} // namespace worker
