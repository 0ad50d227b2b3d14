// Query strings: parameters come back as they were sent, are found under every spelling of their
// name, and a number is within its bounds or refused.
#include "server/http/url.h"

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace server::http;

namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

/// Parameters that routes ask for, by kind.
constexpr std::string_view kTexts[] = {"search", "branchname", "searchcriteria.sourcerefname"};
constexpr std::string_view kNumbers[] = {"top", "skip", "pipelineid"};
constexpr std::string_view kTimes[] = {"mintime", "at"};
constexpr std::string_view kLists[] = {"ids", "definitions"};
constexpr std::int64_t kLeast = 1;
constexpr std::int64_t kMost = 1000;

void ask(const Query &query)
{
    for (const auto name : kTexts) {
        const std::string *found = query.find(name);
        require(query.text(name, "none") == (found ? *found : "none"));
        require(!found || found->find('\0') == std::string::npos);
        (void)query.flag(name);
    }
    for (const auto name : kNumbers) {
        const auto number = query.number(name, kLeast, kMost);
        if (!number)
            require(number.error().message.find(name) != std::string::npos);
        else
            require(!*number || (**number >= kLeast && **number <= kMost));
    }
    for (const auto name : kTimes) {
        const auto time = query.time(name);
        require(time || time.error().message.find(name) != std::string::npos);
    }
    for (const auto name : kLists) {
        const auto items = query.list(name);
        require(std::none_of(items.begin(), items.end(), [](const auto &i) { return i.empty(); }));
        const auto numbers = query.numbers(name);
        require(!numbers || numbers->size() <= items.size());
        for (const auto number : numbers ? *numbers : std::vector<std::int64_t>())
            require(number >= 0);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string input(reinterpret_cast<const char *>(data), size);
    if (const auto target = parseTarget("/p/_apis/build/builds?" + input))
        ask(target->query);
    // Any bytes but NUL can be a value, once they are encoded.
    if (input.find('\0') != std::string::npos || input.size() > 4096)
        return 0;
    for (const char *name : {"search=", "$SEARCH=", "Search="}) {
        const auto sent = parseTarget("/p?a=1&" + (name + percentEncode(input)) + "&b");
        require(sent.has_value() && sent->query.text("search") == input);
    }
    return 0;
}
