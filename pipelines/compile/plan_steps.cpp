// Steps.
#include "pipelines/compile/fields.h"
#include "pipelines/compile/plan_parts.h"
#include "pipelines/compile/task_checks.h"
#include "schema/base/guid.h"

#include <algorithm>
#include <array>

namespace pipelines::compiler {

using schema::Step;
using schema::TextMap;
using yaml::Node;

namespace {

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

} // namespace

std::vector<Step> PlanBuilder::stepList(const Node *list, Names &names, std::string_view hook)
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
                       " appears more than once. Step names must be unique within a job.",
                   "rename one of the two");
    }
    for (const Node *item : list->items()) {
        if (!item->isMapping() || !flag(*item, "enabled", true))
            continue;
        if (auto step = this->step(*item, names, hook))
            out.push_back(std::move(*step));
    }
    return out;
}

std::optional<Step> PlanBuilder::step(const Node &node, Names &names, std::string_view hook)
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
    if (!isTaskReference(out) && !task->text.empty())
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
    checkReferences(node, out);
    // `downloadBuild` and `getPackage` refer to a resource, which decides the task's own inputs.
    const Node *const inputs = node.find("inputs");
    if (m_tasks != nullptr && (inputs == nullptr || inputs->find("alias") == nullptr))
        checkTask(
            node, out, *m_tasks,
            [this](const Node &where, std::string code, std::string message, std::string hint) {
                // A key that the step itself refused is no input either.
                if (code == "unknown-input" && wasRefused(where))
                    return;
                report(where, std::move(code), std::move(message), std::move(hint),
                       Severity::Warning);
            });
    return out;
}

bool PlanBuilder::wasRefused(const Node &key) const
{
    return std::any_of(m_diagnostics.begin(), m_diagnostics.end(), [&](const Diagnostic &one) {
        return one.code == "unexpected-value" && one.position.line == key.line &&
               one.position.column == key.column && key.source != nullptr &&
               one.position.file == key.source->name;
    });
}

bool PlanBuilder::isTaskReference(const Step &step)
{
    return !step.task.empty() && !step.taskVersion.empty() &&
           std::all_of(step.taskVersion.begin(), step.taskVersion.end(),
                       [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '*'; });
}

std::uint32_t PlanBuilder::minutes(const Node &node, std::string_view key)
{
    const Node *const value = node.find(key);
    if (value == nullptr || !value->isScalar() || value->text.empty())
        return 0;
    if (const auto parsed = wholeNumber(value->text))
        return *parsed;
    const bool macro = value->text.find("$(") != std::string_view::npos;
    report(*value, "not-a-number",
           "Expected a number. Actual value: '" + std::string(value->text) + "'",
           macro ? "macros are not expanded here; the limit is ignored" : "write a whole number",
           macro ? Severity::Warning : Severity::Error);
    return 0;
}

void PlanBuilder::target(const Node *node, Step &out)
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

void PlanBuilder::remarkRuntimeTexts(const Node &node)
{
    const auto look = [this](const Node *value) {
        const std::string_view text =
            value != nullptr && value->isScalar() ? trim(value->text) : std::string_view{};
        if (text.starts_with("$[") && text.ends_with("]"))
            report(*value, "runtime-expression-as-text",
                   "`$[ ]` is evaluated in variables and keys of jobs only: the step gets the text "
                   "as it stands",
                   "give it to a variable of the job, and write $(name) here", Severity::Warning);
    };
    look(node.find("displayName"));
    for (const char *const key : {"inputs", "env"}) {
        const Node *const texts = node.find(key);
        for (const yaml::Entry &entry :
             texts == nullptr ? std::span<const yaml::Entry>{} : texts->entries())
            look(entry.value);
    }
}

void PlanBuilder::checkReferences(const Node &node, const Step &step)
{
    remarkRuntimeTexts(node);
    checkTarget(node, step);
    checkCheckout(node, step);
    checkDownload(node, step);

    // Tasks that are known to need a worker; others may be tasks of the server (15.4).
    struct OfWorkers
    {
        std::string_view task, shown;
    };

    constexpr std::array<OfWorkers, 6> kOfWorkers{{{"CmdLine", "CmdLine"},
                                                   {"Bash", "Bash"},
                                                   {"PowerShell", "PowerShell"},
                                                   {schema::kCheckoutTaskId, "checkout"},
                                                   {schema::kDownloadTaskId, "download"},
                                                   {schema::kPublishTaskId, "publish"}}};
    const auto *const needsWorker =
        std::find_if(kOfWorkers.begin(), kOfWorkers.end(), [&](const OfWorkers &known) {
            return equalIgnoringCase(step.task, known.task);
        });
    if (m_job->pool.server && !m_job->isDeployment && needsWorker != kOfWorkers.end() &&
        step.condition != "false")
        report(node, "no-agent",
               m_where + ": Step " + text(node, "name") + " references task '" +
                   std::string(needsWorker->shown) + "' at version '" + step.taskVersion +
                   "' which is not valid for the given job target.",
               "jobs of `pool: server` have no worker: move the step into a job with another pool");
}

void PlanBuilder::checkTarget(const Node &node, const Step &step)
{
    if (!step.target || step.target->container.empty() ||
        step.target->container.find('$') != std::string::npos ||
        equalIgnoringCase(step.target->container, "host"))
        return;
    const std::string &name = step.target->container;
    const auto isService = [&](const auto &service) {
        return equalIgnoringCase(service.first, name);
    };
    if (m_containers.contains(name) ||
        std::any_of(m_job->services.begin(), m_job->services.end(), isService))
        return;
    std::vector<std::string> known{"host"};
    for (const auto &[service, definition] : m_job->services)
        known.push_back(service);
    for (const auto &[alias, definition] : m_plan.containers)
        known.push_back(alias);
    const std::string close = nearest(name, known);
    report(*node.find("target"), "unknown-container",
           "A container resource with name " + name +
               " could not be found. The container resource does not exist.",
           close.empty() ? "declare it under resources.containers, or write `host`"
                         : "did you mean `" + close + "`?");
}

void PlanBuilder::checkDownload(const Node &node, const Step &step)
{
    if (step.task != schema::kDownloadTaskId)
        return;
    const std::string *const alias = schema::findText(step.inputs, "alias");
    if (alias == nullptr || alias->empty() || alias->find('$') != std::string::npos)
        return;
    if (equalIgnoringCase(*alias, "current") || equalIgnoringCase(*alias, "none") ||
        m_pipelineAliases.contains(*alias))
        return;
    std::vector<std::string> known{"current", "none"};
    for (const auto &pipeline : m_plan.pipelines)
        known.push_back(pipeline.alias);
    const std::string close = nearest(*alias, known);
    report(node, "unknown-pipeline",
           "The download step references the pipeline '" + *alias +
               "' which is not declared under resources.pipelines",
           close.empty() ? "declare it, or write `current` for artifacts of this run"
                         : "did you mean `" + close + "`?",
           Severity::Warning);
}

void PlanBuilder::checkCheckout(const Node &node, const Step &step)
{
    if (step.task != schema::kCheckoutTaskId)
        return;
    const std::string *const name = schema::findText(step.inputs, "repository");
    const auto close = name != nullptr ? unknownRepository(*name) : std::nullopt;
    if (close)
        report(node, "unknown-repository",
               "The checkout step references the repository '" + *name +
                   "' which is not defined by the pipeline",
               close->empty() ? "declare it under resources.repositories"
                              : "did you mean `" + *close + "`?");
    if (name != nullptr && name->find("$(") != std::string::npos && m_job != nullptr &&
        m_job->usedRepositories.empty())
        report(node, "undeclared-repository",
               "The checkout step names a repository by a macro, and the job declares none: it can "
               "fetch `self` only",
               "name what it may be under `uses: {repositories: [...]}` of the job",
               Severity::Warning);
}

} // namespace pipelines::compiler
