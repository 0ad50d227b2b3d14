#include "server/http/request_metrics.h"

namespace server::http {

RouteClass routeClass(std::string_view method, std::string_view target)
{
    const std::string_view path = target.substr(0, target.find('?'));
    const auto has = [path](std::string_view part) {
        return path.find(part) != std::string_view::npos;
    };
    if (has("/_git/"))
        return RouteClass::Git;
    if (has("/_apis/slipway/events") || path.ends_with("/channel"))
        return RouteClass::Stream;
    if (path.starts_with("/_apis/slipway/jobs/") || path.starts_with("/_apis/slipway/workers"))
        return RouteClass::Worker;
    if (!has("/_apis"))
        return RouteClass::Portal;
    return method == "GET" || method == "HEAD" || method == "OPTIONS" ? RouteClass::Read
                                                                      : RouteClass::Change;
}

} // namespace server::http
