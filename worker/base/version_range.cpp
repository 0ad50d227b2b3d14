#include "worker/base/version_range.h"

#include "worker/base/text.h"

#include <climits>

#include <algorithm>
#include <charconv>

namespace worker {
namespace {

/// One operand: how many of its parts are given ("18.x": one).
struct Operand
{
    VersionNumber number{};
    int parts = 0;
};

bool readNumber(std::string_view text, int &out)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out >= 0 && out < INT_MAX;
}

std::optional<Operand> readOperand(std::string text)
{
    if (text.starts_with('v') || text.starts_with('='))
        text.erase(0, 1);
    Operand out;
    bool wild = false;
    for (const auto &part : listEntries(text, ".")) {
        if (part == "x" || part == "X" || part == "*") {
            wild = true;
            continue;
        }
        if (wild || out.parts == 3 ||
            !readNumber(part, out.number[static_cast<std::size_t>(out.parts)]))
            return std::nullopt;
        ++out.parts;
    }
    return wild || out.parts > 0 ? std::optional(out) : std::nullopt;
}

/// The first version above everything that has the first `parts` parts of the number.
VersionNumber above(VersionNumber number, int parts)
{
    if (parts == 0)
        return {INT_MAX, 0, 0};
    ++number[static_cast<std::size_t>(parts - 1)];
    std::fill(number.begin() + parts, number.end(), 0);
    return number;
}

std::optional<bool> holds(const VersionNumber &version, const std::string &term)
{
    const auto digits = term.find_first_not_of("<>=~^");
    if (digits == std::string::npos)
        return std::nullopt;
    const auto op = term.substr(0, digits);
    const auto operand = readOperand(term.substr(digits));
    if (!operand)
        return std::nullopt;
    const auto &[number, parts] = *operand;
    if (op == ">=")
        return version >= number;
    if (op == ">")
        return version >= (parts < 3 ? above(number, parts) : above(number, 3));
    if (op == "<")
        return version < number;
    if (op == "<=")
        return version < above(number, parts);
    if (op == "~")
        return version >= number && version < above(number, std::min(parts, 2));
    if (op == "^") {
        int kept = 1;
        while (kept < parts && number[static_cast<std::size_t>(kept - 1)] == 0)
            ++kept;
        return version >= number && version < above(number, std::min(kept, parts));
    }
    if (op.empty() || op == "=")
        return version >= number && version < above(number, parts);
    return std::nullopt;
}

std::optional<bool> allHold(const VersionNumber &version, std::string_view terms)
{
    // "> = 3" and ">= 3" mean ">=3".
    std::string joined;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const bool afterOperator =
            !joined.empty() && std::string_view("<>=~^").find(joined.back()) != std::string::npos;
        if (terms[i] != ' ' || !afterOperator)
            joined += terms[i];
    }
    bool all = true;
    for (const auto &term : listEntries(joined, " ,")) {
        const auto one = holds(version, term);
        if (!one)
            return std::nullopt;
        all = all && *one;
    }
    return all;
}

} // namespace

std::optional<VersionNumber> findVersion(std::string_view text)
{
    const auto begin = text.find_first_of("0123456789");
    if (begin == std::string_view::npos)
        return std::nullopt;
    text.remove_prefix(begin);
    text = text.substr(0, text.find_first_not_of("0123456789."));
    VersionNumber out{};
    std::size_t index = 0;
    for (const auto &part : listEntries(text, ".")) {
        if (index == out.size())
            break;
        if (!readNumber(part, out[index++]))
            return std::nullopt;
    }
    return out;
}

std::optional<bool> inRange(const VersionNumber &version, std::string_view range)
{
    bool any = trimmed(range).empty();
    while (!range.empty()) {
        const auto bar = range.find("||");
        const auto one = allHold(version, range.substr(0, bar));
        if (!one)
            return std::nullopt;
        any = any || *one;
        range = bar == std::string_view::npos ? std::string_view() : range.substr(bar + 2);
    }
    return any;
}

} // namespace worker
