#pragma once
/// Positions: the protocol counts lines and UTF-16 units from 0, diagnostics count lines and
/// characters from 1.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli::language_server {

/// Lines of a text without their ends. Views into it.
std::vector<std::string_view> linesOf(std::string_view text);

/// Byte in a line of a UTF-16 position; the line's size when it lies behind.
std::size_t byteOf(std::string_view line, std::uint32_t utf16);
/// UTF-16 units before a byte.
std::uint32_t utf16Of(std::string_view line, std::size_t byte);
/// UTF-16 units before the 1-based character of a diagnostic.
std::uint32_t utf16OfColumn(std::string_view line, std::uint32_t column);

} // namespace cli::language_server
