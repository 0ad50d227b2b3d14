#include "schema/model/plan.h"

#include <algorithm>

namespace schema {
namespace {

char lowerAscii(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equalIgnoringCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lowerAscii(x) == lowerAscii(y); });
}

} // namespace

const std::string *findText(const TextMap &map, std::string_view key)
{
    const auto found = std::find_if(map.begin(), map.end(), [key](const auto &entry) {
        return equalIgnoringCase(entry.first, key);
    });
    return found == map.end() ? nullptr : &found->second;
}

std::string_view toString(HookKind kind)
{
    switch (kind) {
    case HookKind::PreDeploy:
        return "preDeploy";
    case HookKind::Deploy:
        return "deploy";
    case HookKind::RouteTraffic:
        return "routeTraffic";
    case HookKind::PostRouteTraffic:
        return "postRouteTraffic";
    case HookKind::OnFailure:
        return "on.failure";
    case HookKind::OnSuccess:
        return "on.success";
    }
    return "deploy";
}

} // namespace schema
