// Registration of workers and their control channel (schema/protocol/README.md).
#include "server/http/connection.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <Poco/Base64Encoder.h>
#include <Poco/SHA1Engine.h>

#include <sstream>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

Result<Reply> registerWorker(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    workers::Registration registration;
    ASSIGN_OR_RETURN(registration.token, requiredText(body, "token"));
    ASSIGN_OR_RETURN(registration.name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto pool, textMember(body, "pool"));
    registration.pool = pool.value_or("");
    ASSIGN_OR_RETURN(const auto version, textMember(body, "version"));
    registration.version = version.value_or("");
    ASSIGN_OR_RETURN(const auto slots, numberMember(body, "slots"));
    if (slots && (*slots < 1 || *slots > 1000))
        return {ErrorCode::InvalidArgument, "'slots' must be from 1 to 1000"};
    registration.slots = static_cast<int>(slots.value_or(1));
    ASSIGN_OR_RETURN(const auto replace, flagMember(body, "replace"));
    registration.replace = replace.value_or(false);
    if (const Json *list = member(body, "capabilities")) {
        if (!list->is_array())
            return {ErrorCode::InvalidArgument, "'capabilities' must be a list"};
        for (const auto &item : *list) {
            schema::protocol::Capability capability;
            ASSIGN_OR_RETURN(capability.name, requiredText(item, "name"));
            ASSIGN_OR_RETURN(const auto value, textMember(item, "value"));
            capability.value = value.value_or("");
            registration.capabilities.push_back(std::move(capability));
        }
    }
    ASSIGN_OR_RETURN(const auto registered, services.pools.registerWorker(registration));
    return Reply::json({{"id", registered.id},
                        {"name", registered.name},
                        {"pool", registered.pool},
                        {"secret", registered.secret}});
}

/// Sec-WebSocket-Accept of RFC 6455, section 4.2.2.
std::string acceptKey(const std::string &key)
{
    Poco::SHA1Engine sha1;
    sha1.update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    const auto &digest = sha1.digest();
    std::ostringstream out;
    Poco::Base64Encoder encoder(out);
    encoder.write(reinterpret_cast<const char *>(digest.data()),
                  static_cast<std::streamsize>(digest.size()));
    encoder.close();
    return out.str();
}

Status openChannel(Call &call, Services &services, Poco::Net::HTTPServerRequest &request)
{
    ASSIGN_OR_RETURN(const auto workerId, call.id("workerId"));
    if (!equalsIgnoringCase(call.header("Upgrade"), "websocket") ||
        call.header("Sec-WebSocket-Version") != "13" ||
        call.header("Sec-WebSocket-Key").size() != 24)
        return {ErrorCode::InvalidArgument, "this address takes a WebSocket handshake, version 13"};
    RETURN_IF_ERROR(services.pools.authenticate(workerId, call.credential));
    auto taken =
        takeConnection(request, "HTTP/1.1 101 Switching Protocols\r\n"
                                "Upgrade: websocket\r\n"
                                "Connection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: " +
                                    acceptKey(call.header("Sec-WebSocket-Key")) + "\r\n\r\n");
    if (taken.fd >= 0)
        services.workerHub.adopt(taken.fd, workerId, call.baseUrl, std::move(taken.early));
    return {};
}

} // namespace

void addWorkerRoutes(Router &router, Services &services)
{
    router.add(
        "POST", "_apis/slipway/workers",
        [&services](Call &call) { return registerWorker(call, services); }, Access::Credential);
    router.addConnection(
        "GET", "_apis/slipway/workers/{workerId}/channel",
        [&services](Call &call, Poco::Net::HTTPServerRequest &request,
                    Poco::Net::HTTPServerResponse &) {
            return openChannel(call, services, request);
        },
        Access::Credential);
}

} // namespace server::http
