#pragma once
/// The language's Number: .NET Decimal's range (96-bit integer, 0 to 28 decimals, sign), because
/// the service computes with it and prints it (pipeline-language 10.5, 10.6).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pipelines::expr {

class Decimal
{
public:
    constexpr Decimal() = default;
    static Decimal fromInteger(std::int64_t value);

    /// What a text may look like beyond `-1.5`.
    enum class Style : std::uint8_t {
        Literal, ///< optional minus, digits, one optional point: a number in an expression
        Signed,  ///< also a plus: a value of a number parameter
        Loose,   ///< also outer blanks and `,` between digits: conversion of a String
    };
    /// Nothing when the text is no number of that style or exceeds the range. Digits beyond the
    /// 28th decimal are rounded.
    static std::optional<Decimal> parse(std::string_view text, Style style);

    /// <0, 0, >0 by numeric value (1.0 equals 1).
    [[nodiscard]] int compare(const Decimal &other) const;

    [[nodiscard]] bool isZero() const { return m_low == 0 && m_high == 0; }

    [[nodiscard]] bool isNegative() const { return m_negative && !isZero(); }

    /// Largest integer not above the value; nothing outside int64.
    [[nodiscard]] std::optional<std::int64_t> floor() const;
    /// Shortest decimal text: no exponent, no grouping, at most 7 decimals.
    [[nodiscard]] std::string text() const;

private:
    std::uint64_t m_low = 0;  ///< lower 64 bits of the integer
    std::uint32_t m_high = 0; ///< upper 32 bits
    std::uint8_t m_scale = 0; ///< power of ten the integer is divided by
    bool m_negative = false;
};

} // namespace pipelines::expr
