#include "server/app/data_folder.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace server::app {

using schema::ErrorCode;
using schema::Result;

namespace {

schema::Error folderError(const std::filesystem::path &folder, int code)
{
    const std::string name = "data folder '" + folder.string() + "'";
    if (code == EACCES || code == EPERM || code == EROFS)
        return {ErrorCode::PermissionDenied,
                name + " cannot be written (" + std::strerror(code) +
                    "); give it to this user or choose another one with --data"};
    if (code == ENOTDIR || code == EEXIST)
        return {ErrorCode::InvalidArgument,
                name + " is not a folder; choose another one with --data"};
    return {ErrorCode::Io, name + ": " + std::strerror(code) + "; choose another one with --data"};
}

std::string holderOf(int lock)
{
    char text[32] = {};
    const ssize_t got = ::pread(lock, text, sizeof text - 1, 0);
    std::string out(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    while (!out.empty() && (out.back() < '0' || out.back() > '9'))
        out.pop_back();
    return out.empty() ? "another server" : "another server (process " + out + ")";
}

} // namespace

Result<DataFolder> DataFolder::open(const std::filesystem::path &folder)
{
    // Also in a folder that others may enter, as those that service managers and container engines
    // make: logs, repositories and the database are for this user only.
    ::umask(0077);
    std::error_code code;
    const auto parent = std::filesystem::absolute(folder, code).parent_path();
    std::filesystem::create_directories(parent, code);
    if (code)
        return folderError(folder, code.value());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return folderError(folder, errno);
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0)
        return folderError(folder, errno);
    if (!S_ISDIR(status.st_mode))
        return folderError(folder, ENOTDIR);
    const int lock = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return folderError(folder, errno);
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const bool taken = errno == EWOULDBLOCK;
        const schema::Error error =
            taken ? schema::Error{ErrorCode::AlreadyExists,
                                  holderOf(lock) + " is using the data folder '" + folder.string() +
                                      "'; stop it first or choose another one with --data"}
                  : folderError(folder, errno);
        ::close(lock);
        return error;
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock, 0) != 0 ||
        ::pwrite(lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        const int failure = errno;
        ::close(lock);
        return folderError(folder, failure);
    }
    return DataFolder(std::filesystem::canonical(folder, code), lock);
}

DataFolder::DataFolder(DataFolder &&other) noexcept
    : m_folder(std::move(other.m_folder))
    , m_lock(other.m_lock)
{
    other.m_lock = -1;
}

DataFolder::~DataFolder()
{
    if (m_lock >= 0)
        ::close(m_lock); // the lock goes with the descriptor
}

} // namespace server::app
