#include "tests/server/support/live_server.h"

#include <QProcess>
#include <QStringList>

#include <arpa/inet.h>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace tests {

namespace {

Answer parsed(const std::string &text)
{
    Answer answer;
    const auto end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos)
        return answer;
    answer.status = std::atoi(text.c_str() + 9);
    answer.head = text.substr(0, end + 2);
    answer.body = text.substr(end + 4);
    return answer;
}

} // namespace

std::string Answer::header(const std::string &name) const
{
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

nlohmann::ordered_json Answer::json() const
{
    return nlohmann::ordered_json::parse(body, nullptr, false);
}

LiveServer::LiveServer()
    : m_data(folder() + "/data")
{
    start();
}

LiveServer::LiveServer(std::string data)
    : m_data(std::move(data))
{
    start();
}

LiveServer::~LiveServer() = default;

LiveServer::LiveServer(server::app::Configuration configuration)
    : m_data(configuration.data)
    , m_configuration(std::move(configuration))
{
    start();
}

void LiveServer::start()
{
    server::app::Configuration configuration = m_configuration;
    configuration.data = data();
    configuration.port = 0;
    auto started = server::app::Application::start(configuration);
    if (started)
        m_application = std::move(*started);
    else
        m_failure = started.error().message;
}

void LiveServer::restart()
{
    m_application.reset();
    start();
}

std::string LiveServer::token() const
{
    std::ifstream file(data() + "/operator-token");
    std::string token;
    std::getline(file, token);
    return token;
}

std::string LiveServer::exchange(const std::string &bytes) const
{
    return exchange(bytes, false);
}

std::string LiveServer::exchange(const std::string &bytes, bool end) const
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{2, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string text;
    if (::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) {
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const ssize_t put = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (put <= 0)
                break; // the server refused and closed: read what it said
            sent += std::size_t(put);
        }
        if (end)
            ::shutdown(fd, SHUT_WR);
        char buffer[65536];
        ssize_t got = 0;
        while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0)
            text.append(buffer, std::size_t(got));
    }
    ::close(fd);
    return text;
}

Answer LiveServer::raw(const std::string &bytes) const
{
    return parsed(exchange(bytes));
}

Answer LiveServer::rawAndNoMore(const std::string &bytes) const
{
    return parsed(exchange(bytes, true));
}

Answer LiveServer::call(const std::string &method, const std::string &path, const std::string &body,
                        const std::string &headers) const
{
    return raw(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port()) +
               "\r\nAuthorization: Bearer " + token() + "\r\nConnection: close\r\n" + headers +
               (body.empty() ? "" : "Content-Type: application/json\r\n") +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

std::string git(const std::string &folder, const std::vector<std::string> &arguments)
{
    QProcess process;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("GIT_TERMINAL_PROMPT"), QStringLiteral("0"));
    for (const char *who : {"AUTHOR", "COMMITTER"}) {
        const QString prefix = QStringLiteral("GIT_%1_").arg(QLatin1String(who));
        environment.insert(prefix + QStringLiteral("NAME"), QStringLiteral("Ann"));
        environment.insert(prefix + QStringLiteral("EMAIL"), QStringLiteral("ann@example"));
    }
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(QString::fromStdString(folder));
    QStringList list;
    for (const auto &argument : arguments)
        list.append(QString::fromStdString(argument));
    process.start(QStringLiteral("git"), list);
    const bool ended = process.waitForFinished(60000);
    if (!ended || process.exitCode() != 0)
        return "git: " + process.readAllStandardError().toStdString();
    return QString::fromUtf8(process.readAllStandardOutput()).trimmed().toStdString();
}

} // namespace tests
