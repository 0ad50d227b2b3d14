#include "worker/job/job_context.h"

#include "worker/base/text.h"

#include <algorithm>

namespace worker {

using schema::TaskResult;

TaskResult mergeResults(TaskResult current, TaskResult other)
{
    if (current > TaskResult::Failed)
        return current;
    return std::max(current, other);
}

void Records::send(schema::protocol::RecordUpdate update)
{
    update.sequence = ++m_sequence[update.id];
    m_sink.record(update);
}

const schema::protocol::ServiceConnection *JobContext::connection(std::string_view nameOrId) const
{
    const auto it =
        std::find_if(connections.begin(), connections.end(), [nameOrId](const auto &entry) {
            return equalsIgnoringCase(entry.name, nameOrId) ||
                   equalsIgnoringCase(entry.id, nameOrId);
        });
    return it == connections.end() ? nullptr : &*it;
}

Result<const ContainerTarget *> JobContext::containerFor(const schema::Step &step) const
{
    std::string alias = jobContainer;
    if (step.target && !step.target->container.empty())
        alias = equalsIgnoringCase(step.target->container, "host") ? std::string()
                                                                   : step.target->container;
    if (alias.empty())
        return nullptr;
    const auto it = containers.find(toLower(alias));
    if (it == containers.end())
        return {ErrorCode::Unavailable,
                "the container this step runs in was not started; see 'Initialize containers'"};
    return &it->second;
}

std::string JobContext::statusText() const
{
    if (canceled())
        return "Canceled";
    switch (result) {
    case TaskResult::Succeeded:
        return "Succeeded";
    case TaskResult::SucceededWithIssues:
        return "SucceededWithIssues";
    default:
        return "Failed";
    }
}

std::string JobContext::path(const Environment &stepEnvironment) const
{
    std::string base;
    if (const Variable *variable = variables.find("PATH"); variable != nullptr)
        base = variable->value;
    else if (const auto *own = findEnvironment(stepEnvironment, "PATH"); own != nullptr)
        base = *own;
    else
        base = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return prependPath.empty() ? base : join(prependPath, ":") + ":" + base;
}

StepState::StepState(JobContext &jobContext, const schema::Step &theStep, std::string theRecordId,
                     int order, std::string theDisplayName)
    : taskVariables(jobContext.taskVariables[theStep.id])
    , job(jobContext)
    , step(theStep)
    , recordId(std::move(theRecordId))
    , displayName(std::move(theDisplayName))
    , log(jobContext.sink, jobContext.masker, recordId, jobContext.message.recordId)
    , m_order(order)
{}

schema::protocol::RecordUpdate StepState::update() const
{
    schema::protocol::RecordUpdate record;
    record.id = recordId;
    record.parentId = job.message.recordId;
    record.type = schema::RecordType::Task;
    return record;
}

void StepState::started()
{
    auto record = update();
    record.name = job.masker.mask(displayName);
    record.refName = step.name;
    record.order = m_order;
    record.state = schema::RecordState::InProgress;
    record.startTime = schema::wallClockNow();
    record.workerName = job.options.name;
    record.taskName = step.task;
    record.taskVersion = step.taskVersion;
    job.records.send(std::move(record));
    print("##[section]Starting: " + displayName);
}

void StepState::finished(TaskResult result)
{
    if (result != TaskResult::Skipped)
        print("##[section]Finishing: " + displayName);
    log.flush();
    auto record = update();
    record.name = job.masker.mask(displayName);
    record.refName = step.name;
    record.order = m_order;
    record.state = schema::RecordState::Completed;
    record.result = result;
    record.finishTime = schema::wallClockNow();
    record.percentComplete = 100;
    record.issues = m_issues;
    record.errorCount = m_errors;
    record.warningCount = m_warnings;
    record.currentOperation = job.masker.mask(completeMessage);
    job.records.send(std::move(record));
    job.sink.flush();
}

void StepState::print(std::string_view text)
{
    log.write(text);
}

void StepState::debug(std::string_view text)
{
    if (job.variables.isTrue("system.debug"))
        print("##[debug]" + std::string(text));
}

void StepState::issue(bool isError, std::string_view message, schema::TextMap data)
{
    int &count = isError ? m_errors : m_warnings;
    if (static_cast<std::size_t>(count++) < kMaxIssuesOfAKind) {
        data.emplace_back("logFileLineNumber", std::to_string(log.lineCount() + 1));
        for (auto &[key, value] : data)
            value = job.masker.mask(value);
        m_issues.push_back({isError, job.masker.mask(message), std::move(data)});
        auto record = update();
        record.issues = m_issues;
        record.errorCount = m_errors;
        record.warningCount = m_warnings;
        job.records.send(std::move(record));
    }
    const std::string prefix = isError ? "##[error]" : "##[warning]";
    for (const auto &line : lines(message))
        print(prefix + line);
    if (message.empty())
        print(prefix);
}

void StepState::progress(int percent, std::string_view operation)
{
    percent = std::clamp(percent, 0, 100);
    if (percent <= m_percent && operation.empty())
        return;
    m_percent = std::max(m_percent, percent);
    auto record = update();
    record.percentComplete = m_percent;
    if (!operation.empty())
        record.currentOperation = job.masker.mask(operation);
    job.records.send(std::move(record));
    job.sink.flush();
}

} // namespace worker
