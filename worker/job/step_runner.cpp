#include "worker/job/step_runner.h"

#include "schema/base/guid.h"
#include "worker/base/text.h"
#include "worker/job/disk_quota.h"

#include <algorithm>
#include <exception>
#include <poll.h>

namespace worker {
namespace {

using schema::TaskResult;

constexpr std::uint32_t kMaxRetries = 10;
/// Time a canceled job gets at least (worker-and-tasks 7.1).
constexpr std::chrono::minutes kCancelFloor{1};

pipelines::run::StepStatus statusOf(const JobContext &job)
{
    return {job.result, job.canceled()};
}

/// After the first sign of a cancel: from now on the clock of cancelTimeoutInMinutes runs.
void noteCancel(JobContext &job)
{
    if (!job.canceled() || job.killAt)
        return;
    job.killAt =
        Clock::now() + std::max<std::chrono::minutes>(
                           kCancelFloor, std::chrono::minutes(job.message.cancelTimeoutMinutes));
}

class StepRun
{
public:
    StepRun(JobContext &job, const schema::Step &step, const TaskDefinition &definition,
            StepState &state, StepPhase phase)
        : m_job(job)
        , m_step(step)
        , m_definition(definition)
        , m_state(state)
        , m_phase(phase)
    {}

    TaskResult run();

private:
    struct Attempt
    {
        TaskResult result = TaskResult::Failed;
        bool mayRetry = false;
    };

    Attempt attempt(std::optional<Clock::time_point> deadline);
    void lookAround(TaskContext &task);
    bool pause(std::uint32_t attemptNumber);
    TaskResult deliverPending(TaskResult result);

    JobContext &m_job;
    const schema::Step &m_step;
    const TaskDefinition &m_definition;
    StepState &m_state;
    StepPhase m_phase;
};

StepRun::Attempt StepRun::attempt(std::optional<Clock::time_point> deadline)
{
    ProcessLimits limits;
    limits.deadline = deadline;
    limits.interruptGrace = m_job.options.interruptGrace;
    limits.terminateGrace = m_job.options.terminateGrace;
    const auto shouldStop = [this](StopReason) {
        noteCancel(m_job);
        if (m_phase == StepPhase::Post)
            return false; // always(); killAt still bounds it
        const auto outcome = pipelines::run::evaluateStepCondition(
            m_step.condition, statusOf(m_job), m_job.variables.lookup());
        if (outcome && outcome->run)
            return false;
        m_state.error("The operation was canceled; what the step printed last may be missing.");
        return true;
    };
    TaskContext task(m_state, m_definition, limits, shouldStop);
    m_state.commandResult.reset();
    m_state.finishBy.reset();
    Attempt out;
    try {
        const TaskFunction body = m_phase == StepPhase::Pre    ? m_definition.pre
                                  : m_phase == StepPhase::Post ? m_definition.post
                                                               : m_definition.run;
        out.result = body(task);
    } catch (const std::exception &error) {
        m_state.error(std::string("the task failed: ") + error.what());
        out.result = TaskResult::Failed;
    }
    if (m_job.cgroup != nullptr) {
        if (const auto kills = m_job.cgroup->memoryKills(); kills > m_job.memoryKills) {
            m_state.error(counted(kills - m_job.memoryKills, "process") +
                          " of this job was killed: the job needed more memory than its limit of " +
                          sizeText(m_job.options.limits.memoryBytes) + " (--memory of the worker)");
            m_job.memoryKills = kills;
        }
    }
    if (task.stopped() != StopReason::None)
        return {TaskResult::Canceled, false};
    if (task.timedOut()) {
        const bool byCancel = m_job.killAt && Clock::now() >= *m_job.killAt;
        m_state.error(byCancel ? "The step was ended: the job was canceled and its cancel timeout "
                                 "(cancelTimeoutInMinutes) is over."
                               : "The task has timed out.");
        return {byCancel ? TaskResult::Canceled : TaskResult::Failed, false};
    }
    if (m_state.commandResult)
        out.result = mergeResults(out.result, *m_state.commandResult);
    out.mayRetry = out.result == TaskResult::Failed;
    if (out.result == TaskResult::Failed)
        lookAround(task);
    return out;
}

/// Lets whoever wants to see the place of a failure before anything of it changes.
void StepRun::lookAround(TaskContext &task)
{
    if (!m_job.options.onStepFailure || m_phase != StepPhase::Main)
        return;
    m_state.log.flush();
    m_job.sink.flush();
    FailedStep failed;
    failed.name = m_state.displayName;
    failed.folder = task.path("workingDirectory");
    failed.environment = task.environment;
    if (const auto target = m_job.containerFor(m_step); target && *target != nullptr)
        failed.container = (*target)->id;
    m_job.options.onStepFailure(failed);
}

bool StepRun::pause(std::uint32_t attemptNumber)
{
    const int wait = static_cast<int>(attemptNumber * attemptNumber * 1000);
    m_state.warning("The task failed and is tried again (attempt " + std::to_string(attemptNumber) +
                    " of " + std::to_string(m_step.retryCount) + ") after " + std::to_string(wait) +
                    " ms.");
    m_state.log.flush();
    m_job.sink.flush();
    if (m_job.canceled())
        return false;
    pollfd stop{m_job.stop.fd(), POLLIN, 0};
    return ::poll(&stop, 1, wait) == 0;
}

TaskResult StepRun::deliverPending(TaskResult result)
{
    const auto missing = [this](const Status &status, const std::string &what) {
        if (!status && status.error().code == ErrorCode::NotFound)
            m_state.warning(what + ": the receiver of this job does not take it");
        else if (!status)
            m_state.warning(what + ": " + status.error().message);
    };
    for (const auto &publish : m_state.pendingResults)
        result = mergeResults(result, publish(m_state));
    for (const auto &upload : m_state.pendingUploads) {
        if (auto info = m_job.sink.publishArtifact(upload.artifact, upload.path); !info) {
            m_state.error("upload of the artifact '" + upload.artifact +
                          "' failed: " + info.error().message);
            result = mergeResults(result, TaskResult::Failed);
        } else {
            m_state.print("Uploaded " + counted(info->files, "file") + " to the artifact '" +
                          upload.artifact + "'");
        }
    }
    for (const auto &attachment : m_state.pendingAttachments)
        missing(
            m_job.sink.attach(m_state.recordId, attachment.type, attachment.name, attachment.path),
            "attachment '" + attachment.name + "'");
    if (!m_state.pendingTags.empty() || !m_state.pendingRunNumber.empty())
        missing(m_job.sink.updateRun(m_state.pendingTags, m_state.pendingRunNumber),
                "tags and number of the run");
    return result;
}

TaskResult StepRun::run()
{
    std::optional<Clock::time_point> deadline;
    if (m_step.timeoutMinutes > 0)
        deadline = Clock::now() + std::chrono::minutes(m_step.timeoutMinutes);
    Attempt last = attempt(deadline);
    for (std::uint32_t k = 1; last.mayRetry && m_phase == StepPhase::Main &&
                              k <= std::min(m_step.retryCount, kMaxRetries);
         ++k) {
        if (!pause(k))
            break;
        last = attempt(deadline);
    }
    return deliverPending(last.result);
}

} // namespace

void runStep(JobContext &job, const schema::Step &step, const TaskDefinition &definition, int order,
             StepPhase phase)
{
    noteCancel(job);
    job.variables.set("Agent.JobStatus", job.statusText());
    for (const auto &value : job.variables.derivedSecrets())
        job.masker.add(value);
    const bool pre = phase == StepPhase::Pre;
    const std::string name =
        (pre ? "Pre-job: " : "") + job.variables.expand(step.displayName.empty()
                                                            ? std::string(definition.title)
                                                            : step.displayName);
    StepState state(job, step, schema::nameGuid(job.message.recordId, (pre ? "pre" : "") + step.id),
                    order, name);
    const auto condition = pipelines::run::evaluateStepCondition(step.condition, statusOf(job),
                                                                 job.variables.lookup());
    if (!condition) {
        state.started();
        state.error("the condition '" + step.condition +
                    "' cannot be evaluated: " + condition.error().message);
        state.finished(TaskResult::Failed);
        job.result = mergeResults(job.result, TaskResult::Failed);
        return;
    }
    if (!condition->run) {
        state.print("Skipped '" + name + "': the condition was false.");
        if (!condition->trace.empty())
            state.print(condition->trace);
        state.finished(TaskResult::Skipped);
        return;
    }
    state.started();
    TaskResult result = StepRun(job, step, definition, state, phase).run();
    if (result == TaskResult::Failed && step.continueOnError) {
        state.print("The step failed, but continueOnError lets the job go on.");
        result = TaskResult::SucceededWithIssues;
    }
    state.finished(result);
    if (result == TaskResult::Failed || result == TaskResult::SucceededWithIssues)
        job.result = mergeResults(job.result, result);
    else if (result == TaskResult::Abandoned)
        job.result = mergeResults(job.result, TaskResult::Failed);
}

void runPostStep(JobContext &job, const schema::Step &step, const TaskDefinition &definition,
                 int order)
{
    noteCancel(job);
    const std::string name =
        "Post-job: " + job.variables.expand(step.displayName.empty() ? std::string(definition.title)
                                                                     : step.displayName);
    StepState state(job, step, schema::nameGuid(job.message.recordId, "post" + step.id), order,
                    name);
    state.started();
    const TaskResult result = StepRun(job, step, definition, state, StepPhase::Post).run();
    state.finished(result);
    if (result == TaskResult::Failed || result == TaskResult::SucceededWithIssues)
        job.result = mergeResults(job.result, result);
}

} // namespace worker
