#include "cli/language_server/declarations.h"

#include "cli/language_server/cursor.h"
#include "pipelines/base/text.h"

namespace cli::language_server {

using pipelines::trim;

bool isNameCharacter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view unquoted(std::string_view text)
{
    text = trim(text);
    if (text.size() >= 2 && (text[0] == '\'' || text[0] == '"') && text.back() == text[0])
        return text.substr(1, text.size() - 2);
    return text;
}

std::vector<Declared> declared(const std::vector<std::string_view> &lines,
                               const std::vector<std::string_view> &keys,
                               std::string_view container)
{
    std::vector<Declared> out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string_view text = lines[i];
        const std::size_t start = text.find_first_not_of(" -");
        if (start == std::string_view::npos)
            continue;
        for (const std::string_view key : keys) {
            const std::string_view rest = text.substr(start);
            if (!rest.starts_with(key) || rest.size() <= key.size() || rest[key.size()] != ':')
                continue;
            const std::string_view value = unquoted(rest.substr(key.size() + 1));
            if (value.empty() || value.find("${{") != std::string_view::npos)
                continue;
            const Cursor cursor = locate(lines, i, start);
            const bool fits =
                container.empty() || (cursor.path.size() >= 2 && cursor.path.back() == "[]" &&
                                      cursor.path[cursor.path.size() - 2] == container);
            if (!fits)
                continue;
            const auto from = static_cast<std::size_t>(value.data() - text.data());
            out.push_back({std::string(value), i, from, from + value.size()});
        }
    }
    return out;
}

std::vector<Declared> parameters(const std::vector<std::string_view> &lines)
{
    return declared(lines, {"name", "- name"}, "parameters");
}

std::vector<Declared> variables(const std::vector<std::string_view> &lines)
{
    std::vector<Declared> out = declared(lines, {"name"}, "variables");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::size_t start = lines[i].find_first_not_of(' ');
        const std::size_t colon = lines[i].find(':');
        if (start == std::string_view::npos || colon == std::string_view::npos ||
            lines[i][start] == '-' || lines[i][start] == '#' || lines[i][start] == '$')
            continue;
        const Cursor cursor = locate(lines, i, start);
        if (!cursor.path.empty() && cursor.path.back() == "variables")
            out.push_back({std::string(lines[i].substr(start, colon - start)), i, start, colon});
    }
    return out;
}

} // namespace cli::language_server
