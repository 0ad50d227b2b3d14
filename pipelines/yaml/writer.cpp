#include "pipelines/yaml/writer.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <array>

namespace pipelines::yaml {
namespace {

bool isNullWord(std::string_view text)
{
    return text == "null" || text == "Null" || text == "NULL" || text == "~";
}

/// May the text stand without quotes?
bool isPlain(std::string_view text)
{
    if (text.empty() || isNullWord(text))
        return false;
    constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`=<";
    const char first = text[0];
    const bool dashWord = first == '-' && text.size() > 1 && text[1] != ' ' && text[1] != '-';
    if (kIndicators.find(first) != std::string_view::npos && !dashWord)
        return false;
    if (first == ' ' || text.back() == ' ' || text.back() == ':' || text.starts_with("..."))
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7F)
            return false;
        if (c == ':' && i + 1 < text.size() && text[i + 1] == ' ')
            return false;
        if (c == '#' && i > 0 && text[i - 1] == ' ')
            return false;
    }
    // Byte order marks, line separators and their like only survive in double quotes.
    return text.find("\xef\xbb\xbf") == std::string_view::npos &&
           text.find("\xe2\x80\xa8") == std::string_view::npos &&
           text.find("\xe2\x80\xa9") == std::string_view::npos &&
           text.find("\xc2\x85") == std::string_view::npos;
}

/// A literal block keeps the text only if no line is special.
bool isLiteral(std::string_view text)
{
    if (text.find('\n') == std::string_view::npos || text[0] == ' ' || text[0] == '\n' ||
        text[0] == '\t')
        return false;
    if (text.find("\xef\xbb\xbf") != std::string_view::npos)
        return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 || c == '\n' || c == '\t';
    });
}

class Writer
{
public:
    std::string run(const Node &node)
    {
        if (node.isScalar())
            scalar(node.text, 0);
        else if (node.count == 0)
            m_out += node.isMapping() ? "{}" : "[]";
        else
            collection(node, 0);
        if (m_out.empty() || m_out.back() != '\n')
            m_out += '\n';
        return std::move(m_out);
    }

private:
    void indent(int depth) { m_out.append(static_cast<std::size_t>(depth) * 2, ' '); }

    void doubleQuoted(std::string_view text)
    {
        constexpr const char *kHex = "0123456789ABCDEF";
        m_out += '"';
        while (!text.empty()) {
            const char c = text[0];
            if (static_cast<unsigned char>(c) >= 0x80) {
                const char32_t code = takeCodePoint(text);
                if (code == 0xFEFF || code == 0x2028 || code == 0x2029 || code == 0x85) {
                    m_out += "\\u";
                    for (int shift = 12; shift >= 0; shift -= 4)
                        m_out += kHex[(code >> static_cast<unsigned>(shift)) & 15U];
                } else {
                    appendUtf8(m_out, code);
                }
                continue;
            }
            text.remove_prefix(1);
            if (c == '"' || c == '\\') {
                m_out += '\\';
                m_out += c;
            } else if (c == '\n') {
                m_out += "\\n";
            } else if (c == '\t') {
                m_out += "\\t";
            } else if (c == '\r') {
                m_out += "\\r";
            } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
                m_out += "\\x";
                m_out += kHex[static_cast<unsigned char>(c) >> 4U];
                m_out += kHex[static_cast<unsigned char>(c) & 15U];
            } else {
                m_out += c;
            }
        }
        m_out += '"';
    }

    void singleQuoted(std::string_view text)
    {
        m_out += '\'';
        for (const char c : text) {
            m_out += c;
            if (c == '\'')
                m_out += c;
        }
        m_out += '\'';
    }

    void scalar(std::string_view text, int depth)
    {
        if (isPlain(text)) {
            m_out += text;
        } else if (isLiteral(text)) {
            literal(text, depth);
        } else if (std::all_of(
                       text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }) &&
                   findInvalidUtf8(text) == std::string_view::npos &&
                   text.find("\xef\xbb\xbf") == std::string_view::npos) {
            singleQuoted(text);
        } else {
            doubleQuoted(text);
        }
    }

    void literal(std::string_view text, int depth)
    {
        const bool endsInLine = text.back() == '\n';
        const bool endsInLines = text.size() > 1 && endsInLine && text[text.size() - 2] == '\n';
        m_out += endsInLines ? "|+" : endsInLine ? "|" : "|-";
        m_out += '\n';
        if (endsInLine)
            text.remove_suffix(1);
        while (true) {
            const std::size_t end = text.find('\n');
            const std::string_view line = text.substr(0, end);
            if (!line.empty()) {
                indent(std::max(depth, 1));
                m_out += line;
            }
            m_out += '\n';
            if (end == std::string_view::npos)
                break;
            text.remove_prefix(end + 1);
        }
    }

    /// A key stands on one line; YAML readers give up on long ones unless `?` announces them.
    void key(std::string_view text, int depth)
    {
        constexpr std::size_t kLongestSimpleKey = 500;
        const std::size_t begin = m_out.size();
        if (text.find('\n') != std::string_view::npos)
            doubleQuoted(text);
        else
            scalar(text, 0);
        // As written: escapes are longer than what they stand for.
        const bool isLong = m_out.size() - begin > kLongestSimpleKey;
        if (isLong)
            m_out.insert(begin, "? ");
        if (isLong) {
            m_out += '\n';
            indent(depth);
        }
        m_out += ':';
    }

    void newLine()
    {
        if (!m_out.empty() && m_out.back() != '\n')
            m_out += '\n';
    }

    /// `depth` is the indentation of its keys or dashes; the cursor is at the line's start.
    void collection(const Node &node, int depth, bool firstInPlace = false)
    {
        bool first = firstInPlace;
        for (const Entry &entry : node.entries()) {
            if (!first) {
                newLine();
                indent(depth);
            }
            first = false;
            key(entry.key->text, depth);
            value(*entry.value, depth);
        }
        for (const Node *item : node.items()) {
            if (!first) {
                newLine();
                indent(depth);
            }
            first = false;
            m_out += "- ";
            if (item->isScalar())
                scalar(item->text, depth + 1);
            else if (item->count == 0)
                m_out += item->isMapping() ? "{}" : "[]";
            else
                collection(*item, depth + 1, true);
        }
    }

    void value(const Node &node, int depth)
    {
        if (node.isScalar()) {
            m_out += ' ';
            if (node.text.empty())
                m_out += "''";
            else
                scalar(node.text, depth + 1);
            return;
        }
        if (node.count == 0) {
            m_out += node.isMapping() ? " {}" : " []";
            return;
        }
        m_out += '\n';
        collection(node, node.isMapping() ? depth + 1 : depth, false);
    }

    std::string m_out;
};

} // namespace

std::string write(const Node &node)
{
    return Writer().run(node);
}

} // namespace pipelines::yaml
