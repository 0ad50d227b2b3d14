#include "worker/artifact/write_behind.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace worker {
namespace {

constexpr std::size_t kPiece = 256U << 10U;
constexpr std::size_t kPieces = 4;

} // namespace

struct WriteBehind::State
{
    struct Piece
    {
        std::vector<char> bytes = std::vector<char>(kPiece);
        std::size_t length = 0;
    };

    int fd = -1;
    fs::path path;
    std::array<Piece, kPieces> pieces; ///< a ring: from `written` to `filled` they wait

    std::mutex mutex; ///< guards the rest
    std::condition_variable moved;
    std::uint64_t filled = 0, written = 0; ///< pieces so far
    bool ended = false;
    Status problem;
    std::thread thread;

    void background()
    {
        std::unique_lock lock(mutex);
        while (true) {
            moved.wait(lock, [this] { return filled > written || ended; });
            if (filled == written || !problem)
                return;
            const Piece &piece = pieces[written % kPieces];
            lock.unlock();
            Status status = writeAll(fd, {piece.bytes.data(), piece.length}, path);
            lock.lock();
            if (!status)
                problem = std::move(status);
            ++written;
            moved.notify_all();
        }
    }

    /// The piece that is being filled becomes one that waits.
    Status handOver()
    {
        std::unique_lock lock(mutex);
        ++filled;
        moved.notify_all();
        moved.wait(lock, [this] { return filled - written < kPieces || !problem; });
        pieces[filled % kPieces].length = 0;
        return problem;
    }
};

WriteBehind::WriteBehind(int fd, fs::path path)
    : m_state(std::make_unique<State>())
{
    m_state->fd = fd;
    m_state->path = std::move(path);
    m_state->thread = std::thread([state = m_state.get()] { state->background(); });
}

WriteBehind::~WriteBehind()
{
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->ended = true;
        if (m_state->filled > m_state->written && m_state->problem)
            m_state->problem = schema::Error{ErrorCode::Canceled, "nobody waits for it"};
        m_state->moved.notify_all();
    }
    if (m_state->thread.joinable())
        m_state->thread.join();
}

Status WriteBehind::write(std::string_view bytes)
{
    State &state = *m_state;
    while (!bytes.empty()) {
        State::Piece &piece = state.pieces[state.filled % kPieces]; // changed by this thread alone
        const std::size_t count = std::min(bytes.size(), kPiece - piece.length);
        std::memcpy(piece.bytes.data() + piece.length, bytes.data(), count);
        piece.length += count;
        bytes.remove_prefix(count);
        if (piece.length == kPiece)
            RETURN_IF_ERROR(state.handOver());
    }
    return {};
}

Status WriteBehind::finish()
{
    State &state = *m_state;
    if (state.pieces[state.filled % kPieces].length > 0)
        RETURN_IF_ERROR(state.handOver());
    std::unique_lock lock(state.mutex);
    state.ended = true;
    state.moved.notify_all();
    state.moved.wait(lock, [&state] { return state.filled == state.written || !state.problem; });
    return state.problem;
}

} // namespace worker
