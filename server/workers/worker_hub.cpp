#include "server/workers/worker_hub.h"

#include "server/workers/frame_reader.h"

#include <QLoggingCategory>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace server::workers {
namespace {

Q_LOGGING_CATEGORY(lcHub, "server.workers")

using Clock = std::chrono::steady_clock;
using schema::Error;
using schema::ErrorCode;
using schema::Status;

constexpr auto kPingAfter = std::chrono::seconds(20);
constexpr auto kCloseAfter = std::chrono::seconds(60);
/// Bytes waiting for a worker that does not read; beyond that its connection is closed, and hello
/// repeats what it missed.
constexpr std::size_t kMostQueued = 64U << 20U;

struct Connection
{
    int fd = -1;
    std::int64_t workerId = 0;
    FrameReader reader{schema::protocol::kMaxFrameBytes};
    std::string output; ///< bytes not yet taken by the socket
    Clock::time_point heard = Clock::now();
    bool pinged = false;
    bool closing = false; ///< close frame queued: nothing more is read
    bool dead =
        false; ///< removed at the end of the round, so that nobody holds a dangling reference
};

} // namespace

struct WorkerHub::State
{
    explicit State(scheduler::Scheduler &s)
        : scheduler(s)
    {}

    scheduler::Scheduler &scheduler;
    int epoll = -1;
    int wakeup = -1; ///< eventfd: new connections, frames or the end
    std::atomic<bool> stopping = false;
    std::atomic<std::size_t> count = 0;

    struct Adopted
    {
        int fd;
        std::int64_t workerId;
        std::string serverUrl;
        std::string early;
    };

    mutable std::mutex mutex;
    std::vector<Adopted> adopted;
    std::vector<std::pair<std::int64_t, std::string>> outgoing;
    std::map<std::int64_t, int> connected; ///< worker -> fd, for send()

    std::map<int, Connection> connections; // the hub's thread only
    std::vector<int> dead;                 // likewise
    std::jthread thread;

    ~State()
    {
        stopping = true;
        wake();
        if (thread.joinable())
            thread.join();
        for (const auto &[fd, connection] : connections)
            ::close(fd);
        for (const Adopted &one : adopted)
            ::close(one.fd);
        if (wakeup >= 0)
            ::close(wakeup);
        if (epoll >= 0)
            ::close(epoll);
    }

    void wake() const
    {
        const std::uint64_t one = 1;
        (void)!::write(wakeup, &one, sizeof one); // a full counter wakes just as well
    }

    void run();
    void welcome(Adopted one);
    void takeRequests();
    void readable(Connection &connection);
    void received(Connection &connection, const Message &message);
    void queue(Connection &connection, std::string bytes);
    bool flush(Connection &connection);
    void refuse(Connection &connection, std::uint16_t status, const std::string &why);
    void drop(Connection &connection);
    void removeDead();
    void lookAtSilence(Clock::time_point now);
};

WorkerHub::WorkerHub(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

WorkerHub::~WorkerHub() = default;

schema::Result<std::unique_ptr<WorkerHub>> WorkerHub::start(scheduler::Scheduler &scheduler)
{
    auto state = std::make_unique<State>(scheduler);
    state->epoll = ::epoll_create1(EPOLL_CLOEXEC);
    state->wakeup = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = state->wakeup;
    if (state->epoll < 0 || state->wakeup < 0 ||
        ::epoll_ctl(state->epoll, EPOLL_CTL_ADD, state->wakeup, &event) != 0)
        return Error{ErrorCode::Io, fmt::format("worker connections: {}", std::strerror(errno))};
    State *raw = state.get();
    state->thread = std::jthread([raw] { raw->run(); });
    return std::unique_ptr<WorkerHub>(new WorkerHub(std::move(state)));
}

void WorkerHub::adopt(int fd, std::int64_t workerId, std::string serverUrl, std::string early)
{
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->adopted.push_back({fd, workerId, std::move(serverUrl), std::move(early)});
    }
    m_state->wake();
}

bool WorkerHub::send(std::int64_t workerId, const schema::protocol::ServerFrame &frame)
{
    std::string bytes = encodeFrame(Opcode::Text, schema::protocol::encode(frame));
    {
        const std::scoped_lock lock(m_state->mutex);
        if (!m_state->connected.contains(workerId))
            return false;
        m_state->outgoing.emplace_back(workerId, std::move(bytes));
    }
    m_state->wake();
    return true;
}

std::size_t WorkerHub::connections() const
{
    return m_state->count;
}

void WorkerHub::State::run()
{
    std::array<epoll_event, 256> events{};
    auto lastLook = Clock::now();
    while (!stopping) {
        // Without connections there is no silence to look at: sleep until somebody comes.
        const int timeout = connections.empty() ? -1 : 5000;
        const int ready =
            ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout);
        for (int i = 0; i < ready; ++i) {
            const epoll_event &event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == wakeup) {
                std::uint64_t ignored = 0;
                (void)!::read(wakeup, &ignored, sizeof ignored);
                continue;
            }
            const auto at = connections.find(event.data.fd);
            if (at == connections.end() || at->second.dead)
                continue;
            if ((event.events & EPOLLOUT) != 0 && !flush(at->second))
                continue;
            if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
                readable(at->second);
        }
        takeRequests();
        if (const auto now = Clock::now(); now - lastLook >= std::chrono::seconds(5)) {
            lastLook = now;
            lookAtSilence(now);
        }
        removeDead();
    }
}

void WorkerHub::State::takeRequests()
{
    std::vector<Adopted> arrivals;
    std::vector<std::pair<std::int64_t, std::string>> frames;
    {
        const std::scoped_lock lock(mutex);
        arrivals.swap(adopted);
        frames.swap(outgoing);
    }
    for (auto &[workerId, bytes] : frames) {
        int fd = -1;
        {
            const std::scoped_lock lock(mutex);
            if (const auto known = connected.find(workerId); known != connected.end())
                fd = known->second;
        }
        if (const auto at = connections.find(fd); at != connections.end() && !at->second.closing)
            queue(at->second, std::move(bytes));
    }
    for (Adopted &one : arrivals)
        welcome(
            std::move(one)); // a number of a closed socket cannot come again before removeDead()
}

void WorkerHub::State::welcome(Adopted one)
{
    const int on = 1;
    ::setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &on,
                 sizeof on); // fails on Unix sockets, where there is no delay
    const int flags = ::fcntl(one.fd, F_GETFL);
    ::fcntl(one.fd, F_SETFL, flags | O_NONBLOCK);
    int previous = -1;
    {
        const std::scoped_lock lock(mutex);
        if (const auto known = connected.find(one.workerId); known != connected.end())
            previous = known->second;
    }
    if (previous >= 0) {
        qCInfo(lcHub, "worker=%lld connected again, its earlier connection is closed",
               static_cast<long long>(one.workerId));
        if (const auto at = connections.find(previous); at != connections.end()) {
            refuse(at->second, 1008, "another connection of this worker took over");
            drop(at->second);
        }
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.fd = one.fd;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, one.fd, &event) != 0) {
        qCWarning(lcHub, "worker=%lld cannot be watched: %s", static_cast<long long>(one.workerId),
                  std::strerror(errno));
        ::close(one.fd);
        return;
    }
    Connection connection;
    connection.fd = one.fd;
    connection.workerId = one.workerId;
    Connection &stored = connections.insert_or_assign(one.fd, std::move(connection)).first->second;
    count = connections.size();
    {
        const std::scoped_lock lock(mutex);
        connected[one.workerId] = one.fd;
    }
    scheduler.workerConnected(one.workerId, std::move(one.serverUrl));
    std::vector<Message> messages;
    if (const Status read = stored.reader.feed(one.early, messages); !read)
        refuse(stored, 1002, read.error().message);
    for (const Message &message : messages)
        received(stored, message);
}

void WorkerHub::State::readable(Connection &connection)
{
    std::array<char, 16384> buffer{};
    const int fd = connection.fd;
    std::vector<Message> messages;
    while (true) {
        const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (got <= 0) {
            drop(connection);
            return;
        }
        connection.heard = Clock::now();
        connection.pinged = false;
        if (connection.closing)
            continue; // read and forgotten until the peer closes
        const Status read =
            connection.reader.feed({buffer.data(), static_cast<std::size_t>(got)}, messages);
        if (!read)
            refuse(connection, read.error().code == ErrorCode::LimitExceeded ? 1009 : 1002,
                   read.error().message);
        if (static_cast<std::size_t>(got) < buffer.size())
            break;
    }
    for (const Message &message : messages)
        received(connection, message);
}

void WorkerHub::State::received(Connection &connection, const Message &message)
{
    if (connection.closing)
        return;
    switch (message.opcode) {
    case Opcode::Ping:
        queue(connection, encodeFrame(Opcode::Pong, message.payload));
        return;
    case Opcode::Close:
        refuse(connection, 1000, {});
        return;
    case Opcode::Text: {
        auto frame = schema::protocol::decodeWorkerFrame(message.payload);
        if (!frame)
            refuse(connection, 1007, frame.error().message);
        else
            scheduler.workerFrame(connection.workerId, std::move(*frame));
        return;
    }
    case Opcode::Binary:
        refuse(connection, 1003, "control frames are text");
        return;
    case Opcode::Pong:
    case Opcode::Continuation:
        return;
    }
}

void WorkerHub::State::queue(Connection &connection, std::string bytes)
{
    if (connection.dead)
        return;
    const bool idle = connection.output.empty();
    if (idle)
        connection.output = std::move(bytes);
    else
        connection.output += bytes;
    if (connection.output.size() > kMostQueued) {
        qCWarning(lcHub, "worker=%lld does not read what it is sent; connection closed",
                  static_cast<long long>(connection.workerId));
        drop(connection);
        return;
    }
    if (idle)
        (void)flush(connection);
}

/// False when the connection is gone.
bool WorkerHub::State::flush(Connection &connection)
{
    std::size_t done = 0;
    while (done < connection.output.size()) {
        const ssize_t put = ::send(connection.fd, connection.output.data() + done,
                                   connection.output.size() - done, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (put < 0) {
            drop(connection);
            return false;
        }
        done += static_cast<std::size_t>(put);
    }
    connection.output.erase(0, done);
    if (connection.output.empty())
        std::string().swap(connection.output);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | (connection.output.empty() ? 0U : EPOLLOUT);
    event.data.fd = connection.fd;
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, connection.fd, &event);
    if (connection.closing && connection.output.empty())
        ::shutdown(connection.fd, SHUT_WR);
    return true;
}

void WorkerHub::State::refuse(Connection &connection, std::uint16_t status, const std::string &why)
{
    if (connection.closing)
        return;
    if (!why.empty())
        qCWarning(lcHub, "worker=%lld connection closed: %s",
                  static_cast<long long>(connection.workerId), why.c_str());
    connection.closing = true;
    queue(connection, encodeClose(status, why));
}

void WorkerHub::State::drop(Connection &connection)
{
    if (connection.dead)
        return;
    connection.dead = connection.closing = true;
    dead.push_back(connection.fd);
    {
        const std::scoped_lock lock(mutex);
        if (const auto known = connected.find(connection.workerId);
            known != connected.end() && known->second == connection.fd)
            connected.erase(known);
    }
    scheduler.workerDisconnected(connection.workerId);
}

void WorkerHub::State::removeDead()
{
    for (const int fd : std::exchange(dead, {})) {
        ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
        ::close(fd);
        connections.erase(fd);
    }
    count = connections.size();
}

void WorkerHub::State::lookAtSilence(Clock::time_point now)
{
    for (auto &[fd, connection] : connections) {
        if (now - connection.heard > kCloseAfter) {
            drop(connection);
        } else if (!connection.pinged && now - connection.heard > kPingAfter) {
            connection.pinged = true;
            queue(connection, encodeFrame(Opcode::Ping, {}));
        }
    }
}

} // namespace server::workers
