#include "fake_server.h"

#include "schema/protocol/delivery.h"

#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <nlohmann/json.hpp>

namespace worker::test {

using namespace Poco::Net;
namespace protocol = schema::protocol;
using Json = nlohmann::ordered_json;

struct FakeServer::Shared
{
    std::mutex mutex;
    std::condition_variable changed;
    State state;
    WebSocket *channel = nullptr;
    int bulkStatus = 0;
    bool closing = false;
    Poco::UInt16 port = 0;
};

namespace {

class Handler : public HTTPRequestHandler
{
public:
    explicit Handler(std::shared_ptr<FakeServer::Shared> shared)
        : m_shared(std::move(shared))
    {}

    void handleRequest(HTTPServerRequest &request, HTTPServerResponse &response) override
    {
        const Poco::URI uri(request.getURI());
        std::vector<std::string> path;
        uri.getPathSegments(path);
        if (path.size() == 3 && path[2] == "workers")
            return registration(request, response);
        if (path.size() == 5 && path[4] == "channel")
            return channel(request, response);
        if (path.size() >= 5 && path[2] == "jobs")
            return bulk(path, request, response);
        reply(response, 404, {{"message", "no such route"}});
    }

private:
    static void reply(HTTPServerResponse &response, int status, const Json &body)
    {
        response.setStatus(static_cast<HTTPResponse::HTTPStatus>(status));
        response.setContentType("application/json");
        const auto text = body.dump();
        response.sendBuffer(text.data(), text.size());
    }

    static std::string bodyOf(HTTPServerRequest &request)
    {
        std::string body;
        Poco::StreamCopier::copyToString(request.stream(), body);
        return body;
    }

    void registration(HTTPServerRequest &request, HTTPServerResponse &response)
    {
        const auto json = Json::parse(bodyOf(request), nullptr, false);
        if (json.value("token", "") != "good-token")
            return reply(response, 401, {{"message", "bad token"}});
        const std::lock_guard lock(m_shared->mutex);
        ++m_shared->state.registrations;
        reply(response, 200,
              {{"id", 12}, {"name", json["name"]}, {"pool", "Default"}, {"secret", "w-secret"}});
    }

    void channel(HTTPServerRequest &request, HTTPServerResponse &response)
    {
        if (request.get("Authorization", "") != "Bearer w-secret")
            return reply(response, 401, {{"message", "who are you"}});
        WebSocket socket(request, response);
        socket.setReceiveTimeout(Poco::Timespan(0, 100'000));
        {
            const std::lock_guard lock(m_shared->mutex);
            m_shared->channel = &socket;
            ++m_shared->state.connections;
            const auto welcome = protocol::encode(protocol::ServerFrame(protocol::Welcome{3, "w"}));
            socket.sendFrame(welcome.data(), static_cast<int>(welcome.size()));
        }
        while (true) {
            try {
                Poco::Buffer<char> buffer(0);
                int flags = 0;
                const int count = socket.receiveFrame(buffer, flags);
                if (count == 0 ||
                    (flags & WebSocket::FRAME_OP_BITMASK) == WebSocket::FRAME_OP_CLOSE)
                    break;
                if ((flags & WebSocket::FRAME_OP_BITMASK) != WebSocket::FRAME_OP_TEXT)
                    continue;
                auto frame = protocol::decodeWorkerFrame({buffer.begin(), buffer.size()});
                const std::lock_guard lock(m_shared->mutex);
                if (frame)
                    m_shared->state.frames.push_back(*frame);
                else
                    m_shared->state.errors.push_back(frame.error().message);
                m_shared->changed.notify_all();
            } catch (const Poco::TimeoutException &) {
                const std::lock_guard lock(m_shared->mutex);
                if (m_shared->closing)
                    break;
            } catch (const Poco::Exception &) {
                break;
            }
        }
        const std::lock_guard lock(m_shared->mutex);
        if (m_shared->channel == &socket)
            m_shared->channel = nullptr;
    }

    static protocol::Delivered take(FakeServer::State &state, const protocol::Delivery &delivery)
    {
        protocol::Delivered taken;
        for (const auto &update : delivery.records) {
            auto &kept = state.records[update.id];
            if (!kept.id.empty() && update.sequence <= kept.sequence)
                continue;
            const auto before = kept;
            kept = update;
            if (!kept.name)
                kept.name = before.name;
            if (!kept.state)
                kept.state = before.state;
            if (!kept.result)
                kept.result = before.result;
        }
        bool gap = false;
        auto &records = state.deliveries.emplace_back();
        for (const auto &piece : delivery.logs) {
            records.push_back(piece.recordId);
            auto &log = state.logs[piece.recordId];
            if (piece.offset > log.size())
                gap = true;
            else if (piece.offset + piece.bytes.size() > log.size())
                log += piece.bytes.substr(log.size() - piece.offset);
            taken.lengths.push_back(log.size());
        }
        if (delivery.completion && !gap) {
            state.completions.push_back(*delivery.completion);
            taken.completed = true;
        }
        return taken;
    }

    void bulk(const std::vector<std::string> &path, HTTPServerRequest &request,
              HTTPServerResponse &response)
    {
        const auto body = bodyOf(request);
        const std::lock_guard lock(m_shared->mutex);
        auto &state = m_shared->state;
        if (m_shared->bulkStatus != 0) {
            ++state.refusals;
            m_shared->changed.notify_all();
            return reply(response, m_shared->bulkStatus,
                         m_shared->bulkStatus == 409 ? Json{{"code", "leaseLost"}}
                                                     : Json::object());
        }
        if (request.get("Authorization", "") != "Bearer job-token")
            return reply(response, 401, {{"message", "bad token"}});
        const auto &what = path[4];
        Json answer = Json::object();
        int status = 200;
        if (what == "deliver") {
            auto delivery = protocol::decodeDelivery(body);
            if (!delivery) {
                state.errors.push_back(delivery.error().message);
                return reply(response, 400, {{"message", delivery.error().message}});
            }
            answer = protocol::toJson(take(state, *delivery));
        } else if (what == "artifacts" && request.getMethod() == "PUT") {
            state.artifacts[path[5]] = body;
        } else if (what == "artifacts" && path.size() > 5) {
            const auto it = state.artifacts.find(path[5]);
            if (it != state.artifacts.end())
                return response.sendBuffer(it->second.data(), it->second.size());
            status = 404;
        } else if (what == "artifacts") {
            answer["value"] = Json::array();
            for (const auto &[name, bytes] : state.artifacts)
                answer["value"].push_back({{"name", name}});
        } else {
            status = 404;
        }
        m_shared->changed.notify_all();
        reply(response, status, answer);
    }

    std::shared_ptr<FakeServer::Shared> m_shared;
};

class Factory : public HTTPRequestHandlerFactory
{
public:
    explicit Factory(std::shared_ptr<FakeServer::Shared> shared)
        : m_shared(std::move(shared))
    {}

    HTTPRequestHandler *createRequestHandler(const HTTPServerRequest &) override
    {
        return new Handler(m_shared); // NOLINT: Poco owns it
    }

private:
    std::shared_ptr<FakeServer::Shared> m_shared;
};

} // namespace

struct FakeServer::Running
{
    explicit Running(const std::shared_ptr<Shared> &shared)
        : socket(SocketAddress("127.0.0.1", shared->port))
        , server(new Factory(shared), socket, parameters())
    {
        shared->port = socket.address().port();
        server.start();
    }

    static HTTPServerParams::Ptr parameters()
    {
        HTTPServerParams::Ptr out(new HTTPServerParams);
        out->setMaxThreads(16);
        out->setKeepAlive(true);
        return out;
    }

    ServerSocket socket;
    HTTPServer server;
};

FakeServer::FakeServer()
    : m_shared(std::make_shared<Shared>())
{
    start();
}

FakeServer::~FakeServer()
{
    stop();
}

void FakeServer::start()
{
    {
        const std::lock_guard lock(m_shared->mutex);
        m_shared->closing = false;
    }
    m_running = std::make_unique<Running>(m_shared);
}

void FakeServer::stop()
{
    if (!m_running)
        return;
    {
        const std::lock_guard lock(m_shared->mutex);
        m_shared->closing = true;
    }
    // Nobody accepts from here on, so nobody shall be kept waiting in the backlog.
    m_running->server.stop();
    m_running->socket.close();
    m_running->server.stopAll(true);
    m_running.reset();
}

std::string FakeServer::url() const
{
    return "http://127.0.0.1:" + std::to_string(m_shared->port);
}

void FakeServer::send(const schema::protocol::ServerFrame &frame)
{
    const std::lock_guard lock(m_shared->mutex);
    const auto text = protocol::encode(frame);
    if (m_shared->channel != nullptr)
        m_shared->channel->sendFrame(text.data(), static_cast<int>(text.size()));
    else
        m_shared->state.errors.emplace_back("no channel to send on");
}

bool FakeServer::waitFor(const std::function<bool(const State &)> &condition,
                         std::chrono::seconds limit)
{
    std::unique_lock lock(m_shared->mutex);
    return m_shared->changed.wait_for(lock, limit, [&] { return condition(m_shared->state); });
}

void FakeServer::answerBulkWith(int status)
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->bulkStatus = status;
}

FakeServer::State FakeServer::state()
{
    const std::lock_guard lock(m_shared->mutex);
    return m_shared->state;
}

} // namespace worker::test
