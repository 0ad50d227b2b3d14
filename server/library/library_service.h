#pragma once
/// Variable groups and service connections. Secrets are sealed on their way to the database and
/// opened only for jobs; nothing that reads for the API ever holds one. Thread-safe.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "schema/model/plan.h"
#include "schema/protocol/messages.h"
#include "server/library/sealing_key.h"
#include "server/scheduler/secret_source.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::library {

struct GroupVariable
{
    std::string name;
    /// Absent in answers when secret; absent in changes of a secret: keep what is stored.
    std::optional<std::string> value;
    bool isSecret = false;
};

struct Group
{
    std::int64_t id = 0;
    std::string name, description;
    std::vector<GroupVariable> variables;
    schema::TimePoint createdAt;
};

struct ServiceConnection
{
    std::string id;
    std::string name, type, url, scheme, description;
    /// Authorization parameters. In answers: the names only, with empty values.
    schema::TextMap parameters;
    schema::TextMap data;
    schema::TimePoint createdAt;
};

class LibraryService final : public scheduler::SecretSource
{
public:
    /// The database must outlive the service.
    LibraryService(store::Database &database, SealingKey key);

    schema::Result<std::vector<Group>> groups(const std::string &projectId);
    /// Errors: NotFound.
    schema::Result<Group> group(const std::string &projectId, std::int64_t id);
    /// Errors: AlreadyExists, InvalidArgument naming the field.
    schema::Result<Group> createGroup(const std::string &projectId, const Group &group);
    schema::Result<Group> updateGroup(const std::string &projectId, const Group &group);
    schema::Status removeGroup(const std::string &projectId, std::int64_t id);

    schema::Result<std::vector<ServiceConnection>> connections(const std::string &projectId);
    schema::Result<ServiceConnection> connection(const std::string &projectId,
                                                 const std::string &idOrName);
    schema::Result<ServiceConnection> createConnection(const std::string &projectId,
                                                       const ServiceConnection &connection);
    /// Parameters with empty values keep what is stored.
    schema::Result<ServiceConnection> updateConnection(const std::string &projectId,
                                                       const ServiceConnection &connection);
    /// Errors: NotFound; Conflict when an environment resource uses it.
    schema::Status removeConnection(const std::string &projectId, const std::string &id);

    /// Names of the groups and their values that are no secrets: what template expressions may see.
    schema::Result<std::vector<std::pair<std::string, schema::TextMap>>>
    plainGroups(const std::string &projectId);

    // scheduler::SecretSource
    schema::Result<std::vector<schema::protocol::JobVariable>>
    variableGroup(const std::string &projectId, const std::string &name) override;
    schema::Result<schema::protocol::ServiceConnection>
    serviceConnection(const std::string &projectId, const std::string &nameOrId) override;
    schema::Result<std::vector<std::string>> connectionNames(const std::string &projectId) override;
    store::Blob seal(std::span<const std::uint8_t> plain) override;
    schema::Result<store::Blob> open(std::span<const std::uint8_t> sealed) override;

private:
    store::Database &m_database;
    SealingKey m_key;
};

} // namespace server::library
