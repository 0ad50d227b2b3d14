#include "server/triggers/push_filter.h"

#include <algorithm>
#include <array>

namespace server::triggers {

using pipelines::BranchFilter;

namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";

/// Patterns are written with or without their prefix.
bool refMatches(std::string_view pattern, std::string_view ref, std::string_view prefix)
{
    if (pattern.starts_with("refs/"))
        return matchesWildcard(pattern, ref);
    return ref.starts_with(prefix) && matchesWildcard(pattern, ref.substr(prefix.size()));
}

bool accepts(const BranchFilter &filter, std::string_view ref, std::string_view prefix)
{
    const auto any = [&](const std::vector<std::string> &patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [&](const std::string &pattern) {
            return refMatches(pattern, ref, prefix);
        });
    };
    // Only excludes: everything else is included.
    const bool included = filter.include.empty() ? ref.starts_with(prefix) : any(filter.include);
    return included && !any(filter.exclude);
}

std::string_view bare(std::string_view path)
{
    while (!path.empty() && path.front() == '/')
        path.remove_prefix(1);
    while (!path.empty() && path.back() == '/')
        path.remove_suffix(1);
    return path;
}

/// A folder covers everything below it.
bool pathMatches(std::string_view pattern, std::string_view path)
{
    pattern = bare(pattern);
    if (pattern.empty())
        return true;
    if (matchesWildcard(pattern, path))
        return true;
    return matchesWildcard(std::string(pattern) + "/*", path);
}

/// Length of the deepest filter that covers the path; -1 when none does.
std::ptrdiff_t deepest(const std::vector<std::string> &patterns, std::string_view path)
{
    std::ptrdiff_t best = -1;
    for (const auto &pattern : patterns)
        if (pathMatches(pattern, path))
            best = std::max(best, static_cast<std::ptrdiff_t>(bare(pattern).size()));
    return best;
}

bool acceptsPath(const BranchFilter &filter, std::string_view path)
{
    const auto included = filter.include.empty() ? 0 : deepest(filter.include, path);
    const auto excluded = deepest(filter.exclude, path);
    return included >= 0 && included > excluded;
}

} // namespace

bool matchesWildcard(std::string_view pattern, std::string_view text)
{
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t retry = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) &&
            pattern[p] != '*') {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = t;
        } else if (star != std::string_view::npos) {
            p = star + 1; // let the last star take one character more
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

bool matches(const pipelines::Triggers::Push &push, const std::string &ref,
             const std::vector<std::string> &changedPaths)
{
    if (!push.enabled)
        return false;
    const auto isEmpty = [](const BranchFilter &filter) {
        return filter.include.empty() && filter.exclude.empty();
    };
    const bool hasTags = !isEmpty(push.tags);
    bool accepted = false;
    if (std::string_view(ref).starts_with(kTags)) {
        // Tags fire only when asked for, under `tags` or as a tag ref under `branches`.
        const bool namedAsBranch =
            std::any_of(push.branches.include.begin(), push.branches.include.end(),
                        [](const std::string &pattern) { return pattern.starts_with(kTags); });
        accepted = (hasTags && accepts(push.tags, ref, kTags)) ||
                   (namedAsBranch && accepts(push.branches, ref, kHeads));
    } else if (std::string_view(ref).starts_with(kHeads)) {
        // `tags` alone means: no branches.
        accepted = !(hasTags && isEmpty(push.branches)) && accepts(push.branches, ref, kHeads);
    }
    if (!accepted || isEmpty(push.paths))
        return accepted;
    return std::any_of(changedPaths.begin(), changedPaths.end(), [&](const std::string &path) {
        return acceptsPath(push.paths, bare(path));
    });
}

bool skipsRuns(std::string_view commitMessage)
{
    static constexpr std::array<std::string_view, 11> kMarkers{"[skip ci]",
                                                               "[ci skip]",
                                                               "skip-checks: true",
                                                               "skip-checks:true",
                                                               "[skip azurepipelines]",
                                                               "[azurepipelines skip]",
                                                               "[skip azpipelines]",
                                                               "[azpipelines skip]",
                                                               "[skip azp]",
                                                               "[azp skip]",
                                                               "***NO_CI***"};
    return std::any_of(kMarkers.begin(), kMarkers.end(), [&](std::string_view marker) {
        return commitMessage.find(marker) != std::string_view::npos;
    });
}

} // namespace server::triggers
