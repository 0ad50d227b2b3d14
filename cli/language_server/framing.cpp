#include "cli/language_server/framing.h"

#include <algorithm>

namespace cli::language_server {
namespace {

bool sameHeader(std::string_view line, std::string_view name)
{
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return line.size() > name.size() && line[name.size()] == ':' &&
           std::equal(name.begin(), name.end(), line.begin(),
                      [lower](char a, char b) { return a == lower(b); });
}

/// Value of Content-Length; nothing when it is not a number or too large to be one here.
std::optional<std::size_t> lengthOf(std::string_view line)
{
    constexpr std::size_t kMostDigits = 10;
    std::string_view text = line.substr(line.find(':') + 1);
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r'))
        text.remove_suffix(1);
    if (text.empty() || text.size() > kMostDigits)
        return std::nullopt;
    std::size_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + static_cast<std::size_t>(c - '0');
    }
    return value;
}

} // namespace

std::optional<std::string> FrameReader::next()
{
    if (!m_error.empty())
        return std::nullopt;
    const std::size_t end = m_buffer.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (m_buffer.size() > kMaxHeaderBytes)
            m_error = "the headers of a message are longer than " +
                      std::to_string(kMaxHeaderBytes) + " bytes";
        return std::nullopt;
    }
    std::optional<std::size_t> length;
    std::string_view headers = std::string_view(m_buffer).substr(0, end);
    while (!headers.empty()) {
        const std::size_t line = headers.find("\r\n");
        if (sameHeader(headers.substr(0, line), "content-length"))
            length = lengthOf(headers.substr(0, line));
        headers = line == std::string_view::npos ? std::string_view{} : headers.substr(line + 2);
    }
    if (!length || *length > kMaxContentBytes) {
        m_error = length ? "a message is longer than " + std::to_string(kMaxContentBytes) + " bytes"
                         : "a message has no readable Content-Length";
        return std::nullopt;
    }
    const std::size_t start = end + 4;
    if (m_buffer.size() - start < *length)
        return std::nullopt;
    std::string content = m_buffer.substr(start, *length);
    m_buffer.erase(0, start + *length);
    return content;
}

std::string frame(std::string_view content)
{
    return "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + std::string(content);
}

} // namespace cli::language_server
