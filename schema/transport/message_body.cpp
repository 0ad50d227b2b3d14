#include "schema/transport/message_body.h"

#include "schema/transport/raw_session.h"
#include "schema/transport/session.h"

#include <Poco/Exception.h>

#include <algorithm>
#include <charconv>

namespace schema::transport {
namespace {

/// A line of the chunked coding: a size with its extensions, or a field behind the last chunk.
constexpr std::size_t kLongestLine = 16384;
constexpr std::size_t kMostLines = 100; ///< behind the last chunk

} // namespace

std::string MessageBody::where(std::string_view what) const
{
    std::string text = std::string(what) + " breaks off after " + std::to_string(m_count);
    if (!m_chunked)
        text += " of " + std::to_string(m_length);
    text += " bytes";
    if (m_chunked && m_why.empty())
        text += ", before its last chunk";
    return m_why.empty() ? text : text + ": " + m_why;
}

std::streamsize MessageBody::fetch(char *into, std::streamsize wanted)
{
    if (m_ended)
        return 0;
    std::streamsize count = 0;
    m_ended = true; // unless something comes
    try {
        count = read(into, wanted);
    } catch (const Poco::Exception &error) {
        m_why = explain(error);
        throw;
    }
    m_ended = count <= 0;
    m_count += count;
    m_chunk -= m_chunked ? count : 0;
    return count;
}

std::streamsize MessageBody::read(char *into, std::streamsize wanted)
{
    if (m_chunked) {
        if (m_chunk == 0 && !nextChunk())
            return 0;
        wanted = std::min<std::streamsize>(wanted, m_chunk);
    } else if (m_length >= 0) {
        wanted = std::min<std::streamsize>(wanted, m_length - m_count);
    }
    return wanted > 0 ? std::max(0, readRaw(m_session, into, wanted)) : 0;
}

/// The size of the next chunk; false at the last one, at the end of the connection and at what is
/// no chunk.
bool MessageBody::nextChunk()
{
    std::string line;
    if (m_count > 0) {
        if (!readLine(line))
            return false;
        if (!line.empty())
            return refuse("a chunk is longer than its size");
    }
    if (!readLine(line))
        return false;
    const std::size_t digits =
        std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
    const auto [end, error] = std::from_chars(line.data(), line.data() + digits, m_chunk, 16);
    const bool more =
        digits < line.size() && line[digits] != ';' && line[digits] != ' ' && line[digits] != '\t';
    if (error != std::errc{} || end != line.data() + digits || more) {
        m_chunk = 0;
        return refuse("a chunk without a size");
    }
    if (m_chunk > 0)
        return true;
    for (std::size_t fields = 0; fields < kMostLines && readLine(line); ++fields) {
        if (line.empty()) {
            m_complete = true;
            return false;
        }
    }
    return false;
}

/// False when the connection ends within the line.
bool MessageBody::readLine(std::string &line)
{
    line.clear();
    while (line.size() < kLongestLine) {
        const int c = getRaw(m_session);
        if (c == traits_type::eof())
            return false;
        if (c == '\n') {
            if (!line.empty() && line.back() == '\r')
                line.pop_back();
            return true;
        }
        line += static_cast<char>(c);
    }
    return refuse("a line of its chunks is too long");
}

bool MessageBody::refuse(const char *why)
{
    m_why = why;
    m_malformed = true;
    return false;
}

} // namespace schema::transport
