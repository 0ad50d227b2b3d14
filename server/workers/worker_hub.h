#pragma once
/// The control channels of all workers on one thread: an idle worker costs a socket and a few
/// hundred bytes. server/http does the WebSocket handshake and hands the socket over.

#include "schema/base/result.h"
#include "server/scheduler/scheduler.h"

#include <cstdint>
#include <memory>
#include <string>

namespace server::workers {

/// Thread: one of its own for reading, writing, pings and time-outs (20 s of silence: ping, 60 s:
/// closed). Methods are thread-safe.
class WorkerHub : public scheduler::WorkerChannel
{
public:
    /// The scheduler must outlive the hub.
    static schema::Result<std::unique_ptr<WorkerHub>> start(scheduler::Scheduler &scheduler);
    ~WorkerHub() override;

    /// Takes over a connected socket on which the WebSocket handshake (RFC 6455) was just completed
    /// for an authenticated worker; owns and closes `fd`. `early`: bytes already read behind the
    /// request. An earlier connection of the same worker is closed. `serverUrl`: base URL as the
    /// worker reached us (scheme and Host of the request), used in job messages.
    void adopt(int fd, std::int64_t workerId, std::string serverUrl, std::string early = {});

    /// Queues a frame; false when the worker is not connected (the frame is dropped).
    bool send(std::int64_t workerId, const schema::protocol::ServerFrame &frame) override;

    /// Connections now, for metrics.
    [[nodiscard]] std::size_t connections() const;

private:
    struct State;
    explicit WorkerHub(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::workers
