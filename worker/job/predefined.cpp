#include "worker/job/predefined.h"

#include "worker/base/text.h"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace worker {
namespace {

/// Texts that commit authors, people naming things or machines choose.
constexpr std::array<std::string_view, 12> kForeignTexts{
    "build.sourceversionmessage", "build.sourceversionauthor", "build.definitionname",
    "build.sourcebranch",         "build.sourcebranchname",    "system.sourceversionmessage",
    "system.definitionname",      "system.jobdisplayname",     "system.phasedisplayname",
    "system.stagedisplayname",    "agent.machinename",         "agent.name"};

/// Authorization parameters that are no secrets; masking them would star half the log.
constexpr std::array<std::string_view, 17> kHarmlessParameters{"username",
                                                               "registry",
                                                               "email",
                                                               "registrytype",
                                                               "role",
                                                               "scope",
                                                               "tenantid",
                                                               "audience",
                                                               "issuedat",
                                                               "expiresat",
                                                               "authenticationtype",
                                                               "authorizationtype",
                                                               "clustercontext",
                                                               "acceptuntrustedcerts",
                                                               "acceptuntrustedcertificates",
                                                               "namespace",
                                                               "serviceaccountcertificate"};

std::string neutralised(std::string text)
{
    for (std::size_t at = 0; at + 5 <= text.size(); ++at) {
        if (equalsIgnoringCase(std::string_view(text).substr(at, 5), "##vso"))
            text.replace(at, 5, "**vso");
    }
    return text;
}

std::string machineName()
{
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "unknown";
}

const char *architecture()
{
#if defined(__x86_64__)
    return "X64";
#elif defined(__aarch64__)
    return "ARM64";
#elif defined(__arm__)
    return "ARM";
#else
    return "X86";
#endif
}

void setWhenMissing(Variables &variables, std::string_view name, const std::string &value)
{
    if (variables.find(name) == nullptr && !value.empty())
        variables.set(name, value);
}

/// Each line of a kubeconfig would be masked otherwise ("kind: Config"): only its credentials are
/// secret.
void maskKubeconfig(Masker &masker, const std::string &text)
{
    for (const auto &line : lines(text)) {
        for (const char *key :
             {"token:", "password:", "client-key-data:", "client-secret:", "id-token:"}) {
            const auto at = line.find(key);
            if (at == std::string::npos)
                continue;
            auto value = trimmed(line.substr(at + std::string_view(key).size()));
            if (value.size() > 1 && (value.front() == '"' || value.front() == '\''))
                value = value.substr(1, value.size() - 2);
            masker.add(value);
        }
    }
}

void maskSecrets(JobContext &job)
{
    job.masker.add(job.message.jobToken);
    for (const auto &variable : job.message.variables) {
        if (variable.isSecret)
            job.masker.add(variable.value);
    }
    for (const auto &connection : job.message.connections) {
        for (const auto &[name, value] : connection.parameters) {
            const auto key = toLower(name);
            if (std::find(kHarmlessParameters.begin(), kHarmlessParameters.end(), key) !=
                kHarmlessParameters.end())
                continue;
            if (key == "kubeconfig")
                maskKubeconfig(job.masker, value);
            else
                job.masker.add(value);
        }
    }
}

void setFolders(Variables &variables, const JobLayout &layout)
{
    const auto set = [&variables](std::string_view name, const fs::path &path) {
        variables.set(name, path.string());
    };
    set("Agent.HomeDirectory", layout.work.parent_path());
    set("Agent.RootDirectory", layout.work.parent_path());
    set("Agent.WorkFolder", layout.work);
    set("System.WorkFolder", layout.work);
    set("Agent.BuildDirectory", layout.workspace);
    set("Pipeline.Workspace", layout.workspace);
    set("Build.SourcesDirectory", layout.sources);
    set("Build.Repository.LocalPath", layout.sources);
    set("System.DefaultWorkingDirectory", layout.sources);
    set("Build.BinariesDirectory", layout.binaries);
    set("Build.ArtifactStagingDirectory", layout.staging);
    set("Build.StagingDirectory", layout.staging);
    set("System.ArtifactsDirectory", layout.staging);
    set("Common.TestResultsDirectory", layout.testResults);
    set("Agent.TempDirectory", layout.temp);
    set("Agent.ToolsDirectory", layout.tools);
}

/// What the first checkout step of `self` says of the repository (as the agent does it).
void setCheckoutVariables(JobContext &job)
{
    for (const schema::Step &step : job.message.steps) {
        const auto input = [&](std::string_view name) {
            const auto *value = schema::findText(step.inputs, name);
            return toLower(value == nullptr ? "" : job.variables.expand(*value));
        };
        if (step.task != schema::kCheckoutTaskId || input("repository") != "self")
            continue;
        const auto mode = input("submodules");
        job.variables.set("Build.Repository.Clean", input("clean") == "true" ? "True" : "False");
        job.variables.set("Build.Repository.Git.SubmoduleCheckout",
                          mode.empty() || mode == "false" ? "False" : "True");
        return;
    }
    job.variables.set("Build.Repository.Clean", "False");
    job.variables.set("Build.Repository.Git.SubmoduleCheckout", "False");
}

} // namespace

void setJobVariables(JobContext &job)
{
    const auto &message = job.message;
    maskSecrets(job);
    Variables &variables = job.variables;
    for (const auto &variable : message.variables)
        variables.set(variable.name, variable.value, variable.isSecret, variable.readOnly);

    setFolders(variables, job.layout);
    variables.set("Agent.OS", "Linux");
    variables.set("Agent.OSArchitecture", architecture());
    variables.set("Agent.Name", job.options.name);
    variables.set("Agent.MachineName", machineName());
    variables.set("Agent.Version", kAgentVersion);
    variables.set("Agent.IsSelfHosted", "1");
    variables.set("Agent.CloudId", ""); // there and empty: not one of Microsoft's machines
    variables.set("Agent.JobStatus", job.statusText());
    setWhenMissing(variables, "Agent.Id", "0"); // `slipway run`: no server has counted it
    setWhenMissing(variables, "Agent.JobName", message.displayName);
    setWhenMissing(variables, "Build.BuildId", std::to_string(message.runId));
    setWhenMissing(variables, "Build.BuildNumber", message.runNumber);
    setWhenMissing(variables, "Build.DefinitionName", message.pipelineName);
    setWhenMissing(variables, "System.TeamProject", message.project);
    setWhenMissing(variables, "System.DefinitionName", message.pipelineName);
    setWhenMissing(variables, "System.JobId", message.jobId);
    setWhenMissing(variables, "System.JobName", message.instanceName);
    setWhenMissing(variables, "System.JobDisplayName", message.displayName);
    setWhenMissing(variables, "System.JobIdentifier", message.identifier);
    setWhenMissing(variables, "System.JobAttempt", std::to_string(message.attempt));
    setWhenMissing(variables, "System.PhaseName", message.jobName);
    setWhenMissing(variables, "System.StageName", message.stageName);
    setWhenMissing(variables, "System.HostType", "build");
    setWhenMissing(variables, "System.JobParallelismTag", "Private");
    setWhenMissing(variables, "System.Culture", "en-US");
    setWhenMissing(variables, "System.CollectionUri", message.serverUrl);
    setWhenMissing(variables, "System.TeamFoundationCollectionUri", message.serverUrl);
    if (!message.jobToken.empty())
        variables.set("System.AccessToken", message.jobToken, true);
    if (message.environment) {
        const auto &environment = *message.environment;
        setWhenMissing(variables, "Environment.Name", environment.name);
        setWhenMissing(variables, "Environment.Id", std::to_string(environment.id));
        setWhenMissing(variables, "Environment.ResourceName", environment.resourceName);
        setWhenMissing(variables, "Environment.ResourceId", std::to_string(environment.resourceId));
        setWhenMissing(variables, "Strategy.Name", environment.strategy);
    }
    for (const auto &repository : message.repositories) {
        if (!equalsIgnoringCase(repository.alias, "self"))
            continue;
        setWhenMissing(variables, "Build.SourceVersion", repository.version);
        setWhenMissing(variables, "Build.SourceBranch", repository.ref);
        setWhenMissing(variables, "Build.Repository.Name", repository.name);
        setWhenMissing(variables, "Build.Repository.Uri", repository.url);
    }
    setCheckoutVariables(job);
    for (const auto name : kForeignTexts) {
        if (const Variable *variable = variables.find(name);
            variable != nullptr && !variable->secret)
            variables.set(name, neutralised(variable->value));
    }
    for (const auto &value : variables.derivedSecrets())
        job.masker.add(value);
}

} // namespace worker
