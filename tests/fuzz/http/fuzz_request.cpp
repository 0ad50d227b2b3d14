// Any request target and body: decoded or refused, never a crash, and the reply is valid JSON.
#include "server/http/errors.h"
#include "server/http/router.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <sstream>
#include <string>

using namespace server::http;

namespace {

Router everyRoute()
{
    Router router;
    const Handler nothing = [](Call &) { return schema::Result(Reply::empty()); };
    for (const auto &location : locations())
        // The two spellings of one path share their handler in the server as well.
        if (location.area != "PipelinesChecks" && location.area != "approval")
            router.add(location.id, expandedTemplate(location), nothing);
    router.add("GET", "{project}/_git/{repository}/{*rest}", nothing);
    return router;
}

void require(bool condition)
{
    if (!condition)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Router kRouter = everyRoute();
    const std::string input(reinterpret_cast<const char *>(data), size);
    const auto line = std::min(input.find('\n'), input.size());
    const auto target = parseTarget(std::string_view(input).substr(0, line));
    if (target) {
        for (const auto &segment : target->segments)
            require(percentDecode(percentEncode(segment)).value() == segment);
        const auto match = kRouter.find("GET", target->segments);
        require(!match.route || match.values.size() <= match.route->names.size());
        for (const char *name : {"top", "id", "mintime"}) {
            (void)target->query.number(name, 0, 100).has_value();
            (void)target->query.time(name).has_value();
            (void)target->query.list(name);
            (void)target->query.numbers(name).has_value();
            (void)parseEnum(target->query.text(name), {{"a", 1}, {"b", 2}});
        }
    }
    std::istringstream body(input.substr(std::min(line + 1, input.size())));
    Call call;
    call.body = &body;
    call.header = [](std::string_view) { return std::string(); };
    const auto json = call.json();
    if (json) {
        for (const char *name : {"name", "id", "status"}) {
            (void)textMember(*json, name).has_value();
            (void)numberMember(*json, name).has_value();
            (void)flagMember(*json, name).has_value();
            (void)memberAt(*json, "resources.repositories.self");
        }
        require(nlohmann::ordered_json::accept(Reply::json(*json).body));
    } else {
        require(nlohmann::ordered_json::accept(errorReply(json.error()).body));
    }
    return 0;
}
