#pragma once
/// Kubernetes manifests as values: reading YAML documents, putting images, pull secrets and
/// annotations in, and what pods say about themselves. Pure; kubectl is called elsewhere.

#include "schema/base/result.h"
#include "schema/protocol/messages.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace worker {

using ManifestJson = nlohmann::ordered_json;

/// Label and annotation that tell a workload's canary and baseline from the workload itself.
inline constexpr const char *kVersionLabel = "azure-pipelines/version";

/// Every document, whatever it is about, as parseManifest() reads it.
schema::Result<std::vector<ManifestJson>> parseYaml(std::string_view text);

/// Every object of every document, `List` objects taken apart. Scalars get the types that kubectl
/// gives them (YAML 1.1). Errors: InvalidArgument with line and column; LimitExceeded.
schema::Result<std::vector<ManifestJson>> parseManifest(std::string_view text);

/// "Deployment/web".
std::string objectName(const ManifestJson &object);

/// A reference without tag and digest: "host:5000/a/b:1@sha256:x" -> "host:5000/a/b".
std::string imageRepository(std::string_view reference);

/// Replaces images of containers and init containers of workloads: an image whose repository equals
/// that of an entry becomes the entry; of two entries the last wins (worker-and-tasks 9.3). Returns
/// how many were replaced.
std::size_t substituteImages(ManifestJson &object, const std::vector<std::string> &containers);

/// Appends the names that the pod spec of a workload does not list yet.
void addPullSecrets(ManifestJson &object, const std::vector<std::string> &names);

void annotate(ManifestJson &object, const std::map<std::string, std::string> &annotations);

/// A workload with pods to wait for.
struct Workload
{
    std::string kind, name;
    std::map<std::string, std::string> selector;             ///< matchLabels
    std::vector<std::pair<std::string, std::string>> images; ///< container -> image as applied
};

/// Deployment, StatefulSet, DaemonSet and ReplicaSet among the objects.
std::vector<Workload> workloads(const std::vector<ManifestJson> &objects);

/// What `kubectl get pods -o json` knows of the workloads' containers: digests as the runtime
/// resolved them.
std::vector<schema::protocol::DeployedItem> deployedItems(const std::vector<Workload> &all,
                                                          const ManifestJson &pods,
                                                          const std::string &kubernetesNamespace);

/// Names of the pods that the workload selects, in the order of the list.
std::vector<std::string> podNames(const Workload &workload, const ManifestJson &pods);

/// Why pods of the workload are not ready, one sentence each: "pod web-1: container web:
/// ImagePullBackOff: ...; the registry refused ...".
struct PodProblem
{
    std::string pod, container, reason, sentence;
    bool hopeless = false; ///< waiting longer will not help
    bool crashed = false;  ///< its log says more
};

std::vector<PodProblem> podProblems(const Workload &workload, const ManifestJson &pods);

} // namespace worker
