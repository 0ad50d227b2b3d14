#include "worker/manifest/canary.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace worker {
namespace {

std::string kindOf(const ManifestJson &object)
{
    return object.is_object() && object.contains("kind") && object["kind"].is_string()
               ? object["kind"].get<std::string>()
               : std::string();
}

ManifestJson &member(ManifestJson &object, const char *name)
{
    auto &out = object[name];
    if (!out.is_object())
        out = ManifestJson::object();
    return out;
}

bool hasReplicas(const std::string &kind)
{
    return kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet";
}

/// What the cluster wrote into a live object is none of a new one's.
ManifestJson cleanMetadata(const ManifestJson &object)
{
    ManifestJson out = ManifestJson::object();
    if (!object.contains("metadata") || !object["metadata"].is_object())
        return out;
    for (const char *name : {"name", "labels", "annotations"}) {
        if (object["metadata"].contains(name))
            out[name] = object["metadata"][name];
    }
    if (out.contains("annotations") && out["annotations"].is_object()) {
        out["annotations"].erase("kubectl.kubernetes.io/last-applied-configuration");
        out["annotations"].erase("deployment.kubernetes.io/revision");
    }
    return out;
}

} // namespace

const char *toString(Variant variant)
{
    return variant == Variant::Canary ? "canary" : "baseline";
}

bool isSplit(const ManifestJson &object)
{
    static constexpr std::array<std::string_view, 5> kKinds{"Deployment", "ReplicaSet",
                                                            "StatefulSet", "DaemonSet", "Pod"};
    return std::find(kKinds.begin(), kKinds.end(), kindOf(object)) != kKinds.end();
}

int canaryReplicas(const ManifestJson &object, int percentage)
{
    if (percentage <= 0)
        return 0;
    std::int64_t replicas = 1;
    if (object.contains("spec") && object["spec"].is_object() &&
        object["spec"].contains("replicas") && object["spec"]["replicas"].is_number_integer())
        replicas =
            std::clamp<std::int64_t>(object["spec"]["replicas"].get<std::int64_t>(), 0, 1'000'000);
    const auto share = static_cast<double>(replicas) * std::min(percentage, 100) / 100.0;
    return std::max(1, static_cast<int>(std::lround(share)));
}

std::string variantName(const std::string &name, Variant variant)
{
    return name + "-" + toString(variant);
}

ManifestJson variantOf(const ManifestJson &object, Variant variant, int replicas)
{
    ManifestJson out = object;
    const auto kind = kindOf(object);
    const char *mark = toString(variant);
    if (variant == Variant::Baseline) {
        out["metadata"] = cleanMetadata(object);
        out.erase("status");
    }
    auto &metadata = member(out, "metadata");
    if (metadata.contains("name") && metadata["name"].is_string())
        metadata["name"] = variantName(metadata["name"].get<std::string>(), variant);
    member(metadata, "labels")[kVersionLabel] = mark;
    member(metadata, "annotations")[kVersionLabel] = mark;
    if (kind == "Pod")
        return out;
    auto &spec = member(out, "spec");
    if (hasReplicas(kind))
        spec["replicas"] = replicas;
    member(member(spec, "selector"), "matchLabels")[kVersionLabel] = mark;
    auto &pods = member(member(spec, "template"), "metadata");
    member(pods, "labels")[kVersionLabel] = mark;
    member(pods, "annotations")[kVersionLabel] = mark;
    return out;
}

} // namespace worker
