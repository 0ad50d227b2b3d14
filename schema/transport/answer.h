#pragma once
/// Answers of HTTP servers, with an eye on their end: the streams of Poco end at a connection that
/// breaks as they do at the end of the body.

#include <cstdint>
#include <istream>
#include <memory>
#include <string>

namespace Poco::Net {
class HTTPClientSession;
class HTTPResponse;
} // namespace Poco::Net

namespace schema::transport {

class MessageBody;

/// The answer to the request that was sent last, to an HTTP/1.1 method that has a body in its
/// answer (not HEAD). One thread uses it; it must end before the session does, and before the next
/// request.
class Answer
{
public:
    /// Waits for the head of the answer. Throws as Poco does: no connection, time limit, no HTTP.
    explicit Answer(Poco::Net::HTTPClientSession &session);
    ~Answer();
    Answer(const Answer &) = delete;
    Answer &operator=(const Answer &) = delete;

    [[nodiscard]] int status() const;
    [[nodiscard]] const Poco::Net::HTTPResponse &head() const;

    /// The body, as it arrives; gives what is there rather than waiting for more. It ends where the
    /// answer says, and at a connection that breaks.
    std::istream &body();
    /// True when a reader of `body()` came to an end that is not the announced one: less than
    /// Content-Length, chunks without the last one (RFC 9112, 8), or no chunks at all. A body
    /// without either ends with its connection, and nobody can tell.
    [[nodiscard]] bool brokeOff() const;
    /// Where it broke off, as a sentence without a full stop.
    [[nodiscard]] std::string whereItBroke() const;
    /// The whole body, or its first `limit` bytes. Throws Poco::Net::MessageException with
    /// `whereItBroke()` when it breaks off before: half an answer says nothing.
    std::string text(std::size_t limit);

private:
    std::unique_ptr<Poco::Net::HTTPResponse> m_head;
    std::unique_ptr<MessageBody> m_source;
    std::istream m_body;
};

} // namespace schema::transport
