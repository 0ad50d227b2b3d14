#pragma once
/// A whole server on a temporary data folder and a free port, and the plainest possible HTTP
/// client.

#include "server/app/application.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tests {

struct Answer
{
    int status = 0; ///< 0: the connection was closed without an answer
    std::string head, body;

    /// Value of a header, empty when absent.
    [[nodiscard]] std::string header(const std::string &name) const;
    [[nodiscard]] nlohmann::ordered_json json() const;
};

class LiveServer
{
public:
    /// Starts; `failure` says why when it did not.
    LiveServer();
    /// On a data folder that is there already.
    explicit LiveServer(std::string data);
    /// Configured by the test, but for the port.
    explicit LiveServer(server::app::Configuration configuration);
    ~LiveServer();

    /// Stops and starts again on the same data.
    void restart();

    [[nodiscard]] bool running() const { return m_application != nullptr; }

    [[nodiscard]] const std::string &failure() const { return m_failure; }

    [[nodiscard]] std::uint16_t port() const { return m_application->port(); }

    [[nodiscard]] std::string folder() const { return m_folder.path().toStdString(); }

    [[nodiscard]] std::string data() const { return m_data; }

    [[nodiscard]] std::string token() const;

    [[nodiscard]] std::vector<std::string> routes() const { return m_application->routes(); }

    /// Sends bytes and reads until the server closes or is silent for two seconds.
    [[nodiscard]] std::string exchange(const std::string &bytes) const;
    /// First answer to raw bytes.
    [[nodiscard]] Answer raw(const std::string &bytes) const;
    /// The same from a caller who sends no more, and waits for the answer.
    [[nodiscard]] Answer rawAndNoMore(const std::string &bytes) const;
    /// A request with the operator's token and `Connection: close`.
    [[nodiscard]] Answer call(const std::string &method, const std::string &path,
                              const std::string &body = {}, const std::string &headers = {}) const;

private:
    void start();
    [[nodiscard]] std::string exchange(const std::string &bytes, bool end) const;

    QTemporaryDir m_folder;
    std::string m_data;
    server::app::Configuration m_configuration;
    std::unique_ptr<server::app::Application> m_application;
    std::string m_failure;
};

/// Runs git in a folder; its output, or the reason of its failure after "git: ".
std::string git(const std::string &folder, const std::vector<std::string> &arguments);

} // namespace tests
