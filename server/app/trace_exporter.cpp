#include "server/app/trace_exporter.h"

#include "schema/transport/session.h"

#include <QLoggingCategory>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/NullStream.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

namespace server::app {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

Q_LOGGING_CATEGORY(lcTraces, "server.traces", QtInfoMsg)

constexpr std::size_t kMostQueued = 1000;
constexpr int kTries = 3;
constexpr long kTimeoutSeconds = 5;

std::string trimmed(std::string text)
{
    while (!text.empty() && text.front() == ' ')
        text.erase(text.begin());
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

} // namespace

Result<TraceTarget> parseTraceTarget(const std::string &endpoint, const std::string &headers)
{
    TraceTarget target;
    try {
        Poco::URI uri(endpoint);
        if ((uri.getScheme() != "http" && uri.getScheme() != "https") || uri.getHost().empty())
            return {ErrorCode::InvalidArgument,
                    "'" + endpoint +
                        "' is no address of a collector; give http://HOST:4318 or "
                        "https://HOST"};
        if (!uri.getPath().ends_with("/v1/traces"))
            uri.setPath((uri.getPath() == "/" ? std::string() : uri.getPath()) + "/v1/traces");
        target.url = uri.toString();
    } catch (const Poco::Exception &error) {
        return {ErrorCode::InvalidArgument,
                "'" + endpoint + "' is no address: " + error.displayText()};
    }
    for (std::size_t begin = 0; begin < headers.size();) {
        const auto end = std::min(headers.find(',', begin), headers.size());
        const std::string pair = headers.substr(begin, end - begin);
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            return {ErrorCode::InvalidArgument,
                    "headers for traces must be NAME=VALUE, joined by commas"};
        target.headers.emplace_back(trimmed(pair.substr(0, equals)),
                                    trimmed(pair.substr(equals + 1)));
        begin = end + 1;
    }
    return target;
}

TraceExporter::TraceExporter(TraceTarget target, Source source)
    : m_target(std::move(target))
    , m_source(std::move(source))
    , m_thread([this](const std::stop_token &stop) { loop(stop); })
{}

TraceExporter::~TraceExporter()
{
    m_thread.request_stop();
    m_thread.join();
}

void TraceExporter::ended(std::int64_t runId)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_queue.size() >= kMostQueued) {
            m_dropped.fetch_add(1);
            return;
        }
        m_queue.push_back(runId);
    }
    m_changed.notify_one();
}

void TraceExporter::loop(const std::stop_token &stop)
{
    while (!stop.stop_requested()) {
        std::int64_t runId = 0;
        {
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, stop, [this] { return !m_queue.empty(); });
            if (m_queue.empty())
                return;
            runId = m_queue.front();
            m_queue.pop_front();
        }
        const auto bodies = m_source(runId);
        bool whole = bodies.has_value();
        if (bodies)
            for (const auto &body : *bodies)
                whole = send(body, stop) && whole;
        (whole ? m_sent : m_dropped).fetch_add(1);
    }
}

bool TraceExporter::send(const std::string &body, const std::stop_token &stop)
{
    for (int tried = 1; !stop.stop_requested(); ++tried) {
        const Status posted = post(body);
        if (posted)
            return true;
        // What is refused is not tried again: it would be refused again.
        if (tried == kTries || posted.error().code == ErrorCode::InvalidArgument) {
            qCWarning(lcTraces, "url=%s error=%s", m_target.url.c_str(),
                      posted.error().message.c_str());
            return false;
        }
        std::unique_lock lock(m_mutex);
        m_changed.wait_for(lock, stop, std::chrono::seconds(tried), [] { return false; });
    }
    return false;
}

Status TraceExporter::post(const std::string &body) const
{
    try {
        const Poco::URI uri(m_target.url);
        ASSIGN_OR_RETURN(const auto opened, schema::transport::openSession(uri));
        Poco::Net::HTTPClientSession &session = *opened;
        session.setTimeout(Poco::Timespan(kTimeoutSeconds, 0));
        Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_POST, uri.getPathAndQuery(),
                                       Poco::Net::HTTPMessage::HTTP_1_1);
        request.setContentType("application/json");
        request.setContentLength64(static_cast<Poco::Int64>(body.size()));
        for (const auto &[name, value] : m_target.headers)
            request.set(name, value);
        session.sendRequest(request).write(body.data(), static_cast<std::streamsize>(body.size()));
        Poco::Net::HTTPResponse response;
        Poco::NullOutputStream nowhere;
        Poco::StreamCopier::copyStream(session.receiveResponse(response), nowhere);
        const int status = response.getStatus();
        if (status >= 200 && status < 300)
            return {};
        // 429 and 5xx may pass (OTLP/HTTP, "Failures").
        return {status == 429 || status >= 500 ? ErrorCode::Unavailable
                                               : ErrorCode::InvalidArgument,
                "the collector answered " + std::to_string(status)};
    } catch (const Poco::Exception &error) {
        return {ErrorCode::Unavailable, schema::transport::explain(error)};
    } catch (const std::exception &error) {
        return {ErrorCode::Unavailable, error.what()};
    }
}

} // namespace server::app
