#include "server/triggers/plan_references.h"

#include "pipelines/base/text.h"
#include "pipelines/run/step_context.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace server::triggers {

using pipelines::Diagnostic;
using schema::SourcePosition;

namespace {

bool contains(const std::vector<std::string> &names, std::string_view name)
{
    return std::any_of(names.begin(), names.end(), [&](const std::string &candidate) {
        return pipelines::equalIgnoringCase(candidate, name);
    });
}

/// Known only while the run goes on.
bool isDynamic(std::string_view text)
{
    return text.find("$(") != std::string_view::npos || text.find("$[") != std::string_view::npos;
}

std::string listed(const std::vector<std::string> &names)
{
    std::string out;
    for (const auto &name : names)
        out += (out.empty() ? "" : ", ") + ("'" + name + "'");
    return out.empty() ? "none exist yet" : "known: " + out;
}

/// Task inputs that hold a service connection: of the built-in tasks and the common ones.
constexpr std::array<std::string_view, 12> kConnectionInputs{"containerRegistry",
                                                             "kubernetesServiceConnection",
                                                             "kubernetesServiceEndpoint",
                                                             "dockerRegistryEndpoint",
                                                             "dockerRegistryServiceConnection",
                                                             "dockerRegistryConnection",
                                                             "dockerHostEndpoint",
                                                             "connectedServiceName",
                                                             "connectedServiceNameARM",
                                                             "azureSubscriptionEndpoint",
                                                             "azureSubscription",
                                                             "serviceConnection"};

using Variables = std::vector<schema::VariableEntry>;

class Search
{
public:
    explicit Search(const KnownNames &known)
        : m_known(known)
    {}

    void variables(const std::vector<schema::VariableEntry> &entries, const SourcePosition &at)
    {
        for (const auto &entry : entries)
            if (!entry.group.empty() && !isDynamic(entry.group) &&
                !contains(m_known.groups, entry.group))
                add("unknown-variable-group", "variable group '" + entry.group + "' does not exist",
                    entry.position.line > 0 ? entry.position : at,
                    "create it under Library or correct the name; " + listed(m_known.groups));
    }

    /// The variables that macros see from now on, outermost first.
    void look(std::vector<const Variables *> scopes) { m_scopes = std::move(scopes); }

    void connection(const std::string &given, const std::string &where, const SourcePosition &at)
    {
        const std::string name = resolved(given);
        if (name.empty() || isDynamic(name) || contains(m_known.connections, name))
            return;
        add("unknown-service-connection",
            where + " refers to service connection '" + name + "', which does not exist", at,
            "create it under Library > Service connections or correct the name; " +
                listed(m_known.connections));
    }

    void steps(const std::vector<schema::Step> &list)
    {
        for (const auto &step : list)
            for (const auto &[input, value] : step.inputs)
                for (const auto known : kConnectionInputs)
                    if (pipelines::equalIgnoringCase(input, known))
                        connection(value, "input '" + input + "' of task " + step.task,
                                   step.position);
    }

    void container(const std::optional<schema::Container> &container)
    {
        if (container && container->alias.empty()) // a resource is looked at where it is declared
            connection(container->endpoint, "container '" + container->image + "'",
                       container->endpointPosition);
    }

    void environment(const schema::Job &job)
    {
        if (!job.environment || isDynamic(job.environment->name))
            return;
        const auto found = std::find_if(
            m_known.environments.begin(), m_known.environments.end(), [&](const auto &candidate) {
                return pipelines::equalIgnoringCase(candidate.name, job.environment->name);
            });
        if (found == m_known.environments.end()) {
            std::vector<std::string> names;
            names.reserve(m_known.environments.size());
            for (const auto &candidate : m_known.environments)
                names.push_back(candidate.name);
            if (!m_known.mayCreateEnvironments)
                add("unknown-environment",
                    "environment '" + job.environment->name +
                        "' could not be found and a run that no person asked for does not "
                        "create one",
                    job.position,
                    "create it under Environments or queue the run by hand once; " + listed(names));
            return;
        }
        const auto &resource = job.environment->resourceName;
        if (!resource.empty() && !isDynamic(resource) && !contains(found->resources, resource))
            add("unknown-environment-resource",
                "environment '" + found->name + "' has no resource '" + resource + "'",
                job.position, "add it to the environment; " + listed(found->resources));
    }

    std::vector<Diagnostic> take() { return std::move(m_found); }

private:
    /// With the macros replaced whose values stand in the file; others stay.
    [[nodiscard]] std::string resolved(const std::string &text) const
    {
        return pipelines::run::expandMacros(
            text, [this](std::string_view name) -> std::optional<std::string> {
                for (auto scope = m_scopes.rbegin(); scope != m_scopes.rend(); ++scope) {
                    // The last definition wins; a group may hold the name, too.
                    for (auto entry = (*scope)->rbegin(); entry != (*scope)->rend(); ++entry) {
                        if (!entry->group.empty())
                            return std::nullopt;
                        if (pipelines::equalIgnoringCase(entry->name, name))
                            return entry->value;
                    }
                }
                return std::nullopt;
            });
    }

    void add(std::string code, std::string message, const SourcePosition &at, std::string hint)
    {
        const auto key = code + message + at.file + std::to_string(at.line);
        if (!m_seen.insert(key).second)
            return;
        Diagnostic diagnostic;
        diagnostic.code = std::move(code);
        diagnostic.message = std::move(message);
        diagnostic.position = at;
        diagnostic.hint = std::move(hint);
        m_found.push_back(std::move(diagnostic));
    }

    const KnownNames &m_known;
    std::vector<const Variables *> m_scopes;
    std::vector<Diagnostic> m_found;
    std::set<std::string> m_seen;
};

} // namespace

std::vector<Diagnostic> missingReferences(const schema::RunPlan &plan, const KnownNames &known)
{
    Search search(known);
    const SourcePosition root = plan.stages.empty()
                                    ? SourcePosition{}
                                    : SourcePosition{plan.stages.front().position.file, 1, 1};
    search.look({&plan.variables});
    search.variables(plan.variables, root);
    for (const auto &repository : plan.repositories)
        search.connection(repository.endpoint, "repository resource '" + repository.alias + "'",
                          repository.endpointPosition);
    for (const auto &[alias, container] : plan.containers)
        search.connection(container.endpoint, "container resource '" + alias + "'",
                          container.endpointPosition);
    for (const auto &stage : plan.stages) {
        search.variables(stage.variables, stage.position);
        for (const auto &job : stage.jobs) {
            search.look({&plan.variables, &stage.variables, &job.variables});
            search.variables(job.variables, job.position);
            search.steps(job.steps);
            for (const auto &hook : job.hooks)
                search.steps(hook.steps);
            search.container(job.container);
            search.environment(job);
        }
    }
    return search.take();
}

} // namespace server::triggers
