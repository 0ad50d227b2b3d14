#include "server/store/repository_store.h"

namespace server::store {

namespace {

constexpr const char *kInsert =
    "INSERT INTO repository(id, project_id, name, type, url, default_branch, hosted, created_at)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr const char *kFind =
    "SELECT id, project_id, name, type, url, default_branch, hosted, created_at FROM repository"
    " WHERE project_id = ?1 AND (id = lower(?2) OR name = ?2)";
constexpr const char *kFindById =
    "SELECT id, project_id, name, type, url, default_branch, hosted, created_at FROM repository"
    " WHERE id = ?1";
constexpr const char *kList =
    "SELECT id, project_id, name, type, url, default_branch, hosted, created_at FROM repository"
    " WHERE ?1 = '' OR project_id = ?1 ORDER BY name";
constexpr const char *kSeen =
    "SELECT name, commit_id, seen_at FROM repository_ref WHERE repository_id = ?1";
constexpr const char *kSetSeen =
    "INSERT INTO repository_ref(repository_id, name, commit_id, seen_at) VALUES(?1, ?2, ?3, ?4)"
    " ON CONFLICT(repository_id, name) DO UPDATE SET commit_id = excluded.commit_id,"
    " seen_at = excluded.seen_at";
constexpr const char *kRemoveSeen =
    "DELETE FROM repository_ref WHERE repository_id = ?1 AND name = ?2";

Repository row(Statement &statement)
{
    return {statement.get<std::string>(0), statement.get<std::string>(1),
            statement.get<std::string>(2), statement.get<std::string>(3),
            statement.get<std::string>(4), statement.get<std::string>(5),
            statement.get<bool>(6),        statement.get<schema::TimePoint>(7)};
}

} // namespace

void RepositoryStore::insert(const Repository &repository)
{
    m_connection.run(kInsert, repository.id, repository.projectId, repository.name, repository.type,
                     repository.url, repository.defaultBranch, repository.hosted,
                     repository.createdAt);
}

std::optional<Repository> RepositoryStore::find(std::string_view projectId,
                                                std::string_view idOrName)
{
    auto statement = m_connection.prepare(kFind);
    if (!statement.bind(projectId, idOrName).step())
        return std::nullopt;
    return row(statement);
}

std::optional<Repository> RepositoryStore::findById(std::string_view id)
{
    auto statement = m_connection.prepare(kFindById);
    if (!statement.bind(id).step())
        return std::nullopt;
    return row(statement);
}

std::vector<Repository> RepositoryStore::list(std::string_view projectId)
{
    std::vector<Repository> out;
    auto statement = m_connection.prepare(kList);
    statement.bind(projectId);
    while (statement.step())
        out.push_back(row(statement));
    return out;
}

std::map<std::string, SeenRef> RepositoryStore::seenRefs(std::string_view repositoryId)
{
    std::map<std::string, SeenRef> out;
    auto statement = m_connection.prepare(kSeen);
    statement.bind(repositoryId);
    while (statement.step())
        out[statement.get<std::string>(0)] = {statement.get<std::string>(1),
                                              statement.get<schema::TimePoint>(2)};
    return out;
}

void RepositoryStore::setSeenRef(std::string_view repositoryId, std::string_view ref,
                                 std::string_view commit, schema::TimePoint now)
{
    m_connection.run(kSetSeen, repositoryId, ref, commit, now);
}

void RepositoryStore::removeSeenRef(std::string_view repositoryId, std::string_view ref)
{
    m_connection.run(kRemoveSeen, repositoryId, ref);
}

} // namespace server::store
