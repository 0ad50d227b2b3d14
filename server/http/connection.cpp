#include "server/http/connection.h"

#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerSession.h>

#include <fcntl.h>

namespace server::http {

TakenConnection takeConnection(Poco::Net::HTTPServerRequest &request, const std::string &head)
{
    auto &impl = dynamic_cast<Poco::Net::HTTPServerRequestImpl &>(request);
    TakenConnection taken;
    try {
        Poco::Buffer<char> early(0);
        impl.session().drainBuffer(early);
        taken.early.assign(early.begin(), early.size());
        Poco::Net::StreamSocket socket = impl.detachSocket();
        std::size_t sent = 0;
        while (sent < head.size()) {
            const int count =
                socket.sendBytes(head.data() + sent, static_cast<int>(head.size() - sent));
            if (count <= 0)
                return taken;
            sent += static_cast<std::size_t>(count);
        }
        // Poco's object closes its own descriptor; the duplicate keeps the connection open.
        taken.fd = ::fcntl(socket.impl()->sockfd(), F_DUPFD_CLOEXEC, 0);
    } catch (const Poco::Exception &) {
        taken.fd = -1; // the caller went away
    }
    return taken;
}

} // namespace server::http
