#pragma once
/// What the scheduler needs from the library (variable groups, service connections, sealing).
/// Implemented by server/library.

#include "schema/base/result.h"
#include "schema/protocol/messages.h"
#include "server/store/database.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace server::scheduler {

/// Called on the scheduler's thread while it holds a write transaction: implementations may call
/// Database::read (they see what is committed), never Database::write, and must not block on the
/// network.
class SecretSource
{
public:
    virtual ~SecretSource() = default;

    /// Values of a group, secrets opened. Errors: NotFound naming the group; PermissionDenied.
    virtual schema::Result<std::vector<schema::protocol::JobVariable>>
    variableGroup(const std::string &projectId, const std::string &name) = 0;
    /// A connection by name or id (ignoring case), credentials opened. Errors: NotFound naming it.
    virtual schema::Result<schema::protocol::ServiceConnection>
    serviceConnection(const std::string &projectId, const std::string &nameOrId) = 0;
    /// Names and ids of the project's connections. A job gets the credentials of those that an
    /// input of its steps, its container or its environment's resource names, and of no others.
    virtual schema::Result<std::vector<std::string>>
    connectionNames(const std::string &projectId) = 0;
    /// Encrypts / decrypts with the server's key. open() fails with Internal when the bytes were
    /// altered or the key is another one.
    virtual store::Blob seal(std::span<const std::uint8_t> plain) = 0;
    virtual schema::Result<store::Blob> open(std::span<const std::uint8_t> sealed) = 0;
};

} // namespace server::scheduler
