#pragma once
/// Runs that something else starts (pipeline-language 4): the end of another pipeline's run, a push
/// to another repository, a webhook, a container image. What a pipeline listens to is read from its
/// file at the head of its default branch. Thread-safe.

#include "pipelines/compile/compiler.h"
#include "schema/base/result.h"
#include "server/library/library_service.h"
#include "server/scheduler/run_service.h"
#include "server/triggers/pipeline_service.h"
#include "server/triggers/repository_service.h"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::triggers {

/// A webhook call as it came. `header`: by name; empty text when absent.
struct WebhookCall
{
    std::string name;
    std::string body;
    std::function<std::string(const std::string &)> header;
};

/// An image that a registry says was pushed.
struct PushedImage
{
    std::string registry;   ///< host with port; empty: unknown
    std::string repository; ///< "space-game/web"
    std::string tag, digest;
};

/// "sha1=HEX" or "sha256=HEX" (or bare hexadecimal digits of that length) is the HMAC of the body
/// with the secret. Compared in constant time.
bool isSignedBy(std::string_view signature, std::string_view secret, std::string_view body);

class ResourceTriggers
{
public:
    /// All must outlive it.
    ResourceTriggers(store::Database &database, library::ProjectService &projects,
                     RepositoryService &repositories, PipelineService &pipelines,
                     library::LibraryService &library, scheduler::RunService &runs);

    /// Starts what listens to the webhook. Gives the ids of the runs. Errors: NotFound (nobody has
    /// a webhook of this name), Unauthenticated (signature missing or wrong), InvalidArgument (body
    /// is no JSON).
    schema::Result<std::vector<std::int64_t>> webhook(const WebhookCall &call);
    /// Starts what listens to a container image in a project.
    schema::Result<std::vector<std::int64_t>> imagePushed(const std::string &projectId,
                                                          const PushedImage &image);
    /// Starts what has the repository as a resource, for a push to `ref`. Pipelines made at or
    /// after `pushedAt` are newer than the push.
    schema::Result<int> repositoryPushed(const store::Repository &repository,
                                         const std::string &ref, const std::string &commit,
                                         const std::vector<std::string> &changedPaths,
                                         schema::TimePoint pushedAt);
    /// From now on runs that end are noticed; done before anything can start one.
    schema::Status begin();
    /// Looks for runs that ended, and stages that succeeded, since the last call and starts what
    /// listens to them; each run counts once, also over a restart. Called by the trigger loop.
    schema::Result<int> completions();

    /// Called with each run that ended, on the caller of completions(); must not block. Set before
    /// the first call. A run may come twice after a restart.
    void onCompleted(std::function<void(std::int64_t)> listener)
    {
        m_onCompleted = std::move(listener);
    }

private:
    struct Listener
    {
        store::Pipeline pipeline;
        std::string projectName;
        pipelines::Triggers::Resource resource;
    };

    /// Resources with a trigger of all pipelines, of one kind.
    schema::Result<std::vector<Listener>> listeners(pipelines::Triggers::Resource::Kind kind);
    schema::Result<std::optional<std::int64_t>>
    start(const Listener &listener, QueueRequest request, const std::string &event);
    /// Starts what of `all` listens to this run as it is now: to its end, or to stages of one that
    /// goes on.
    schema::Result<int> follow(std::int64_t runId, const std::vector<Listener> &all);

    store::Database &m_database;
    library::ProjectService &m_projects;
    RepositoryService &m_repositories;
    PipelineService &m_pipelines;
    library::LibraryService &m_library;
    scheduler::RunService &m_runs;

    using Resources = std::vector<pipelines::Triggers::Resource>;
    std::mutex m_mutex;
    /// Of a pipeline at a commit; guarded by m_mutex.
    std::map<std::pair<std::int64_t, std::string>, Resources> m_cache;
    std::function<void(std::int64_t)> m_onCompleted;
    std::set<std::int64_t> m_open; ///< runs to end; loop thread only
    /// Stages that had succeeded of each run that goes on; loop thread only.
    std::map<std::int64_t, std::int64_t> m_succeeded;
    std::optional<std::int64_t> m_seen;         ///< newest run looked at; loop thread only
    std::optional<std::int64_t> m_storedCursor; ///< as on disk; loop thread only
};

} // namespace server::triggers
