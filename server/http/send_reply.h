#pragma once
/// An answer on its way out.

#include "server/http/call.h"

namespace Poco::Net {
class HTTPServerRequest;
class HTTPServerResponse;
} // namespace Poco::Net

namespace server::http {

/// Sends head and body; to a HEAD request the head alone. A body that fails on its way closes the
/// connection: half of it must not look like all of it. Throws as Poco does when the connection
/// breaks in the head.
void sendReply(Poco::Net::HTTPServerRequest &request, Poco::Net::HTTPServerResponse &response,
               const Reply &reply);

} // namespace server::http
