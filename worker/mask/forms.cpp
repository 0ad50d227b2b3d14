// The texts under which a secret may show up in output.
#include "worker/base/text.h"
#include "worker/mask/masker.h"

#include <fmt/format.h>

#include <algorithm>

namespace worker {
namespace {

/// A line of a secret shorter than this ("{", "  -") is structure, not secret.
constexpr std::size_t kMinimumLine = 4;
/// Shorter values have no useful base64 core.
constexpr std::size_t kMinimumBase64 = 6;

std::string jsonEscaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20)
                out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
            else
                out += c;
        }
    }
    return out;
}

std::string urlEscaped(std::string_view text, bool plusForBlank, bool upper)
{
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') ||
                           std::string_view("-_.~").find(c) != std::string_view::npos;
        if (plain)
            out += c;
        else if (c == ' ' && plusForBlank)
            out += '+';
        else if (upper)
            out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else
            out += fmt::format("%{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

/// As the logging commands escape data.
std::string commandEscaped(std::string_view text, bool percent)
{
    std::string out(text);
    if (percent)
        out = replaceAll(std::move(out), "%", "%AZP25");
    out = replaceAll(std::move(out), "\r", "%0D");
    return replaceAll(std::move(out), "\n", "%0A");
}

std::string urlSafe(std::string text)
{
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

class Forms
{
public:
    std::vector<std::string> take()
    {
        std::sort(m_all.begin(), m_all.end());
        m_all.erase(std::unique(m_all.begin(), m_all.end()), m_all.end());
        return std::move(m_all);
    }

    void addValue(std::string_view value)
    {
        add(std::string(value));
        add(trimmed(value));
        if (value.size() >= 2 && value.front() == value.back() &&
            (value.front() == '\'' || value.front() == '"' || value.front() == '`'))
            add(std::string(value.substr(1, value.size() - 2)));
        add(jsonEscaped(value));
        add(replaceAll(jsonEscaped(value), "/", "\\/"));
        add(urlEscaped(value, false, true));
        add(urlEscaped(value, false, false));
        add(urlEscaped(value, true, true));
        add(commandEscaped(value, false));
        add(commandEscaped(value, true));
        add(replaceAll(std::string(value), "'", "'\\''"));   // inside single quotes
        add(replaceAll(std::string(value), "'", "'\"'\"'")); // the other common way
        add(replaceAll(
            replaceAll(replaceAll(replaceAll(std::string(value), "\\", "\\\\"), "\"", "\\\""), "$",
                       "\\$"),
            "`", "\\`")); // inside double quotes
        add(replaceAll(std::string(value), "\\", ""));
        addBase64(value);
    }

    void add(std::string text)
    {
        if (trimmed(text).empty() || text.find_first_of("\r\n") != std::string::npos)
            return;
        m_all.push_back(std::move(text));
    }

private:
    /// Base64 of the value alone, and the part of it that stays the same wherever the value stands
    /// inside a longer text ("user:secret").
    void addBase64(std::string_view value)
    {
        const auto whole = encodeBase64(value);
        add(whole);
        add(urlSafe(whole));
        if (value.size() < kMinimumBase64)
            return;
        for (std::size_t shift = 0; shift < 3; ++shift) {
            // Characters that hold bits of neighbours are cut: the first ones of a shifted value,
            // and the last one when the value does not end on a group.
            const auto shifted = encodeBase64(std::string(shift, '\0') + std::string(value));
            const std::size_t from = shift == 0 ? 0 : shift + 1;
            const std::size_t fullBits = (shift + value.size()) * 8;
            const std::size_t to = fullBits / 6;
            if (shifted.size() > from + 3)
                add(shifted.substr(from)); // the value ends the text: padding and all
            if (to > from + 3) {
                add(shifted.substr(from, to - from));
                add(urlSafe(shifted.substr(from, to - from)));
            }
        }
    }

    std::vector<std::string> m_all;
};

} // namespace

std::vector<std::string> secretForms(std::string_view secret)
{
    Forms forms;
    forms.addValue(secret);
    if (secret.find('\n') != std::string_view::npos) {
        for (const auto &line : lines(secret)) {
            if (trimmed(line).size() >= kMinimumLine) {
                forms.addValue(line);
                forms.addValue(trimmed(line));
            }
        }
    }
    return forms.take();
}

} // namespace worker
