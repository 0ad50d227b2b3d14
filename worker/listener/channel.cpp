#include "worker/listener/channel.h"

#include "schema/transport/session.h"
#include "worker/sink/http_client.h"

#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/URI.h>

namespace worker {

using Poco::Net::WebSocket;

struct Channel::State
{
    explicit State(const WebSocket &webSocket)
        : socket(webSocket)
    {}

    WebSocket socket;
    std::string partial; ///< of a message in several frames
};

Channel::Channel(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

Channel::~Channel()
{
    try {
        m_state->socket.close();
    } catch (const std::exception &) { // NOLINT(bugprone-empty-catch): it is closed either way
    }
}

Result<std::unique_ptr<Channel>> Channel::open(const Identity &identity)
{
    try {
        const Poco::URI uri(identity.url);
        ASSIGN_OR_RETURN(const auto session,
                         schema::transport::openSession(uri, {identity.authorityFile}));
        session->setTimeout(Poco::Timespan(10, 0));
        auto path = uri.getPath();
        while (path.ends_with('/'))
            path.pop_back();
        Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_GET,
                                       path + "/_apis/slipway/workers/" + pathSegment(identity.id) +
                                           "/channel",
                                       Poco::Net::HTTPRequest::HTTP_1_1);
        request.set("Authorization", "Bearer " + identity.secret);
        Poco::Net::HTTPResponse response;
        try {
            WebSocket socket(*session, request, response);
            socket.setMaxPayloadSize(static_cast<int>(schema::protocol::kMaxFrameBytes));
            socket.setReceiveTimeout(Poco::Timespan(10, 0));
            socket.setSendTimeout(Poco::Timespan(10, 0));
            socket.setNoDelay(true);
            return std::unique_ptr<Channel>(new Channel(std::make_unique<State>(socket)));
        } catch (const Poco::Net::WebSocketException &error) {
            const int status = response.getStatus();
            if (status == 401 || status == 403 || status == 404)
                return {ErrorCode::Unauthenticated,
                        "the server does not know this worker any more (status " +
                            std::to_string(status) + "); register it again with a token"};
            return {ErrorCode::Unavailable,
                    "the server did not open the channel: " + error.displayText()};
        }
    } catch (const Poco::Exception &error) {
        return {ErrorCode::Unavailable, "the server " + identity.url + " does not answer: " +
                                            schema::transport::explain(error)};
    }
}

int Channel::fd() const
{
    return m_state->socket.impl()->sockfd();
}

bool Channel::buffered() const
{
    try {
        return m_state->socket.available() > 0;
    } catch (const Poco::Exception &) {
        return true; // the next receive says what is wrong
    }
}

Result<std::optional<schema::protocol::ServerFrame>> Channel::receive()
{
    using Frame = std::optional<schema::protocol::ServerFrame>;
    try {
        Poco::Buffer<char> buffer(0);
        int flags = 0;
        const int count = m_state->socket.receiveFrame(buffer, flags);
        const int opcode = flags & WebSocket::FRAME_OP_BITMASK;
        if (opcode == WebSocket::FRAME_OP_CLOSE || (count == 0 && flags == 0))
            return {ErrorCode::Unavailable, "the server closed the channel"};
        if (opcode == WebSocket::FRAME_OP_PING) {
            m_state->socket.sendFrame(buffer.begin(), static_cast<int>(buffer.size()),
                                      static_cast<int>(WebSocket::FRAME_FLAG_FIN) |
                                          static_cast<int>(WebSocket::FRAME_OP_PONG));
            return Frame();
        }
        if (opcode == WebSocket::FRAME_OP_PONG)
            return Frame();
        m_state->partial.append(buffer.begin(), buffer.size());
        if (m_state->partial.size() > schema::protocol::kMaxFrameBytes)
            return {ErrorCode::InvalidArgument, "the server sent too long a message"};
        if ((flags & WebSocket::FRAME_FLAG_FIN) == 0)
            return Frame();
        const std::string text = std::exchange(m_state->partial, {});
        auto frame = schema::protocol::decodeServerFrame(text);
        if (!frame && frame.error().code == ErrorCode::NotFound)
            return Frame();
        if (!frame)
            return std::move(frame).error();
        return Frame(std::move(*frame));
    } catch (const Poco::Exception &error) {
        return {ErrorCode::Unavailable, "the channel broke: " + error.displayText()};
    }
}

Status Channel::send(const schema::protocol::WorkerFrame &frame)
{
    try {
        const auto text = schema::protocol::encode(frame);
        m_state->socket.sendFrame(text.data(), static_cast<int>(text.size()),
                                  WebSocket::FRAME_TEXT);
        return {};
    } catch (const Poco::Exception &error) {
        return {ErrorCode::Unavailable, "the channel broke: " + error.displayText()};
    }
}

Status Channel::ping()
{
    try {
        m_state->socket.sendFrame(nullptr, 0,
                                  static_cast<int>(WebSocket::FRAME_FLAG_FIN) |
                                      static_cast<int>(WebSocket::FRAME_OP_PING));
        return {};
    } catch (const Poco::Exception &error) {
        return {ErrorCode::Unavailable, "the channel broke: " + error.displayText()};
    }
}

} // namespace worker
