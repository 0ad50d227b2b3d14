#pragma once
/// Long bodies of HTTP messages on their way out, past Poco's streams, which send 4 KiB at a time.

#include <cstddef>
#include <cstdint>
#include <streambuf>
#include <vector>

namespace Poco::Net {
class HTTPSession;
}

namespace schema::transport {

/// Goes behind a head that was sent, plain or in the chunked coding (RFC 9112, 7.1). Pieces of
/// `kBuffer` bytes or more are sent as they are, smaller ones are collected. A write throws as Poco
/// does when the connection breaks; what was not flushed is not sent. One thread uses it; the
/// session must outlive it.
class OutgoingBody final : public std::streambuf
{
public:
    static constexpr std::size_t kBuffer = 128U << 10U;

    enum class Coding : std::uint8_t { Plain, Chunked };

    OutgoingBody(Poco::Net::HTTPSession &session, Coding coding);

    /// Sends what is left, up to the end of the last chunk that has bytes; the empty one that ends
    /// the body is the caller's.
    void finish();

protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char *from, std::streamsize length) override;
    int sync() override;

private:
    void flush();
    /// Puts the head of a chunk in front of `end`; gives its begin.
    char *putHead(char *end, std::size_t size);
    void clear();

    Poco::Net::HTTPSession &m_session;
    bool m_chunked;
    bool m_open = false; ///< the end of the last chunk's line was not sent yet
    std::vector<char> m_buffer;
};

} // namespace schema::transport
