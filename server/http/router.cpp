#include "server/http/router.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace server::http {

struct Router::Node
{
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals; ///< lower case
    std::unique_ptr<Node> placeholder;
    std::vector<const Route *> routes;   ///< that end here
    std::vector<const Route *> catchAll; ///< that take the rest
};

namespace {

bool isPlaceholder(std::string_view segment)
{
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool isCatchAll(std::string_view segment)
{
    return isPlaceholder(segment) && segment[1] == '*';
}

std::vector<std::string> split(std::string_view path)
{
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        if (end > begin)
            out.emplace_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

[[noreturn]] void brokenTable(const std::string &what)
{
    std::fprintf(stderr, "route table: %s\n", what.c_str());
    std::abort();
}

} // namespace

Router::Router()
    : m_root(std::make_unique<Node>())
{}

Router::~Router() = default;
Router::Router(Router &&) noexcept = default;
Router &Router::operator=(Router &&) noexcept = default;

void Router::insert(std::unique_ptr<Route> route)
{
    Node *node = m_root.get();
    bool rest = false;
    for (const auto &segment : split(route->routeTemplate)) {
        if (rest)
            brokenTable("segments after a catch-all in " + route->routeTemplate);
        if (isPlaceholder(segment)) {
            const bool all = isCatchAll(segment);
            route->names.push_back(segment.substr(all ? 2 : 1, segment.size() - (all ? 3 : 2)));
            if (all) {
                rest = true;
                continue;
            }
            if (!node->placeholder)
                node->placeholder = std::make_unique<Node>();
            node = node->placeholder.get();
        } else {
            auto &next = node->literals[lowerCase(segment)];
            if (!next)
                next = std::make_unique<Node>();
            node = next.get();
        }
    }
    auto &list = rest ? node->catchAll : node->routes;
    for (const Route *other : list)
        if (other->method == route->method)
            brokenTable("two handlers for " + route->method + " " + route->routeTemplate);
    list.push_back(route.get());
    m_routes.push_back(std::move(route));
}

void Router::serve(std::string_view method, std::string_view location, Form form, Handler handler,
                   Access access)
{
    const Location *row = findLocation(location);
    if (!row)
        brokenTable("no location " + std::string(location));
    auto segments = split(expandedTemplate(*row));
    if (form == Form::Collection) {
        while (!segments.empty() && isPlaceholder(segments.back()))
            segments.pop_back();
    }
    std::string path;
    for (const auto &segment : segments)
        path += (path.empty() ? "" : "/") + segment;
    add(method, path, std::move(handler), access);
    if (std::find(m_served.begin(), m_served.end(), row) == m_served.end())
        m_served.push_back(row);
}

void Router::add(std::string_view method, std::string_view routeTemplate, Handler handler,
                 Access access)
{
    auto route = std::make_unique<Route>();
    route->method = method;
    route->routeTemplate = routeTemplate;
    route->access = access;
    route->handler = std::move(handler);
    insert(std::move(route));
}

void Router::addConnection(std::string_view method, std::string_view routeTemplate,
                           ConnectionHandler handler, Access access)
{
    auto route = std::make_unique<Route>();
    route->method = method;
    route->routeTemplate = routeTemplate;
    route->access = access;
    route->connectionHandler = std::move(handler);
    insert(std::move(route));
}

Router::Match Router::find(std::string_view method, const std::vector<std::string> &segments) const
{
    Match match;
    std::vector<std::string> taken;
    const auto accept = [&](const std::vector<const Route *> &routes) {
        for (const Route *route : routes) {
            if (route->method != method) {
                match.allowed.push_back(route->method);
                continue;
            }
            match.route = route;
            for (std::size_t i = 0; i < route->names.size() && i < taken.size(); ++i)
                match.values.emplace_back(route->names[i], taken[i]);
            return true;
        }
        return false;
    };
    // Depth-first with literals before placeholders before catch-alls; the depth is that of the
    // longest template, so the search is bounded.
    const auto walk = [&](const auto &self, const Node &node, std::size_t at) -> bool {
        if (at == segments.size() && accept(node.routes))
            return true;
        if (at < segments.size()) {
            const auto literal = node.literals.find(lowerCase(segments[at]));
            if (literal != node.literals.end() && self(self, *literal->second, at + 1))
                return true;
            if (node.placeholder) {
                taken.push_back(segments[at]);
                if (self(self, *node.placeholder, at + 1))
                    return true;
                taken.pop_back();
            }
        }
        if (!node.catchAll.empty()) {
            std::string rest;
            for (std::size_t i = at; i < segments.size(); ++i)
                rest += (i == at ? "" : "/") + segments[i];
            taken.push_back(rest);
            if (accept(node.catchAll))
                return true;
            taken.pop_back();
        }
        return false;
    };
    walk(walk, *m_root, 0);
    return match;
}

std::vector<const Location *> Router::served(std::string_view area) const
{
    std::vector<const Location *> out;
    for (const auto &row : locations())
        if ((area.empty() || equalsIgnoringCase(row.area, area)) &&
            std::find(m_served.begin(), m_served.end(), &row) != m_served.end())
            out.push_back(&row);
    return out;
}

std::vector<const Route *> Router::routes() const
{
    std::vector<const Route *> out;
    for (const auto &route : m_routes)
        out.push_back(route.get());
    return out;
}

} // namespace server::http
