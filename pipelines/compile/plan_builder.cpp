#include "pipelines/compile/plan_builder.h"

#include "pipelines/base/text.h"
#include "pipelines/compile/expression_checks.h"
#include "pipelines/shape/shape.h"
#include "schema/base/guid.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace pipelines::compiler {
namespace {

using schema::Container;
using schema::DeploymentHook;
using schema::HookKind;
using schema::Job;
using schema::Pool;
using schema::RunPlan;
using schema::Stage;
using schema::Step;
using schema::TextMap;
using schema::VariableEntry;
using yaml::Entry;
using yaml::Node;

/// Names of one level, ignoring case, and fresh ones for what has none.
class Names
{
public:
    /// False when the name was taken.
    bool insert(const std::string &name) { return m_taken.insert(name).second; }

    /// "Stem1", "Stem2", ...: the next that is free. Remembers how far it got, since a job may have
    /// thousands of unnamed steps.
    std::string fresh(const std::string &stem)
    {
        for (int &next = m_next[stem];;) {
            std::string name = stem + std::to_string(++next);
            if (insert(name))
                return name;
        }
    }

private:
    std::unordered_set<std::string, HashIgnoringCase, EqualIgnoringCase> m_taken;
    std::unordered_map<std::string, int> m_next;
};

std::string text(const Node &mapping, std::string_view key, std::string_view otherwise = {})
{
    const Node *const value = mapping.find(key);
    return std::string(value != nullptr && value->isScalar() ? value->text : otherwise);
}

bool flag(const Node &mapping, std::string_view key, bool otherwise)
{
    bool value = otherwise;
    if (const Node *const node = mapping.find(key); node != nullptr && node->isScalar())
        shape::parseBoolean(node->text, value);
    return value;
}

std::vector<std::string> texts(const Node *list)
{
    std::vector<std::string> out;
    if (list == nullptr)
        return out;
    if (list->isScalar() && !list->text.empty())
        out.emplace_back(list->text);
    for (const Node *item : list->items()) {
        if (item->isScalar())
            out.emplace_back(item->text);
    }
    return out;
}

TextMap textMap(const Node *mapping)
{
    TextMap out;
    if (mapping == nullptr)
        return out;
    for (const Entry &entry : mapping->entries()) {
        if (entry.value->isScalar())
            out.emplace_back(entry.key->text, entry.value->text);
    }
    return out;
}

/// What a step without displayName is called (3.13).
std::string defaultTitle(const std::string &task, const TextMap &inputs)
{
    const auto input = [&](std::string_view name) {
        const std::string *const value = schema::findText(inputs, name);
        return value == nullptr ? std::string() : *value;
    };
    if (task == schema::kCheckoutTaskId)
        return "Checkout " + input("repository");
    if (task == schema::kDownloadTaskId)
        return "Download " + (input("artifact").empty() ? "artifacts" : input("artifact"));
    if (task == schema::kPublishTaskId)
        return "Publish " + (input("artifactName").empty() ? "artifact" : input("artifactName"));
    return task;
}

/// Stem of a generated reference name: letters, digits and underscores of the task's name.
std::string nameStem(const std::string &task)
{
    if (task == schema::kCheckoutTaskId)
        return "checkout";
    if (task == schema::kDownloadTaskId)
        return "download";
    if (task == schema::kPublishTaskId)
        return "publish";
    const std::size_t dot = task.rfind('.');
    std::string stem;
    for (const char c : dot == std::string::npos ? task : task.substr(dot + 1)) {
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
            stem += c;
    }
    return stem.empty() || (stem[0] >= '0' && stem[0] <= '9') ? "step" + stem : stem;
}

class Builder
{
public:
    Builder(const std::vector<schema::RepositoryResource> &repositories,
            std::vector<Diagnostic> &diagnostics)
        : m_diagnostics(diagnostics)
        , m_expressions(diagnostics)
    {
        m_plan.repositories = repositories;
    }

    RunPlan run(const Node &root)
    {
        m_plan.name = text(root, "name");
        m_plan.appendCommitMessageToRunName = flag(root, "appendCommitMessageToRunName", true);
        m_plan.lockBehavior = text(root, "lockBehavior") == "sequential"
                                  ? schema::LockBehavior::Sequential
                                  : schema::LockBehavior::RunLatest;
        m_plan.variables =
            variables(root.find("variables"), expr::Slot::RunVariable, Severity::Error);
        if (const Node *const list = root.find("resources"))
            resources(*list);
        const std::optional<Pool> rootPool = pool(root.find("pool"));
        const Node *const list = root.find("stages");
        if (list == nullptr)
            return std::move(m_plan);
        for (const Node *item : list->items()) {
            if (const std::string name = text(*item, "stage"); !name.empty())
                m_stageNames.insert(name);
        }
        for (const Node *item : list->items()) {
            if (item->isMapping())
                stage(*item, rootPool);
        }
        return std::move(m_plan);
    }

private:
    void report(const Node &node, std::string code, std::string message, std::string hint = {},
                Severity severity = Severity::Error)
    {
        Diagnostic diagnostic = makeDiagnostic(severity, std::move(code), std::move(message),
                                               node.position(), std::move(hint));
        diagnostic.includedFrom =
            yaml::includeChain(yaml::inheritedSource(node, m_expressions.via));
        m_diagnostics.push_back(std::move(diagnostic));
    }

    std::vector<VariableEntry> variables(const Node *list, expr::Slot slot, Severity severity)
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
            if (const Node *const value = item->find("value"); value != nullptr)
                m_expressions.variable(entry.name, *value, slot, severity);
            if (!entry.name.empty())
                m_expressions.variableName(*item->find("name"), item->find("value"));
            out.push_back(std::move(entry));
        }
        return out;
    }

    std::optional<Pool> pool(const Node *node)
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
        out.demands = texts(node->find("demands"));
        if (out.name == "server" && out.vmImage.empty()) {
            out.server = true;
            out.name.clear();
        }
        return out;
    }

    Container containerDefinition(const Node &node)
    {
        Container out;
        out.image = text(node, "image");
        out.endpoint = text(node, "endpoint");
        out.options = text(node, "options");
        out.env = textMap(node.find("env"));
        out.ports = texts(node.find("ports"));
        out.volumes = texts(node.find("volumes"));
        out.mapDockerSocket = flag(node, "mapDockerSocket", true);
        if (out.image.empty() && !text(node, "repository").empty())
            out.image = text(node, "registry") + "/" + text(node, "repository");
        return out;
    }

    void resources(const Node &node)
    {
        if (const Node *const list = node.find("containers")) {
            for (const Node *item : list->items()) {
                Container container = containerDefinition(*item);
                container.alias = text(*item, "container");
                m_plan.containers.emplace_back(container.alias, container);
            }
        }
        if (const Node *const list = node.find("pipelines")) {
            for (const Node *item : list->items())
                m_plan.pipelines.push_back({text(*item, "pipeline"), text(*item, "source"),
                                            text(*item, "project"), text(*item, "version"),
                                            text(*item, "branch")});
        }
    }

    /// Alias, image or inline definition (3.6).
    std::optional<Container> container(const Node *node)
    {
        if (node == nullptr || (node->isScalar() && node->text.empty()))
            return std::nullopt;
        const std::string alias = node->isScalar() ? std::string(node->text) : text(*node, "alias");
        if (alias.empty() || node->find("image") != nullptr)
            return containerDefinition(*node);
        for (const auto &[name, definition] : m_plan.containers) {
            if (equalIgnoringCase(name, alias))
                return definition;
        }
        Container image;
        image.image = alias;
        const bool looksLikeImage = alias.find_first_of(":@/") != std::string::npos ||
                                    alias.find("$(") != std::string::npos ||
                                    alias.find("$[") != std::string::npos;
        if (!looksLikeImage) {
            std::vector<std::string> known;
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

    void stage(const Node &node, const std::optional<Pool> &rootPool)
    {
        m_expressions.via = node.source;
        Stage out;
        out.name = text(node, "stage");
        if (out.name.empty())
            out.name = m_stageNames.fresh("Stage");
        out.displayName = text(node, "displayName", out.name);
        out.condition = text(node, "condition");
        out.position = node.position();
        out.id = schema::nameGuid("slipway.stage", toLower(out.name));
        if (const std::string lock = text(node, "lockBehavior"); !lock.empty())
            out.lockBehavior = lock == "sequential" ? schema::LockBehavior::Sequential
                                                    : schema::LockBehavior::RunLatest;
        out.manualTrigger = text(node, "trigger") == "manual";
        out.isSkippable = flag(node, "isSkippable", true);
        m_expressions.condition(node.find("condition"), expr::Slot::StageCondition);
        out.variables = variables(node.find("variables"), expr::Slot::RunVariable, Severity::Error);
        if (const Node *const list = node.find("dependsOn"))
            out.dependsOn = texts(list);
        else if (!m_plan.stages.empty())
            out.dependsOn = {m_plan.stages.back().name};
        std::optional<Pool> inherited = pool(node.find("pool"));
        if (!inherited)
            inherited = rootPool;
        Names names;
        const Node *const list = node.find("jobs");
        if (list != nullptr) {
            for (const Node *item : list->items()) {
                for (const std::string_view key : {"job", "deployment"}) {
                    if (const std::string name = text(*item, key); !name.empty())
                        names.insert(name);
                }
            }
            for (const Node *item : list->items()) {
                if (item->isMapping())
                    out.jobs.push_back(job(*item, out, inherited, names));
            }
        }
        m_plan.stages.push_back(std::move(out));
    }

    Job job(const Node &node, const Stage &stage, const std::optional<Pool> &inherited,
            Names &names)
    {
        m_expressions.via = node.source;
        Job out;
        out.isDeployment = node.find("deployment") != nullptr;
        out.name = text(node, out.isDeployment ? "deployment" : "job");
        if (out.name.empty())
            out.name = names.fresh("Job");
        m_jobName = out.name;
        m_where = "Job " + out.name;
        if (stage.name != "__default")
            m_where = "Stage " + stage.name + " job " + out.name;
        out.displayName = text(node, "displayName", out.name);
        if (out.displayName.empty())
            out.displayName = out.name;
        out.position = node.position();
        m_idSpace = toLower(stage.name + "." + out.name);
        out.id = schema::nameGuid("slipway.job", m_idSpace);
        out.dependsOn = texts(node.find("dependsOn"));
        out.condition = text(node, "condition");
        out.continueOnError = text(node, "continueOnError", "false");
        out.timeoutMinutes = text(node, "timeoutInMinutes", "60");
        out.cancelTimeoutMinutes = text(node, "cancelTimeoutInMinutes", "5");
        if (out.continueOnError.empty())
            out.continueOnError = "false";
        checkJobTexts(node, out);
        auto own = pool(node.find("pool"));
        out.pool = own ? *own : inherited.value_or(Pool{});
        out.container = container(node.find("container"));
        if (const Node *const services = node.find("services")) {
            for (const Entry &entry : services->entries()) {
                if (auto service = container(entry.value))
                    out.services.emplace_back(std::string(entry.key->text), std::move(*service));
            }
        }
        if (const Node *const workspace = node.find("workspace"))
            out.workspaceClean = text(*workspace, "clean");
        m_expressions.condition(node.find("condition"), expr::Slot::JobCondition);
        // The service validates nothing inside of job variables (10.8): a warning.
        out.variables =
            variables(node.find("variables"), expr::Slot::JobVariable, Severity::Warning);
        Names steps;
        if (out.isDeployment) {
            deployment(node, out, steps);
        } else {
            out.steps = stepList(node.find("steps"), steps, "");
            strategy(node.find("strategy"), out);
        }
        return out;
    }

    void checkJobTexts(const Node &node, const Job &job)
    {
        const auto dynamic = [](const std::string &value) {
            return value.find("$[") != std::string::npos || value.find("$(") != std::string::npos;
        };
        bool unused = false;
        if (!dynamic(job.continueOnError) && !shape::parseBoolean(job.continueOnError, unused))
            report(*node.find("continueOnError"), "not-a-boolean",
                   "Expected a Boolean value. Actual value: '" + job.continueOnError + "'",
                   "write true or false");
        for (const auto &[key, value] : {std::pair<std::string_view, const std::string &>{
                                             "timeoutInMinutes", job.timeoutMinutes},
                                         {"cancelTimeoutInMinutes", job.cancelTimeoutMinutes}}) {
            if (!value.empty() && !dynamic(value) && !number(value))
                report(*node.find(key), "not-a-number",
                       "Expected a number of minutes. Actual value: '" + value + "'",
                       "write a whole number of minutes");
        }
    }

    static std::optional<std::uint32_t> number(std::string_view value)
    {
        value = trim(value);
        if (value.empty() || value.size() > 9)
            return std::nullopt;
        std::uint32_t out = 0;
        for (const char c : value) {
            if (c < '0' || c > '9')
                return std::nullopt;
            out = out * 10 + static_cast<std::uint32_t>(c - '0');
        }
        return out;
    }

    void strategy(const Node *node, Job &out)
    {
        if (node == nullptr)
            return;
        out.maxParallel = text(*node, "maxParallel");
        out.parallel = text(*node, "parallel");
        const Node *const matrix = node->find("matrix");
        if (matrix == nullptr)
            return;
        if (matrix->isScalar()) {
            out.matrixExpression = matrix->text;
            return;
        }
        Names legs;
        for (const Entry &entry : matrix->entries()) {
            const std::string leg(entry.key->text);
            const bool valid = !leg.empty() && leg.size() <= 100 &&
                               !(leg[0] >= '0' && leg[0] <= '9') &&
                               std::all_of(leg.begin(), leg.end(), [](char c) {
                                   return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                          (c >= 'A' && c <= 'Z') || c == '_';
                               });
            if (leg.empty())
                report(*entry.key, "invalid-name", m_where + " has a matrix entry without a name.");
            else if (!legs.insert(leg))
                report(*entry.key, "duplicate-name",
                       m_where + ": The matrix configuration " + leg + " appears more than once.");
            else if (!valid)
                // Refused by the documentation (jobs.job.strategy), accepted by the service.
                report(*entry.key, "invalid-name",
                       m_where + " matrix configuration " + leg +
                           " has an invalid name. Valid names may only contain alphanumeric "
                           "characters and '_' and may not start with a number.",
                       "it runs, but its outputs cannot be named everywhere", Severity::Warning);
            out.matrix.push_back({leg, textMap(entry.value)});
        }
    }

    void deployment(const Node &node, Job &out, Names &steps)
    {
        if (equalIgnoringCase(out.name, "deploy"))
            report(*node.find("deployment"), "reserved-name",
                   "Job deploy: the name `deploy` is reserved for the hook",
                   "choose another name for the deployment job");
        const Node *const environment = node.find("environment");
        const bool hasName = environment != nullptr && !text(*environment, "name").empty();
        if (!hasName)
            report(environment != nullptr ? *environment : node, "missing-environment",
                   "Job " + out.name + ": Environment is required.", "add `environment: NAME`");
        else
            out.environment = environmentReference(*environment);
        const Node *const strategyNode = node.find("strategy");
        if (strategyNode == nullptr || !strategyNode->isMapping())
            // Accepted: people use such jobs to wait for the approvals of an environment.
            return report(node, "missing-strategy",
                          "Job " + out.name + ": a deployment job without a strategy runs no steps",
                          "add `strategy: {runOnce: {deploy: {steps: []}}}`", Severity::Warning);
        for (const Entry &entry : strategyNode->entries()) {
            const std::string_view key = entry.key->text;
            out.strategy = key == "rolling"  ? schema::DeploymentStrategy::Rolling
                           : key == "canary" ? schema::DeploymentStrategy::Canary
                                             : schema::DeploymentStrategy::RunOnce;
            hooks(*entry.value, out, steps);
            out.rollingMaxParallel = text(*entry.value, "maxParallel");
            if (!out.rollingMaxParallel.empty())
                checkRolling(*entry.value->find("maxParallel"), out.rollingMaxParallel);
            for (const std::string &increment : texts(entry.value->find("increments"))) {
                if (const auto value = number(increment); value && *value <= 100)
                    out.canaryIncrements.push_back(*value);
                else
                    report(*entry.value->find("increments"), "invalid-increment",
                           increment + " is not a percentage",
                           "increments are whole numbers from 1 to 100");
            }
        }
    }

    void checkRolling(const Node &node, const std::string &value)
    {
        const bool percent = value.ends_with('%');
        const auto count = number(percent ? value.substr(0, value.size() - 1) : value);
        if (!count && value.find('$') == std::string::npos)
            report(node, "invalid-rolling", value + " is not supported as rolling option.");
        else if (count && percent && (*count < 1 || *count > 100))
            report(node, "invalid-rolling", "Percentage rolling value should be with in 1 to 100.");
        else if (count && !percent && *count == 0)
            report(node, "invalid-rolling", "Absolute rolling value should be greater than zero.");
    }

    static schema::EnvironmentReference environmentReference(const Node &node)
    {
        schema::EnvironmentReference out;
        out.name = text(node, "name");
        out.resourceName = text(node, "resourceName");
        out.resourceType = text(node, "resourceType");
        if (const Node *const tags = node.find("tags")) {
            for (const std::string &list : texts(tags)) {
                std::string_view rest = list;
                while (!rest.empty()) {
                    const std::size_t comma = rest.find(',');
                    out.tags.emplace_back(trim(rest.substr(0, comma)));
                    rest = comma == std::string_view::npos ? std::string_view{}
                                                           : rest.substr(comma + 1);
                }
            }
        }
        if (!out.resourceName.empty() || node.find("resourceId") != nullptr)
            return out;
        // `env.resource`: the first dot that is not inside of a macro.
        int depth = 0;
        for (std::size_t i = 0; i < out.name.size(); ++i) {
            depth += out.name[i] == '(' ? 1 : out.name[i] == ')' ? -1 : 0;
            if (out.name[i] == '.' && depth <= 0) {
                out.resourceName = out.name.substr(i + 1);
                out.name.resize(i);
                break;
            }
        }
        return out;
    }

    void hooks(const Node &node, Job &out, Names &steps)
    {
        constexpr std::array<std::pair<std::string_view, HookKind>, 4> kHooks{
            {{"preDeploy", HookKind::PreDeploy},
             {"deploy", HookKind::Deploy},
             {"routeTraffic", HookKind::RouteTraffic},
             {"postRouteTraffic", HookKind::PostRouteTraffic}}};
        for (const auto &[key, kind] : kHooks) {
            if (const Node *const found = node.find(key))
                out.hooks.push_back(hook(*found, kind, steps));
        }
        const Node *const on = node.find("on");
        if (on == nullptr)
            return;
        if (const Node *const found = on->find("failure"))
            out.hooks.push_back(hook(*found, HookKind::OnFailure, steps));
        if (const Node *const found = on->find("success"))
            out.hooks.push_back(hook(*found, HookKind::OnSuccess, steps));
    }

    DeploymentHook hook(const Node &node, HookKind kind, Names &)
    {
        DeploymentHook out;
        out.kind = kind;
        Names names; // every hook is a job of its own
        out.steps = stepList(node.find("steps"), names, toString(kind));
        out.pool = pool(node.find("pool"));
        return out;
    }

    std::vector<Step> stepList(const Node *list, Names &names, std::string_view hook)
    {
        std::vector<Step> out;
        if (list == nullptr)
            return out;
        for (const Node *item : list->items()) {
            const std::string name = text(*item, "name");
            if (name.empty() || !flag(*item, "enabled", true))
                continue;
            if (!names.insert(name))
                report(*item->find("name"), "duplicate-name",
                       m_where + ": The step name " + name +
                           " appears more than once. Step names must be unique within a job.");
        }
        for (const Node *item : list->items()) {
            if (!item->isMapping() || !flag(*item, "enabled", true))
                continue;
            if (auto step = this->step(*item, names, hook))
                out.push_back(std::move(*step));
        }
        return out;
    }

    std::optional<Step> step(const Node &node, Names &names, std::string_view hook)
    {
        const Node *const task = node.find("task");
        if (task == nullptr || !task->isScalar())
            return std::nullopt; // the checker reported it
        m_expressions.via = node.source;
        Step out;
        out.name = text(node, "name");
        const std::size_t at = task->text.find('@');
        out.task = task->text.substr(0, at);
        if (at != std::string_view::npos)
            out.taskVersion = task->text.substr(at + 1);
        const std::string shownName = out.name;
        if (!isTaskReference(out))
            report(*task, "invalid-task",
                   m_where + ": Step " + shownName +
                       " has an invalid task definition reference. A valid task definition "
                       "reference must be either an ID or a name followed by a version: '" +
                       std::string(task->text) + "'",
                   "write `task: Name@1`");
        if (out.name.empty())
            out.name = names.fresh(nameStem(out.task));
        out.inputs = textMap(node.find("inputs"));
        out.env = textMap(node.find("env"));
        out.displayName = text(node, "displayName");
        if (out.displayName.empty())
            out.displayName = defaultTitle(out.task, out.inputs);
        out.condition = text(node, "condition");
        m_expressions.stepCondition(node.find("condition"), m_jobName, shownName);
        out.continueOnError = flag(node, "continueOnError", false);
        out.timeoutMinutes = minutes(node, "timeoutInMinutes");
        constexpr std::uint32_t kMostRetries = 10;
        out.retryCount = std::min(minutes(node, "retryCountOnTaskFailure"), kMostRetries);
        target(node.find("target"), out);
        out.position = node.position();
        out.includedFrom = yaml::includeChain(node.source);
        out.id = schema::nameGuid("slipway.step",
                                  m_idSpace + "." + std::string(hook) + "." + toLower(out.name));
        checkCheckout(node, out);
        return out;
    }

    static bool isTaskReference(const Step &step)
    {
        return !step.task.empty() && !step.taskVersion.empty() &&
               std::all_of(step.taskVersion.begin(), step.taskVersion.end(),
                           [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '*'; });
    }

    std::uint32_t minutes(const Node &node, std::string_view key)
    {
        const Node *const value = node.find(key);
        if (value == nullptr || !value->isScalar() || value->text.empty())
            return 0;
        if (const auto parsed = number(value->text))
            return *parsed;
        const bool macro = value->text.find("$(") != std::string_view::npos;
        report(*value, "not-a-number",
               "Expected a number. Actual value: '" + std::string(value->text) + "'",
               macro ? "macros are not expanded here; the limit is ignored"
                     : "write a whole number",
               macro ? Severity::Warning : Severity::Error);
        return 0;
    }

    static void target(const Node *node, Step &out)
    {
        if (node == nullptr || (node->isScalar() && node->text.empty()))
            return;
        schema::StepTarget target;
        if (node->isScalar()) {
            target.container = node->text;
        } else {
            target.container = text(*node, "container");
            target.restrictedCommands = text(*node, "commands") == "restricted";
            if (const Node *const settable = node->find("settableVariables")) {
                target.settableVariables.emplace();
                if (settable->isSequence())
                    target.settableVariables = texts(settable);
            }
        }
        out.target = std::move(target);
    }

    void checkCheckout(const Node &node, const Step &step)
    {
        if (step.task != schema::kCheckoutTaskId)
            return;
        const std::string *const name = schema::findText(step.inputs, "repository");
        if (name == nullptr || equalIgnoringCase(*name, "self") ||
            equalIgnoringCase(*name, "none") || name->find("://") != std::string::npos ||
            name->find("$(") != std::string::npos)
            return;
        std::vector<std::string> known{"self", "none"};
        for (const auto &repository : m_plan.repositories) {
            if (equalIgnoringCase(repository.alias, *name))
                return;
            known.push_back(repository.alias);
        }
        const std::string close = nearest(*name, known);
        report(node, "unknown-repository",
               "The checkout step references the repository '" + *name +
                   "' which is not defined by the pipeline",
               close.empty() ? "declare it under resources.repositories"
                             : "did you mean `" + close + "`?");
    }

    RunPlan m_plan;
    std::vector<Diagnostic> &m_diagnostics;
    ExpressionChecks m_expressions;
    Names m_stageNames;
    std::string m_where, m_idSpace, m_jobName;
};

} // namespace

RunPlan buildPlan(const yaml::Node &root,
                  const std::vector<schema::RepositoryResource> &repositories,
                  std::vector<Diagnostic> &diagnostics)
{
    return Builder(repositories, diagnostics).run(root);
}

} // namespace pipelines::compiler
