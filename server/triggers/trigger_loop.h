#pragma once
/// Turns moved refs and due schedules into runs. One thread: it looks at a repository at once after
/// a push through the server and otherwise notices pushes by path within about a second. Every move
/// of a ref is evaluated exactly once, also over a crash: the evaluated head is on disk only after
/// its runs are, and a run that exists already for the same move is not created again.

#include "server/triggers/pipeline_service.h"
#include "server/triggers/pull_request_service.h"
#include "server/triggers/resource_triggers.h"
#include "server/triggers/schedule_evaluator.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace server::triggers {

class TriggerLoop
{
public:
    /// All must outlive the loop. The thread begins with start().
    TriggerLoop(store::Database &database, RepositoryService &repositories,
                PipelineService &pipelines, scheduler::RunService &runs,
                PullRequestService &pullRequests, ResourceTriggers &resources);
    ~TriggerLoop();
    TriggerLoop(const TriggerLoop &) = delete;
    TriggerLoop &operator=(const TriggerLoop &) = delete;

    void start();
    /// Ends after the repository at hand. Any thread.
    void stop();
    /// A push through the server ended: look at this repository now. Call it before the pusher is
    /// answered. Any thread.
    void pushed(const std::string &repositoryId);

    /// Evaluates all moved refs of a repository on the caller's thread (the loop's own step; for
    /// tests). A pipeline made at or after `pushedAt` is newer than the push and is not triggered
    /// by it. Gives the number of runs created.
    schema::Result<int> evaluate(const store::Repository &repository, schema::TimePoint pushedAt);

private:
    void loop(const std::stop_token &stop);
    void evaluateSchedules(schema::TimePoint now);
    schema::Result<int> evaluateMove(const store::Repository &repository, const GitRepository &git,
                                     const Ref &ref, const store::SeenRef &before,
                                     schema::TimePoint pushedAt);
    schema::Result<bool> alreadyCreated(std::int64_t pipelineId, const Ref &ref,
                                        schema::TimePoint since);
    schema::Result<bool> hasOpenRun(std::int64_t pipelineId, const std::string &ref);
    schema::Result<int> startBatched();
    schema::Status remember(const store::Repository &repository, const Ref &ref);

    store::Database &m_database;
    RepositoryService &m_repositories;
    PipelineService &m_pipelines;
    scheduler::RunService &m_runs;
    PullRequestService &m_pullRequests;
    ResourceTriggers &m_resources;
    ScheduleEvaluator m_schedules;        ///< loop thread only
    schema::TimePoint m_scheduledUntil{}; ///< loop thread only
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    std::map<std::string, schema::TimePoint> m_pushed; ///< repository -> when; guarded by m_mutex
    std::map<std::string, std::string> m_signatures;   ///< of refs folders; loop thread only
    std::set<std::string> m_reported; ///< failures that were logged; loop thread only
    std::jthread m_thread;
};

} // namespace server::triggers
