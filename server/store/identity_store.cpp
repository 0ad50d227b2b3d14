#include "server/store/identity_store.h"

namespace server::store {

namespace {

constexpr const char *kInsert = "INSERT INTO identity(id, unique_name, display_name, is_admin,"
                                " created_at) VALUES(?1, ?2, ?3, ?4, ?5)";
constexpr const char *kFind = "SELECT id, unique_name, display_name, is_admin FROM identity"
                              " WHERE id = lower(?1) OR unique_name = ?1";
constexpr const char *kList =
    "SELECT id, unique_name, display_name, is_admin FROM identity ORDER BY display_name";
constexpr const char *kInsertToken =
    "INSERT INTO access_token(token_hash, identity_id, kind, name, pool_id, created_at,"
    " expires_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
constexpr const char *kFindToken =
    "SELECT token_hash, kind, identity_id, name, pool_id, created_at, expires_at"
    " FROM access_token WHERE token_hash = ?1 AND expires_at > ?2";
constexpr const char *kRedeem = "UPDATE access_token SET used_at = ?2 WHERE token_hash = ?1"
                                " AND kind = 'signIn' AND used_at IS NULL AND expires_at > ?2";
constexpr const char *kPersonalTokens =
    "SELECT token_hash, kind, identity_id, name, pool_id, created_at, expires_at, id"
    " FROM access_token WHERE identity_id = ?1 AND kind = 'personal' AND expires_at > ?2"
    " ORDER BY id DESC";
constexpr const char *kRemovePersonal =
    "DELETE FROM access_token WHERE identity_id = ?1 AND id = ?2 AND kind = 'personal'";
constexpr const char *kRemove = "DELETE FROM access_token WHERE token_hash = ?1";
constexpr const char *kRemoveNamed = "DELETE FROM access_token WHERE identity_id = ?1 AND name = ?2"
                                     " AND kind = 'personal'";
constexpr const char *kRemoveExpired = "DELETE FROM access_token WHERE expires_at <= ?1";

constexpr std::string_view kKinds[] = {"signIn", "session", "personal", "registration"};

TokenKind kindOf(const std::string &word)
{
    for (std::size_t i = 0; i < std::size(kKinds); ++i)
        if (kKinds[i] == word)
            return static_cast<TokenKind>(i);
    return TokenKind::SignIn; // the table's CHECK admits no other word
}

Identity identityRow(Statement &statement)
{
    return {statement.get<std::string>(0), statement.get<std::string>(1),
            statement.get<std::string>(2), statement.get<bool>(3)};
}

AccessToken tokenRow(Statement &statement)
{
    AccessToken token;
    token.hash = statement.get<Blob>(0);
    token.kind = kindOf(statement.get<std::string>(1));
    token.identityId = statement.get<std::optional<std::string>>(2).value_or("");
    token.name = statement.get<std::string>(3);
    token.poolId = statement.get<std::optional<std::int64_t>>(4);
    token.createdAt = statement.get<schema::TimePoint>(5);
    token.expiresAt = statement.get<schema::TimePoint>(6);
    return token;
}

} // namespace

void IdentityStore::insert(const Identity &identity, schema::TimePoint now)
{
    m_connection.run(kInsert, identity.id, identity.uniqueName, identity.displayName,
                     identity.isAdmin, now);
}

std::optional<Identity> IdentityStore::find(std::string_view idOrName)
{
    auto statement = m_connection.prepare(kFind);
    if (!statement.bind(idOrName).step())
        return std::nullopt;
    return identityRow(statement);
}

std::vector<Identity> IdentityStore::list()
{
    std::vector<Identity> out;
    auto statement = m_connection.prepare(kList);
    while (statement.step())
        out.push_back(identityRow(statement));
    return out;
}

void IdentityStore::insertToken(const AccessToken &token)
{
    const std::optional<std::string> identity =
        token.identityId.empty() ? std::nullopt : std::optional(token.identityId);
    m_connection.run(kInsertToken, token.hash, identity,
                     kKinds[static_cast<std::size_t>(token.kind)], token.name, token.poolId,
                     token.createdAt, token.expiresAt);
}

std::optional<AccessToken> IdentityStore::findToken(const Blob &hash, schema::TimePoint now)
{
    auto statement = m_connection.prepare(kFindToken);
    if (!statement.bind(hash, now).step())
        return std::nullopt;
    return tokenRow(statement);
}

std::vector<AccessToken> IdentityStore::personalTokens(std::string_view identityId,
                                                       schema::TimePoint now)
{
    std::vector<AccessToken> out;
    auto statement = m_connection.prepare(kPersonalTokens);
    statement.bind(identityId, now);
    while (statement.step()) {
        out.push_back(tokenRow(statement));
        out.back().id = statement.get<std::int64_t>(7);
    }
    return out;
}

bool IdentityStore::removePersonalToken(std::string_view identityId, std::int64_t tokenId)
{
    return m_connection.run(kRemovePersonal, identityId, tokenId) > 0;
}

std::optional<std::string> IdentityStore::redeemSignIn(const Blob &hash, schema::TimePoint now)
{
    if (m_connection.run(kRedeem, hash, now) == 0)
        return std::nullopt;
    const auto token = findToken(hash, now);
    return token ? std::optional(token->identityId) : std::nullopt;
}

void IdentityStore::removeToken(const Blob &hash)
{
    m_connection.run(kRemove, hash);
}

void IdentityStore::removeTokens(std::string_view identityId, std::string_view name)
{
    m_connection.run(kRemoveNamed, identityId, name);
}

void IdentityStore::removeExpiredTokens(schema::TimePoint now)
{
    m_connection.run(kRemoveExpired, now);
}

} // namespace server::store
