#include "schema/transport/outgoing_body.h"

#include "schema/transport/raw_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace schema::transport {
namespace {

constexpr std::string_view kEnd = "\r\n";
/// The end of the chunk before, the digits of a size and the end of their line.
constexpr std::size_t kHead = 20;

} // namespace

OutgoingBody::OutgoingBody(Poco::Net::HTTPSession &session, Coding coding)
    : m_session(session)
    , m_chunked(coding == Coding::Chunked)
    , m_buffer(kHead + kBuffer)
{
    clear();
}

void OutgoingBody::finish()
{
    flush();
    if (m_open)
        writeRaw(m_session, kEnd.data(), static_cast<std::streamsize>(kEnd.size()));
    m_open = false;
}

OutgoingBody::int_type OutgoingBody::overflow(int_type c)
{
    flush();
    if (!traits_type::eq_int_type(c, traits_type::eof()))
        sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
}

std::streamsize OutgoingBody::xsputn(const char *from, std::streamsize length)
{
    if (length < static_cast<std::streamsize>(kBuffer))
        return std::streambuf::xsputn(from, length);
    flush();
    if (m_chunked) {
        char *end = pbase();
        const char *begin = putHead(end, static_cast<std::size_t>(length));
        writeRaw(m_session, begin, end - begin);
    }
    writeRaw(m_session, from, length);
    return length;
}

int OutgoingBody::sync()
{
    flush();
    return 0;
}

/// Head and bytes in one piece.
void OutgoingBody::flush()
{
    const auto size = static_cast<std::size_t>(pptr() - pbase());
    if (size == 0)
        return; // an empty chunk would be the last
    const char *begin = m_chunked ? putHead(pbase(), size) : pbase();
    writeRaw(m_session, begin, pptr() - begin);
    clear();
}

char *OutgoingBody::putHead(char *end, std::size_t size)
{
    const std::string head = fmt::format("{}{:x}{}", m_open ? kEnd : "", size, kEnd);
    m_open = true;
    char *begin = end - head.size();
    std::copy(head.begin(), head.end(), begin);
    return begin;
}

void OutgoingBody::clear()
{
    setp(m_buffer.data() + kHead, m_buffer.data() + m_buffer.size());
}

} // namespace schema::transport
