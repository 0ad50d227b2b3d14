#include "server/scheduler/change_writer.h"

#include "server/logs/log_store.h"
#include "server/scheduler/job_instance_codec.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/log_chunk_store.h"
#include "server/store/timeline_store.h"

#include <nlohmann/json.hpp>

#include <span>

namespace server::scheduler {
namespace {

using schema::RecordState;
using schema::RecordType;
using schema::TaskResult;
using store::JobRow;
using store::JobState;
using store::StagePhase;
using store::TimelineRow;

std::span<const std::uint8_t> bytesOf(const std::string &text)
{
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

/// The message of an ending as the one issue of its record.
void addIssue(TimelineRow &record, const std::string &message, std::optional<TaskResult> result)
{
    if (message.empty() || !result || *result == TaskResult::Succeeded)
        return;
    const bool error = *result == TaskResult::Failed || *result == TaskResult::Abandoned ||
                       *result == TaskResult::Canceled;
    record.issuesJson = nlohmann::json::array({{{"type", error ? "error" : "warning"},
                                                {"message", message},
                                                {"data", nlohmann::json::object()}}})
                            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    record.errorCount = error ? 1 : 0;
}

const schema::Stage *plannedStage(const RunContext &context, const std::string &name)
{
    for (const schema::Stage &stage : context.snapshot.plan->stages) {
        if (stage.name == name)
            return &stage;
    }
    return nullptr;
}

std::string orName(const std::string &displayName, const std::string &name)
{
    return displayName.empty() ? name : displayName;
}

} // namespace

void ChangeWriter::write(RunContext &context, Change &change)
{
    std::visit([&](auto &row) { put(context, row); }, change);
}

std::int64_t ChangeWriter::change(RunContext &context)
{
    if (context.changeId == 0)
        context.changeId = store::TimelineStore(m_connection).nextChange(context.snapshot.run.id);
    return context.changeId;
}

void ChangeWriter::put(RunContext &context, store::RunRow &row)
{
    change(context);
    store::RunStore(m_connection).update(row);
}

void ChangeWriter::put(RunContext &context, store::StageRow &row)
{
    store::RunStore(m_connection).put(row);
    const schema::Stage *planned = plannedStage(context, row.name);
    TimelineRow record;
    record.runId = row.runId;
    record.id = row.recordId;
    record.attempt = row.attempt;
    record.type = RecordType::Stage;
    record.name = orName(planned ? planned->displayName : std::string(), row.name);
    record.refName = record.identifier = row.name;
    record.ordinal = row.ordinal;
    record.state = row.phase == StagePhase::Completed ? RecordState::Completed
                   : row.phase == StagePhase::Running ? RecordState::InProgress
                                                      : RecordState::Pending;
    record.result = row.result;
    record.startedAt = row.startedAt;
    record.finishedAt = row.finishedAt;
    record.changeId = change(context);
    addIssue(record, row.phase == StagePhase::Completed ? row.waitingReason : std::string(),
             row.result);
    store::TimelineStore(m_connection).put(record);
}

void ChangeWriter::put(RunContext &context, store::PhaseRow &row)
{
    store::RunStore(m_connection).put(row);
    TimelineRow record;
    record.runId = row.runId;
    record.id = row.recordId;
    record.attempt = row.attempt;
    record.type = RecordType::Phase;
    record.name = row.name;
    if (const auto *place = planIndexOf(context.snapshot).find(row.stage, row.name)) {
        record.parentId = context.snapshot.stages.at(row.stage).recordId;
        record.name = orName(place->job->displayName, row.name);
    }
    record.refName = row.name;
    record.identifier = row.stage + "." + row.name;
    record.ordinal = row.ordinal;
    record.state = row.state;
    record.result = row.result;
    record.startedAt = row.startedAt;
    record.finishedAt = row.finishedAt;
    record.changeId = change(context);
    addIssue(record, row.message, row.result);
    store::TimelineStore(m_connection).put(record);
}

void ChangeWriter::put(RunContext &context, JobCreated &created)
{
    if (created.row.state != JobState::Completed) {
        const std::string text = instanceToText(*created.instance);
        created.row.instanceSealed = m_secrets.seal(bytesOf(text));
        context.instances[created.row.id] = created.instance;
    }
    store::RunStore(m_connection).put(created.row);
    putRecord(context, created.row);
}

void ChangeWriter::put(RunContext &context, store::JobRow &row)
{
    const auto before = context.snapshot.jobs.find(row.id);
    if (before != context.snapshot.jobs.end()) {
        JobRow renewed = before->second;
        renewed.leasedUntil = row.leasedUntil;
        if (renewed == row) {
            store::RunStore(m_connection).renewLease(row.id, row.leasedUntil);
            return; // nothing that anybody sees
        }
        row.outputsSealed = before->second.outputsSealed;
    }
    store::RunStore(m_connection).put(row);
    putRecord(context, row);
    if (row.state != JobState::Completed)
        return;
    context.instances.erase(row.id);
    store::TimelineStore timeline(m_connection);
    timeline.closeTasks(row.runId, row.id, row.result.value_or(TaskResult::Failed), m_now,
                        change(context));
    store::LogChunkStore chunks(m_connection);
    std::vector<int> ended;
    for (store::LogRow &log : timeline.sealLogs(row.id)) {
        const auto last = chunks.last(log.runId, log.logId);
        ended.push_back(log.logId);
        m_notices.sealed.push_back(
            {context.facts.projectId, std::move(log), last ? last->endByte() : 0});
    }
    timeline.packTasks({row.runId, row.id, row.recordId, row.attempt});
    // A damaged chunk stays where it is, and reading it says so.
    (void)logs::LogStore::pack(m_connection, row.runId, row.id, ended);
}

void ChangeWriter::putRecord(RunContext &context, const JobRow &row)
{
    TimelineRow record;
    record.runId = row.runId;
    record.id = row.recordId;
    record.attempt = row.attempt;
    record.parentId = context.snapshot.phases.at({row.stage, row.phase}).recordId;
    record.jobId = row.id;
    record.type = RecordType::Job;
    record.name = row.displayName;
    record.refName = row.name;
    record.identifier = row.identifier;
    record.ordinal = row.ordinal;
    record.state = row.state == JobState::Completed ? RecordState::Completed
                   : row.state == JobState::Running ? RecordState::InProgress
                                                    : RecordState::Pending;
    record.result = row.result;
    if (row.workerId && row.state != JobState::Assigned)
        record.workerName = m_workerName(*row.workerId);
    record.startedAt = row.startedAt;
    record.finishedAt = row.finishedAt;
    record.changeId = change(context);
    if (row.state == JobState::Completed)
        addIssue(record, row.message, row.result);
    store::TimelineStore(m_connection).put(record);
}

void ChangeWriter::put(RunContext &context, SecretOutputs &outputs)
{
    // Comes behind the job's own change (see WorkingCopy::takeChanges): the row is complete by now.
    const auto row = context.snapshot.jobs.find(outputs.jobId);
    if (row == context.snapshot.jobs.end())
        return;
    JobRow copy = row->second;
    const std::string text = outputsToText(outputs.outputs);
    copy.outputsSealed = m_secrets.seal(bytesOf(text));
    store::RunStore(m_connection).put(copy);
    row->second.outputsSealed = copy.outputsSealed;
}

void ChangeWriter::put(RunContext &context, store::ApprovalRow &row)
{
    store::CheckStore(m_connection).put(row);
    change(context);
    m_notices.approvals.push_back(
        {row.id, context.facts.projectId, std::string(store::toString(row.status)), row.runId});
}

void ChangeWriter::put(RunContext &context, store::LockRow &row)
{
    store::CheckStore(m_connection).put(row);
    change(context);
    if (row.environmentId != 0)
        m_notices.cells.push_back({context.facts.projectId, 0, row.environmentId, 0});
}

void ChangeWriter::put(RunContext &context, LockReleased &released)
{
    store::CheckStore(m_connection).removeLock(released.lock);
    change(context);
    if (released.lock.environmentId != 0)
        m_notices.cells.push_back({context.facts.projectId, 0, released.lock.environmentId, 0});
}

void ChangeWriter::put(RunContext &context, DeploymentState &deployment)
{
    store::EnvironmentStore environments(m_connection);
    store::DeploymentRow row;
    row.environmentId = deployment.environmentId;
    row.resourceId = deployment.resourceId;
    row.runId = context.snapshot.run.id;
    row.stage = deployment.stage;
    row.phase = deployment.phase;
    row.requestIdentifier = deployment.requestIdentifier;
    row.stageAttempt = deployment.stageAttempt;
    row.phaseAttempt = deployment.phaseAttempt;
    row.queuedAt = deployment.queuedAt;
    row.startedAt = deployment.startedAt;
    row.finishedAt = deployment.finishedAt;
    row.result = deployment.result;
    row.id = environments.put(row);
    change(context);
    m_notices.cells.push_back({context.facts.projectId, 0, row.environmentId, row.resourceId});
    const bool succeeded =
        row.result == TaskResult::Succeeded || row.result == TaskResult::SucceededWithIssues;
    if (row.finishedAt && succeeded) {
        for (const std::int64_t service : environments.updateCells(row, m_now))
            m_notices.cells.push_back(
                {context.facts.projectId, service, row.environmentId, row.resourceId});
    }
}

void ChangeWriter::put(RunContext &context, CheckpointRecord &checkpoint)
{
    TimelineRow record;
    record.runId = context.snapshot.run.id;
    record.id = checkpoint.id;
    record.attempt = checkpoint.attempt;
    record.parentId = checkpoint.parentId;
    record.type = checkpoint.type;
    record.name = checkpoint.name;
    record.refName = record.identifier = checkpoint.stage;
    record.ordinal = checkpoint.ordinal;
    record.state = checkpoint.state;
    record.result = checkpoint.result;
    record.startedAt = checkpoint.startedAt;
    record.finishedAt = checkpoint.finishedAt;
    record.changeId = change(context);
    addIssue(record, checkpoint.message, checkpoint.result);
    store::TimelineStore(m_connection).put(record);
}

} // namespace server::scheduler
