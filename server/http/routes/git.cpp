// Repositories: what tools read of them, and git's own protocol for clone, fetch and push.
#include "server/http/errors.h"
#include "server/http/git_backend.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/workers/repository_access.h"

#include <optional>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

constexpr std::size_t kMaxItems = 20000;
constexpr std::size_t kMaxItemBytes = 20U << 20U;

std::string remoteUrl(const Call &call, const store::Project &project,
                      const store::Repository &repository)
{
    return call.baseUrl + "/" + percentEncode(project.name) + "/_git/" +
           percentEncode(repository.name);
}

Json repositoryJson(const Call &call, const store::Project &project,
                    const store::Repository &repository)
{
    return {{"id", repository.id},
            {"name", repository.name},
            {"url", projectUrl(call, project.id, "git/repositories/" + repository.id)},
            {"project", projectJson(call, project)},
            {"defaultBranch", repository.defaultBranch},
            {"size", 0},
            {"remoteUrl", remoteUrl(call, project, repository)},
            {"webUrl", remoteUrl(call, project, repository)},
            {"isDisabled", false}};
}

/// Project, repository and its git reader of a call.
struct Place
{
    store::Project project;
    store::Repository repository;
};

Result<Place> placeOf(const Call &call, Services &services)
{
    ASSIGN_OR_RETURN(auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(auto repository,
                     services.repositories.find(project.id, call.value("repositoryId")));
    return Place{std::move(project), std::move(repository)};
}

Result<Reply> listRepositories(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto all, services.repositories.list(project.id));
    Json list = Json::array();
    for (const auto &repository : all)
        list.push_back(repositoryJson(call, project, repository));
    return Reply::list(std::move(list));
}

Result<Reply> getRepository(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    return Reply::json(repositoryJson(call, place.project, place.repository));
}

Result<Reply> createRepository(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    ASSIGN_OR_RETURN(const auto name, requiredText(body, "name"));
    ASSIGN_OR_RETURN(const auto branch, textMember(body, "defaultBranch"));
    ASSIGN_OR_RETURN(const auto created,
                     services.repositories.create(project.id, name, branch.value_or("")));
    return Reply::json(repositoryJson(call, project, created), 201);
}

Result<Reply> listRefs(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto git, services.repositories.open(place.repository));
    ASSIGN_OR_RETURN(const auto refs, git.refs());
    std::string filter = call.query().text("filter", call.value("filter"));
    const std::string contains = call.query().text("filtercontains");
    Json list = Json::array();
    for (const auto &ref : refs) {
        const std::string_view shortName = std::string_view(ref.name).substr(5); // without "refs/"
        if (!shortName.starts_with(filter) ||
            (!contains.empty() && ref.name.find(contains) == std::string::npos))
            continue;
        list.push_back({{"name", ref.name},
                        {"objectId", ref.commit},
                        {"url", projectUrl(call, place.project.id,
                                           "git/repositories/" + place.repository.id +
                                               "/refs?filter=" + percentEncode(shortName))}});
    }
    return Reply::list(std::move(list));
}

Json commitJson(const Call &call, const Place &place, const triggers::Commit &commit)
{
    const Json author{{"name", commit.authorName},
                      {"email", commit.authorEmail},
                      {"date", schema::toIso8601(commit.at)}};
    return {
        {"commitId", commit.id},
        {"author", author},
        {"committer", author},
        {"comment", commit.message},
        {"parents", commit.parents},
        {"url", projectUrl(call, place.project.id,
                           "git/repositories/" + place.repository.id + "/commits/" + commit.id)}};
}

/// Commit named by "<prefix>.version" and "<prefix>.versionType"; the default branch when absent.
Result<std::string> versionOf(const Call &call, const triggers::GitRepository &git,
                              const store::Repository &repository, const std::string &prefix)
{
    const std::string version = call.query().text(prefix + "version");
    if (version.empty())
        return git.resolve(repository.defaultBranch);
    const auto type = parseEnum(call.query().text(prefix + "versiontype", "branch"),
                                {{"branch", 0}, {"tag", 1}, {"commit", 2}});
    if (type == 1)
        return git.resolve("refs/tags/" + version);
    if (type == 2)
        return git.resolve(version);
    return git.resolve(version.starts_with("refs/") ? version : "refs/heads/" + version);
}

Result<Reply> listCommits(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto git, services.repositories.open(place.repository));
    ASSIGN_OR_RETURN(const auto top, call.query().number("searchcriteria.$top", 1, 1000));
    ASSIGN_OR_RETURN(const auto plainTop, call.query().number("top", 1, 1000));
    ASSIGN_OR_RETURN(const auto head,
                     versionOf(call, git, place.repository, "searchcriteria.itemversion."));
    ASSIGN_OR_RETURN(const auto commits,
                     git.commitsBetween(
                         "", head, static_cast<std::size_t>(top.value_or(plainTop.value_or(100)))));
    Json list = Json::array();
    for (const auto &commit : commits)
        list.push_back(commitJson(call, place, commit));
    return Reply::list(std::move(list));
}

Result<Reply> getCommit(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto git, services.repositories.open(place.repository));
    ASSIGN_OR_RETURN(const auto id, git.resolve(call.value("commitId")));
    ASSIGN_OR_RETURN(const auto commit, git.commit(id));
    return Reply::json(commitJson(call, place, commit));
}

Result<Reply> items(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto place, placeOf(call, services));
    ASSIGN_OR_RETURN(const auto git, services.repositories.open(place.repository));
    ASSIGN_OR_RETURN(const auto head, versionOf(call, git, place.repository, "versiondescriptor."));
    std::string path = call.query().text("path", call.value("path"));
    const std::string scope = call.query().text("scopepath");
    const bool isList = path.empty();
    if (isList) {
        const auto level = parseEnum(call.query().text("recursionlevel", "none"),
                                     {{"none", 0}, {"oneLevel", 1}, {"full", 120}});
        ASSIGN_OR_RETURN(const auto found,
                         git.list(head, scope.empty() ? "/" : scope, level == 120, kMaxItems));
        Json list = Json::array();
        for (const auto &item : found)
            list.push_back({{"objectId", item.id},
                            {"gitObjectType", item.isFolder ? "tree" : "blob"},
                            {"commitId", head},
                            {"path", item.path},
                            {"isFolder", item.isFolder}});
        return Reply::list(std::move(list));
    }
    if (path.front() != '/')
        path.insert(0, "/");
    ASSIGN_OR_RETURN(auto text, git.readFile(head, path, kMaxItemBytes));
    if (call.accepts("text/plain"))
        return Reply::text(std::move(text));
    if (call.accepts("application/octet-stream"))
        return Reply::text(std::move(text), "application/octet-stream");
    Json out{{"gitObjectType", "blob"}, {"commitId", head}, {"path", path}};
    if (call.query().flag("includecontent"))
        out["content"] = text;
    return Reply::json(out);
}

/// Who calls git: a person (may push) or a job (may fetch).
struct GitCaller
{
    std::string name;
    bool mayPush = false;
    std::optional<workers::JobAccess> job;
};

Result<GitCaller> gitCaller(const Call &call, Services &services, const std::string &projectId)
{
    if (!call.credential.empty()) {
        if (const auto person = services.authenticator.byToken(call.credential))
            return GitCaller{person->uniqueName, true, {}};
        if (const auto job = services.jobs.authorize(call.credential);
            job && job->projectId == projectId)
            return GitCaller{"job " + job->jobId, false, *job};
    }
    return {ErrorCode::Unauthenticated,
            "git needs a token as password (any user name); the operator's stands in "
            "<data>/operator-token"};
}

Result<Reply> answerGit(Call &call, Services &services)
{
    const auto ask = [](const schema::Error &error) {
        Reply reply = Reply::text(error.message + "\n", "text/plain; charset=utf-8", 401);
        reply.with("WWW-Authenticate", "Basic realm=\"Slipway\"");
        return reply;
    };
    const auto project = projectOf(call, services);
    if (!project)
        return call.credential.empty() ? Result(ask(project.error())) : project.error();
    const auto caller = gitCaller(call, services, project->id);
    if (!caller)
        return ask(caller.error());
    std::string name = call.value("repository");
    auto found = services.repositories.find(project->id, name);
    if (!found && name.ends_with(".git"))
        found = services.repositories.find(project->id, name.substr(0, name.size() - 4));
    if (!found)
        return found.error();
    if (caller->job) {
        ASSIGN_OR_RETURN(const bool may, services.database.read([&](store::Connection &connection) {
            return workers::mayFetch(connection, *caller->job, *found);
        }));
        if (!may)
            return {ErrorCode::PermissionDenied,
                    "this job does not use the repository '" + found->name +
                        "': check it out, or name it under `uses: repositories` of the job"};
    }
    const std::string &rest = call.value("rest");
    // Only the smart protocol: a client that asks for loose files gets a clear no.
    const bool smart =
        (call.method == "GET" && rest == "info/refs" && !call.query().text("service").empty()) ||
        (call.method == "POST" && (rest == "git-upload-pack" || rest == "git-receive-pack"));
    if (!smart)
        return {ErrorCode::InvalidArgument,
                "this repository speaks git's smart HTTP protocol only"};
    const bool push = isPush(call, rest);
    if (push && !caller->mayPush)
        return {ErrorCode::PermissionDenied, "a job's token may fetch, not push"};
    GitRequest request;
    const auto folder = services.repositories.folder(*found);
    request.root = folder.parent_path();
    request.pathInfo = "/" + folder.filename().string() + "/" + rest;
    request.user = caller->name;
    request.mayPush = caller->mayPush;
    if (rest == "git-receive-pack") {
        Services *all = &services;
        const std::string id = found->id;
        request.pushed = [all, id] { all->triggers.pushed(id); };
    }
    return runGitBackend(call, request);
}

/// Git shows people the body of a refusal only when it is plain text.
Result<Reply> gitProtocol(Call &call, Services &services)
{
    auto reply = answerGit(call, services);
    if (reply)
        return reply;
    return Reply::text(reply.error().message + "\n", "text/plain; charset=utf-8",
                       httpStatus(reply.error().code));
}

} // namespace

void addGitRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "225f7195", Form::Collection, bind(listRepositories));
    router.serve("GET", "225f7195", Form::Item, bind(getRepository));
    router.serve("POST", "225f7195", Form::Collection, bind(createRepository), Access::Admin);
    router.serve("GET", "2d874a60", Form::Collection, bind(listRefs));
    router.serve("GET", "2d874a60", Form::Item, bind(listRefs));
    router.serve("GET", "c2570c3b", Form::Collection, bind(listCommits));
    router.serve("GET", "c2570c3b", Form::Item, bind(getCommit));
    router.serve("GET", "fb93c0db", Form::Collection, bind(items));
    router.serve("GET", "fb93c0db", Form::Item, bind(items));
    for (const char *method : {"GET", "POST"})
        router.add(method, "{project}/_git/{repository}/{*rest}", bind(gitProtocol),
                   Access::Credential);
}

} // namespace server::http
