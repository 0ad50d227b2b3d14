#include "server/artifacts/content_writer.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <openssl/evp.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace server::artifacts {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

constexpr std::size_t kPiece = 256U << 10U;
constexpr std::size_t kPieces = 8;
/// So much more is handed to the disk at once.
constexpr std::uint64_t kFlushBytes = 8U << 20U;

std::string hex(std::span<const unsigned char> bytes)
{
    std::string text;
    for (const unsigned char byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

} // namespace

Error ioError(std::string_view doing, const std::filesystem::path &path)
{
    const int code = errno;
    return {code == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Io,
            fmt::format("{} {}: {}{}", doing, path.string(), std::strerror(code),
                        code == ENOSPC ? "; free space on that disk" : "")};
}

struct ContentWriter::State
{
    std::filesystem::path path;
    int fd = -1;
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    std::uint64_t written = 0;

    /// A ring: those from `hashed` to `filled` wait for the hash. Made one by one, most uploads
    /// need one.
    struct Piece
    {
        std::vector<char> bytes;
        std::size_t length = 0;
    };

    std::array<Piece, kPieces> pieces;

    std::mutex mutex; ///< guards the rest
    std::condition_variable moved;
    std::uint64_t filled = 0, hashed = 0; ///< pieces so far
    bool ended = false, dropped = false;
    int flushError = 0;
    std::thread thread;

    ~State()
    {
        end(true);
        if (thread.joinable())
            thread.join();
        if (fd >= 0)
            ::close(fd);
    }

    void end(bool drop)
    {
        const std::lock_guard lock(mutex);
        ended = true;
        dropped = drop;
        moved.notify_all();
    }

    void flush()
    {
        if (::fdatasync(fd) != 0)
            flushError = errno;
    }

    void background()
    {
        std::uint64_t bytes = 0;
        std::uint64_t flushing = 0;
        std::unique_lock lock(mutex);
        while (true) {
            moved.wait(lock, [this] { return filled > hashed || ended; });
            if (filled == hashed || dropped)
                break;
            const Piece &piece = pieces[hashed % kPieces];
            lock.unlock();
            EVP_DigestUpdate(hash.get(), piece.bytes.data(), piece.length);
            bytes += piece.length;
            // The disk works while more arrives; the flush waits for the rest, and tells what
            // failed.
            if (bytes - flushing >= kFlushBytes) {
                ::sync_file_range(fd, static_cast<off64_t>(flushing),
                                  static_cast<off64_t>(bytes - flushing), SYNC_FILE_RANGE_WRITE);
                flushing = bytes;
            }
            lock.lock();
            ++hashed;
            moved.notify_all();
        }
        if (dropped)
            return;
        lock.unlock();
        flush();
    }
};

ContentWriter::ContentWriter(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ContentWriter::~ContentWriter() = default;
ContentWriter::ContentWriter(ContentWriter &&) noexcept = default;
ContentWriter &ContentWriter::operator=(ContentWriter &&) noexcept = default;

Result<ContentWriter> ContentWriter::create(const std::filesystem::path &path)
{
    auto state = std::make_unique<State>();
    state->path = path;
    state->fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (state->fd < 0)
        return ioError("create", path);
    if (state->hash == nullptr || EVP_DigestInit_ex(state->hash.get(), EVP_sha256(), nullptr) != 1)
        return Error{ErrorCode::Internal, "SHA-256 cannot be set up"};
    return ContentWriter(std::move(state));
}

std::span<char> ContentWriter::room()
{
    State &state = *m_state;
    std::unique_lock lock(state.mutex);
    // A second piece: what comes is long enough for a thread of its own.
    if (state.filled > 0 && !state.thread.joinable())
        state.thread = std::thread([&state] { state.background(); });
    state.moved.wait(lock, [&state] { return state.filled - state.hashed < kPieces; });
    State::Piece &piece = state.pieces[state.filled % kPieces];
    if (piece.bytes.empty())
        piece.bytes.resize(kPiece);
    return piece.bytes;
}

Status ContentWriter::commit(std::size_t count)
{
    State &state = *m_state;
    State::Piece &piece = state.pieces[state.filled % kPieces]; // only this thread changes `filled`
    piece.length = count;
    for (std::size_t done = 0; done < count;) {
        const ssize_t put = ::write(state.fd, piece.bytes.data() + done, count - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ioError("write", state.path);
        done += static_cast<std::size_t>(put);
    }
    const std::lock_guard lock(state.mutex);
    ++state.filled;
    state.moved.notify_all();
    return {};
}

void ContentWriter::end()
{
    m_state->end(false);
}

Result<std::string> ContentWriter::settle()
{
    State &state = *m_state;
    if (state.thread.joinable())
        state.thread.join();
    else
        state.background(); // at most one piece
    if (state.flushError != 0) {
        errno = state.flushError;
        return ioError("flush", state.path);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(state.hash.get(), digest.data(), &length);
    return hex(std::span(digest).first(length));
}

void ContentWriter::remove() noexcept
{
    ::unlink(m_state->path.c_str());
}

const std::filesystem::path &ContentWriter::path() const
{
    return m_state->path;
}

} // namespace server::artifacts
