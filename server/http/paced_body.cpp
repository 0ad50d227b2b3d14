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

std::streamsize PacedBody::fetch(char *into, std::streamsize wanted)
{
    if (m_invite)
        std::exchange(m_invite, nullptr)();
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
