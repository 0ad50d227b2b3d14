#include "pipelines/trigger/resource.h"

#include "pipelines/base/text.h"
#include "pipelines/trigger/filter.h"

#include <algorithm>

namespace pipelines::trigger {
namespace {

using Kind = Triggers::Resource::Kind;

/// "folder\\name" and "/folder/name" are the same; a name without a folder is one of the root.
std::string samePath(std::string_view name)
{
    std::string out(name);
    std::replace(out.begin(), out.end(), '/', '\\');
    out.erase(0, std::min(out.find_first_not_of('\\'), out.size()));
    return out;
}

bool contains(const std::vector<std::string> &list, const std::string &wanted)
{
    return std::any_of(list.begin(), list.end(), [&wanted](const std::string &item) {
        return equalIgnoringCase(item, wanted);
    });
}

} // namespace

bool matches(const Triggers::Resource &resource, const Completion &completion,
             std::string_view ownProject)
{
    const std::string_view project = resource.project.empty() ? ownProject : resource.project;
    if (resource.kind != Kind::Pipeline || !equalIgnoringCase(project, completion.project) ||
        !equalIgnoringCase(samePath(resource.source), samePath(completion.pipeline)))
        return false;
    const bool hasBranches =
        !resource.branches.include.empty() || !resource.branches.exclude.empty();
    if (hasBranches && !acceptsRef(resource.branches, completion.branch))
        return false;
    const auto hasAll = [](const std::vector<std::string> &wanted,
                           const std::vector<std::string> &there) {
        return std::all_of(wanted.begin(), wanted.end(),
                           [&there](const std::string &item) { return contains(there, item); });
    };
    const bool excluded =
        std::any_of(resource.tags.exclude.begin(), resource.tags.exclude.end(),
                    [&](const std::string &tag) { return contains(completion.tags, tag); });
    if (excluded || !hasAll(resource.tags.include, completion.tags))
        return false;
    return resource.stages.empty() ? completion.isRunComplete
                                   : hasAll(resource.stages, completion.succeededStages);
}

bool matchesPush(const Triggers::Resource &resource, std::string_view ref,
                 std::span<const std::string> changedPaths)
{
    if (resource.kind != Kind::Repository)
        return false;
    Triggers::Push push;
    push.branches = resource.branches;
    push.paths = resource.paths;
    push.tags = resource.tags;
    return matches(push, ref, changedPaths);
}

bool matchesTag(const Triggers::Resource &resource, std::string_view tag)
{
    if (resource.kind != Kind::Container)
        return false;
    const auto matchesAny = [tag](const std::vector<std::string> &patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [tag](const std::string &pattern) {
            return matchesWildcard(pattern, tag);
        });
    };
    return (resource.tags.include.empty() || matchesAny(resource.tags.include)) &&
           !matchesAny(resource.tags.exclude);
}

bool matchesPayload(
    const Triggers::Resource &resource,
    const std::function<std::optional<std::string>(const std::string &path)> &valueAt)
{
    return resource.kind == Kind::Webhook &&
           std::all_of(resource.filters.begin(), resource.filters.end(), [&](const auto &filter) {
               const auto value = valueAt(filter.first);
               return value && *value == filter.second;
           });
}

} // namespace pipelines::trigger
