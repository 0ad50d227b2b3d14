#pragma once
/// What the head of a request says about its caller and its body.

#include "schema/base/result.h"

#include <string>
#include <string_view>

namespace Poco::Net {
class HTTPServerRequest;
}

namespace server::http {

struct Credentials
{
    std::string token;   ///< bearer token or Basic password
    std::string session; ///< cookie
};

/// What the caller shows; empty texts when it is nothing, or nothing that can be read.
Credentials credentialsOf(const Poco::Net::HTTPServerRequest &request);

/// Refuses requests that two parsers could understand differently (request smuggling): lengths,
/// names of headers, hosts. Errors: InvalidArgument naming the header.
schema::Status checkFraming(const Poco::Net::HTTPServerRequest &request);

/// A version of the REST API that is spoken here, with or without preview: "7.1", "7.2-preview.3".
/// What is true for this may stand in a header.
bool isApiVersion(std::string_view text);

/// Whether a text may be host and port of an address: letters, digits and ".-:[]_", 1 to 255 of
/// them.
bool isPlausibleHost(std::string_view text);

/// Base URL as the caller wrote it; the Host header is used only when it is a plausible host.
std::string baseUrlOf(const Poco::Net::HTTPServerRequest &request);

} // namespace server::http
