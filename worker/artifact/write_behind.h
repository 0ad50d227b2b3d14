#pragma once
/// Writes a long file on a thread of its own while the next bytes of it arrive.

#include "worker/base/files.h"

#include <memory>

namespace worker {

/// One thread uses it. Holds a megabyte.
class WriteBehind
{
public:
    /// Writes to `fd`, which must outlive it; `path` is for the errors.
    WriteBehind(int fd, fs::path path);
    /// Waits until nothing is being written; what still waits is dropped.
    ~WriteBehind();
    WriteBehind(const WriteBehind &) = delete;
    WriteBehind &operator=(const WriteBehind &) = delete;

    /// Errors: of an earlier write, Io, LimitExceeded (no disk space).
    Status write(std::string_view bytes);
    /// Waits until all of it is written. Errors: as write.
    Status finish();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace worker
