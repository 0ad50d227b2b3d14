#pragma once
/// Does an event start a run? Pure matching of triggers (pipeline-language 5).

#include "pipelines/compile/compiler.h"

#include <span>
#include <string>
#include <string_view>

namespace pipelines::trigger {

/// `*` any run of characters, `/` included; `?` exactly one; case-sensitive.
bool matchesWildcard(std::string_view pattern, std::string_view text);

/// Path patterns: `*` and `?` stay inside one segment, `**` crosses them; a pattern that matches a
/// folder covers everything below it; a leading `/` is ignored.
bool matchesPath(std::string_view pattern, std::string_view path);

/// A full ref ("refs/heads/main", "refs/tags/v1") against a branch filter. An empty include list
/// accepts every branch, but no tag.
bool acceptsRef(const BranchFilter &filter, std::string_view ref);

/// Is any of the changed files accepted? Per file, the deeper filter wins over the shallower one;
/// an exclude wins over an include of the same depth. A filter without patterns accepts all.
bool acceptsPaths(const BranchFilter &filter, std::span<const std::string> changedPaths);

/// Does a push to `ref` (full name) that changed these files start a run? Skip markers are the
/// caller's (hasSkipMarker), since they depend on the commit's message.
bool matches(const Triggers::Push &push, std::string_view ref,
             std::span<const std::string> changedPaths);

/// Does a pull request into `targetRef` start a validation?
bool matches(const Triggers::PullRequest &pullRequest, std::string_view targetRef,
             std::span<const std::string> changedPaths, bool isDraft);

/// Is a schedule meant for this branch? Without a filter: every branch.
bool matches(const Triggers::Schedule &schedule, std::string_view ref);

/// `[skip ci]` and its like in the message of the head commit (5.3).
bool hasSkipMarker(std::string_view message);

} // namespace pipelines::trigger
