#pragma once
/// From a request to its answer: framing, route, who calls, version of the API, condition, handler,
/// error. One for all connections of a server.

#include "server/http/call.h"
#include "server/http/request_head.h"
#include "server/http/router.h"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>

namespace Poco::Net {
class HTTPServerRequest;
class HTTPServerResponse;
} // namespace Poco::Net

namespace server::auth {
class Authenticator;
} // namespace server::auth

namespace server::http {

class RequestMetrics;
class StaticFiles;

class Dispatcher
{
public:
    struct Options
    {
        int maxUploads = 1; ///< bodies on their way at the same time
        /// Bodies of a declared length up to this are here when a request is handled, bytes.
        std::size_t smallBytes = 0;
        std::string publicUrl; ///< empty: links name the server as the caller did
    };

    /// `portal` may be nullptr; all of them outlive the dispatcher.
    Dispatcher(const Router &router, auth::Authenticator &authenticator, const StaticFiles *portal,
               RequestMetrics &metrics, Options options);

    /// Answers one request, whatever it is: nothing is thrown. Called from any thread, also from
    /// several at once. The connection ends afterwards when `response` says no keep-alive.
    void handleRequest(Poco::Net::HTTPServerRequest &request,
                       Poco::Net::HTTPServerResponse &response);

private:
    void dispatch(Poco::Net::HTTPServerRequest &request, Poco::Net::HTTPServerResponse &response);
    Reply answer(Call &call, const std::string &uri, const Credentials &credentials,
                 const ConnectionHandler *&connection);
    [[nodiscard]] Reply current(const Call &change, const Credentials &credentials) const;
    [[nodiscard]] Reply unmatched(const Call &call, const Router::Match &match) const;

    const Router &m_router;
    auth::Authenticator &m_authenticator;
    const StaticFiles *m_portal;
    RequestMetrics &m_metrics;
    Options m_options;
    std::atomic<int> m_uploads = 0;
    /// Held by a request with If-Match from its comparison to its end.
    std::mutex m_conditional;
};

} // namespace server::http
