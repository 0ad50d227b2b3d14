#include "worker/base/files.h"

#include "worker/base/text.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace worker {

void UniqueFd::reset(int fd)
{
    if (m_fd >= 0)
        ::close(m_fd);
    m_fd = fd;
}

schema::Error systemError(std::string_view doing, const fs::path &path, int error)
{
    std::string message =
        std::string(doing) + " '" + path.string() + "': " + std::generic_category().message(error);
    ErrorCode code = ErrorCode::Io;
    if (error == ENOSPC || error == EDQUOT) {
        code = ErrorCode::LimitExceeded;
        message += "; free disk space there or move the work folder (--work)";
    } else if (error == EACCES || error == EPERM || error == EROFS) {
        code = ErrorCode::PermissionDenied;
        message += "; give the worker's user permission there";
    } else if (error == ENOENT) {
        code = ErrorCode::NotFound;
    }
    return {code, message};
}

Result<std::string> readFile(const fs::path &path, std::size_t limit)
{
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return systemError("read", path, errno);
    std::string out;
    std::array<char, 1U << 16U> buffer{};
    while (true) {
        const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return systemError("read", path, errno);
        if (count == 0)
            return out;
        out.append(buffer.data(), static_cast<std::size_t>(count));
        if (out.size() > limit)
            return {ErrorCode::LimitExceeded, "read '" + path.string() + "': longer than " +
                                                  std::to_string(limit) + " bytes"};
    }
}

Status writeAll(int fd, std::string_view bytes, const fs::path &path)
{
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return systemError("write", path, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

namespace {

Status write(const fs::path &path, std::string_view content, unsigned mode, bool durable)
{
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd)
        return systemError("write", path, errno);
    // An existing file keeps its mode on open; what holds secrets must not.
    if (::fchmod(fd.get(), mode) != 0)
        return systemError("set the mode of", path, errno);
    RETURN_IF_ERROR(writeAll(fd.get(), content, path));
    if (durable && ::fsync(fd.get()) != 0)
        return systemError("write", path, errno);
    return {};
}

} // namespace

Status writeFile(const fs::path &path, std::string_view content, unsigned mode)
{
    return write(path, content, mode, false);
}

Status writeFileDurably(const fs::path &path, std::string_view content, unsigned mode)
{
    const fs::path temporary = path.string() + ".new";
    RETURN_IF_ERROR(write(temporary, content, mode, true));
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        return systemError("rename to", path, errno);
    const UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder && ::fsync(folder.get()) != 0)
        return systemError("write", path.parent_path(), errno);
    return {};
}

Status makeDirectories(const fs::path &path)
{
    std::error_code error;
    fs::create_directories(path, error);
    if (error)
        return systemError("create the folder", path, error.value());
    return {};
}

Status removeTree(const fs::path &path)
{
    std::error_code error;
    fs::remove_all(path, error);
    if (!error)
        return {};
    // A read-only folder in the tree: make the folders writable and try once more.
    std::error_code ignored;
    for (fs::recursive_directory_iterator it(path, ignored), end; !ignored && it != end;
         it.increment(ignored)) {
        if (it->is_directory(ignored) && !it->is_symlink(ignored))
            fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    error.clear();
    fs::remove_all(path, error);
    if (error)
        return systemError("delete", path, error.value());
    return {};
}

Status emptyDirectory(const fs::path &path)
{
    RETURN_IF_ERROR(makeDirectories(path));
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
        RETURN_IF_ERROR(removeTree(it->path()));
    if (error)
        return systemError("empty", path, error.value());
    return {};
}

std::string findProgram(const std::string &program, const std::string &path)
{
    const auto runnable = [](const std::string &file) {
        struct stat info{};
        return ::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
               ::access(file.c_str(), X_OK) == 0;
    };
    if (program.find('/') != std::string::npos)
        return runnable(program) ? program : std::string();
    for (const auto &folder : listEntries(path, ":")) {
        if (auto file = folder + "/" + program; runnable(file))
            return file;
    }
    return {};
}

} // namespace worker
