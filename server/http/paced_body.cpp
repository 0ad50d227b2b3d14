#include "server/http/paced_body.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>

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
    const auto got = fetch(m_buffer.data(), static_cast<std::streamsize>(m_buffer.size()));
    if (got <= 0)
        return traits_type::eof();
    setg(m_buffer.data(), m_buffer.data(), m_buffer.data() + got);
    return traits_type::to_int_type(*gptr());
}

std::streamsize PacedBody::xsgetn(char *into, std::streamsize wanted)
{
    auto done = std::min<std::streamsize>(wanted, egptr() - gptr());
    std::copy_n(gptr(), done, into);
    gbump(static_cast<int>(done));
    while (done < wanted) {
        const auto got = fetch(into + done, wanted - done);
        if (got <= 0)
            break;
        done += got;
    }
    return done;
}

std::streamsize PacedBody::fetch(char *into, std::streamsize wanted)
{
    // Only the time spent waiting here counts: the handler may be slow itself.
    const auto begin = Clock::now();
    const std::streamsize got = m_source.readSome(into, wanted);
    m_waited += Clock::now() - begin;
    if (got <= 0 && m_source.brokeOff())
        throw Poco::Net::MessageException(m_source.where("the body of the request"));
    const auto allowed = kGrace + std::chrono::seconds(m_bytes / kBytesPerSecond);
    if (got > 0 && m_waited > allowed)
        throw Poco::TimeoutException("the body of the request arrives too slowly");
    m_bytes += static_cast<std::size_t>(std::max<std::streamsize>(got, 0));
    return got;
}

} // namespace server::http
