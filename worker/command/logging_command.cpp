#include "worker/command/logging_command.h"

#include "worker/base/text.h"

#include <array>

namespace worker {
namespace {

constexpr std::string_view kPrefix = "##vso[";

std::string unescaped(std::string_view text)
{
    static constexpr std::array<std::pair<std::string_view, char>, 5> kEscapes{
        {{"%3B", ';'}, {"%0D", '\r'}, {"%0A", '\n'}, {"%5D", ']'}, {"%AZP25", '%'}}};
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        bool replaced = false;
        if (text[at] == '%') {
            for (const auto &[escape, plain] : kEscapes) {
                if (text.substr(at).starts_with(escape)) {
                    out += plain;
                    at += escape.size();
                    replaced = true;
                    break;
                }
            }
        }
        if (!replaced)
            out += text[at++];
    }
    return out;
}

schema::Error malformed(std::string_view why)
{
    return {schema::ErrorCode::InvalidArgument, std::string(why)};
}

} // namespace

std::string LoggingCommand::property(std::string_view key) const
{
    for (const auto &[name, value] : properties) {
        if (equalsIgnoringCase(name, key))
            return value;
    }
    return {};
}

std::optional<schema::Result<LoggingCommand>> parseLoggingCommand(std::string_view line)
{
    const auto start = line.find(kPrefix);
    if (start == std::string_view::npos)
        return std::nullopt;
    line.remove_prefix(start + kPrefix.size());
    const auto end = line.find(']');
    if (end == std::string_view::npos)
        return malformed("the header has no closing ']'");
    const auto header = line.substr(0, end);
    LoggingCommand command;
    command.data = unescaped(line.substr(end + 1));

    const auto blank = header.find(' ');
    const auto name = header.substr(0, blank);
    const auto dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size() ||
        name.find('.', dot + 1) != std::string_view::npos)
        return malformed("the name is not of the form area.action");
    command.area = toLower(name.substr(0, dot));
    command.action = toLower(name.substr(dot + 1));
    if (blank == std::string_view::npos)
        return command;

    for (auto rest = header.substr(blank + 1); !rest.empty();) {
        const auto semicolon = rest.find(';');
        const auto pair = rest.substr(0, semicolon);
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && equals + 1 < pair.size()) {
            const auto key = trimmed(pair.substr(0, equals));
            if (!key.empty())
                command.properties.emplace_back(key, unescaped(pair.substr(equals + 1)));
        }
        if (semicolon == std::string_view::npos)
            break;
        rest.remove_prefix(semicolon + 1);
    }
    return command;
}

} // namespace worker
