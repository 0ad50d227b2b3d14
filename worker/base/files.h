#pragma once
/// File system edges of the worker: whole-file reads and writes with errors as values, and an
/// owning file descriptor.

#include "schema/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace worker {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
namespace fs = std::filesystem;

/// Owns a file descriptor.
class UniqueFd
{
public:
    UniqueFd() = default;

    explicit UniqueFd(int fd)
        : m_fd(fd)
    {}

    UniqueFd(UniqueFd &&other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {}

    UniqueFd &operator=(UniqueFd &&other) noexcept
    {
        reset(std::exchange(other.m_fd, -1));
        return *this;
    }

    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const { return m_fd; }

    explicit operator bool() const { return m_fd >= 0; }

    void reset(int fd = -1);

private:
    int m_fd = -1;
};

/// The error of a failed system call: "<doing> '<path>': <reason>", with the remedy for a full disk
/// or missing permission. Code Io (LimitExceeded for a full disk, NotFound, PermissionDenied).
schema::Error systemError(std::string_view doing, const fs::path &path, int error);

/// Errors: Io, NotFound; LimitExceeded when the file is longer than `limit` bytes.
Result<std::string> readFile(const fs::path &path, std::size_t limit = 64U << 20U);
/// Replaces the file; `mode` applies from its creation on (0600 for what holds secrets).
Status writeFile(const fs::path &path, std::string_view content, unsigned mode = 0644);
/// The same, atomic and durable: temporary file, fsync, rename, fsync of the folder.
Status writeFileDurably(const fs::path &path, std::string_view content, unsigned mode = 0644);
/// Writes all bytes to a descriptor, continuing short writes. `path` is for the error only.
Status writeAll(int fd, std::string_view bytes, const fs::path &path);
Status makeDirectories(const fs::path &path);
/// Deletes a file or tree; read-only folders are made writable first. Missing is fine.
Status removeTree(const fs::path &path);
/// Deletes the contents of a folder and keeps (or creates) the folder.
Status emptyDirectory(const fs::path &path);
/// Full path of `program` on the search path `path` ("/usr/bin:/bin"); a name with a slash is taken
/// as it is. Empty when there is none that may be executed.
std::string findProgram(const std::string &program, const std::string &path);

} // namespace worker
