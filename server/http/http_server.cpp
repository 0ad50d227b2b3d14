#include "server/http/http_server.h"

#include "schema/transport/message_body.h"
#include "server/auth/authenticator.h"
#include "server/http/content.h"
#include "server/http/errors.h"
#include "server/http/front_door.h"
#include "server/http/paced_body.h"
#include "server/http/request_head.h"
#include "server/http/request_metrics.h"
#include "server/http/send_reply.h"
#include "server/http/static_files.h"

#include <QLoggingCategory>

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/TCPServerConnection.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/Net/TCPServerDispatcher.h>
#include <Poco/ThreadPool.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <sys/socket.h>
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
/// A caller who takes nothing of an answer for so long holds a thread no longer. Longer than the
/// patience with bodies: a worker's disk may be busy.
constexpr std::chrono::seconds kTakesNothing{300};
/// How long a stopping server waits for requests to end by themselves.
constexpr std::chrono::seconds kLastRequests{3};

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

/// Requests whose bodies are still on their way.
struct Uploads
{
    int most = 1;
    Poco::Int64 smallBytes = 0; ///< bodies up to this length are here already
    std::atomic<int> now = 0;
};

class UploadPermit
{
public:
    UploadPermit(Uploads &uploads, bool needed)
        : m_uploads(uploads)
        , m_counted(needed)
        , m_granted(!needed || uploads.now.fetch_add(1) < uploads.most)
    {}

    ~UploadPermit()
    {
        if (m_counted)
            m_uploads.now.fetch_sub(1);
    }

    UploadPermit(const UploadPermit &) = delete;
    UploadPermit &operator=(const UploadPermit &) = delete;

    [[nodiscard]] bool granted() const { return m_granted; }

private:
    Uploads &m_uploads;
    bool m_counted, m_granted;
};

class Dispatcher
{
public:
    Dispatcher(const Router &router, auth::Authenticator &authenticator, const StaticFiles *portal,
               RequestMetrics &metrics, Uploads &uploads, std::string publicUrl)
        : m_router(router)
        , m_authenticator(authenticator)
        , m_portal(portal)
        , m_metrics(metrics)
        , m_uploads(uploads)
        , m_publicUrl(std::move(publicUrl))
    {}

    void handleRequest(Poco::Net::HTTPServerRequest &request,
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
            qCCritical(lcHttp, "request failed path=%s error=%s",
                       uri.substr(0, uri.find('?')).c_str(), error.what());
            response.setKeepAlive(false);
            if (!response.sent())
                sendReply(request, response,
                          errorReply({ErrorCode::Internal, "the server failed on this request"}));
        }
        const auto took = std::chrono::steady_clock::now() - begin;
        m_metrics.count(routeClass(request.getMethod(), request.getURI()),
                        static_cast<int>(response.getStatus()), took);
    }

private:
    void dispatch(Poco::Net::HTTPServerRequest &request, Poco::Net::HTTPServerResponse &response)
    {
        Call call;
        call.method = request.getMethod() == "HEAD" ? "GET" : request.getMethod();
        call.header = [&request](std::string_view name) {
            return request.get(std::string(name), "");
        };
        call.clientAddress = request.clientAddress().toString();
        call.baseUrl = m_publicUrl.empty() ? baseUrlOf(request) : m_publicUrl;
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
            paced.emplace(*arriving);
            body.rdbuf(&*paced);
            call.body = &body;
        }
        // The front door waited for small bodies; those that still have to come take a thread for
        // as long as their sender likes, so not all threads may do that.
        const bool longBody = hasBody && (request.getChunkedTransferEncoding() ||
                                          request.getContentLength64() > m_uploads.smallBytes);
        const UploadPermit permit(m_uploads, longBody);
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
        Reply reply = answer(call, request, connection);
        if (arriving && arriving->malformed() && reply.status >= 500)
            reply = errorReply(
                {ErrorCode::InvalidArgument, arriving->where("the body of the request")});
        if (connection) {
            const Status done = (*connection)(call, request, response);
            if (done)
                return;
            reply = errorReply(done.error());
        }
        // A streamed reply may still be reading the body on a thread of its own (git's does).
        if (hasBody && !reply.stream && !call.body->eof()) {
            response.setKeepAlive(false);
            drain(*call.body);
        }
        sendReply(request, response, reply);
    }

    /// The answer, or the connection handler to be called instead.
    Reply answer(Call &call, const Poco::Net::HTTPServerRequest &request,
                 const ConnectionHandler *&connection)
    {
        auto target = parseTarget(request.getURI());
        if (!target)
            return errorReply(target.error());
        call.target = std::move(*target);
        const auto match = m_router.find(call.method, call.target.segments);
        if (!match.route)
            return unmatched(call, match);
        call.values = match.values;
        if (const auto known =
                authenticate(call, *match.route, credentialsOf(request), m_authenticator);
            !known) {
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

    [[nodiscard]] Reply unmatched(const Call &call, const Router::Match &match) const
    {
        if (!match.allowed.empty()) {
            std::string allowed;
            for (const auto &method : match.allowed)
                allowed += (allowed.empty() ? "" : ", ") + method;
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

    static void drain(std::istream &body)
    {
        char buffer[16384];
        std::size_t left = kMaxDrainBytes;
        while (left > 0 && body.good()) {
            body.read(buffer, static_cast<std::streamsize>(std::min(left, sizeof buffer)));
            left -= static_cast<std::size_t>(body.gcount());
        }
    }

    const Router &m_router; // outlive the server, as HttpServer::start() demands
    auth::Authenticator &m_authenticator;
    const StaticFiles *m_portal;
    RequestMetrics &m_metrics;
    Uploads &m_uploads;
    std::string m_publicUrl; ///< empty: links name the server as the caller did
};

class Connection;

/// Everything that the connections of one server share.
struct Serving
{
    Serving(Dispatcher shared, Poco::Net::HTTPServerParams::Ptr parameters,
            std::chrono::seconds bodyPatience)
        : dispatcher(std::move(shared))
        , params(std::move(parameters))
        , patience(bodyPatience)
    {}

    Dispatcher dispatcher;
    Poco::Net::HTTPServerParams::Ptr params;
    std::chrono::seconds patience; ///< for each piece of a body
    FrontDoor *door = nullptr;

    // Connections that a thread serves just now.
    std::mutex mutex;
    std::condition_variable ended;
    std::set<Connection *> active;
};

class Session : public Poco::Net::HTTPServerSession
{
public:
    using HTTPServerSession::HTTPServerSession;

    /// Bytes of the next request were read together with this one's.
    [[nodiscard]] bool hasMore() const { return buffered() > 0; }
};

/// Serves the requests of a connection that have arrived, then gives it back to the front door.
class Connection : public Poco::Net::TCPServerConnection
{
public:
    Connection(const Poco::Net::StreamSocket &socket, Serving &serving)
        : TCPServerConnection(socket)
        , m_serving(serving)
    {
        const std::scoped_lock lock(m_serving.mutex);
        m_serving.active.insert(this);
    }

    ~Connection() override
    {
        const std::scoped_lock lock(m_serving.mutex);
        m_serving.active.erase(this);
        m_serving.ended.notify_all();
    }

    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    void run() override
    {
        Session session(socket(), m_serving.params);
        try {
            do {
                if (!session.hasMoreRequests() || !serve(session))
                    return;
            } while (session.hasMore());
        } catch (const Poco::Exception &error) {
            qCDebug(lcHttp, "connection: %s", error.displayText().c_str());
            return;
        }
        m_serving.door->giveBack(session.detachSocket());
    }

    /// Ends what is being read or written. From another thread, which holds Serving::mutex.
    void hangUp() { ::shutdown(socket().impl()->sockfd(), SHUT_RDWR); }

private:
    /// False when the connection ends with this request, or is no longer ours.
    bool serve(Session &session)
    {
        Poco::Net::HTTPServerResponseImpl response(session);
        try {
            Poco::Net::HTTPServerRequestImpl request(response, session, m_serving.params);
            session.socket().setReceiveTimeout(Poco::Timespan(m_serving.patience.count(), 0));
            session.socket().setSendTimeout(Poco::Timespan(kTakesNothing.count(), 0));
            response.setDate(Poco::Timestamp());
            response.setVersion(request.getVersion());
            response.setKeepAlive(request.getKeepAlive() && session.canKeepAlive());
            response.set("Server", m_serving.params->getSoftwareVersion());
            if (request.getExpectContinue())
                response.sendContinue();
            m_serving.dispatcher.handleRequest(request, response);
            return response.getKeepAlive() && session.socket().impl()->initialized();
        } catch (const Poco::Net::NoMessageException &) {
            return false;
        } catch (const Poco::Net::MessageException &) {
            refuseHead(session);
            return false;
        } catch (const Poco::SyntaxException &) { // a length that is no number
            refuseHead(session);
            return false;
        }
    }

    /// By an answer of its own: the one of the request keeps a pointer to what is gone.
    static void refuseHead(Session &session)
    {
        const std::string sentence = "the head of the request is not that of HTTP/1.1\n";
        Poco::Net::HTTPServerResponseImpl response(session);
        response.setVersion(Poco::Net::HTTPMessage::HTTP_1_1);
        response.setStatusAndReason(Poco::Net::HTTPResponse::HTTP_BAD_REQUEST);
        response.setKeepAlive(false);
        response.setContentType("text/plain; charset=utf-8");
        response.setContentLength(static_cast<std::streamsize>(sentence.size()));
        response.send() << sentence;
    }

    Serving &m_serving;
};

class ConnectionFactory : public Poco::Net::TCPServerConnectionFactory
{
public:
    explicit ConnectionFactory(Serving &serving)
        : m_serving(serving)
    {}

    Poco::Net::TCPServerConnection *createConnection(const Poco::Net::StreamSocket &socket) override
    {
        return new Connection(socket, m_serving); // owned by Poco
    }

private:
    Serving &m_serving;
};

schema::Error listenError(const ListenOptions &options, const Poco::Exception &error)
{
    const std::string address = options.host + ":" + std::to_string(options.port);
    if (error.code() == EADDRINUSE || error.message().find("in use") != std::string::npos)
        return {ErrorCode::AlreadyExists,
                "port " + address +
                    " is taken by another program; choose another one with "
                    "--listen ADDRESS:PORT (port 0 takes any free one)"};
    if (error.code() == EACCES)
        return {ErrorCode::PermissionDenied, "not allowed to listen on " + address +
                                                 "; ports below 1024 need root, choose "
                                                 "another one with --listen"};
    return {ErrorCode::InvalidArgument,
            "cannot listen on " + address + ": " + error.displayText() +
                "; give an address of this machine with --listen ADDRESS:PORT"};
}

} // namespace

struct HttpServer::State
{
    Uploads uploads;
    std::unique_ptr<Serving> serving;
    std::unique_ptr<Poco::ThreadPool> threads;
    Poco::AutoPtr<Poco::Net::TCPServerDispatcher> dispatcher;
    std::unique_ptr<FrontDoor> door;
    std::uint16_t port = 0;
    bool stopped = false;
};

HttpServer::HttpServer(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

HttpServer::~HttpServer()
{
    stop();
}

Result<std::unique_ptr<HttpServer>>
HttpServer::start(const Router &router, auth::Authenticator &authenticator,
                  const StaticFiles *portal, RequestMetrics &metrics, const ListenOptions &options)
{
    auto state = std::make_unique<State>();
    try {
        const Poco::Net::SocketAddress address(options.host, options.port);
        Poco::Net::ServerSocket socket;
        socket.bind(address, true, false);
        socket.listen(1024);
        Poco::Net::HTTPServerParams::Ptr params(new Poco::Net::HTTPServerParams);
        params->setMaxThreads(options.maxThreads);
        params->setMaxQueued(options.maxWaiting);
        // The whole head is here when a thread begins: reading it does not wait.
        params->setTimeout(Poco::Timespan(1, 0));
        params->setMaxKeepAliveRequests(0);
        params->setSoftwareVersion("Slipway");
        FrontDoorOptions door;
        door.headTime = std::chrono::seconds(options.headSeconds);
        door.idleTime = std::chrono::seconds(options.keepAliveSeconds);
        state->uploads.most = std::max(1, options.maxThreads * 3 / 4);
        state->uploads.smallBytes = static_cast<Poco::Int64>(door.maxBodyBytes);
        state->serving = std::make_unique<Serving>(
            Dispatcher(router, authenticator, portal, metrics, state->uploads, options.publicUrl),
            params, std::chrono::seconds(options.timeoutSeconds));
        state->threads = std::make_unique<Poco::ThreadPool>("http", 1, options.maxThreads, 30);
        state->dispatcher = new Poco::Net::TCPServerDispatcher(
            new ConnectionFactory(*state->serving), *state->threads, params);
        state->port = socket.address().port();
        auto *dispatcher = state->dispatcher.get();
        ASSIGN_OR_RETURN(state->door, FrontDoor::open(
                                          socket,
                                          [dispatcher](const Poco::Net::StreamSocket &ready) {
                                              dispatcher->enqueue(ready);
                                          },
                                          door));
        state->serving->door = state->door.get();
    } catch (const Poco::Exception &error) {
        return listenError(options, error);
    }
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

void HttpServer::stop()
{
    if (m_state->stopped)
        return;
    m_state->stopped = true;
    m_state->door->close();
    m_state->dispatcher->stop();
    Serving &serving = *m_state->serving;
    {
        std::unique_lock lock(serving.mutex);
        const auto idle = [&] { return serving.active.empty(); };
        if (!serving.ended.wait_for(lock, kLastRequests, idle)) {
            for (Connection *connection : serving.active)
                connection->hangUp();
        }
    }
    m_state->threads->joinAll();
}

std::uint16_t HttpServer::port() const
{
    return m_state->port;
}

} // namespace server::http
