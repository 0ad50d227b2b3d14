#pragma once
/// Creating a pipeline, as both areas of the API do it (pipelines, and build definitions).

#include "server/http/services.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace server::http {

/// Creates `pipeline` (project, name, folder and path are set) for the repository that `body` has
/// at `path`: `{id | name | fullName, defaultBranch?}`. Errors: InvalidArgument naming the member,
/// those of PipelineService::create.
schema::Result<store::Pipeline> newPipeline(store::Pipeline pipeline,
                                            const nlohmann::ordered_json &body,
                                            const std::string &path, Services &services);

} // namespace server::http
