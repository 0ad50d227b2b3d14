// HelmDeploy@0 and @1 with Helm 3 (worker-and-tasks 9.7). What a release put in place is read from
// its manifest and recorded like every other deployment.
#include "worker/base/text.h"
#include "worker/manifest/manifest.h"
#include "worker/tasks/implementations.h"
#include "worker/tasks/kube_config.h"

#include <algorithm>

namespace worker {
namespace {

using schema::TaskResult;

/// The task's own limit for what it hands on.
constexpr std::size_t kOutputLimit = 32766;

class Helm
{
public:
    explicit Helm(TaskContext &task)
        : m_task(task)
        , m_kubectl(task)
        , m_command(toLower(task.input("command")))
    {}

    Status run();

private:
    Status connect();
    Result<std::vector<std::string>> commandLine();
    void addValues(std::vector<std::string> &line);
    Status addChart(std::vector<std::string> &line);
    Status record(const std::string &output);
    /// Adds flag when the boolean input is set.
    void add(std::vector<std::string> &line, std::string_view input, const char *flag) const;

    [[nodiscard]] bool is(std::string_view command) const { return m_command == command; }

    TaskContext &m_task;
    Kubectl m_kubectl;
    std::string m_command;
    std::string m_release;
};

void append(std::vector<std::string> &line, std::initializer_list<std::string> words)
{
    line.insert(line.end(), words);
}

Status Helm::connect()
{
    const auto type = toLower(m_task.input("connectionType"));
    const bool given = !m_task.input("kubernetesServiceEndpoint").empty();
    if (type == "azure resource manager" && !m_task.input("azureSubscription").empty())
        return {ErrorCode::InvalidArgument,
                "connectionType 'Azure Resource Manager' is not available; use 'Kubernetes Service "
                "Connection' or 'None'"};
    static constexpr std::string_view kWithoutCluster[] = {
        "create", "package",  "lint", "push",    "save",      "repo",
        "pull",   "template", "show", "version", "dependency"};
    const bool needsCluster = std::find(std::begin(kWithoutCluster), std::end(kWithoutCluster),
                                        m_command) == std::end(kWithoutCluster);
    if (!given && (type == "none" || !needsCluster))
        return {}; // KUBECONFIG, or what the machine's user has
    return m_kubectl.connect({"kubernetesServiceEndpoint"});
}

void Helm::add(std::vector<std::string> &line, std::string_view input, const char *flag) const
{
    if (m_task.flag(input))
        line.emplace_back(flag);
}

void Helm::addValues(std::vector<std::string> &line)
{
    if (const auto file = m_task.input("valueFile");
        !file.empty() && m_task.absolute(file) != m_task.defaultDirectory())
        append(line, {"--values", m_task.absolute(file).string()});
    if (const auto values = m_task.input("overrideValues"); !values.empty()) {
        const auto joined = join(listEntries(values), ",");
        if (m_task.job().masker.mask(joined) != joined)
            m_task.warning("'overrideValues' holds a secret, which the machine's other users can "
                           "read in the list of processes; put it into a file and name that in "
                           "'valueFile'");
        append(line, {"--set", joined});
    }
}

Status Helm::addChart(std::vector<std::string> &line)
{
    const bool path = equalsIgnoringCase(m_task.input("chartType"), "FilePath");
    const char *input = path ? "chartPath" : "chartName";
    if (m_task.input(input).empty())
        return {ErrorCode::InvalidArgument, std::string("the input '") + input + "' is empty"};
    line.push_back(path ? m_task.path(input).string() : m_task.input(input));
    return {};
}

Result<std::vector<std::string>> Helm::commandLine()
{
    std::vector<std::string> line = splitShellWords(m_task.input("command"));
    if (line.empty())
        return {ErrorCode::InvalidArgument, "the input 'command' is empty"};
    if (m_task.job().variables.isTrue("System.Debug"))
        line.emplace_back("--debug");
    const auto extra = splitShellWords(replaceAll(m_task.input("arguments"), "\n", " "));
    const auto version = m_task.input("version");
    if (!version.empty() && version.find_first_of(" \t") != std::string::npos)
        return {ErrorCode::InvalidArgument,
                "the input 'chartVersion' ('" + version + "') is no version"};
    const auto ns = m_kubectl.givenNamespace();
    const auto withNamespace = [&] {
        if (!ns.empty())
            append(line, {"--namespace", ns});
    };
    const auto more = [&] { line.insert(line.end(), extra.begin(), extra.end()); };
    if (is("install")) {
        withNamespace();
        addValues(line);
        add(line, "updatedependency", "--dependency-update");
        if (m_release.empty())
            line.emplace_back("--generate-name");
        else
            line.push_back(m_release);
        add(line, "waitForExecution", "--wait");
        more();
        RETURN_IF_ERROR(addChart(line));
        if (!version.empty())
            append(line, {"--version", version});
        return line;
    }
    if (is("upgrade")) {
        withNamespace();
        add(line, "install", "--install");
        add(line, "recreate", "--recreate-pods");
        add(line, "resetValues", "--reset-values");
        add(line, "force", "--force");
        addValues(line);
        add(line, "waitForExecution", "--wait");
        more();
        if (m_release.empty())
            m_release = m_task.job().variables.value("Build.BuildNumber");
        line.push_back(m_release);
        RETURN_IF_ERROR(addChart(line));
        if (!version.empty())
            append(line, {"--version", version});
        return line;
    }
    if (is("package")) {
        add(line, "updatedependency", "--dependency-update");
        if (!version.empty())
            append(line, {"--version", version});
        if (!m_task.input("destination").empty())
            append(line, {"--destination", m_task.path("destination").string()});
        more();
        if (m_task.input("chartPath").empty())
            return {ErrorCode::InvalidArgument, "the input 'chartPath' is empty"};
        line.push_back(m_task.path("chartPath").string());
        return line;
    }
    if (is("create")) {
        if (m_task.input("chartName").empty())
            return {ErrorCode::InvalidArgument, "the input 'chartName' is empty"};
        line.push_back(m_task.input("chartName"));
        more();
        return line;
    }
    if (is("uninstall") || is("delete") || is("rollback")) {
        if (m_release.empty())
            return {ErrorCode::InvalidArgument, "the input 'releaseName' is empty"};
        line.push_back(m_release);
        withNamespace();
        if (is("rollback")) // what is recorded afterwards must run
            add(line, "waitForExecution", "--wait");
        more();
        return line;
    }
    withNamespace();
    more();
    return line;
}

Status Helm::record(const std::string &output)
{
    if (m_release.empty()) {
        for (const auto &text : lines(output)) {
            if (text.starts_with("NAME: "))
                m_release = trimmed(text.substr(6));
        }
    }
    ToolCall call;
    call.program = "helm";
    call.arguments = {"get", "manifest", m_release};
    if (const auto ns = m_kubectl.givenNamespace(); !ns.empty())
        append(call.arguments, {"--namespace", ns});
    call.print = call.echo = false;
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (!result.ok())
        return {ErrorCode::Unavailable, explainKubectlFailure("helm get manifest", result)};
    auto objects = parseManifest(result.output);
    if (!objects)
        return objects.error().withContext("the manifest of the release '" + m_release + "'");
    const auto all = workloads(*objects);
    if (all.empty())
        return {};
    ASSIGN_OR_RETURN(const auto listed, m_kubectl.must({"get", "pods", "-o", "json"}, true));
    const auto pods = ManifestJson::parse(listed.output, nullptr, false);
    const auto items = deployedItems(all, pods, m_kubectl.kubernetesNamespace());
    for (const auto &item : items)
        m_task.print(item.kind + "/" + item.name + " runs " + item.image +
                     (item.digest.empty() ? "" : " (" + item.digest + ")"));
    if (items.empty() || !m_task.job().message.environment)
        return {};
    return m_task.job().sink.publishDeployed(items);
}

Status Helm::run()
{
    m_release = m_task.input("releaseName");
    RETURN_IF_ERROR(connect());
    if (is("login")) {
        m_task.job().variables.set("KUBECONFIG", m_kubectl.keep().string());
        m_task.print("KUBECONFIG is set for the following steps");
        return {};
    }
    if (is("logout")) {
        m_task.job().variables.set("KUBECONFIG", "");
        return {};
    }
    if (is("init")) {
        m_task.print("helm init is nothing that Helm 3 needs; skipped.");
        return {};
    }
    if (m_task.flag("enableTls") || !m_task.input("tillernamespace").empty())
        m_task.warning("Tiller is gone with Helm 3: its TLS files and namespace have no effect");
    ToolCall call;
    call.program = "helm";
    ASSIGN_OR_RETURN(call.arguments, commandLine());
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    m_task.output("helmExitCode", std::to_string(result.exitCode));
    m_task.output("helmOutput", result.output.substr(0, kOutputLimit));
    if (!result.ok())
        return {ErrorCode::Unavailable, explainKubectlFailure("helm " + m_command, result)};
    if (!trimmed(result.errors).empty()) {
        const auto said = defuseCommands(trimmed(result.errors).substr(0, 2000));
        if (m_task.flag("failOnStderr"))
            return {ErrorCode::Unavailable,
                    "helm wrote to standard error (failOnStderr is set): " + said};
        m_task.warning(said);
    }
    const bool changes = is("install") || is("upgrade") || is("rollback");
    if (changes && m_task.flag("publishPipelineMetadata")) {
        auto status = record(result.output);
        if (!status)
            return status.error().withContext("the release is in place, but was not recorded");
    }
    return {};
}

} // namespace

TaskResult runHelm(TaskContext &task)
{
    if (const auto status = Helm(task).run(); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
