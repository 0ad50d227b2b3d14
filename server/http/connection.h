#pragma once
/// Taking a connection away from Poco's server, so that a long-lived stream holds no thread.

#include <Poco/Net/StreamSocket.h>

#include <string>

namespace Poco::Net {
class HTTPServerRequest;
}

namespace server::http {

struct TakenConnection
{
    /// Duplicate of the connection's descriptor; the receiver owns and closes it.
    int fd = -1;
    std::string early; ///< bytes that were already read behind the request
};

/// Detaches the socket from the server after the handler itself wrote `head` (status line and
/// headers, complete) to it. fd is -1 when the caller went away.
TakenConnection takeConnection(Poco::Net::HTTPServerRequest &request, const std::string &head);

} // namespace server::http
