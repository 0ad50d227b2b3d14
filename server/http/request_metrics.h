#pragma once
/// Counters of the HTTP server, read by /metrics.

#include "schema/base/durations.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace server::http {

/// What a request is for: a label of /metrics, so the set is fixed, whatever callers send.
enum class RouteClass { Read, Change, Worker, Git, Stream, Portal };

inline constexpr std::array<std::string_view, 6> kRouteClasses{"read", "change", "worker",
                                                               "git",  "stream", "portal"};

/// The class of a request target (as sent, with or without query). Pure.
RouteClass routeClass(std::string_view method, std::string_view target);

/// Any thread may count and read.
class RequestMetrics
{
public:
    void count(RouteClass route, int status, std::chrono::nanoseconds took)
    {
        m_durations[static_cast<std::size_t>(route)].add(took);
        if (status >= 500)
            m_failures.fetch_add(1, std::memory_order_relaxed);
    }

    [[nodiscard]] const schema::Durations &durations(RouteClass route) const
    {
        return m_durations[static_cast<std::size_t>(route)];
    }

    /// Answers with a 5xx status.
    [[nodiscard]] std::uint64_t failures() const { return m_failures.load(); }

private:
    std::array<schema::Durations, kRouteClasses.size()> m_durations;
    std::atomic<std::uint64_t> m_failures{0};
};

} // namespace server::http
