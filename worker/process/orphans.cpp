// Processes that a job's steps left behind, found by the mark in their environment.
#include "worker/base/text.h"
#include "worker/process/process.h"

#include <chrono>
#include <csignal>
#include <set>
#include <thread>
#include <unistd.h>

namespace worker {
namespace {

/// Whether a process carries the mark. `Starting`: it is between two programs, and the kernel shows
/// the environment of neither yet.
enum class Marked { No, Yes, Starting };

bool holdsLine(std::string_view environment, std::string_view mark)
{
    while (!environment.empty()) {
        const auto end = environment.find('\0');
        if (environment.substr(0, end) == mark)
            return true;
        if (end == std::string_view::npos)
            return false;
        environment.remove_prefix(end + 1);
    }
    return false;
}

/// Kernel threads and zombies have none.
bool hasMemory(const fs::path &process)
{
    const auto memory = readFile(process / "statm", 64);
    return memory && !memory->empty() && !memory->starts_with("0 ");
}

/// Inside execve(2) a process has memory, but neither arguments nor environment (fs/proc/base.c,
/// get_mm_cmdline and environ_read). It may come out of it between two of our looks: arguments
/// without an environment say only that the environment wants another look. What still has none
/// then was started with an empty one.
Marked marked(const fs::path &process, const std::string &mark)
{
    constexpr int kLooks = 4;
    constexpr std::size_t kLongest = 8U << 20U; // execve(2) takes at most 6 MiB
    for (int look = 0; look < kLooks; ++look) {
        const auto environment = readFile(process / "environ", kLongest);
        if (!environment)
            return Marked::No; // gone, or not ours to read
        if (!environment->empty())
            return holdsLine(*environment, mark) ? Marked::Yes : Marked::No;
        const auto arguments = readFile(process / "cmdline", kLongest);
        if (!arguments || !hasMemory(process))
            return Marked::No;
        if (arguments->empty())
            return Marked::Starting;
    }
    return Marked::No;
}

/// Calls `found(pid, folder)` for each process but ourselves.
template <typename Found> void forEachProcess(const Found &found)
{
    std::error_code error;
    for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos || name.size() > 9)
            continue;
        if (const int pid = std::stoi(name); pid != ::getpid())
            found(pid, it->path());
    }
}

} // namespace

void endOrphans(const std::string &lookupId,
                const std::function<void(int pid, const std::string &name)> &report)
{
    const std::string line = "VSTS_PROCESS_LOOKUP_ID=" + lookupId;
    // A process may fork while we look: look again until nothing is left, bounded. One that is
    // just being started shows its mark a moment later, and one that was killed is there until it
    // gets a processor to die on.
    constexpr int kRounds = 5;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    std::set<int> killed;
    for (int round = 0; round < kRounds;) {
        bool found = false;
        bool unsettled = false;
        forEachProcess([&](int pid, const fs::path &process) {
            const Marked mark = marked(process, line);
            unsettled = unsettled || mark != Marked::No;
            if (mark != Marked::Yes)
                return;
            const bool isNew = killed.insert(pid).second;
            if (report && isNew) {
                const auto name = readFile(process / "comm");
                report(pid, name ? trimmed(*name) : "?");
            }
            ::kill(pid, SIGKILL);
            found = found || isNew;
        });
        if (!found && !(unsettled && std::chrono::steady_clock::now() < patience))
            return;
        if (found)
            ++round;
        else
            std::this_thread::yield();
    }
}

} // namespace worker
