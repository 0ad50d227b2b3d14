#include "worker/sink/http_client.h"

#include "schema/transport/answer.h"
#include "schema/transport/session.h"
#include "schema/transport/upload_body.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/NetException.h>
#include <Poco/URI.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <istream>

namespace worker {
namespace {

using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPRequest;
using schema::transport::Answer;

constexpr std::size_t kMaxReplyBytes = 1U << 20U;

} // namespace

struct HttpClient::State
{
    Poco::URI base;
    std::string token;
    std::unique_ptr<HTTPClientSession> session;

    HTTPRequest request(const std::string &method, const std::string &path) const
    {
        HTTPRequest out(method, base.getPath() + path, HTTPRequest::HTTP_1_1);
        if (!token.empty())
            out.set("Authorization", "Bearer " + token);
        out.set("User-Agent", "slipway-worker/" SLIPWAY_VERSION);
        return out;
    }

    schema::Error unavailable(const std::string &why) const
    {
        return {ErrorCode::Unavailable, "the server " + base.getScheme() + "://" +
                                            base.getAuthority() + " does not answer: " + why};
    }

    /// Runs `exchange`; a connection that went stale while idle is tried once more when `again`.
    template <typename Exchange> Result<HttpReply> guarded(bool again, Exchange exchange)
    {
        for (int round = 0;; ++round) {
            const bool reused = session->connected();
            try {
                return exchange();
            } catch (const Poco::Exception &error) {
                session->reset();
                if (!again || !reused || round > 0)
                    return unavailable(schema::transport::explain(error));
            } catch (const std::exception &error) {
                session->reset();
                return unavailable(error.what());
            }
        }
    }

    HttpReply finish()
    {
        HttpReply out;
        {
            Answer answer(*session);
            out = {answer.status(), answer.text(kMaxReplyBytes)};
        }
        if (out.body.size() >= kMaxReplyBytes)
            session->reset(); // what was not read must not be taken for the next answer
        return out;
    }
};

HttpClient::HttpClient(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::create(const std::string &baseUrl,
                                                       std::string bearerToken,
                                                       const std::string &authorityFile)
{
    auto state = std::make_unique<State>();
    try {
        state->base = Poco::URI(baseUrl);
    } catch (const Poco::Exception &) {
        return {ErrorCode::InvalidArgument, "'" + baseUrl + "' is no address"};
    }
    ASSIGN_OR_RETURN(state->session, schema::transport::openSession(state->base, {authorityFile}));
    auto path = state->base.getPath();
    while (path.ends_with('/'))
        path.pop_back();
    state->base.setPath(path);
    state->token = std::move(bearerToken);
    state->session->setKeepAlive(true);
    state->session->setTimeout(Poco::Timespan(10, 0), Poco::Timespan(60, 0), Poco::Timespan(60, 0));
    return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

Result<HttpReply> HttpClient::call(const std::string &method, const std::string &path,
                                   std::string_view body, const std::string &contentType)
{
    return m_state->guarded(true, [&] {
        auto request = m_state->request(method, path);
        request.setContentLength(static_cast<std::streamsize>(body.size()));
        if (!body.empty() || method != HTTPRequest::HTTP_GET)
            request.setContentType(contentType);
        auto &out = m_state->session->sendRequest(request);
        out.write(body.data(), static_cast<std::streamsize>(body.size()));
        out.flush();
        return m_state->finish();
    });
}

Result<HttpReply> HttpClient::upload(const std::string &method, const std::string &path,
                                     const std::string &contentType,
                                     const std::function<Status(std::ostream &out)> &write)
{
    Status written;
    auto reply = m_state->guarded(false, [&] {
        auto request = m_state->request(method, path);
        request.setContentType(contentType);
        schema::transport::UploadBody body(*m_state->session, request);
        written = write(body.stream());
        if (!written) {
            // Ending the chunks would make the piece look whole: cut the connection instead.
            m_state->session->abort();
            m_state->session->reset();
            return HttpReply{};
        }
        body.finish();
        return m_state->finish();
    });
    if (!written)
        return std::move(written).error();
    return reply;
}

Result<HttpReply> HttpClient::download(const std::string &path,
                                       const std::function<Status(std::istream &in)> &read)
{
    Status done;
    auto reply = m_state->guarded(false, [&] {
        auto request = m_state->request(HTTPRequest::HTTP_GET, path);
        m_state->session->sendRequest(request);
        HttpReply out;
        {
            Answer answer(*m_state->session);
            out.status = answer.status();
            if (!out.ok()) {
                out.body = answer.text(kMaxReplyBytes);
                return out;
            }
            done = read(answer.body());
            // What half a body looked like to the reader, a damaged archive say, is not the news.
            if (answer.brokeOff()) {
                done = {};
                throw Poco::Net::MessageException(answer.whereItBroke());
            }
        }
        m_state->session->reset(); // what was not read must not be taken for the next answer
        return out;
    });
    if (!done)
        return std::move(done).error();
    return reply;
}

std::string pathSegment(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') ||
                           std::string_view("-_.~").find(c) != std::string_view::npos;
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

std::string replyMessage(const HttpReply &reply)
{
    const auto json = nlohmann::json::parse(reply.body, nullptr, false);
    if (json.is_object() && json.contains("message") && json["message"].is_string())
        return json["message"].get<std::string>();
    return "the server answered with status " + std::to_string(reply.status);
}

schema::Error replyError(const HttpReply &reply)
{
    ErrorCode code = ErrorCode::InvalidArgument;
    if (reply.status == 404)
        code = ErrorCode::NotFound;
    else if (reply.status == 409)
        code = ErrorCode::AlreadyExists;
    else if (reply.status == 413 || reply.status == 507)
        code = ErrorCode::LimitExceeded;
    return {code, replyMessage(reply)};
}

} // namespace worker
