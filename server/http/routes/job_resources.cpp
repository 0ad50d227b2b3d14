// Calls of job processes beside those of jobs.cpp: code coverage, attachments, tags and number of
// the run, artifacts of other runs, secure files. Every 2xx of a change means "on disk".
#include "schema/protocol/job_resources.h"

#include "schema/model/plan_json.h"
#include "server/http/errors.h"
#include "server/http/file_body.h"
#include "server/http/routes/resource_routes.h"
#include "server/http/shapes.h"
#include "server/store/job_resource_store.h"
#include "server/store/run_store.h"
#include "server/store/timeline_store.h"

#include <sodium.h>

#include <algorithm>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::JobResourceStore;

namespace {

namespace protocol = schema::protocol;

/// Largest attachment, bytes; what is larger is an artifact.
constexpr std::size_t kMaxAttachment = 16U << 20U;
constexpr std::size_t kMostTags = 100;
constexpr std::size_t kLongestTag = 256;
/// How many runs of a pipeline are looked through for one that fits.
constexpr int kRunsLookedAt = 500;

using JobHandler = Result<Reply> (*)(Call &, Services &, const workers::JobAccess &);

Handler bindJob(Services &services, JobHandler handler)
{
    return [&services, handler](Call &call) -> Result<Reply> {
        const auto job = services.jobs.access(call.value("jobId"), call.credential);
        auto reply = job ? handler(call, services, *job) : Result<Reply>(job.error());
        return reply ? reply : jobErrorReply(reply.error());
    };
}

void announce(Services &services, const workers::JobAccess &job, std::int64_t changeId)
{
    services.events.publish("run", job.projectId,
                            Json({{"runId", job.runId}, {"changeId", changeId}}).dump());
}

Result<Reply> postCoverage(Call &call, Services &services, const workers::JobAccess &job)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    ASSIGN_OR_RETURN(const auto coverage, protocol::coverageUploadFromJson(body));
    std::int64_t changeId = 0;
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> Status {
        JobResourceStore(connection).putCoverage(job.runId, job.jobId, coverage);
        changeId = store::TimelineStore(connection).nextChange(job.runId);
        return {};
    }));
    announce(services, job, changeId);
    return Reply::json(Json::object());
}

Result<Reply> putAttachment(Call &call, Services &services, const workers::JobAccess &job)
{
    ASSIGN_OR_RETURN(const auto content, call.text(kMaxAttachment));
    store::AttachmentRow row;
    row.recordId = call.value("recordId");
    row.type = call.value("type");
    row.name = call.value("name");
    if (row.type.size() > 255 || row.name.size() > 255)
        return {ErrorCode::InvalidArgument, "type and name of an attachment: at most 255 bytes"};
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> Status {
        const auto owner =
            store::TimelineStore(connection).jobOf(job.runId, row.recordId, job.attempt);
        // The record itself may still be on its way.
        if (owner && *owner != job.jobId)
            return {ErrorCode::InvalidArgument,
                    "attachments: '" + row.recordId + "' belongs to another job"};
        JobResourceStore(connection)
            .putAttachment(job.runId, row, store::Blob(content.begin(), content.end()),
                           schema::wallClockNow());
        return {};
    }));
    return Reply::json(Json::object());
}

Result<Reply> postRun(Call &call, Services &services, const workers::JobAccess &job)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    std::vector<std::string> tags;
    if (const Json *list = member(body, "addTags"); list && list->is_array()) {
        for (const auto &tag : *list) {
            if (!tag.is_string() || tag.get<std::string>().empty() ||
                tag.get<std::string>().size() > kLongestTag || tags.size() >= kMostTags)
                return {ErrorCode::InvalidArgument, "'addTags' must be a short list of texts"};
            tags.push_back(tag.get<std::string>());
        }
    }
    ASSIGN_OR_RETURN(const auto number, textMember(body, "runNumber"));
    if (number && !number->empty())
        RETURN_IF_ERROR(services.runs.rename(job.runId, *number));
    std::int64_t changeId = 0;
    RETURN_IF_ERROR(services.database.write([&](Connection &connection) -> Status {
        JobResourceStore(connection).addTags(job.runId, tags);
        changeId = store::TimelineStore(connection).nextChange(job.runId);
        return {};
    }));
    announce(services, job, changeId);
    return Reply::json(Json::object());
}

/// A run of the job's project, and not a stranger's. Errors: NotFound.
Result<store::RunRow> sibling(Services &services, const workers::JobAccess &job, std::int64_t id)
{
    auto run = services.runs.run(id);
    if (!run || run->projectId != job.projectId)
        return {ErrorCode::NotFound, "there is no run " + std::to_string(id) + " in this project"};
    return run;
}

/// The pipeline a query names: alias of a pipeline resource, name, or number.
Result<store::Pipeline> pipelineOf(Services &services, const workers::JobAccess &job,
                                   const std::string &wanted)
{
    std::string name = wanted;
    ASSIGN_OR_RETURN(const auto own, services.runs.run(job.runId));
    ASSIGN_OR_RETURN(const auto text, services.database.read([&](Connection &connection) {
        return Result(store::RunStore(connection).planText(own.compiledPlanId));
    }));
    if (const auto plan = schema::planFromText(text)) {
        for (const auto &resource : plan->pipelines) {
            if (equalsIgnoringCase(resource.alias, wanted))
                name = resource.source;
        }
    }
    ASSIGN_OR_RETURN(const auto all, services.pipelines.list(job.projectId));
    for (const auto &pipeline : all) {
        if (equalsIgnoringCase(pipeline.name, name) || std::to_string(pipeline.id) == name)
            return pipeline;
    }
    return {ErrorCode::NotFound, "there is no pipeline '" + name + "' in this project"};
}

bool hasTags(const std::vector<std::string> &have, const std::vector<std::string> &want)
{
    return std::all_of(want.begin(), want.end(), [&have](const std::string &tag) {
        return std::any_of(have.begin(), have.end(), [&tag](const std::string &other) {
            return equalsIgnoringCase(tag, other);
        });
    });
}

Result<Reply> findRun(Call &call, Services &services, const workers::JobAccess &job)
{
    ASSIGN_OR_RETURN(const auto body, call.json());
    ASSIGN_OR_RETURN(const auto query, protocol::runQueryFromJson(body));
    if (query.runId > 0) {
        ASSIGN_OR_RETURN(const auto run, sibling(services, job, query.runId));
        return Reply::json(toJson(protocol::RunFound{run.id, run.number}));
    }
    ASSIGN_OR_RETURN(const auto pipeline, pipelineOf(services, job, query.pipeline));
    store::RunFilter filter;
    filter.pipelineId = pipeline.id;
    filter.status = schema::RunStatus::Completed;
    filter.top = kRunsLookedAt;
    if (!query.branch.empty())
        filter.branch =
            query.branch.starts_with("refs/") ? query.branch : "refs/heads/" + query.branch;
    return services.database.read([&](Connection &connection) -> Result<Reply> {
        store::RunStore runs(connection);
        JobResourceStore resources(connection);
        for (const auto &run : runs.list(filter)) {
            const bool good =
                run.result == schema::RunResult::Succeeded ||
                (query.partiallySucceeded && run.result == schema::RunResult::PartiallySucceeded) ||
                (query.failed && run.result == schema::RunResult::Failed);
            if (good && run.id != job.runId &&
                (query.tags.empty() || hasTags(resources.tags(run.id), query.tags)))
                return Reply::json(toJson(protocol::RunFound{run.id, run.number}));
        }
        return {ErrorCode::NotFound, "no completed run of the pipeline '" + pipeline.name + "'" +
                                         (filter.branch ? " on " + *filter.branch : "") +
                                         " fits what is asked for"};
    });
}

Result<Reply> listArtifacts(Call &call, Services &services, const workers::JobAccess &job)
{
    ASSIGN_OR_RETURN(const auto id, call.id("runId"));
    ASSIGN_OR_RETURN(const auto run, sibling(services, job, id));
    ASSIGN_OR_RETURN(const auto artifacts, services.artifacts.list(run.id));
    Json list = Json::array();
    for (const auto &artifact : artifacts)
        list.push_back({{"name", artifact.name}, {"size", artifact.size}});
    return Reply::list(std::move(list));
}

Result<Reply> getArtifact(Call &call, Services &services, const workers::JobAccess &job)
{
    ASSIGN_OR_RETURN(const auto id, call.id("runId"));
    ASSIGN_OR_RETURN(const auto run, sibling(services, job, id));
    ASSIGN_OR_RETURN(const auto artifact, services.artifacts.find(run.id, call.value("name")));
    return artifactReply(services, artifact);
}

schema::Error noSecureFile(const std::string &nameOrId)
{
    return {ErrorCode::NotFound, "there is no secure file '" + nameOrId +
                                     "' in this project; upload it in the project's library"};
}

Result<Reply> secureFileReply(Services &services, const std::string &projectId,
                              const std::string &nameOrId)
{
    ASSIGN_OR_RETURN(const auto sealed, services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection).secureFile(projectId, nameOrId));
    }));
    if (!sealed)
        return noSecureFile(nameOrId);
    ASSIGN_OR_RETURN(const auto plain, services.configuration.open(*sealed));
    Reply reply = Reply::text(std::string(plain.begin(), plain.end()), "application/octet-stream");
    reply.with("Cache-Control", "no-store");
    return reply;
}

Result<Reply> getSecureFile(Call &call, Services &services, const workers::JobAccess &job)
{
    return secureFileReply(services, job.projectId, call.value("name"));
}

/// A ticket is what the caller gets sealed: nobody else can make one, and the server keeps none.
/// Tasks repeat a download that broke off, so it holds for as long as the job does.
std::string ticketFor(Services &services, const std::string &jobId, const std::string &fileId)
{
    const std::string plain = jobId + "\n" + fileId;
    const auto sealed = services.configuration.seal(
        std::span(reinterpret_cast<const std::uint8_t *>(plain.data()), plain.size()));
    constexpr int kForm = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string out(sodium_base64_encoded_len(sealed.size(), kForm), '\0');
    sodium_bin2base64(out.data(), out.size(), sealed.data(), sealed.size(), kForm);
    out.pop_back(); // its final NUL
    return out;
}

/// Job and file of a ticket. Errors: Unauthenticated.
Result<std::pair<std::string, std::string>> openTicket(Services &services,
                                                       const std::string &ticket)
{
    const schema::Error refused{ErrorCode::Unauthenticated,
                                "the content of a secure file is for jobs: a task asks with the "
                                "ticket of its job (?ticket=) and the job's token"};
    store::Blob sealed(ticket.size());
    std::size_t size = 0;
    if (ticket.empty() ||
        sodium_base642bin(sealed.data(), sealed.size(), ticket.data(), ticket.size(), nullptr,
                          &size, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return refused;
    sealed.resize(size);
    const auto plain = services.configuration.open(sealed);
    if (!plain)
        return refused;
    const std::string text(plain->begin(), plain->end());
    const auto newline = text.find('\n');
    if (newline == std::string::npos)
        return refused;
    return std::pair(text.substr(0, newline), text.substr(newline + 1));
}

Result<Reply> postSecureFileTicket(Call &call, Services &services, const workers::JobAccess &job)
{
    const auto &wanted = call.value("name");
    ASSIGN_OR_RETURN(const auto files, services.database.read([&](Connection &connection) {
        return Result(JobResourceStore(connection).secureFiles(job.projectId));
    }));
    for (const auto &file : files) {
        if (equalsIgnoringCase(file.name, wanted) || equalsIgnoringCase(file.id, wanted))
            return Reply::json({{"id", file.id},
                                {"name", file.name},
                                {"ticket", ticketFor(services, job.jobId, file.id)}});
    }
    return noSecureFile(wanted);
}

/// As tasks ask for it through the task library: the job's token and the ticket.
Result<Reply> downloadSecureFile(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto ticket, openTicket(services, call.query().text("ticket")));
    const auto &[jobId, fileId] = ticket;
    ASSIGN_OR_RETURN(const auto job, services.jobs.access(jobId, call.credential));
    ASSIGN_OR_RETURN(const auto project, services.projects.find(call.value("project")));
    if (project.id != job.projectId || !equalsIgnoringCase(fileId, call.value("secureFileId")))
        return {ErrorCode::NotFound, "the ticket is for another secure file"};
    return secureFileReply(services, job.projectId, fileId);
}

} // namespace

Result<Reply> artifactReply(Services &services, const artifacts::Artifact &artifact)
{
    // Frames of zstd begin with these bytes (RFC 8878, 3.1.1).
    constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";
    ASSIGN_OR_RETURN(const auto path, services.artifacts.blobPath(artifact));
    auto file = FileBody::open(path);
    if (!file)
        return std::move(file).error().withContext("artifact '" + artifact.name + "'");
    const bool compressed = (*file)->begin(kZstd.size()) == kZstd;
    return Reply::ofFile(std::move(*file), compressed ? "application/zstd" : "application/x-tar");
}

void addJobResourceRoutes(Router &router, Services &services)
{
    const std::string base = "_apis/slipway/jobs/{jobId}/";
    const auto add = [&](const char *method, const std::string &path, JobHandler handler) {
        router.add(method, base + path, bindJob(services, handler), Access::Credential);
    };
    add("POST", "coverage", postCoverage);
    add("PUT", "attachments/{recordId}/{type}/{name}", putAttachment);
    add("POST", "run", postRun);
    add("POST", "runs/find", findRun);
    add("GET", "runs/{runId}/artifacts", listArtifacts);
    add("GET", "runs/{runId}/artifacts/{name}", getArtifact);
    add("GET", "securefiles/{name}", getSecureFile);
    add("POST", "securefiles/{name}/ticket", postSecureFileTicket);
    router.serve(
        "GET", "adcfd8bc", Form::Item,
        [&services](Call &call) { return downloadSecureFile(call, services); }, Access::Credential);
}

} // namespace server::http
