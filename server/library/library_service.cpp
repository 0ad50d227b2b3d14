#include "server/library/library_service.h"

#include "schema/base/guid.h"
#include "server/store/library_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace server::library {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using schema::TextMap;
using store::Connection;
using store::LibraryStore;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kMaxNameLength = 256;
constexpr std::size_t kMaxValueBytes = 1U << 20U;

Status checkName(const std::string &what, const std::string &name)
{
    if (name.empty() || name.size() > kMaxNameLength)
        return {ErrorCode::InvalidArgument,
                "'name' of a " + what + " must have 1 to 256 characters"};
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(name.begin(), name.end(), control))
        return {ErrorCode::InvalidArgument,
                "'name' of a " + what + " must not contain control characters"};
    return {};
}

std::string textOfMap(const TextMap &map)
{
    Json json = Json::object();
    for (const auto &[name, value] : map)
        json[name] = value;
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TextMap mapOfText(const std::string &text)
{
    TextMap out;
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_object())
        for (const auto &item : json.items())
            if (item.value().is_string())
                out.emplace_back(item.key(), item.value().get<std::string>());
    return out;
}

Group view(const store::VariableGroup &stored)
{
    Group out{stored.id, stored.name, stored.description, {}, stored.createdAt};
    for (const auto &value : stored.values)
        out.variables.push_back({value.name,
                                 value.isSecret ? std::nullopt : std::optional(value.value),
                                 value.isSecret});
    return out;
}

Status checkGroup(const Group &group)
{
    RETURN_IF_ERROR(checkName("variable group", group.name));
    for (const auto &variable : group.variables) {
        RETURN_IF_ERROR(checkName("variable", variable.name));
        if (variable.value && variable.value->size() > kMaxValueBytes)
            return {ErrorCode::LimitExceeded,
                    "value of variable '" + variable.name + "' is larger than 1 MiB"};
    }
    return {};
}

/// Rows to store: values sealed where secret; secrets without a value taken over from `before`.
Result<std::vector<store::GroupValue>>
rowsOf(const Group &group, const std::vector<store::GroupValue> &before, const SealingKey &key)
{
    std::vector<store::GroupValue> rows;
    for (const auto &variable : group.variables) {
        store::GroupValue row{variable.name, {}, {}, variable.isSecret};
        if (variable.isSecret && !variable.value) {
            const auto old = std::find_if(before.begin(), before.end(), [&](const auto &candidate) {
                return candidate.isSecret && candidate.name == variable.name;
            });
            if (old == before.end())
                return {ErrorCode::InvalidArgument,
                        "secret variable '" + variable.name + "' has no value"};
            row.sealed = old->sealed;
        } else if (variable.isSecret) {
            row.sealed = key.seal(*variable.value);
        } else {
            row.value = variable.value.value_or("");
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Status checkConnection(const ServiceConnection &connection)
{
    RETURN_IF_ERROR(checkName("service connection", connection.name));
    if (connection.type.empty())
        return {ErrorCode::InvalidArgument,
                "'type' is missing; use dockerregistry, kubernetes, dockerhost, git or generic"};
    return {};
}

schema::Error noGroup(std::string_view name)
{
    return {ErrorCode::NotFound, "no variable group '" + std::string(name) + "'"};
}

schema::Error noConnection(std::string_view name)
{
    return {ErrorCode::NotFound, "no service connection '" + std::string(name) + "'"};
}

} // namespace

LibraryService::LibraryService(store::Database &database, SealingKey key)
    : m_database(database)
    , m_key(std::move(key))
{}

Result<std::vector<Group>> LibraryService::groups(const std::string &projectId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Group>> {
        std::vector<Group> out;
        for (const auto &stored : LibraryStore(connection).listGroups(projectId))
            out.push_back(view(stored));
        return out;
    });
}

Result<Group> LibraryService::group(const std::string &projectId, std::int64_t id)
{
    return m_database.read([&](Connection &connection) -> Result<Group> {
        const auto stored = LibraryStore(connection).findGroup(id);
        if (!stored || stored->projectId != projectId)
            return noGroup(std::to_string(id));
        return view(*stored);
    });
}

Result<Group> LibraryService::createGroup(const std::string &projectId, const Group &group)
{
    RETURN_IF_ERROR(checkGroup(group));
    ASSIGN_OR_RETURN(auto rows, rowsOf(group, {}, m_key));
    return m_database.write([&](Connection &connection) -> Result<Group> {
        LibraryStore library(connection);
        if (library.findGroup(projectId, group.name))
            return {ErrorCode::AlreadyExists,
                    "a variable group '" + group.name + "' exists already"};
        const auto id = library.insertGroup(
            {0, projectId, group.name, group.description, schema::wallClockNow(), rows});
        return view(*library.findGroup(id));
    });
}

Result<Group> LibraryService::updateGroup(const std::string &projectId, const Group &group)
{
    RETURN_IF_ERROR(checkGroup(group));
    return m_database.write([&](Connection &connection) -> Result<Group> {
        LibraryStore library(connection);
        auto stored = library.findGroup(group.id);
        if (!stored || stored->projectId != projectId)
            return noGroup(std::to_string(group.id));
        ASSIGN_OR_RETURN(stored->values, rowsOf(group, stored->values, m_key));
        stored->name = group.name;
        stored->description = group.description;
        library.updateGroup(*stored);
        return view(*library.findGroup(group.id));
    });
}

Status LibraryService::removeGroup(const std::string &projectId, std::int64_t id)
{
    return m_database.write([&](Connection &connection) -> Status {
        LibraryStore library(connection);
        const auto stored = library.findGroup(id);
        if (!stored || stored->projectId != projectId)
            return noGroup(std::to_string(id));
        library.removeGroup(id);
        return {};
    });
}

Result<std::vector<ServiceConnection>> LibraryService::connections(const std::string &projectId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<ServiceConnection>> {
        std::vector<ServiceConnection> out;
        for (const auto &stored : LibraryStore(connection).listConnections(projectId))
            out.push_back({stored.id,
                           stored.name,
                           stored.type,
                           stored.url,
                           stored.scheme,
                           stored.description,
                           {},
                           mapOfText(stored.dataJson),
                           stored.createdAt});
        return out;
    });
}

Result<ServiceConnection> LibraryService::connection(const std::string &projectId,
                                                     const std::string &idOrName)
{
    ASSIGN_OR_RETURN(const auto stored, m_database.read([&](Connection &connection) {
        return Result(LibraryStore(connection).findConnection(projectId, idOrName));
    }));
    if (!stored)
        return noConnection(idOrName);
    ServiceConnection out{
        stored->id,       stored->name,        stored->type, stored->url,
        stored->scheme,   stored->description, {},           mapOfText(stored->dataJson),
        stored->createdAt};
    if (!stored->parametersSealed.empty()) {
        ASSIGN_OR_RETURN(const auto parameters, m_key.open(stored->parametersSealed));
        for (const auto &[name, value] : mapOfText(parameters))
            out.parameters.emplace_back(name, "");
    }
    return out;
}

Result<ServiceConnection> LibraryService::createConnection(const std::string &projectId,
                                                           const ServiceConnection &connection)
{
    RETURN_IF_ERROR(checkConnection(connection));
    const store::StoredConnection row{schema::randomGuid(),
                                      projectId,
                                      connection.name,
                                      connection.type,
                                      connection.url,
                                      connection.scheme.empty() ? "None" : connection.scheme,
                                      m_key.seal(textOfMap(connection.parameters)),
                                      textOfMap(connection.data),
                                      connection.description,
                                      schema::wallClockNow()};
    RETURN_IF_ERROR(m_database.write([&](Connection &database) -> Status {
        LibraryStore library(database);
        if (library.findConnection(projectId, connection.name))
            return {ErrorCode::AlreadyExists,
                    "a service connection '" + connection.name + "' exists already"};
        library.insertConnection(row);
        return {};
    }));
    return this->connection(projectId, row.id);
}

Result<ServiceConnection> LibraryService::updateConnection(const std::string &projectId,
                                                           const ServiceConnection &connection)
{
    RETURN_IF_ERROR(checkConnection(connection));
    RETURN_IF_ERROR(m_database.write([&](Connection &database) -> Status {
        LibraryStore library(database);
        auto row = library.findConnection(projectId, connection.id);
        if (!row)
            return noConnection(connection.id);
        TextMap parameters = connection.parameters;
        if (!row->parametersSealed.empty()) {
            ASSIGN_OR_RETURN(const auto text, m_key.open(row->parametersSealed));
            for (const auto &[name, value] : mapOfText(text)) {
                const auto sameName = [&n = name](const auto &item) { return item.first == n; };
                const auto changed = std::find_if(parameters.begin(), parameters.end(), sameName);
                if (changed == parameters.end())
                    parameters.emplace_back(name, value);
                else if (changed->second.empty())
                    changed->second = value;
            }
        }
        row->name = connection.name;
        row->type = connection.type;
        row->url = connection.url;
        row->scheme = connection.scheme.empty() ? "None" : connection.scheme;
        row->parametersSealed = m_key.seal(textOfMap(parameters));
        row->dataJson = textOfMap(connection.data);
        row->description = connection.description;
        library.updateConnection(*row);
        return {};
    }));
    return this->connection(projectId, connection.id);
}

Status LibraryService::removeConnection(const std::string &projectId, const std::string &id)
{
    auto removed = m_database.write([&](Connection &database) -> Status {
        LibraryStore library(database);
        const auto row = library.findConnection(projectId, id);
        if (!row)
            return noConnection(id);
        library.removeConnection(row->id);
        return {};
    });
    // The database refuses while an environment resource refers to the row.
    if (!removed && removed.error().code == ErrorCode::AlreadyExists)
        return {ErrorCode::Conflict, "an environment's resource uses this service connection; "
                                     "remove the resource first"};
    return removed;
}

Result<std::vector<std::pair<std::string, TextMap>>>
LibraryService::plainGroups(const std::string &projectId)
{
    ASSIGN_OR_RETURN(const auto all, groups(projectId));
    std::vector<std::pair<std::string, TextMap>> out;
    for (const auto &group : all) {
        TextMap values;
        for (const auto &variable : group.variables)
            if (variable.value)
                values.emplace_back(variable.name, *variable.value);
        out.emplace_back(group.name, std::move(values));
    }
    return out;
}

Result<std::vector<schema::protocol::JobVariable>>
LibraryService::variableGroup(const std::string &projectId, const std::string &name)
{
    ASSIGN_OR_RETURN(const auto stored, m_database.read([&](Connection &connection) {
        return Result(LibraryStore(connection).findGroup(projectId, name));
    }));
    if (!stored)
        return noGroup(name);
    std::vector<schema::protocol::JobVariable> out;
    for (const auto &value : stored->values) {
        schema::protocol::JobVariable variable{value.name, value.value, value.isSecret, false};
        if (value.isSecret) {
            ASSIGN_OR_RETURN(variable.value, m_key.open(value.sealed));
        }
        out.push_back(std::move(variable));
    }
    return out;
}

Result<schema::protocol::ServiceConnection>
LibraryService::serviceConnection(const std::string &projectId, const std::string &nameOrId)
{
    ASSIGN_OR_RETURN(const auto stored, m_database.read([&](Connection &connection) {
        return Result(LibraryStore(connection).findConnection(projectId, nameOrId));
    }));
    if (!stored)
        return noConnection(nameOrId);
    schema::protocol::ServiceConnection out;
    out.id = stored->id;
    out.name = stored->name;
    out.type = stored->type;
    out.url = stored->url;
    out.scheme = stored->scheme;
    out.data = mapOfText(stored->dataJson);
    if (!stored->parametersSealed.empty()) {
        ASSIGN_OR_RETURN(const auto text, m_key.open(stored->parametersSealed));
        out.parameters = mapOfText(text);
    }
    return out;
}

Result<std::vector<std::string>> LibraryService::connectionNames(const std::string &projectId)
{
    ASSIGN_OR_RETURN(const auto all, connections(projectId));
    std::vector<std::string> out;
    for (const auto &connection : all)
        out.push_back(connection.name);
    return out;
}

store::Blob LibraryService::seal(std::span<const std::uint8_t> plain)
{
    return m_key.seal({reinterpret_cast<const char *>(plain.data()), plain.size()});
}

Result<store::Blob> LibraryService::open(std::span<const std::uint8_t> sealed)
{
    auto plain = m_key.open(store::Blob(sealed.begin(), sealed.end()));
    if (!plain)
        return {ErrorCode::Internal, plain.error().message};
    return store::Blob(plain->begin(), plain->end());
}

} // namespace server::library
