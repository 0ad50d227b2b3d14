#include "server/auth/secret_file.h"

#include "server/store/durable_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace server::auth {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

/// Closes a file descriptor at the end of its scope.
class Descriptor
{
public:
    explicit Descriptor(int fd)
        : m_fd(fd)
    {}

    ~Descriptor()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;

    [[nodiscard]] int get() const { return m_fd; }

private:
    int m_fd;
};

schema::Error systemError(const std::string &doing, const std::filesystem::path &file)
{
    const int code = errno;
    const ErrorCode kind = code == ENOENT                    ? ErrorCode::NotFound
                           : code == EACCES || code == EPERM ? ErrorCode::PermissionDenied
                                                             : ErrorCode::Io;
    return {kind, doing + " '" + file.string() + "': " + std::strerror(code)};
}

} // namespace

Result<std::string> readSecretFile(const std::filesystem::path &file)
{
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0)
        return systemError("read", file);
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0)
        return systemError("read", file);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return {ErrorCode::PermissionDenied, "'" + file.string() +
                                                 "' can be read by other users; run: chmod 600 '" +
                                                 file.string() + "'"};
    std::string out;
    char buffer[4096];
    while (true) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0)
            return systemError("read", file);
        if (got == 0)
            break;
        out.append(buffer, static_cast<std::size_t>(got));
    }
    while (!out.empty() && (out.back() == '\n' || out.back() == '\r'))
        out.pop_back();
    return out;
}

Status writeSecretFile(const std::filesystem::path &file, std::string_view content)
{
    return store::writeDurably(file, content);
}

} // namespace server::auth
