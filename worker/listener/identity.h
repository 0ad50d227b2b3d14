#pragma once
/// Who this worker is to the server: made by registration, kept in one file of mode 0600.

#include "schema/protocol/messages.h"
#include "worker/base/files.h"

#include <string_view>

namespace worker {

struct Identity
{
    std::string url; ///< of the server that made it
    std::string id, name, pool;
    std::string secret;
    /// Full path of the certificate authorities that may vouch for the server, besides the system's
    /// (schema::transport::Trust); may be empty.
    std::string authorityFile = {};
};

struct RegistrationRequest
{
    std::string url, token;
    std::string tokenFrom; ///< where the token was given, for errors; may be empty
    std::string name, pool;
    int slots = 1;
    bool replace = false;
    std::vector<schema::protocol::Capability> capabilities;
    std::string authorityFile = {}; ///< as in Identity
};

/// What to do without a registration token that works.
inline constexpr std::string_view kNewToken =
    "get a new one with 'slipway pool token --pool NAME' where the operator signs in, or in the "
    "portal under Pools, 'New worker'; give it with --token-file or in SLIPWAY_WORKER_TOKEN";

/// Errors: NotFound (no file), InvalidArgument, Io.
Result<Identity> readIdentity(const fs::path &file);
Status writeIdentity(const fs::path &file, const Identity &identity);
/// One registration call. Errors: Unavailable, Unauthenticated (token), AlreadyExists (name taken),
/// InvalidArgument.
Result<Identity> registerWorker(const RegistrationRequest &request);

/// Programs found on the search path and facts of this machine, then the operator's own ("N=V").
std::vector<schema::protocol::Capability> detectCapabilities(const std::string &name,
                                                             const std::string &path,
                                                             const std::vector<std::string> &own);

} // namespace worker
