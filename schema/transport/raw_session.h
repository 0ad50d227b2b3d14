#pragma once
/// The bytes below Poco's streams, whose buffers of a few kilobytes cost a call of the kernel each.

#include <Poco/Net/HTTPClientSession.h>

#include <ios>

namespace schema::transport {

/// Names what is protected in a session; nobody makes one.
struct RawSession : Poco::Net::HTTPClientSession
{
    using HTTPClientSession::write;
    using HTTPSession::read;
};

/// What is buffered, else what arrives next; 0 at the end of the connection. Throws as Poco does.
inline int readRaw(Poco::Net::HTTPClientSession &session, char *into, std::streamsize length)
{
    return (session.*(&RawSession::read))(into, length);
}

/// All of it, or throws as Poco does.
inline void writeRaw(Poco::Net::HTTPClientSession &session, const char *from,
                     std::streamsize length)
{
    while (length > 0) {
        const int count = (session.*(&RawSession::write))(from, length);
        from += count;
        length -= count;
    }
}

} // namespace schema::transport
