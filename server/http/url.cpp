#include "server/http/url.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

int hexValue(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char lowerChar(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::optional<std::int64_t> wholeNumber(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

} // namespace

std::string lowerCase(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lowerChar);
    return out;
}

bool equalsIgnoringCase(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return lowerChar(x) == lowerChar(y);
           });
}

Result<std::string> percentDecode(std::string_view text, bool plusIsSpace)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hexValue(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hexValue(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return {ErrorCode::InvalidArgument,
                        "broken percent escape in the address; write '%' as '%25'"};
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plusIsSpace) {
            c = ' ';
        }
        if (c == '\0')
            return {ErrorCode::InvalidArgument, "the address contains a NUL byte"};
        out.push_back(c);
    }
    return out;
}

std::string percentEncode(std::string_view text)
{
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                                c == '~';
        if (unreserved) {
            out.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out.push_back('%');
        out.push_back(kHex[byte >> 4U]);
        out.push_back(kHex[byte & 15U]);
    }
    return out;
}

void Query::add(std::string_view name, std::string value)
{
    if (!name.empty() && name.front() == '$')
        name.remove_prefix(1);
    m_parameters.emplace_back(lowerCase(name), std::move(value));
}

const std::string *Query::find(std::string_view name) const
{
    for (const auto &[key, value] : m_parameters)
        if (key == name)
            return &value;
    return nullptr;
}

std::string Query::text(std::string_view name, std::string fallback) const
{
    const std::string *value = find(name);
    return value ? *value : std::move(fallback);
}

Result<std::optional<std::int64_t>> Query::number(std::string_view name, std::int64_t minimum,
                                                  std::int64_t maximum) const
{
    const std::string *value = find(name);
    if (!value || value->empty())
        return std::optional<std::int64_t>{};
    const auto number = wholeNumber(*value);
    if (!number || *number < minimum || *number > maximum)
        return {ErrorCode::InvalidArgument,
                "parameter '" + std::string(name) + "' must be a whole number from " +
                    std::to_string(minimum) + " to " + std::to_string(maximum)};
    return number;
}

Result<std::optional<schema::TimePoint>> Query::time(std::string_view name) const
{
    const std::string *value = find(name);
    if (!value || value->empty())
        return std::optional<schema::TimePoint>{};
    if (auto iso = schema::parseIso8601(*value))
        return std::optional{*iso};
    if (auto date = parseHttpDate(*value))
        return std::optional{*date};
    return {ErrorCode::InvalidArgument,
            "parameter '" + std::string(name) + "' must be a time such as 2026-01-31T12:00:00Z"};
}

bool Query::flag(std::string_view name) const
{
    const std::string *value = find(name);
    return value && (*value == "1" || equalsIgnoringCase(*value, "true"));
}

std::vector<std::string> Query::list(std::string_view name) const
{
    const std::string *value = find(name);
    return value ? splitList(*value) : std::vector<std::string>{};
}

Result<std::vector<std::int64_t>> Query::numbers(std::string_view name) const
{
    std::vector<std::int64_t> out;
    for (const auto &item : list(name)) {
        const auto number = wholeNumber(item);
        if (!number || *number < 0)
            return {ErrorCode::InvalidArgument, "parameter '" + std::string(name) +
                                                    "' must be whole numbers, joined by commas"};
        out.push_back(*number);
    }
    return out;
}

Result<Target> parseTarget(std::string_view target)
{
    if (target.size() > kMaxTargetBytes)
        return {ErrorCode::LimitExceeded, "the address is longer than 16 KiB"};
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() >= scheme.size() &&
            equalsIgnoringCase(target.substr(0, scheme.size()), scheme)) {
            target.remove_prefix(scheme.size());
            target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
            break;
        }
    }
    if (const auto hash = target.find('#'); hash != std::string_view::npos)
        target = target.substr(0, hash);
    Target out;
    const auto mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    const std::string_view query =
        mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    if (!path.empty() && path.front() != '/')
        return {ErrorCode::InvalidArgument, "the address must begin with '/'"};
    out.rawPath = std::string(path);
    out.rawQuery = std::string(query);

    std::size_t parts = 0;
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        if (end > begin) {
            ASSIGN_OR_RETURN(auto segment, percentDecode(path.substr(begin, end - begin)));
            out.segments.push_back(std::move(segment));
            ++parts;
        }
        begin = end + 1;
    }
    for (std::size_t begin = 0; begin < query.size();) {
        const auto end = std::min(query.find('&', begin), query.size());
        const std::string_view pair = query.substr(begin, end - begin);
        if (!pair.empty()) {
            const auto equals = pair.find('=');
            ASSIGN_OR_RETURN(const auto name, percentDecode(pair.substr(0, equals), true));
            ASSIGN_OR_RETURN(auto value, percentDecode(equals == std::string_view::npos
                                                           ? std::string_view{}
                                                           : pair.substr(equals + 1),
                                                       true));
            out.query.add(name, std::move(value));
            ++parts;
        }
        begin = end + 1;
    }
    if (parts > kMaxTargetParts)
        return {ErrorCode::LimitExceeded, "the address has more than 200 parts"};
    return out;
}

Result<schema::TimePoint> parseHttpDate(std::string_view text)
{
    // "Thu, 01 Jan 2026 00:00:00 GMT"; the week day is not checked against the date.
    static constexpr std::array<std::string_view, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const schema::Error error{ErrorCode::InvalidArgument, "not an HTTP date"};
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT")
        return error;
    const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
    const auto day = wholeNumber(text.substr(5, 2));
    const auto year = wholeNumber(text.substr(12, 4));
    const auto hour = wholeNumber(text.substr(17, 2));
    const auto minute = wholeNumber(text.substr(20, 2));
    const auto second = wholeNumber(text.substr(23, 2));
    if (month == kMonths.end() || !day || !year || !hour || !minute || !second)
        return error;
    const std::string number = std::to_string(month - kMonths.begin() + 1);
    const std::string iso =
        std::string(text.substr(12, 4)) + "-" + (number.size() == 1 ? "0" + number : number) + "-" +
        std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) + "Z";
    return schema::parseIso8601(iso);
}

std::vector<std::string> splitList(std::string_view text)
{
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto item = trimmed(text.substr(begin, end - begin));
        if (!item.empty())
            out.emplace_back(item);
        begin = end + 1;
    }
    return out;
}

std::optional<std::int64_t> parseEnum(std::string_view text, std::initializer_list<EnumWord> words)
{
    std::int64_t sum = 0;
    const auto items = splitList(text);
    if (items.empty())
        return std::nullopt;
    for (const auto &item : items) {
        if (const auto number = wholeNumber(item)) {
            sum |= *number;
            continue;
        }
        const auto *const word = std::find_if(words.begin(), words.end(), [&](const EnumWord &w) {
            return equalsIgnoringCase(w.word, item);
        });
        if (word == words.end())
            return std::nullopt;
        sum |= word->number;
    }
    return sum;
}

} // namespace server::http
