#pragma once
/// Variable groups and service connections. Secrets come in and go out sealed; this class never
/// sees them in clear.

#include "server/store/database.h"

#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct GroupValue
{
    std::string name;
    std::string value; ///< empty when secret
    Blob sealed;       ///< set when secret
    bool isSecret = false;
};

struct VariableGroup
{
    std::int64_t id = 0;
    std::string projectId;
    std::string name;
    std::string description;
    schema::TimePoint createdAt;
    std::vector<GroupValue> values;
};

struct StoredConnection
{
    std::string id; ///< GUID
    std::string projectId;
    std::string name;
    std::string type; ///< "dockerregistry", "kubernetes", ...
    std::string url;
    std::string scheme;
    Blob parametersSealed; ///< JSON object of the authorization parameters, sealed
    std::string dataJson = "{}";
    std::string description;
    schema::TimePoint createdAt;
};

class LibraryStore
{
public:
    explicit LibraryStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Gives the new id. Throws SqlError AlreadyExists.
    std::int64_t insertGroup(const VariableGroup &group);
    /// Replaces name, description and values. False when there is no such group.
    bool updateGroup(const VariableGroup &group);
    bool removeGroup(std::int64_t id);
    [[nodiscard]] std::optional<VariableGroup> findGroup(std::int64_t id);
    [[nodiscard]] std::optional<VariableGroup> findGroup(std::string_view projectId,
                                                         std::string_view name);
    [[nodiscard]] std::vector<VariableGroup> listGroups(std::string_view projectId);

    void insertConnection(const StoredConnection &connection);
    bool updateConnection(const StoredConnection &connection);
    bool removeConnection(std::string_view id);
    /// By GUID or, within the project, by name.
    [[nodiscard]] std::optional<StoredConnection> findConnection(std::string_view projectId,
                                                                 std::string_view idOrName);
    [[nodiscard]] std::vector<StoredConnection> listConnections(std::string_view projectId);

private:
    void insertValues(const VariableGroup &group);
    void loadValues(VariableGroup &group);
    Connection &m_connection;
};

} // namespace server::store
