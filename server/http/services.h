#pragma once
/// Everything that handlers call. Made by server/app; outlives the HTTP server.

#include "server/artifacts/artifact_store.h"
#include "server/auth/authenticator.h"
#include "server/checks/approval_service.h"
#include "server/environments/environment_service.h"
#include "server/events/event_hub.h"
#include "server/library/library_service.h"
#include "server/library/project_service.h"
#include "server/logs/log_store.h"
#include "server/scheduler/run_service.h"
#include "server/tasks/task_store.h"
#include "server/triggers/pipeline_service.h"
#include "server/triggers/repository_service.h"
#include "server/triggers/trigger_loop.h"
#include "server/workers/worker_hub.h"
#include "server/workers/worker_service.h"

namespace server::retention {
class RetentionService;
}

namespace server::triggers {
class PullRequestService;
class ResourceTriggers;
} // namespace server::triggers

namespace server::http {

class RequestMetrics;
class EventStreams;

struct Services
{
    auth::Authenticator &authenticator;
    library::ProjectService &projects;
    library::LibraryService &configuration;
    triggers::RepositoryService &repositories;
    triggers::PipelineService &pipelines;
    triggers::PullRequestService &pullRequests;
    triggers::ResourceTriggers &resourceTriggers;
    triggers::TriggerLoop &triggers;
    scheduler::Scheduler &scheduler;
    scheduler::RunService &runs;
    checks::ApprovalService &approvals;
    environments::EnvironmentService &environments;
    workers::PoolService &pools;
    workers::JobService &jobs;
    workers::WorkerHub &workerHub;
    logs::LogStore &logs;
    artifacts::ArtifactStore &artifacts;
    retention::RetentionService &retention;
    tasks::TaskStore &tasks;
    events::EventHub &events;
    RequestMetrics &metrics;
    EventStreams &eventStreams;
    store::Database &database; ///< for figures in /metrics and reads that have no service
};

} // namespace server::http
