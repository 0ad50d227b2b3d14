#include "server/events/event_hub.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

namespace server::events {

struct EventHub::State
{
    std::size_t capacity;
    mutable std::mutex mutex;
    mutable std::condition_variable published;
    std::deque<Event> ring;
    std::uint64_t newest = 0;
    std::uint64_t forgotten = 0; ///< newest id that is no longer in the ring

    // Listeners have their own lock, so that a slow one never holds up readers.
    struct Listeners
    {
        std::mutex mutex;
        std::map<std::uint64_t, std::function<void()>> wake;
        std::uint64_t next = 0;
    };

    std::shared_ptr<Listeners> listeners = std::make_shared<Listeners>();
};

EventHub::EventHub(std::size_t capacity)
    : m_state(std::make_unique<State>())
{
    m_state->capacity = capacity;
    // Milliseconds since the epoch leave room for a thousand events a millisecond until the next
    // process begins higher; below 2^53, so that JavaScript reads ids exactly.
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    m_state->newest = m_state->forgotten = static_cast<std::uint64_t>(now.count()) * 1000;
}

EventHub::~EventHub() = default;

void EventHub::publish(std::string type, std::string projectId, std::string data)
{
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->ring.push_back(
            {++m_state->newest, std::move(type), std::move(projectId), std::move(data)});
        if (m_state->ring.size() > m_state->capacity) {
            m_state->forgotten = m_state->ring.front().id;
            m_state->ring.pop_front();
        }
    }
    m_state->published.notify_all();
    const std::scoped_lock lock(m_state->listeners->mutex);
    for (const auto &[id, wake] : m_state->listeners->wake)
        wake();
}

std::uint64_t EventHub::newestId() const
{
    const std::scoped_lock lock(m_state->mutex);
    return m_state->newest;
}

std::optional<std::vector<Event>> EventHub::since(std::uint64_t id, const std::string &projectId,
                                                  std::size_t limit) const
{
    const std::scoped_lock lock(m_state->mutex);
    if (id < m_state->forgotten || id > m_state->newest)
        return std::nullopt;
    std::vector<Event> events;
    // Ids in the ring are consecutive: the first one wanted is found by counting.
    for (auto at = static_cast<std::size_t>(id - m_state->forgotten);
         at < m_state->ring.size() && events.size() < limit; ++at) {
        const Event &event = m_state->ring[at];
        if (event.projectId.empty() || event.projectId == projectId)
            events.push_back(event);
    }
    return events;
}

bool EventHub::waitFor(std::uint64_t id, std::chrono::milliseconds atMost) const
{
    std::unique_lock lock(m_state->mutex);
    return m_state->published.wait_for(lock, atMost, [&] { return m_state->newest > id; });
}

EventHub::Subscription EventHub::subscribe(std::function<void()> wake)
{
    const std::shared_ptr<State::Listeners> listeners = m_state->listeners;
    const std::scoped_lock lock(listeners->mutex);
    const std::uint64_t id = ++listeners->next;
    listeners->wake.emplace(id, std::move(wake));
    return Subscription(std::shared_ptr<void>(nullptr, [listeners, id](void *) {
        const std::scoped_lock guard(listeners->mutex);
        listeners->wake.erase(id);
    }));
}

} // namespace server::events
