#pragma once
/// Who is calling: identities, personal tokens, browser sessions, sign-in links. Thread-safe.
/// Job tokens and worker secrets are checked by the services that issue them.

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {
class Database;
}

namespace server::auth {

using Clock = std::function<schema::TimePoint()>;

inline constexpr std::chrono::hours kSessionLifetime{24 * 14};
inline constexpr std::chrono::hours kPersonalTokenLifetime{24 * 365};

struct Principal
{
    std::string identityId; ///< GUID; empty: nobody
    std::string uniqueName;
    std::string displayName;
    bool isAdmin = false;
    bool bySession = false; ///< came by cookie: state-changing requests need the header

    [[nodiscard]] bool known() const { return !identityId.empty(); }
};

/// A token as it is shown once to its owner.
struct IssuedToken
{
    std::string token;
    schema::TimePoint expiresAt;
};

/// A personal token as its owner sees it later: never the token itself.
struct PersonalToken
{
    std::int64_t id = 0;
    std::string name;
    schema::TimePoint createdAt, expiresAt;
};

class Authenticator
{
public:
    explicit Authenticator(store::Database &database, Clock now = schema::wallClockNow);

    /// Owner of a personal token. Errors: Unauthenticated.
    schema::Result<Principal> byToken(std::string_view token);
    /// Owner of a browser session. Errors: Unauthenticated.
    schema::Result<Principal> bySession(std::string_view sessionToken);

    /// Redeems a one-time sign-in token for a new session. Errors: Unauthenticated, with what to
    /// do, when it is unknown, used or expired.
    schema::Result<IssuedToken> signIn(std::string_view signInToken);
    schema::Status signOut(std::string_view sessionToken);

    /// Errors: NotFound when the identity does not exist.
    schema::Result<IssuedToken> issueSignInLink(const std::string &identityId,
                                                std::chrono::minutes lifetime);
    schema::Result<IssuedToken> issuePersonalToken(const std::string &identityId, std::string name,
                                                   std::chrono::minutes lifetime);
    /// Personal tokens of an identity that still work, newest first.
    schema::Result<std::vector<PersonalToken>> personalTokens(const std::string &identityId);
    /// Takes a personal token away; it stops working at once. Errors: NotFound.
    schema::Status revokePersonalToken(const std::string &identityId, std::int64_t tokenId);
    /// A token that registers workers into the pool.
    schema::Result<IssuedToken> issueRegistrationToken(std::int64_t poolId,
                                                       std::chrono::minutes lifetime);

    /// Errors: AlreadyExists, InvalidArgument.
    schema::Result<Principal> createIdentity(const std::string &uniqueName,
                                             const std::string &displayName, bool isAdmin);
    /// By GUID or unique name. Errors: NotFound.
    schema::Result<Principal> find(std::string_view idOrName);
    schema::Result<std::vector<Principal>> list();

    /// Makes sure that the operator exists and that `file` (mode 0600) holds a token of theirs that
    /// works; a lost or stale file is written anew. Errors: Io, PermissionDenied.
    schema::Status ensureOperator(const std::filesystem::path &file);

private:
    store::Database &m_database;
    Clock m_now;
};

} // namespace server::auth
