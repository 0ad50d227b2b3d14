#include "server/store/library_store.h"

namespace server::store {

namespace {

constexpr const char *kInsertGroup =
    "INSERT INTO variable_group(project_id, name, description, created_at)"
    " VALUES(?1, ?2, ?3, ?4)";
constexpr const char *kUpdateGroup =
    "UPDATE variable_group SET name = ?2, description = ?3 WHERE id = ?1";
constexpr const char *kRemoveGroup = "DELETE FROM variable_group WHERE id = ?1";
constexpr const char *kFindGroup =
    "SELECT id, project_id, name, description, created_at FROM variable_group WHERE id = ?1";
constexpr const char *kFindGroupByName =
    "SELECT id, project_id, name, description, created_at FROM variable_group"
    " WHERE project_id = ?1 AND name = ?2";
constexpr const char *kListGroups =
    "SELECT id, project_id, name, description, created_at FROM variable_group"
    " WHERE project_id = ?1 ORDER BY name";
constexpr const char *kValues = "SELECT name, value, value_sealed, is_secret"
                                " FROM variable_group_value WHERE group_id = ?1 ORDER BY name";
constexpr const char *kRemoveValues = "DELETE FROM variable_group_value WHERE group_id = ?1";
constexpr const char *kInsertValue =
    "INSERT INTO variable_group_value(group_id, name, value, value_sealed, is_secret)"
    " VALUES(?1, ?2, ?3, ?4, ?5)";
constexpr const char *kInsertConnection =
    "INSERT INTO service_connection(id, project_id, name, type, url, scheme, parameters_sealed,"
    " data_json, description, created_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
constexpr const char *kUpdateConnection =
    "UPDATE service_connection SET name = ?2, type = ?3, url = ?4, scheme = ?5,"
    " parameters_sealed = ?6, data_json = ?7, description = ?8 WHERE id = ?1";
constexpr const char *kRemoveConnection = "DELETE FROM service_connection WHERE id = ?1";
constexpr const char *kFindConnection =
    "SELECT id, project_id, name, type, url, scheme, parameters_sealed, data_json, description,"
    " created_at FROM service_connection WHERE project_id = ?1 AND (id = lower(?2) OR name = ?2)"
    " ORDER BY id = lower(?2) DESC";
constexpr const char *kListConnections =
    "SELECT id, project_id, name, type, url, scheme, parameters_sealed, data_json, description,"
    " created_at FROM service_connection WHERE project_id = ?1 ORDER BY name";

VariableGroup groupRow(Statement &statement)
{
    VariableGroup group;
    group.id = statement.get<std::int64_t>(0);
    group.projectId = statement.get<std::string>(1);
    group.name = statement.get<std::string>(2);
    group.description = statement.get<std::string>(3);
    group.createdAt = statement.get<schema::TimePoint>(4);
    return group;
}

StoredConnection connectionRow(Statement &statement)
{
    StoredConnection connection;
    connection.id = statement.get<std::string>(0);
    connection.projectId = statement.get<std::string>(1);
    connection.name = statement.get<std::string>(2);
    connection.type = statement.get<std::string>(3);
    connection.url = statement.get<std::string>(4);
    connection.scheme = statement.get<std::string>(5);
    connection.parametersSealed = statement.get<std::optional<Blob>>(6).value_or(Blob{});
    connection.dataJson = statement.get<std::string>(7);
    connection.description = statement.get<std::string>(8);
    connection.createdAt = statement.get<schema::TimePoint>(9);
    return connection;
}

} // namespace

void LibraryStore::insertValues(const VariableGroup &group)
{
    for (const auto &value : group.values) {
        if (value.isSecret)
            m_connection.run(kInsertValue, group.id, value.name, std::nullopt, value.sealed, true);
        else
            m_connection.run(kInsertValue, group.id, value.name, value.value, std::nullopt, false);
    }
}

void LibraryStore::loadValues(VariableGroup &group)
{
    auto statement = m_connection.prepare(kValues);
    statement.bind(group.id);
    while (statement.step())
        group.values.push_back({statement.get<std::string>(0),
                                statement.get<std::optional<std::string>>(1).value_or(""),
                                statement.get<std::optional<Blob>>(2).value_or(Blob{}),
                                statement.get<bool>(3)});
}

std::int64_t LibraryStore::insertGroup(const VariableGroup &group)
{
    m_connection.run(kInsertGroup, group.projectId, group.name, group.description, group.createdAt);
    VariableGroup inserted = group;
    inserted.id = m_connection.lastInsertId();
    insertValues(inserted);
    return inserted.id;
}

bool LibraryStore::updateGroup(const VariableGroup &group)
{
    if (m_connection.run(kUpdateGroup, group.id, group.name, group.description) == 0)
        return false;
    m_connection.run(kRemoveValues, group.id);
    insertValues(group);
    return true;
}

bool LibraryStore::removeGroup(std::int64_t id)
{
    return m_connection.run(kRemoveGroup, id) > 0;
}

std::optional<VariableGroup> LibraryStore::findGroup(std::int64_t id)
{
    std::optional<VariableGroup> group;
    {
        auto statement = m_connection.prepare(kFindGroup);
        if (statement.bind(id).step())
            group = groupRow(statement);
    }
    if (group)
        loadValues(*group);
    return group;
}

std::optional<VariableGroup> LibraryStore::findGroup(std::string_view projectId,
                                                     std::string_view name)
{
    std::optional<VariableGroup> group;
    {
        auto statement = m_connection.prepare(kFindGroupByName);
        if (statement.bind(projectId, name).step())
            group = groupRow(statement);
    }
    if (group)
        loadValues(*group);
    return group;
}

std::vector<VariableGroup> LibraryStore::listGroups(std::string_view projectId)
{
    std::vector<VariableGroup> out;
    {
        auto statement = m_connection.prepare(kListGroups);
        statement.bind(projectId);
        while (statement.step())
            out.push_back(groupRow(statement));
    }
    for (auto &group : out)
        loadValues(group);
    return out;
}

void LibraryStore::insertConnection(const StoredConnection &connection)
{
    m_connection.run(kInsertConnection, connection.id, connection.projectId, connection.name,
                     connection.type, connection.url, connection.scheme,
                     connection.parametersSealed, connection.dataJson, connection.description,
                     connection.createdAt);
}

bool LibraryStore::updateConnection(const StoredConnection &connection)
{
    return m_connection.run(kUpdateConnection, connection.id, connection.name, connection.type,
                            connection.url, connection.scheme, connection.parametersSealed,
                            connection.dataJson, connection.description) > 0;
}

bool LibraryStore::removeConnection(std::string_view id)
{
    return m_connection.run(kRemoveConnection, id) > 0;
}

std::optional<StoredConnection> LibraryStore::findConnection(std::string_view projectId,
                                                             std::string_view idOrName)
{
    auto statement = m_connection.prepare(kFindConnection);
    if (!statement.bind(projectId, idOrName).step())
        return std::nullopt;
    return connectionRow(statement);
}

std::vector<StoredConnection> LibraryStore::listConnections(std::string_view projectId)
{
    std::vector<StoredConnection> out;
    auto statement = m_connection.prepare(kListConnections);
    statement.bind(projectId);
    while (statement.step())
        out.push_back(connectionRow(statement));
    return out;
}

} // namespace server::store
