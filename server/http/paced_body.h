#pragma once
/// A request body that has to arrive: reading fails when it comes too slowly for too long, so that
/// a caller who trickles bytes cannot hold a thread for ever.

#include <array>
#include <chrono>
#include <istream>
#include <streambuf>

namespace server::http {

class PacedBody : public std::streambuf
{
public:
    /// `source` must outlive the body. Only waiting for bytes counts.
    explicit PacedBody(std::streambuf &source)
        : m_source(source)
    {}

protected:
    /// Throws Poco::TimeoutException, which leaves the stream that reads this in state bad().
    int_type underflow() override;

private:
    std::streambuf &m_source;
    std::chrono::steady_clock::duration m_waited{};
    std::size_t m_bytes = 0;
    std::array<char, 16384> m_buffer{};
};

} // namespace server::http
