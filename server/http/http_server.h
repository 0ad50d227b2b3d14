#pragma once
/// The listening side: a front door, and Poco's HTTP parsing with bounded threads, bodies and
/// waiting times in front of the router. Requests are authenticated and checked here, in one place,
/// before a handler sees them.

#include "schema/base/result.h"
#include "server/http/router.h"

#include <cstdint>
#include <memory>
#include <string>

namespace server::auth {
class Authenticator;
}

namespace server::http {

class StaticFiles;
class RequestMetrics;

struct ListenOptions
{
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0: any free one
    /// What links begin with, "https://slipway.example": where a proxy ends TLS the server cannot
    /// know it. Empty: as the caller reached the server.
    std::string publicUrl;
    int maxThreads = 96;       ///< requests served at the same time
    int maxWaiting = 512;      ///< accepted connections without a thread; more are refused
    int headSeconds = 10;      ///< for the whole head of a request, and a small body
    int timeoutSeconds = 30;   ///< for each piece of a longer body
    int keepAliveSeconds = 30; ///< of silence between two requests
};

class HttpServer
{
public:
    /// Binds and begins to answer. The referenced objects must outlive the server; `portal` may be
    /// null. Errors: AlreadyExists (port taken), PermissionDenied (port below 1024),
    /// InvalidArgument (address), each with the remedy.
    static schema::Result<std::unique_ptr<HttpServer>>
    start(const Router &router, auth::Authenticator &authenticator, const StaticFiles *portal,
          RequestMetrics &metrics, const ListenOptions &options);
    ~HttpServer();
    /// Stops accepting, lets running requests end (at most a few seconds), closes connections.
    void stop();
    /// The port in use.
    [[nodiscard]] std::uint16_t port() const;

private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::http
