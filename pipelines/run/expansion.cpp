#include "pipelines/run/expansion.h"

#include "pipelines/run/rolling.h"
#include "pipelines/run/step_context.h"
#include "pipelines/shape/shape.h"
#include "pipelines/yaml/reader.h"
#include "schema/base/guid.h"

#include <algorithm>

namespace pipelines::run {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::HookKind;
using schema::Job;
using schema::Result;
using schema::RunPlan;
using schema::Stage;
using schema::TextMap;
using schema::protocol::JobVariable;

/// Evaluates texts of one job: `$[ ]` first, then macros with the variables known before a worker
/// is chosen (12.2).
class TextEvaluator
{
public:
    TextEvaluator(const RuntimeContext &context, const VariableTable &variables)
        : m_context(context)
        , m_lookup([&variables](std::string_view name) -> std::optional<std::string> {
            const JobVariable *const found = variables.lookup(name);
            if (found == nullptr || found->isSecret)
                return std::nullopt;
            return found->value;
        })
    {}

    Result<std::string> text(const char *key, const std::string &value) const
    {
        auto evaluated = evaluateText(value, expr::Slot::JobVariable, m_context);
        if (!evaluated)
            return std::move(evaluated).error().withContext(key);
        return expandMacros(*evaluated, m_lookup);
    }

    Result<std::uint32_t> number(const char *key, const std::string &value,
                                 std::uint32_t otherwise) const
    {
        ASSIGN_OR_RETURN(const std::string evaluated, text(key, value));
        const std::string_view digits = trim(evaluated);
        if (digits.empty())
            return otherwise;
        const auto parsed = expr::Decimal::parse(digits, expr::Decimal::Style::Literal);
        const auto whole = parsed ? parsed->floor() : std::nullopt;
        constexpr std::int64_t kLargest = 1'000'000'000;
        if (!whole || *whole < 0 || *whole > kLargest)
            return Error{ErrorCode::InvalidArgument, std::string(key) + ": '" +
                                                         std::string(digits) +
                                                         "' is not a whole number of at least 0"};
        return static_cast<std::uint32_t>(*whole);
    }

private:
    const RuntimeContext &m_context;
    VariableLookup m_lookup;
};

/// A matrix computed at run time: JSON text, single quotes accepted (3.7).
Result<std::vector<schema::MatrixLeg>> parseMatrix(const std::string &text)
{
    std::vector<schema::MatrixLeg> legs;
    if (trim(text).empty())
        return legs;
    yaml::Arena arena;
    yaml::Source source;
    source.name = "matrix";
    std::vector<Diagnostic> diagnostics;
    const yaml::Node *const root =
        yaml::read(arena, arena.source(source), text, {}, nullptr, diagnostics);
    const auto refuse = [&text](const std::string &why) {
        constexpr std::size_t kShown = 200;
        return Error{ErrorCode::InvalidArgument,
                     "strategy.matrix: " + why + ": " + text.substr(0, kShown)};
    };
    if (root == nullptr || hasErrors(diagnostics) || !root->isMapping())
        return refuse("expected a JSON object of legs");
    for (const yaml::Entry &entry : root->entries()) {
        schema::MatrixLeg leg;
        leg.name = entry.key->text;
        if (!entry.value->isMapping())
            return refuse("leg " + leg.name + " is not an object of variables");
        for (const yaml::Entry &variable : entry.value->entries()) {
            if (!variable.value->isScalar())
                return refuse("variable " + std::string(variable.key->text) + " is not a text");
            leg.variables.emplace_back(variable.key->text, variable.value->text);
        }
        legs.push_back(std::move(leg));
    }
    return legs;
}

Error tooMany(const Job &job, std::size_t count, std::size_t most)
{
    return Error{ErrorCode::LimitExceeded,
                 "Job " + job.name + ": expansion resulted in " + std::to_string(count) +
                     " jobs which exceeds the maximum allowable job count of " +
                     std::to_string(most) + "."};
}

const schema::DeploymentHook *findHook(const Job &job, HookKind kind)
{
    const auto found = std::find_if(job.hooks.begin(), job.hooks.end(),
                                    [kind](const auto &hook) { return hook.kind == kind; });
    return found == job.hooks.end() ? nullptr : &*found;
}

/// The last round of a canary: everything.
constexpr const char *kWhole = "100";

/// The hooks of a deployment in the order they run, without on.success and on.failure (3.8).
std::vector<InstanceSeed> hookSeeds(const Job &job)
{
    std::vector<InstanceSeed> seeds;
    const auto add = [&](HookKind kind, const std::string &increment) {
        const schema::DeploymentHook *const hook = findHook(job, kind);
        if (hook == nullptr)
            return;
        InstanceSeed seed;
        seed.name = std::string(toString(kind));
        if (kind != HookKind::Deploy)
            seed.suffix = seed.name;
        if (!increment.empty()) {
            seed.name += "_" + increment;
            seed.suffix = seed.name;
            seed.variables = {{"Strategy.Increment", increment}};
        }
        seed.hook = hook;
        seeds.push_back(std::move(seed));
    };
    add(HookKind::PreDeploy, {});
    std::vector<std::string> rounds{std::string()};
    if (job.strategy == schema::DeploymentStrategy::Canary) {
        rounds.clear();
        for (const std::uint32_t increment : job.canaryIncrements)
            rounds.push_back(std::to_string(increment));
        if (rounds.empty() || rounds.back() != kWhole)
            rounds.emplace_back(kWhole);
    }
    for (const std::string &round : rounds) {
        add(HookKind::Deploy, round);
        add(HookKind::RouteTraffic, round);
        add(HookKind::PostRouteTraffic, round);
    }
    return seeds;
}

bool isNone(const schema::Step &step)
{
    const char *key = step.task == schema::kCheckoutTaskId   ? "repository"
                      : step.task == schema::kDownloadTaskId ? "alias"
                                                             : nullptr;
    if (key == nullptr)
        return false;
    const std::string *const value = schema::findText(step.inputs, key);
    return value != nullptr && equalIgnoringCase(*value, "none");
}

schema::Step implicitStep(const Stage &stage, const Job &job, const char *task, const char *name,
                          const char *title, TextMap inputs)
{
    schema::Step step;
    step.id = schema::nameGuid("slipway.step", toLower(stage.name + "." + job.name) + "." + name);
    step.name = name;
    step.displayName = title;
    step.task = task;
    step.taskVersion = "1";
    step.inputs = std::move(inputs);
    return step;
}

/// The authored steps with the implicit checkout or artifact download in front (15.3); `none`
/// steps only switch those off.
std::vector<schema::Step> stepsOf(const RunPlan &plan, const Stage &stage, const Job &job,
                                  const InstanceSeed &seed, bool onServer)
{
    const std::vector<schema::Step> &authored = seed.hook != nullptr ? seed.hook->steps : job.steps;
    const auto has = [&](const char *task) {
        return std::any_of(authored.begin(), authored.end(),
                           [task](const schema::Step &step) { return step.task == task; });
    };
    std::vector<schema::Step> steps;
    if (!onServer && !job.isDeployment && !has(schema::kCheckoutTaskId))
        steps.push_back(implicitStep(stage, job, schema::kCheckoutTaskId, "__checkout",
                                     "Checkout self", {{"repository", "self"}}));
    if (!onServer && seed.hook != nullptr && seed.hook->kind == HookKind::Deploy &&
        !has(schema::kDownloadTaskId)) {
        steps.push_back(implicitStep(stage, job, schema::kDownloadTaskId, "__download",
                                     "Download artifacts", {{"alias", "current"}}));
        for (const auto &pipeline : plan.pipelines) {
            const std::string name = "__download_" + pipeline.alias;
            const std::string title = "Download artifacts of " + pipeline.alias;
            steps.push_back(implicitStep(stage, job, schema::kDownloadTaskId, name.c_str(),
                                         title.c_str(), {{"alias", pipeline.alias}}));
        }
    }
    for (const schema::Step &step : authored) {
        if (!isNone(step))
            steps.push_back(step);
    }
    return steps;
}

std::string_view strategyWord(schema::DeploymentStrategy strategy)
{
    switch (strategy) {
    case schema::DeploymentStrategy::Rolling:
        return "rolling";
    case schema::DeploymentStrategy::Canary:
        return "canary";
    default:
        return "runOnce";
    }
}

/// Rounds repeat the hooks between the first and the last.
std::string_view cycleName(HookKind kind)
{
    switch (kind) {
    case HookKind::PreDeploy:
        return "PreIteration";
    case HookKind::OnFailure:
    case HookKind::OnSuccess:
        return "PostIteration";
    default:
        return "Iteration";
    }
}

/// What a canary's hook does to the cluster: the input `action` of KubernetesManifest. Canaries
/// are deployed round by round, become the whole in the last one, and are taken away on failure.
std::string_view canaryAction(HookKind kind, const VariableTable &variables)
{
    if (kind == HookKind::OnFailure)
        return "reject";
    const JobVariable *const increment = variables.lookup("Strategy.Increment");
    const bool isLast = increment != nullptr && increment->value == kWhole;
    return kind == HookKind::OnSuccess || isLast ? "promote" : "deploy";
}

} // namespace

Result<Expansion> expandJob(const RunPlan &plan, const RunProgress &progress, const Stage &stage,
                            const Job &job)
{
    ASSIGN_OR_RETURN(const VariableTable variables, collectVariables(plan, progress, &stage, &job));
    const RuntimeContext context(plan, progress, &stage, &job, variables);
    const TextEvaluator evaluate(context, variables);
    Expansion out;
    ASSIGN_OR_RETURN(const std::string goOn, evaluate.text("continueOnError", job.continueOnError));
    if (!trim(goOn).empty() && !shape::parseBoolean(trim(goOn), out.continueOnError))
        return Error{ErrorCode::InvalidArgument,
                     "Expected a Boolean value. Actual value: '" + goOn + "'"};
    const auto machines = progress.machines.find(stage.name + "." + job.name);
    if (job.isDeployment && job.strategy == schema::DeploymentStrategy::Rolling &&
        machines != progress.machines.end() && !machines->second.empty()) {
        out.machines = machines->second;
        ASSIGN_OR_RETURN(const std::string most,
                         evaluate.text("strategy.rolling.maxParallel", job.rollingMaxParallel));
        ASSIGN_OR_RETURN(out.atOnce, machinesAtOnce(most, out.machines.size()));
        return out;
    }
    if (job.isDeployment) {
        out.seeds = hookSeeds(job);
        out.atOnce = 1;
        return out;
    }
    if (!job.matrix.empty() || !job.matrixExpression.empty()) {
        std::vector<schema::MatrixLeg> legs = job.matrix;
        if (!job.matrixExpression.empty()) {
            ASSIGN_OR_RETURN(const std::string text,
                             evaluate.text("strategy.matrix", job.matrixExpression));
            ASSIGN_OR_RETURN(legs, parseMatrix(text));
        }
        if (legs.size() > kMaxMatrixLegs)
            return tooMany(job, legs.size(), kMaxMatrixLegs);
        for (schema::MatrixLeg &leg : legs)
            out.seeds.push_back({leg.name, std::move(leg.variables), nullptr, leg.name});
        ASSIGN_OR_RETURN(out.atOnce, evaluate.number("strategy.maxParallel", job.maxParallel, 0));
        return out;
    }
    ASSIGN_OR_RETURN(const std::uint32_t slices,
                     evaluate.number("strategy.parallel", job.parallel, 0));
    if (slices > kMaxSlices)
        return tooMany(job, slices, kMaxSlices);
    if (job.parallel.empty() || slices == 0) {
        out.seeds.push_back({"__default", {}, nullptr, {}});
        return out;
    }
    for (std::uint32_t i = 1; i <= slices; ++i)
        out.seeds.push_back({"Job" + std::to_string(i), {}, nullptr, std::to_string(i)});
    return out;
}

Result<JobInstance> fillInstance(const RunPlan &plan, const RunProgress &progress,
                                 const Stage &stage, const Job &job, const Expansion &expansion,
                                 const InstanceSeed &seed, std::size_t position)
{
    ASSIGN_OR_RETURN(VariableTable variables, collectVariables(plan, progress, &stage, &job));
    for (const auto &[name, value] : seed.variables)
        variables.set({name, value, false, false});

    JobInstance out;
    out.stage = stage.name;
    out.job = job.name;
    out.name = seed.name;
    out.identifier = stage.name + "." + job.name + "." + seed.name;
    if (seed.hook != nullptr)
        out.hook = seed.hook->kind;
    out.position = static_cast<int>(position);
    out.total = static_cast<int>(expansion.seeds.size());
    if (job.isDeployment)
        out.position = out.total = 1;
    out.continueOnError = expansion.continueOnError;
    out.machine = seed.machine;

    const auto define = [&variables](const char *name, std::string value) {
        variables.set({name, std::move(value), false, true});
    };
    define("System.StageName", stage.name);
    define("System.StageDisplayName", stage.displayName);
    define("System.PhaseName", job.name);
    define("System.JobName", seed.name);
    define("System.JobIdentifier", out.identifier);
    define("System.JobPositionInPhase", std::to_string(out.position));
    define("System.TotalJobsInPhase", std::to_string(out.total));
    if (job.isDeployment) {
        define("Strategy.Name", std::string(strategyWord(job.strategy)));
        const HookKind kind = out.hook.value_or(HookKind::Deploy);
        define("Strategy.CycleName", std::string(cycleName(kind)));
        if (job.strategy == schema::DeploymentStrategy::Canary)
            define("Strategy.Action", std::string(canaryAction(kind, variables)));
    }
    const RuntimeContext context(plan, progress, &stage, &job, variables);
    const TextEvaluator evaluate(context, variables);
    if (job.isDeployment && job.environment) {
        ASSIGN_OR_RETURN(std::string name,
                         evaluate.text("environment.name", job.environment->name));
        ASSIGN_OR_RETURN(const std::string resource,
                         evaluate.text("environment.resourceName", job.environment->resourceName));
        define("Environment.Name", std::move(name));
        define("Environment.ResourceName", seed.machine.empty() ? resource : seed.machine);
    }
    ASSIGN_OR_RETURN(const std::string title, evaluate.text("displayName", job.displayName));
    out.displayName = seed.suffix.empty() ? title : title + " " + seed.suffix;
    define("System.PhaseDisplayName", title);
    define("System.JobDisplayName", out.displayName);
    define("Agent.JobName", out.displayName);

    out.pool = seed.hook != nullptr && seed.hook->pool ? *seed.hook->pool : job.pool;
    ASSIGN_OR_RETURN(out.pool.name, evaluate.text("pool.name", out.pool.name));
    ASSIGN_OR_RETURN(out.pool.vmImage, evaluate.text("pool.vmImage", out.pool.vmImage));
    for (std::string &demand : out.pool.demands) {
        ASSIGN_OR_RETURN(demand, evaluate.text("pool.demands", demand));
    }
    if (job.container) {
        out.container = job.container;
        ASSIGN_OR_RETURN(out.container->image, evaluate.text("container", out.container->image));
        // A runtime text may name an alias that is known only now.
        for (const auto &[alias, definition] : plan.containers) {
            if (out.container->alias.empty() && equalIgnoringCase(alias, out.container->image))
                out.container = definition;
        }
        if (out.container->image.empty())
            out.container.reset();
    }
    ASSIGN_OR_RETURN(out.timeoutMinutes,
                     evaluate.number("timeoutInMinutes", job.timeoutMinutes, 60));
    ASSIGN_OR_RETURN(out.cancelTimeoutMinutes,
                     evaluate.number("cancelTimeoutInMinutes", job.cancelTimeoutMinutes, 5));
    out.cancelTimeoutMinutes =
        std::clamp(out.cancelTimeoutMinutes, kLeastCancelMinutes, kMostCancelMinutes);
    out.steps = stepsOf(plan, stage, job, seed, out.pool.server);
    out.variables = variables.all();
    return out;
}

} // namespace pipelines::run
