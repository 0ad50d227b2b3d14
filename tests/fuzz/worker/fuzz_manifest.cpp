// Kubernetes manifests: reading and changing whatever was read.
#include "worker/manifest/manifest.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    auto objects = worker::parseManifest({reinterpret_cast<const char *>(data), size});
    if (!objects)
        return 0;
    for (auto &object : *objects) {
        worker::substituteImages(object, {"a/b:1"});
        worker::addPullSecrets(object, {"s"});
        worker::annotate(object, {{"k", "v"}});
        static_cast<void>(worker::objectName(object));
        static_cast<void>(object.dump()); // as kubectl gets it
    }
    const auto all = worker::workloads(*objects);
    for (const auto &object : *objects) {
        static_cast<void>(worker::deployedItems(all, object, "n"));
        for (const auto &workload : all)
            static_cast<void>(worker::podProblems(workload, object));
    }
    return 0;
}
