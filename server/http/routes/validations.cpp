// Manual validations of jobs of `pool: server`: what waits, and the answers of people.
#include "server/http/routes/resource_routes.h"
#include "server/http/shapes.h"
#include "server/workers/server_worker.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

Json validationJson(const workers::PendingValidation &one)
{
    Json out{{"id", one.validation.recordId},
             {"runId", one.runId},
             {"runNumber", one.runNumber},
             {"pipeline", {{"name", one.pipelineName}}},
             {"stage", one.stage},
             {"job", one.job},
             {"instructions", one.validation.instructions},
             {"notifyUsers", one.validation.notifyUsers},
             {"createdOn", schema::toIso8601(one.validation.askedAt)}};
    setTime(out, "expiresOn", one.validation.expiresAt);
    return out;
}

} // namespace

void addValidationRoutes(Router &router, Services &services, workers::ServerWorker &worker)
{
    router.add("GET", "{project}/_apis/slipway/validations",
               [&services, &worker](Call &call) -> Result<Reply> {
                   ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
                   Json list = Json::array();
                   for (const auto &one : worker.pending()) {
                       if (one.projectName == project.name)
                           list.push_back(validationJson(one));
                   }
                   return Reply::list(std::move(list));
               });
    router.add(
        "POST", "{project}/_apis/slipway/validations/{recordId}",
        [&services, &worker](Call &call) -> Result<Reply> {
            ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
            const auto &id = call.value("recordId");
            bool known = false;
            for (const auto &one : worker.pending())
                known = known || (one.validation.recordId == id && one.projectName == project.name);
            if (!known)
                return {ErrorCode::NotFound, "no validation '" + id + "' waits for an answer"};
            ASSIGN_OR_RETURN(const auto body, call.object());
            ASSIGN_OR_RETURN(const auto approve, flagMember(body, "approve"));
            ASSIGN_OR_RETURN(const auto comment, textMember(body, "comment"));
            if (!approve)
                return {ErrorCode::InvalidArgument, "'approve' must be true or false"};
            RETURN_IF_ERROR(
                worker.answer(id, *approve, call.principal.displayName, comment.value_or("")));
            return Reply::json({{"id", id}, {"approved", *approve}});
        });
}

} // namespace server::http
