#pragma once
/// The control channel: one WebSocket to the server, frames as values.

#include "schema/protocol/messages.h"
#include "worker/listener/identity.h"

#include <memory>
#include <optional>

namespace worker {

class Channel
{
public:
    /// Connects and upgrades. Errors: Unavailable (try again), Unauthenticated (secret refused or
    /// worker removed).
    static Result<std::unique_ptr<Channel>> open(const Identity &identity);
    ~Channel();

    /// To poll for reading.
    [[nodiscard]] int fd() const;
    /// Bytes wait that poll does not know of.
    [[nodiscard]] bool buffered() const;

    /// Next frame; nothing for what is no frame of ours (ping, pong, unknown type). Errors:
    /// Unavailable (closed), InvalidArgument (malformed: close it).
    Result<std::optional<schema::protocol::ServerFrame>> receive();
    Status send(const schema::protocol::WorkerFrame &frame);
    Status ping();

private:
    struct State;
    explicit Channel(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace worker
