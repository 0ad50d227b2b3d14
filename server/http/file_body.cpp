#include "server/http/file_body.h"

#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/SocketImpl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace server::http {
namespace {

using schema::ErrorCode;

/// For one call: a stop of the server is noticed in between.
constexpr std::uint64_t kMostAtOnce = 1U << 20U;

schema::Error systemError(const char *doing)
{
    const int code = errno;
    return {code == ENOENT ? ErrorCode::NotFound : ErrorCode::Io,
            std::string(doing) + ": " + std::strerror(code)};
}

} // namespace

schema::Result<std::shared_ptr<const FileBody>> FileBody::open(const std::filesystem::path &path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return systemError("it cannot be read");
    struct stat info{};
    if (::fstat(fd, &info) != 0) {
        schema::Error error = systemError("it cannot be read");
        ::close(fd);
        return error;
    }
    return std::shared_ptr<const FileBody>(
        new FileBody(fd, static_cast<std::uint64_t>(info.st_size)));
}

FileBody::~FileBody()
{
    ::close(m_fd);
}

std::string FileBody::begin(std::size_t count) const
{
    std::string bytes(count, '\0');
    const ssize_t got = ::pread(m_fd, bytes.data(), count, 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
}

schema::Status FileBody::send(Poco::Net::HTTPServerSession &session) const
{
    const int socket = session.socket().impl()->sockfd();
    off64_t at = 0;
    while (static_cast<std::uint64_t>(at) < m_size) {
        const std::uint64_t wanted = std::min(m_size - static_cast<std::uint64_t>(at), kMostAtOnce);
        const ssize_t sent = ::sendfile64(socket, m_fd, &at, static_cast<std::size_t>(wanted));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return systemError("send");
        if (sent == 0)
            return {ErrorCode::Io, "the file became shorter while it was sent"};
    }
    return {};
}

} // namespace server::http
