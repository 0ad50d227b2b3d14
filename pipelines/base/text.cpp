#include "pipelines/base/text.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace pipelines {
namespace {

struct CaseRange
{
    char32_t first, last;
    std::int32_t stride, delta;
};

#include "pipelines/base/unicode_case.inc"

template <std::size_t N> char32_t mapCase(const CaseRange (&table)[N], char32_t c)
{
    const auto *const range =
        std::lower_bound(std::begin(table), std::end(table), c,
                         [](const CaseRange &entry, char32_t value) { return entry.last < value; });
    if (range == std::end(table) || c < range->first ||
        (c - range->first) % static_cast<char32_t>(range->stride) != 0)
        return c;
    return static_cast<char32_t>(static_cast<std::int32_t>(c) + range->delta);
}

char32_t upper(char32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    return mapCase(kToUpper, c);
}

char32_t lower(char32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return mapCase(kToLower, c);
}

char upperAscii(char c)
{
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool isSpace(char32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/// Length of the well-formed sequence at the front, or 0.
std::size_t sequenceLength(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
    const unsigned char lead = at(0);
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return text.size() >= 2 && continues(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (text.size() < 3 || !continues(1) || !continues(2))
            return 0;
        const bool overlong = lead == 0xE0 && at(1) < 0xA0;
        const bool surrogate = lead == 0xED && at(1) >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (text.size() < 4 || !continues(1) || !continues(2) || !continues(3))
            return 0;
        const bool overlong = lead == 0xF0 && at(1) < 0x90;
        const bool tooLarge = lead == 0xF4 && at(1) > 0x8F;
        return overlong || tooLarge ? 0 : 4;
    }
    return 0;
}

template <typename Map> std::string mapped(std::string_view text, Map map)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (static_cast<unsigned char>(text[0]) >= 0x80 && sequenceLength(text) == 0) {
            out += text[0];
            text.remove_prefix(1);
            continue;
        }
        appendUtf8(out, map(takeCodePoint(text)));
    }
    return out;
}

} // namespace

char32_t takeCodePoint(std::string_view &text)
{
    const auto at = [&](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
    };
    const std::size_t length = sequenceLength(text);
    char32_t c = at(0);
    if (length == 2)
        c = ((c & 0x1FU) << 6U) | (at(1) & 0x3FU);
    else if (length == 3)
        c = ((c & 0x0FU) << 12U) | ((at(1) & 0x3FU) << 6U) | (at(2) & 0x3FU);
    else if (length == 4)
        c = ((c & 0x07U) << 18U) | ((at(1) & 0x3FU) << 12U) | ((at(2) & 0x3FU) << 6U) |
            (at(3) & 0x3FU);
    text.remove_prefix(std::max<std::size_t>(length, 1));
    return c;
}

void appendUtf8(std::string &out, char32_t c)
{
    const auto byte = [&out](char32_t value) { out += static_cast<char>(value); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xC0U | (c >> 6U));
        byte(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
        byte(0xE0U | (c >> 12U));
        byte(0x80U | ((c >> 6U) & 0x3FU));
        byte(0x80U | (c & 0x3FU));
    } else {
        byte(0xF0U | (c >> 18U));
        byte(0x80U | ((c >> 12U) & 0x3FU));
        byte(0x80U | ((c >> 6U) & 0x3FU));
        byte(0x80U | (c & 0x3FU));
    }
}

std::size_t findInvalidUtf8(std::string_view text)
{
    std::size_t offset = 0;
    while (offset < text.size()) {
        if (static_cast<unsigned char>(text[offset]) < 0x80) {
            ++offset;
            continue;
        }
        const std::size_t length = sequenceLength(text.substr(offset));
        if (length == 0)
            return offset;
        offset += length;
    }
    return std::string_view::npos;
}

std::string toUpper(std::string_view text)
{
    return mapped(text, upper);
}

std::string toLower(std::string_view text)
{
    return mapped(text, lower);
}

int compareIgnoringCase(std::string_view a, std::string_view b)
{
    while (!a.empty() && !b.empty()) {
        if ((static_cast<unsigned char>(a[0]) | static_cast<unsigned char>(b[0])) < 0x80U) {
            const char x = upperAscii(a[0]);
            const char y = upperAscii(b[0]);
            if (x != y)
                return x < y ? -1 : 1;
            a.remove_prefix(1);
            b.remove_prefix(1);
            continue;
        }
        const char32_t x = upper(takeCodePoint(a));
        const char32_t y = upper(takeCodePoint(b));
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.empty() ? (b.empty() ? 0 : -1) : 1;
}

bool equalIgnoringCase(std::string_view a, std::string_view b)
{
    return compareIgnoringCase(a, b) == 0;
}

std::size_t findIgnoringCase(std::string_view text, std::string_view part)
{
    if (part.empty())
        return 0;
    // Upper-casing may change byte lengths, so the position is one in the upper-cased text; all
    // callers only ask whether, or whether at the front.
    return toUpper(text).find(toUpper(part));
}

std::size_t utf16Length(std::string_view text)
{
    std::size_t units = 0;
    while (!text.empty())
        units += takeCodePoint(text) >= 0x10000 ? 2 : 1;
    return units;
}

std::string_view trim(std::string_view text)
{
    while (!text.empty()) {
        std::string_view rest = text;
        if (!isSpace(takeCodePoint(rest)))
            break;
        text = rest;
    }
    while (!text.empty()) {
        std::size_t start = text.size() - 1;
        while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U)
            --start;
        std::string_view last = text.substr(start);
        if (!isSpace(takeCodePoint(last)) || !last.empty())
            break;
        text = text.substr(0, start);
    }
    return text;
}

std::size_t HashIgnoringCase::operator()(std::string_view text) const
{
    std::size_t hash = 1469598103934665603ULL;
    while (!text.empty()) {
        const char32_t c = upper(takeCodePoint(text));
        hash = (hash ^ c) * 1099511628211ULL;
    }
    return hash;
}

std::size_t editDistance(std::string_view a, std::string_view b)
{
    constexpr std::size_t kLongest = 64; // names; anything longer is no typing error
    if (a.size() > kLongest || b.size() > kLongest)
        return kLongest;
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::vector<std::size_t> next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    const auto same = [&](std::size_t i, std::size_t j) {
        return upperAscii(a[i]) == upperAscii(b[j]);
    };
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            next[j] = std::min(
                {row[j] + 1, next[j - 1] + 1, row[j - 1] + (same(i - 1, j - 1) ? 0U : 1U)});
            // Two letters swapped are one mistake.
            if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1))
                next[j] = std::min(next[j], before[j - 2] + 1);
        }
        std::swap(before, row);
        std::swap(row, next);
    }
    return row[b.size()];
}

} // namespace pipelines
