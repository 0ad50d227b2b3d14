// Randomness and time of a simulated world, and its course.
#include "tests/server/support/simulation/simulation.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <memory>
#include <span>
#include <string>

namespace tests {

using namespace std::chrono_literals;

namespace {

using server::store::Database;

std::unique_ptr<Database> emptyDatabase()
{
    auto opened = Database::open(":memory:");
    if (!opened)
        qFatal("%s", opened.error().message.c_str());
    return std::move(*opened);
}

} // namespace

Simulation::Simulation(std::uint64_t seed, Sabotage sabotage)
    : m_seed(seed)
    , m_random(seed)
    , m_sabotage(sabotage)
{
    m_database = emptyDatabase();
    populate();
    for (std::int64_t id : m_workerIds)
        m_workers[id].slots = 1 + static_cast<int>(pick(2));
}

void Simulation::run(int runs)
{
    m_faults = true;
    for (int i = 0; i < runs; ++i)
        after(millis(0, 120'000), [this] { createRun(); });
    for (const std::int64_t id : m_workerIds) {
        after(millis(0, 5'000), [this, id] { connect(id); });
        after(20s, [this, id] { renew(id); });
    }
    after(5s, [this] { approve(); });
    after(3s, [this] { meddle(); });
    arm();
    advanceUntil([this] { return m_clock > 15min; }, 16min);
    m_faults = false;
    // Enough for every approval to expire and for every job to be waited for.
    advanceUntil([this] { return m_memoryFresh && m_inbox.empty() && m_memory.runs.empty(); }, 6h);
    finalCheck(runs);
}

std::string Simulation::course()
{
    // The next of the random numbers tells how many were drawn.
    return fmt::format("{} events in {} ms, {} plans, then {}", m_sequence, m_clock.count(),
                       m_plans, m_random());
}

bool Simulation::fault(int perMille)
{
    return m_faults && pick(1000) < static_cast<std::uint64_t>(perMille);
}

std::chrono::milliseconds Simulation::millis(std::int64_t from, std::int64_t to)
{
    return std::chrono::milliseconds(
        from + static_cast<std::int64_t>(pick(static_cast<std::uint64_t>(to - from + 1))));
}

void Simulation::after(std::chrono::milliseconds delay, std::function<void()> what)
{
    m_events.push({m_clock + delay, ++m_sequence, std::move(what)});
}

schema::TimePoint Simulation::now() const
{
    return schema::fromEpochMillis(1'800'000'000'000 + m_clock.count() + m_skew.count());
}

void Simulation::advanceUntil(const std::function<bool()> &done, Clock limit)
{
    while (!done()) {
        if (m_clock > limit || m_events.empty())
            throw Violation("runs did not end: " + describeOpen());
        auto event = m_events.top();
        m_events.pop();
        m_clock = std::max(m_clock, event.at);
        event.what();
    }
}

} // namespace tests
