#include "server/auth/authenticator.h"

#include "schema/base/guid.h"
#include "server/auth/secret_file.h"
#include "server/auth/token.h"
#include "server/store/database.h"
#include "server/store/identity_store.h"

namespace server::auth {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::IdentityStore;

namespace {

constexpr std::string_view kOperatorName = "operator";
constexpr std::string_view kOperatorTokenName = "operator-token file";
const schema::Error kUnknownToken{ErrorCode::Unauthenticated,
                                  "the access token is unknown or has expired"};

Principal principalOf(const store::Identity &identity)
{
    return {identity.id, identity.uniqueName, identity.displayName, identity.isAdmin, false};
}

Result<Principal> owner(store::Database &database, std::string_view token, store::TokenKind kind,
                        schema::TimePoint now)
{
    if (!looksLikeToken(token))
        return kUnknownToken;
    return database.read([&](Connection &connection) -> Result<Principal> {
        IdentityStore identities(connection);
        const auto found = identities.findToken(hashToken(token), now);
        if (!found || found->kind != kind)
            return kUnknownToken;
        const auto identity = identities.find(found->identityId);
        if (!identity)
            return kUnknownToken;
        return principalOf(*identity);
    });
}

Result<IssuedToken> issue(Connection &connection, store::TokenKind kind,
                          const std::string &identityId, std::string name,
                          std::optional<std::int64_t> poolId, schema::TimePoint now,
                          std::chrono::minutes lifetime)
{
    IdentityStore identities(connection);
    identities.removeExpiredTokens(now);
    if (!identityId.empty() && !identities.find(identityId))
        return {ErrorCode::NotFound, "no identity " + identityId};
    IssuedToken issued{mintToken(), now + lifetime};
    identities.insertToken({hashToken(issued.token), kind, identityId, std::move(name), poolId, now,
                            issued.expiresAt});
    return issued;
}

} // namespace

Authenticator::Authenticator(store::Database &database, Clock now)
    : m_database(database)
    , m_now(std::move(now))
{}

Result<Principal> Authenticator::byToken(std::string_view token)
{
    return owner(m_database, token, store::TokenKind::Personal, m_now());
}

Result<Principal> Authenticator::bySession(std::string_view sessionToken)
{
    auto principal = owner(m_database, sessionToken, store::TokenKind::Session, m_now());
    if (principal)
        principal->bySession = true;
    return principal;
}

Result<IssuedToken> Authenticator::signIn(std::string_view signInToken)
{
    const auto now = m_now();
    const auto hash = hashToken(signInToken);
    return m_database.write([&](Connection &connection) -> Result<IssuedToken> {
        const auto identity = IdentityStore(connection).redeemSignIn(hash, now);
        if (!identity)
            return {ErrorCode::Unauthenticated,
                    "this sign-in link has been used already or has expired; ask for a new one "
                    "with `slipway signin`"};
        return issue(connection, store::TokenKind::Session, *identity, "browser", std::nullopt, now,
                     kSessionLifetime);
    });
}

Status Authenticator::signOut(std::string_view sessionToken)
{
    const auto hash = hashToken(sessionToken);
    return m_database.write([&](Connection &connection) -> Status {
        IdentityStore(connection).removeToken(hash);
        return {};
    });
}

Result<IssuedToken> Authenticator::issueSignInLink(const std::string &identityId,
                                                   std::chrono::minutes lifetime)
{
    return m_database.write([&](Connection &connection) {
        return issue(connection, store::TokenKind::SignIn, identityId, "sign-in link", std::nullopt,
                     m_now(), lifetime);
    });
}

Result<IssuedToken> Authenticator::issuePersonalToken(const std::string &identityId,
                                                      std::string name,
                                                      std::chrono::minutes lifetime)
{
    return m_database.write([&](Connection &connection) {
        return issue(connection, store::TokenKind::Personal, identityId, name, std::nullopt,
                     m_now(), lifetime);
    });
}

Result<std::vector<PersonalToken>> Authenticator::personalTokens(const std::string &identityId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<PersonalToken>> {
        std::vector<PersonalToken> out;
        for (auto &token : IdentityStore(connection).personalTokens(identityId, m_now()))
            out.push_back({token.id, std::move(token.name), token.createdAt, token.expiresAt});
        return out;
    });
}

Status Authenticator::revokePersonalToken(const std::string &identityId, std::int64_t tokenId)
{
    return m_database.write([&](Connection &connection) -> Status {
        if (!IdentityStore(connection).removePersonalToken(identityId, tokenId))
            return {ErrorCode::NotFound, "no personal token " + std::to_string(tokenId)};
        return {};
    });
}

Result<IssuedToken> Authenticator::issueRegistrationToken(std::int64_t poolId,
                                                          std::chrono::minutes lifetime)
{
    return m_database.write([&](Connection &connection) {
        return issue(connection, store::TokenKind::Registration, "", "worker registration", poolId,
                     m_now(), lifetime);
    });
}

Result<Principal> Authenticator::createIdentity(const std::string &uniqueName,
                                                const std::string &displayName, bool isAdmin)
{
    if (uniqueName.empty() || uniqueName.size() > 256)
        return {ErrorCode::InvalidArgument, "'uniqueName' must have 1 to 256 characters"};
    const store::Identity identity{schema::randomGuid(), uniqueName,
                                   displayName.empty() ? uniqueName : displayName, isAdmin};
    return m_database.write([&](Connection &connection) -> Result<Principal> {
        IdentityStore identities(connection);
        if (identities.find(uniqueName))
            return {ErrorCode::AlreadyExists, "an identity '" + uniqueName + "' exists already"};
        identities.insert(identity, m_now());
        return principalOf(identity);
    });
}

Result<Principal> Authenticator::find(std::string_view idOrName)
{
    return m_database.read([&](Connection &connection) -> Result<Principal> {
        const auto identity = IdentityStore(connection).find(idOrName);
        if (!identity)
            return {ErrorCode::NotFound, "no identity '" + std::string(idOrName) + "'"};
        return principalOf(*identity);
    });
}

Result<std::vector<Principal>> Authenticator::list()
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Principal>> {
        std::vector<Principal> out;
        for (const auto &identity : IdentityStore(connection).list())
            out.push_back(principalOf(identity));
        return out;
    });
}

Status Authenticator::ensureOperator(const std::filesystem::path &file)
{
    auto existing = readSecretFile(file);
    if (!existing && existing.error().code != ErrorCode::NotFound)
        return existing.error();
    if (existing && byToken(*existing))
        return {};
    const auto now = m_now();
    // The file first would leave a token nobody accepts, the row first one nobody knows; the
    // second is repaired by the next start, which finds no working token and makes a new one.
    ASSIGN_OR_RETURN(
        const auto issued, m_database.write([&](Connection &connection) -> Result<IssuedToken> {
            IdentityStore identities(connection);
            auto operatorIdentity = identities.find(kOperatorName);
            if (!operatorIdentity) {
                operatorIdentity = store::Identity{schema::randomGuid(), std::string(kOperatorName),
                                                   "Operator", true};
                identities.insert(*operatorIdentity, now);
            }
            identities.removeTokens(operatorIdentity->id, kOperatorTokenName);
            return issue(connection, store::TokenKind::Personal, operatorIdentity->id,
                         std::string(kOperatorTokenName), std::nullopt, now,
                         kPersonalTokenLifetime);
        }));
    return writeSecretFile(file, issued.token + "\n");
}

} // namespace server::auth
