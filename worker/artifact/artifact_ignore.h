#pragma once
/// What of a folder is no part of the artifact made of it.

#include "worker/base/files.h"

#include <string>
#include <utility>
#include <vector>

namespace worker {

/// Rules of the `.artifactignore` at the root of a folder (gitignore syntax: later lines win, `!`
/// takes back). Without that file `.git` folders are left out (worker-and-tasks 10.4).
class ArtifactIgnore
{
public:
    /// Reads the file below `root`; one that cannot be read counts as none.
    explicit ArtifactIgnore(const fs::path &root);

    /// `path`: relative to the root, with '/'. Of a folder that is left out nothing is looked at,
    /// as in git: no rule takes back what is in it.
    [[nodiscard]] bool excludes(const std::string &path) const;

private:
    std::vector<std::pair<std::string, bool>> m_rules; ///< pattern, whether it takes back
};

} // namespace worker
