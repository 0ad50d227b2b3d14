#pragma once
/// The body of an HTTP message as it arrives, with an eye on its end: the streams of Poco end at a
/// connection that breaks as they do at the end of the body, and move 4 KiB at a time.

#include "schema/transport/arriving_body.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace Poco::Net {
class HTTPSession;
}

namespace schema::transport {

/// Gives what is there rather than waiting for more, and takes nothing from the session that comes
/// behind the body. A read throws as Poco does when the connection breaks or a time limit passes.
/// One thread uses it; the session must outlive it.
class MessageBody final : public ArrivingBody
{
public:
    /// `chunked`: the body comes in the chunked coding (RFC 9112, 7.1); else `length` is what the
    /// head announced; negative: the body ends with the connection.
    MessageBody(Poco::Net::HTTPSession &session, bool chunked, std::int64_t length)
        : m_session(session)
        , m_chunked(chunked)
        , m_length(length)
    {}

    /// True when a reader came to an end that is not the announced one.
    [[nodiscard]] bool brokeOff() const
    {
        return m_ended && (!m_why.empty() || (m_chunked ? !m_complete : m_count < m_length));
    }

    /// True when its chunks are not as RFC 9112 has them: the sender's mistake, not the line's.
    [[nodiscard]] bool malformed() const { return m_malformed; }

    /// Where it broke off, as a sentence without a full stop that begins with `what`: "the answer".
    [[nodiscard]] std::string where(std::string_view what) const;

private:
    std::streamsize fetch(char *into, std::streamsize wanted) override;
    std::streamsize read(char *into, std::streamsize wanted);
    bool nextChunk();
    bool readLine(std::string &line);
    bool refuse(const char *why);

    Poco::Net::HTTPSession &m_session;
    bool m_chunked;
    std::int64_t m_length, m_count = 0;
    std::int64_t m_chunk = 0; ///< bytes left of it
    bool m_ended = false, m_complete = false, m_malformed = false;
    std::string m_why;
};

} // namespace schema::transport
