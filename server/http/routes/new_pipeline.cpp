#include "server/http/routes/new_pipeline.h"

#include "server/http/call.h"

#include <nlohmann/json.hpp>

namespace server::http {

using schema::ErrorCode;

schema::Result<store::Pipeline> newPipeline(store::Pipeline pipeline,
                                            const nlohmann::ordered_json &body,
                                            const std::string &path, Services &services)
{
    const auto *repository = memberAt(body, path);
    if (!repository)
        return {ErrorCode::InvalidArgument, "'" + path + "' is missing"};
    ASSIGN_OR_RETURN(const auto id, textMember(*repository, "id"));
    ASSIGN_OR_RETURN(const auto name, textMember(*repository, "name"));
    ASSIGN_OR_RETURN(const auto fullName, textMember(*repository, "fullName"));
    pipeline.repositoryId = id && !id->empty() ? *id : name.value_or(fullName.value_or(""));
    ASSIGN_OR_RETURN(const auto branch, textMember(*repository, "defaultBranch"));
    pipeline.defaultBranch = branch.value_or("");
    auto created = services.pipelines.create(pipeline);
    // A 404 would say that the address is wrong.
    if (!created && created.error().code == ErrorCode::NotFound)
        return {ErrorCode::InvalidArgument, "'" + path + "': " + created.error().message};
    return created;
}

} // namespace server::http
