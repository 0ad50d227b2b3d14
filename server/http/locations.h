#pragma once
/// The published location table of the REST API (environments-and-portal D3, D12, D13).

#include <span>
#include <string>
#include <string_view>

namespace server::http {

struct Location
{
    std::string_view id;            ///< GUID that clients look up
    std::string_view area;          ///< "build"; compares ignoring case
    std::string_view resource;      ///< "Builds"
    std::string_view routeTemplate; ///< "{project}/_apis/build/{resource}/{buildId}"
    int resourceVersion;
    std::string_view minVersion, maxVersion, releasedVersion; ///< "0.0": preview only
};

/// Every row, in published order.
std::span<const Location> locations();
/// Row with this id (or the unique id beginning with it); nullptr when there is none.
const Location *findLocation(std::string_view id);
/// Template with {area} and {resource} filled in: "{project}/_apis/build/Builds/{buildId}".
std::string expandedTemplate(const Location &location);

} // namespace server::http
