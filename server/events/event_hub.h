#pragma once
/// What changed, told to everybody who watches: a bounded ring of small events with growing ids.
/// Nothing is stored: a reader that fell behind is told to fetch everything again.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace server::events {

struct Event
{
    std::uint64_t id = 0;
    std::string type;      ///< "run", "log", "approval", "matrix", "worker" (docs/api.md, Events)
    std::string projectId; ///< empty: for every project
    std::string data;      ///< JSON object, one line
};

/// Events of one process. All methods are thread-safe.
class EventHub
{
public:
    /// Keeps the newest `capacity` events.
    explicit EventHub(std::size_t capacity = 4096);
    ~EventHub();
    EventHub(const EventHub &) = delete;
    EventHub &operator=(const EventHub &) = delete;

    /// Adds an event and wakes everybody. `data` must be a one-line JSON object. Call it after the
    /// change it tells about is committed.
    void publish(std::string type, std::string projectId, std::string data);

    /// Id of the newest event. Ids begin at a value derived from the start time of the process, so
    /// that an id of an earlier process is recognised as a gap.
    [[nodiscard]] std::uint64_t newestId() const;

    /// Events after `id` of `projectId` (and those for every project), oldest first, at most
    /// `limit`; nothing when events after `id` are already forgotten or `id` is unknown: the reader
    /// missed something ("event: reset").
    [[nodiscard]] std::optional<std::vector<Event>>
    since(std::uint64_t id, const std::string &projectId, std::size_t limit = 256) const;

    /// Blocks until an event newer than `id` exists or the time is over; true when one exists.
    bool waitFor(std::uint64_t id, std::chrono::milliseconds atMost) const;

    /// Keeps a listener registered; ends it on destruction (waits for a running call to return).
    class Subscription
    {
    public:
        Subscription() = default;

        explicit Subscription(std::shared_ptr<void> token)
            : m_token(std::move(token))
        {}

    private:
        std::shared_ptr<void> m_token;
    };

    /// Calls `wake` after every publish, on the publisher's thread: it must only signal (an
    /// eventfd, a flag), never block and never call the hub. The hub must outlive the subscription.
    [[nodiscard]] Subscription subscribe(std::function<void()> wake);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace server::events
