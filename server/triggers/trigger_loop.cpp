#include "server/triggers/trigger_loop.h"

#include "pipelines/trigger/filter.h"
#include "server/store/pull_request_store.h"
#include "server/store/repository_store.h"

#include <QLoggingCategory>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sys/stat.h>

namespace server::triggers {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::RepositoryStore;

namespace {

Q_LOGGING_CATEGORY(lcTriggers, "server.triggers", QtInfoMsg)

constexpr std::chrono::milliseconds kPollInterval{1000};
constexpr std::size_t kMaxFileBytes = 10U << 20U;

void addTime(std::string &signature, const std::filesystem::path &path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0)
        signature += std::to_string(status.st_mtim.tv_sec) + "." +
                     std::to_string(status.st_mtim.tv_nsec) + ";";
}

/// Changes whenever a ref does: git replaces ref files and packed-refs by renaming, which touches
/// the folder. Costs one stat per folder of refs.
std::string signatureOf(const std::filesystem::path &folder)
{
    std::string signature;
    addTime(signature, folder / "packed-refs");
    std::error_code code;
    const auto refs = folder / "refs";
    addTime(signature, refs);
    for (auto it = std::filesystem::recursive_directory_iterator(refs, code);
         !code && it != std::filesystem::recursive_directory_iterator(); it.increment(code))
        if (it->is_directory(code))
            addTime(signature, it->path());
    return signature;
}

/// Files that the move brought. A new branch brings what it has beyond the default branch.
Result<std::vector<std::string>> changedByMove(const store::Repository &repository,
                                               const GitRepository &git, const Ref &ref,
                                               const std::string &before)
{
    std::string base = before;
    if (base.empty() && ref.name != repository.defaultBranch) {
        if (const auto head = git.resolve(repository.defaultBranch)) {
            ASSIGN_OR_RETURN(base, git.mergeBase(*head, ref.commit));
        }
    }
    return git.changedPaths(base, ref.commit);
}

/// True when the text is no YAML at all: its triggers cannot be known.
bool isUnreadable(const pipelines::Triggers &triggers,
                  const std::vector<pipelines::Diagnostic> &diagnostics)
{
    return !triggers.push.enabled && !triggers.pullRequest.enabled &&
           std::any_of(diagnostics.begin(), diagnostics.end(), [](const auto &diagnostic) {
               return diagnostic.severity == pipelines::Severity::Error;
           });
}

/// The push trigger of the file. A file that is no YAML goes by what it said before the push, or,
/// new, runs on every branch: it must show as a failed run and not as silence. Problems themselves
/// are reported by the compilation of that run.
pipelines::Triggers::Push pushFilter(const GitRepository &git, const std::string &path,
                                     const std::string &text, const std::string &before)
{
    std::vector<pipelines::Diagnostic> problems;
    const auto triggers = pipelines::scanTriggers(path, text, problems);
    if (!isUnreadable(triggers, problems))
        return triggers.push;
    if (before.empty())
        return {};
    const auto earlier = git.readFile(before, path, kMaxFileBytes);
    if (!earlier)
        return {};
    problems.clear();
    const auto known = pipelines::scanTriggers(path, *earlier, problems);
    return isUnreadable(known, problems) ? pipelines::Triggers::Push{} : known.push;
}

} // namespace

TriggerLoop::TriggerLoop(store::Database &database, RepositoryService &repositories,
                         PipelineService &pipelines, scheduler::RunService &runs,
                         PullRequestService &pullRequests, ResourceTriggers &resources)
    : m_database(database)
    , m_repositories(repositories)
    , m_pipelines(pipelines)
    , m_runs(runs)
    , m_pullRequests(pullRequests)
    , m_resources(resources)
    , m_schedules(repositories, pipelines, runs)
{}

TriggerLoop::~TriggerLoop()
{
    stop();
}

void TriggerLoop::start()
{
    // Before the first run can end; a database that does not answer now is asked again by the loop.
    if (const Status begun = m_resources.begin(); !begun)
        qCWarning(lcTriggers, "completions error=%s", begun.error().message.c_str());
    m_thread = std::jthread([this](const std::stop_token &stop) { loop(stop); });
}

void TriggerLoop::stop()
{
    m_thread.request_stop();
    if (m_thread.joinable())
        m_thread.join();
}

void TriggerLoop::pushed(const std::string &repositoryId)
{
    {
        const std::lock_guard lock(m_mutex);
        m_pushed.emplace(repositoryId, schema::wallClockNow()); // the earliest one counts
    }
    m_wake.notify_all();
}

void TriggerLoop::loop(const std::stop_token &stop)
{
    m_scheduledUntil = schema::wallClockNow();
    while (!stop.stop_requested()) {
        std::map<std::string, schema::TimePoint> pushed;
        {
            std::unique_lock lock(m_mutex);
            m_wake.wait_for(lock, stop, kPollInterval, [this] { return !m_pushed.empty(); });
            pushed.swap(m_pushed);
        }
        if (stop.stop_requested())
            return;
        evaluateSchedules(schema::wallClockNow());
        if (const auto started = m_resources.completions(); !started)
            qCWarning(lcTriggers, "completions error=%s", started.error().message.c_str());
        if (const auto started = startBatched(); !started)
            qCWarning(lcTriggers, "batched error=%s", started.error().message.c_str());
        const auto repositories = m_repositories.hosted();
        if (!repositories) {
            qCWarning(lcTriggers, "error=%s", repositories.error().message.c_str());
            continue;
        }
        for (const auto &repository : *repositories) {
            if (stop.stop_requested())
                return;
            // The signature is taken first: a push during the evaluation is seen the next time.
            const auto signature = signatureOf(m_repositories.folder(repository));
            const auto push = pushed.find(repository.id);
            if (push == pushed.end() && m_signatures[repository.id] == signature)
                continue;
            const auto created =
                evaluate(repository, push == pushed.end() ? schema::wallClockNow() : push->second);
            if (created) {
                m_signatures[repository.id] = signature;
                continue;
            }
            // Not remembered, so it is tried again; said once per reason.
            if (m_reported.insert(repository.id + created.error().message).second)
                qCWarning(lcTriggers, "repository=%s error=%s", repository.name.c_str(),
                          created.error().message.c_str());
        }
    }
}

void TriggerLoop::evaluateSchedules(schema::TimePoint now)
{
    // Cron knows whole minutes: nothing can become due within one. A clock that was set back starts
    // over from there instead of repeating what was due.
    if (now < m_scheduledUntil)
        m_scheduledUntil = now;
    using std::chrono::floor;
    using std::chrono::minutes;
    if (floor<minutes>(now) == floor<minutes>(m_scheduledUntil))
        return;
    const auto started = m_schedules.evaluate(m_scheduledUntil, now);
    m_scheduledUntil = now;
    if (!started)
        qCWarning(lcTriggers, "schedules error=%s", started.error().message.c_str());
    else if (*started > 0)
        qCInfo(lcTriggers, "schedules runs=%d", *started);
}

Result<int> TriggerLoop::evaluate(const store::Repository &repository, schema::TimePoint pushedAt)
{
    ASSIGN_OR_RETURN(const auto git, m_repositories.open(repository));
    ASSIGN_OR_RETURN(const auto refs, git.refs());
    ASSIGN_OR_RETURN(const auto seen, m_database.read([&](Connection &connection) {
        return Result(RepositoryStore(connection).seenRefs(repository.id));
    }));
    for (const auto &[name, state] : seen) {
        const bool exists = std::any_of(refs.begin(), refs.end(), [&ref = name](const Ref &other) {
            return other.name == ref;
        });
        if (exists)
            continue;
        RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
            RepositoryStore(connection).removeSeenRef(repository.id, name);
            return {};
        }));
    }
    int created = 0;
    for (const auto &ref : refs) {
        const auto before = seen.find(ref.name);
        if (before != seen.end() && before->second.commit == ref.commit)
            continue;
        ASSIGN_OR_RETURN(const int runs,
                         evaluateMove(repository, git, ref,
                                      before == seen.end() ? store::SeenRef{} : before->second,
                                      pushedAt));
        RETURN_IF_ERROR(remember(repository, ref));
        created += runs;
    }
    ASSIGN_OR_RETURN(const int validations, m_pullRequests.evaluate(repository));
    return created + validations;
}

Result<bool> TriggerLoop::hasOpenRun(std::int64_t pipelineId, const std::string &ref)
{
    store::RunFilter filter;
    filter.pipelineId = pipelineId;
    filter.branch = ref;
    filter.top = 50;
    ASSIGN_OR_RETURN(const auto runs, m_runs.list(filter));
    return std::any_of(runs.begin(), runs.end(), [](const store::RunRow &run) {
        return run.status != schema::RunStatus::Completed &&
               (run.reason == schema::RunReason::IndividualCI ||
                run.reason == schema::RunReason::BatchedCI);
    });
}

Result<int> TriggerLoop::startBatched()
{
    ASSIGN_OR_RETURN(const auto waiting, m_database.read([](Connection &connection) {
        return Result(store::PullRequestStore(connection).batched());
    }));
    int started = 0;
    for (const auto &push : waiting) {
        ASSIGN_OR_RETURN(const bool busy, hasOpenRun(push.pipelineId, push.ref));
        if (busy)
            continue;
        ASSIGN_OR_RETURN(const bool exists,
                         alreadyCreated(push.pipelineId, {push.ref, push.commit}, push.at));
        if (!exists) {
            QueueRequest request;
            request.pipelineId = push.pipelineId;
            request.reason = schema::RunReason::BatchedCI;
            request.branch = push.ref;
            request.version = push.commit;
            const auto queued = m_pipelines.queue(request);
            // A pipeline that was disabled or deleted meanwhile has no run to wait for.
            if (!queued && queued.error().code != ErrorCode::Conflict &&
                queued.error().code != ErrorCode::NotFound)
                return queued.error();
            started += queued ? 1 : 0;
        }
        RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
            store::PullRequestStore(connection).removeBatched(push.pipelineId, push.ref);
            return {};
        }));
    }
    return started;
}

Result<int> TriggerLoop::evaluateMove(const store::Repository &repository, const GitRepository &git,
                                      const Ref &ref, const store::SeenRef &before,
                                      schema::TimePoint pushedAt)
{
    ASSIGN_OR_RETURN(const auto commit, git.commit(ref.commit));
    if (pipelines::trigger::hasSkipMarker(commit.message))
        return 0;
    ASSIGN_OR_RETURN(const auto changed, changedByMove(repository, git, ref, before.commit));
    ASSIGN_OR_RETURN(const auto candidates, m_pipelines.ofRepository(repository.id));
    ASSIGN_OR_RETURN(int created, m_resources.repositoryPushed(repository, ref.name, ref.commit,
                                                               changed, pushedAt));
    for (const auto &pipeline : candidates) {
        if (pipeline.queueStatus != 0 || pipeline.createdAt >= pushedAt)
            continue;
        const auto text = git.readFile(ref.commit, pipeline.yamlPath, kMaxFileBytes);
        if (!text) {
            if (text.error().code == ErrorCode::NotFound)
                continue; // this branch does not have the pipeline
            return text.error();
        }
        const auto filter = pushFilter(git, pipeline.yamlPath, *text, before.commit);
        if (!pipelines::trigger::matches(filter, ref.name, changed))
            continue;
        ASSIGN_OR_RETURN(const bool exists, alreadyCreated(pipeline.id, ref, before.at));
        if (exists)
            continue;
        if (filter.batch) {
            // While a run of the branch goes on, pushes gather; one run takes them all afterwards.
            ASSIGN_OR_RETURN(const bool busy, hasOpenRun(pipeline.id, ref.name));
            if (busy) {
                RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
                    store::PullRequestStore(connection)
                        .putBatched({pipeline.id, ref.name, ref.commit, schema::wallClockNow()});
                    return {};
                }));
                continue;
            }
        }
        QueueRequest request;
        request.pipelineId = pipeline.id;
        request.reason = schema::RunReason::IndividualCI;
        request.branch = ref.name;
        request.version = ref.commit;
        ASSIGN_OR_RETURN(const auto queued, m_pipelines.queue(request));
        qCInfo(lcTriggers, "run=%lld pipeline=%s ref=%s commit=%s",
               static_cast<long long>(queued.runId), pipeline.name.c_str(), ref.name.c_str(),
               ref.commit.c_str());
        ++created;
    }
    return created;
}

Result<bool> TriggerLoop::alreadyCreated(std::int64_t pipelineId, const Ref &ref,
                                         schema::TimePoint since)
{
    store::RunFilter filter;
    filter.pipelineId = pipelineId;
    filter.branch = ref.name;
    filter.top = 50;
    ASSIGN_OR_RETURN(const auto runs, m_runs.list(filter));
    return std::any_of(runs.begin(), runs.end(), [&](const store::RunRow &run) {
        return (run.reason == schema::RunReason::IndividualCI ||
                run.reason == schema::RunReason::BatchedCI) &&
               run.sourceVersion == ref.commit && run.queuedAt >= since;
    });
}

Status TriggerLoop::remember(const store::Repository &repository, const Ref &ref)
{
    return m_database.write([&](Connection &connection) -> Status {
        RepositoryStore(connection)
            .setSeenRef(repository.id, ref.name, ref.commit, schema::wallClockNow());
        return {};
    });
}

} // namespace server::triggers
