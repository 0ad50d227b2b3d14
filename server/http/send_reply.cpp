#include "server/http/send_reply.h"

#include "schema/transport/outgoing_body.h"
#include "server/http/file_body.h"

#include <QLoggingCategory>

#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/HTTPServerSession.h>

#include <algorithm>
#include <string_view>

namespace server::http {
namespace {

Q_LOGGING_CATEGORY(lcSend, "server.http", QtWarningMsg)

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerRequestImpl;
using Poco::Net::HTTPServerResponse;
using schema::Status;
using schema::transport::OutgoingBody;

/// What would end the header in the middle of its value.
bool hasControls(std::string_view value)
{
    return std::any_of(value.begin(), value.end(),
                       [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 127; });
}

void setHeaders(HTTPServerResponse &response, const Reply &reply, bool mayHaveBody)
{
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(reply.status));
    if (mayHaveBody)
        response.setContentType(hasControls(reply.contentType) ? "application/octet-stream"
                                                               : reply.contentType);
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Cache-Control", "no-cache");
    for (const auto &[name, value] : reply.headers) {
        if (hasControls(value)) {
            qCCritical(lcSend, "header %s left out: a line break in its value", name.c_str());
            continue;
        }
        if (name == "Set-Cookie")
            response.add(name, value);
        else
            response.set(name, value);
    }
}

/// Past Poco's stream, behind the head that it holds.
Status streamLarge(HTTPServerRequestImpl &request, const Reply &reply, std::ostream &head,
                   bool &broken)
{
    head.flush();
    OutgoingBody body(request.session(), OutgoingBody::Coding::Plain);
    std::ostream out(&body);
    Status written = reply.stream(out);
    out.flush();
    broken = !out;
    return written;
}

Status sendBody(HTTPServerRequestImpl &request, const Reply &reply, std::ostream &out, bool &broken)
{
    if (reply.file) {
        out.flush(); // the head
        return reply.file->send(request.session());
    }
    if (reply.streamLength && *reply.streamLength >= OutgoingBody::kBuffer)
        return streamLarge(request, reply, out, broken);
    return reply.stream(out);
}

} // namespace

void sendReply(HTTPServerRequest &request, HTTPServerResponse &response, const Reply &reply)
{
    const bool mayHaveBody = reply.status != 204 && reply.status != 304;
    setHeaders(response, reply, mayHaveBody);
    if (!mayHaveBody) {
        response.send(); // no length: RFC 9110, 8.6
        return;
    }
    if (!reply.stream && !reply.file) {
        response.sendBuffer(reply.body.data(), reply.body.size());
        return;
    }
    if (reply.file)
        response.setContentLength64(static_cast<Poco::Int64>(reply.file->size()));
    else if (reply.streamLength)
        response.setContentLength64(static_cast<Poco::Int64>(*reply.streamLength));
    else
        response.setChunkedTransferEncoding(true);
    std::ostream &out = response.send();
    if (request.getMethod() == Poco::Net::HTTPRequest::HTTP_HEAD)
        return;
    auto &impl = dynamic_cast<HTTPServerRequestImpl &>(request);
    bool broken = false;
    const Status written = sendBody(impl, reply, out, broken);
    if (!written || !out || broken) {
        // Half a body must not look like a whole one: cut the connection before Poco can end it
        // properly.
        const std::string &uri = request.getURI(); // its query may hold a ticket
        qCWarning(lcSend, "broken answer path=%s error=%s", uri.substr(0, uri.find('?')).c_str(),
                  written ? "caller went away" : written.error().message.c_str());
        impl.socket().close();
        response.setKeepAlive(false);
    }
}

} // namespace server::http
