#pragma once
/// A request body that has to arrive, and whole: reading fails when it comes too slowly for too
/// long, so that a caller who trickles bytes cannot hold a thread for ever, and when it breaks off.

#include "schema/transport/message_body.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>

namespace server::http {

class PacedBody final : public schema::transport::ArrivingBody
{
public:
    /// `source` must outlive the body. Only waiting for bytes counts. `invite`, when given, is
    /// called once, before the first byte is read: the caller waits for it (`Expect:
    /// 100-continue`).
    explicit PacedBody(schema::transport::MessageBody &source, std::function<void()> invite = {})
        : m_source(source)
        , m_invite(std::move(invite))
    {}

    /// Whether the caller may have sent something of it.
    [[nodiscard]] bool invited() const { return !m_invite; }

private:
    /// Throws Poco::TimeoutException or what the connection throws, and Poco::Net::MessageException
    /// when the body ends before its announced end.
    std::streamsize fetch(char *into, std::streamsize wanted) override;

    schema::transport::MessageBody &m_source;
    std::function<void()> m_invite; ///< empty once called
    std::chrono::steady_clock::duration m_waited{};
    std::size_t m_bytes = 0;
};

} // namespace server::http
