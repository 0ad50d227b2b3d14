#include "schema/transport/upload_body.h"

#include "schema/transport/raw_session.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <fmt/format.h>

#include <algorithm>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace schema::transport {
namespace {

constexpr std::size_t kChunk = 128U << 10U;
/// A size in hexadecimal digits and the end of its line.
constexpr std::size_t kHead = 10;

} // namespace

class UploadBody::Chunks final : public std::streambuf
{
public:
    explicit Chunks(Poco::Net::HTTPClientSession &session)
        : m_session(session)
        , m_buffer(kHead + kChunk + 2)
    {
        clear();
    }

    /// Head, bytes and end of the chunk in one piece.
    void flush()
    {
        const auto size = static_cast<std::size_t>(pptr() - pbase());
        if (size == 0)
            return; // an empty chunk would be the last
        const std::string head = fmt::format("{:x}\r\n", size);
        char *begin = pbase() - head.size();
        std::copy(head.begin(), head.end(), begin);
        constexpr std::string_view kEnd = "\r\n";
        std::copy(kEnd.begin(), kEnd.end(), pptr());
        writeRaw(m_session, begin, static_cast<std::streamsize>(head.size() + size + kEnd.size()));
        clear();
    }

protected:
    int_type overflow(int_type c) override
    {
        flush();
        if (!traits_type::eq_int_type(c, traits_type::eof()))
            sputc(traits_type::to_char_type(c));
        return traits_type::not_eof(c);
    }

    int sync() override
    {
        flush();
        return 0;
    }

private:
    void clear() { setp(m_buffer.data() + kHead, m_buffer.data() + kHead + kChunk); }

    Poco::Net::HTTPClientSession &m_session;
    std::vector<char> m_buffer;
};

UploadBody::UploadBody(Poco::Net::HTTPClientSession &session, Poco::Net::HTTPRequest &request)
    : m_chunks(std::make_unique<Chunks>(session))
    , m_stream(m_chunks.get())
{
    request.setChunkedTransferEncoding(true);
    session.sendRequest(request);
}

UploadBody::~UploadBody() = default;

void UploadBody::finish()
{
    m_chunks->flush();
}

} // namespace schema::transport
