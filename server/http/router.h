#pragma once
/// Finds the handler of a request. Literal segments win over placeholders (environments-and-portal
/// D13), names compare ignoring case, a catch-all `{*name}` takes the rest. Built once at start,
/// then read by all threads.

#include "server/http/call.h"
#include "server/http/locations.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace Poco::Net {
class HTTPServerRequest;
class HTTPServerResponse;
} // namespace Poco::Net

namespace server::http {

/// Who may call a route; checked before the handler runs.
enum class Access {
    Public,     ///< nobody needs to be known
    SignedIn,   ///< a person or a program with a personal token
    Admin,      ///< an administrator
    Credential, ///< the handler checks `Call::credential` itself (job and worker tokens)
};

using Handler = std::function<schema::Result<Reply>(Call &)>;
/// A handler that answers on the connection itself (WebSocket, event stream).
using ConnectionHandler = std::function<schema::Status(Call &, Poco::Net::HTTPServerRequest &,
                                                       Poco::Net::HTTPServerResponse &)>;

struct Route
{
    std::string method;
    std::string routeTemplate;
    Access access = Access::SignedIn;
    std::vector<std::string> names; ///< of the placeholders, in order
    Handler handler;
    ConnectionHandler connectionHandler;
};

/// Which forms of a template a handler serves: with its last placeholders or without.
enum class Form { Item, Collection };

class Router
{
public:
    Router();
    ~Router();
    Router(Router &&) noexcept;
    Router &operator=(Router &&) noexcept;

    /// Adds a route of the published table; `location` is the beginning of its id. Aborts on an
    /// unknown id or a route given twice (broken invariant of the program, not input).
    void serve(std::string_view method, std::string_view location, Form form, Handler handler,
               Access access = Access::SignedIn);
    /// Adds a route beside the table: "{project}/_apis/slipway/matrix", "signin".
    void add(std::string_view method, std::string_view routeTemplate, Handler handler,
             Access access = Access::SignedIn);
    void addConnection(std::string_view method, std::string_view routeTemplate,
                       ConnectionHandler handler, Access access);

    struct Match
    {
        const Route *route = nullptr; ///< nullptr: see allowed
        std::vector<std::pair<std::string, std::string>> values;
        std::vector<std::string> allowed; ///< methods the path has, when this one is none of them
    };

    [[nodiscard]] Match find(std::string_view method,
                             const std::vector<std::string> &segments) const;
    /// Rows of the table that have a handler, those of `area` when it is given.
    [[nodiscard]] std::vector<const Location *> served(std::string_view area = {}) const;
    /// Every route, in order of addition (OpenAPI check).
    [[nodiscard]] std::vector<const Route *> routes() const;

private:
    struct Node;
    void insert(std::unique_ptr<Route> route);
    std::unique_ptr<Node> m_root;
    std::vector<std::unique_ptr<Route>> m_routes;
    std::vector<const Location *> m_served;
};

} // namespace server::http
