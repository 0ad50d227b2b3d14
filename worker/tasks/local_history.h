#pragma once
/// The history of a local tree for the copy that a job works on.

#include "worker/base/files.h"

namespace worker {

/// Folder with the objects of the git repository whose tree is `root` (also of a linked worktree);
/// empty: `root` is no such tree, or keeps its references in a way that is not known here.
fs::path objectsOf(const fs::path &root);

/// Makes `copy`, a copy of the files of `root`, a repository of its own at the same commit, so that
/// steps find branch, commits and changes. What they do to it, `root` does not see: its objects are
/// only read (alternates), and there is no remote to push to. Nothing happens when objectsOf(root)
/// is empty. Errors: Io.
Status lendHistory(const fs::path &root, const fs::path &copy);

} // namespace worker
