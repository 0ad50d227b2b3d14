#pragma once
/// Server and worker as children of `slipway up`: started, started again when they die, and
/// stopped.

#include "cli/client/api_client.h"
#include "cli/up/console.h"
#include "cli/up/process.h"

#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <string>

namespace cli {

struct ServiceSettings
{
    std::filesystem::path data;
    std::filesystem::path web; ///< the built portal; empty: without one
    int port = 0;              ///< of the server, on loopback
    std::map<std::string, std::string> environment;
};

class Services
{
public:
    Services(ServiceSettings settings, const StopSignals &signals, Console &console);

    /// Starts the server and waits until it answers, at most 30 s.
    schema::Status startServer();

    /// Starts the worker, with a registration token of its own.
    schema::Status startWorker();

    /// Watches over both until a stop signal comes; a service that dies is started again, but the
    /// error is returned when one dies five times within a minute.
    schema::Status watch();

    /// The reason behind an error of a call to the server: when the server has ended (or is just
    /// ending), how it ended and its last line; else the error as it is.
    schema::Status explained(schema::Status status);

    /// Stops the worker (a running job may go on for some seconds, or until the next stop signal),
    /// then the server.
    void stop();

    /// Speaks as the local operator; valid after startServer().
    [[nodiscard]] const ApiClient &client() const { return m_client; }

private:
    /// Remembers that a service died; false when that happens too often.
    bool mayStartAgain(std::deque<std::chrono::steady_clock::time_point> &deaths) const;
    [[nodiscard]] std::filesystem::path logFile(const std::string &name) const;
    schema::Status endOf(const std::string &name, const Child &child) const;

    ServiceSettings m_settings;
    const StopSignals &m_signals;
    Console &m_console;
    Child m_server;
    Child m_worker;
    ApiClient m_client{"", ""};
};

} // namespace cli
