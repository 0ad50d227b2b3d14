#include "schema/transport/upload_body.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>

namespace schema::transport {

UploadBody::UploadBody(Poco::Net::HTTPClientSession &session, Poco::Net::HTTPRequest &request)
    : m_body(session, OutgoingBody::Coding::Chunked)
    , m_stream(&m_body)
{
    request.setChunkedTransferEncoding(true);
    session.sendRequest(request);
}

} // namespace schema::transport
