#include "cli/client/api_client.h"

#include "cli/client/diagnostic_line.h"
#include "schema/transport/answer.h"
#include "schema/transport/session.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <istream>
#include <memory>
#include <ostream>
#include <utility>

namespace cli {
namespace {

using nlohmann::json;
using Poco::Net::HTTPRequest;
using schema::ErrorCode;
using schema::transport::Answer;

constexpr int kTimeoutSeconds = 60; // the server pings an event stream every 15 s
constexpr std::size_t kAnswerLimit = std::size_t{64} << 20;

/// A session with the client's time limit. Errors: as transport::openSession.
schema::Result<std::unique_ptr<Poco::Net::HTTPClientSession>> openSession(const std::string &url)
{
    auto session = schema::transport::openSession(Poco::URI(url));
    if (session)
        (*session)->setTimeout(Poco::Timespan(kTimeoutSeconds, 0));
    return session;
}

ErrorCode codeOf(int status)
{
    switch (status) {
    case 400:
        return ErrorCode::InvalidArgument;
    case 401:
        return ErrorCode::Unauthenticated;
    case 403:
        return ErrorCode::PermissionDenied;
    case 404:
        return ErrorCode::NotFound;
    case 409:
        return ErrorCode::AlreadyExists;
    case 413:
        return ErrorCode::LimitExceeded;
    case 503:
        return ErrorCode::Unavailable;
    default:
        return ErrorCode::Internal;
    }
}

/// What the server says about a refused request: its message, or each diagnostic on its own line.
schema::Error errorOf(int status, const std::string &body)
{
    const json answer = json::parse(body, nullptr, false);
    std::string message;
    if (answer.is_object()) {
        message = answer.value("message", "");
        if (const auto found = answer.find("diagnostics");
            found != answer.end() && found->is_array()) {
            // The message has all errors in one text, for clients that know no diagnostics.
            if (!found->empty())
                message = "the pipeline has errors:";
            for (const json &row : *found)
                message += "\n" + diagnosticLine(row);
        }
    }
    if (message.empty())
        message = fmt::format("the server answers with status {}", status);
    if (status == 401)
        message +=
            " (the token comes from --token-file, SLIPWAY_TOKEN or the data directory of --data)";
    return {codeOf(status), message};
}

/// Runs `work`, which may throw as Poco does, and turns what it throws into an error.
template <typename Work> auto guarded(const std::string &url, Work work) -> decltype(work())
{
    try {
        return work();
    } catch (const Poco::TimeoutException &) {
        return schema::Error{ErrorCode::Timeout,
                             fmt::format("no answer from {} within {} s", url, kTimeoutSeconds)};
    } catch (const Poco::SyntaxException &) {
        return schema::Error{ErrorCode::InvalidArgument,
                             fmt::format("'{}' is no URL like http://127.0.0.1:8480", url)};
    } catch (const Poco::Net::MessageException &problem) {
        return schema::Error{
            ErrorCode::Unavailable,
            fmt::format("the server at {} gave no whole answer ({}); look whether what was asked "
                        "for has been done, then try again",
                        url, problem.message())};
    } catch (const Poco::Exception &problem) {
        if (const std::string refused = schema::transport::refusedCertificate(problem);
            !refused.empty())
            return schema::Error{ErrorCode::Unavailable, url + ": " + refused};
        return schema::Error{
            ErrorCode::Unavailable,
            fmt::format("no server answers at {} ({}); is it running? --url names another one", url,
                        problem.displayText())};
    }
}

void authorize(HTTPRequest &request, const std::string &token)
{
    if (!token.empty())
        request.set("Authorization", "Bearer " + token);
}

} // namespace

ApiClient::ApiClient(std::string url, std::string token)
    : m_url(std::move(url))
    , m_token(std::move(token))
{
    while (!m_url.empty() && m_url.back() == '/')
        m_url.pop_back();
}

schema::Result<json> ApiClient::get(const std::string &path) const
{
    return call(HTTPRequest::HTTP_GET, path, nullptr);
}

schema::Result<json> ApiClient::post(const std::string &path, const json &body) const
{
    return call(HTTPRequest::HTTP_POST, path, &body);
}

schema::Result<json> ApiClient::put(const std::string &path, const json &body) const
{
    return call(HTTPRequest::HTTP_PUT, path, &body);
}

schema::Result<json> ApiClient::patch(const std::string &path, const json &body) const
{
    return call(HTTPRequest::HTTP_PATCH, path, &body);
}

schema::Result<json> ApiClient::remove(const std::string &path) const
{
    return call(HTTPRequest::HTTP_DELETE, path, nullptr);
}

schema::Result<json> ApiClient::upload(const std::string &path, const std::string &file) const
{
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    if (!in)
        return schema::Error{ErrorCode::NotFound, fmt::format("'{}' cannot be read", file)};
    const auto size = static_cast<Poco::Int64>(in.tellg());
    in.seekg(0);
    return guarded(m_url, [&]() -> schema::Result<json> {
        const auto opened = openSession(m_url);
        if (!opened)
            return opened.error();
        const auto &session = *opened;
        HTTPRequest request(HTTPRequest::HTTP_POST, path, HTTPRequest::HTTP_1_1);
        authorize(request, m_token);
        request.setContentType("application/octet-stream");
        request.setContentLength64(size);
        Poco::StreamCopier::copyStream64(in, session->sendRequest(request));
        Answer reply(*session);
        const std::string answer = reply.text(kAnswerLimit);
        if (reply.status() >= 300)
            return errorOf(reply.status(), answer);
        json value = json::parse(answer, nullptr, false);
        return value.is_discarded() ? json::object() : value;
    });
}

schema::Result<json> ApiClient::call(const std::string &method, const std::string &path,
                                     const json *body) const
{
    return guarded(m_url, [&]() -> schema::Result<json> {
        const auto opened = openSession(m_url);
        if (!opened)
            return opened.error();
        const auto &session = *opened;
        HTTPRequest request(method, path, HTTPRequest::HTTP_1_1);
        authorize(request, m_token);
        request.set("Accept", "application/json");
        const std::string text = body == nullptr ? std::string() : body->dump();
        if (body != nullptr) {
            request.setContentType("application/json");
            request.setContentLength64(static_cast<Poco::Int64>(text.size()));
        }
        session->sendRequest(request) << text;
        Answer reply(*session);
        const std::string answer = reply.text(kAnswerLimit);
        if (reply.status() >= 300)
            return errorOf(reply.status(), answer);
        if (answer.empty())
            return json::object();
        json value = json::parse(answer, nullptr, false);
        if (value.is_discarded())
            return {ErrorCode::Internal,
                    fmt::format("the answer of {}{} is no JSON; is this a Slipway server?", m_url,
                                path)};
        return value;
    });
}

schema::Result<LogPart> ApiClient::log(const std::string &project, std::int64_t runId,
                                       std::int64_t logId, std::uint64_t offset) const
{
    return guarded(m_url, [&]() -> schema::Result<LogPart> {
        const auto opened = openSession(m_url);
        if (!opened)
            return opened.error();
        const auto &session = *opened;
        HTTPRequest request(HTTPRequest::HTTP_GET,
                            fmt::format("/{}/_apis/slipway/logs/{}/{}?offset={}",
                                        urlEncoded(project), runId, logId, offset),
                            HTTPRequest::HTTP_1_1);
        authorize(request, m_token);
        session->sendRequest(request);
        Answer answer(*session);
        LogPart part;
        part.bytes = answer.text(kAnswerLimit);
        if (answer.status() >= 300)
            return errorOf(answer.status(), part.bytes);
        part.sealed = answer.head().get("X-Slipway-Sealed", "0") == "1";
        part.length = offset + part.bytes.size();
        return part;
    });
}

schema::Status ApiClient::events(const std::string &project, const EventHandler &handler) const
{
    return guarded(m_url, [&]() -> schema::Status {
        const auto opened = openSession(m_url);
        if (!opened)
            return opened.error();
        const auto &session = *opened;
        HTTPRequest request(HTTPRequest::HTTP_GET,
                            "/_apis/slipway/events?project=" + urlEncoded(project),
                            HTTPRequest::HTTP_1_1);
        authorize(request, m_token);
        request.set("Accept", "text/event-stream");
        session->sendRequest(request);
        Answer answer(*session);
        if (answer.status() >= 300)
            return errorOf(answer.status(), answer.text(kAnswerLimit));
        std::istream &in = answer.body();
        if (!handler("open", json::object()))
            return {};
        std::string name;
        std::string data;
        for (std::string line; std::getline(in, line);) {
            if (!line.empty() && line.back() == '\r')
                line.pop_back();
            const auto valueOf = [&line](std::size_t skip) {
                return line.substr(line.size() > skip && line[skip] == ' ' ? skip + 1 : skip);
            };
            if (line.starts_with("event:")) {
                name = valueOf(6);
            } else if (line.starts_with("data:")) {
                data += valueOf(5);
            } else if (line.starts_with(":")) {
                if (!handler("ping", json::object()))
                    return {};
            } else if (line.empty() && !name.empty()) {
                json value = json::parse(data, nullptr, false);
                if (!handler(std::exchange(name, {}),
                             value.is_discarded() ? json::object() : value))
                    return {};
                data.clear();
            }
        }
        return {ErrorCode::Unavailable,
                fmt::format("the server at {} ended the stream of events", m_url)};
    });
}

std::string urlEncoded(std::string_view text)
{
    std::string encoded;
    Poco::URI::encode(std::string(text), "!#$&'()*+,/:;=?@[]%\\", encoded);
    return encoded;
}

} // namespace cli
