#include "server/store/project_store.h"

namespace server::store {

namespace {

constexpr const char *kInsert =
    "INSERT INTO project(id, name, description, created_at) VALUES(?1, ?2, ?3, ?4)";
constexpr const char *kFind = "SELECT id, name, description, created_at FROM project"
                              " WHERE id = lower(?1) OR name = ?1 ORDER BY id = lower(?1) DESC";
constexpr const char *kList = "SELECT id, name, description, created_at FROM project ORDER BY name";

Project row(Statement &statement)
{
    return {statement.get<std::string>(0), statement.get<std::string>(1),
            statement.get<std::string>(2), statement.get<schema::TimePoint>(3)};
}

} // namespace

void ProjectStore::insert(const Project &project)
{
    m_connection.run(kInsert, project.id, project.name, project.description, project.createdAt);
}

std::optional<Project> ProjectStore::find(std::string_view idOrName)
{
    auto statement = m_connection.prepare(kFind);
    if (!statement.bind(idOrName).step())
        return std::nullopt;
    return row(statement);
}

std::vector<Project> ProjectStore::list()
{
    std::vector<Project> out;
    auto statement = m_connection.prepare(kList);
    while (statement.step())
        out.push_back(row(statement));
    return out;
}

} // namespace server::store
