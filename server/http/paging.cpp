#include "server/http/paging.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace server::http {

schema::Result<Reply> page(const Call &call, nlohmann::ordered_json values)
{
    constexpr std::int64_t kMostAtOnce = 100'000;
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, kMostAtOnce));
    ASSIGN_OR_RETURN(const auto skip, call.query().number("skip", 0, INT64_MAX));
    ASSIGN_OR_RETURN(const auto token, call.query().number("continuationtoken", 0, INT64_MAX));
    const auto size = static_cast<std::int64_t>(values.size());
    const std::int64_t begin = std::min(token ? *token : skip.value_or(0), size);
    const std::int64_t end = std::min(size, top ? begin + *top : size);
    if (begin > 0 || end < size) {
        auto &items = values.get_ref<nlohmann::ordered_json::array_t &>();
        items.erase(items.begin() + end, items.end());
        items.erase(items.begin(), items.begin() + begin);
    }
    return Reply::list(std::move(values), end < size ? std::to_string(end) : std::string());
}

} // namespace server::http
