#include "server/http/front_door.h"

#include "server/http/url.h"

#include <QLoggingCategory>

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocketImpl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace server::http {

using Clock = std::chrono::steady_clock;
using schema::ErrorCode;
using schema::Result;

namespace {

Q_LOGGING_CATEGORY(lcDoor, "server.http.door", QtWarningMsg)

/// Connections accepted in one go, before others are looked after.
constexpr int kAcceptAtOnce = 64;

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

/// What the head says about the body: its length, or nothing when the thread has to look.
std::optional<std::size_t> bodyLength(std::string_view head)
{
    std::size_t length = 0;
    while (!head.empty()) {
        const auto end = head.find('\n');
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        const std::string_view name = trimmed(line.substr(0, colon));
        if (equalsIgnoringCase(name, "Transfer-Encoding") || equalsIgnoringCase(name, "Expect"))
            return std::nullopt;
        if (equalsIgnoringCase(name, "Content-Length")) {
            const std::string_view value = trimmed(line.substr(colon + 1));
            const auto [stop, error] =
                std::from_chars(value.data(), value.data() + value.size(), length);
            if (error != std::errc() || stop != value.data() + value.size())
                return std::nullopt; // refused by the thread
        }
    }
    return length;
}

/// "METHOD TARGET HTTP/...": anything else could make the reader of the head wait for more.
bool isRequestLine(std::string_view line)
{
    const auto method = line.find(' ');
    const auto version = line.rfind(" HTTP/");
    return method != std::string_view::npos && method > 0 && version != std::string_view::npos &&
           line.substr(0, version).find_first_not_of(' ', method) != std::string_view::npos;
}

/// An answer from the door itself; the connection ends.
void refuse(int fd, const char *status)
{
    const std::string answer =
        std::string("HTTP/1.1 ") + status + "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(fd, SHUT_WR);
}

} // namespace

Arrival arrivalOf(std::string_view bytes, const FrontDoorOptions &options)
{
    // As Poco reads it: blank lines before the request are skipped, a line ends with LF, a CR
    // before it belongs to the end.
    const auto begin = bytes.find_first_not_of("\r\n \t\v\f");
    bytes.remove_prefix(std::min(begin, bytes.size()));
    const auto first = bytes.find('\n');
    if (first != std::string_view::npos && !isRequestLine(bytes.substr(0, first)))
        return Arrival::Malformed;
    std::size_t end = std::string_view::npos;
    for (auto at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
        const std::string_view rest = bytes.substr(at + 1);
        if (rest.starts_with("\n") || rest.starts_with("\r\n")) {
            end = at + 1 + (rest.front() == '\r' ? 2 : 1);
            break;
        }
    }
    if (end == std::string_view::npos || end > options.maxHeadBytes)
        return bytes.size() >= options.maxHeadBytes ? Arrival::TooLong : Arrival::Incomplete;
    const auto length = bodyLength(bytes.substr(0, end));
    if (!length || *length > options.maxBodyBytes || bytes.size() >= end + *length)
        return Arrival::Complete;
    return Arrival::Incomplete;
}

struct FrontDoor::State
{
    struct Waiting
    {
        Poco::Net::StreamSocket socket;
        Clock::time_point deadline;
        bool begun = false; ///< bytes of the request have arrived
        std::list<int>::iterator place;
    };

    Poco::Net::ServerSocket listener;
    Handler handler;
    FrontDoorOptions options;
    int epoll = -1;
    int wakeup = -1;
    std::vector<char> buffer; ///< peeked bytes

    std::mutex mutex; ///< of what other threads hand over
    std::vector<Poco::Net::StreamSocket> returned;
    bool closing = false;

    // The door's thread only. `order`: descriptors, the one that waits longest first.
    std::unordered_map<int, Waiting> waiting;
    std::list<int> order;
    bool deaf = false; ///< no descriptor was left to accept with
    std::thread thread;

    ~State()
    {
        for (const int fd : {epoll, wakeup}) {
            if (fd >= 0)
                ::close(fd);
        }
    }

    void run();
    void accept();
    void admit(const Poco::Net::StreamSocket &socket, bool kept);
    void look(int fd);
    void drop(int fd);
    void dropOldest();
    bool takeReturned();
    int expire();
    void listen(bool wanted);
};

void FrontDoor::State::listen(bool wanted)
{
    epoll_event event{};
    event.events = wanted ? EPOLLIN : 0U;
    event.data.fd = listener.impl()->sockfd();
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, event.data.fd, &event);
    deaf = !wanted;
}

void FrontDoor::State::accept()
{
    for (int i = 0; i < kAcceptAtOnce; ++i) {
        const int fd = ::accept4(listener.impl()->sockfd(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
            // Head and body of an answer are two writes: without this the second one waits for the
            // first to be acknowledged, which receivers put off by 40 ms.
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            admit(Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(fd)), false);
            continue;
        }
        if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
            return; // nobody is there, or somebody went away again
        // Out of descriptors: whoever waits longest makes room; with nobody, try again in a while.
        if (waiting.empty()) {
            qCWarning(lcDoor, "cannot accept connections: %s", std::strerror(errno));
            listen(false);
            return;
        }
        dropOldest();
    }
}

void FrontDoor::State::admit(const Poco::Net::StreamSocket &socket, bool kept)
{
    const int fd = socket.impl()->sockfd();
    if (waiting.size() >= options.maxConnections)
        dropOldest();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET; // once for all bytes that arrive together
    event.data.fd = fd;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return; // closed with the socket object
    const auto place = order.insert(order.end(), fd);
    waiting.insert_or_assign(
        fd,
        Waiting{socket, Clock::now() + (kept ? options.idleTime : options.headTime), !kept, place});
}

void FrontDoor::State::drop(int fd)
{
    const auto found = waiting.find(fd);
    if (found == waiting.end())
        return;
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
    order.erase(found->second.place);
    waiting.erase(found);
}

void FrontDoor::State::dropOldest()
{
    if (!order.empty())
        drop(order.front());
}

void FrontDoor::State::look(int fd)
{
    const auto found = waiting.find(fd);
    if (found == waiting.end())
        return;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(fd);
        return;
    }
    switch (arrivalOf({buffer.data(), static_cast<std::size_t>(got)}, options)) {
    case Arrival::Incomplete:
        if (!found->second.begun) {
            found->second.begun = true;
            found->second.deadline = Clock::now() + options.headTime;
        }
        return;
    case Arrival::TooLong:
        refuse(fd, "431 Request Header Fields Too Large");
        break;
    case Arrival::Malformed:
        refuse(fd, "400 Bad Request");
        break;
    case Arrival::Complete:
        const Poco::Net::StreamSocket socket = found->second.socket;
        drop(fd);
        handler(socket);
        return;
    }
    drop(fd);
}

bool FrontDoor::State::takeReturned()
{
    std::vector<Poco::Net::StreamSocket> sockets;
    {
        const std::scoped_lock lock(mutex);
        if (closing)
            return false;
        sockets.swap(returned);
    }
    for (const Poco::Net::StreamSocket &socket : sockets)
        admit(socket, true);
    return true;
}

/// Closes what waited too long. Gives the milliseconds until it has to look again.
int FrontDoor::State::expire()
{
    const auto now = Clock::now();
    std::vector<int> late;
    auto next = now + std::chrono::seconds(1);
    for (const auto &[fd, connection] : waiting) {
        if (connection.deadline <= now)
            late.push_back(fd);
        else
            next = std::min(next, connection.deadline);
    }
    for (const int fd : late)
        drop(fd);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - now).count();
    // Not more often than this: the look at all of them must not become the main work.
    return waiting.empty() && !deaf ? -1 : static_cast<int>(std::max<long>(left, 100));
}

void FrontDoor::State::run()
{
    std::array<epoll_event, 64> events{};
    auto nextLook = Clock::now();
    int patience = -1;
    while (takeReturned()) {
        if (patience < 0 || Clock::now() >= nextLook) {
            if (deaf)
                listen(true);
            patience = expire();
            nextLook = Clock::now() + std::chrono::milliseconds(std::max(patience, 0));
        }
        const int count = ::epoll_wait(epoll, events.data(), events.size(), patience);
        for (int i = 0; i < count; ++i) {
            const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
            if (fd == listener.impl()->sockfd()) {
                accept();
            } else if (fd == wakeup) {
                std::uint64_t number = 0;
                (void)!::read(wakeup, &number, sizeof number);
            } else {
                look(fd);
            }
        }
    }
    waiting.clear();
    order.clear();
    listener.close();
}

FrontDoor::FrontDoor(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

FrontDoor::~FrontDoor()
{
    close();
}

Result<std::unique_ptr<FrontDoor>> FrontDoor::open(const Poco::Net::ServerSocket &listener,
                                                   Handler handler, const FrontDoorOptions &options)
{
    auto state = std::make_unique<State>();
    state->listener = listener;
    state->handler = std::move(handler);
    state->options = options;
    state->buffer.resize(options.maxHeadBytes + options.maxBodyBytes);
    state->epoll = ::epoll_create1(EPOLL_CLOEXEC);
    state->wakeup = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int listening = state->listener.impl()->sockfd();
    ::fcntl(listening, F_SETFD, FD_CLOEXEC);
    ::fcntl(listening, F_SETFL, ::fcntl(listening, F_GETFL) | O_NONBLOCK);
    for (const int fd : {listening, state->wakeup}) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (::epoll_ctl(state->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            return {ErrorCode::Io,
                    std::string("cannot wait for connections: ") + std::strerror(errno)};
    }
    State &running = *state;
    state->thread = std::thread([&running] { running.run(); });
    return std::unique_ptr<FrontDoor>(new FrontDoor(std::move(state)));
}

void FrontDoor::giveBack(const Poco::Net::StreamSocket &socket)
{
    {
        const std::scoped_lock lock(m_state->mutex);
        if (m_state->closing)
            return;
        m_state->returned.push_back(socket);
    }
    const std::uint64_t one = 1;
    (void)!::write(m_state->wakeup, &one, sizeof one);
}

void FrontDoor::close()
{
    {
        const std::scoped_lock lock(m_state->mutex);
        m_state->closing = true;
        m_state->returned.clear();
    }
    const std::uint64_t one = 1;
    (void)!::write(m_state->wakeup, &one, sizeof one);
    if (m_state->thread.joinable())
        m_state->thread.join();
}

} // namespace server::http
