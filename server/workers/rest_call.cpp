#include "server/workers/rest_call.h"

#include "schema/transport/session.h"

#include <Poco/Base64Encoder.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/URI.h>

#include <algorithm>
#include <sstream>

namespace server::workers {
namespace {

constexpr int kLimitSeconds = 20;
constexpr std::size_t kMaxAnswer = 1U << 20U;

std::string base64(const std::string &text)
{
    std::ostringstream out;
    Poco::Base64Encoder encoder(out);
    encoder.rdbuf()->setLineLength(0);
    encoder << text;
    encoder.close();
    return out.str();
}

void setHeaders(Poco::Net::HTTPRequest &out, const RestRequest &request)
{
    std::string user;
    std::string password;
    std::string token;
    for (const auto &[name, value] : request.headers) {
        if (name == "\x01user")
            user = value;
        else if (name == "\x01password")
            password = value;
        else if (name == "\x01token")
            token = value;
        else if (value.find_first_of("\r\n") == std::string::npos)
            out.set(name, value);
    }
    if (out.has("Authorization"))
        return;
    if (!user.empty() || !password.empty())
        out.set("Authorization", "Basic " + base64(user + ":" + password));
    else if (!token.empty())
        out.set("Authorization", "Bearer " + token);
}

RestReply call(const RestRequest &request)
{
    const Poco::URI address(request.url);
    const auto opened = schema::transport::openSession(address);
    if (!opened)
        return {0, opened.error().message};
    Poco::Net::HTTPClientSession &session = **opened;
    session.setTimeout(Poco::Timespan(kLimitSeconds, 0));
    auto path = address.getPathAndQuery();
    Poco::Net::HTTPRequest out(request.method, path.empty() ? "/" : path,
                               Poco::Net::HTTPMessage::HTTP_1_1);
    setHeaders(out, request);
    const bool hasBody = request.method != "GET" && request.method != "HEAD";
    if (hasBody)
        out.setContentLength(static_cast<std::streamsize>(request.body.size()));
    auto &body = session.sendRequest(out);
    if (hasBody)
        body << request.body;
    Poco::Net::HTTPResponse response;
    auto &in = session.receiveResponse(response);
    RestReply reply{response.getStatus(), {}};
    reply.body.resize(kMaxAnswer);
    in.read(reply.body.data(), static_cast<std::streamsize>(reply.body.size()));
    reply.body.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
    return reply;
}

} // namespace

RestReply restCall(const RestRequest &request)
{
    try {
        return call(request);
    } catch (const Poco::Exception &problem) {
        return {0, schema::transport::explain(problem)};
    } catch (const std::exception &problem) {
        return {0, problem.what()};
    }
}

} // namespace server::workers
