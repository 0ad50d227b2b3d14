#pragma once
/// Projects. Thread-safe.

#include "schema/base/result.h"
#include "server/store/project_store.h"

#include <string>
#include <string_view>
#include <vector>

namespace server::library {

class ProjectService
{
public:
    explicit ProjectService(store::Database &database)
        : m_database(database)
    {}

    schema::Result<std::vector<store::Project>> list();
    /// By GUID or name. Errors: NotFound.
    schema::Result<store::Project> find(std::string_view idOrName);
    /// Errors: AlreadyExists, InvalidArgument (a name that cannot stand in an address).
    schema::Result<store::Project> create(const std::string &name, const std::string &description);

private:
    store::Database &m_database;
};

/// Rule for names of projects and repositories: 1 to 64 characters, no control characters, none of
/// \/:*?"<>|#%;&{}+, not beginning or ending with a dot or blank, not beginning with '_' (such
/// segments are the API's own). Errors: InvalidArgument naming the rule.
schema::Status checkPathName(std::string_view what, std::string_view name);

} // namespace server::library
