#include "server/store/pull_request_store.h"

namespace server::store {
namespace {

#define SLIPWAY_PULL_REQUEST                                                                       \
    "SELECT q.id, q.repository_id, q.title, q.description, q.source_ref, q.target_ref, q.status,"  \
    " q.is_draft, q.created_by, coalesce(i.display_name, ''), q.created_at, q.closed_at,"          \
    " q.source_commit, q.target_commit, q.merge_commit, q.merge_status, q.conflicts_json,"         \
    " q.evaluated_commit, q.evaluated_draft FROM pull_request q JOIN repository r ON"              \
    " r.id = q.repository_id LEFT JOIN identity i ON i.id = q.created_by "

constexpr const char *kInsert =
    "INSERT INTO pull_request(repository_id, title, description, source_ref, target_ref, status,"
    " is_draft, created_by, created_at, merge_status)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
constexpr const char *kUpdate =
    "UPDATE pull_request SET title = ?2, description = ?3, target_ref = ?4, status = ?5,"
    " is_draft = ?6, closed_at = ?7 WHERE id = ?1";
constexpr const char *kPutMerge =
    "UPDATE pull_request SET source_commit = ?2, target_commit = ?3, merge_commit = ?4,"
    " merge_status = ?5, conflicts_json = ?6, evaluated_commit = ?7, evaluated_draft = ?8"
    " WHERE id = ?1";
constexpr const char *kFind = SLIPWAY_PULL_REQUEST "WHERE r.project_id = ?1 AND q.id = ?2";
constexpr const char *kList = SLIPWAY_PULL_REQUEST
    "WHERE r.project_id = ?1 AND (?2 IS NULL OR q.repository_id = ?2)"
    " AND (?3 IS NULL OR q.status = ?3) AND (?4 IS NULL OR q.source_ref = ?4)"
    " AND (?5 IS NULL OR q.target_ref = ?5) ORDER BY q.id DESC LIMIT ?6 OFFSET ?7";
constexpr const char *kActive =
    SLIPWAY_PULL_REQUEST "WHERE q.repository_id = ?1 AND q.status = 'active' ORDER BY q.id";

#undef SLIPWAY_PULL_REQUEST

PullRequest requestRow(const Statement &s)
{
    PullRequest out;
    out.id = s.get<std::int64_t>(0);
    out.repositoryId = s.get<std::string>(1);
    out.title = s.get<std::string>(2);
    out.description = s.get<std::string>(3);
    out.sourceRef = s.get<std::string>(4);
    out.targetRef = s.get<std::string>(5);
    out.status = s.get<std::string>(6);
    out.isDraft = s.get<bool>(7);
    out.createdBy = s.get<std::optional<std::string>>(8);
    out.createdByName = s.get<std::string>(9);
    out.createdAt = s.get<schema::TimePoint>(10);
    out.closedAt = s.get<std::optional<schema::TimePoint>>(11);
    out.sourceCommit = s.get<std::string>(12);
    out.targetCommit = s.get<std::string>(13);
    out.mergeCommit = s.get<std::string>(14);
    out.mergeStatus = s.get<std::string>(15);
    out.conflictsJson = s.get<std::string>(16);
    out.evaluatedCommit = s.get<std::string>(17);
    out.evaluatedDraft = s.get<bool>(18);
    return out;
}

std::vector<PullRequest> requestRows(Statement &s)
{
    std::vector<PullRequest> out;
    while (s.step())
        out.push_back(requestRow(s));
    return out;
}

} // namespace

std::int64_t PullRequestStore::insert(const PullRequest &request)
{
    m_connection.run(kInsert, request.repositoryId, request.title, request.description,
                     request.sourceRef, request.targetRef, request.status, request.isDraft,
                     request.createdBy, request.createdAt, request.mergeStatus);
    return m_connection.lastInsertId();
}

void PullRequestStore::update(const PullRequest &request)
{
    m_connection.run(kUpdate, request.id, request.title, request.description, request.targetRef,
                     request.status, request.isDraft, request.closedAt);
}

void PullRequestStore::putMerge(const PullRequest &request)
{
    m_connection.run(kPutMerge, request.id, request.sourceCommit, request.targetCommit,
                     request.mergeCommit, request.mergeStatus, request.conflictsJson,
                     request.evaluatedCommit, request.evaluatedDraft);
}

std::optional<PullRequest> PullRequestStore::find(std::string_view projectId, std::int64_t id)
{
    Statement s = m_connection.prepare(kFind);
    if (!s.bind(projectId, id).step())
        return std::nullopt;
    return requestRow(s);
}

std::vector<PullRequest> PullRequestStore::list(const PullRequestQuery &query)
{
    Statement s = m_connection.prepare(kList);
    return requestRows(s.bind(query.projectId, query.repositoryId, query.status, query.sourceRef,
                              query.targetRef, query.top, query.skip));
}

std::vector<PullRequest> PullRequestStore::active(std::string_view repositoryId)
{
    Statement s = m_connection.prepare(kActive);
    return requestRows(s.bind(repositoryId));
}

void PullRequestStore::putBatched(const BatchedPush &push)
{
    m_connection.run("INSERT INTO batched_push(pipeline_id, ref, commit_id, at) VALUES(?,?,?,?)"
                     " ON CONFLICT(pipeline_id, ref) DO UPDATE SET commit_id = excluded.commit_id",
                     push.pipelineId, push.ref, push.commit, push.at);
}

std::vector<BatchedPush> PullRequestStore::batched()
{
    std::vector<BatchedPush> out;
    Statement s = m_connection.prepare(
        "SELECT pipeline_id, ref, commit_id, at FROM batched_push ORDER BY at");
    while (s.step())
        out.push_back({s.get<std::int64_t>(0), s.get<std::string>(1), s.get<std::string>(2),
                       s.get<schema::TimePoint>(3)});
    return out;
}

void PullRequestStore::removeBatched(std::int64_t pipelineId, std::string_view ref)
{
    m_connection.run("DELETE FROM batched_push WHERE pipeline_id = ? AND ref = ?", pipelineId, ref);
}

} // namespace server::store
