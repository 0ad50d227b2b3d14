#pragma once
/// Requests the stop of a job when its own time limit passes.

#include "worker/process/stop.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace worker {

class Watchdog
{
public:
    Watchdog(StopSignal &stop, std::chrono::milliseconds limit)
        : m_thread([this, &stop, limit](const std::stop_token &token) {
            std::unique_lock lock(m_mutex);
            if (!m_wake.wait_for(lock, token, limit, [&token] { return token.stop_requested(); }))
                stop.request(StopReason::JobTimeout);
        })
    {}

private:
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    std::jthread m_thread; ///< last: ends before what it uses
};

} // namespace worker
