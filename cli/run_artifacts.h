#pragma once
/// The folder for the artifacts of one `slipway run`.

#include "worker/base/files.h"

namespace cli {

/// Taken while it lives: runs of one tree at the same time have a folder each. The folder stays
/// afterwards, for people, until the next run takes it.
class ArtifactFolder
{
public:
    /// `artifacts` below `parent`, empty; while another run has it, `artifacts-2` and so on.
    /// Errors: Io, LimitExceeded (a hundred runs at once).
    static schema::Result<ArtifactFolder> take(const worker::fs::path &parent);

    [[nodiscard]] const worker::fs::path &path() const { return m_path; }

private:
    ArtifactFolder(worker::fs::path path, worker::UniqueFd lock)
        : m_path(std::move(path))
        , m_lock(std::move(lock))
    {}

    worker::fs::path m_path;
    worker::UniqueFd m_lock;
};

} // namespace cli
