// The action bake of KubernetesManifest: helm, kustomize and kompose (worker-and-tasks 9.5).
#include "worker/base/text.h"
#include "worker/tasks/kubernetes_manifest.h"

namespace worker {

Result<std::string> KubernetesManifest::bakeHelm()
{
    if (m_task.input("helmChart").empty())
        return {ErrorCode::InvalidArgument, "the input 'helmChart' is empty"};
    ToolCall call;
    call.program = "helm";
    call.arguments = {"template"};
    if (const auto release = m_task.input("releaseName"); !release.empty())
        call.arguments.push_back(release);
    call.arguments.insert(call.arguments.end(), {m_task.path("helmChart").string(), "--namespace",
                                                 m_kubectl.kubernetesNamespace()});
    for (const auto &file : listEntries(m_task.input("overrideFiles")))
        call.arguments.insert(call.arguments.end(), {"-f", m_task.absolute(file).string()});
    for (const auto &line : listEntries(m_task.input("overrides"))) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || colon == 0)
            return {ErrorCode::InvalidArgument,
                    "the input 'overrides' holds '" + line + "'; expected name:value"};
        call.arguments.insert(call.arguments.end(), {"--set", trimmed(line.substr(0, colon)) + "=" +
                                                                  trimmed(line.substr(colon + 1))});
    }
    call.print = false;
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (!result.ok())
        return {ErrorCode::InvalidArgument, explainKubectlFailure("helm template", result)};
    return result.output;
}

Result<std::string> KubernetesManifest::bakeKompose()
{
    if (m_task.input("dockerComposeFile").empty())
        return {ErrorCode::InvalidArgument, "the input 'dockerComposeFile' is empty"};
    const auto file = m_task.temporary(".yaml");
    const ToolCall call{
        "kompose",
        {"convert", "-f", m_task.path("dockerComposeFile").string(), "-o", file.string()}};
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (!result.ok())
        return {ErrorCode::InvalidArgument, explainKubectlFailure("kompose convert", result)};
    return readFile(file);
}

Status KubernetesManifest::bake()
{
    const auto type = toLower(m_task.input("renderType"));
    std::string rendered;
    if (type == "helm") {
        ASSIGN_OR_RETURN(rendered, bakeHelm());
    } else if (type == "kompose") {
        ASSIGN_OR_RETURN(rendered, bakeKompose());
    } else if (type == "kustomize") {
        ToolCall call{"kubectl", {"kustomize", m_task.path("kustomizationPath").string()}};
        call.print = false;
        ASSIGN_OR_RETURN(const auto result, m_task.run(call));
        if (!result.ok())
            return {ErrorCode::InvalidArgument, explainKubectlFailure("kubectl kustomize", result)};
        rendered = result.output;
    } else {
        return {ErrorCode::InvalidArgument,
                "the input 'renderType' ('" + type + "') must be helm, kompose or kustomize"};
    }
    const auto containers = listEntries(m_task.input("containers"));
    if (!containers.empty()) {
        auto objects = parseManifest(rendered);
        if (!objects)
            return objects.error().withContext("the rendered manifests");
        rendered.clear();
        // JSON is YAML: kubectl and this task read the documents either way.
        for (auto &object : *objects) {
            substituteImages(object, containers);
            rendered +=
                "---\n" + object.dump(1, ' ', false, ManifestJson::error_handler_t::replace) + "\n";
        }
    }
    const auto file = m_task.job().layout.temp /
                      ("baked-template-" + m_task.temporary(".yaml").filename().string());
    RETURN_IF_ERROR(writeFile(file, rendered));
    m_task.print("Rendered to " + file.string());
    m_task.output("manifestsBundle", file.string());
    return {};
}

} // namespace worker
