#include "worker/process/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace worker {
namespace {

struct Pipe
{
    UniqueFd readEnd, writeEnd;
};

Result<Pipe> makePipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return systemError("open a pipe for", "a step", errno);
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char *> pointers(std::vector<std::string> &texts)
{
    std::vector<char *> out;
    out.reserve(texts.size() + 1);
    for (auto &text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// One running process: owns its pipes and the order of INT, TERM, KILL.
class Running
{
public:
    Running(const ProcessSpec &spec, const ProcessLimits &limits, const StopSignal *stop,
            const ProcessCallbacks &callbacks)
        : m_spec(spec)
        , m_limits(limits)
        , m_stop(stop)
        , m_callbacks(callbacks)
    {}

    Status start();
    ProcessEnd run();

private:
    enum class Ending : std::uint8_t { No, Interrupted, Terminated, Killed };

    void signalGroup(int number) const
    {
        if (m_callbacks.signal)
            m_callbacks.signal(number);
        if (!m_callbacks.signal || number == SIGKILL)
            ::kill(-m_pid, number);
    }

    void beginEnd();
    void onTimers(Clock::time_point now);
    int pollTimeout(Clock::time_point now) const;
    void checkStop();
    bool readSome(UniqueFd &fd, Stream stream);
    void writeInput();
    void reap();

    const ProcessSpec &m_spec;
    const ProcessLimits &m_limits;
    const StopSignal *m_stop;
    const ProcessCallbacks &m_callbacks;

    pid_t m_pid = -1;
    UniqueFd m_pidfd, m_out, m_error, m_input;
    std::size_t m_inputWritten = 0;
    bool m_exited = false;
    Ending m_ending = Ending::No;
    Clock::time_point m_nextSignal;
    std::optional<Clock::time_point> m_drainUntil;
    StopReason m_seenStop = StopReason::None;
    ProcessEnd m_end;
    std::array<char, 1U << 16U> m_buffer{};
};

Status Running::start()
{
    ASSIGN_OR_RETURN(auto out, makePipe());
    ASSIGN_OR_RETURN(auto error, makePipe());
    ASSIGN_OR_RETURN(auto input, makePipe());

    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.readEnd.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, out.writeEnd.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, error.writeEnd.get(), 2);
    // Libraries open sockets without close-on-exec: a step gets none of them.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!m_spec.workingDirectory.empty())
        posix_spawn_file_actions_addchdir_np(&actions, m_spec.workingDirectory.c_str());

    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    sigset_t all{};
    sigfillset(&all);
    sigset_t none{};
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));

    std::vector<std::string> arguments{m_spec.program};
    arguments.insert(arguments.end(), m_spec.arguments.begin(), m_spec.arguments.end());
    std::vector<std::string> environment;
    environment.reserve(m_spec.environment.size());
    for (const auto &[name, value] : m_spec.environment)
        environment.push_back(std::string(name).append("=").append(value));

    const int result = ::posix_spawn(&m_pid, m_spec.program.c_str(), &actions, &attributes,
                                     pointers(arguments).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (result != 0) {
        m_pid = -1;
        if (result == ENOENT && !m_spec.workingDirectory.empty() &&
            !fs::is_directory(m_spec.workingDirectory))
            return systemError("enter the working directory", m_spec.workingDirectory, result);
        if (result == E2BIG)
            return {ErrorCode::LimitExceeded, "start '" + m_spec.program +
                                                  "': arguments and environment are too long; a "
                                                  "variable or input has too large a value"};
        return systemError("start", m_spec.program, result);
    }
    m_pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, m_pid, 0U)));
    m_out = std::move(out.readEnd);
    m_error = std::move(error.readEnd);
    ::fcntl(m_out.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(m_error.get(), F_SETFL, O_NONBLOCK);
    if (!m_spec.input.empty()) {
        m_input = std::move(input.writeEnd);
        ::fcntl(m_input.get(), F_SETFL, O_NONBLOCK);
    }
    // The kernel, short of memory, shall take the step before the worker.
    const UniqueFd score(::open(("/proc/" + std::to_string(m_pid) + "/oom_score_adj").c_str(),
                                O_WRONLY | O_CLOEXEC));
    if (score) [[maybe_unused]]
        const auto written = ::write(score.get(), "500", 3);
    return {};
}

void Running::beginEnd()
{
    if (m_ending != Ending::No)
        return;
    m_ending = Ending::Interrupted;
    m_nextSignal = Clock::now() + m_limits.interruptGrace;
    signalGroup(SIGINT);
}

void Running::checkStop()
{
    if (m_stop == nullptr || m_stop->reason() <= m_seenStop)
        return;
    m_seenStop = m_stop->reason();
    if (m_seenStop == StopReason::LeaseLost) {
        m_end.stopped = m_seenStop;
        m_ending = Ending::Killed;
        signalGroup(SIGKILL);
    } else if (!m_callbacks.shouldStop || m_callbacks.shouldStop(m_seenStop)) {
        m_end.stopped = m_seenStop;
        beginEnd();
    }
}

void Running::onTimers(Clock::time_point now)
{
    if (m_exited)
        return;
    if (m_ending == Ending::No) {
        const auto finishBy =
            m_callbacks.finishBy ? m_callbacks.finishBy() : std::optional<Clock::time_point>();
        if (m_limits.deadline && now >= *m_limits.deadline) {
            m_end.timedOut = true;
            beginEnd();
        } else if (finishBy && now >= *finishBy) {
            beginEnd();
        }
    } else if (m_ending == Ending::Interrupted && now >= m_nextSignal) {
        m_ending = Ending::Terminated;
        m_nextSignal = now + m_limits.terminateGrace;
        signalGroup(SIGTERM);
    } else if (m_ending == Ending::Terminated && now >= m_nextSignal) {
        m_ending = Ending::Killed;
        signalGroup(SIGKILL);
    }
}

int Running::pollTimeout(Clock::time_point now) const
{
    std::optional<Clock::time_point> next;
    const auto consider = [&next](std::optional<Clock::time_point> time) {
        if (time && (!next || *time < *next))
            next = time;
    };
    if (m_exited) {
        consider(m_drainUntil);
    } else if (m_ending == Ending::No) {
        consider(m_limits.deadline);
        if (m_callbacks.finishBy)
            consider(m_callbacks.finishBy());
    } else if (m_ending != Ending::Killed) {
        consider(m_nextSignal);
    }
    if (!next)
        return m_pidfd || m_exited ? -1 : 20;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - now).count();
    return static_cast<int>(std::clamp<decltype(wait)>(wait, 0, 3'600'000));
}

bool Running::readSome(UniqueFd &fd, Stream stream)
{
    const ssize_t count = ::read(fd.get(), m_buffer.data(), m_buffer.size());
    if (count > 0) {
        if (m_callbacks.output)
            m_callbacks.output({m_buffer.data(), static_cast<std::size_t>(count)}, stream);
        return true;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
        fd.reset();
    return false;
}

void Running::writeInput()
{
    const ssize_t count = ::write(m_input.get(), m_spec.input.data() + m_inputWritten,
                                  m_spec.input.size() - m_inputWritten);
    if (count > 0)
        m_inputWritten += static_cast<std::size_t>(count);
    else if (errno == EAGAIN || errno == EINTR)
        return;
    if (count < 0 || m_inputWritten == m_spec.input.size())
        m_input.reset();
}

void Running::reap()
{
    int status = 0;
    const pid_t pid = ::waitpid(m_pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return;
    m_exited = true;
    m_input.reset();
    m_drainUntil =
        Clock::now() + (m_ending == Ending::No ? m_limits.drain : std::chrono::milliseconds(500));
    if (pid > 0 && WIFSIGNALED(status)) {
        m_end.signal = WTERMSIG(status);
        m_end.exitCode = 128 + m_end.signal;
    } else if (pid > 0) {
        m_end.exitCode = WEXITSTATUS(status);
    }
    // What the ended process left in its group after it had to stop ends too.
    if (m_ending != Ending::No)
        signalGroup(SIGKILL);
}

ProcessEnd Running::run()
{
    while (!m_exited || m_out || m_error) {
        const auto now = Clock::now();
        checkStop();
        onTimers(now);
        if (m_exited && m_drainUntil && now >= *m_drainUntil) {
            m_end.streamsLeftOpen = true;
            break;
        }
        std::array<pollfd, 5> polled{};
        nfds_t count = 0;
        const auto add = [&polled, &count](int fd, short events) {
            polled[count] = {fd, events, 0};
            return static_cast<std::size_t>(count++);
        };
        const auto out = m_out ? add(m_out.get(), POLLIN) : polled.size();
        const auto error = m_error ? add(m_error.get(), POLLIN) : polled.size();
        const auto input = m_input ? add(m_input.get(), POLLOUT) : polled.size();
        if (!m_exited && m_pidfd)
            add(m_pidfd.get(), POLLIN);
        if (m_stop != nullptr && m_stop->reason() <= m_seenStop && m_seenStop == StopReason::None)
            add(m_stop->fd(), POLLIN);
        const int ready = ::poll(polled.data(), count, pollTimeout(now));
        if (ready < 0 && errno != EINTR)
            break;
        if (ready > 0) {
            bool more = false;
            if (out < count && polled[out].revents != 0)
                more |= readSome(m_out, Stream::Out);
            if (error < count && polled[error].revents != 0)
                more |= readSome(m_error, Stream::Error);
            if (input < count && polled[input].revents != 0)
                writeInput();
            std::array<pollfd, 2> again{{{m_out.get(), POLLIN, 0}, {m_error.get(), POLLIN, 0}}};
            if (more && m_callbacks.idle && ::poll(again.data(), again.size(), 0) <= 0)
                m_callbacks.idle();
        }
        if (!m_exited)
            reap();
    }
    if (m_callbacks.idle)
        m_callbacks.idle();
    return m_end;
}

} // namespace

Result<ProcessEnd> runProcess(const ProcessSpec &spec, const ProcessLimits &limits,
                              const StopSignal *stop, const ProcessCallbacks &callbacks)
{
    Running running(spec, limits, stop, callbacks);
    RETURN_IF_ERROR(running.start());
    return running.run();
}

Environment currentEnvironment()
{
    Environment out;
    for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos && equals > 0)
            out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return out;
}

const std::string *findEnvironment(const Environment &environment, std::string_view name)
{
    const auto it = std::find_if(environment.begin(), environment.end(),
                                 [name](const auto &entry) { return entry.first == name; });
    return it == environment.end() ? nullptr : &it->second;
}

void setEnvironment(Environment &environment, std::string_view name, std::string value)
{
    const auto it = std::find_if(environment.begin(), environment.end(),
                                 [name](const auto &entry) { return entry.first == name; });
    if (it == environment.end())
        environment.emplace_back(name, std::move(value));
    else
        it->second = std::move(value);
}

} // namespace worker
