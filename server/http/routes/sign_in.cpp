// Signing in and out, and who am I.
#include "server/http/errors.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

constexpr std::int64_t kMinutesADay = std::int64_t{60} * 24;
constexpr std::int64_t kMaxMinutes = kMinutesADay * 365;

std::string cookie(const Call &call, const std::string &value, std::int64_t maxAgeSeconds)
{
    // Where people come over TLS the browser must not send it over anything else.
    return "slipway_session=" + value +
           "; Path=/; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(maxAgeSeconds) +
           (call.baseUrl.starts_with("https://") ? "; Secure" : "");
}

Reply page(int status, const std::string &title, const std::string &text)
{
    Reply reply = Reply::text("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
                              "<meta name=\"viewport\" content=\"width=device-width\">"
                              "<title>Slipway</title>"
                              "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;"
                              "margin:15vh auto;padding:0 1rem;color-scheme:light dark}</style>"
                              "<h1>" +
                                  title + "</h1><p>" + text + "</p></html>",
                              "text/html; charset=utf-8", status);
    reply.with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        .with("Referrer-Policy", "no-referrer");
    return reply;
}

Result<Reply> signIn(Call &call, Services &services)
{
    const auto session = services.authenticator.signIn(call.query().text("token"));
    if (!session)
        return page(session.error().code == ErrorCode::Unauthenticated ? 401 : 503,
                    "This link does not sign you in",
                    "It has been used already or has expired. Ask for a new one with "
                    "<code>slipway signin</code> on the server.");
    Reply reply = Reply::empty(302);
    const auto lifetime =
        std::chrono::duration_cast<std::chrono::seconds>(auth::kSessionLifetime).count();
    reply.with("Set-Cookie", cookie(call, session->token, lifetime))
        .with("Location", "/")
        .with("Referrer-Policy", "no-referrer")
        .with("Cache-Control", "no-store");
    return reply;
}

Result<Reply> signOut(Call &call, Services &services)
{
    const std::string cookies = call.header("Cookie");
    constexpr std::string_view kName = "slipway_session=";
    if (const auto at = cookies.find(kName); at != std::string::npos) {
        const auto begin = at + kName.size();
        RETURN_IF_ERROR(services.authenticator.signOut(
            cookies.substr(begin, cookies.find(';', begin) - begin)));
    }
    Reply reply = Reply::empty();
    reply.with("Set-Cookie", cookie(call, "", 0));
    return reply;
}

Json principalJson(const auth::Principal &principal)
{
    return {{"id", principal.identityId},
            {"uniqueName", principal.uniqueName},
            {"displayName", principal.displayName},
            {"isAdmin", principal.isAdmin}};
}

Result<std::chrono::minutes> lifetimeOf(const Json &body, std::int64_t fallback)
{
    ASSIGN_OR_RETURN(const auto minutes, numberMember(body, "expiresInMinutes"));
    const auto value = minutes.value_or(fallback);
    if (value < 1 || value > kMaxMinutes)
        return {ErrorCode::InvalidArgument, "'expiresInMinutes' must be from 1 to 525600"};
    return std::chrono::minutes(value);
}

Result<std::chrono::minutes> lifetime(Call &call, std::int64_t fallback)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    return lifetimeOf(body, fallback);
}

Result<Reply> signInLink(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto minutes, lifetime(call, 15));
    ASSIGN_OR_RETURN(const auto issued,
                     services.authenticator.issueSignInLink(call.principal.identityId, minutes));
    return Reply::json({{"url", call.baseUrl + "/signin?token=" + issued.token},
                        {"token", issued.token},
                        {"expiresAt", schema::toIso8601(issued.expiresAt)}});
}

Result<Reply> registrationToken(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto poolId, call.id("poolId"));
    ASSIGN_OR_RETURN(const auto pools, services.pools.pools());
    bool exists = false;
    for (const auto &pool : pools)
        exists = exists || pool.id == poolId;
    if (!exists)
        return {ErrorCode::NotFound, "no pool " + std::to_string(poolId)};
    ASSIGN_OR_RETURN(const auto minutes, lifetime(call, 60));
    ASSIGN_OR_RETURN(const auto issued,
                     services.authenticator.issueRegistrationToken(poolId, minutes));
    return Reply::json({{"token", issued.token},
                        {"poolId", poolId},
                        {"expiresAt", schema::toIso8601(issued.expiresAt)}});
}

Result<Reply> createIdentity(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto uniqueName, requiredText(body, "uniqueName"));
    ASSIGN_OR_RETURN(const auto displayName, textMember(body, "displayName"));
    ASSIGN_OR_RETURN(const auto isAdmin, flagMember(body, "isAdmin"));
    ASSIGN_OR_RETURN(const auto created,
                     services.authenticator.createIdentity(
                         uniqueName, displayName.value_or(uniqueName), isAdmin.value_or(false)));
    return Reply::json(principalJson(created), 201);
}

/// Whose tokens a call is about: administrators may ask for anybody, everybody for themselves.
Result<auth::Principal> tokenOwner(const Call &call, Services &services)
{
    ASSIGN_OR_RETURN(auto identity, services.authenticator.find(call.value("identityId")));
    if (!call.principal.isAdmin && identity.identityId != call.principal.identityId)
        return {ErrorCode::PermissionDenied,
                "only administrators may make, see or revoke the tokens of others"};
    return identity;
}

Result<Reply> createToken(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto identity, tokenOwner(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto name, textMember(body, "name"));
    if (name && name->size() > 256)
        return {ErrorCode::InvalidArgument, "'name' must have at most 256 characters"};
    ASSIGN_OR_RETURN(const auto minutes, lifetimeOf(body, kMinutesADay * 90));
    ASSIGN_OR_RETURN(const auto issued,
                     services.authenticator.issuePersonalToken(
                         identity.identityId, name.value_or("made over the API"), minutes));
    return Reply::json(
        {{"token", issued.token}, {"expiresAt", schema::toIso8601(issued.expiresAt)}}, 201);
}

Result<Reply> listTokens(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto identity, tokenOwner(call, services));
    ASSIGN_OR_RETURN(const auto tokens, services.authenticator.personalTokens(identity.identityId));
    Json list = Json::array();
    for (const auto &token : tokens)
        list.push_back({{"id", token.id},
                        {"name", token.name},
                        {"createdAt", schema::toIso8601(token.createdAt)},
                        {"expiresAt", schema::toIso8601(token.expiresAt)}});
    return Reply::list(std::move(list));
}

Result<Reply> revokeToken(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto identity, tokenOwner(call, services));
    ASSIGN_OR_RETURN(const auto id, call.id("tokenId"));
    RETURN_IF_ERROR(services.authenticator.revokePersonalToken(identity.identityId, id));
    return Reply::empty();
}

} // namespace

void addSignInRoutes(Router &router, Services &services)
{
    router.add(
        "GET", "signin", [&services](Call &call) { return signIn(call, services); },
        Access::Public);
    router.add("POST", "signout", [&services](Call &call) { return signOut(call, services); });
    router.add("GET", "_apis/slipway/me",
               [](Call &call) { return Result(Reply::json(principalJson(call.principal))); });
    router.add("POST", "_apis/slipway/signinlinks",
               [&services](Call &call) { return signInLink(call, services); });
    router.add(
        "POST", "_apis/slipway/pools/{poolId}/registrationtokens",
        [&services](Call &call) { return registrationToken(call, services); }, Access::Admin);
    router.add(
        "POST", "_apis/slipway/identities",
        [&services](Call &call) { return createIdentity(call, services); }, Access::Admin);
    router.add("GET", "_apis/slipway/identities", [&services](Call &) -> Result<Reply> {
        ASSIGN_OR_RETURN(const auto all, services.authenticator.list());
        Json list = Json::array();
        for (const auto &principal : all)
            list.push_back(principalJson(principal));
        return Reply::list(std::move(list));
    });
    router.add("GET", "_apis/slipway/identities/{identityId}",
               [&services](Call &call) -> Result<Reply> {
                   ASSIGN_OR_RETURN(const auto found,
                                    services.authenticator.find(call.value("identityId")));
                   return Reply::json(principalJson(found));
               });
    router.add("POST", "_apis/slipway/identities/{identityId}/tokens",
               [&services](Call &call) { return createToken(call, services); });
    router.add("GET", "_apis/slipway/identities/{identityId}/tokens",
               [&services](Call &call) { return listTokens(call, services); });
    router.add("DELETE", "_apis/slipway/identities/{identityId}/tokens/{tokenId}",
               [&services](Call &call) { return revokeToken(call, services); });
}

} // namespace server::http
