// Files that people look at in the portal: single ones of an artifact, a pipeline's file with what
// is wrong in it before anything is created, and what earlier attempts of a step left behind.
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"

#include <ostream>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

/// One file of an artifact. Always a download: what a run made must never act as a page of ours.
Result<Reply> artifactFile(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto artifact, services.artifacts.find(run.id, call.value("name")));
    ASSIGN_OR_RETURN(const auto entries, services.artifacts.entries(artifact));
    const std::string &path = call.value("path");
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto &entry) { return entry.path == path; });
    if (found == entries.end())
        return {ErrorCode::NotFound, "artifact '" + artifact.name + "' has no file '" + path + "'"};
    Reply reply;
    reply.contentType = "application/octet-stream";
    reply.with("Content-Disposition",
               "attachment; filename*=UTF-8''" + percentEncode(path.substr(path.rfind('/') + 1)));
    Services *all = &services;
    reply.stream = [all, artifact, path](std::ostream &out) {
        return all->artifacts.readFile(artifact, path, [&out](std::span<const char> bytes) {
            out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            return out.good();
        });
    };
    return reply;
}

/// A pipeline's file as it stands in a repository, or as it is being edited (`yaml`), compiled with
/// the defaults of its parameters. Creates nothing.
Result<Reply> validate(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto name, requiredText(body, "repository"));
    const auto repository = services.repositories.find(project.id, name);
    if (!repository)
        return {ErrorCode::InvalidArgument, "'repository': " + repository.error().message};
    store::Pipeline draft;
    draft.projectId = project.id;
    draft.repositoryId = repository->id;
    draft.defaultBranch = repository->defaultBranch;
    ASSIGN_OR_RETURN(draft.yamlPath, requiredText(body, "path"));
    if (draft.yamlPath.front() != '/')
        draft.yamlPath.insert(0, "/");
    triggers::QueueRequest request;
    request.draft = std::move(draft);
    request.requestedBy = call.principal;
    ASSIGN_OR_RETURN(const auto branch, textMember(body, "branch"));
    request.branch = branch.value_or("");
    ASSIGN_OR_RETURN(request.yamlOverride, textMember(body, "yaml"));
    const auto compiled = services.pipelines.compile(request, false);
    if (!compiled && compiled.error().code == ErrorCode::NotFound)
        return {ErrorCode::InvalidArgument, compiled.error().message};
    if (!compiled)
        return compiled.error();
    return Reply::json({{"path", compiled->pipeline.yamlPath},
                        {"branch", compiled->branch},
                        {"version", compiled->commit.id},
                        {"valid", compiled->valid},
                        {"text", compiled->text},
                        {"finalYaml", compiled->compilation.finalYaml},
                        {"diagnostics", diagnosticsList(compiled->diagnostics)}});
}

/// Every attempt of a stage, job or step, oldest first, with its own log.
Result<Reply> attempts(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto run, runOf(call, services, project, "runId"));
    ASSIGN_OR_RETURN(const auto rows, services.runs.attempts(run.id, call.value("recordId")));
    const std::string url = projectUrl(call, project.id, "build/Builds/" + std::to_string(run.id));
    std::map<std::string, std::vector<int>> numbers;
    for (const auto &row : rows)
        numbers[row.id].push_back(row.attempt);
    Json list = Json::array();
    for (const auto &row : rows)
        list.push_back(recordJson(run, row, url, numbers));
    return Reply::list(std::move(list));
}

} // namespace

void addPortalFileRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    const std::string base = "{project}/_apis/slipway/";
    router.add("GET", base + "runs/{runId}/artifacts/{name}/files/{*path}", bind(artifactFile));
    router.add("GET", base + "runs/{runId}/records/{recordId}/attempts", bind(attempts));
    router.add("POST", base + "validate", bind(validate));
}

} // namespace server::http
