#pragma once
/// How running work learns that it has to end: cancel, lease lost, job timeout.

#include "worker/base/files.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace worker {

using Clock = std::chrono::steady_clock;

/// Ordered by strength: a stronger reason replaces a weaker one, never the other way round.
enum class StopReason : std::uint8_t {
    None = 0,
    JobTimeout = 1, ///< the job's own limit passed; treated like a cancel
    Canceled = 2,   ///< a person, a newer run or the shutdown of the worker
    LeaseLost = 3,  ///< the server gave the job up: end at once and say nothing more
};

/// The stop signal of one job. request() may be called from a signal handler and from any thread;
/// everything else belongs to the job's thread.
class StopSignal
{
public:
    StopSignal();

    /// Asks the job to stop. Async-signal-safe.
    void request(StopReason reason) noexcept;

    [[nodiscard]] StopReason reason() const noexcept { return m_reason.load(); }

    /// Becomes readable with the first request and stays so.
    [[nodiscard]] int fd() const { return m_event.get(); }

private:
    std::atomic<StopReason> m_reason{StopReason::None};
    UniqueFd m_event;
};

} // namespace worker
