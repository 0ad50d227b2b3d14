#include "cli/language_server/declarations.h"

#include "cli/language_server/cursor.h"
#include "pipelines/base/text.h"

#include <algorithm>

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

namespace {

/// One `key: value` of a flow mapping that stands in one line; bytes of the line.
struct FlowEntry
{
    std::size_t key = 0, keyEnd = 0, value = 0, valueEnd = 0;
};

/// The entries of the flow mapping whose brace stands at `open`. Collections inside and quoted
/// texts are passed over; what is not closed yet ends with the line.
std::vector<FlowEntry> flowEntries(std::string_view line, std::size_t open)
{
    std::vector<FlowEntry> out;
    FlowEntry entry{open + 1, 0, 0, 0};
    std::size_t depth = 0;
    char quote = 0;
    const auto add = [&](std::size_t end) {
        if (entry.keyEnd != 0) {
            entry.valueEnd = end;
            out.push_back(entry);
        }
        entry = {end + 1, 0, 0, 0};
    };
    for (std::size_t i = open + 1; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (depth > 0 && (c == '}' || c == ']')) {
            --depth;
        } else if (depth == 0 && (c == ',' || c == '}')) {
            add(i);
            if (c == '}')
                return out;
        } else if (depth == 0 && c == ':' && entry.keyEnd == 0 &&
                   (i + 1 == line.size() || line[i + 1] == ' ' || line[i - 1] == '"')) {
            entry.keyEnd = i;
            entry.value = i + 1;
        }
    }
    add(line.size());
    return out;
}

/// Where the flow mapping begins that is the value of a key of this line; npos: there is none.
std::size_t flowOfKey(std::string_view line, std::string_view key)
{
    const std::size_t start = line.find_first_not_of(" -");
    if (start == std::string_view::npos || !line.substr(start).starts_with(key))
        return std::string_view::npos;
    const std::size_t colon = start + key.size();
    if (colon >= line.size() || line[colon] != ':')
        return std::string_view::npos;
    const std::size_t open = line.find_first_not_of(' ', colon + 1);
    return open != std::string_view::npos && line[open] == '{' ? open : std::string_view::npos;
}

/// A part of a line without blanks and quotes around it.
Declared nameIn(std::string_view line, std::size_t number, std::size_t from, std::size_t to)
{
    const std::string_view name = unquoted(line.substr(from, to - from));
    if (name.empty())
        return {{}, number, from, from};
    const auto start = static_cast<std::size_t>(name.data() - line.data());
    return {std::string(name), number, start, start + name.size()};
}

} // namespace

std::vector<Declared> declared(const std::vector<std::string_view> &lines,
                               const std::vector<std::string_view> &keys,
                               std::string_view container)
{
    std::vector<Declared> out;
    const std::vector<Holder> held = container.empty() ? std::vector<Holder>{} : holders(lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string_view text = lines[i];
        const std::size_t start = text.find_first_not_of(" -");
        if (start == std::string_view::npos)
            continue;
        const bool isIn =
            container.empty() || (held[i].inner == "[]" && held[i].outer == container);
        if (!isIn)
            continue;
        if (text[start] == '{') { // `- {name: x, value: y}`
            for (const FlowEntry &entry : flowEntries(text, start)) {
                const Declared name = nameIn(text, i, entry.value, entry.valueEnd);
                const std::string_view key =
                    unquoted(text.substr(entry.key, entry.keyEnd - entry.key));
                const bool isWanted = std::find(keys.begin(), keys.end(), key) != keys.end();
                if (isWanted && !name.name.empty() && name.name.find("${{") == std::string::npos)
                    out.push_back(name);
            }
            continue;
        }
        for (const std::string_view key : keys) {
            const std::string_view rest = text.substr(start);
            if (!rest.starts_with(key) || rest.size() <= key.size() || rest[key.size()] != ':')
                continue;
            const std::string_view value = unquoted(rest.substr(key.size() + 1));
            if (value.empty() || value.find("${{") != std::string_view::npos)
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
    const std::vector<Holder> held = holders(lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::size_t start = lines[i].find_first_not_of(' ');
        const std::size_t colon = lines[i].find(':');
        if (const std::size_t open = flowOfKey(lines[i], "variables");
            open != std::string_view::npos) { // `variables: {a: 1, b: 2}`
            for (const FlowEntry &entry : flowEntries(lines[i], open)) {
                Declared name = nameIn(lines[i], i, entry.key, entry.keyEnd);
                if (!name.name.empty() && !name.name.starts_with("${{"))
                    out.push_back(std::move(name));
            }
            continue;
        }
        if (start == std::string_view::npos || colon == std::string_view::npos ||
            lines[i][start] == '-' || lines[i][start] == '#' || lines[i][start] == '$')
            continue;
        if (held[i].inner == "variables")
            out.push_back({std::string(lines[i].substr(start, colon - start)), i, start, colon});
    }
    return out;
}

std::vector<std::string> variableTemplates(const std::vector<std::string_view> &lines)
{
    std::vector<std::string> out;
    for (const Declared &one : declared(lines, {"template"}, "variables"))
        out.push_back(one.name);
    return out;
}

} // namespace cli::language_server
