#pragma once
/// The worker protocol's other side, as small as can be: keeps what arrives in memory, follows the
/// rules of schema/protocol/README.md and can be made to fail. For tests of the worker alone; the
/// real server is met in tests/e2e.

#include "schema/protocol/messages.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace worker::test {

class FakeServer
{
public:
    struct State
    {
        int registrations = 0;
        int connections = 0; ///< channels opened so far
        std::vector<schema::protocol::WorkerFrame> frames;
        std::map<std::string, std::string> logs;          ///< by record
        std::vector<std::vector<std::string>> deliveries; ///< the records of the logs in each
        std::map<std::string, schema::protocol::RecordUpdate> records;
        std::vector<schema::protocol::JobCompletion> completions;
        std::map<std::string, std::string> artifacts;
        int refusals = 0; ///< bulk calls answered with the status of answerBulkWith()
        std::vector<std::string> errors; ///< what a real server would have refused

        template <typename T> [[nodiscard]] int count() const
        {
            int out = 0;
            for (const auto &frame : frames)
                out += std::holds_alternative<T>(frame) ? 1 : 0;
            return out;
        }
    };

    FakeServer();
    ~FakeServer();

    [[nodiscard]] std::string url() const;
    /// Sends a frame to the connected worker.
    void send(const schema::protocol::ServerFrame &frame);
    /// Waits until the condition holds; false after `limit`.
    bool waitFor(const std::function<bool(const State &)> &condition,
                 std::chrono::seconds limit = std::chrono::seconds(20));
    /// The next bulk calls answer this status (0: normal again).
    void answerBulkWith(int status);
    /// No connections any more, until start().
    void stop();
    void start();
    State state();

    struct Shared;

private:
    struct Running;
    std::shared_ptr<Shared> m_shared;
    std::unique_ptr<Running> m_running;
};

} // namespace worker::test
