#pragma once
/// The bytes below Poco's streams, whose buffers of a few kilobytes cost a call of the kernel each.

#include <Poco/Net/HTTPSession.h>

#include <ios>
#include <string>

namespace schema::transport {

/// Names what is protected in a session; nobody makes one.
struct RawSession : Poco::Net::HTTPSession
{
    using HTTPSession::buffered;
    using HTTPSession::get;
    using HTTPSession::peek;
    using HTTPSession::read;
    using HTTPSession::write;
};

/// What is buffered, else what arrives next; 0 at the end of the connection. Throws as Poco does.
inline int readRaw(Poco::Net::HTTPSession &session, char *into, std::streamsize length)
{
    return (session.*(&RawSession::read))(into, length);
}

/// The next byte, or the end of file of a stream.
inline int getRaw(Poco::Net::HTTPSession &session)
{
    // Poco gives the byte 0xff as it gives the end: look at its buffer instead.
    if ((session.*(&RawSession::buffered))() == 0)
        (session.*(&RawSession::peek))();
    if ((session.*(&RawSession::buffered))() == 0)
        return std::char_traits<char>::eof();
    return static_cast<unsigned char>((session.*(&RawSession::get))());
}

/// All of it, or throws as Poco does.
inline void writeRaw(Poco::Net::HTTPSession &session, const char *from, std::streamsize length)
{
    while (length > 0) {
        const int count = (session.*(&RawSession::write))(from, length);
        from += count;
        length -= count;
    }
}

} // namespace schema::transport
