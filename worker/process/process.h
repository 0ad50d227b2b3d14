#pragma once
/// Runs one program in its own session and process group, hands its output on as it comes and ends
/// it with INT, TERM, KILL to the whole group when it has to stop (worker-and-tasks 7.2, with the
/// group instead of the single process).

#include "worker/process/stop.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace worker {

using Environment = std::vector<std::pair<std::string, std::string>>;

enum class Stream : std::uint8_t { Out, Error };

struct ProcessSpec
{
    std::string program; ///< full path
    std::vector<std::string> arguments;
    Environment environment; ///< the whole environment; nothing is inherited
    std::string workingDirectory;
    std::string input; ///< written to its standard input; empty: closed at once
};

struct ProcessLimits
{
    std::optional<Clock::time_point> deadline; ///< then it is ended and timedOut is set
    std::chrono::milliseconds interruptGrace{7500};
    std::chrono::milliseconds terminateGrace{2500};
    /// How long streams are read on after the process ended; children may hold them open.
    std::chrono::milliseconds drain{5000};
};

struct ProcessCallbacks
{
    /// Bytes as they come, any split.
    std::function<void(std::string_view bytes, Stream stream)> output;
    /// Nothing more to read right now: pass on what is buffered.
    std::function<void()> idle;
    /// The stop signal fired: true ends the process, false lets it go on (condition always()).
    /// Called once per strength of the signal. Absent: always end.
    std::function<bool(StopReason reason)> shouldStop;
    /// Passes INT, TERM or KILL on to what really runs, when that is in no group of the process
    /// (a container). The process's own group gets KILL only. Absent: the group gets every signal.
    std::function<void(int signal)> signal;
    /// Set by the receiver of output: from then on the process has this long (task.complete done).
    std::function<std::optional<Clock::time_point>()> finishBy;
};

struct ProcessEnd
{
    int exitCode = 0; ///< 128 + signal when it was killed
    int signal = 0;
    bool timedOut = false;
    StopReason stopped = StopReason::None; ///< it was ended because of the stop signal
    bool streamsLeftOpen = false;          ///< something it started still holds its output
};

/// Runs to the end. Errors: NotFound (program, working directory), PermissionDenied, Io.
Result<ProcessEnd> runProcess(const ProcessSpec &spec, const ProcessLimits &limits,
                              const StopSignal *stop, const ProcessCallbacks &callbacks);

/// The environment of this process.
Environment currentEnvironment();
/// Value in an environment list, or nullptr.
const std::string *findEnvironment(const Environment &environment, std::string_view name);
/// Sets or replaces an entry.
void setEnvironment(Environment &environment, std::string_view name, std::string value);

/// Ends every process whose environment holds VSTS_PROCESS_LOOKUP_ID=`lookupId` (worker-and-tasks
/// 7.6) and waits up to 2 s until they are gone; what must outlive a job clears the variable.
/// `report(pid, name)` is called for each.
void endOrphans(const std::string &lookupId,
                const std::function<void(int pid, const std::string &name)> &report);

} // namespace worker
