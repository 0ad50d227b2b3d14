#pragma once
/// Bodies of requests whose length is not known before.

#include "schema/transport/outgoing_body.h"

#include <ostream>

namespace Poco::Net {
class HTTPClientSession;
class HTTPRequest;
} // namespace Poco::Net

namespace schema::transport {

/// Sends a request and takes its body, in chunks of 128 KiB or more. One thread uses it; the
/// session must outlive it. A body that is not finished leaves the connection in its middle: reset
/// the session.
class UploadBody
{
public:
    /// Sends the head, with the chunked coding. Throws as Poco does.
    UploadBody(Poco::Net::HTTPClientSession &session, Poco::Net::HTTPRequest &request);
    UploadBody(const UploadBody &) = delete;
    UploadBody &operator=(const UploadBody &) = delete;
    ~UploadBody() = default;

    /// Goes bad when the connection breaks.
    std::ostream &stream() { return m_stream; }

    /// Sends what is left; the last chunk goes when the session receives the answer. Throws as Poco
    /// does.
    void finish() { m_body.finish(); }

private:
    OutgoingBody m_body;
    std::ostream m_stream;
};

} // namespace schema::transport
