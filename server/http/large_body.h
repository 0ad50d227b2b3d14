#pragma once
/// Long bodies of answers, past Poco's streams, which send 4 KiB at a time.

#include "schema/transport/raw_session.h"

#include <streambuf>
#include <vector>

namespace server::http {

/// Goes behind a head that was sent. One thread uses it; the session must outlive it. A write
/// throws as Poco does when the connection breaks.
class LargeBody final : public std::streambuf
{
public:
    static constexpr std::size_t kBuffer = 128U << 10U;

    explicit LargeBody(Poco::Net::HTTPSession &session)
        : m_session(session)
        , m_buffer(kBuffer)
    {
        clear();
    }

protected:
    int_type overflow(int_type c) override
    {
        sync();
        if (!traits_type::eq_int_type(c, traits_type::eof()))
            sputc(traits_type::to_char_type(c));
        return traits_type::not_eof(c);
    }

    /// Large pieces are not copied.
    std::streamsize xsputn(const char *from, std::streamsize length) override
    {
        if (length < static_cast<std::streamsize>(kBuffer))
            return std::streambuf::xsputn(from, length);
        sync();
        schema::transport::writeRaw(m_session, from, length);
        return length;
    }

    int sync() override
    {
        schema::transport::writeRaw(m_session, pbase(), pptr() - pbase());
        clear();
        return 0;
    }

private:
    void clear() { setp(m_buffer.data(), m_buffer.data() + m_buffer.size()); }

    Poco::Net::HTTPSession &m_session;
    std::vector<char> m_buffer;
};

} // namespace server::http
