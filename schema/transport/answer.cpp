#include "schema/transport/answer.h"

#include "schema/transport/message_body.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>

#include <algorithm>
#include <array>

namespace schema::transport {
namespace {

using Poco::Net::HTTPResponse;

constexpr std::size_t kBuffer = 32768;

} // namespace

Answer::Answer(Poco::Net::HTTPClientSession &session)
    : m_head(std::make_unique<HTTPResponse>())
    , m_body(nullptr)
{
    session.receiveResponse(*m_head);
    const int status = m_head->getStatus();
    const bool bodiless = status < 200 || status == HTTPResponse::HTTP_NO_CONTENT ||
                          status == HTTPResponse::HTTP_NOT_MODIFIED;
    // The coding decides where there is both (RFC 9112, 6.3).
    const bool chunked = !bodiless && m_head->getChunkedTransferEncoding();
    std::int64_t length = -1;
    if (bodiless)
        length = 0;
    else if (m_head->hasContentLength())
        length = m_head->getContentLength64();
    m_source = std::make_unique<MessageBody>(session, chunked, length);
    m_body.rdbuf(m_source.get());
}

Answer::~Answer() = default;

int Answer::status() const
{
    return static_cast<int>(m_head->getStatus());
}

const HTTPResponse &Answer::head() const
{
    return *m_head;
}

std::istream &Answer::body()
{
    return m_body;
}

bool Answer::brokeOff() const
{
    return m_source->brokeOff();
}

std::string Answer::whereItBroke() const
{
    return m_source->where("the answer");
}

std::string Answer::text(std::size_t limit)
{
    std::string text;
    std::array<char, kBuffer> buffer{};
    while (m_body && text.size() < limit) {
        const std::size_t wanted = std::min(buffer.size(), limit - text.size());
        m_body.read(buffer.data(), static_cast<std::streamsize>(wanted));
        text.append(buffer.data(), static_cast<std::size_t>(m_body.gcount()));
    }
    if (brokeOff())
        throw Poco::Net::MessageException(whereItBroke());
    return text;
}

} // namespace schema::transport
