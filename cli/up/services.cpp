#include "cli/up/services.h"

#include "cli/client/options.h"
#include "cli/command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kServerStart{30};
constexpr seconds kJobsMayGoOn{10};
constexpr seconds kJobsAreCanceled{20};
constexpr seconds kServerStop{15};
constexpr seconds kServerEnds{2};
constexpr std::uintmax_t kLogLimit = std::uintmax_t{16} << 20;

std::string program()
{
    std::error_code problem;
    return std::filesystem::read_symlink("/proc/self/exe", problem).string();
}

/// The last line of a file that is not empty.
std::string lastLineOf(const std::filesystem::path &path)
{
    std::ifstream in(path);
    std::string last;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty())
            last = line;
    }
    return last;
}

} // namespace

Services::Services(ServiceSettings settings, const StopSignals &signals, Console &console)
    : m_settings(std::move(settings))
    , m_signals(signals)
    , m_console(console)
{}

std::filesystem::path Services::logFile(const std::string &name) const
{
    const std::filesystem::path folder = m_settings.data / "log";
    const std::filesystem::path file = folder / (name + ".log");
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    if (std::filesystem::exists(file, problem) &&
        std::filesystem::file_size(file, problem) > kLogLimit)
        std::filesystem::rename(file, folder / (name + ".log.1"), problem);
    return file;
}

schema::Status Services::endOf(const std::string &name, const Child &child) const
{
    const std::filesystem::path log = m_settings.data / "log" / (name + ".log");
    return {ErrorCode::Unavailable, fmt::format("the {} ended with status {}: {} (log: {})", name,
                                                child.exitCode(), lastLineOf(log), log.string())};
}

schema::Status Services::startServer()
{
    std::array<int, 2> pipes{};
    if (pipe2(pipes.data(), O_CLOEXEC) != 0)
        return {ErrorCode::Io, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
    const FileDescriptor ready(pipes[0]);
    FileDescriptor readyWrite(pipes[1]);
    const std::string address = fmt::format("127.0.0.1:{}", m_settings.port);
    Command command{{program(), "server", "--data", m_settings.data.string(), "--listen", address,
                     "--ready-fd", "3"},
                    m_settings.environment,
                    {}};
    if (!m_settings.web.empty())
        command.arguments.insert(command.arguments.end(), {"--web", m_settings.web.string()});
    ASSIGN_OR_RETURN(m_server, Child::start(command, logFile("server"), readyWrite.get()));
    readyWrite.close();

    // The server writes to the pipe when it answers requests, and closes it unwritten when it ends.
    std::array<pollfd, 2> set{{{ready.get(), POLLIN, 0}, {m_signals.fd(), POLLIN, 0}}};
    const int events = poll(set.data(), set.size(),
                            static_cast<int>(std::chrono::milliseconds(kServerStart).count()));
    if (set[1].revents != 0)
        return {ErrorCode::Canceled, "stopped"};
    char byte = 0;
    if (events <= 0)
        return {ErrorCode::Timeout, fmt::format("the server does not answer within {} s (log: {})",
                                                kServerStart.count(), logFile("server").string())};
    if (read(ready.get(), &byte, 1) != 1) {
        if (m_server.waitFor(kServerStop, m_signals))
            return endOf("server", m_server);
        return {ErrorCode::Unavailable, fmt::format("the server does not become ready (log: {})",
                                                    logFile("server").string())};
    }
    std::ifstream tokenFile(m_settings.data / "operator-token");
    std::string token;
    std::getline(tokenFile, token);
    m_client = ApiClient("http://" + address, token);
    return {};
}

schema::Status Services::startWorker()
{
    ASSIGN_OR_RETURN(const json pools, m_client.get("/_apis/distributedtask/pools"));
    const json &list = memberOf(pools, "value");
    if (!list.is_array() || list.empty())
        return {ErrorCode::NotFound, "the server has no pool for the worker"};
    ASSIGN_OR_RETURN(const json token,
                     m_client.post(fmt::format("/_apis/slipway/pools/{}/registrationtokens",
                                               numberOf(list[0], "id")),
                                   {{"expiresInMinutes", 10}}));
    Command command{{program(), "worker", "--url", m_client.url(), "--name", "local", "--pool",
                     textOf(list[0], "name"), "--work", (m_settings.data / "worker").string()},
                    m_settings.environment,
                    {}};
    command.environment["SLIPWAY_WORKER_TOKEN"] = textOf(token, "token");
    command.environment[kBindVariable] = kBindValue;
    ASSIGN_OR_RETURN(m_worker, Child::start(command, logFile("worker")));
    return {};
}

bool Services::mayStartAgain(std::deque<steady_clock::time_point> &deaths) const
{
    const auto now = steady_clock::now();
    deaths.push_back(now);
    while (deaths.front() < now - seconds(60))
        deaths.pop_front();
    return deaths.size() < 5;
}

schema::Status Services::watch()
{
    std::deque<steady_clock::time_point> serverDeaths;
    std::deque<steady_clock::time_point> workerDeaths;
    for (;;) {
        std::array<pollfd, 3> set{
            {{m_signals.fd(), POLLIN, 0}, {m_server.fd(), POLLIN, 0}, {m_worker.fd(), POLLIN, 0}}};
        poll(set.data(), set.size(), -1);
        if (set[0].revents != 0 && m_signals.take())
            return {};
        if (set[1].revents != 0 && !m_server.running()) {
            schema::Status end = endOf("server", m_server);
            if (!mayStartAgain(serverDeaths))
                return end;
            m_console.line(end.error().message + "; it is started again");
            RETURN_IF_ERROR(startServer());
        }
        if (set[2].revents != 0 && !m_worker.running()) {
            schema::Status end = endOf("worker", m_worker);
            if (!mayStartAgain(workerDeaths))
                return end;
            m_console.line(end.error().message + "; it is started again");
            RETURN_IF_ERROR(startWorker());
        }
    }
}

schema::Status Services::explained(schema::Status status)
{
    if (status || status.error().code == ErrorCode::Canceled)
        return status;
    const bool noAnswer =
        status.error().code == ErrorCode::Unavailable || status.error().code == ErrorCode::Timeout;
    // Its connections end before the process does.
    if (noAnswer && m_server.running() && !m_server.waitFor(kServerEnds, m_signals))
        return status;
    if (m_server.running() || m_server.pid() < 0)
        return status;
    return endOf("server", m_server);
}

void Services::stop()
{
    if (m_worker.running()) {
        m_console.begin("Stopping the worker");
        m_worker.signal(SIGTERM);
        if (!m_worker.waitFor(kJobsMayGoOn, m_signals)) {
            m_console.done("a job is still running");
            m_console.begin("Canceling the running job");
            m_worker.signal(SIGTERM);
            if (!m_worker.waitFor(kJobsAreCanceled, m_signals))
                m_worker.signal(SIGKILL);
        }
        m_console.done();
    }
    if (m_server.running()) {
        m_console.begin("Stopping the server");
        m_server.signal(SIGTERM);
        if (!m_server.waitFor(kServerStop, m_signals))
            m_server.signal(SIGKILL);
        m_console.done();
    }
}

} // namespace cli
