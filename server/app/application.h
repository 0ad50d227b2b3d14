#pragma once
/// The whole server: constructs every part in the order they need, and stops them in reverse.

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace server::app {

struct Configuration
{
    std::filesystem::path data;
    std::string host = "127.0.0.1";
    std::uint16_t port = 8480; ///< 0: any free one
    std::string url;           ///< that people and programs use, behind a proxy; empty: as listened
    std::filesystem::path web; ///< built portal; empty: none is served
    std::string traces;        ///< collector for traces of runs (OTLP/HTTP); empty: none
    std::string traceHeaders;  ///< "name=value,name2=value2", sent with the traces
    bool jsonLog = false;      ///< the server's own log as JSON lines
};

/// Reads "ADDRESS:PORT", "[V6]:PORT", "ADDRESS" or ":PORT" into host and port. Errors:
/// InvalidArgument.
schema::Status parseListen(const std::string &text, Configuration &configuration);
/// Reads "https://HOST[:PORT]" into url, without a '/' at the end. Errors: InvalidArgument (another
/// scheme, a path, a query or a user name).
schema::Status parseUrl(const std::string &text, Configuration &configuration);

class Application
{
public:
    /// Starts everything; requests are answered when it returns. Errors have a remedy: data folder
    /// in use, not writable or of a newer version, port taken.
    static schema::Result<std::unique_ptr<Application>> start(const Configuration &configuration);
    /// Stops gracefully: no more requests, then triggers, scheduler, store.
    ~Application();

    [[nodiscard]] std::uint16_t port() const;
    /// Every route as "METHOD /template", in order of registration: what schema/openapi.yaml has to
    /// describe.
    [[nodiscard]] std::vector<std::string> routes() const;

private:
    struct Parts;
    explicit Application(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> m_parts;
};

/// Runs a server until SIGINT or SIGTERM (blocked in every thread and waited for). Once requests
/// are answered, writes the port and a line feed to `readyFd` (when >= 0) and closes it.
schema::Status serve(const Configuration &configuration, int readyFd);

} // namespace server::app
