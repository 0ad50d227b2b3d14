#include "server/http/locations.h"

#include <array>

namespace server::http {

namespace {

constexpr Location kLocations[] = {
#include "server/http/locations.inc"
};

void replaceAll(std::string &text, std::string_view from, std::string_view to)
{
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

} // namespace

std::span<const Location> locations()
{
    return kLocations;
}

const Location *findLocation(std::string_view id)
{
    for (const auto &location : kLocations)
        if (location.id.substr(0, id.size()) == id)
            return &location;
    return nullptr;
}

std::string expandedTemplate(const Location &location)
{
    std::string text(location.routeTemplate);
    replaceAll(text, "{area}", location.area);
    replaceAll(text, "{resource}", location.resource);
    return text;
}

} // namespace server::http
