#pragma once
/// Accepts connections and keeps those that have nothing to do: new ones until their whole request
/// head (and a small body) has arrived, and kept-alive ones until the next one has. One thread and
/// epoll for all of them, so that slow or half-open connections cost a descriptor and no thread.

#include "schema/base/result.h"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace server::http {

struct FrontDoorOptions
{
    /// From the first byte of a request, or from accepting a connection, until its head and small
    /// body are there. Total: bytes that trickle in do not extend it.
    std::chrono::milliseconds headTime{10'000};
    /// How long a kept-alive connection may stay silent.
    std::chrono::milliseconds idleTime{30'000};
    std::size_t maxHeadBytes = 32U << 10U;
    /// Bodies up to this length are waited for here, not by the thread that handles the request.
    std::size_t maxBodyBytes = 16U << 10U;
    /// Connections kept here at most; beyond that the one that waits longest is closed.
    std::size_t maxConnections = 4096;
};

/// What is known about a request from the bytes that have arrived.
enum class Arrival { Incomplete, Complete, TooLong, Malformed };

/// Pure: whether a thread can begin with these bytes. Complete: the head ends, and the rest of a
/// body of a declared length up to maxBodyBytes is there (longer, chunked or `Expect`ed bodies are
/// read by the thread). TooLong: no end of the head within maxHeadBytes. Malformed: the first line
/// is no request line.
Arrival arrivalOf(std::string_view bytes, const FrontDoorOptions &options);

class FrontDoor
{
public:
    /// Called on the door's thread with a connection that has a request to be read; must not block.
    using Handler = std::function<void(const Poco::Net::StreamSocket &)>;

    /// Begins to accept on `listener`, which must listen. Errors: Io.
    static schema::Result<std::unique_ptr<FrontDoor>>
    open(const Poco::Net::ServerSocket &listener, Handler handler, const FrontDoorOptions &options);
    ~FrontDoor();
    FrontDoor(const FrontDoor &) = delete;
    FrontDoor &operator=(const FrontDoor &) = delete;

    /// Gives a kept-alive connection back to wait for its next request. Thread-safe.
    void giveBack(const Poco::Net::StreamSocket &socket);
    /// Stops accepting and closes every connection that waits. Thread-safe, idempotent.
    void close();

private:
    struct State;
    explicit FrontDoor(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace server::http
