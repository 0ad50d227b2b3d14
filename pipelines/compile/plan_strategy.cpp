// Matrix, slices and the deployment strategies with their hooks.
#include "pipelines/compile/fields.h"
#include "pipelines/compile/plan_parts.h"
#include "pipelines/run/limits.h"

#include <algorithm>
#include <array>

namespace pipelines::compiler {

using schema::DeploymentHook;
using schema::HookKind;
using schema::Job;
using yaml::Entry;
using yaml::Node;

void PlanBuilder::strategy(const Node *node, Job &out)
{
    if (node == nullptr)
        return;
    out.maxParallel = text(*node, "maxParallel");
    out.parallel = text(*node, "parallel");
    checkCounts(*node);
    const Node *const matrix = node->find("matrix");
    if (matrix == nullptr)
        return;
    if (matrix->isScalar()) {
        out.matrixExpression = matrix->text;
        return;
    }
    if (matrix->entries().size() > run::kMaxMatrixLegs)
        tooManyJobs(*matrix, std::to_string(matrix->entries().size()), run::kMaxMatrixLegs);
    for (const Entry &entry : matrix->entries()) {
        const std::string leg(entry.key->text);
        const bool valid = !leg.empty() && leg.size() <= 100 && !(leg[0] >= '0' && leg[0] <= '9') &&
                           std::all_of(leg.begin(), leg.end(), [](char c) {
                               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                      (c >= 'A' && c <= 'Z') || c == '_';
                           });
        if (leg.empty())
            report(*entry.key, "invalid-name", m_where + " has a matrix entry without a name.");
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

/// `maxParallel` and `parallel` (3.7), as far as they are literal.
void PlanBuilder::checkCounts(const Node &strategy)
{
    for (const std::string_view key : {"maxParallel", "parallel"}) {
        const Node *const node = strategy.find(key);
        const std::string value = text(strategy, key);
        if (node == nullptr || node->guessed || value.empty() ||
            value.find('$') != std::string::npos)
            continue;
        const bool isDigits = trim(value).find_first_not_of("0123456789") == std::string_view::npos;
        const auto number = wholeNumber(value);
        if (key == "parallel" && isDigits && (!number || *number > run::kMaxSlices))
            tooManyJobs(*node, value, run::kMaxSlices);
        else if (!number)
            report(*node, "not-a-number", "Expected a number. Actual value: '" + value + "'",
                   isDigits ? "at most nine digits" : "write a whole number");
        else if (key == "parallel" && *number == 0)
            // The service says nothing of it; a job that is not sliced runs once.
            report(*node, "no-slices",
                   m_where + ": `parallel: 0` makes no slices, the job runs once",
                   "remove it, or write the number of slices", Severity::Warning);
    }
}

void PlanBuilder::tooManyJobs(const Node &node, const std::string &count, std::size_t most)
{
    report(node, "limit-jobs",
           m_where + ": expansion resulted in " + count +
               " jobs which exceeds the maximum allowable job count of " + std::to_string(most) +
               ".");
}

void PlanBuilder::deployment(const Node &node, Job &out, Names &steps)
{
    // Documented as unsupported, used by the documentation's own examples: the service accepts it,
    // and jobs on virtual machines then wait for ever (MicrosoftDocs/azure-devops-docs#8959,
    // #11945).
    if (equalIgnoringCase(out.name, "deploy"))
        report(*node.find("deployment"), "reserved-name",
               "Job " + out.name + ": the service reserves the name `deploy` for the hook",
               "choose another name for the deployment job", Severity::Warning);
    const Node *const environment = node.find("environment");
    const bool hasName = environment != nullptr && !text(*environment, "name").empty();
    if (!hasName)
        report(environment != nullptr ? *environment : node, "missing-environment",
               "Job " + out.name + ": Environment is required.", "add `environment: NAME`");
    else
        out.environment = environmentReference(*environment);
    const std::string resourceType = out.environment ? out.environment->resourceType : "";
    const Node *const typeNode = environment != nullptr && !resourceType.empty()
                                     ? environment->find("resourceType")
                                     : nullptr;
    if (typeNode != nullptr && resourceType.find('$') == std::string::npos &&
        !equalIgnoringCase(resourceType, "virtualMachine") &&
        !equalIgnoringCase(resourceType, "kubernetes"))
        report(*typeNode, "unexpected-value", "Unexpected value '" + resourceType + "'",
               "write VirtualMachine or Kubernetes");
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
            if (const auto value = wholeNumber(increment); value && *value <= 100)
                out.canaryIncrements.push_back(*value);
            else
                report(*entry.value->find("increments"), "invalid-increment",
                       increment + " is not a percentage",
                       "increments are whole numbers from 1 to 100");
        }
    }
}

void PlanBuilder::checkRolling(const Node &node, const std::string &value)
{
    const bool percent = value.ends_with('%');
    const auto count = wholeNumber(percent ? value.substr(0, value.size() - 1) : value);
    if (!count && value.find('$') == std::string::npos)
        report(node, "invalid-rolling", value + " is not supported as rolling option.");
    else if (count && percent && (*count < 1 || *count > 100))
        report(node, "invalid-rolling", "Percentage rolling value should be with in 1 to 100.");
    else if (count && !percent && *count == 0)
        report(node, "invalid-rolling", "Absolute rolling value should be greater than zero.");
}

schema::EnvironmentReference PlanBuilder::environmentReference(const Node &node)
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
                rest =
                    comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
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

void PlanBuilder::hooks(const Node &node, Job &out, Names &steps)
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

DeploymentHook PlanBuilder::hook(const Node &node, HookKind kind, Names &)
{
    DeploymentHook out;
    out.kind = kind;
    Names names; // every hook is a job of its own
    out.steps = stepList(node.find("steps"), names, toString(kind));
    out.pool = pool(node.find("pool"));
    return out;
}

} // namespace pipelines::compiler
