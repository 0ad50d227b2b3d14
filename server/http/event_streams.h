#pragma once
/// Server-sent events to browsers and programs (docs/api.md, Events). All streams live on one
/// thread: an open stream costs a socket and a small buffer, never a thread of the HTTP server.

#include "schema/base/result.h"
#include "server/events/event_hub.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace server::http {

class EventStreams
{
public:
    /// Most streams at the same time; more are refused with 503.
    static constexpr std::size_t kMaxStreams = 4000;

    /// The hub must outlive the streams.
    static schema::Result<std::unique_ptr<EventStreams>> start(events::EventHub &hub);
    ~EventStreams();

    /// True when another stream fits.
    [[nodiscard]] bool hasRoom() const;
    /// Takes over a connection on which the response head is already written; owns and closes `fd`.
    /// `lastId`: what the caller saw last (Last-Event-ID); absent: from now on.
    void adopt(int fd, std::string projectId, std::optional<std::uint64_t> lastId);
    /// Open streams, for metrics.
    [[nodiscard]] std::size_t count() const;

private:
    struct State;
    explicit EventStreams(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::http
