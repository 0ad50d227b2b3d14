// The live event stream.
#include "server/http/connection.h"
#include "server/http/event_streams.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <charconv>

namespace server::http {

using schema::ErrorCode;
using schema::Status;

namespace {

Status openStream(Call &call, Services &services, Poco::Net::HTTPServerRequest &request)
{
    std::string projectId;
    if (const std::string project = call.query().text("project"); !project.empty()) {
        ASSIGN_OR_RETURN(const auto found, services.projects.find(project));
        projectId = found.id;
    }
    if (!services.eventStreams.hasRoom())
        return {ErrorCode::Unavailable, "too many event streams are open; close some pages"};
    std::optional<std::uint64_t> lastId;
    std::string given = call.header("Last-Event-ID");
    if (given.empty())
        given = call.query().text("lasteventid");
    if (std::uint64_t id = 0;
        !given.empty() &&
        std::from_chars(given.data(), given.data() + given.size(), id).ec == std::errc{})
        lastId = id;
    const auto taken = takeConnection(request, "HTTP/1.1 200 OK\r\n"
                                               "Content-Type: text/event-stream\r\n"
                                               "Cache-Control: no-cache, no-transform\r\n"
                                               "X-Content-Type-Options: nosniff\r\n"
                                               "X-Accel-Buffering: no\r\n"
                                               "Connection: close\r\n\r\n");
    if (taken.fd >= 0)
        services.eventStreams.adopt(taken.fd, projectId, lastId);
    return {};
}

} // namespace

void addEventRoutes(Router &router, Services &services)
{
    router.addConnection(
        "GET", "_apis/slipway/events",
        [&services](Call &call, Poco::Net::HTTPServerRequest &request,
                    Poco::Net::HTTPServerResponse &) {
            return openStream(call, services, request);
        },
        Access::SignedIn);
}

} // namespace server::http
