#pragma once
/// Waits for changes of a tree of files.

#include "worker/base/files.h"

#include <map>
#include <string>

namespace cli {

/// Watches every folder of a tree but `.git`, `node_modules` and one to leave out, from the moment
/// it is made: what changes between that and wait() counts. One thread.
class TreeWatch
{
public:
    /// Errors: LimitExceeded (too many folders for the system's limit), Io.
    static schema::Result<TreeWatch> create(const worker::fs::path &root,
                                            const worker::fs::path &leftOut = {});

    /// Waits for a change and then until nothing has changed for `quietMs`. False when `stopFd`
    /// became readable first.
    bool wait(int stopFd, int quietMs = 200);

private:
    schema::Status add(const worker::fs::path &folder);
    [[nodiscard]] bool isLeftOut(const worker::fs::path &folder) const;
    /// Takes what has arrived; true when something changed.
    bool drain();

    worker::UniqueFd m_fd;
    worker::fs::path m_leftOut;
    std::map<int, worker::fs::path> m_folders;
};

} // namespace cli
