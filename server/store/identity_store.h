#pragma once
/// People and their tokens. Tokens are stored as hashes only.

#include "server/store/database.h"

#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct Identity
{
    std::string id; ///< GUID
    std::string uniqueName;
    std::string displayName;
    bool isAdmin = false;
};

enum class TokenKind { SignIn, Session, Personal, Registration };

struct AccessToken
{
    Blob hash; ///< SHA-256 of the token
    TokenKind kind = TokenKind::Personal;
    std::string identityId; ///< empty for registration tokens
    std::string name;
    std::optional<std::int64_t> poolId; ///< registration tokens
    schema::TimePoint createdAt, expiresAt;
    std::int64_t id = 0; ///< read only
};

class IdentityStore
{
public:
    explicit IdentityStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Throws SqlError AlreadyExists when the unique name is taken.
    void insert(const Identity &identity, schema::TimePoint now);
    /// By GUID or unique name, ignoring case.
    [[nodiscard]] std::optional<Identity> find(std::string_view idOrName);
    /// By display name.
    [[nodiscard]] std::vector<Identity> list();

    void insertToken(const AccessToken &token);
    /// The token with this hash and one of the kinds, unless it expired at `now`.
    [[nodiscard]] std::optional<AccessToken> findToken(const Blob &hash, schema::TimePoint now);
    /// Marks an unused sign-in token as used; the identity it signs in, or nothing when it is
    /// unknown, expired or used already.
    [[nodiscard]] std::optional<std::string> redeemSignIn(const Blob &hash, schema::TimePoint now);
    void removeToken(const Blob &hash);
    /// Removes personal tokens with this name (a token file that is written anew).
    void removeTokens(std::string_view identityId, std::string_view name);
    void removeExpiredTokens(schema::TimePoint now);
    /// Personal tokens of an identity that have not expired at `now`, newest first.
    [[nodiscard]] std::vector<AccessToken> personalTokens(std::string_view identityId,
                                                          schema::TimePoint now);
    /// False when the identity has no personal token with this id.
    bool removePersonalToken(std::string_view identityId, std::int64_t tokenId);

private:
    Connection &m_connection;
};

} // namespace server::store
