#include "cli/up/process.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

// The header of glibc 2.36 declares C functions without saying so.
extern "C" {
#include <sys/pidfd.h>
}

extern char **environ; // NOLINT(readability-redundant-declaration): POSIX wants it declared here

namespace cli {
namespace {

using schema::ErrorCode;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::size_t kKeptOutput = std::size_t{1} << 20;

sigset_t stopSignals()
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

std::vector<char *> pointers(const std::vector<std::string> &texts)
{
    std::vector<char *> result;
    result.reserve(texts.size() + 1);
    for (const std::string &text : texts)
        result.push_back(
            const_cast<char *>(text.c_str())); // NOLINT: exec's signature; it does not write
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environmentOf(const Command &command)
{
    std::vector<std::string> result;
    for (char **entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!command.environment.contains(text.substr(0, text.find('='))))
            result.push_back(text);
    }
    for (const auto &[name, value] : command.environment)
        result.push_back(fmt::format("{}={}", name, value));
    return result;
}

int exitCodeOf(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// What the child does between fork and exec. Only calls that are safe there; never returns.
[[noreturn]] void become(char *const *arguments, char *const *environment, const char *folder,
                         int out, int err, int inherited, bool dieWithParent, int failure)
{
    setpgid(0, 0); // Ctrl-C on the terminal is for us, and we say who ends when
    if (dieWithParent)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    const sigset_t none = [] {
        sigset_t set;
        sigemptyset(&set);
        return set;
    }();
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (inherited >= 0 && inherited != 3)
        dup2(inherited, 3);
    else if (inherited == 3)
        fcntl(3, F_SETFD, 0);
    if (*folder == '\0' || chdir(folder) == 0)
        execvpe(arguments[0], arguments, environment);
    const int problem = errno;
    // The parent learns why from this pipe, which a successful exec closes.
    [[maybe_unused]] const ssize_t written = write(failure, &problem, sizeof problem);
    _exit(127);
}

/// Forks and executes; Io or NotFound when that fails.
schema::Result<pid_t> spawn(const Command &command, int out, int err, int inherited,
                            bool dieWithParent)
{
    std::array<int, 2> failure{};
    if (pipe2(failure.data(), O_CLOEXEC) != 0)
        return {ErrorCode::Io, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
    const FileDescriptor failureRead(failure[0]);
    FileDescriptor failureWrite(failure[1]);
    const std::vector<std::string> environment = environmentOf(command);
    const std::vector<char *> argumentPointers = pointers(command.arguments);
    const std::vector<char *> environmentPointers = pointers(environment);
    const pid_t pid = fork();
    if (pid < 0)
        return {ErrorCode::Io, fmt::format("cannot start a process: {}", std::strerror(errno))};
    if (pid == 0)
        become(argumentPointers.data(), environmentPointers.data(), command.folder.c_str(), out,
               err, inherited, dieWithParent, failureWrite.get());
    failureWrite.close();
    int problem = 0;
    if (read(failureRead.get(), &problem, sizeof problem) == sizeof problem) {
        waitpid(pid, nullptr, 0);
        return {problem == ENOENT ? ErrorCode::NotFound : ErrorCode::Io,
                fmt::format("cannot start '{}': {}", command.arguments.front(),
                            std::strerror(problem))};
    }
    return pid;
}

/// Appends what can be read now; false at the end of the stream.
bool drain(int fd, std::string &text)
{
    std::array<char, 65536> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got <= 0)
        return got < 0 && (errno == EINTR || errno == EAGAIN);
    const auto size = static_cast<std::size_t>(got);
    text.append(buffer.data(), std::min(size, kKeptOutput - std::min(kKeptOutput, text.size())));
    return true;
}

} // namespace

FileDescriptor::FileDescriptor(FileDescriptor &&other) noexcept
    : m_fd(std::exchange(other.m_fd, -1))
{}

FileDescriptor &FileDescriptor::operator=(FileDescriptor &&other) noexcept
{
    if (this != &other) {
        close();
        m_fd = std::exchange(other.m_fd, -1);
    }
    return *this;
}

FileDescriptor::~FileDescriptor()
{
    close();
}

void FileDescriptor::close()
{
    if (m_fd >= 0)
        ::close(std::exchange(m_fd, -1));
}

StopSignals::StopSignals()
{
    const sigset_t set = stopSignals();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    m_fd = FileDescriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool StopSignals::take() const
{
    bool came = false;
    signalfd_siginfo info{};
    while (read(m_fd.get(), &info, sizeof info) == sizeof info)
        came = true;
    return came;
}

schema::Result<Output> runProgram(const Command &command, const StopSignals &signals, seconds limit,
                                  const Tick &tick)
{
    std::array<int, 2> outPipe{};
    std::array<int, 2> errPipe{};
    if (pipe2(outPipe.data(), O_CLOEXEC) != 0)
        return {ErrorCode::Io, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
    FileDescriptor out(outPipe[0]);
    FileDescriptor outWrite(outPipe[1]);
    if (pipe2(errPipe.data(), O_CLOEXEC) != 0)
        return {ErrorCode::Io, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
    FileDescriptor err(errPipe[0]);
    FileDescriptor errWrite(errPipe[1]);
    ASSIGN_OR_RETURN(const pid_t pid, spawn(command, outWrite.get(), errWrite.get(), -1, true));
    outWrite.close();
    errWrite.close();
    const FileDescriptor ended(pidfd_open(pid, 0));

    Output output;
    const auto begin = steady_clock::now();
    schema::Status verdict;
    // The end of the process counts, not that of its output: a daemon that it starts may keep the
    // pipes.
    for (bool running = true; running;) {
        std::array<pollfd, 4> set{{{out.get(), POLLIN, 0},
                                   {err.get(), POLLIN, 0},
                                   {ended.get(), POLLIN, 0},
                                   {signals.fd(), POLLIN, 0}}};
        poll(set.data(), set.size(), 1000);
        const auto passed = std::chrono::duration_cast<seconds>(steady_clock::now() - begin);
        if ((set[0].revents != 0) && !drain(out.get(), output.out))
            out.close();
        if ((set[1].revents != 0) && !drain(err.get(), output.err))
            err.close();
        if (set[2].revents != 0 && set[0].revents == 0 && set[1].revents == 0)
            running = false;
        if (tick && passed.count() > 0)
            tick(passed);
        if (set[3].revents != 0 && signals.take())
            verdict = {ErrorCode::Canceled, "stopped"};
        else if (passed >= limit)
            verdict = {ErrorCode::Timeout, fmt::format("'{}' did not end within {} s",
                                                       command.arguments.front(), limit.count())};
        if (!verdict) {
            kill(-pid, SIGKILL);
            break;
        }
    }
    int status = 0;
    waitpid(pid, &status, 0);
    RETURN_IF_ERROR(verdict);
    output.exitCode = exitCodeOf(status);
    return output;
}

Child::~Child()
{
    if (running()) {
        signal(SIGKILL);
        waitpid(m_pid, nullptr, 0);
    }
}

schema::Result<Child> Child::start(const Command &command, const std::filesystem::path &log,
                                   int inherited)
{
    const FileDescriptor output(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (output.get() < 0)
        return {ErrorCode::Io,
                fmt::format("cannot write '{}': {}", log.string(), std::strerror(errno))};
    ASSIGN_OR_RETURN(const pid_t pid, spawn(command, output.get(), output.get(), inherited, true));
    Child child;
    child.m_pid = pid;
    child.m_pidFd = FileDescriptor(pidfd_open(pid, 0));
    return child;
}

bool Child::running()
{
    if (m_pidFd.get() < 0)
        return false;
    int status = 0;
    if (waitpid(m_pid, &status, WNOHANG) == 0)
        return true;
    m_exitCode = exitCodeOf(status);
    m_pidFd.close();
    return false;
}

void Child::signal(int number) const
{
    if (m_pidFd.get() >= 0)
        kill(m_pid, number);
}

bool Child::waitFor(seconds limit, const StopSignals &signals)
{
    const auto end = steady_clock::now() + limit;
    while (running()) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now());
        if (left.count() <= 0)
            return false;
        std::array<pollfd, 2> set{{{fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
        poll(set.data(), set.size(), static_cast<int>(left.count()) + 1);
        if (set[1].revents != 0 && signals.take())
            return !running();
    }
    return true;
}

} // namespace cli
