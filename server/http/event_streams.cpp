#include "server/http/event_streams.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPingInterval{15};
/// A reader that lets more than this pile up is cut off; it reconnects and resumes or resets.
constexpr std::size_t kMaxPending = 256U << 10U;
constexpr std::size_t kBatch = 256;

struct Stream
{
    int fd = -1;
    std::string projectId;
    std::uint64_t lastId = 0;
    std::string pending;
    bool waitsForWrite = false;
};

struct Newcomer
{
    int fd;
    std::string projectId;
    std::optional<std::uint64_t> lastId;
};

std::string format(const events::Event &event)
{
    return "id: " + std::to_string(event.id) + "\nevent: " + event.type + "\ndata: " + event.data +
           "\n\n";
}

} // namespace

struct EventStreams::State
{
    explicit State(events::EventHub &source)
        : hub(source)
    {}

    ~State()
    {
        for (const int fd : {epoll, wake})
            if (fd >= 0)
                ::close(fd);
    }

    void signal() const
    {
        const std::uint64_t one = 1;
        // A full counter means that the thread is already going to look.
        [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
    }

    void loop(const std::stop_token &stop);
    void welcome();
    void deliver(Stream &stream);
    bool flush(Stream &stream);
    void remove(int fd);

    events::EventHub &hub;
    int epoll = -1;
    int wake = -1;
    std::mutex mutex;
    std::vector<Newcomer> newcomers; ///< guarded by mutex
    std::map<int, Stream> streams;   ///< loop thread only
    std::atomic<std::size_t> count{0};
    events::EventHub::Subscription subscription;
    std::jthread thread;
};

void EventStreams::State::remove(int fd)
{
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
    ::close(fd);
    streams.erase(fd);
    count.fetch_sub(1);
}

/// Sends what is pending; false when the reader is gone or too slow.
bool EventStreams::State::flush(Stream &stream)
{
    while (!stream.pending.empty()) {
        const ssize_t sent = ::send(stream.fd, stream.pending.data(), stream.pending.size(),
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            stream.pending.erase(0, static_cast<std::size_t>(sent));
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        return false;
    }
    const bool wants = !stream.pending.empty();
    if (wants != stream.waitsForWrite) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP | (wants ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
        event.data.fd = stream.fd;
        ::epoll_ctl(epoll, EPOLL_CTL_MOD, stream.fd, &event);
        stream.waitsForWrite = wants;
    }
    return stream.pending.size() <= kMaxPending;
}

/// Appends the events that the stream has not got yet.
void EventStreams::State::deliver(Stream &stream)
{
    while (stream.pending.size() <= kMaxPending) {
        const auto events = hub.since(stream.lastId, stream.projectId, kBatch);
        if (!events) {
            stream.lastId = hub.newestId();
            stream.pending +=
                "id: " + std::to_string(stream.lastId) + "\nevent: reset\ndata: {}\n\n";
            return;
        }
        for (const auto &event : *events) {
            stream.pending += format(event);
            stream.lastId = event.id;
        }
        if (events->size() < kBatch)
            return;
    }
}

void EventStreams::State::welcome()
{
    std::vector<Newcomer> arrived;
    {
        const std::lock_guard lock(mutex);
        arrived.swap(newcomers);
    }
    for (auto &newcomer : arrived) {
        Stream stream;
        stream.fd = newcomer.fd;
        stream.projectId = std::move(newcomer.projectId);
        stream.lastId = newcomer.lastId.value_or(hub.newestId());
        // The id lets the reader resume even when nothing has happened yet.
        stream.pending = "retry: 1000\nid: " + std::to_string(stream.lastId) + "\n: connected\n\n";
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP;
        event.data.fd = stream.fd;
        ::fcntl(stream.fd, F_SETFL, ::fcntl(stream.fd, F_GETFL) | O_NONBLOCK);
        if (::epoll_ctl(epoll, EPOLL_CTL_ADD, stream.fd, &event) != 0) {
            ::close(stream.fd);
            count.fetch_sub(1);
            continue;
        }
        streams.emplace(stream.fd, std::move(stream));
    }
}

void EventStreams::State::loop(const std::stop_token &stop)
{
    auto nextPing = SteadyClock::now() + kPingInterval;
    std::array<epoll_event, 64> ready{};
    while (!stop.stop_requested()) {
        const auto untilPing =
            std::chrono::duration_cast<std::chrono::milliseconds>(nextPing - SteadyClock::now());
        const int timeout =
            streams.empty() ? -1 : static_cast<int>(std::max<std::int64_t>(untilPing.count(), 0));
        const int got = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), timeout);
        std::vector<int> gone;
        for (int i = 0; i < got; ++i) {
            const int fd = ready[static_cast<std::size_t>(i)].data.fd;
            if (fd == wake) {
                std::uint64_t value = 0;
                [[maybe_unused]] const auto drained = ::read(wake, &value, sizeof value);
                continue;
            }
            const auto events = ready[static_cast<std::size_t>(i)].events;
            char sink[512];
            // Readers have nothing to say; reading only tells whether they are still there.
            if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0 ||
                ((events & EPOLLIN) != 0 && ::recv(fd, sink, sizeof sink, MSG_DONTWAIT) == 0))
                gone.push_back(fd);
        }
        for (const int fd : gone)
            if (streams.contains(fd))
                remove(fd);
        welcome();
        const bool ping = SteadyClock::now() >= nextPing;
        if (ping)
            nextPing = SteadyClock::now() + kPingInterval;
        std::vector<int> broken;
        for (auto &[fd, stream] : streams) {
            if (ping)
                stream.pending += ": ping\n\n";
            deliver(stream);
            if (!flush(stream))
                broken.push_back(fd);
        }
        for (const int fd : broken)
            remove(fd);
    }
    while (!streams.empty())
        remove(streams.begin()->first);
}

EventStreams::EventStreams(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

Result<std::unique_ptr<EventStreams>> EventStreams::start(events::EventHub &hub)
{
    auto state = std::make_unique<State>(hub);
    state->epoll = ::epoll_create1(EPOLL_CLOEXEC);
    state->wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = state->wake;
    if (state->epoll < 0 || state->wake < 0 ||
        ::epoll_ctl(state->epoll, EPOLL_CTL_ADD, state->wake, &event) != 0)
        return {ErrorCode::Io, std::string("start event streams: ") + std::strerror(errno)};
    State *raw = state.get();
    state->subscription = hub.subscribe([raw] { raw->signal(); });
    state->thread = std::jthread([raw](const std::stop_token &stop) { raw->loop(stop); });
    return std::unique_ptr<EventStreams>(new EventStreams(std::move(state)));
}

EventStreams::~EventStreams()
{
    m_state->subscription = {};
    m_state->thread.request_stop();
    m_state->signal();
    m_state->thread.join();
    const std::lock_guard lock(m_state->mutex);
    for (const auto &newcomer : m_state->newcomers)
        ::close(newcomer.fd);
}

bool EventStreams::hasRoom() const
{
    return m_state->count.load() < kMaxStreams;
}

void EventStreams::adopt(int fd, std::string projectId, std::optional<std::uint64_t> lastId)
{
    m_state->count.fetch_add(1);
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->newcomers.push_back({fd, std::move(projectId), lastId});
    }
    m_state->signal();
}

std::size_t EventStreams::count() const
{
    return m_state->count.load();
}

} // namespace server::http
