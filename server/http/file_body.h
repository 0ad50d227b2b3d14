#pragma once
/// A file as the body of an answer: the kernel sends it, no byte of it comes into this process.

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace Poco::Net {
class HTTPServerSession;
}

namespace server::http {

/// Open until nobody refers to it; it may lose its name meanwhile. Any thread.
class FileBody
{
public:
    /// Errors: NotFound, Io.
    static schema::Result<std::shared_ptr<const FileBody>> open(const std::filesystem::path &path);
    ~FileBody();
    FileBody(const FileBody &) = delete;
    FileBody &operator=(const FileBody &) = delete;

    [[nodiscard]] std::uint64_t size() const { return m_size; }

    /// The first bytes of the file, at most `count`.
    [[nodiscard]] std::string begin(std::size_t count) const;

    /// Sends the whole file behind a head that was sent, to a plain connection. Errors: Io (the
    /// caller went away or takes nothing for too long, the file became shorter).
    schema::Status send(Poco::Net::HTTPServerSession &session) const;

private:
    FileBody(int fd, std::uint64_t size)
        : m_fd(fd)
        , m_size(size)
    {}

    int m_fd;
    std::uint64_t m_size;
};

} // namespace server::http
