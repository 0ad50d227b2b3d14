#include "pipelines/compile/plan_builder.h"

#include "pipelines/compile/fields.h"
#include "pipelines/compile/plan_parts.h"
#include "pipelines/run/limits.h"
#include "pipelines/run/run_number.h"
#include "pipelines/shape/shape.h"
#include "schema/base/guid.h"

namespace pipelines::compiler {

using schema::Job;
using schema::Pool;
using schema::RunPlan;
using schema::Stage;
using yaml::Entry;
using yaml::Node;

PlanBuilder::PlanBuilder(const std::vector<schema::RepositoryResource> &repositories,
                         const schema::TaskCatalogue *tasks, const expr::ParseLimits &limits,
                         IsDependencyOfBranch isDependencyOfBranch,
                         std::vector<Diagnostic> &diagnostics)
    : m_tasks(tasks)
    , m_diagnostics(diagnostics)
    , m_expressions(diagnostics, limits, std::move(isDependencyOfBranch))
{
    m_plan.repositories = repositories;
    for (const auto &repository : repositories)
        m_repositoryAliases.insert(repository.alias);
}

RunPlan PlanBuilder::run(const Node &root)
{
    m_plan.name = text(root, "name");
    if (const Node *const name = root.find("name"); name != nullptr && name->isScalar())
        checkRunNumber(*name);
    m_plan.appendCommitMessageToRunName = flag(root, "appendCommitMessageToRunName", true);
    m_plan.lockBehavior = text(root, "lockBehavior") == "sequential"
                              ? schema::LockBehavior::Sequential
                              : schema::LockBehavior::RunLatest;
    m_plan.variables = variables(root.find("variables"), expr::Slot::RunVariable, Severity::Error);
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

void PlanBuilder::report(const Node &node, std::string code, std::string message, std::string hint,
                         Severity severity)
{
    Diagnostic diagnostic = makeDiagnostic(severity, std::move(code), std::move(message),
                                           node.position(), std::move(hint));
    diagnostic.includedFrom = yaml::includeChain(yaml::inheritedSource(node, m_expressions.via));
    append(m_diagnostics, std::move(diagnostic));
}

void PlanBuilder::stage(const Node &node, const std::optional<Pool> &rootPool)
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
    if (const Node *const list = node.find("dependsOn"))
        out.dependsOn = texts(list);
    else if (!m_plan.stages.empty())
        out.dependsOn = {m_plan.stages.back().name};
    m_expressions.stage = &out;
    out.variables = variables(node.find("variables"), expr::Slot::RunVariable, Severity::Error);
    m_expressions.condition(node.find("condition"), expr::Slot::StageCondition,
                            out.dependsOn.empty());
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
    m_expressions.stage = nullptr;
    m_plan.stages.push_back(std::move(out));
}

Job PlanBuilder::job(const Node &node, const Stage &stage, const std::optional<Pool> &inherited,
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
    m_expressions.job = &out;
    out.condition = text(node, "condition");
    out.continueOnError = text(node, "continueOnError", "false");
    out.timeoutMinutes = text(node, "timeoutInMinutes", "60");
    out.cancelTimeoutMinutes = text(node, "cancelTimeoutInMinutes", "5");
    if (out.continueOnError.empty())
        out.continueOnError = "false";
    checkJobTexts(node, out);
    checkRuntimeKeys(node);
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
    uses(node.find("uses"), out);
    m_expressions.condition(node.find("condition"), expr::Slot::JobCondition,
                            out.dependsOn.empty());
    // The service validates nothing inside of job variables (10.8): a warning.
    out.variables = variables(node.find("variables"), expr::Slot::JobVariable, Severity::Warning);
    m_job = &out;
    Names steps;
    if (out.isDeployment) {
        deployment(node, out, steps);
    } else {
        out.steps = stepList(node.find("steps"), steps, "");
        strategy(node.find("strategy"), out);
    }
    m_job = nullptr;
    m_expressions.job = nullptr;
    return out;
}

void PlanBuilder::checkJobTexts(const Node &node, const Job &job)
{
    const auto dynamic = [](const std::string &value) {
        return value.find("$[") != std::string::npos || value.find("$(") != std::string::npos;
    };
    bool unused = false;
    if (!dynamic(job.continueOnError) && !shape::parseBoolean(job.continueOnError, unused))
        report(*node.find("continueOnError"), "not-a-boolean",
               "Expected a Boolean value. Actual value: '" + job.continueOnError + "'",
               "write true or false");
    for (const auto &[key, value] :
         {std::pair<std::string_view, const std::string &>{"timeoutInMinutes", job.timeoutMinutes},
          {"cancelTimeoutInMinutes", job.cancelTimeoutMinutes}}) {
        if (!value.empty() && !dynamic(value) && !wholeNumber(value))
            report(*node.find(key), "not-a-number",
                   "Expected a number of minutes. Actual value: '" + value + "'",
                   "write a whole number of minutes");
    }
    if (const Node *const cancel = node.find("cancelTimeoutInMinutes"))
        checkCancelTimeout(*cancel, job.cancelTimeoutMinutes);
}

/// The range is documented (jobs.job); that the service refuses what is outside is not.
void PlanBuilder::checkCancelTimeout(const Node &node, const std::string &value)
{
    const auto minutes = wholeNumber(value);
    if (!minutes || node.guessed ||
        (*minutes >= run::kLeastCancelMinutes && *minutes <= run::kMostCancelMinutes))
        return;
    report(node, "timeout-range",
           "The value of cancelTimeoutInMinutes is between 1 and 35790 minutes. Actual value: '" +
               value + "'",
           *minutes == 0 ? "1 minute counts" : "35790 minutes count", Severity::Warning);
}

/// What is literal in a run number is judged before any run: variables and revisions are taken as
/// if they were harmless, dates as some moment.
void PlanBuilder::checkRunNumber(const Node &name)
{
    if (name.guessed || trim(name.text).empty())
        return;
    const auto number = run::formatRunNumber(
        name.text, schema::TimePoint{},
        [](std::string_view) { return std::optional<std::string>("0"); },
        [](const std::string &) { return std::uint64_t{1}; });
    if (!number)
        report(name, "run-number", number.error().message,
               "the characters of `name:` and of what its tokens become both count");
}

RunPlan buildPlan(const yaml::Node &root,
                  const std::vector<schema::RepositoryResource> &repositories,
                  const schema::TaskCatalogue *tasks, const expr::ParseLimits &limits,
                  IsDependencyOfBranch isDependencyOfBranch, std::vector<Diagnostic> &diagnostics)
{
    return PlanBuilder(repositories, tasks, limits, std::move(isDependencyOfBranch), diagnostics)
        .run(root);
}

} // namespace pipelines::compiler
