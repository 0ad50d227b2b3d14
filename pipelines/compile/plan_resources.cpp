// Pools, containers, resources, variables and environments.
#include "pipelines/compile/fields.h"
#include "pipelines/compile/plan_parts.h"

namespace pipelines::compiler {

using schema::Container;
using schema::Pool;
using schema::VariableEntry;
using yaml::Node;

namespace {

bool isDemand(std::string_view text)
{
    constexpr std::string_view kBlanks = " \t";
    const std::string_view demand = trim(text);
    const std::size_t end = demand.find_first_of(kBlanks);
    if (demand.empty() || demand.starts_with('-'))
        return false;
    if (end == std::string_view::npos)
        return true;
    const std::string_view rest = trim(demand.substr(end));
    const std::string_view relation = rest.substr(0, rest.find_first_of(kBlanks));
    return relation.size() < rest.size() &&
           (equalIgnoringCase(relation, "-equals") || equalIgnoringCase(relation, "-gtVersion"));
}

} // namespace

std::vector<VariableEntry> PlanBuilder::variables(const Node *list, expr::Slot slot,
                                                  Severity severity)
{
    std::vector<VariableEntry> out;
    if (list == nullptr)
        return out;
    for (const Node *item : list->items()) {
        VariableEntry entry;
        entry.name = text(*item, "name");
        entry.value = text(*item, "value");
        entry.group = text(*item, "group");
        entry.readOnly = flag(*item, "readonly", false);
        if (entry.name.empty() && entry.group.empty())
            continue;
        if (!entry.group.empty())
            entry.position = item->find("group")->position();
        if (const Node *const value = item->find("value"); value != nullptr)
            m_expressions.runtimeText("Variable " + entry.name, *value, slot, severity);
        if (!entry.name.empty())
            m_expressions.variableName(*item->find("name"), item->find("value"));
        out.push_back(std::move(entry));
    }
    return out;
}

std::optional<Pool> PlanBuilder::pool(const Node *node)
{
    if (node == nullptr || (node->isScalar() && node->text.empty()))
        return std::nullopt;
    Pool out;
    if (node->isScalar()) {
        out.server = node->text == "server";
        if (!out.server)
            out.name = node->text;
        return out;
    }
    out.name = text(*node, "name");
    out.vmImage = text(*node, "vmImage");
    checkDemands(node->find("demands"));
    out.demands = texts(node->find("demands"));
    if (out.name == "server" && out.vmImage.empty()) {
        out.server = true;
        out.name.clear();
    }
    return out;
}

/// `NAME`, `NAME -equals VALUE` or `NAME -gtVersion VERSION` (3.5). The service accepts other texts
/// and then finds no agent for the job.
void PlanBuilder::checkDemands(const Node *node)
{
    const auto check = [this](const Node &item) {
        if (!item.isScalar() || item.guessed || item.text.find('$') != std::string_view::npos)
            return;
        if (isDemand(item.text))
            return;
        report(item, "invalid-demand",
               "No worker can meet the demand '" + std::string(item.text) + "'",
               "write the name of a capability, or `NAME -equals VALUE`", Severity::Warning);
    };
    if (node == nullptr)
        return;
    if (node->isScalar() && !node->text.empty())
        check(*node);
    for (const Node *item : node->items())
        check(*item);
}

Container PlanBuilder::containerDefinition(const Node &node)
{
    Container out;
    out.image = text(node, "image");
    out.endpoint = text(node, "endpoint");
    if (!out.endpoint.empty())
        out.endpointPosition = node.find("endpoint")->position();
    out.options = text(node, "options");
    out.env = textMap(node.find("env"));
    out.ports = texts(node.find("ports"));
    out.volumes = texts(node.find("volumes"));
    out.mapDockerSocket = flag(node, "mapDockerSocket", true);
    out.localImage = flag(node, "localImage", false);
    if (const Node *folders = node.find("mountReadOnly")) {
        for (const char *name : {"work", "externals", "tools", "tasks"}) {
            if (flag(*folders, name, false))
                out.mountReadOnly.emplace_back(name);
        }
    }
    if (out.image.empty() && !text(node, "repository").empty())
        out.image = text(node, "registry") + "/" + text(node, "repository");
    return out;
}

void PlanBuilder::checkAliases(const Node *list, std::string_view key)
{
    Names aliases;
    for (const Node *item : list == nullptr ? std::span<const Node *const>{} : list->items()) {
        const std::string alias = text(*item, key);
        if (!alias.empty() && !aliases.insert(alias))
            report(*item->find(key), "duplicate-alias",
                   "The alias '" + alias + "' is declared more than once; the first one counts",
                   "rename one of the two", Severity::Warning);
    }
}

void PlanBuilder::resources(const Node &node)
{
    checkAliases(node.find("repositories"), "repository");
    checkAliases(node.find("containers"), "container");
    checkAliases(node.find("pipelines"), "pipeline");
    if (const Node *const list = node.find("containers")) {
        for (const Node *item : list->items()) {
            Container container = containerDefinition(*item);
            if (container.image.empty() && item->isMapping())
                report(*item, "missing-property", "Required property is missing: image");
            container.alias = text(*item, "container");
            m_containers.try_emplace(container.alias, m_plan.containers.size());
            m_plan.containers.emplace_back(container.alias, container);
        }
    }
    if (const Node *const list = node.find("pipelines")) {
        for (const Node *item : list->items()) {
            m_plan.pipelines.push_back({text(*item, "pipeline"), text(*item, "source"),
                                        text(*item, "project"), text(*item, "version"),
                                        text(*item, "branch")});
            m_pipelineAliases.insert(m_plan.pipelines.back().alias);
        }
    }
}

std::optional<std::string> PlanBuilder::unknownRepository(std::string_view name) const
{
    if (name.empty() || equalIgnoringCase(name, "self") || equalIgnoringCase(name, "none") ||
        name.find("://") != std::string_view::npos || name.find("$(") != std::string_view::npos ||
        m_repositoryAliases.contains(name))
        return std::nullopt;
    std::vector<std::string> known{"self", "none"};
    for (const auto &repository : m_plan.repositories)
        known.push_back(repository.alias);
    return nearest(name, known);
}

void PlanBuilder::uses(const Node *node, schema::Job &out)
{
    if (node == nullptr)
        return;
    const Node *const repositories = node->find("repositories");
    out.usedRepositories = texts(repositories);
    out.usedPools = texts(node->find("pools"));
    for (const Node *item :
         repositories == nullptr ? std::span<const Node *const>{} : repositories->items()) {
        const auto close =
            item->isScalar() && !item->guessed ? unknownRepository(item->text) : std::nullopt;
        if (close)
            report(*item, "unknown-repository",
                   m_where + ": uses.repositories references the repository '" +
                       std::string(item->text) + "' which is not defined by the pipeline",
                   close->empty() ? "declare it under resources.repositories"
                                  : "did you mean `" + *close + "`?");
    }
}

std::optional<Container> PlanBuilder::container(const Node *node)
{
    if (node == nullptr || (node->isScalar() && node->text.empty()))
        return std::nullopt;
    const std::string alias = node->isScalar() ? std::string(node->text) : text(*node, "alias");
    if (alias.empty() || node->find("image") != nullptr)
        return containerDefinition(*node);
    if (const auto found = m_containers.find(alias); found != m_containers.end())
        return m_plan.containers[found->second].second;
    Container image;
    image.image = alias;
    const bool looksLikeImage = alias.find_first_of(":@/") != std::string::npos ||
                                alias.find("$(") != std::string::npos ||
                                alias.find("$[") != std::string::npos;
    if (!looksLikeImage) {
        std::vector<std::string> known;
        known.reserve(m_plan.containers.size());
        for (const auto &[name, definition] : m_plan.containers)
            known.push_back(name);
        const std::string close = nearest(alias, known);
        report(*node, "unknown-container",
               "A container resource with name " + alias +
                   " could not be found. The container resource does not exist.",
               close.empty() ? "declare it under resources.containers, or name an image with "
                               "its tag"
                             : "did you mean `" + close + "`?");
    }
    return image;
}

} // namespace pipelines::compiler
