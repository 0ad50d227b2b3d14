#include "server/app/application.h"

#include "server/app/data_folder.h"
#include "server/app/log_format.h"
#include "server/app/startup_code.h"
#include "server/app/trace_exporter.h"
#include "server/http/event_streams.h"
#include "server/http/http_server.h"
#include "server/http/request_head.h"
#include "server/http/request_metrics.h"
#include "server/http/routes/resource_routes.h"
#include "server/http/routes/routes.h"
#include "server/http/static_files.h"
#include "server/retention/retention_service.h"
#include "server/scheduler/scheduler.h"
#include "server/store/database.h"
#include "server/tracing/run_spans.h"
#include "server/triggers/pull_request_service.h"
#include "server/triggers/resource_triggers.h"
#include "server/workers/server_worker.h"

#include <QLoggingCategory>

#include <sodium.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <malloc.h>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <stop_token>
#include <thread>
#include <unistd.h>

namespace server::app {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

Q_LOGGING_CATEGORY(lcApp, "server.app", QtInfoMsg)

} // namespace

/// For commands that are given the data folder. Who listens everywhere is reached at home.
void writeAddress(const std::filesystem::path &file, std::string host, std::uint16_t port)
{
    if (host.empty() || host == "0.0.0.0" || host == "::")
        host = "127.0.0.1";
    if (host.find(':') != std::string::npos)
        host = "[" + host + "]";
    std::ofstream out(file, std::ios::trunc);
    out << "http://" << host << ':' << port << '\n';
    if (!out.flush())
        qCWarning(lcApp, "%s cannot be written; commands need --url", file.c_str());
}

/// Looks through a large database beside the first requests, only while nobody else wants the
/// processor.
void checkForDamage(store::Database &database, const std::stop_token &stop)
{
    const sched_param none{};
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &none); // at worst it is in somebody's way
    const Status checked = database.check(stop);
    if (!checked && checked.error().code != ErrorCode::Canceled)
        qCCritical(lcApp, "database check failed error=%s", checked.error().message.c_str());
}

/// Members in the order they need each other; destroyed in reverse.
struct Application::Parts
{
    std::optional<DataFolder> data;
    std::unique_ptr<store::Database> database;
    events::EventHub events;
    std::unique_ptr<logs::LogStore> logs;
    std::unique_ptr<artifacts::ArtifactStore> artifacts;
    std::unique_ptr<tasks::TaskStore> tasks;
    std::optional<auth::Authenticator> authenticator;
    std::optional<library::LibraryService> configuration;
    std::optional<library::ProjectService> projects;
    std::optional<triggers::RepositoryService> repositories;
    std::optional<environments::EnvironmentService> environments;
    std::optional<scheduler::Scheduler> scheduler;
    std::optional<scheduler::RunService> runs;
    std::optional<checks::ApprovalService> approvals;
    std::optional<workers::PoolService> pools;
    std::optional<workers::JobService> jobs;
    std::unique_ptr<workers::WorkerHub> workerHub;
    std::unique_ptr<workers::ServerWorker> serverWorker;
    std::optional<triggers::PipelineService> pipelines;
    std::optional<triggers::PullRequestService> pullRequests;
    std::optional<triggers::ResourceTriggers> resourceTriggers;
    std::optional<triggers::TriggerLoop> triggers;
    std::optional<retention::RetentionService> retention;
    std::optional<TraceExporter> traces;
    std::unique_ptr<http::EventStreams> eventStreams;
    http::RequestMetrics metrics;
    std::optional<http::Services> services;
    http::Router router;
    std::optional<http::StaticFiles> portal;
    std::unique_ptr<http::HttpServer> server;
    std::jthread damageCheck;

    ~Parts()
    {
        damageCheck.request_stop();
        if (server)
            server->stop();
        eventStreams.reset();
        if (retention)
            retention->stop();
        if (triggers)
            triggers->stop();
        traces.reset();
        if (serverWorker)
            serverWorker->stop();
        if (scheduler)
            scheduler->stop();
        workerHub.reset();
    }
};

Status parseListen(const std::string &text, Configuration &configuration)
{
    const auto colon = text.rfind(':');
    const bool onlyHost = colon == std::string::npos || text.back() == ']';
    std::string host = onlyHost ? text : text.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (!onlyHost) {
        const std::string port = text.substr(colon + 1);
        const auto [end, code] =
            std::from_chars(port.data(), port.data() + port.size(), configuration.port);
        if (code != std::errc{} || end != port.data() + port.size())
            return {ErrorCode::InvalidArgument,
                    "'" + text + "' is not ADDRESS:PORT with a port from 0 to 65535"};
    }
    if (!host.empty())
        configuration.host = host;
    return {};
}

Status parseUrl(const std::string &text, Configuration &configuration)
{
    std::string url = text;
    if (url.ends_with('/'))
        url.pop_back();
    const auto scheme = url.find("://");
    const std::string host = scheme == std::string::npos ? "" : url.substr(scheme + 3);
    const bool known = url.starts_with("https://") || url.starts_with("http://");
    if (!known || !http::isPlausibleHost(host))
        return {
            ErrorCode::InvalidArgument,
            "'" + text +
                "' is no address of a server: https://HOST or https://HOST:PORT, without a path"};
    configuration.url = std::move(url);
    return {};
}

Application::Application(std::unique_ptr<Parts> parts)
    : m_parts(std::move(parts))
{}

Application::~Application() = default;

std::uint16_t Application::port() const
{
    return m_parts->server->port();
}

std::vector<std::string> Application::routes() const
{
    std::vector<std::string> out;
    for (const http::Route *route : m_parts->router.routes())
        out.push_back(route->method + " /" + route->routeTemplate);
    return out;
}

Result<std::unique_ptr<Application>> Application::start(const Configuration &configuration)
{
    if (sodium_init() < 0)
        return {ErrorCode::Internal, "libsodium could not be initialised"};
    auto parts = std::make_unique<Parts>();
    Parts &p = *parts;
    ASSIGN_OR_RETURN(auto data, DataFolder::open(configuration.data));
    p.data.emplace(std::move(data));
    if (!configuration.web.empty()) {
        ASSIGN_OR_RETURN(auto portal, http::StaticFiles::open(configuration.web));
        p.portal.emplace(std::move(portal));
    }
    ASSIGN_OR_RETURN(p.database, store::Database::open(p.data->database()));
    ASSIGN_OR_RETURN(p.logs, logs::LogStore::open(*p.database, p.data->logs()));
    ASSIGN_OR_RETURN(p.artifacts, artifacts::ArtifactStore::open(*p.database, p.data->artifacts()));
    ASSIGN_OR_RETURN(p.tasks, tasks::TaskStore::open(p.data->tasks()));
    p.authenticator.emplace(*p.database);
    RETURN_IF_ERROR(p.authenticator->ensureOperator(p.data->operatorToken()));
    ASSIGN_OR_RETURN(auto key, library::SealingKey::loadOrCreate(p.data->sealingKey()));
    p.configuration.emplace(*p.database, std::move(key));
    p.projects.emplace(*p.database);
    p.repositories.emplace(*p.database, p.data->repositories());
    p.environments.emplace(*p.database, *p.repositories);
    p.scheduler.emplace(*p.database, *p.configuration, *p.logs, p.events);
    p.runs.emplace(*p.database, *p.scheduler);
    p.approvals.emplace(*p.database, *p.scheduler);
    p.pools.emplace(*p.database, *p.scheduler, p.events);
    p.jobs.emplace(*p.database, *p.scheduler, *p.logs, *p.artifacts, p.events);
    ASSIGN_OR_RETURN(p.workerHub, workers::WorkerHub::start(*p.scheduler));
    RETURN_IF_ERROR(p.pools->ensureDefaultPool());
    ASSIGN_OR_RETURN(p.serverWorker,
                     workers::ServerWorker::create(*p.database, *p.scheduler, *p.configuration,
                                                   *p.jobs, schema::wallClockNow));
    RETURN_IF_ERROR(p.scheduler->start(p.serverWorker->channel(*p.workerHub)));
    RETURN_IF_ERROR(p.serverWorker->start());
    p.pipelines.emplace(*p.database, *p.projects, *p.repositories, *p.configuration,
                        *p.environments, *p.runs, *p.tasks);
    p.pullRequests.emplace(*p.database, *p.repositories, *p.pipelines, *p.runs);
    p.resourceTriggers.emplace(*p.database, *p.projects, *p.repositories, *p.pipelines,
                               *p.configuration, *p.runs);
    if (!configuration.traces.empty()) {
        ASSIGN_OR_RETURN(auto target,
                         parseTraceTarget(configuration.traces, configuration.traceHeaders));
        p.traces.emplace(std::move(target),
                         [&p](std::int64_t runId) -> Result<std::vector<std::string>> {
                             ASSIGN_OR_RETURN(const auto run, p.runs->detail(runId));
                             return tracing::otlpBodies(run, {});
                         });
        p.resourceTriggers->onCompleted([&p](std::int64_t runId) { p.traces->ended(runId); });
    }
    p.triggers.emplace(*p.database, *p.repositories, *p.pipelines, *p.runs, *p.pullRequests,
                       *p.resourceTriggers);
    p.retention.emplace(*p.database, *p.logs, *p.artifacts, p.data->deletionLock());
    ASSIGN_OR_RETURN(p.eventStreams, http::EventStreams::start(p.events));
    p.services.emplace(http::Services{
        *p.authenticator, *p.projects,         *p.configuration, *p.repositories, *p.pipelines,
        *p.pullRequests,  *p.resourceTriggers, *p.triggers,      *p.scheduler,    *p.runs,
        *p.approvals,     *p.environments,     *p.pools,         *p.jobs,         *p.workerHub,
        *p.logs,          *p.artifacts,        *p.retention,     *p.tasks,        p.events,
        p.metrics,        *p.eventStreams,     *p.database});
    http::addRoutes(p.router, *p.services);
    http::addValidationRoutes(p.router, *p.services, *p.serverWorker);
    http::ListenOptions options;
    options.host = configuration.host;
    options.port = configuration.port;
    options.publicUrl = configuration.url;
    ASSIGN_OR_RETURN(p.server,
                     http::HttpServer::start(p.router, *p.authenticator,
                                             p.portal ? &*p.portal : nullptr, p.metrics, options));
    writeAddress(p.data->url(), configuration.host, p.server->port());
    p.triggers->start();
    p.retention->start();
    if (!p.database->isChecked())
        p.damageCheck = std::jthread([&database = *p.database](const std::stop_token &stop) {
            checkForDamage(database, stop);
        });
    return std::unique_ptr<Application>(new Application(std::move(parts)));
}

Status serve(const Configuration &configuration, int readyFd)
{
    // Two arenas instead of eight per core: dozens of short requests on many threads would else
    // leave a scattered heap behind.
    ::mallopt(M_ARENA_MAX, 2);
    if (configuration.jsonLog)
        installJsonLog();
    qSetMessagePattern(
        QStringLiteral("%{time yyyy-MM-ddThh:mm:ss.zzz} %{type} %{category} %{message}"));
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    // Before the first thread, which inherits it: only the wait below gets these signals.
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    ASSIGN_OR_RETURN(const auto application, Application::start(configuration));
    const std::string port = std::to_string(application->port());
    std::printf("slipway server: listening on http://%s:%s, data in %s\n",
                configuration.host.c_str(), port.c_str(), configuration.data.c_str());
    std::fflush(stdout);
    if (readyFd >= 0) {
        const std::string line = port + "\n";
        if (::write(readyFd, line.data(), line.size()) < 0)
            qCWarning(lcApp, "the descriptor of --ready-fd cannot be written");
        ::close(readyFd);
    }
    dropStartupCode();
    int signal = 0;
    sigwait(&ends, &signal);
    qCInfo(lcApp, "stopping signal=%d", signal);
    return {};
}

} // namespace server::app
