// Bulk calls of job processes (schema/protocol/README.md): every 2xx means "on disk".
#include "server/http/errors.h"
#include "server/http/routes/resource_routes.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <algorithm>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

namespace protocol = schema::protocol;

using JobHandler = Result<Reply> (*)(Call &, Services &, const std::string &jobId);

Handler bindJob(Services &services, JobHandler handler)
{
    return [&services, handler](Call &call) -> Result<Reply> {
        auto reply = handler(call, services, call.value("jobId"));
        if (!reply)
            return jobErrorReply(reply.error());
        return reply;
    };
}

Result<Reply> postDelivery(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(auto body, call.text(protocol::kMaxDeliveryBytes));
    ASSIGN_OR_RETURN(const auto delivery, protocol::decodeDelivery(std::move(body)));
    ASSIGN_OR_RETURN(const auto taken, services.jobs.deliver(jobId, call.credential, delivery));
    return Reply::json(protocol::toJson(taken));
}

Result<Reply> putArtifact(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(auto upload,
                     services.jobs.beginArtifact(jobId, call.credential, call.value("name")));
    RETURN_IF_ERROR(upload.receive(*call.body));
    ASSIGN_OR_RETURN(const auto artifact, upload.finish());
    return Reply::json(
        {{"size", artifact.size}, {"sha256", artifact.sha256}, {"files", artifact.files}});
}

Result<Reply> listArtifacts(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(const auto artifacts, services.jobs.artifacts(jobId, call.credential));
    Json list = Json::array();
    for (const auto &artifact : artifacts)
        list.push_back({{"name", artifact.name},
                        {"size", artifact.size},
                        {"files", artifact.files},
                        {"sha256", artifact.sha256}});
    return Reply::list(std::move(list));
}

Result<Reply> getArtifact(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(const auto artifact,
                     services.jobs.artifact(jobId, call.credential, call.value("name")));
    return artifactReply(services, artifact);
}

Result<Reply> postTestRun(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    ASSIGN_OR_RETURN(const auto run, protocol::testRunUploadFromJson(body));
    RETURN_IF_ERROR(services.jobs.addTestRun(jobId, call.credential, run));
    return Reply::json(Json::object());
}

Result<Reply> postImage(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    ASSIGN_OR_RETURN(const auto image, protocol::pushedImageFromJson(body));
    RETURN_IF_ERROR(services.jobs.addImage(jobId, call.credential, image));
    return Reply::json(Json::object());
}

Result<Reply> postDeployed(Call &call, Services &services, const std::string &jobId)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    const Json *list = member(body, "items");
    if (!list || !list->is_array())
        return {ErrorCode::InvalidArgument, "'items' must be a list"};
    std::vector<protocol::DeployedItem> items;
    for (const auto &entry : *list) {
        ASSIGN_OR_RETURN(auto item, protocol::deployedItemFromJson(entry));
        items.push_back(std::move(item));
    }
    RETURN_IF_ERROR(services.jobs.addDeployed(jobId, call.credential, items));
    return Reply::json(Json::object());
}

} // namespace

void addJobRoutes(Router &router, Services &services)
{
    const std::string base = "_apis/slipway/jobs/{jobId}/";
    const auto add = [&](const char *method, const std::string &path, JobHandler handler) {
        router.add(method, base + path, bindJob(services, handler), Access::Credential);
    };
    add("POST", "deliver", postDelivery);
    add("PUT", "artifacts/{name}", putArtifact);
    add("GET", "artifacts/{name}", getArtifact);
    add("GET", "artifacts", listArtifacts);
    add("POST", "testruns", postTestRun);
    add("POST", "images", postImage);
    add("POST", "deployed", postDeployed);
}

} // namespace server::http
