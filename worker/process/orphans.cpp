// Processes that a job's steps left behind, found by the mark in their environment.
#include "worker/base/text.h"
#include "worker/process/process.h"

#include <csignal>
#include <unistd.h>

namespace worker {
namespace {

bool isMarked(const fs::path &process, const std::string &mark)
{
    const auto environment = readFile(process / "environ", 4U << 20U);
    if (!environment)
        return false; // gone, or not ours to read
    std::string_view rest(*environment);
    while (!rest.empty()) {
        const auto end = rest.find('\0');
        if (rest.substr(0, end) == mark)
            return true;
        if (end == std::string_view::npos)
            break;
        rest.remove_prefix(end + 1);
    }
    return false;
}

} // namespace

void endOrphans(const std::string &lookupId,
                const std::function<void(int pid, const std::string &name)> &report)
{
    const std::string mark = "VSTS_PROCESS_LOOKUP_ID=" + lookupId;
    // A process may fork while we look: look again until nothing is left, bounded.
    for (int round = 0; round < 5; ++round) {
        bool found = false;
        std::error_code error;
        for (fs::directory_iterator it("/proc", error), end; !error && it != end;
             it.increment(error)) {
            const auto name = it->path().filename().string();
            if (name.find_first_not_of("0123456789") != std::string::npos || name.size() > 9)
                continue;
            const int pid = std::stoi(name);
            if (pid == ::getpid() || !isMarked(it->path(), mark))
                continue;
            if (report && round == 0)
                report(pid, trimmed(readFile(it->path() / "comm").value_or("?")));
            ::kill(pid, SIGKILL);
            found = true;
        }
        if (!found)
            return;
    }
}

} // namespace worker
