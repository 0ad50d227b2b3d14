#include "server/http/dispatcher.h"

#include "schema/transport/message_body.h"
#include "server/auth/authenticator.h"
#include "server/http/content.h"
#include "server/http/errors.h"
#include "server/http/paced_body.h"
#include "server/http/request_metrics.h"
#include "server/http/send_reply.h"
#include "server/http/static_files.h"

#include <QLoggingCategory>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/HTTPServerSession.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

Q_LOGGING_CATEGORY(lcHttp, "server.http", QtWarningMsg)

/// Rest of a refused body that is still read, so that the caller gets to see the refusal instead of
/// a reset connection.
constexpr std::size_t kMaxDrainBytes = 1U << 20U;

/// Version named by the caller, in the query (wins) or the Accept header; checked against what we
/// speak. Errors: InvalidArgument with the range.
Result<std::string> apiVersion(const Call &call)
{
    std::string version = call.query().text("api-version");
    if (version.empty()) {
        const std::string accept = call.header("Accept");
        if (const auto at = accept.find("api-version="); at != std::string::npos) {
            const auto begin = at + 12;
            version = accept.substr(begin, accept.find_first_of("; ,", begin) - begin);
        }
    }
    if (version.empty())
        return std::string("7.2");
    if (!isApiVersion(version))
        return {ErrorCode::InvalidArgument, "api-version '" + version.substr(0, 40) +
                                                "' is not supported; use 1.0 to 7.2, as in 7.1 or "
                                                "7.2-preview.1"};
    return version;
}

Status authenticate(Call &call, const Route &route, const Credentials &credentials,
                    auth::Authenticator &authenticator)
{
    call.credential = credentials.token;
    if (route.access == Access::Credential)
        return {};
    Result<auth::Principal> principal =
        schema::Error{ErrorCode::Unauthenticated,
                      "sign in first: open the link printed by `slipway up`, or send a token "
                      "(Authorization: Bearer ...)"};
    if (!credentials.token.empty())
        principal = authenticator.byToken(credentials.token);
    else if (!credentials.session.empty())
        principal = authenticator.bySession(credentials.session);
    if (principal)
        call.principal = *principal;
    if (route.access == Access::Public)
        return {};
    if (!principal)
        return principal.error();
    if (route.access == Access::Admin && !call.principal.isAdmin)
        return {ErrorCode::PermissionDenied, "only administrators may do this"};
    const bool changes = call.method != "GET" && call.method != "OPTIONS";
    if (changes && call.principal.bySession && call.header("X-Slipway-Request").empty())
        return {ErrorCode::PermissionDenied,
                "requests by cookie that change something need the header X-Slipway-Request: 1"};
    return {};
}

/// A place among the requests whose bodies are still on their way.
class UploadPermit
{
public:
    UploadPermit(std::atomic<int> &uploads, int most, bool needed)
        : m_uploads(uploads)
        , m_counted(needed)
        , m_granted(!needed || uploads.fetch_add(1) < most)
    {}

    ~UploadPermit()
    {
        if (m_counted)
            m_uploads.fetch_sub(1);
    }

    UploadPermit(const UploadPermit &) = delete;
    UploadPermit &operator=(const UploadPermit &) = delete;

    [[nodiscard]] bool granted() const { return m_granted; }

private:
    std::atomic<int> &m_uploads;
    bool m_counted, m_granted;
};

void drain(std::istream &body)
{
    char buffer[16384];
    std::size_t left = kMaxDrainBytes;
    while (left > 0 && body.good()) {
        body.read(buffer, static_cast<std::streamsize>(std::min(left, sizeof buffer)));
        left -= static_cast<std::size_t>(body.gcount());
    }
}

/// The body of a call, read as a whole; afterwards the call has its own again.
class WholeBody
{
public:
    explicit WholeBody(Call &call)
        : m_call(call)
        , m_before(call.body)
    {}

    ~WholeBody() { m_call.body = m_before; }

    WholeBody(const WholeBody &) = delete;
    WholeBody &operator=(const WholeBody &) = delete;

    /// Errors: those of Call::text.
    Status read(std::size_t limit)
    {
        ASSIGN_OR_RETURN(auto text, m_call.text(limit));
        m_text.str(std::move(text));
        m_call.body = &m_text;
        return {};
    }

private:
    Call &m_call;
    std::istream *m_before;
    std::istringstream m_text;
};

} // namespace

Dispatcher::Dispatcher(const Router &router, auth::Authenticator &authenticator,
                       const StaticFiles *portal, RequestMetrics &metrics, Options options)
    : m_router(router)
    , m_authenticator(authenticator)
    , m_portal(portal)
    , m_metrics(metrics)
    , m_options(std::move(options))
{}

void Dispatcher::handleRequest(Poco::Net::HTTPServerRequest &request,
                               Poco::Net::HTTPServerResponse &response)
{
    const auto begin = std::chrono::steady_clock::now();
    try {
        dispatch(request, response);
    } catch (const Poco::Exception &error) {
        // The connection broke; there is nobody to tell.
        qCDebug(lcHttp, "connection: %s", error.displayText().c_str());
        response.setKeepAlive(false);
    } catch (const std::exception &error) {
        const std::string &uri = request.getURI(); // its query may hold a ticket
        qCCritical(lcHttp, "request failed path=%s error=%s", uri.substr(0, uri.find('?')).c_str(),
                   error.what());
        response.setKeepAlive(false);
        if (!response.sent())
            sendReply(request, response,
                      errorReply({ErrorCode::Internal, "the server failed on this request"}));
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    m_metrics.count(routeClass(request.getMethod(), request.getURI()),
                    static_cast<int>(response.getStatus()), took);
}

void Dispatcher::dispatch(Poco::Net::HTTPServerRequest &request,
                          Poco::Net::HTTPServerResponse &response)
{
    Call call;
    call.method = request.getMethod() == "HEAD" ? "GET" : request.getMethod();
    call.header = [&request](std::string_view name) { return request.get(std::string(name), ""); };
    call.clientAddress = request.clientAddress().toString();
    call.baseUrl = m_options.publicUrl.empty() ? baseUrlOf(request) : m_options.publicUrl;
    std::istringstream noBody;
    call.body = &noBody;
    if (const auto framing = checkFraming(request); !framing) {
        response.setKeepAlive(false);
        sendReply(request, response, errorReply(framing.error()));
        return;
    }
    const bool hasBody = request.getChunkedTransferEncoding() ||
                         (request.hasContentLength() && request.getContentLength64() > 0);
    std::optional<schema::transport::MessageBody> arriving;
    std::optional<PacedBody> paced;
    std::istream body(nullptr);
    if (hasBody) {
        const bool chunked = request.getChunkedTransferEncoding();
        arriving.emplace(dynamic_cast<Poco::Net::HTTPServerRequestImpl &>(request).session(),
                         chunked, chunked ? -1 : request.getContentLength64());
        // Not before somebody wants the body: who is refused need not send it (RFC 9110, 10.1.1).
        std::function<void()> invite;
        if (request.getExpectContinue())
            invite = [&response] { response.sendContinue(); };
        paced.emplace(*arriving, std::move(invite));
        body.rdbuf(&*paced);
        call.body = &body;
    }
    // The front door waited for small bodies; those that still have to come take a thread for
    // as long as their sender likes, so not all threads may do that.
    const bool longBody =
        hasBody && (request.getChunkedTransferEncoding() ||
                    request.getContentLength64() > static_cast<Poco::Int64>(m_options.smallBytes));
    const UploadPermit permit(m_uploads, m_options.maxUploads, longBody);
    if (!permit.granted()) {
        response.setKeepAlive(false);
        sendReply(request, response,
                  errorReply({ErrorCode::Unavailable,
                              "too many uploads at the same time; try again in a second"})
                      .with("Retry-After", "1"));
        return;
    }
    if (!request.getChunkedTransferEncoding())
        call.contentLength = request.hasContentLength()
                                 ? static_cast<std::uint64_t>(request.getContentLength64())
                                 : 0;
    const ConnectionHandler *connection = nullptr;
    Reply reply = answer(call, request.getURI(), credentialsOf(request), connection);
    if (arriving && arriving->malformed() && reply.status >= 500)
        reply =
            errorReply({ErrorCode::InvalidArgument, arriving->where("the body of the request")});
    if (connection) {
        const Status done = (*connection)(call, request, response);
        if (done)
            return;
        reply = errorReply(done.error());
    }
    // A streamed reply may still be reading the body on a thread of its own (git's does).
    if (hasBody && !reply.stream && !call.body->eof()) {
        response.setKeepAlive(false);
        if (paced->invited())
            drain(*call.body);
    }
    sendReply(request, response, reply);
}

/// The answer, or the connection handler to be called instead.
Reply Dispatcher::answer(Call &call, const std::string &uri, const Credentials &credentials,
                         const ConnectionHandler *&connection)
{
    auto target = parseTarget(uri);
    if (!target)
        return errorReply(target.error());
    call.target = std::move(*target);
    const auto match = m_router.find(call.method, call.target.segments);
    if (!match.route)
        return unmatched(call, match);
    call.values = match.values;
    if (const auto known = authenticate(call, *match.route, credentials, m_authenticator); !known) {
        Reply refusal = errorReply(known.error());
        // Not Basic: a browser would put its own password dialog before the portal's sign-in
        // page.
        if (refusal.status == 401)
            refusal.with("WWW-Authenticate", "Bearer realm=\"Slipway\"");
        return refusal;
    }
    const auto version = apiVersion(call);
    if (!version)
        return errorReply(version.error(), "VssVersionOutOfRangeException");
    if (match.route->connectionHandler) {
        connection = &match.route->connectionHandler;
        return {};
    }
    std::optional<WholeBody> body;
    std::unique_lock<std::mutex> alone;
    if (isConditionalChange(call)) {
        // Nobody may wait behind a body that trickles in.
        body.emplace(call);
        if (const Status read = body->read(m_options.smallBytes); !read)
            return errorReply(read.error().withContext("with If-Match"));
        alone = std::unique_lock(m_conditional);
        if (auto refusal = unmetCondition(call, current(call, credentials)))
            return std::move(*refusal);
    }
    auto result = match.route->handler(call);
    Reply reply = result ? std::move(*result) : errorReply(result.error());
    if (reply.status >= 500)
        qCWarning(lcHttp, "method=%s path=%s status=%d error=%s", call.method.c_str(),
                  call.target.rawPath.c_str(), reply.status, reply.body.c_str());
    if (reply.contentType == "application/json; charset=utf-8")
        reply.contentType += "; api-version=" + *version;
    negotiate(call, reply);
    return reply;
}

/// What a GET of the same address gives the same caller now.
Reply Dispatcher::current(const Call &change, const Credentials &credentials) const
{
    Call look;
    look.method = "GET";
    look.target = change.target;
    look.header = [](std::string_view) { return std::string(); };
    std::istringstream noBody;
    look.body = &noBody;
    look.contentLength = 0;
    look.baseUrl = change.baseUrl;
    look.clientAddress = change.clientAddress;
    const auto match = m_router.find(look.method, look.target.segments);
    if (!match.route || !match.route->handler)
        return unmatched(look, match);
    look.values = match.values;
    if (const auto known = authenticate(look, *match.route, credentials, m_authenticator); !known)
        return errorReply(known.error());
    auto result = match.route->handler(look);
    Reply reply = result ? std::move(*result) : errorReply(result.error());
    negotiate(look, reply);
    return reply;
}

Reply Dispatcher::unmatched(const Call &call, const Router::Match &match) const
{
    if (!match.allowed.empty()) {
        std::string allowed;
        for (const std::string &method : std::set(match.allowed.begin(), match.allowed.end()))
            allowed += method + (method == "GET" ? ", HEAD, " : ", ");
        allowed += "OPTIONS";
        if (call.method == "OPTIONS")
            return Reply::empty(204).with("Allow", allowed);
        Reply reply =
            errorReply({ErrorCode::InvalidArgument,
                        "method " + call.method + " is not allowed here; use " + allowed});
        reply.status = 405;
        reply.with("Allow", allowed);
        return reply;
    }
    const auto &segments = call.target.segments;
    const bool isApi = std::any_of(segments.begin(), segments.end(), [](const auto &segment) {
        return equalsIgnoringCase(segment, "_apis") || equalsIgnoringCase(segment, "_git");
    });
    if (m_portal && call.method == "GET" && !isApi) {
        auto page = m_portal->serve(call);
        if (page)
            return std::move(*page);
        return errorReply(page.error());
    }
    return errorReply({ErrorCode::NotFound, "no such address: " + call.target.rawPath});
}

} // namespace server::http
