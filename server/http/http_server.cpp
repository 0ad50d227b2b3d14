#include "server/http/http_server.h"

#include "server/http/dispatcher.h"
#include "server/http/errors.h"
#include "server/http/front_door.h"
#include "server/http/send_reply.h"

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
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

Q_LOGGING_CATEGORY(lcHttp, "server.http", QtWarningMsg)

/// A caller who takes nothing of an answer for so long holds a thread no longer. Longer than the
/// patience with bodies: a worker's disk may be busy.
constexpr std::chrono::seconds kTakesNothing{300};
/// How long a stopping server waits for requests to end by themselves.
constexpr std::chrono::seconds kLastRequests{3};
constexpr std::string_view kNoHead = "the head of the request is not that of HTTP/1.1\n";

class Connection;

/// Everything that the connections of one server share.
struct Serving
{
    Serving(std::unique_ptr<Dispatcher> shared, Poco::Net::HTTPServerParams::Ptr parameters,
            std::chrono::seconds bodyPatience)
        : dispatcher(std::move(shared))
        , params(std::move(parameters))
        , patience(bodyPatience)
    {}

    std::unique_ptr<Dispatcher> dispatcher;
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
            // The version of the answer is ours (RFC 9110, 2.5); of HTTP/2 we know only the name.
            const std::string &version = request.getVersion();
            if (!version.starts_with("HTTP/1.")) {
                refuseHead(session, Poco::Net::HTTPResponse::HTTP_VERSION_NOT_SUPPORTED,
                           "this server speaks HTTP/1.1\n");
                return false;
            }
            response.setVersion(version == Poco::Net::HTTPMessage::HTTP_1_0
                                    ? version
                                    : Poco::Net::HTTPMessage::HTTP_1_1);
            response.setKeepAlive(request.getKeepAlive() && session.canKeepAlive());
            response.set("Server", m_serving.params->getSoftwareVersion());
            m_serving.dispatcher->handleRequest(request, response);
            return response.getKeepAlive() && session.socket().impl()->initialized();
        } catch (const Poco::Net::NoMessageException &) {
            return false;
        } catch (const Poco::Net::MessageException &) {
            refuseHead(session, Poco::Net::HTTPResponse::HTTP_BAD_REQUEST, kNoHead);
            return false;
        } catch (const Poco::SyntaxException &) { // a length that is no number
            refuseHead(session, Poco::Net::HTTPResponse::HTTP_BAD_REQUEST, kNoHead);
            return false;
        }
    }

    /// By an answer of its own: the one of the request keeps a pointer to what is gone.
    static void refuseHead(Session &session, Poco::Net::HTTPResponse::HTTPStatus status,
                           std::string_view sentence)
    {
        Poco::Net::HTTPServerResponseImpl response(session);
        response.setVersion(Poco::Net::HTTPMessage::HTTP_1_1);
        response.setStatusAndReason(status);
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
        state->serving = std::make_unique<Serving>(
            std::make_unique<Dispatcher>(
                router, authenticator, portal, metrics,
                Dispatcher::Options{.maxUploads = std::max(1, options.maxThreads * 3 / 4),
                                    .smallBytes = door.maxBodyBytes,
                                    .publicUrl = options.publicUrl}),
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
