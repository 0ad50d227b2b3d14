#pragma once
/// Canary and baseline variants of workloads (worker-and-tasks 9.4, traffic split by pods). Pure.

#include "worker/manifest/manifest.h"

#include <cstdint>

namespace worker {

enum class Variant : std::uint8_t { Canary, Baseline };

/// "canary", "baseline".
const char *toString(Variant variant);

/// Deployment, ReplicaSet, StatefulSet, DaemonSet and Pod are split; other objects are applied as
/// they are.
bool isSplit(const ManifestJson &object);

/// round(replicas x percentage / 100), at least 1 while percentage is above 0. Objects without
/// `spec.replicas` count as one replica.
int canaryReplicas(const ManifestJson &object, int percentage);

/// "<name>-canary".
std::string variantName(const std::string &name, Variant variant);

/// The object under its variant's name: marked in metadata, selector and pod template, with
/// `replicas` where the kind has them. Of a live object (baseline) only name, labels and
/// annotations of its metadata stay, and no status.
ManifestJson variantOf(const ManifestJson &object, Variant variant, int replicas);

} // namespace worker
