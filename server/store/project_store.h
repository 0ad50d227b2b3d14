#pragma once
/// Projects.

#include "server/store/database.h"

#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct Project
{
    std::string id; ///< GUID
    std::string name;
    std::string description;
    schema::TimePoint createdAt;
};

class ProjectStore
{
public:
    explicit ProjectStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Throws SqlError AlreadyExists when the name is taken (names compare ignoring case).
    void insert(const Project &project);
    /// By GUID or name, both ignoring case.
    [[nodiscard]] std::optional<Project> find(std::string_view idOrName);
    /// By name.
    [[nodiscard]] std::vector<Project> list();

private:
    Connection &m_connection;
};

} // namespace server::store
