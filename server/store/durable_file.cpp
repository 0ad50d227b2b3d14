#include "server/store/durable_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace server::store {

using schema::ErrorCode;
using schema::Status;

namespace {

schema::Error writeError(const std::filesystem::path &file, int code)
{
    const ErrorCode kind = code == ENOENT                    ? ErrorCode::NotFound
                           : code == EACCES || code == EPERM ? ErrorCode::PermissionDenied
                                                             : ErrorCode::Io;
    const bool full = code == ENOSPC || code == EDQUOT;
    return {kind, "write '" + file.string() + "': " + std::strerror(code) +
                      (full ? "; free space on that disk and try again" : "")};
}

/// errno of what failed, or 0.
int writeAndFlush(int fd, std::string_view content)
{
    if (::fchmod(fd, 0600) != 0)
        return errno;
    while (!content.empty()) {
        const ssize_t put = ::write(fd, content.data(), content.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        content.remove_prefix(static_cast<std::size_t>(put));
    }
    return ::fsync(fd) == 0 ? 0 : errno;
}

} // namespace

Status writeDurably(const std::filesystem::path &file, std::string_view content)
{
    std::filesystem::path temporary = file;
    temporary += ".new";
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return writeError(temporary, errno);
    const int failure = writeAndFlush(fd, content);
    ::close(fd);
    if (failure != 0)
        return writeError(temporary, failure);
    if (::rename(temporary.c_str(), file.c_str()) != 0)
        return writeError(file, errno);
    const auto parent = file.parent_path();
    const int folder =
        ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return writeError(parent, errno);
    const int flushed = ::fsync(folder) == 0 ? 0 : errno;
    ::close(folder);
    return flushed == 0 ? Status() : writeError(parent, flushed);
}

} // namespace server::store
