#pragma once
/// What logging commands do (worker-and-tasks 3.3 to 3.6), and the reader that finds them in the
/// output of a step's processes.

#include "worker/command/logging_command.h"
#include "worker/job/job_context.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace worker {

/// What a step may do by commands; from its YAML target and its task.
struct CommandRestrictions
{
    bool restricted = false;
    std::optional<std::vector<std::string>> settable; ///< name patterns; absent: all
    /// The same from the task's own task.json; a name must match both.
    std::optional<std::vector<std::string>> taskSettable;
    std::vector<std::string> outputs; ///< variables that task.json declares as outputs
};

/// Carries out one line if it is a command, else prints it. Never fails: what is wrong with a
/// command is shown in the log and, where the reference says so, makes the step fail.
class StepCommands
{
public:
    StepCommands(StepState &step, CommandRestrictions restrictions);

    void line(std::string_view text);

private:
    Status apply(const LoggingCommand &command);
    Status setVariable(const LoggingCommand &command);
    Status logIssue(const LoggingCommand &command);
    Status complete(const LoggingCommand &command);
    Status attach(const std::string &type, const std::string &name, const std::string &file);
    Status artifact(const LoggingCommand &command);
    Status build(const LoggingCommand &command);
    Status publishResults(const LoggingCommand &command);
    Status publishCoverage(const LoggingCommand &command);
    [[nodiscard]] bool settable(std::string_view name) const;
    Status setEndpoint(const LoggingCommand &command);
    [[nodiscard]] fs::path hostPath(const std::string &path) const;

    StepState &m_step;
    CommandRestrictions m_restrictions;
};

/// Joins bytes of a stream to lines. A line too long to hold is passed on in pieces to the log.
class LineReader
{
public:
    /// Longest line that is looked at as a whole (and may be a command), bytes.
    static constexpr std::size_t kMaxLine = 1U << 20U;

    LineReader(StepState &step, StepCommands *commands);

    void feed(std::string_view bytes);
    /// The stream ended: the last line may have no end.
    void finish();

private:
    void emit(std::string_view line);

    StepState &m_step;
    StepCommands *m_commands; ///< absent: output of a tool, commands in it are defused
    std::string m_line;
    bool m_inLong = false;
};

} // namespace worker
