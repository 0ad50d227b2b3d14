#pragma once
/// Sends finished runs as traces to an OpenTelemetry collector (OTLP over HTTP, JSON). Nobody waits
/// for it: runs to be sent stand in a bounded queue, and what a collector does not take in time is
/// dropped and counted.

#include "schema/base/result.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace server::app {

struct TraceTarget
{
    std::string url; ///< "http://collector:4318/v1/traces"
    std::vector<std::pair<std::string, std::string>> headers;
};

/// "http://host:4318" or ".../v1/traces", and headers as in OTEL_EXPORTER_OTLP_HEADERS
/// ("key=value,key2=value2"). Errors: InvalidArgument (neither http nor https, or no host).
schema::Result<TraceTarget> parseTraceTarget(const std::string &endpoint,
                                             const std::string &headers);

class TraceExporter
{
public:
    /// Gives the request bodies of a run; called on the exporter's thread.
    using Source = std::function<schema::Result<std::vector<std::string>>(std::int64_t runId)>;

    TraceExporter(TraceTarget target, Source source);
    ~TraceExporter();
    TraceExporter(const TraceExporter &) = delete;
    TraceExporter &operator=(const TraceExporter &) = delete;

    /// Queues a finished run. Never blocks and never fails: with a full queue the run is dropped.
    void ended(std::int64_t runId);

    [[nodiscard]] std::uint64_t sent() const { return m_sent.load(); }

    [[nodiscard]] std::uint64_t dropped() const { return m_dropped.load(); }

private:
    void loop(const std::stop_token &stop);
    bool send(const std::string &body, const std::stop_token &stop);
    schema::Status post(const std::string &body) const;

    TraceTarget m_target;
    Source m_source;
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::deque<std::int64_t> m_queue; ///< guarded by m_mutex
    std::atomic<std::uint64_t> m_sent{0}, m_dropped{0};
    std::jthread m_thread;
};

} // namespace server::app
