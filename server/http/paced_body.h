#pragma once
/// A request body that has to arrive, and whole: reading fails when it comes too slowly for too
/// long, so that a caller who trickles bytes cannot hold a thread for ever, and when it breaks off.

#include "schema/transport/message_body.h"

#include <chrono>

namespace server::http {

class PacedBody final : public schema::transport::ArrivingBody
{
public:
    /// `source` must outlive the body. Only waiting for bytes counts.
    explicit PacedBody(schema::transport::MessageBody &source)
        : m_source(source)
    {}

private:
    /// Throws Poco::TimeoutException or what the connection throws, and Poco::Net::MessageException
    /// when the body ends before its announced end.
    std::streamsize fetch(char *into, std::streamsize wanted) override;

    schema::transport::MessageBody &m_source;
    std::chrono::steady_clock::duration m_waited{};
    std::size_t m_bytes = 0;
};

} // namespace server::http
