#include "server/auth/secret_file.h"

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
    std::filesystem::path temporary = file;
    temporary += ".new";
    {
        const Descriptor fd(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (fd.get() < 0 || ::fchmod(fd.get(), 0600) != 0)
            return systemError("write", temporary);
        while (!content.empty()) {
            const ssize_t put = ::write(fd.get(), content.data(), content.size());
            if (put < 0)
                return systemError("write", temporary);
            content.remove_prefix(static_cast<std::size_t>(put));
        }
        if (::fsync(fd.get()) != 0)
            return systemError("write", temporary);
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0)
        return systemError("write", file);
    const Descriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0 && ::fsync(folder.get()) != 0)
        return systemError("write", file.parent_path());
    return {};
}

} // namespace server::auth
