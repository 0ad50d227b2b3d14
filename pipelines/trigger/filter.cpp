#include "pipelines/trigger/filter.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <array>

namespace pipelines::trigger {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";

/// Greedy matching with one point to return to: linear in practice, quadratic at worst.
/// `crosses(c)`: may a star swallow this character?
template <typename Crosses>
bool glob(std::string_view pattern, std::string_view text, Crosses crosses)
{
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() &&
                   (pattern[p] == text[t] || (pattern[p] == '?' && crosses(text[t])))) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos && crosses(text[resume])) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

std::string_view firstSegment(std::string_view &rest)
{
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    return segment;
}

/// Pattern segments against path segments from `p` and `t` on; `**` stands for any number. The path
/// may go on below a full match. Positions are few, so plain dynamic programming does.
bool matchSegments(const std::vector<std::string_view> &pattern,
                   const std::vector<std::string_view> &path)
{
    std::vector<bool> reachable(path.size() + 1, false);
    reachable[0] = true;
    for (const std::string_view segment : pattern) {
        std::vector<bool> next(path.size() + 1, false);
        for (std::size_t i = 0; i <= path.size(); ++i) {
            if (!reachable[i])
                continue;
            if (segment == "**") {
                for (std::size_t j = i; j <= path.size(); ++j)
                    next[j] = true;
            } else if (i < path.size() && glob(segment, path[i], [](char c) { return c != '/'; })) {
                next[i + 1] = true;
            }
        }
        reachable = std::move(next);
    }
    return std::any_of(reachable.begin(), reachable.end(), [](bool value) { return value; });
}

std::vector<std::string_view> segments(std::string_view text)
{
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::string_view segment = firstSegment(text);
        if (!segment.empty() && segment != ".")
            out.push_back(segment);
    }
    return out;
}

bool matchesRefPattern(std::string_view pattern, std::string_view ref)
{
    if (pattern.starts_with("refs/"))
        return matchesWildcard(pattern, ref);
    return ref.starts_with(kHeads) && matchesWildcard(pattern, ref.substr(kHeads.size()));
}

bool matchesTagPattern(std::string_view pattern, std::string_view ref)
{
    if (pattern.starts_with("refs/"))
        return matchesWildcard(pattern, ref);
    return matchesWildcard(pattern, ref.substr(kTags.size()));
}

bool isEmpty(const BranchFilter &filter)
{
    return filter.include.empty() && filter.exclude.empty();
}

bool acceptsTag(const BranchFilter &filter, std::string_view ref)
{
    const auto match = [ref](const std::string &pattern) {
        return matchesTagPattern(pattern, ref);
    };
    return (filter.include.empty() ||
            std::any_of(filter.include.begin(), filter.include.end(), match)) &&
           std::none_of(filter.exclude.begin(), filter.exclude.end(), match);
}

/// Depth of the deepest matching pattern, or -1.
int deepest(const std::vector<std::string> &patterns, const std::string &path)
{
    int depth = -1;
    for (const std::string &pattern : patterns) {
        if (matchesPath(pattern, path))
            depth = std::max(depth, static_cast<int>(segments(pattern).size()));
    }
    return depth;
}

} // namespace

bool matchesWildcard(std::string_view pattern, std::string_view text)
{
    return glob(pattern, text, [](char) { return true; });
}

bool matchesPath(std::string_view pattern, std::string_view path)
{
    return matchSegments(segments(pattern), segments(path));
}

bool acceptsRef(const BranchFilter &filter, std::string_view ref)
{
    const auto match = [ref](const std::string &pattern) {
        return matchesRefPattern(pattern, ref);
    };
    if (std::any_of(filter.exclude.begin(), filter.exclude.end(), match))
        return false;
    if (filter.include.empty())
        return ref.starts_with(kHeads);
    return std::any_of(filter.include.begin(), filter.include.end(), match);
}

bool acceptsPaths(const BranchFilter &filter, std::span<const std::string> changedPaths)
{
    if (isEmpty(filter))
        return true;
    return std::any_of(changedPaths.begin(), changedPaths.end(), [&](const std::string &path) {
        const int included = filter.include.empty() ? 0 : deepest(filter.include, path);
        return included >= 0 && included > deepest(filter.exclude, path);
    });
}

bool matches(const Triggers::Push &push, std::string_view ref,
             std::span<const std::string> changedPaths)
{
    if (!push.enabled)
        return false;
    const bool isTag = ref.starts_with(kTags);
    bool accepted = false;
    if (isTag) {
        // Tags fire only when asked for, under `tags` or as refs/tags/... under `branches`.
        accepted = (!isEmpty(push.tags) && acceptsTag(push.tags, ref)) ||
                   (!push.branches.include.empty() && acceptsRef(push.branches, ref));
    } else {
        // A trigger that names only tags does not fire for branches (our choice: undocumented).
        accepted =
            (!isEmpty(push.branches) || isEmpty(push.tags)) && acceptsRef(push.branches, ref);
    }
    // Path filters do not apply to tags: a tag changes no file.
    return accepted && (isTag || acceptsPaths(push.paths, changedPaths));
}

bool matches(const Triggers::PullRequest &pullRequest, std::string_view targetRef,
             std::span<const std::string> changedPaths, bool isDraft)
{
    return pullRequest.enabled && (pullRequest.drafts || !isDraft) &&
           acceptsRef(pullRequest.branches, targetRef) &&
           acceptsPaths(pullRequest.paths, changedPaths);
}

bool matches(const Triggers::Schedule &schedule, std::string_view ref)
{
    return acceptsRef(schedule.branches, ref);
}

bool hasSkipMarker(std::string_view message)
{
    constexpr std::array<std::string_view, 11> kMarkers{"[skip ci]",
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
    return std::any_of(kMarkers.begin(), kMarkers.end(), [message](std::string_view marker) {
        return findIgnoringCase(message, marker) != std::string_view::npos;
    });
}

} // namespace pipelines::trigger
