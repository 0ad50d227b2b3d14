#pragma once
/// Child processes of `slipway up`, and the signals that end it. All of this is for one thread.

#include "schema/base/result.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace cli {

/// A file descriptor that is closed at the end.
class FileDescriptor
{
public:
    explicit FileDescriptor(int fd = -1)
        : m_fd(fd)
    {}

    FileDescriptor(FileDescriptor &&other) noexcept;
    FileDescriptor &operator=(FileDescriptor &&other) noexcept;
    FileDescriptor(const FileDescriptor &) = delete;
    FileDescriptor &operator=(const FileDescriptor &) = delete;
    ~FileDescriptor();

    [[nodiscard]] int get() const { return m_fd; }

    void close();

private:
    int m_fd;
};

/// Turns SIGINT, SIGTERM and SIGHUP into something to poll for. Children get the usual handling
/// back.
class StopSignals
{
public:
    /// Blocks the signals for the whole process: construct it before any thread.
    StopSignals();

    /// Readable when a signal has come.
    [[nodiscard]] int fd() const { return m_fd.get(); }

    /// Takes the signals that have come; true when there was one.
    [[nodiscard]] bool take() const;

private:
    FileDescriptor m_fd;
};

struct Command
{
    std::vector<std::string> arguments; ///< program (searched in PATH) and its arguments
    std::map<std::string, std::string> environment; ///< added to, or replacing, this process's own
    std::filesystem::path folder;                   ///< working directory; empty: the current one
};

struct Output
{
    int exitCode = 0; ///< 128 + signal when a signal ended it
    std::string out;
    std::string err;
};

/// Called about once a second while something is waited for, with the time that has passed.
using Tick = std::function<void(std::chrono::seconds)>;

/// Runs a program to its end, in a process group of its own, and collects its output (at most 1 MiB
/// of each kind is kept). Ends the group and returns Timeout after `limit`, Canceled on a stop
/// signal, NotFound when there is no such program.
schema::Result<Output> runProgram(const Command &command, const StopSignals &signals,
                                  std::chrono::seconds limit, const Tick &tick = {});

/// A long-lived child: gets SIGTERM when this process dies in whatever way.
class Child
{
public:
    Child() = default;
    Child(Child &&) = default;
    Child &operator=(Child &&) = default;
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    ~Child(); ///< kills a child that still runs

    /// Output is appended to `log`. `inherited` (-1: none) stays open in the child as descriptor 3.
    static schema::Result<Child> start(const Command &command, const std::filesystem::path &log,
                                       int inherited = -1);

    /// Readable when the process has ended.
    [[nodiscard]] int fd() const { return m_pidFd.get(); }

    [[nodiscard]] pid_t pid() const { return m_pid; }

    /// Whether it still runs; collects the exit status of one that does not.
    [[nodiscard]] bool running();

    /// As in Output; valid when it does not run.
    [[nodiscard]] int exitCode() const { return m_exitCode; }

    void signal(int number) const;

    /// Waits until it has ended (true), the limit has passed, or a stop signal has come.
    [[nodiscard]] bool waitFor(std::chrono::seconds limit, const StopSignals &signals);

private:
    pid_t m_pid = -1;
    int m_exitCode = 0;
    FileDescriptor m_pidFd;
};

} // namespace cli
