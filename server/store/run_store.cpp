#include "server/store/run_store.h"

#include <nlohmann/json.hpp>
#include <sodium.h>

#include <algorithm>
#include <array>

namespace server::store {
namespace {

using nlohmann::json;

constexpr const char *kRunColumns =
    "SELECT r.id, r.pipeline_id, p.name, p.folder, p.project_id, r.number, r.plan_id, r.reason, "
    "r.status, r.result, "
    "r.source_branch, r.source_version, r.commit_message, r.commit_author, r.requested_by, "
    "coalesce(i.display_name, ''), "
    "r.parameters_json, r.variables_json, r.stages_to_skip_json, r.compiled_plan_id, "
    "r.validation_json, r.queued_at, "
    "r.started_at, r.finished_at, r.cancel_requested_by, r.change_id, r.trigger_json, r.priority "
    "FROM run r JOIN pipeline p ON p.id = r.pipeline_id LEFT JOIN identity i ON i.id = "
    "r.requested_by ";

json listJson(const std::vector<std::string> &list)
{
    return json(list);
}

std::vector<std::string> listFromJson(const std::string &text)
{
    const json parsed = json::parse(text, nullptr, false);
    std::vector<std::string> list;
    if (parsed.is_array()) {
        for (const json &element : parsed) {
            if (element.is_string())
                list.push_back(element.get<std::string>());
        }
    }
    return list;
}

json outputsJson(const std::vector<schema::protocol::OutputVariable> &outputs)
{
    json list = json::array();
    for (const auto &output : outputs)
        list.push_back({{"step", output.step}, {"name", output.name}, {"value", output.value}});
    return list;
}

std::vector<schema::protocol::OutputVariable> outputsFromJson(const std::string &text)
{
    std::vector<schema::protocol::OutputVariable> outputs;
    const json parsed = json::parse(text, nullptr, false);
    if (parsed.is_array()) {
        for (const json &element : parsed)
            outputs.push_back({element.value("step", ""), element.value("name", ""),
                               element.value("value", ""), false});
    }
    return outputs;
}

/// A few words that stand for an enum in a text column.
template <typename E, std::size_t N>
E enumOf(const std::array<const char *, N> &words, const std::string &word)
{
    for (std::size_t i = 0; i < N; ++i) {
        if (word == words[i])
            return static_cast<E>(i);
    }
    throw SqlError({schema::ErrorCode::Internal, "unknown state '" + word + "' in the database"});
}

constexpr std::array kStagePhases{"pending", "checking", "running", "completed"};
constexpr std::array kJobStates{"queued", "assigned", "running", "completed"};

RunRow readRun(const Statement &s)
{
    RunRow run;
    run.id = s.get<std::int64_t>(0);
    run.pipelineId = s.get<std::int64_t>(1);
    run.pipelineName = s.get<std::string>(2);
    run.pipelineFolder = s.get<std::string>(3);
    run.projectId = s.get<std::string>(4);
    run.number = s.get<std::string>(5);
    run.planId = s.get<std::string>(6);
    run.reason = s.get<schema::RunReason>(7);
    run.status = s.get<schema::RunStatus>(8);
    run.result = s.get<schema::RunResult>(9);
    run.sourceBranch = s.get<std::string>(10);
    run.sourceVersion = s.get<std::string>(11);
    run.commitMessage = s.get<std::string>(12);
    run.commitAuthor = s.get<std::string>(13);
    run.requestedBy = s.get<std::optional<std::string>>(14);
    run.requestedByName = s.get<std::string>(15);
    run.parametersJson = s.get<std::string>(16);
    run.variablesJson = s.get<std::string>(17);
    run.stagesToSkip = listFromJson(s.get<std::string>(18));
    run.compiledPlanId = s.get<std::int64_t>(19);
    run.validationJson = s.get<std::string>(20);
    run.queuedAt = s.get<TimePoint>(21);
    run.startedAt = s.get<std::optional<TimePoint>>(22);
    run.finishedAt = s.get<std::optional<TimePoint>>(23);
    run.cancelRequestedBy = s.get<std::optional<std::string>>(24);
    run.changeId = s.get<std::int64_t>(25);
    run.triggerJson = s.get<std::string>(26);
    run.priority = s.get<schema::RunPriority>(27);
    return run;
}

constexpr const char *kJobColumns =
    "SELECT id, run_id, stage, phase, name, attempt, identifier, record_id, display_name, ordinal, "
    "hook, state, result, message, "
    "pool_id, demands_json, timeout_minutes, cancel_timeout_minutes, worker_id, token_hash, "
    "leased_until, timeout_at, cancel_at, "
    "instance_sealed, outputs_json, outputs_sealed, queued_at, assigned_at, started_at, "
    "finished_at FROM job ";

JobRow readJob(const Statement &s)
{
    JobRow job;
    job.id = s.get<Guid>(0).text;
    job.runId = s.get<std::int64_t>(1);
    job.stage = s.get<std::string>(2);
    job.phase = s.get<std::string>(3);
    job.name = s.get<std::string>(4);
    job.attempt = s.get<int>(5);
    job.identifier = s.get<std::string>(6);
    job.recordId = s.get<Guid>(7).text;
    job.displayName = s.get<std::string>(8);
    job.ordinal = s.get<int>(9);
    job.hook = s.get<std::string>(10);
    job.state = enumOf<JobState>(kJobStates, s.get<std::string>(11));
    job.result = s.get<std::optional<schema::TaskResult>>(12);
    job.message = s.get<std::string>(13);
    job.poolId = s.get<std::optional<std::int64_t>>(14);
    job.demands = listFromJson(s.get<std::string>(15));
    job.timeoutMinutes = s.get<int>(16);
    job.cancelTimeoutMinutes = s.get<int>(17);
    job.workerId = s.get<std::optional<std::int64_t>>(18);
    job.tokenHash = s.get<Blob>(19);
    job.leasedUntil = s.get<std::optional<TimePoint>>(20);
    job.timeoutAt = s.get<std::optional<TimePoint>>(21);
    job.cancelAt = s.get<std::optional<TimePoint>>(22);
    job.instanceSealed = s.get<Blob>(23);
    job.outputs = outputsFromJson(s.get<std::string>(24));
    job.outputsSealed = s.get<Blob>(25);
    job.queuedAt = s.get<TimePoint>(26);
    job.assignedAt = s.get<std::optional<TimePoint>>(27);
    job.startedAt = s.get<std::optional<TimePoint>>(28);
    job.finishedAt = s.get<std::optional<TimePoint>>(29);
    return job;
}

std::optional<Blob> orNull(const Blob &blob)
{
    return blob.empty() ? std::nullopt : std::optional(blob);
}

} // namespace

std::vector<RunRow> RunStore::list(const RunFilter &filter)
{
    std::vector<RunRow> runs;
    if (!filter.ids.empty()) {
        std::vector<std::int64_t> ids = filter.ids;
        std::sort(ids.begin(), ids.end(), std::greater<>());
        if (filter.afterId)
            std::reverse(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        const auto given = [&filter](std::int64_t id) { // on an earlier page
            return filter.afterId ? id <= *filter.afterId
                                  : filter.beforeId && id >= *filter.beforeId;
        };
        for (const std::int64_t id : ids) {
            if (given(id))
                continue;
            auto run = find(id);
            if (run && (!filter.projectId || run->projectId == *filter.projectId))
                runs.push_back(std::move(*run));
        }
        return runs;
    }
    // One text for all filters: an unused one is switched off by its NULL. Walking ids downwards
    // and stopping at the limit is what the primary key (or run_pipeline) is good at.
    static const std::string kTail =
        "WHERE (?1 IS NULL OR p.project_id = ?1) AND (?2 IS NULL OR r.source_branch = ?2) AND (?3 "
        "IS NULL OR r.status = ?3) "
        "AND (?4 IS NULL OR r.result = ?4) AND (?5 IS NULL OR r.reason = ?5) "
        "AND r.deleted_at IS NULL ";
    static const std::string kNewest = "AND r.id < ?6 ORDER BY r.id DESC LIMIT ?7";
    static const std::string kOldest = "AND r.id > ?6 ORDER BY r.id LIMIT ?7";
    static const std::string kOfPipeline = "AND r.pipeline_id = ?8 ";
    static const std::string kSql[] = {
        kRunColumns + kTail + kNewest, kRunColumns + kTail + kOfPipeline + kNewest,
        kRunColumns + kTail + kOldest, kRunColumns + kTail + kOfPipeline + kOldest};
    const std::int64_t edge = filter.afterId.value_or(filter.beforeId.value_or(INT64_MAX));
    const int top = std::clamp(filter.top, 1, 1000);
    Statement s = m_connection.prepare(
        kSql[(filter.afterId ? 2U : 0U) + (filter.pipelineId ? 1U : 0U)].c_str());
    if (filter.pipelineId)
        s.bind(filter.projectId, filter.branch, filter.status, filter.result, filter.reason, edge,
               top, *filter.pipelineId);
    else
        s.bind(filter.projectId, filter.branch, filter.status, filter.result, filter.reason, edge,
               top);
    while (s.step())
        runs.push_back(readRun(s));
    return runs;
}

std::map<schema::RunStatus, std::int64_t> RunStore::openCounts()
{
    // 2 is Completed; written as in the index `run_open`, which this reads instead of all runs.
    Statement s = m_connection.prepare("SELECT status, count(*) FROM run WHERE status <> 2 AND "
                                       "deleted_at IS NULL GROUP BY status");
    std::map<schema::RunStatus, std::int64_t> counts;
    while (s.step())
        counts[s.get<schema::RunStatus>(0)] = s.get<std::int64_t>(1);
    return counts;
}

std::optional<RunRow> RunStore::find(std::int64_t runId)
{
    static const std::string kSql =
        std::string(kRunColumns) + "WHERE r.id = ? AND r.deleted_at IS NULL";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    if (!s.step())
        return std::nullopt;
    return readRun(s);
}

std::string RunStore::projectOf(std::int64_t runId)
{
    Statement s = m_connection.prepare(
        "SELECT p.project_id FROM run r JOIN pipeline p ON p.id = r.pipeline_id WHERE r.id = ?");
    s.bind(runId);
    return s.step() ? s.get<std::string>(0) : std::string();
}

std::optional<RunFacts> RunStore::facts(std::int64_t runId)
{
    Statement s =
        m_connection.prepare("SELECT o.id, o.name, p.name, p.folder, p.revision, g.id, g.name, "
                             "g.type, g.url, g.hosted, coalesce(i.display_name, ''), "
                             "coalesce(i.unique_name, '') FROM run r JOIN pipeline p ON p.id = "
                             "r.pipeline_id JOIN project o ON o.id = p.project_id "
                             "JOIN repository g ON g.id = p.repository_id LEFT JOIN identity i ON "
                             "i.id = r.requested_by WHERE r.id = ?");
    s.bind(runId);
    if (!s.step())
        return std::nullopt;
    return RunFacts{s.get<std::string>(0), s.get<std::string>(1),  s.get<std::string>(2),
                    s.get<std::string>(3), s.get<std::int64_t>(4), s.get<std::string>(5),
                    s.get<std::string>(6), s.get<std::string>(7),  s.get<std::string>(8),
                    s.get<bool>(9),        s.get<std::string>(10), s.get<std::string>(11)};
}

std::int64_t RunStore::newestId()
{
    Statement s = m_connection.prepare("SELECT max(id) FROM run");
    return s.step() ? s.get<std::optional<std::int64_t>>(0).value_or(0) : 0;
}

std::vector<std::int64_t> RunStore::idsAfter(std::int64_t id, int limit)
{
    std::vector<std::int64_t> ids;
    Statement s = m_connection.prepare("SELECT id FROM run WHERE id > ? ORDER BY id LIMIT ?");
    s.bind(id, limit);
    while (s.step())
        ids.push_back(s.get<std::int64_t>(0));
    return ids;
}

std::vector<std::int64_t> RunStore::openRuns()
{
    std::vector<std::int64_t> ids;
    Statement s = m_connection.prepare("SELECT id FROM run WHERE status <> 2 ORDER BY id");
    while (s.step())
        ids.push_back(s.get<std::int64_t>(0));
    return ids;
}

std::string RunStore::planText(std::int64_t compiledPlanId)
{
    Statement s = m_connection.prepare("SELECT plan_text FROM compiled_plan WHERE id = ?");
    s.bind(compiledPlanId);
    return s.step() ? s.get<std::string>(0) : std::string();
}

std::string RunStore::finalYaml(std::int64_t compiledPlanId)
{
    Statement s = m_connection.prepare("SELECT final_yaml FROM compiled_plan WHERE id = ?");
    s.bind(compiledPlanId);
    return s.step() ? s.get<std::string>(0) : std::string();
}

std::vector<StageRow> RunStore::stages(std::int64_t runId)
{
    std::vector<StageRow> rows;
    Statement s = m_connection.prepare(
        "SELECT name, attempt, record_id, ordinal, phase, result, waiting_reason, requested_by, "
        "started_at, finished_at FROM stage_state WHERE run_id = ? ORDER BY ordinal, attempt");
    s.bind(runId);
    while (s.step()) {
        rows.push_back({runId, s.get<std::string>(0), s.get<int>(1), s.get<Guid>(2).text,
                        s.get<int>(3), enumOf<StagePhase>(kStagePhases, s.get<std::string>(4)),
                        s.get<std::optional<schema::TaskResult>>(5), s.get<std::string>(6),
                        s.get<std::optional<std::string>>(7), s.get<std::optional<TimePoint>>(8),
                        s.get<std::optional<TimePoint>>(9)});
    }
    return rows;
}

std::vector<std::chrono::milliseconds> RunStore::stageDurations(std::int64_t pipelineId,
                                                                std::string_view stage)
{
    std::vector<std::chrono::milliseconds> durations;
    Statement s = m_connection.prepare(
        "SELECT s.finished_at - s.started_at FROM (SELECT id FROM run WHERE pipeline_id = ?1 "
        "ORDER BY id DESC LIMIT 50) r JOIN stage_state s ON s.run_id = r.id AND s.name = ?2 "
        "WHERE s.result IN (0, 1) AND s.started_at IS NOT NULL AND s.finished_at IS NOT NULL");
    s.bind(pipelineId, stage);
    while (s.step())
        durations.emplace_back(s.get<std::int64_t>(0));
    return durations;
}

std::vector<PhaseRow> RunStore::phases(std::int64_t runId)
{
    std::vector<PhaseRow> rows;
    Statement s = m_connection.prepare("SELECT stage, name, attempt, record_id, ordinal, state, "
                                       "result, message, carries_from, environment_id, "
                                       "resource_id, started_at, finished_at FROM phase_state "
                                       "WHERE run_id = ? ORDER BY ordinal, attempt");
    s.bind(runId);
    while (s.step()) {
        rows.push_back({runId, s.get<std::string>(0), s.get<std::string>(1), s.get<int>(2),
                        s.get<Guid>(3).text, s.get<int>(4), s.get<schema::RecordState>(5),
                        s.get<std::optional<schema::TaskResult>>(6), s.get<std::string>(7),
                        s.get<int>(8), s.get<std::int64_t>(9), s.get<std::int64_t>(10),
                        s.get<std::optional<TimePoint>>(11), s.get<std::optional<TimePoint>>(12)});
    }
    return rows;
}

std::vector<JobRow> RunStore::jobs(std::int64_t runId)
{
    static const std::string kSql =
        std::string(kJobColumns) + "WHERE run_id = ? ORDER BY ordinal, attempt";
    std::vector<JobRow> rows;
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(runId);
    while (s.step())
        rows.push_back(readJob(s));
    return rows;
}

std::set<std::string> RunStore::queuedStages(std::int64_t runId)
{
    std::set<std::string> stages;
    Statement s = m_connection.prepare("SELECT stage FROM job WHERE run_id = ? AND state <> "
                                       "'completed' GROUP BY stage HAVING min(state = 'queued')");
    s.bind(runId);
    while (s.step())
        stages.insert(s.get<std::string>(0));
    return stages;
}

std::map<std::string, std::string> RunStore::jobStages(std::int64_t runId)
{
    std::map<std::string, std::string> stages;
    Statement s = m_connection.prepare(
        "SELECT j.id, j.stage FROM job j WHERE j.run_id = ?1 AND j.attempt = (SELECT "
        "max(p.attempt) FROM phase_state p WHERE p.run_id = ?1 AND p.stage = j.stage AND "
        "p.name = j.phase)");
    s.bind(runId);
    while (s.step())
        stages[s.get<Guid>(0).text] = s.get<std::string>(1);
    return stages;
}

std::optional<JobRow> RunStore::findJob(const std::string &jobId)
{
    static const std::string kSql = std::string(kJobColumns) + "WHERE id = ?";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(Guid{jobId});
    if (!s.step())
        return std::nullopt;
    return readJob(s);
}

std::optional<JobRow> RunStore::findJobByToken(const Blob &tokenHash)
{
    static const std::string kSql =
        std::string(kJobColumns) + "WHERE token_hash = ? AND state <> 'completed'";
    Statement s = m_connection.prepare(kSql.c_str());
    s.bind(tokenHash);
    if (!s.step())
        return std::nullopt;
    return readJob(s);
}

std::int64_t RunStore::putPlan(const std::string &planText, const std::string &finalYaml)
{
    const std::string all = planText + '\0' + finalYaml;
    Blob hash(crypto_hash_sha256_BYTES);
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char *>(all.data()),
                       all.size());
    {
        Statement s = m_connection.prepare("SELECT id FROM compiled_plan WHERE hash = ?");
        s.bind(hash);
        if (s.step())
            return s.get<std::int64_t>(0);
    }
    m_connection.run("INSERT INTO compiled_plan(hash, plan_text, final_yaml) VALUES(?,?,?)", hash,
                     planText, finalYaml);
    return m_connection.lastInsertId();
}

std::int64_t RunStore::insert(const RunRow &run)
{
    m_connection.run(
        "INSERT INTO run(pipeline_id, number, plan_id, reason, status, result, source_branch, "
        "source_version, "
        "commit_message, commit_author, requested_by, parameters_json, variables_json, "
        "stages_to_skip_json, "
        "compiled_plan_id, validation_json, queued_at, started_at, finished_at, change_id, "
        "trigger_json, priority) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        run.pipelineId, run.number, run.planId, run.reason, run.status, run.result,
        run.sourceBranch, run.sourceVersion, run.commitMessage, run.commitAuthor, run.requestedBy,
        run.parametersJson, run.variablesJson, listJson(run.stagesToSkip).dump(),
        run.compiledPlanId, run.validationJson, run.queuedAt, run.startedAt, run.finishedAt,
        run.changeId, run.triggerJson, run.priority);
    return m_connection.lastInsertId();
}

Blob RunStore::rootValues(std::int64_t runId)
{
    Statement s = m_connection.prepare("SELECT root_values_sealed FROM run WHERE id = ?");
    s.bind(runId);
    return s.step() ? s.get<Blob>(0) : Blob();
}

void RunStore::putRootValues(std::int64_t runId, const Blob &sealed)
{
    m_connection.run("UPDATE run SET root_values_sealed=? WHERE id=?", sealed, runId);
}

void RunStore::update(const RunRow &run)
{
    m_connection.run("UPDATE run SET number=?, status=?, result=?, started_at=?, finished_at=?, "
                     "cancel_requested_by=?, validation_json=?, priority=? WHERE id=?",
                     run.number, run.status, run.result, run.startedAt, run.finishedAt,
                     run.cancelRequestedBy, run.validationJson, run.priority, run.id);
}

void RunStore::put(const StageRow &stage)
{
    m_connection.run(
        "INSERT INTO stage_state(run_id, name, attempt, record_id, ordinal, phase, result, "
        "waiting_reason, requested_by, "
        "started_at, finished_at) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(run_id, name, attempt) "
        "DO UPDATE SET "
        "phase=excluded.phase, result=excluded.result, waiting_reason=excluded.waiting_reason, "
        "started_at=excluded.started_at, finished_at=excluded.finished_at",
        stage.runId, stage.name, stage.attempt, Guid{stage.recordId}, stage.ordinal,
        kStagePhases[static_cast<std::size_t>(stage.phase)], stage.result, stage.waitingReason,
        stage.requestedBy, stage.startedAt, stage.finishedAt);
}

void RunStore::put(const PhaseRow &phase)
{
    m_connection.run(
        "INSERT INTO phase_state(run_id, stage, name, attempt, record_id, ordinal, state, result, "
        "message, carries_from, "
        "environment_id, resource_id, started_at, finished_at) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT(run_id, stage, name, attempt) DO UPDATE SET state=excluded.state, "
        "result=excluded.result, "
        "message=excluded.message, environment_id=excluded.environment_id, "
        "resource_id=excluded.resource_id, "
        "started_at=excluded.started_at, finished_at=excluded.finished_at",
        phase.runId, phase.stage, phase.name, phase.attempt, Guid{phase.recordId}, phase.ordinal,
        phase.state, phase.result, phase.message, phase.carriesFrom, phase.environmentId,
        phase.resourceId, phase.startedAt, phase.finishedAt);
}

void RunStore::put(const JobRow &job)
{
    m_connection.run("INSERT INTO job(id, run_id, stage, phase, name, attempt, identifier, "
                     "record_id, display_name, ordinal, hook, state, result, "
                     "message, pool_id, demands_json, timeout_minutes, cancel_timeout_minutes, "
                     "worker_id, token_hash, leased_until, timeout_at, "
                     "cancel_at, instance_sealed, outputs_json, outputs_sealed, queued_at, "
                     "assigned_at, started_at, finished_at) "
                     "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON "
                     "CONFLICT(id) DO UPDATE SET state=excluded.state, "
                     "result=excluded.result, message=excluded.message, pool_id=excluded.pool_id, "
                     "worker_id=excluded.worker_id, "
                     "token_hash=excluded.token_hash, leased_until=excluded.leased_until, "
                     "timeout_at=excluded.timeout_at, "
                     "cancel_at=excluded.cancel_at, instance_sealed=excluded.instance_sealed, "
                     "outputs_json=excluded.outputs_json, "
                     "outputs_sealed=excluded.outputs_sealed, assigned_at=excluded.assigned_at, "
                     "started_at=excluded.started_at, "
                     "finished_at=excluded.finished_at",
                     Guid{job.id}, job.runId, job.stage, job.phase, job.name, job.attempt,
                     job.identifier, Guid{job.recordId}, job.displayName, job.ordinal, job.hook,
                     kJobStates[static_cast<std::size_t>(job.state)], job.result, job.message,
                     job.poolId, listJson(job.demands).dump(), job.timeoutMinutes,
                     job.cancelTimeoutMinutes, job.workerId, orNull(job.tokenHash), job.leasedUntil,
                     job.timeoutAt, job.cancelAt, orNull(job.instanceSealed),
                     outputsJson(job.outputs).dump(), orNull(job.outputsSealed), job.queuedAt,
                     job.assignedAt, job.startedAt, job.finishedAt);
}

void RunStore::renewLease(const std::string &jobId, std::optional<TimePoint> leasedUntil)
{
    m_connection.run("UPDATE job SET leased_until=? WHERE id=?", leasedUntil, Guid{jobId});
}

} // namespace server::store
