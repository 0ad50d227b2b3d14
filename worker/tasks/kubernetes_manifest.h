#pragma once
/// KubernetesManifest@0 and @1 (worker-and-tasks 9.2 to 9.5): one object per execution of the task.
/// kubernetes_manifest_task.cpp holds what all actions share, kubernetes_deploy.cpp the strategies,
/// kubernetes_bake.cpp and kubernetes_secret.cpp those of their names.

#include "worker/manifest/manifest.h"
#include "worker/tasks/implementations.h"
#include "worker/tasks/kube_config.h"

namespace worker {

class KubernetesManifest
{
public:
    explicit KubernetesManifest(TaskContext &task)
        : m_task(task)
        , m_kubectl(task)
    {}

    /// Errors: InvalidArgument (inputs), NotFound, Unavailable (cluster), Timeout (rollout).
    Status run();

private:
    // kubernetes_deploy.cpp
    Result<std::vector<ManifestJson>> readManifests();
    /// Images, pull secrets and annotations as the inputs say.
    Status adapt(std::vector<ManifestJson> &objects);
    Status deploy();
    Status deployCanary(const std::vector<ManifestJson> &objects);
    /// Puts the objects in place and waits for their workloads.
    Status apply(const std::vector<ManifestJson> &objects);
    Status promote();
    Status reject();
    /// Deletes the canary and baseline variants that exist.
    Status removeVariants(const std::vector<ManifestJson> &objects);
    Status requireCanary(std::string_view action) const;

    // kubernetes_manifest_task.cpp
    [[nodiscard]] std::map<std::string, std::string> annotations() const;
    Status waitFor(const Workload &workload);
    /// LoadBalancer services get an address, pods become ready.
    Status waitForOthers(const std::vector<ManifestJson> &objects);
    /// A second later; false when the step was stopped meanwhile.
    bool pause();
    /// Rollout, annotations and history of an object that was scaled or patched.
    Status afterChange(const std::string &kind, const std::string &name);
    Status explain(const Workload &workload, const std::string &what);
    Status scale();
    Status patch();
    Status remove();
    Result<ManifestJson> pods();
    /// `kubectl annotate` of objects and of the pods that belong to them; failures are warnings.
    void annotateLive(const std::vector<std::string> &target, const std::vector<Workload> &all);
    Status publish(const std::vector<Workload> &all);
    /// A live object as JSON; nothing when it is not there.
    Result<std::optional<ManifestJson>> live(const std::string &kind, const std::string &name);

    // kubernetes_bake.cpp
    Status bake();
    Result<std::string> bakeHelm();
    Result<std::string> bakeKompose();

    // kubernetes_secret.cpp
    Status createSecret();

    TaskContext &m_task;
    Kubectl m_kubectl;
};

/// A Secret object from the inputs secretType, secretArguments and dockerRegistryEndpoint of
/// KubernetesManifest and Kubernetes@1. Errors: InvalidArgument, NotFound.
Result<ManifestJson> secretFromInputs(TaskContext &task, const std::string &name);
/// `data` of a Secret (`encode`: in base64) or ConfigMap from the arguments
/// --from-literal=KEY=VALUE and --from-file=[KEY=]PATH. Errors: InvalidArgument, NotFound, Io.
Result<ManifestJson> dataFromArguments(TaskContext &task, std::string_view inputName, bool encode);

} // namespace worker
