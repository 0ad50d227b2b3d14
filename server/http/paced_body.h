#pragma once
/// A request body that has to arrive, and whole: reading fails when it comes too slowly for too
/// long, so that a caller who trickles bytes cannot hold a thread for ever, and when it breaks off.

#include "schema/transport/message_body.h"

#include <array>
#include <chrono>
#include <istream>
#include <streambuf>

namespace server::http {

class PacedBody : public std::streambuf
{
public:
    /// `source` must outlive the body. Only waiting for bytes counts.
    explicit PacedBody(schema::transport::MessageBody &source)
        : m_source(source)
    {}

protected:
    /// Throw Poco::TimeoutException or what the connection throws, and Poco::Net::MessageException
    /// when the body ends before its announced end; each leaves the stream that reads this in state
    /// bad().
    int_type underflow() override;
    /// Large reads go past the buffer.
    std::streamsize xsgetn(char *into, std::streamsize wanted) override;

private:
    std::streamsize fetch(char *into, std::streamsize wanted);

    schema::transport::MessageBody &m_source;
    std::chrono::steady_clock::duration m_waited{};
    std::size_t m_bytes = 0;
    std::array<char, 16384> m_buffer{};
};

} // namespace server::http
