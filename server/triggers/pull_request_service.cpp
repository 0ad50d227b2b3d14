#include "server/triggers/pull_request_service.h"

#include "pipelines/trigger/filter.h"

#include <QLoggingCategory>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace server::triggers {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::PullRequest;
using store::PullRequestStore;

namespace {

Q_LOGGING_CATEGORY(lcPullRequests, "server.pullrequests", QtInfoMsg)

constexpr std::size_t kMaxFileBytes = 10U << 20U;

Status checkTexts(const PullRequest &request)
{
    if (request.title.empty() || request.title.size() > 400)
        return {ErrorCode::InvalidArgument, "'title' must have 1 to 400 characters"};
    if (request.description.size() > 4000)
        return {ErrorCode::InvalidArgument, "'description' must have at most 4000 characters"};
    for (const auto &[name, ref] : {std::pair("sourceRefName", request.sourceRef),
                                    std::pair("targetRefName", request.targetRef)})
        if (!ref.starts_with("refs/heads/") || ref.size() == 11)
            return {ErrorCode::InvalidArgument,
                    std::string("'") + name + "' must be a branch, \"refs/heads/NAME\""};
    if (request.sourceRef == request.targetRef)
        return {ErrorCode::InvalidArgument, "source and target are the same branch"};
    return {};
}

std::string mergeMessage(const PullRequest &request)
{
    return "Merge pull request " + std::to_string(request.id) + " from " +
           request.sourceRef.substr(11) + " into " + request.targetRef.substr(11) + "\n\n" +
           request.title + "\n";
}

/// Merges for trial: source, target, merge commit, status and conflicts of the request.
Status tryMerge(const GitRepository &git, PullRequest &request, const std::string &source,
                const std::string &target)
{
    ASSIGN_OR_RETURN(const auto merge, git.merge(target, source, mergeMessage(request)));
    request.sourceCommit = source;
    request.targetCommit = target;
    request.mergeCommit = merge.commit;
    request.mergeStatus = merge.conflicts.empty() ? "succeeded" : "conflicts";
    request.conflictsJson = nlohmann::json(merge.conflicts)
                                .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (!merge.commit.empty())
        return git.setRef(request.mergeRef(), merge.commit, {});
    return {};
}

schema::TextMap variablesOf(const PullRequest &request)
{
    const std::string id = std::to_string(request.id);
    return {{"System.PullRequest.PullRequestId", id},
            {"System.PullRequest.PullRequestNumber", id},
            {"System.PullRequest.SourceBranch", request.sourceRef},
            {"System.PullRequest.SourceCommitId", request.sourceCommit},
            {"System.PullRequest.TargetBranch", request.targetRef},
            {"System.PullRequest.TargetBranchName",
             request.targetRef.substr(request.targetRef.rfind('/') + 1)},
            {"System.PullRequest.MergedAt", ""},
            {"System.PullRequest.IsFork", "False"}};
}

} // namespace

PullRequestService::PullRequestService(store::Database &database, RepositoryService &repositories,
                                       PipelineService &pipelines, scheduler::RunService &runs)
    : m_database(database)
    , m_repositories(repositories)
    , m_pipelines(pipelines)
    , m_runs(runs)
{}

Result<PullRequest> PullRequestService::create(const store::Repository &repository,
                                               PullRequest request)
{
    RETURN_IF_ERROR(checkTexts(request));
    ASSIGN_OR_RETURN(const auto git, m_repositories.open(repository));
    for (const auto &ref : {request.sourceRef, request.targetRef})
        if (!git.resolve(ref))
            return {ErrorCode::InvalidArgument, "there is no branch " + ref.substr(11)};
    request.repositoryId = repository.id;
    request.createdAt = schema::wallClockNow();
    auto created = m_database.write([&](Connection &connection) {
        return Result(PullRequestStore(connection).insert(request));
    });
    if (!created && created.error().code == ErrorCode::AlreadyExists)
        return {ErrorCode::AlreadyExists, "there is an active pull request from " +
                                              request.sourceRef.substr(11) + " into " +
                                              request.targetRef.substr(11) + " already"};
    if (!created)
        return created.error();
    return find(repository.projectId, *created);
}

Result<PullRequest> PullRequestService::find(const std::string &projectId, std::int64_t id)
{
    return m_database.read([&](Connection &connection) -> Result<PullRequest> {
        auto found = PullRequestStore(connection).find(projectId, id);
        if (!found)
            return {ErrorCode::NotFound, "no pull request " + std::to_string(id)};
        return *std::move(found);
    });
}

Result<std::vector<PullRequest>> PullRequestService::list(const store::PullRequestQuery &query)
{
    return m_database.read(
        [&](Connection &connection) { return Result(PullRequestStore(connection).list(query)); });
}

Result<PullRequest> PullRequestService::complete(const store::Repository &repository,
                                                 PullRequest request,
                                                 const PullRequestChange &change)
{
    ASSIGN_OR_RETURN(const auto git, m_repositories.open(repository));
    ASSIGN_OR_RETURN(const auto source, git.resolve(request.sourceRef));
    ASSIGN_OR_RETURN(const auto target, git.resolve(request.targetRef));
    if (!change.expectedSource.empty() && change.expectedSource != source)
        return {ErrorCode::Conflict, "the source branch has moved on since it was looked at"};
    RETURN_IF_ERROR(tryMerge(git, request, source, target));
    if (request.mergeStatus != "succeeded")
        return {ErrorCode::Conflict, "the branches have conflicts: " + request.conflictsJson};
    // The row says completed only after the branch has moved: a crash in between leaves an active
    // pull request without changes, which can be completed or abandoned.
    RETURN_IF_ERROR(git.setRef(request.targetRef, request.mergeCommit, target));
    if (change.deleteSource)
        RETURN_IF_ERROR(git.removeRef(request.sourceRef));
    request.status = "completed";
    request.closedAt = schema::wallClockNow();
    RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
        PullRequestStore(connection).update(request);
        PullRequestStore(connection).putMerge(request);
        return {};
    }));
    return request;
}

Result<PullRequest> PullRequestService::update(const std::string &projectId, std::int64_t id,
                                               const PullRequestChange &change,
                                               const std::string &by)
{
    ASSIGN_OR_RETURN(auto request, find(projectId, id));
    ASSIGN_OR_RETURN(const auto repository, m_repositories.findById(request.repositoryId));
    if (request.status == "completed")
        return {ErrorCode::Conflict, "the pull request is completed"};
    request.title = change.title.value_or(request.title);
    request.description = change.description.value_or(request.description);
    request.targetRef = change.targetRef.value_or(request.targetRef);
    request.isDraft = change.isDraft.value_or(request.isDraft);
    RETURN_IF_ERROR(checkTexts(request));
    const std::string status = change.status.value_or(request.status);
    if (status == "completed" && request.isDraft)
        return {ErrorCode::Conflict, "the pull request is a draft; publish it first"};
    if (status == "completed")
        return complete(repository, std::move(request), change);
    if (status != "active" && status != "abandoned")
        return {ErrorCode::InvalidArgument, "'status' must be active, abandoned or completed"};
    if (status != request.status) {
        request.status = status;
        request.closedAt =
            status == "active" ? std::nullopt : std::optional(schema::wallClockNow());
    }
    const auto saved = m_database.write([&](Connection &connection) -> Status {
        PullRequestStore(connection).update(request);
        return {};
    });
    if (!saved && saved.error().code == ErrorCode::AlreadyExists)
        return {ErrorCode::AlreadyExists, "there is an active pull request of these branches"};
    if (!saved)
        return saved.error();
    qCInfo(lcPullRequests, "id=%lld status=%s by=%s", static_cast<long long>(id), status.c_str(),
           by.c_str());
    return find(projectId, id);
}

Result<bool> PullRequestService::alreadyStarted(std::int64_t pipelineId, const PullRequest &request)
{
    store::RunFilter filter;
    filter.pipelineId = pipelineId;
    filter.branch = request.mergeRef();
    filter.reason = schema::RunReason::PullRequest;
    filter.top = 20;
    ASSIGN_OR_RETURN(const auto runs, m_runs.list(filter));
    return std::any_of(runs.begin(), runs.end(), [&](const store::RunRow &run) {
        return run.sourceVersion == request.mergeCommit;
    });
}

Status PullRequestService::cancelEarlier(std::int64_t pipelineId, const PullRequest &request)
{
    store::RunFilter filter;
    filter.pipelineId = pipelineId;
    filter.branch = request.mergeRef();
    filter.reason = schema::RunReason::PullRequest;
    filter.top = 50;
    ASSIGN_OR_RETURN(const auto runs, m_runs.list(filter));
    for (const auto &run : runs) {
        if (run.status == schema::RunStatus::Completed || run.sourceVersion == request.mergeCommit)
            continue;
        // One that ended just now is fine too.
        const Status canceled = m_runs.cancelRun(run.id, request.createdBy.value_or(std::string()));
        if (!canceled && canceled.error().code != ErrorCode::Conflict)
            return canceled;
    }
    return {};
}

Result<int> PullRequestService::startRuns(const store::Repository &repository,
                                          const GitRepository &git, const PullRequest &request)
{
    ASSIGN_OR_RETURN(const auto head, git.commit(request.sourceCommit));
    if (pipelines::trigger::hasSkipMarker(head.message))
        return 0;
    ASSIGN_OR_RETURN(const auto base, git.mergeBase(request.targetCommit, request.sourceCommit));
    ASSIGN_OR_RETURN(const auto changed, git.changedPaths(base, request.sourceCommit));
    ASSIGN_OR_RETURN(const auto candidates, m_pipelines.ofRepository(repository.id));
    int started = 0;
    for (const auto &pipeline : candidates) {
        if (pipeline.queueStatus != 0)
            continue;
        // Whether a pull request is validated is for the target branch to say, how is for the
        // merge; a pipeline that comes with the pull request says both.
        auto text = git.readFile(request.targetCommit, pipeline.yamlPath, kMaxFileBytes);
        if (!text)
            text = git.readFile(request.mergeCommit, pipeline.yamlPath, kMaxFileBytes);
        if (!text && text.error().code == ErrorCode::NotFound)
            continue;
        if (!text)
            return text.error();
        std::vector<pipelines::Diagnostic> ignored; // reported by the compilation of a run
        const auto trigger = pipelines::scanTriggers(pipeline.yamlPath, *text, ignored).pullRequest;
        if (!pipelines::trigger::matches(trigger, request.targetRef, changed, request.isDraft))
            continue;
        if (trigger.autoCancel)
            RETURN_IF_ERROR(cancelEarlier(pipeline.id, request));
        ASSIGN_OR_RETURN(const bool exists, alreadyStarted(pipeline.id, request));
        if (exists)
            continue;
        QueueRequest queue;
        queue.pipelineId = pipeline.id;
        queue.reason = schema::RunReason::PullRequest;
        queue.branch = request.mergeRef();
        queue.version = request.mergeCommit;
        queue.triggerVariables = variablesOf(request);
        ASSIGN_OR_RETURN(const auto queued, m_pipelines.queue(queue));
        qCInfo(lcPullRequests, "run=%lld pullRequest=%lld pipeline=%s",
               static_cast<long long>(queued.runId), static_cast<long long>(request.id),
               pipeline.name.c_str());
        ++started;
    }
    return started;
}

Result<int> PullRequestService::evaluate(const store::Repository &repository)
{
    ASSIGN_OR_RETURN(auto active, m_database.read([&](Connection &connection) {
        return Result(PullRequestStore(connection).active(repository.id));
    }));
    if (active.empty())
        return 0;
    ASSIGN_OR_RETURN(const auto git, m_repositories.open(repository));
    int started = 0;
    for (auto &request : active) {
        const auto source = git.resolve(request.sourceRef);
        const auto target = git.resolve(request.targetRef);
        if (!source || !target)
            continue; // a branch is gone: nothing to validate until it is back
        const bool published = request.evaluatedDraft && !request.isDraft;
        const bool moved = request.evaluatedCommit != *source;
        if (request.sourceCommit == *source && request.targetCommit == *target && !published &&
            !moved)
            continue;
        RETURN_IF_ERROR(tryMerge(git, request, *source, *target));
        if ((moved || published) && request.mergeStatus == "succeeded") {
            ASSIGN_OR_RETURN(const int runs, startRuns(repository, git, request));
            started += runs;
        }
        request.evaluatedCommit = *source;
        request.evaluatedDraft = request.isDraft;
        RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
            PullRequestStore(connection).putMerge(request);
            return {};
        }));
    }
    return started;
}

} // namespace server::triggers
