#pragma once
/// The CLI's commands within the test's process, against a server of the test.
#include "cli/command.h"
#include "tests/server/support/live_server.h"

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace tests {

/// How a command ended, and what it wrote.
struct Ended
{
    int exitCode = -1;
    std::string out, error;
};

/// Standard output and error of this process, caught while it lives.
class Caught
{
public:
    Caught()
        : m_out(std::cout.rdbuf(out.rdbuf()))
        , m_error(std::cerr.rdbuf(error.rdbuf()))
    {}

    ~Caught()
    {
        std::cout.rdbuf(m_out);
        std::cerr.rdbuf(m_error);
    }

    Caught(const Caught &) = delete;
    Caught &operator=(const Caught &) = delete;
    std::ostringstream out, error;

private:
    std::streambuf *m_out, *m_error;
};

/// `slipway ARGUMENTS` as the operator of the server. For the main thread.
inline Ended runSlipway(const LiveServer &server, std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), "slipway");
    arguments.insert(arguments.end(), {"--url", "http://127.0.0.1:" + std::to_string(server.port()),
                                       "--token-file", server.data() + "/operator-token"});
    std::vector<char *> argv;
    for (std::string &argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    Ended ended;
    const Caught caught;
    ended.exitCode =
        cli::runProgram(static_cast<int>(arguments.size()), argv.data(), cli::commands());
    ended.out = caught.out.str();
    ended.error = caught.error.str();
    return ended;
}

} // namespace tests
