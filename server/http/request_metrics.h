#pragma once
/// Counters of the HTTP server, read by /metrics.

#include <atomic>
#include <cstdint>

namespace server::http {

class RequestMetrics
{
public:
    void count(int status, std::uint64_t microseconds)
    {
        m_requests.fetch_add(1, std::memory_order_relaxed);
        if (status >= 500)
            m_failures.fetch_add(1, std::memory_order_relaxed);
        m_microseconds.fetch_add(microseconds, std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t requests() const { return m_requests.load(); }

    /// Answers with a 5xx status.
    [[nodiscard]] std::uint64_t failures() const { return m_failures.load(); }

    /// Time spent in all requests together.
    [[nodiscard]] std::uint64_t microseconds() const { return m_microseconds.load(); }

private:
    std::atomic<std::uint64_t> m_requests{0}, m_failures{0}, m_microseconds{0};
};

} // namespace server::http
