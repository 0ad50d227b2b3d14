#pragma once
/// A file on its way to the disk, with its SHA-256. What is longer than a piece is hashed, and
/// handed to the disk, on a thread of its own while the next piece arrives: an upload then takes
/// as long as the slower of the two, not as both together.

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace server::artifacts {

/// One thread uses it.
class ContentWriter
{
public:
    /// Creates the file, which must not exist. Errors: Io, PermissionDenied.
    static schema::Result<ContentWriter> create(const std::filesystem::path &path);
    /// Destroyed without remove(): the file stays, whole or not.
    ~ContentWriter();
    ContentWriter(ContentWriter &&) noexcept;
    ContentWriter &operator=(ContentWriter &&) noexcept;

    /// Where the next bytes go, 256 KiB; good until the next call.
    std::span<char> room();
    /// The first `count` bytes of room() are there. Errors: Io (disk full).
    schema::Status commit(std::size_t count);
    /// No more bytes. The file can be read from here on; the rest of the hash and the flush go on.
    void end();
    /// Waits until all of it is hashed and on the disk; gives the SHA-256, lower-case hex. After
    /// end(). Errors: Io.
    schema::Result<std::string> settle();
    /// Deletes the file, unless it got another name meanwhile.
    void remove() noexcept;

    [[nodiscard]] const std::filesystem::path &path() const;

private:
    struct State;
    explicit ContentWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// The error of the last failed system call: "<doing> <path>: <reason>", with the remedy for a full
/// disk.
schema::Error ioError(std::string_view doing, const std::filesystem::path &path);

} // namespace server::artifacts
