// What people read of job_resources.cpp: attachments of a run and its tags; and the
// secure files of a project, whose contents only jobs get.
#include "pipelines/base/text.h"
#include "schema/base/guid.h"
#include "server/http/routes/resource_routes.h"
#include "server/http/shapes.h"
#include "server/store/job_resource_store.h"

#include <algorithm>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::JobResourceStore;

namespace {

/// Largest secure file, bytes (the service takes 10 MB).
constexpr std::size_t kMaxSecureFile = 10U << 20U;
constexpr std::size_t kLongestTag = 256;

Result<Reply> listAttachments(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    const auto &type = call.value("type");
    ASSIGN_OR_RETURN(const auto rows, services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection).attachments(run.id, type));
    }));
    Json list = Json::array();
    for (const auto &row : rows) {
        const auto url = projectUrl(call, project.id,
                                    "build/builds/" + std::to_string(run.id) + "/" + run.planId +
                                        "/" + row.recordId + "/attachments/" +
                                        percentEncode(row.type) + "/" + percentEncode(row.name));
        list.push_back({{"name", row.name},
                        {"type", row.type},
                        {"size", row.size},
                        {"recordId", row.recordId},
                        {"_links", {{"self", {{"href", url}}}}}});
    }
    return Reply::list(std::move(list));
}

Result<Reply> getAttachment(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(const auto content, services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection)
                          .attachment(run.id, call.value("recordId"), call.value("type"),
                                      call.value("name")));
    }));
    if (!content)
        return {ErrorCode::NotFound, "the run has no such attachment"};
    Reply reply =
        Reply::text(std::string(content->begin(), content->end()), "application/octet-stream");
    // Whatever a job attached: no page of ours may run it.
    reply.with("X-Content-Type-Options", "nosniff");
    reply.with("Content-Disposition", "attachment");
    return reply;
}

Result<Json> tagsOf(Services &services, std::int64_t runId)
{
    ASSIGN_OR_RETURN(const auto tags, services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection).tags(runId));
    }));
    return Json(tags);
}

Result<Reply> listTags(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(auto tags, tagsOf(services, run.id));
    return Reply::list(std::move(tags));
}

Result<Reply> changeTag(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    const auto &tag = call.value("tag");
    if (tag.empty() || tag.size() > kLongestTag)
        return {ErrorCode::InvalidArgument, "a tag has 1 to 256 bytes"};
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> Status {
        JobResourceStore resources(connection);
        if (call.method == "DELETE")
            resources.removeTag(run.id, tag);
        else
            resources.addTags(run.id, {tag});
        return {};
    }));
    ASSIGN_OR_RETURN(auto tags, tagsOf(services, run.id));
    return Reply::list(std::move(tags));
}

Json secureFileJson(const Call &call, const store::SecureFileRow &file)
{
    Json out{{"id", file.id},
             {"name", file.name},
             {"size", file.size},
             {"createdOn", schema::toIso8601(file.createdAt)}};
    if (!file.createdBy.empty())
        out["createdBy"] = identityJson(call, file.createdBy, file.createdByName);
    return out;
}

Result<Reply> listSecureFiles(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    const auto pattern = call.query().text("namepattern");
    ASSIGN_OR_RETURN(const auto files, services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection).secureFiles(project.id));
    }));
    Json list = Json::array();
    for (const auto &file : files) {
        if (pattern.empty() || equalsIgnoringCase(pattern, file.name))
            list.push_back(secureFileJson(call, file));
    }
    return Reply::list(std::move(list));
}

Result<Reply> uploadSecureFile(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    store::SecureFileRow file;
    file.name = call.query().text("name");
    if (file.name.empty() || file.name.size() > 255 || file.name.front() == '.' ||
        file.name.find_first_of("\"/\\<>|:*?\n\r") != std::string::npos)
        return {ErrorCode::InvalidArgument,
                "give the file a name with ?name=, without any of \" / \\ < > | : * ?"};
    ASSIGN_OR_RETURN(const auto content, call.text(kMaxSecureFile));
    file.id = schema::randomGuid();
    file.projectId = project.id;
    file.size = static_cast<std::int64_t>(content.size());
    file.createdBy = call.principal.identityId;
    file.createdByName = call.principal.displayName;
    file.createdAt = schema::wallClockNow();
    const auto sealed = services.configuration.seal(
        std::span(reinterpret_cast<const std::uint8_t *>(content.data()), content.size()));
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> Status {
        JobResourceStore rows(connection);
        const auto existing = rows.secureFiles(project.id);
        if (std::any_of(existing.begin(), existing.end(), [&](const auto &one) {
                return pipelines::equalIgnoringCase(one.name, file.name);
            }))
            return {ErrorCode::AlreadyExists, "a secure file '" + file.name +
                                                  "' exists already; delete it first, or give "
                                                  "the new one another name"};
        rows.insertSecureFile(file, sealed);
        return {};
    }));
    return Reply::json(secureFileJson(call, file));
}

Result<Reply> removeSecureFile(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    bool gone = false;
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> Status {
        gone =
            JobResourceStore(connection).removeSecureFile(project.id, call.value("secureFileId"));
        return {};
    }));
    if (!gone)
        return {ErrorCode::NotFound, "there is no such secure file in this project"};
    return Reply::empty();
}

} // namespace

void addRunResourceRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "f2192269", Form::Item, bind(listAttachments));
    router.serve("GET", "af5122d3", Form::Item, bind(getAttachment));
    router.serve("GET", "6e6114b2", Form::Collection, bind(listTags));
    router.serve("PUT", "6e6114b2", Form::Item, bind(changeTag));
    router.serve("DELETE", "6e6114b2", Form::Item, bind(changeTag));
    router.serve("GET", "adcfd8bc", Form::Collection, bind(listSecureFiles));
    router.serve("POST", "adcfd8bc", Form::Collection, bind(uploadSecureFile), Access::Admin);
    router.serve("DELETE", "adcfd8bc", Form::Item, bind(removeSecureFile), Access::Admin);
}

} // namespace server::http
