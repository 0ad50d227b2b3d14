#include "server/http/git_backend.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <istream>
#include <memory>
#include <ostream>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

/// The child and our ends of its pipes. Ends the child when it is destroyed early.
class Backend
{
public:
    Backend() = default;
    Backend(const Backend &) = delete;
    Backend &operator=(const Backend &) = delete;

    ~Backend()
    {
        // Without a reader the child ends, which frees a feeder that waits for it.
        closeOutput();
        joinFeeder();
        closeInput();
        wait();
    }

    Status start(std::vector<std::string> environment)
    {
        std::array<int, 2> input{-1, -1};
        std::array<int, 2> output{-1, -1};
        if (::pipe2(input.data(), O_CLOEXEC) != 0)
            return {ErrorCode::Io, std::string("pipe: ") + std::strerror(errno)};
        if (::pipe2(output.data(), O_CLOEXEC) != 0) {
            ::close(input[0]);
            ::close(input[1]);
            return {ErrorCode::Io, std::string("pipe: ") + std::strerror(errno)};
        }
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, input[0], 0);
        posix_spawn_file_actions_adddup2(&actions, output[1], 1);
        // Sockets of the server must not live on in git: a port would stay taken after a crash.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        std::string program = "git";
        std::string command = "http-backend";
        std::array<char *, 3> arguments{program.data(), command.data(), nullptr};
        std::vector<char *> variables;
        for (auto &variable : environment)
            variables.push_back(variable.data());
        variables.push_back(nullptr);
        // The server blocks and ignores signals that git must get; its own process group keeps a
        // Ctrl-C meant for the server from breaking a push half way.
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigemptyset(&none);
        sigset_t defaults;
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETPGROUP);
        const int failed = ::posix_spawnp(&m_pid, "git", &actions, &attributes, arguments.data(),
                                          variables.data());
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        ::close(input[0]);
        ::close(output[1]);
        m_input = input[1];
        m_output = output[0];
        if (failed != 0) {
            m_pid = -1;
            return {ErrorCode::Unavailable, std::string("git could not be started (") +
                                                std::strerror(failed) +
                                                "); install git on the server"};
        }
        return {};
    }

    /// Feeds the request's body to the child on a thread of its own: git may answer before it has
    /// read everything. The thread ends before the Backend does.
    void feed(std::istream &body)
    {
        m_feeder = std::thread([this, &body] {
            std::array<char, 65536> buffer{};
            bool childListens = true;
            while (body.good()) {
                body.read(buffer.data(), buffer.size());
                auto left = static_cast<std::size_t>(body.gcount());
                const char *at = buffer.data();
                while (childListens && left > 0) {
                    const ssize_t put = ::write(m_input, at, left);
                    if (put < 0 && errno == EINTR)
                        continue;
                    childListens = put > 0; // else the child ended: read on, so that the caller
                    if (!childListens)      // gets to see its answer
                        break;
                    at += put;
                    left -= static_cast<std::size_t>(put);
                }
            }
            closeInput();
        });
    }

    void joinFeeder()
    {
        if (m_feeder.joinable())
            m_feeder.join();
    }

    /// Next bytes of the answer; 0 at the end.
    ssize_t read(char *buffer, std::size_t size) const
    {
        while (true) {
            const ssize_t got = ::read(m_output, buffer, size);
            if (got >= 0 || errno != EINTR)
                return got;
        }
    }

    /// Exit status of the child; -1 when it was killed or never ran.
    int wait()
    {
        if (m_pid < 0)
            return m_status;
        int status = 0;
        while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
        }
        m_pid = -1;
        m_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return m_status;
    }

    void closeInput()
    {
        if (m_input >= 0)
            ::close(m_input);
        m_input = -1;
    }

    void closeOutput()
    {
        if (m_output >= 0)
            ::close(m_output);
        m_output = -1;
    }

private:
    pid_t m_pid = -1;
    int m_input = -1, m_output = -1;
    int m_status = -1;
    std::thread m_feeder;
};

std::vector<std::string> backendEnvironment(Call &call, const GitRequest &request)
{
    const char *path = std::getenv("PATH");
    std::vector<std::string> out{
        std::string("PATH=") + (path ? path : "/usr/local/bin:/usr/bin:/bin"),
        "GIT_PROJECT_ROOT=" + request.root.string(), "GIT_HTTP_EXPORT_ALL=1",
        "PATH_INFO=" + request.pathInfo, "REQUEST_METHOD=" + call.method,
        "QUERY_STRING=" + call.target.rawQuery, "REMOTE_USER=" + request.user,
        "REMOTE_ADDR=" + call.clientAddress, "CONTENT_TYPE=" + call.header("Content-Type"),
        "GIT_CONFIG_NOSYSTEM=1", "HOME=" + request.root.string(),
        // Configuration by environment: ours alone decides, not that of the account.
        "GIT_CONFIG_COUNT=4", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
        "GIT_CONFIG_KEY_1=http.receivepack",
        std::string("GIT_CONFIG_VALUE_1=") + (request.mayPush ? "true" : "false"),
        "GIT_CONFIG_KEY_2=uploadpack.allowReachableSHA1InWant", "GIT_CONFIG_VALUE_2=true",
        "GIT_CONFIG_KEY_3=receive.fsckObjects", "GIT_CONFIG_VALUE_3=true"};
    // No CONTENT_LENGTH: git then reads to the end of its input. With it, git waits in a busy loop
    // for bytes that never come when a client breaks off or this server is killed.
    if (const auto encoding = call.header("Content-Encoding"); !encoding.empty())
        out.push_back("HTTP_CONTENT_ENCODING=" + encoding);
    if (const auto protocol = call.header("Git-Protocol"); !protocol.empty())
        out.push_back("GIT_PROTOCOL=" + protocol);
    return out;
}

/// Head of the CGI answer, read into the reply; gives the bytes of the body read with it.
Result<std::string> readHead(Backend &backend, Reply &reply)
{
    constexpr std::size_t kMaxHead = 64U << 10U;
    std::string text;
    std::array<char, 4096> buffer{};
    std::size_t end = std::string::npos;
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
        const ssize_t got = backend.read(buffer.data(), buffer.size());
        if (got <= 0 || text.size() > kMaxHead)
            return {ErrorCode::Io, "git http-backend gave no answer"};
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    for (std::size_t begin = 0; begin < end;) {
        const auto stop = std::min(text.find("\r\n", begin), end);
        const std::string line = text.substr(begin, stop - begin);
        begin = stop + 2;
        const auto colon = line.find(": ");
        if (colon == std::string::npos)
            continue;
        const std::string name = line.substr(0, colon);
        const std::string value = line.substr(colon + 2);
        if (name == "Status")
            std::from_chars(value.data(), value.data() + value.size(), reply.status);
        else if (name == "Content-Type")
            reply.contentType = value;
        else if (name == "Content-Length")
            continue; // the body is streamed as it comes
        else
            reply.with(name, value);
    }
    return text.substr(end + 4);
}

} // namespace

bool isPush(const Call &call, const std::string &rest)
{
    return rest == "git-receive-pack" || call.query().text("service") == "git-receive-pack";
}

Result<Reply> runGitBackend(Call &call, const GitRequest &request)
{
    const auto backend = std::make_shared<Backend>();
    RETURN_IF_ERROR(backend->start(backendEnvironment(call, request)));
    backend->feed(*call.body);
    Reply reply;
    reply.status = 200;
    auto early = readHead(*backend, reply);
    if (!early)
        return early.error();
    const auto pushed = request.pushed;
    reply.stream = [backend, pushed, first = *std::move(early)](std::ostream &out) -> Status {
        out << first;
        std::array<char, 65536> buffer{};
        while (out) {
            const ssize_t got = backend->read(buffer.data(), buffer.size());
            if (got < 0)
                return {ErrorCode::Io, std::string("git http-backend: ") + std::strerror(errno)};
            if (got == 0)
                break;
            out.write(buffer.data(), got);
        }
        backend->closeOutput(); // the caller may have left: git must not wait for a reader
        backend->joinFeeder();
        const int status = backend->wait();
        if (pushed)
            pushed();
        // With an exit status other than 0 git has already said so inside its protocol.
        return status < 0 ? Status(ErrorCode::Io, "git http-backend was killed") : Status();
    };
    return reply;
}

} // namespace server::http
