#include "cli/language_server/text_position.h"

#include "pipelines/base/text.h"

#include <algorithm>

namespace cli::language_server {

std::vector<std::string_view> linesOf(std::string_view text)
{
    std::vector<std::string_view> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        lines.push_back(line);
        if (end == std::string_view::npos)
            return lines;
        text.remove_prefix(end + 1);
    }
}

std::size_t byteOf(std::string_view line, std::uint32_t utf16)
{
    std::string_view rest = line;
    std::uint32_t units = 0;
    while (!rest.empty() && units < utf16)
        units += pipelines::takeCodePoint(rest) > 0xFFFF ? 2U : 1U;
    return line.size() - rest.size();
}

std::uint32_t utf16Of(std::string_view line, std::size_t byte)
{
    return static_cast<std::uint32_t>(
        pipelines::utf16Length(line.substr(0, std::min(byte, line.size()))));
}

std::uint32_t utf16OfColumn(std::string_view line, std::uint32_t column)
{
    std::string_view rest = line;
    std::uint32_t units = 0;
    for (std::uint32_t i = 1; i < column && !rest.empty(); ++i)
        units += pipelines::takeCodePoint(rest) > 0xFFFF ? 2U : 1U;
    return units;
}

} // namespace cli::language_server
