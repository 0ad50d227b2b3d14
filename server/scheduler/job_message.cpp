#include "server/scheduler/job_message.h"

#include "pipelines/run/job_repositories.h"
#include "pipelines/run/step_context.h"
#include "schema/base/guid.h"
#include "server/scheduler/decider.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <unordered_map>

namespace server::scheduler {
namespace {

using schema::protocol::JobMessage;
using schema::protocol::JobVariable;

std::string folded(std::string_view text)
{
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

/// Later definitions win; the position of the first stays. Names are found in any case.
class VariableList
{
public:
    void set(JobVariable variable)
    {
        const auto [place, isNew] = m_places.try_emplace(folded(variable.name), m_list.size());
        if (isNew)
            m_list.push_back(std::move(variable));
        else
            m_list[place->second] = std::move(variable);
    }

    void set(std::string name, std::string value)
    {
        set(JobVariable{std::move(name), std::move(value), false, true});
    }

    std::vector<JobVariable> take() { return std::move(m_list); }

private:
    std::vector<JobVariable> m_list;
    std::unordered_map<std::string, std::size_t> m_places; ///< by folded name
};

std::string reasonText(schema::RunReason reason)
{
    std::string text(schema::toString(reason)); // "individualCI" -> "IndividualCI"
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    return text;
}

std::string lastSegment(const std::string &ref)
{
    return ref.substr(ref.rfind('/') + 1);
}

std::string firstLine(const std::string &text)
{
    return text.substr(0, std::min<std::size_t>(text.find('\n'), 200));
}

std::string percentEncoded(std::string_view segment)
{
    std::string encoded;
    for (const unsigned char c : segment) {
        if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            encoded += static_cast<char>(c);
        else
            encoded += fmt::format("%{:02X}", c);
    }
    return encoded;
}

std::string provider(const std::string &type)
{
    return folded(type) == "github" ? "GitHub" : folded(type) == "git" ? "TfsGit" : type;
}

std::string repositoryUrl(const std::string &serverUrl, const std::string &project,
                          const std::string &name, bool hosted, const std::string &url)
{
    return hosted ? fmt::format("{}/{}/_git/{}", serverUrl, percentEncoded(project),
                                percentEncoded(name))
                  : url;
}

/// Those that the job may fetch: what it does not need, its credentials neither.
void addRepositories(JobMessage &message, const MessageInput &input, const schema::Job *planned)
{
    const store::RunFacts &facts = *input.facts;
    const store::RunRow &run = input.snapshot->run;
    message.repositories.push_back(
        {"self",
         facts.repositoryName,
         facts.repositoryType,
         repositoryUrl(input.serverUrl, facts.projectName, facts.repositoryName,
                       facts.repositoryHosted, facts.repositoryUrl),
         run.sourceBranch,
         run.sourceVersion,
         {}});
    const auto used =
        planned ? pipelines::run::jobRepositories(*planned) : pipelines::run::Aliases{};
    for (const schema::RepositoryResource &resource : input.snapshot->plan->repositories) {
        if (!used.contains(resource.alias))
            continue;
        schema::protocol::JobRepository repository{
            resource.alias, resource.name, resource.type, {}, resource.ref, {}, resource.endpoint};
        if (folded(resource.type) == "git") {
            // "project/repository" or "repository"
            const std::string name = lastSegment(resource.name);
            for (const store::Repository &known : input.repositories) {
                if (folded(known.name) == folded(name)) {
                    repository.name = known.name;
                    repository.url = repositoryUrl(input.serverUrl, facts.projectName, known.name,
                                                   known.hosted, known.url);
                    if (repository.ref.empty())
                        repository.ref = known.defaultBranch;
                }
            }
        } else if (folded(resource.type) == "github") {
            repository.url = "https://github.com/" + resource.name + ".git";
        }
        message.repositories.push_back(std::move(repository));
    }
}

void addEnvironment(JobMessage &message, const MessageInput &input, const schema::Job *planned)
{
    if (!input.environment)
        return;
    schema::protocol::JobEnvironment environment;
    environment.id = input.environment->id;
    environment.name = input.environment->name;
    if (input.resource) {
        environment.resourceId = input.resource->id;
        environment.resourceName = input.resource->name;
        environment.resourceType = input.resource->type;
        environment.kubernetesNamespace = input.resource->kubernetesNamespace;
        environment.connection = input.resource->connectionId.value_or("");
    }
    environment.hookName = input.job->hook;
    const auto strategy = planned ? planned->strategy : schema::DeploymentStrategy::RunOnce;
    environment.strategy = strategy == schema::DeploymentStrategy::Rolling  ? "rolling"
                           : strategy == schema::DeploymentStrategy::Canary ? "canary"
                                                                            : "runOnce";
    message.environment = std::move(environment);
}

bool has(const std::vector<JobVariable> &variables, std::string_view name)
{
    return std::any_of(variables.begin(), variables.end(), [&](const JobVariable &variable) {
        return folded(variable.name) == folded(name);
    });
}

std::vector<JobVariable> jobVariables(const MessageInput &input, const JobMessage &message,
                                      const schema::Stage *stage, const schema::Job *planned)
{
    const RunSnapshot &snapshot = *input.snapshot;
    const store::JobRow &job = *input.job;
    VariableList list;
    for (const JobVariable &variable : snapshot.variables)
        list.set(variable);
    for (const JobVariable &variable : input.instance->variables)
        list.set(variable);
    const std::string base = input.serverUrl + "/";
    list.set("System.CollectionUri", base);
    list.set("System.TeamFoundationCollectionUri", base);
    list.set("System.TeamFoundationServerUri", base);
    list.set("System.TaskDefinitionsUri", base);
    list.set(JobVariable{"System.AccessToken", input.jobToken, true, true});
    list.set("Build.Repository.Uri", message.repositories.front().url);
    if (stage) {
        const auto row = snapshot.stages.find(job.stage);
        list.set("System.StageName", stage->name);
        list.set("System.StageDisplayName",
                 stage->displayName.empty() ? stage->name : stage->displayName);
        list.set("System.StageAttempt",
                 std::to_string(row == snapshot.stages.end() ? 1 : row->second.attempt));
    }
    if (input.stageRequestedBy) {
        list.set("Build.StageRequestedBy", input.stageRequestedBy->displayName);
        list.set("Build.StageRequestedForId", input.stageRequestedBy->id);
    }
    if (has(snapshot.variables, "System.PullRequest.PullRequestId"))
        list.set("System.PullRequest.SourceRepositoryUri", message.repositories.front().url);
    list.set("System.PhaseName", job.phase);
    list.set("System.PhaseDisplayName",
             planned && !planned->displayName.empty() ? planned->displayName : job.phase);
    list.set("System.PhaseAttempt", std::to_string(job.attempt));
    list.set("System.JobName", job.name);
    list.set("System.JobDisplayName", job.displayName);
    list.set("System.JobId", job.id);
    list.set("System.JobIdentifier", job.identifier);
    list.set("System.JobAttempt", std::to_string(job.attempt));
    list.set("System.JobPositionInPhase", std::to_string(input.instance->position));
    list.set("System.TotalJobsInPhase", std::to_string(input.instance->total));
    list.set("Agent.JobName", job.displayName);
    list.set("Agent.Id", std::to_string(input.workerId));
    if (message.environment) {
        list.set("Environment.Name", message.environment->name);
        list.set("Environment.Id", std::to_string(message.environment->id));
        list.set("Environment.ResourceName", message.environment->resourceName);
        list.set("Environment.ResourceId", message.environment->resourceId == 0
                                               ? ""
                                               : std::to_string(message.environment->resourceId));
        list.set("Strategy.Name", message.environment->strategy);
    }
    return list.take();
}

} // namespace

std::vector<JobVariable> runVariables(const store::RunRow &run, const store::RunFacts &facts)
{
    VariableList list;
    const auto given = nlohmann::ordered_json::parse(run.variablesJson, nullptr, false);
    if (given.is_object()) {
        for (const auto &[name, value] : given.items())
            list.set(JobVariable{name, value.is_string() ? value.get<std::string>() : value.dump(),
                                 false, false});
    }
    const std::string who =
        facts.requestedByName.empty() ? run.commitAuthor : facts.requestedByName;
    list.set("System.HostType", "build");
    list.set("System.ServerType", "Slipway");
    list.set("System.CollectionId", schema::nameGuid("slipway", "collection"));
    list.set("System.TeamProject", facts.projectName);
    list.set("System.TeamProjectId", facts.projectId);
    list.set("System.DefinitionId", std::to_string(run.pipelineId));
    list.set("System.DefinitionName", facts.pipelineName);
    list.set("System.PlanId", run.planId);
    list.set("System.TimelineId", run.planId);
    list.set("System.IsTriggeringRepository", "True");
    list.set("System.JobParallelismTag", "Private");
    list.set("System.PullRequest.IsFork", "False");
    for (const char *name : {"Resources.TriggeringAlias", "Resources.TriggeringCategory"})
        list.set(name, ""); // there in every run, with a value when a resource started it
    const auto trigger = nlohmann::ordered_json::parse(run.triggerJson, nullptr, false);
    if (trigger.is_object()) {
        for (const auto &[name, value] : trigger.items())
            if (value.is_string() && !name.starts_with("Slipway."))
                list.set(name, value.get<std::string>());
    }
    list.set("Build.BuildId", std::to_string(run.id));
    list.set("Build.BuildNumber", run.number);
    list.set("Build.BuildUri", fmt::format("vstfs:///Build/Build/{}", run.id));
    list.set("Build.ContainerId", std::to_string(run.id));
    list.set("Build.DefinitionName", facts.pipelineName);
    list.set("Build.DefinitionVersion", std::to_string(facts.pipelineRevision));
    list.set("Build.DefinitionFolderPath", facts.pipelineFolder);
    list.set("Build.Reason", reasonText(run.reason));
    for (const char *name : {"Build.QueuedBy", "Build.RequestedFor"}) {
        list.set(name, who);
        list.set(std::string(name) + "Id", run.requestedBy.value_or(""));
    }
    list.set("Build.StageRequestedBy", who);
    list.set("Build.StageRequestedForId", run.requestedBy.value_or(""));
    list.set("Build.RequestedForEmail", facts.requestedByUniqueName);
    list.set("Build.Repository.ID", facts.repositoryId);
    list.set("Build.Repository.Name", facts.repositoryName);
    list.set("Build.Repository.Provider", provider(facts.repositoryType));
    list.set("Build.SourceBranch", run.sourceBranch);
    list.set("Build.SourceBranchName", lastSegment(run.sourceBranch));
    list.set("Build.SourceVersion", run.sourceVersion);
    list.set("Build.SourceVersionAuthor", run.commitAuthor);
    list.set("Build.SourceVersionMessage", firstLine(run.commitMessage));
    return list.take();
}

JobMessage buildMessage(const MessageInput &input)
{
    const RunSnapshot &snapshot = *input.snapshot;
    const store::JobRow &job = *input.job;
    const PlanIndex::Place *place = planIndexOf(snapshot).find(job.stage, job.phase);
    const schema::Stage *stage = place ? place->stage : findStage(*snapshot.plan, job.stage);
    const schema::Job *planned = place ? place->job : nullptr;
    JobMessage message;
    message.jobId = job.id;
    message.recordId = job.recordId;
    message.runId = snapshot.run.id;
    message.runNumber = snapshot.run.number;
    message.project = input.facts->projectName;
    message.pipelineName = input.facts->pipelineName;
    message.stageName = job.stage;
    message.jobName = job.phase;
    message.instanceName = job.name;
    message.displayName = job.displayName;
    message.identifier = job.identifier;
    message.attempt = job.attempt;
    message.steps = input.instance->steps;
    for (schema::Step &step : message.steps)
        step.id = schema::nameGuid(job.recordId,
                                   step.id); // matrix legs share steps, their records must differ
    message.container = input.instance->container;
    if (planned) {
        message.services = planned->services;
        message.workspaceClean = planned->workspaceClean;
    }
    message.containers = snapshot.plan->containers;
    message.timeoutMinutes = input.instance->timeoutMinutes;
    message.cancelTimeoutMinutes = input.instance->cancelTimeoutMinutes;
    message.serverUrl = input.serverUrl;
    message.jobToken = input.jobToken;
    addRepositories(message, input, planned);
    addEnvironment(message, input, planned);
    message.variables = jobVariables(input, message, stage, planned);
    return message;
}

std::set<std::string> connectionsOf(const JobMessage &message,
                                    const std::vector<std::string> &known)
{
    std::set<std::string> used;
    const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
        for (const JobVariable &variable : message.variables) {
            if (folded(variable.name) == folded(name))
                return variable.value;
        }
        return std::nullopt;
    };
    const auto consider = [&](std::string_view text) {
        if (text.empty() || text.size() > 512)
            return;
        const std::string value = folded(text.find("$(") == std::string_view::npos
                                             ? std::string(text)
                                             : pipelines::run::expandMacros(text, lookup));
        for (const std::string &name : known) {
            if (folded(name) == value)
                used.insert(name);
        }
    };
    for (const schema::Step &step : message.steps) {
        for (const auto &[name, value] : step.inputs)
            consider(value);
    }
    if (message.container)
        consider(message.container->endpoint);
    for (const auto &[alias, container] : message.services)
        consider(container.endpoint);
    for (const auto &[alias, container] : message.containers)
        consider(container.endpoint);
    for (const auto &repository : message.repositories)
        consider(repository.connection);
    if (message.environment)
        consider(message.environment->connection);
    return used;
}

} // namespace server::scheduler
