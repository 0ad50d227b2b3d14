// What a run leaves behind: timeline, logs, artifacts, changes.
#include "server/http/paging.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <ostream>
#include <set>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

std::string buildUrl(const Call &call, const store::Project &project, std::int64_t run)
{
    return projectUrl(call, project.id, "build/Builds/" + std::to_string(run));
}

/// The timeline of an id: of the newest attempts, or of those that `previousAttempts` name. Errors:
/// NotFound.
Result<scheduler::Timeline> timelineOf(Services &services, const store::RunRow &run,
                                       const std::string &id, std::int64_t after)
{
    if (equalsIgnoringCase(id, run.planId))
        return services.runs.timeline(run.id, after);
    ASSIGN_OR_RETURN(const auto newest, services.runs.timeline(run.id));
    std::set<int> attempts;
    for (const auto &[record, earlier] : newest.earlierAttempts)
        attempts.insert(earlier.begin(), earlier.end());
    for (const int attempt : attempts) {
        if (equalsIgnoringCase(id, timelineId(run, attempt)))
            return services.runs.timeline(run.id, after, attempt);
    }
    return {ErrorCode::NotFound, "run " + std::to_string(run.id) + " has no timeline " + id +
                                     "; its own is " + run.planId +
                                     ", those of earlier attempts stand in the "
                                     "previousAttempts of its records"};
}

Result<Reply> timeline(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(const auto after, call.query().number("changeid", 0, INT64_MAX));
    const std::string id = call.value("timelineId").empty() ? run.planId : call.value("timelineId");
    ASSIGN_OR_RETURN(const auto timeline, timelineOf(services, run, id, after.value_or(0)));
    const std::string url = buildUrl(call, project, run.id);
    Json list = Json::array();
    for (const auto &record : timeline.records)
        list.push_back(recordJson(run, record, url, timeline.earlierAttempts));
    return Reply::json(
        {{"records", list},
         {"lastChangedBy", "00000002-0000-8888-8000-000000000000"},
         {"lastChangedOn", schema::toIso8601(run.finishedAt.value_or(schema::wallClockNow()))},
         {"id", id},
         {"changeId", run.changeId},
         {"url", url + "/Timeline/" + id}});
}

Result<Reply> listLogs(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(const auto logs, services.runs.logs(run.id));
    const std::string url = buildUrl(call, project, run.id);
    Json list = Json::array();
    for (const auto &log : logs) {
        ASSIGN_OR_RETURN(const auto length, services.logs.length({run.id, log.logId}));
        list.push_back({{"lineCount", length.lines},
                        {"createdOn", schema::toIso8601(log.createdAt)},
                        {"lastChangedOn", schema::toIso8601(log.createdAt)},
                        {"id", log.logId},
                        {"type", "Container"},
                        {"url", url + "/logs/" + std::to_string(log.logId)}});
    }
    return Reply::list(std::move(list));
}

/// Lines `from` to `to` (0-based, inclusive, clamped; absent `to`: the end) given to `sink` in
/// bounded pieces.
template <typename Sink>
Status eachLine(Services &services, logs::LogKey key, std::uint64_t from,
                std::optional<std::uint64_t> to, Sink sink)
{
    constexpr std::uint64_t kPiece = 5000;
    while (!to || from <= *to) {
        const std::uint64_t wanted = to ? std::min(kPiece, *to - from + 1) : kPiece;
        ASSIGN_OR_RETURN(const auto piece, services.logs.lines(key, from, wanted));
        if (piece.lines.empty())
            break;
        for (const auto &line : piece.lines)
            sink(line);
        from += piece.lines.size();
    }
    return {};
}

Result<Reply> getLog(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    ASSIGN_OR_RETURN(const auto id, call.id("logId"));
    ASSIGN_OR_RETURN(const auto log, services.runs.log(run.id, id));
    ASSIGN_OR_RETURN(const auto start, call.query().number("startline", 0, INT64_MAX));
    ASSIGN_OR_RETURN(const auto end, call.query().number("endline", 0, INT64_MAX));
    const auto from = static_cast<std::uint64_t>(start.value_or(0));
    const std::optional<std::uint64_t> to =
        end ? std::optional(static_cast<std::uint64_t>(*end)) : std::nullopt;
    const logs::LogKey key{run.id, log.logId};
    Services *all = &services;
    Reply reply;
    if (call.accepts("text/plain") || equalsIgnoringCase(call.query().text("format"), "text")) {
        reply.contentType = "text/plain; charset=utf-8";
        reply.stream = [all, key, from, to](std::ostream &out) {
            return eachLine(*all, key, from, to,
                            [&out](const std::string &line) { out << line << '\n'; });
        };
        return reply;
    }
    reply.stream = [all, key, from, to](std::ostream &out) -> Status {
        std::uint64_t count = 0;
        out << "{\"value\":[";
        RETURN_IF_ERROR(eachLine(*all, key, from, to, [&](const std::string &line) {
            out << (count++ == 0 ? "" : ",")
                << Json(line).dump(-1, ' ', false, Json::error_handler_t::replace);
        }));
        out << "],\"count\":" << count << "}";
        return {};
    };
    return reply;
}

Json artifactJson(const Call &call, const store::Project &project,
                  const artifacts::Artifact &artifact)
{
    const std::string url = buildUrl(call, project, artifact.runId) +
                            "/artifacts?artifactName=" + percentEncode(artifact.name);
    return {{"id", artifact.id},
            {"name", artifact.name},
            {"source", artifact.recordId},
            {"resource",
             {{"type", "PipelineArtifact"},
              {"data", artifact.sha256},
              {"properties", {{"artifactsize", std::to_string(artifact.size)}}},
              {"url", url},
              {"downloadUrl", url + "&$format=zip"}}}};
}

Reply zipReply(Services &services, const artifacts::Artifact &artifact)
{
    Reply reply;
    reply.contentType = "application/zip";
    reply.with("Content-Disposition",
               "attachment; filename*=UTF-8''" + percentEncode(artifact.name) + ".zip");
    Services *all = &services;
    reply.stream = [all, artifact](std::ostream &out) {
        return all->artifacts.zip(artifact, [&out](std::span<const char> bytes) {
            out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            return out.good();
        });
    };
    return reply;
}

Result<Reply> artifacts(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    std::string name = call.value("artifactName");
    if (name.empty())
        name = call.query().text("artifactname");
    if (name.empty()) {
        ASSIGN_OR_RETURN(const auto all, services.artifacts.list(run.id));
        Json list = Json::array();
        for (const auto &artifact : all)
            list.push_back(artifactJson(call, project, artifact));
        return page(call, std::move(list));
    }
    ASSIGN_OR_RETURN(const auto artifact, services.artifacts.find(run.id, name));
    if (call.accepts("application/zip") || equalsIgnoringCase(call.query().text("format"), "zip"))
        return zipReply(services, artifact);
    return Reply::json(artifactJson(call, project, artifact));
}

/// Files in an artifact (portal).
Result<Reply> artifactFiles(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto artifact, services.artifacts.find(run.id, call.value("name")));
    ASSIGN_OR_RETURN(const auto entries, services.artifacts.entries(artifact));
    Json list = Json::array();
    for (const auto &entry : entries)
        list.push_back({{"path", entry.path}, {"size", entry.size}});
    return Reply::list(std::move(list));
}

Json changeJson(const Call &call, const store::Project &project, const triggers::Commit &commit,
                const std::string &repository)
{
    return {
        {"id", commit.id},
        {"message", triggers::firstLine(commit.message)},
        {"messageTruncated", triggers::firstLine(commit.message).size() < commit.message.size()},
        {"type", "TfsGit"},
        {"author", {{"displayName", commit.authorName}, {"uniqueName", commit.authorEmail}}},
        {"timestamp", schema::toIso8601(commit.at)},
        {"location",
         projectUrl(call, project.id, "git/repositories/" + repository + "/commits/" + commit.id)},
        {"displayUri", pageUrl(call, project.name, "commits/" + commit.id)}};
}

/// Commits between two runs of one repository, newest first.
Result<Reply> changesBetween(Call &call, Services &services, const store::Project &project,
                             const store::RunRow &newer, const std::string &from)
{
    ASSIGN_OR_RETURN(const auto top, call.query().number("top", 1, 1000));
    ASSIGN_OR_RETURN(const auto pipeline, services.pipelines.find(project.id, newer.pipelineId));
    ASSIGN_OR_RETURN(const auto repository, services.repositories.findById(pipeline.repositoryId));
    ASSIGN_OR_RETURN(const auto git, services.repositories.open(repository));
    ASSIGN_OR_RETURN(
        const auto commits,
        git.commitsBetween(from, newer.sourceVersion, static_cast<std::size_t>(top.value_or(50))));
    Json list = Json::array();
    for (const auto &commit : commits)
        list.push_back(changeJson(call, project, commit, repository.id));
    return Reply::list(std::move(list));
}

Result<Reply> changes(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "buildId"));
    if (run.sourceVersion.empty())
        return Reply::list(Json::array());
    // What came since the run of the same pipeline and branch before this one.
    store::RunFilter filter;
    filter.pipelineId = run.pipelineId;
    filter.branch = run.sourceBranch;
    filter.beforeId = run.id;
    filter.top = 1;
    ASSIGN_OR_RETURN(const auto before, services.runs.list(filter));
    if (before.empty()) {
        // The first run: its own commit, not the whole history.
        ASSIGN_OR_RETURN(const auto pipeline, services.pipelines.find(project.id, run.pipelineId));
        ASSIGN_OR_RETURN(const auto repository,
                         services.repositories.findById(pipeline.repositoryId));
        ASSIGN_OR_RETURN(const auto git, services.repositories.open(repository));
        ASSIGN_OR_RETURN(const auto commit, git.commit(run.sourceVersion));
        return Reply::list(Json::array({changeJson(call, project, commit, repository.id)}));
    }
    return changesBetween(call, services, project, run, before.front().sourceVersion);
}

Result<Reply> changesOfTwo(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto from, call.query().number("frombuildid", 1, INT64_MAX));
    ASSIGN_OR_RETURN(const auto to, call.query().number("tobuildid", 1, INT64_MAX));
    if (!from || !to)
        return {ErrorCode::InvalidArgument, "parameters 'fromBuildId' and 'toBuildId' are needed"};
    ASSIGN_OR_RETURN(const auto older, services.runs.run(*from));
    ASSIGN_OR_RETURN(const auto newer, services.runs.run(*to));
    if (older.projectId != project.id || newer.projectId != project.id)
        return {ErrorCode::InvalidArgument, "no such run in this project"};
    return changesBetween(call, services, project, newer, older.sourceVersion);
}

} // namespace

void addBuildResultRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "8baac422", Form::Collection, bind(timeline));
    router.serve("GET", "8baac422", Form::Item, bind(timeline));
    router.serve("GET", "35a80daf", Form::Collection, bind(listLogs));
    router.serve("GET", "35a80daf", Form::Item, bind(getLog));
    router.serve("GET", "1db06c96", Form::Collection, bind(artifacts));
    router.serve("GET", "1db06c96", Form::Item, bind(artifacts));
    router.serve("GET", "54572c7b", Form::Item, bind(changes));
    router.serve("GET", "f10f0ea5", Form::Item, bind(changesOfTwo));
    router.add("GET", "{project}/_apis/slipway/runs/{runId}/artifacts/{name}/files",
               bind(artifactFiles));
}

} // namespace server::http
