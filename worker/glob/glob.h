#pragma once
/// Glob patterns as the file tasks use them (worker-and-tasks 10.6).

#include "worker/base/files.h"

#include <string>
#include <string_view>
#include <vector>

namespace worker {

/// Whole-text match of one pattern: `*` and `?` stop at '/', `**` crosses folders, `[a-z]` sets and
/// the extended globs `@(a|b)`, `?(..)`, `*(..)`, `+(..)`, `!(..)`. Dot files match. Work is
/// bounded for every pattern: past the bound nothing matches.
bool matchesGlob(std::string_view pattern, std::string_view text);

/// True when the text holds a glob character.
bool hasGlob(std::string_view text);

struct FindOptions
{
    bool matchBase = false;  ///< a pattern without '/' is matched against the base name
    bool directories = true; ///< results may be folders
};

/// Files (and folders) below `root` that the patterns choose: one pattern per entry, `!` excludes
/// from the set so far, `#` begins a comment. Sorted, unique, full paths. Symlinked folders are
/// followed, cycles are cut. Errors: Io, LimitExceeded past a million entries.
Result<std::vector<std::string>> findMatches(const fs::path &root,
                                             const std::vector<std::string> &patterns,
                                             const FindOptions &options = {});

} // namespace worker
