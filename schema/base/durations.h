#pragma once
/// Durations counted by size: what /metrics shows as a histogram.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace schema {

/// Upper bounds in seconds; what is longer than the last one counts beyond it.
inline constexpr std::array<double, 14> kDurationBounds{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60};

/// Any thread may add and read; adding takes two atomic additions and no lock.
class Durations
{
public:
    /// Negative ones (a clock that was set) count as zero.
    void add(std::chrono::nanoseconds duration)
    {
        const auto counted = duration.count() < 0 ? std::chrono::nanoseconds(0) : duration;
        const double seconds = std::chrono::duration<double>(counted).count();
        std::size_t bucket = 0;
        while (bucket < kDurationBounds.size() && seconds > kDurationBounds[bucket])
            ++bucket;
        m_counts[bucket].fetch_add(1, std::memory_order_relaxed);
        m_nanoseconds.fetch_add(static_cast<std::uint64_t>(counted.count()),
                                std::memory_order_relaxed);
    }

    /// How many fell between the bound before and this one; `kDurationBounds.size()`: beyond all.
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const
    {
        return m_counts[bucket].load(std::memory_order_relaxed);
    }

    /// All of them together.
    [[nodiscard]] double seconds() const
    {
        return static_cast<double>(m_nanoseconds.load(std::memory_order_relaxed)) / 1e9;
    }

private:
    std::array<std::atomic<std::uint64_t>, kDurationBounds.size() + 1> m_counts{};
    std::atomic<std::uint64_t> m_nanoseconds{0};
};

} // namespace schema
