#include "worker/job/job_runner.h"

#include "schema/base/guid.h"
#include "worker/base/text.h"
#include "worker/container/job_containers.h"
#include "worker/job/disk_quota.h"
#include "worker/job/predefined.h"
#include "worker/job/step_runner.h"
#include "worker/job/watchdog.h"
#include "worker/node/packaged_task.h"

#include <exception>

namespace worker {
namespace {

using schema::RecordState;
using schema::TaskResult;
using schema::protocol::JobCompletion;

class JobRunner
{
public:
    JobRunner(const schema::protocol::JobMessage &message, const WorkerOptions &options,
              JobSink &sink, StopSignal &stop)
        : m_job(message, options, sink, stop)
    {
        m_job.lookupId = processLookupId(message.jobId);
    }

    JobCompletion run();

private:
    Status initialize();
    void limitResources(StepState &state);
    Status checkSteps(StepState &state);
    const TaskDefinition *findPackaged(const schema::Step &step, StepState &state,
                                       std::string &why);
    void runPreSteps();
    void startJobContainers();
    void stopJobContainers();
    void runSteps();
    void runPostSteps();
    void finalize();
    void sendJobRecord(RecordState state, std::optional<TaskResult> result);
    /// A step of our own ("Initialize job") with its own record.
    template <typename Body> Status ownStep(const char *name, int order, Body body);

    JobContext m_job;
    UniqueFd m_workspaceLock;
    std::vector<const TaskDefinition *> m_definitions; ///< by step
    std::vector<std::unique_ptr<TaskSource>> m_sources;
    std::vector<std::unique_ptr<PackagedTask>> m_packages;
    std::string m_message;
    int m_order = 2; ///< place of the next record below the job's
};

void JobRunner::sendJobRecord(RecordState state, std::optional<TaskResult> result)
{
    schema::protocol::RecordUpdate record;
    record.id = m_job.message.recordId;
    record.type = schema::RecordType::Job;
    record.workerName = m_job.options.name;
    record.state = state;
    if (state == RecordState::InProgress)
        record.startTime = schema::wallClockNow();
    if (result) {
        record.result = result;
        record.finishTime = schema::wallClockNow();
    }
    m_job.records.send(std::move(record));
    m_job.sink.flush();
}

template <typename Body> Status JobRunner::ownStep(const char *name, int order, Body body)
{
    schema::Step step;
    step.task = "JobExtension";
    StepState state(m_job, step, schema::nameGuid(m_job.message.recordId, name), order, name);
    state.started();
    Status status = body(state);
    if (!status)
        state.error(status.error().message);
    state.finished(status ? TaskResult::Succeeded : TaskResult::Failed);
    return status;
}

/// The task of a step as a package; nullptr with the reason when no source has one.
const TaskDefinition *JobRunner::findPackaged(const schema::Step &step, StepState &state,
                                              std::string &why)
{
    const auto say = [&state](const std::string &text) {
        state.print(text);
        state.log.flush();
        state.job.sink.flush();
    };
    for (const auto &source : m_sources) {
        const auto found = source->find(step.task, step.taskVersion, say);
        if (!found) {
            if (!found.error().message.empty())
                why += (why.empty() ? "" : "; ") + found.error().message;
            continue;
        }
        for (const auto &package : m_packages) {
            if (package->found.folder == found->folder)
                return &package->definition;
        }
        auto package = loadPackagedTask(*found);
        if (!package) {
            why = found->name + " " + found->version + ": " + package.error().message;
            return nullptr;
        }
        m_packages.push_back(std::move(*package));
        return &m_packages.back()->definition;
    }
    return nullptr;
}

Status JobRunner::checkSteps(StepState &state)
{
    const auto &options = m_job.options;
    if (!options.taskFolders.empty())
        m_sources.push_back(folderTaskSource(options.taskFolders));
    if (!m_job.message.serverUrl.empty())
        m_sources.push_back(serverTaskSource(m_job.message.serverUrl, m_job.message.jobToken,
                                             m_job.message.jobId, options.work / "_tasks",
                                             m_job.stop, options.authorityFile));

    const auto &message = m_job.message;
    std::string all;
    for (const auto &step : message.steps) {
        std::string why;
        // "Name@2.1.3" asks for that very package; a built-in task stands for a whole major.
        const bool exact = std::count(step.taskVersion.begin(), step.taskVersion.end(), '.') == 2;
        std::string unused;
        const auto *definition = exact ? findPackaged(step, state, unused) : nullptr;
        if (definition == nullptr)
            definition = findTask(step, &why);
        if (definition == nullptr) {
            std::string packages;
            definition = findPackaged(step, state, packages);
            if (definition != nullptr)
                why.clear();
            else if (!packages.empty())
                why += "; " + packages;
        }
        const std::string where =
            step.position.line == 0
                ? std::string()
                : " (" + step.position.file + " line " + std::to_string(step.position.line) + ")";
        if (definition == nullptr && why.empty())
            why = "the task is unknown";
        if (why.empty())
            why = unknownTarget(message, step);
        if (!why.empty())
            all += join({all.empty() ? "" : "\n", "step '",
                         step.displayName.empty() ? step.task : step.displayName, "'", where,
                         " cannot run: ", why},
                        "");
        m_definitions.push_back(definition);
    }
    if (!all.empty())
        return {ErrorCode::InvalidArgument, all};
    for (const auto &step : message.steps) {
        const auto outcome =
            pipelines::run::evaluateStepCondition(step.condition, {}, m_job.variables.lookup());
        if (!outcome && outcome.error().code == ErrorCode::InvalidArgument)
            return {ErrorCode::InvalidArgument,
                    "step '" + (step.displayName.empty() ? step.task : step.displayName) +
                        "' specifies the condition '" + step.condition +
                        "' which is not valid: " + outcome.error().message};
    }
    return {};
}

void JobRunner::limitResources(StepState &state)
{
    const auto &limits = m_job.options.limits;
    if (!limits.any())
        return;
    auto group = JobCgroup::enter(m_job.lookupId, limits);
    if (!group)
        return state.warning(group.error().message + "; the job runs without limits");
    m_job.cgroup = std::move(*group);
    std::string text = "Limits of this job:";
    if (limits.memoryBytes > 0)
        text += " " + sizeText(limits.memoryBytes) + " of memory";
    if (limits.processes > 0)
        text += " " + std::to_string(limits.processes) + " processes";
    if (limits.cpuPercent > 0)
        text += " " + std::to_string(limits.cpuPercent) + " % of a processor";
    state.print(text);
}

Status JobRunner::initialize()
{
    return ownStep("Initialize job", 0, [this](StepState &state) -> Status {
        const auto &message = m_job.message;
        state.print("Worker '" + m_job.options.name + "', Slipway " SLIPWAY_VERSION);
        state.print("Job '" + message.displayName + "' (" + message.identifier + "), attempt " +
                    std::to_string(message.attempt) + " of run " + message.runNumber);
        const std::string key = message.project + "/" + message.pipelineName;
        ASSIGN_OR_RETURN(auto workspace, takeWorkspace(m_job.options.work, key, message.jobId));
        m_workspaceLock = std::move(workspace.lock);
        m_job.layout = workspace.layout;
        RETURN_IF_ERROR(checkDiskSpace(m_job.options.work));
        limitResources(state);
        setJobVariables(m_job);
        const auto clean = m_job.variables.value("agent.clean.buildDirectory");
        RETURN_IF_ERROR(
            prepareLayout(m_job.layout, clean.empty() ? message.workspaceClean : clean));
        state.print("Workspace: " + m_job.layout.workspace.string());
        return checkSteps(state);
    });
}

void JobRunner::startJobContainers()
{
    const auto start = [this](StepState &state) -> Status {
        const TaskDefinition none;
        TaskContext task(state, none, {}, [](StopReason) { return true; });
        return startContainers(task);
    };
    if (auto status = ownStep("Initialize containers", 1, start); !status) {
        m_job.result = mergeResults(m_job.result, TaskResult::Failed);
        m_message = status.error().message;
    }
}

void JobRunner::stopJobContainers()
{
    const auto stop = [this](StepState &state) -> Status {
        const TaskDefinition none;
        TaskContext task(state, none, {}, {});
        if (m_job.stop.reason() != StopReason::LeaseLost)
            explainServices(task);
        m_job.containers.clear();
        if (auto status = removeContainers(m_job.message.jobId, m_job.options); !status)
            state.warning(
                "containers of this job may be left behind: " + status.error().message +
                "; remove them with: docker rm --force $(docker ps --all --quiet --filter "
                "label=slipway.job=" +
                m_job.message.jobId + ")");
        return {};
    };
    static_cast<void>(ownStep("Stop containers", m_order++, stop));
}

void JobRunner::runSteps()
{
    for (std::size_t i = 0; i < m_job.message.steps.size(); ++i) {
        if (m_job.stop.reason() == StopReason::LeaseLost)
            return;
        runStep(m_job, m_job.message.steps[i], *m_definitions[i], m_order++);
    }
}

void JobRunner::runPreSteps()
{
    for (const auto &step : m_job.message.steps) {
        if (equalsIgnoringCase(step.task, schema::kCheckoutTaskId) &&
            !equalsIgnoringCase(trimmed(step.condition), "false"))
            ++m_job.checkouts;
    }
    for (std::size_t i = 0; i < m_job.message.steps.size(); ++i) {
        if (m_definitions[i]->pre != nullptr && m_job.stop.reason() != StopReason::LeaseLost)
            runStep(m_job, m_job.message.steps[i], *m_definitions[i], m_order++, StepPhase::Pre);
    }
}

void JobRunner::runPostSteps()
{
    for (std::size_t i = m_job.message.steps.size(); i-- > 0;) {
        if (m_definitions[i]->post != nullptr && m_job.stop.reason() != StopReason::LeaseLost)
            runPostStep(m_job, m_job.message.steps[i], *m_definitions[i], m_order++);
    }
}

void JobRunner::finalize()
{
    const auto clean = [this](StepState &state) -> Status {
        if (!equalsIgnoringCase(m_job.variables.value("process.clean"), "false")) {
            endOrphans(m_job.lookupId, [&state](int pid, const std::string &name) {
                state.print("Terminate orphan process: pid (" + std::to_string(pid) + ") (" + name +
                            ")");
            });
        }
        if (auto status = removeTree(m_job.layout.temp); !status)
            state.warning(status.error().message);
        if (m_job.cgroup != nullptr && m_job.cgroup->peakBytes() > 0)
            state.print("Most memory used: " + sizeText(m_job.cgroup->peakBytes()));
        if (m_job.options.diskQuota > 0) {
            const auto say = [&state](const std::string &line) { state.print(line); };
            if (auto status = keepDiskQuota(m_job.options.work, m_job.options.diskQuota, say);
                !status)
                state.warning(status.error().message);
        }
        return {};
    };
    // The result of cleaning up is shown and changes nothing.
    static_cast<void>(ownStep("Finalize Job", m_order++, clean));
}

JobCompletion JobRunner::run()
{
    sendJobRecord(RecordState::InProgress, std::nullopt);
    std::optional<Watchdog> watchdog;
    if (m_job.message.timeoutMinutes > 0)
        watchdog.emplace(m_job.stop, std::chrono::minutes(m_job.message.timeoutMinutes));
    const auto initialized = initialize();
    if (!initialized) {
        m_job.result = TaskResult::Failed;
        m_message = initialized.error().message;
        if (!m_job.layout.temp.empty())
            static_cast<void>(removeTree(m_job.layout.temp));
    } else if (auto ours = m_job.sink.confirm(); !ours) {
        // Nothing of the job has run, so nothing of it may: not even what runs always().
        if (!m_job.canceled()) {
            m_job.result = TaskResult::Failed;
            m_message = "the server refused the job's first record: " + ours.error().message;
        }
        finalize();
    } else {
        const bool containers = needsContainers(m_job.message);
        if (containers)
            startJobContainers();
        runPreSteps();
        runSteps();
        runPostSteps();
        if (containers)
            stopJobContainers();
        finalize();
    }
    JobCompletion completion;
    completion.outputs = std::move(m_job.outputs);
    completion.message = m_job.masker.mask(m_message);
    completion.result = m_job.result;
    if (m_job.canceled()) {
        completion.result = TaskResult::Canceled;
        if (m_job.stop.reason() == StopReason::JobTimeout)
            completion.message = "The job ran longer than the maximum time of " +
                                 std::to_string(m_job.message.timeoutMinutes) +
                                 " minutes (timeoutInMinutes)";
    }
    if (const auto health = m_job.sink.health(); !health) {
        completion.result = TaskResult::Failed;
        completion.message = "the worker cannot keep the job's log: " + health.error().message;
    }
    if (m_job.stop.reason() != StopReason::LeaseLost)
        sendJobRecord(RecordState::Completed, completion.result);
    return completion;
}

} // namespace

std::string processLookupId(const std::string &jobId)
{
    return "vsts_" + schema::nameGuid(jobId, "processes");
}

JobCompletion runJob(const schema::protocol::JobMessage &message, const WorkerOptions &options,
                     JobSink &sink, StopSignal &stop)
{
    try {
        JobRunner runner(message, options, sink, stop);
        return runner.run();
    } catch (const std::exception &error) {
        return {TaskResult::Failed,
                std::string("the worker failed while it ran the job: ") + error.what(),
                {}};
    }
}

} // namespace worker
