#pragma once
/// What `slipway run` shows: plain lines in a pipe; on a terminal colours and,
/// below the log, the tree of stages and jobs with the step each is in and durations.

#include "schema/model/states.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

class RunView
{
public:
    explicit RunView(bool terminal);

    /// Log lines (stamped) of one job; `job` is put in front of each. A long line is shown piece by
    /// piece, and goes on in a line of its own when something else was shown meanwhile.
    void log(const std::string &job, std::string_view bytes);
    /// A line of our own.
    void say(const std::string &line);
    /// The step a job is in, for the tree.
    void step(const std::string &job, const std::string &name);
    /// How far that step says it is, 0 to 100.
    void progress(const std::string &job, int percent);
    void jobStarted(const std::string &job);
    void jobEnded(const std::string &job, schema::TaskResult result, const std::string &message);
    /// Draws the tree anew (durations move).
    void tick();
    /// Jobs with results and durations.
    void summary(schema::RunResult result);
    /// The same for programs: [{job, result, seconds}].
    [[nodiscard]] nlohmann::ordered_json jobs() const;

private:
    struct Job
    {
        std::chrono::steady_clock::time_point start, end;
        std::string step;
        std::string error;   ///< the last one that was shown
        std::string partial; ///< begin of a line whose end has not come
        bool begun = false;  ///< what stands before it in its line was shown already
        int percent = 0;
        bool running = true;
        schema::TaskResult result = schema::TaskResult::Succeeded;
    };

    struct Row
    {
        std::string text;
        bool running = false;
    };

    void line(const std::string &job, std::string_view text);
    void begin(const std::string &job, std::string_view text);
    void endOpenLine();
    void write(const std::string &text);
    void clearStatus();
    void drawStatus();
    [[nodiscard]] std::vector<Row> tree() const;
    [[nodiscard]] std::string color(const char *code, const std::string &text) const;

    bool m_terminal;
    std::size_t m_statusLines = 0; ///< shown below the log right now
    std::map<std::string, Job> m_jobs;
    std::string m_open; ///< job whose line on the screen has no end yet
};

} // namespace cli
