#include "server/http/paced_body.h"

#include <Poco/Exception.h>

#include <algorithm>

namespace server::http {
namespace {

using Clock = std::chrono::steady_clock;

/// Waiting for bytes may take this long in total, and a second more for each of these many bytes.
constexpr std::chrono::seconds kGrace{30};
constexpr std::size_t kBytesPerSecond = 4096;

} // namespace

PacedBody::int_type PacedBody::underflow()
{
    if (gptr() < egptr())
        return traits_type::to_int_type(*gptr());
    // Only the time spent waiting here counts: the handler may be slow itself.
    const auto begin = Clock::now();
    const int_type next = m_source.sgetc();
    m_waited += Clock::now() - begin;
    if (traits_type::eq_int_type(next, traits_type::eof()))
        return traits_type::eof();
    const auto allowed = kGrace + std::chrono::seconds(m_bytes / kBytesPerSecond);
    if (m_waited > allowed)
        throw Poco::TimeoutException("the body of the request arrives too slowly");
    const std::streamsize available = std::max<std::streamsize>(m_source.in_avail(), 1);
    const std::streamsize got = m_source.sgetn(
        m_buffer.data(), std::min(available, static_cast<std::streamsize>(m_buffer.size())));
    if (got <= 0)
        return traits_type::eof();
    m_bytes += static_cast<std::size_t>(got);
    setg(m_buffer.data(), m_buffer.data(), m_buffer.data() + got);
    return traits_type::to_int_type(*gptr());
}

} // namespace server::http
