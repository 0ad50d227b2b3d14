#include "server/http/request_head.h"

#include "server/http/url.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerRequest.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>

namespace server::http {
namespace {

using Poco::Net::HTTPServerRequest;
using schema::ErrorCode;
using schema::Status;

constexpr const char *kSessionCookie = "slipway_session";

/// Empty when it is no Basic credential: the caller is then nobody.
std::string basicPassword(const std::string &encoded)
{
    std::istringstream in(encoded);
    Poco::Base64Decoder decoder(in);
    std::string plain;
    try {
        plain.assign(std::istreambuf_iterator<char>(decoder), std::istreambuf_iterator<char>());
    } catch (const Poco::DataFormatException &) {
        return {};
    }
    const auto colon = plain.find(':');
    // The user name is ignored (environments-and-portal C8).
    return colon == std::string::npos ? std::string() : plain.substr(colon + 1);
}

/// Of names of headers: RFC 9110, 5.6.2.
bool isTokenCharacter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

} // namespace

Credentials credentialsOf(const HTTPServerRequest &request)
{
    Credentials out;
    const std::string authorization = request.get("Authorization", "");
    const auto space = authorization.find(' ');
    if (space != std::string::npos) {
        const std::string_view scheme = std::string_view(authorization).substr(0, space);
        const auto begin = authorization.find_first_not_of(' ', space);
        const std::string rest =
            begin == std::string::npos ? std::string() : authorization.substr(begin);
        if (equalsIgnoringCase(scheme, "Bearer"))
            out.token = rest;
        else if (equalsIgnoringCase(scheme, "Basic"))
            out.token = basicPassword(rest);
    }
    Poco::Net::NameValueCollection cookies;
    request.getCookies(cookies);
    out.session = cookies.get(kSessionCookie, "");
    return out;
}

bool isApiVersion(std::string_view text)
{
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() < 3 || !isDigit(text[0]) || text[1] != '.' || !isDigit(text[2]) ||
        text[0] == '0' || text.substr(0, 3) > "7.2")
        return false;
    text.remove_prefix(3);
    if (text.empty())
        return true;
    constexpr std::string_view kPreview = "-preview";
    if (!equalsIgnoringCase(text.substr(0, kPreview.size()), kPreview))
        return false;
    text.remove_prefix(kPreview.size());
    return text.empty() || (text.size() >= 2 && text.size() <= 4 && text[0] == '.' &&
                            std::all_of(text.begin() + 1, text.end(), isDigit));
}

Status checkFraming(const HTTPServerRequest &request)
{
    int lengths = 0;
    int encodings = 0;
    int hosts = 0;
    for (const auto &[name, value] : request) {
        // A proxy may read "Content-Length :" as the length and we as another field, or the other
        // way round (RFC 9112, 5.1).
        if (name.empty() || !std::all_of(name.begin(), name.end(), isTokenCharacter))
            return {ErrorCode::InvalidArgument,
                    "the name of a header has a blank or another character that none may have"};
        if (value.find('\0') != std::string::npos)
            return {ErrorCode::InvalidArgument, "header " + name + " contains a NUL"};
        hosts += equalsIgnoringCase(name, "Host") ? 1 : 0;
        if (equalsIgnoringCase(name, "Content-Length")) {
            ++lengths;
            if (value.empty() || value.size() > 18 ||
                value.find_first_not_of("0123456789") != std::string::npos)
                return {ErrorCode::InvalidArgument, "header Content-Length is not a number"};
        } else if (equalsIgnoringCase(name, "Transfer-Encoding")) {
            ++encodings;
            if (!equalsIgnoringCase(value, "chunked"))
                return {ErrorCode::InvalidArgument,
                        "header Transfer-Encoding must be 'chunked' or absent"};
        }
    }
    if (lengths + encodings > 1)
        return {ErrorCode::InvalidArgument,
                "more than one Content-Length or Transfer-Encoding header"};
    // RFC 9112, 3.2
    if (hosts > 1 || (hosts == 0 && request.getVersion() == Poco::Net::HTTPMessage::HTTP_1_1))
        return {ErrorCode::InvalidArgument, "exactly one Host header is needed"};
    return {};
}

bool isPlausibleHost(std::string_view text)
{
    const auto plausible = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
    };
    return !text.empty() && text.size() < 256 && std::all_of(text.begin(), text.end(), plausible);
}

std::string baseUrlOf(const HTTPServerRequest &request)
{
    const std::string host = request.get("Host", "");
    return "http://" + (isPlausibleHost(host) ? host : request.serverAddress().toString());
}

} // namespace server::http
