#include "worker/process/stop.h"

#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>

namespace worker {

StopSignal::StopSignal()
    : m_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{}

void StopSignal::request(StopReason reason) noexcept
{
    auto current = m_reason.load();
    while (current < reason && !m_reason.compare_exchange_weak(current, reason)) {
    }
    const int keep = errno;
    const std::uint64_t one = 1;
    // The counter cannot overflow in the life of a job; a failed write leaves it readable anyway.
    [[maybe_unused]] const auto written = ::write(m_event.get(), &one, sizeof one);
    errno = keep;
}

} // namespace worker
