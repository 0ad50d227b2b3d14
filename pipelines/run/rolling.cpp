#include "pipelines/run/rolling.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <array>

namespace pipelines::run {
namespace {

using schema::HookKind;
using schema::TaskResult;

constexpr std::array kOrder{HookKind::PreDeploy, HookKind::Deploy, HookKind::RouteTraffic,
                            HookKind::PostRouteTraffic};

const schema::DeploymentHook *findHook(const schema::Job &job, HookKind kind)
{
    const auto found = std::find_if(job.hooks.begin(), job.hooks.end(),
                                    [kind](const auto &hook) { return hook.kind == kind; });
    return found == job.hooks.end() ? nullptr : &*found;
}

std::string nameOf(HookKind kind, const std::string &machine)
{
    return std::string(toString(kind)) + "_" + machine;
}

bool isBad(TaskResult result)
{
    return result == TaskResult::Failed || result == TaskResult::Canceled ||
           result == TaskResult::Abandoned;
}

/// How far one machine is.
struct MachineState
{
    bool hasBegun = false, isRunning = false, isBad = false, isDone = false;
    const schema::DeploymentHook *next = nullptr;
};

MachineState stateOf(const schema::Job &job, const JobProgress &progress,
                     const std::string &machine)
{
    MachineState state;
    const auto resultOf = [&](HookKind kind) -> const InstanceResult * {
        const std::string name = nameOf(kind, machine);
        for (const InstanceResult &instance : progress.finished) {
            if (instance.name == name)
                return &instance;
        }
        return nullptr;
    };
    const auto runs = [&](HookKind kind) {
        return std::find(progress.running.begin(), progress.running.end(), nameOf(kind, machine)) !=
               progress.running.end();
    };
    for (const HookKind kind : kOrder) {
        if (findHook(job, kind) == nullptr)
            continue;
        const InstanceResult *const ended = resultOf(kind);
        state.hasBegun = state.hasBegun || ended != nullptr || runs(kind);
        state.isRunning = state.isRunning || runs(kind);
        state.isBad = state.isBad || (ended != nullptr && isBad(ended->result));
        if (ended == nullptr && state.next == nullptr)
            state.next = findHook(job, kind);
    }
    if (state.isBad || state.next == nullptr) {
        const HookKind outcome = state.isBad ? HookKind::OnFailure : HookKind::OnSuccess;
        state.isRunning = state.isRunning || runs(outcome);
        const InstanceResult *const ended = resultOf(outcome);
        state.next = ended == nullptr && state.hasBegun ? findHook(job, outcome) : nullptr;
        state.isDone = state.next == nullptr && !state.isRunning;
        state.isBad = state.isBad || (ended != nullptr && isBad(ended->result));
    }
    return state;
}

InstanceSeed seedOf(const schema::DeploymentHook &hook, const std::string &machine)
{
    InstanceSeed seed;
    seed.name = nameOf(hook.kind, machine);
    seed.suffix = hook.kind == HookKind::Deploy ? machine : seed.name;
    seed.hook = &hook;
    seed.machine = machine;
    return seed;
}

} // namespace

RollingStep advanceRolling(const schema::Job &job, const JobProgress &progress,
                           const std::vector<std::string> &machines, std::size_t atOnce,
                           bool cancelled)
{
    RollingStep step;
    std::vector<MachineState> states;
    states.reserve(machines.size());
    for (const std::string &machine : machines)
        states.push_back(stateOf(job, progress, machine));
    const bool failed = std::any_of(states.begin(), states.end(),
                                    [](const MachineState &state) { return state.isBad; });
    std::size_t underWay = 0;
    for (std::size_t i = 0; i < machines.size(); ++i) {
        const MachineState &state = states[i];
        if (!state.hasBegun || state.isDone)
            continue;
        ++underWay;
        if (!state.isRunning && state.next != nullptr && !cancelled)
            step.start.push_back(seedOf(*state.next, machines[i]));
    }
    for (std::size_t i = 0; i < machines.size(); ++i) {
        const MachineState &state = states[i];
        if (state.hasBegun || state.next == nullptr)
            continue;
        if (cancelled || failed) {
            step.cutShort = true;
        } else if (underWay < atOnce) {
            ++underWay;
            step.start.push_back(seedOf(*state.next, machines[i]));
        }
    }
    step.cutShort = step.cutShort || (cancelled && underWay > 0);
    step.isDone = step.start.empty() && progress.running.empty();
    return step;
}

schema::Result<std::size_t> machinesAtOnce(const std::string &maxParallel, std::size_t machines)
{
    std::string_view text = trim(maxParallel);
    if (text.empty())
        return std::size_t{1};
    const bool isPercent = text.ends_with('%');
    if (isPercent)
        text = trim(text.substr(0, text.size() - 1));
    constexpr std::size_t kMostDigits = 6;
    std::size_t value = 0;
    const bool isNumber =
        !text.empty() && text.size() <= kMostDigits &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    for (const char c : isNumber ? text : std::string_view{})
        value = value * 10 + static_cast<std::size_t>(c - '0');
    constexpr std::size_t kWhole = 100;
    if (!isNumber || value == 0 || (isPercent && value > kWhole))
        return schema::Error{schema::ErrorCode::InvalidArgument,
                             "strategy.rolling.maxParallel: '" + maxParallel +
                                 "' is neither a count above 0 nor 1% to 100%"};
    return isPercent ? std::max<std::size_t>(1, machines * value / kWhole) : value;
}

} // namespace pipelines::run
