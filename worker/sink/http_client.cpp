#include "worker/sink/http_client.h"

#include "schema/transport/session.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/URI.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <istream>
#include <streambuf>

namespace worker {
namespace {

using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr std::size_t kMaxReplyBytes = 1U << 20U;

/// Throws Poco::Net::NetException when the connection ends before the announced length: half an
/// answer says nothing, least of all that the call was refused.
std::string readBody(std::istream &in, const HTTPResponse &response)
{
    std::string body;
    std::array<char, 16384> buffer{};
    while (in && body.size() < kMaxReplyBytes) {
        in.read(buffer.data(), buffer.size());
        body.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (response.hasContentLength() && body.size() < kMaxReplyBytes &&
        body.size() < static_cast<std::size_t>(response.getContentLength64()))
        throw Poco::Net::NetException("the answer breaks off");
    return body;
}

/// The body of an answer for whoever reads it, with an eye on its length: Poco's stream ends at a
/// connection that breaks as it does at the end.
class WatchedBody final : public std::streambuf
{
public:
    /// `length`: what the answer announced; negative: nothing.
    WatchedBody(std::streambuf &source, std::int64_t length)
        : m_source(source)
        , m_length(length)
    {}

    /// True when the reader came to an end that is not the announced one.
    [[nodiscard]] bool brokeOff() const { return m_ended && m_count < m_length; }

    [[nodiscard]] std::string where() const
    {
        return "the answer breaks off after " + std::to_string(m_count) + " of " +
               std::to_string(m_length) + " bytes" + (m_why.empty() ? "" : ": " + m_why);
    }

protected:
    int_type underflow() override
    {
        const auto count = fetch(m_buffer.data(), static_cast<std::streamsize>(m_buffer.size()));
        if (count <= 0)
            return traits_type::eof();
        setg(m_buffer.data(), m_buffer.data(), m_buffer.data() + count);
        return traits_type::to_int_type(m_buffer[0]);
    }

    /// Large reads go past the buffer.
    std::streamsize xsgetn(char *into, std::streamsize wanted) override
    {
        const auto kept = std::min<std::streamsize>(wanted, egptr() - gptr());
        std::copy_n(gptr(), kept, into);
        gbump(static_cast<int>(kept));
        auto done = kept;
        while (done < wanted) {
            const auto count = fetch(into + done, wanted - done);
            if (count <= 0)
                break;
            done += count;
        }
        return done;
    }

private:
    std::streamsize fetch(char *into, std::streamsize wanted)
    {
        std::streamsize count = 0;
        try {
            count = m_source.sgetn(into, wanted);
        } catch (const Poco::Exception &error) {
            m_why = schema::transport::explain(error);
        }
        m_ended = m_ended || count <= 0;
        m_count += std::max<std::streamsize>(count, 0);
        return count;
    }

    std::streambuf &m_source;
    std::int64_t m_length, m_count = 0;
    bool m_ended = false;
    std::string m_why;
    std::array<char, 16384> m_buffer{};
};

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
        HTTPResponse response;
        auto &in = session->receiveResponse(response);
        return {static_cast<int>(response.getStatus()), readBody(in, response)};
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
        request.setChunkedTransferEncoding(true);
        request.setContentType(contentType);
        auto &out = m_state->session->sendRequest(request);
        written = write(out);
        if (!written) {
            // Ending the chunks would make the piece look whole: cut the connection instead.
            m_state->session->abort();
            m_state->session->reset();
            return HttpReply{};
        }
        out.flush();
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
        HTTPResponse response;
        auto &in = m_state->session->receiveResponse(response);
        HttpReply out{static_cast<int>(response.getStatus()), {}};
        if (!out.ok()) {
            out.body = readBody(in, response);
            return out;
        }
        WatchedBody watched(*in.rdbuf(),
                            response.hasContentLength() ? response.getContentLength64() : -1);
        std::istream body(&watched);
        done = read(body);
        // What half a body looked like to the reader, a damaged archive say, is not the news.
        if (watched.brokeOff()) {
            done = {};
            throw Poco::Net::NetException(watched.where());
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
