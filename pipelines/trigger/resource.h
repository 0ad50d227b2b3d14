#pragma once
/// Does something that happened elsewhere start a run? Pure matching of the triggers of resources
/// (pipeline-language 4.1 to 4.4).

#include "pipelines/compile/compiler.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pipelines::trigger {

/// A run of another pipeline that ended, or a stage of it.
struct Completion
{
    std::string pipeline; ///< name, with its folder if it has one ("team\\Api CI")
    std::string project;
    std::string branch; ///< full ref the run was of
    std::vector<std::string> tags;
    std::vector<std::string> succeededStages;
    bool isRunComplete = false; ///< the whole run ended well
};

/// `ownProject`: of the pipeline that declares the resource, for resources that name none. Filters
/// of branches, stages and tags must all accept; without stages the whole run must have ended.
bool matches(const Triggers::Resource &resource, const Completion &completion,
             std::string_view ownProject);

/// A push to the repository of a repository resource: as for the pipeline's own repository.
bool matchesPush(const Triggers::Resource &resource, std::string_view ref,
                 std::span<const std::string> changedPaths);

/// A tag of a container image was pushed. Without a filter every tag counts.
bool matchesTag(const Triggers::Resource &resource, std::string_view tag);

/// A webhook was called; `valueAt` gives the text at a path of the payload ("repository.name").
bool matchesPayload(
    const Triggers::Resource &resource,
    const std::function<std::optional<std::string>(const std::string &path)> &valueAt);

} // namespace pipelines::trigger
