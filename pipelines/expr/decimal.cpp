#include "pipelines/expr/decimal.h"

#include <algorithm>

namespace pipelines::expr {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr Wide kLargest = (static_cast<Wide>(0xFFFFFFFFU) << 64U) | ~static_cast<std::uint64_t>(0);
constexpr unsigned kMaxScale = 28;

Wide power(unsigned exponent)
{
    Wide value = 1;
    for (unsigned i = 0; i < exponent; ++i)
        value *= 10;
    return value;
}

Wide join(std::uint64_t low, std::uint32_t high)
{
    return (static_cast<Wide>(high) << 64U) | low;
}

std::string digits(Wide value)
{
    std::string text;
    do {
        text += static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value != 0);
    std::reverse(text.begin(), text.end());
    return text;
}

std::string_view trimBlanks(std::string_view text)
{
    const auto blank = [](char c) { return c == ' ' || (c >= 9 && c <= 13); };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

} // namespace

Decimal Decimal::fromInteger(std::int64_t value)
{
    Decimal result;
    result.m_negative = value < 0;
    const auto bits = static_cast<std::uint64_t>(value);
    result.m_low = value < 0 ? 0 - bits : bits;
    return result;
}

std::optional<Decimal> Decimal::parse(std::string_view text, Style style)
{
    if (style == Style::Loose)
        text = trimBlanks(text);
    bool negative = false;
    if (!text.empty() && (text[0] == '-' || (text[0] == '+' && style != Style::Literal))) {
        negative = text[0] == '-';
        text.remove_prefix(1);
    }
    Wide value = 0;
    unsigned scale = 0;
    bool point = false;
    bool seen = false;
    bool full = false; // no room for another decimal: the rest only rounds
    for (const char c : text) {
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c == ',' && style == Style::Loose && seen && !point)
            continue;
        if (c < '0' || c > '9')
            return std::nullopt;
        seen = true;
        const auto digit = static_cast<unsigned>(c - '0');
        if (full)
            continue;
        if (point && (scale == kMaxScale || value > (kLargest - digit) / 10)) {
            full = true;
            if (digit >= 5 && value < kLargest)
                ++value;
            continue;
        }
        if (value > (kLargest - digit) / 10)
            return std::nullopt; // whole part out of range
        value = value * 10 + digit;
        scale += point ? 1U : 0U;
    }
    if (!seen)
        return std::nullopt;
    while (scale > 0 && value % 10 == 0) {
        value /= 10;
        --scale;
    }
    Decimal result;
    result.m_low = static_cast<std::uint64_t>(value);
    result.m_high = static_cast<std::uint32_t>(value >> 64U);
    result.m_scale = static_cast<std::uint8_t>(scale);
    result.m_negative = negative;
    return result;
}

int Decimal::compare(const Decimal &other) const
{
    if (isNegative() != other.isNegative())
        return isNegative() ? -1 : 1;
    const int sign = isNegative() ? -1 : 1;
    const Wide a = join(m_low, m_high);
    const Wide b = join(other.m_low, other.m_high);
    const Wide scaleA = power(m_scale);
    const Wide scaleB = power(other.m_scale);
    if (a / scaleA != b / scaleB)
        return a / scaleA < b / scaleB ? -sign : sign;
    const Wide restA = a % scaleA * power(kMaxScale - m_scale);
    const Wide restB = b % scaleB * power(kMaxScale - other.m_scale);
    if (restA != restB)
        return restA < restB ? -sign : sign;
    return 0;
}

std::optional<std::int64_t> Decimal::floor() const
{
    const Wide value = join(m_low, m_high);
    const Wide scale = power(m_scale);
    Wide whole = value / scale;
    if (isNegative() && value % scale != 0)
        ++whole;
    if (whole > static_cast<Wide>(INT64_MAX))
        return std::nullopt;
    const auto result = static_cast<std::int64_t>(whole);
    return isNegative() ? -result : result;
}

std::string Decimal::text() const
{
    constexpr unsigned kShownDecimals = 7;
    Wide value = join(m_low, m_high);
    unsigned scale = m_scale;
    if (scale > kShownDecimals) {
        const Wide cut = power(scale - kShownDecimals);
        value = (value + cut / 2) / cut;
        scale = kShownDecimals;
    }
    while (scale > 0 && value % 10 == 0) {
        value /= 10;
        --scale;
    }
    const std::string whole = digits(value / power(scale));
    std::string out(m_negative && value != 0 ? "-" : "");
    out.append(whole);
    if (scale > 0) {
        const std::string rest = digits(value % power(scale));
        out.push_back('.');
        out.append(scale - rest.size(), '0');
        out.append(rest);
    }
    return out;
}

} // namespace pipelines::expr
