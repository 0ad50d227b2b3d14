#include "pipelines/run/graph.h"

#include "pipelines/run/advance_jobs.h"
#include "pipelines/run/expansion.h"
#include "pipelines/run/rolling.h"

#include <algorithm>

namespace pipelines::run {
namespace {

using schema::DeploymentHook;
using schema::HookKind;
using schema::Job;
using schema::RunPlan;
using schema::RunResult;
using schema::Stage;
using schema::TaskResult;

/// How bad a result is, for "worst wins". Skipped counts for nothing (13.2).
int badness(TaskResult result)
{
    switch (result) {
    case TaskResult::Skipped:
        return -1;
    case TaskResult::Succeeded:
        return 0;
    case TaskResult::SucceededWithIssues:
        return 1;
    case TaskResult::Abandoned:
        return 2;
    case TaskResult::Failed:
        return 3;
    case TaskResult::Canceled:
        return 4;
    }
    return 3;
}

TaskResult worse(TaskResult a, TaskResult b)
{
    return badness(b) > badness(a) ? b : a;
}

bool isBad(TaskResult result)
{
    return badness(result) >= badness(TaskResult::Abandoned);
}

const StageProgress &stageProgress(const RunProgress &progress, const std::string &stage)
{
    static const StageProgress untouched;
    const auto found = progress.stages.find(stage);
    return found == progress.stages.end() ? untouched : found->second;
}

const JobProgress &jobProgress(const StageProgress &stage, const std::string &job)
{
    static const JobProgress untouched;
    const auto found = stage.jobs.find(job);
    return found == stage.jobs.end() ? untouched : found->second;
}

enum class Verdict : std::uint8_t { Run, Skip, Error };

struct Decision
{
    Verdict verdict = Verdict::Run;
    std::string reason;
};

class Advancer
{
public:
    Advancer(const RunPlan &plan, const RunProgress &progress)
        : m_plan(plan)
        , m_progress(progress)
    {}

    std::vector<Step> run()
    {
        if (m_progress.completed)
            return {};
        bool allDone = true;
        for (const Stage &stage : m_plan.stages) {
            const StageProgress &progress = stageProgress(m_progress, stage.name);
            if (progress.progress == Progress::Completed)
                continue;
            allDone = false;
            if (progress.progress == Progress::Running)
                runningStage(stage, progress);
            else if (!progress.ready)
                pendingStage(stage);
            else if (m_progress.cancelRequested)
                cancelledBeforeChecks(stage);
        }
        if (allDone)
            m_steps.emplace_back(RunCompleted{runResult()});
        return std::move(m_steps);
    }

    std::vector<Step> run(const Stage &stage, const std::vector<const Job *> &jobs)
    {
        const StageProgress &progress = stageProgress(m_progress, stage.name);
        for (const Job *job : jobs) {
            const JobProgress &state = jobProgress(progress, job->name);
            if (state.progress == Progress::Pending)
                pendingJob(stage, progress, *job);
            else if (state.progress == Progress::Running)
                runningJob(stage, *job, state);
        }
        return std::move(m_steps);
    }

private:
    /// Decides a condition; empty text means succeeded().
    Decision decide(const std::string &condition, const Stage &stage, const Job *job)
    {
        std::string_view text = trim(condition);
        if (text.empty())
            text = "succeeded()";
        const expr::Slot slot =
            job == nullptr ? expr::Slot::StageCondition : expr::Slot::JobCondition;
        const auto parsed = expr::parse(text, slot, expr::kCompiledLimits);
        if (!parsed.expression)
            return {Verdict::Error,
                    "condition: " + (parsed.error ? parsed.error->message(text) : std::string())};
        auto variables = collectVariables(m_plan, m_progress, &stage, job);
        VariableTable table;
        if (variables) {
            table = std::move(*variables);
        } else if (text != "succeeded()") {
            return {Verdict::Error, variables.error().message};
        }
        const RuntimeContext context(m_plan, m_progress, &stage, job, table);
        const auto value = expr::evaluate(*parsed.expression, context);
        if (!value)
            return {Verdict::Error,
                    "condition '" + std::string(text) + "': " + value.error().message};
        if (value->toBoolean())
            return {Verdict::Run, {}};
        if (m_progress.cancelRequested)
            return {Verdict::Skip, "the run was cancelled"};
        const std::string expanded = expr::expanded(*parsed.expression, context);
        std::string reason = "condition " + std::string(text) + " is False";
        if (expanded != text && expanded != "False")
            reason += ": " + expanded;
        return {Verdict::Skip, reason};
    }

    void pendingStage(const Stage &stage)
    {
        if (isLeftOut(m_progress, stage.name)) {
            m_steps.emplace_back(StageSkipped{stage.name, "left out when the run was queued"});
            return;
        }
        for (const std::string &name : effectiveDependencies(m_plan, m_progress, stage)) {
            if (stageProgress(m_progress, name).progress != Progress::Completed)
                return;
        }
        const Decision decision = decide(stage.condition, stage, nullptr);
        if (decision.verdict == Verdict::Run)
            m_steps.emplace_back(StageReady{stage.name});
        else if (decision.verdict == Verdict::Skip)
            m_steps.emplace_back(StageSkipped{stage.name, decision.reason});
        else
            m_steps.emplace_back(
                StageCompleted{stage.name, TaskResult::Abandoned, decision.reason});
    }

    /// The run was cancelled while the stage waited for its checks.
    void cancelledBeforeChecks(const Stage &stage)
    {
        if (decide(stage.condition, stage, nullptr).verdict != Verdict::Run)
            m_steps.emplace_back(
                StageCompleted{stage.name, TaskResult::Canceled, "the run was cancelled"});
    }

    void runningStage(const Stage &stage, const StageProgress &progress)
    {
        bool allDone = true;
        bool skippedByCancel = false;
        TaskResult worst = TaskResult::Skipped;
        for (const Job &job : stage.jobs) {
            const JobProgress &state = jobProgress(progress, job.name);
            if (state.progress == Progress::Completed) {
                const TaskResult result = state.result.value_or(TaskResult::Failed);
                worst = worse(worst, result);
                skippedByCancel = skippedByCancel ||
                                  (result == TaskResult::Skipped && m_progress.cancelRequested);
                continue;
            }
            allDone = false;
            if (state.progress == Progress::Pending)
                pendingJob(stage, progress, job);
            else
                runningJob(stage, job, state);
        }
        if (!allDone)
            return;
        if (skippedByCancel)
            worst = worse(worst, TaskResult::Canceled);
        m_steps.emplace_back(StageCompleted{stage.name, worst, {}});
    }

    void pendingJob(const Stage &stage, const StageProgress &progress, const Job &job)
    {
        for (const std::string &name : job.dependsOn) {
            if (jobProgress(progress, name).progress != Progress::Completed)
                return;
        }
        const Decision decision = decide(job.condition, stage, &job);
        if (decision.verdict == Verdict::Skip) {
            m_steps.emplace_back(JobSkipped{stage.name, job.name, decision.reason});
            return;
        }
        if (decision.verdict == Verdict::Error)
            return fail(stage, job, TaskResult::Abandoned, decision.reason);
        const auto expansion = expandJob(m_plan, m_progress, stage, job);
        if (!expansion)
            return fail(stage, job, TaskResult::Failed, expansion.error().message);
        if (!expansion->machines.empty())
            return rolling(stage, job, {}, *expansion);
        if (expansion->seeds.empty()) {
            if (job.isDeployment)
                return fail(stage, job, TaskResult::Succeeded, "the strategy has no hooks");
            m_steps.emplace_back(JobSkipped{stage.name, job.name, "the matrix is empty"});
            return;
        }
        start(stage, job, *expansion, 0, room(*expansion, 0));
    }

    void runningJob(const Stage &stage, const Job &job, const JobProgress &state)
    {
        if (state.finished.empty() && !state.running.empty() && !job.isDeployment &&
            job.maxParallel.empty())
            return; // all instances were started at once: nothing to decide yet
        const auto expansion = expandJob(m_plan, m_progress, stage, job);
        if (!expansion)
            return fail(stage, job, TaskResult::Failed, expansion.error().message);
        if (!expansion->machines.empty())
            return rolling(stage, job, state, *expansion);
        if (job.isDeployment)
            return runningDeployment(stage, job, state, *expansion);
        const std::size_t started = state.finished.size() + state.running.size();
        if (started < expansion->seeds.size() && !m_progress.cancelRequested) {
            const std::size_t free = room(*expansion, state.running.size());
            if (free > 0)
                start(stage, job, *expansion, started, free);
            return;
        }
        if (state.running.empty())
            complete(stage, job, state, *expansion, started < expansion->seeds.size());
    }

    void runningDeployment(const Stage &stage, const Job &job, const JobProgress &state,
                           const Expansion &expansion)
    {
        if (!state.running.empty())
            return;
        bool bad = false;
        bool cancelled = false;
        bool outcomeRan = false;
        std::size_t hooks = 0;
        for (const InstanceResult &instance : state.finished) {
            const bool outcome = instance.name == toString(HookKind::OnFailure) ||
                                 instance.name == toString(HookKind::OnSuccess);
            outcomeRan = outcomeRan || outcome;
            hooks += outcome ? 0U : 1U;
            bad = bad || (!outcome && isBad(instance.result));
            cancelled = cancelled || instance.result == TaskResult::Canceled;
        }
        cancelled = cancelled || m_progress.cancelRequested;
        if (!bad && !cancelled && !outcomeRan && hooks < expansion.seeds.size())
            return start(stage, job, expansion, hooks, 1);
        const HookKind wanted = bad ? HookKind::OnFailure : HookKind::OnSuccess;
        const auto hook = std::find_if(
            job.hooks.begin(), job.hooks.end(),
            [wanted](const DeploymentHook &candidate) { return candidate.kind == wanted; });
        if (!cancelled && !outcomeRan && hook != job.hooks.end()) {
            Expansion last = expansion;
            const std::string name(toString(wanted));
            last.seeds = {{name, {}, &*hook, name}};
            return start(stage, job, last, 0, 1);
        }
        complete(stage, job, state, expansion, cancelled && hooks < expansion.seeds.size());
    }

    void rolling(const Stage &stage, const Job &job, const JobProgress &state,
                 const Expansion &expansion)
    {
        RollingStep next = advanceRolling(job, state, expansion.machines, expansion.atOnce,
                                          m_progress.cancelRequested);
        if (next.isDone)
            return complete(stage, job, state, expansion,
                            next.cutShort && m_progress.cancelRequested);
        if (next.start.empty())
            return;
        Expansion now = expansion;
        now.seeds = std::move(next.start);
        start(stage, job, now, 0, now.seeds.size());
    }

    static std::size_t room(const Expansion &expansion, std::size_t running)
    {
        if (expansion.atOnce == 0)
            return expansion.seeds.size();
        return expansion.atOnce > running ? expansion.atOnce - running : 0;
    }

    void start(const Stage &stage, const Job &job, const Expansion &expansion, std::size_t first,
               std::size_t count)
    {
        JobExpanded step{stage.name, job.name, {}};
        const std::size_t end = std::min(expansion.seeds.size(), first + count);
        for (std::size_t i = first; i < end; ++i) {
            auto instance =
                fillInstance(m_plan, m_progress, stage, job, expansion, expansion.seeds[i], i + 1);
            if (!instance)
                return fail(stage, job, TaskResult::Failed, instance.error().message);
            step.instances.push_back(std::move(*instance));
        }
        m_steps.emplace_back(std::move(step));
    }

    void complete(const Stage &stage, const Job &job, const JobProgress &state,
                  const Expansion &expansion, bool cutShort)
    {
        TaskResult result = cutShort ? TaskResult::Canceled : TaskResult::Succeeded;
        for (const InstanceResult &instance : state.finished)
            result = worse(result, instance.result);
        std::string message;
        if (expansion.continueOnError && result == TaskResult::Failed) {
            result = TaskResult::SucceededWithIssues;
            message = "failed, but continueOnError is set";
        }
        m_steps.emplace_back(JobCompleted{stage.name, job.name, result, message});
    }

    void fail(const Stage &stage, const Job &job, TaskResult result, std::string message)
    {
        m_steps.emplace_back(JobCompleted{stage.name, job.name, result, std::move(message)});
    }

    [[nodiscard]] RunResult runResult() const
    {
        TaskResult worst = TaskResult::Skipped;
        for (const Stage &stage : m_plan.stages)
            worst = worse(
                worst, stageProgress(m_progress, stage.name).result.value_or(TaskResult::Skipped));
        if (m_progress.cancelRequested || worst == TaskResult::Canceled)
            return RunResult::Canceled;
        if (isBad(worst))
            return RunResult::Failed;
        return worst == TaskResult::SucceededWithIssues ? RunResult::PartiallySucceeded
                                                        : RunResult::Succeeded;
    }

    const RunPlan &m_plan;
    const RunProgress &m_progress;
    std::vector<Step> m_steps;
};

template <typename... Visitors> struct Overloaded : Visitors...
{
    using Visitors::operator()...;
};

template <typename... Visitors> Overloaded(Visitors...) -> Overloaded<Visitors...>;

} // namespace

std::vector<Step> advance(const RunPlan &plan, const RunProgress &progress)
{
    return Advancer(plan, progress).run();
}

std::vector<Step> advanceJobs(const RunPlan &plan, const RunProgress &progress, const Stage &stage,
                              const std::vector<const Job *> &jobs)
{
    return Advancer(plan, progress).run(stage, jobs);
}

void apply(RunProgress &progress, const Step &step)
{
    std::visit(Overloaded{
                   [&](const StageReady &ready) { progress.stages[ready.stage].ready = true; },
                   [&](const StageSkipped &skipped) {
                       StageProgress &stage = progress.stages[skipped.stage];
                       stage.progress = Progress::Completed;
                       stage.result = TaskResult::Skipped;
                   },
                   [&](const StageCompleted &completed) {
                       StageProgress &stage = progress.stages[completed.stage];
                       stage.progress = Progress::Completed;
                       stage.result = completed.result;
                   },
                   [&](const JobSkipped &skipped) {
                       JobProgress &job = progress.stages[skipped.stage].jobs[skipped.job];
                       job.progress = Progress::Completed;
                       job.result = TaskResult::Skipped;
                   },
                   [&](const JobExpanded &expanded) {
                       JobProgress &job = progress.stages[expanded.stage].jobs[expanded.job];
                       job.progress = Progress::Running;
                       for (const JobInstance &instance : expanded.instances)
                           job.running.push_back(instance.name);
                   },
                   [&](const JobCompleted &completed) {
                       JobProgress &job = progress.stages[completed.stage].jobs[completed.job];
                       job.progress = Progress::Completed;
                       job.result = completed.result;
                   },
                   [&](const RunCompleted &) { progress.completed = true; },
               },
               step);
}

void startStage(RunProgress &progress, const std::string &stage)
{
    progress.stages[stage].progress = Progress::Running;
}

void finishInstance(RunProgress &progress, const std::string &stage, const std::string &job,
                    InstanceResult result)
{
    JobProgress &state = progress.stages[stage].jobs[job];
    std::erase(state.running, result.name);
    state.finished.push_back(std::move(result));
}

} // namespace pipelines::run
