#pragma once
/// Git repositories known to the server and the heads triggers were last evaluated for.

#include "server/store/database.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct Repository
{
    std::string id; ///< GUID
    std::string projectId;
    std::string name;
    std::string type = "git";
    std::string url; ///< folder of a hosted one below the data directory; else where to fetch from
    std::string defaultBranch = "refs/heads/main";
    bool hosted = true;
    schema::TimePoint createdAt;
};

/// What triggers were last evaluated for.
struct SeenRef
{
    std::string commit;
    schema::TimePoint at;
};

class RepositoryStore
{
public:
    explicit RepositoryStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Throws SqlError AlreadyExists when the project has one of that name.
    void insert(const Repository &repository);
    /// By GUID or, within the project, by name.
    [[nodiscard]] std::optional<Repository> find(std::string_view projectId,
                                                 std::string_view idOrName);
    [[nodiscard]] std::optional<Repository> findById(std::string_view id);
    /// By name; of all projects when `projectId` is empty.
    [[nodiscard]] std::vector<Repository> list(std::string_view projectId);

    /// By ref name.
    [[nodiscard]] std::map<std::string, SeenRef> seenRefs(std::string_view repositoryId);
    void setSeenRef(std::string_view repositoryId, std::string_view ref, std::string_view commit,
                    schema::TimePoint now);
    void removeSeenRef(std::string_view repositoryId, std::string_view ref);

private:
    Connection &m_connection;
};

} // namespace server::store
