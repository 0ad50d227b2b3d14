// What operators and their monitoring ask: is it alive, is it ready, how busy is it.
#include "server/http/event_streams.h"
#include "server/http/request_metrics.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/scheduler/wait_metrics.h"
#include "server/store/commit_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <limits>

namespace server::http {

using schema::Result;

namespace {

prometheus::MetricFamily figure(std::string name, std::string help, prometheus::MetricType type,
                                double value)
{
    prometheus::ClientMetric metric;
    if (type == prometheus::MetricType::Counter)
        metric.counter.value = value;
    else
        metric.gauge.value = value;
    return {std::move(name), std::move(help), type, {metric}};
}

prometheus::ClientMetric histogram(const schema::Durations &durations,
                                   std::vector<prometheus::ClientMetric::Label> labels = {})
{
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= schema::kDurationBounds.size(); ++i) {
        sum += durations.count(i);
        const double bound = i < schema::kDurationBounds.size()
                                 ? schema::kDurationBounds[i]
                                 : std::numeric_limits<double>::infinity();
        metric.histogram.bucket.push_back({sum, bound});
    }
    metric.histogram.sample_count = sum;
    metric.histogram.sample_sum = durations.seconds();
    return metric;
}

prometheus::MetricFamily histogramOf(std::string name, std::string help,
                                     const schema::Durations &durations)
{
    return {std::move(name),
            std::move(help),
            prometheus::MetricType::Histogram,
            {histogram(durations)}};
}

void addRequests(std::vector<prometheus::MetricFamily> &families, const RequestMetrics &requests)
{
    using prometheus::MetricType;
    prometheus::MetricFamily durations{"slipway_http_request_duration_seconds",
                                       "Time to answer a request, by what it is for",
                                       MetricType::Histogram,
                                       {}};
    double count = 0;
    double seconds = 0;
    for (std::size_t i = 0; i < kRouteClasses.size(); ++i) {
        const auto &one = requests.durations(static_cast<RouteClass>(i));
        durations.metric.push_back(histogram(one, {{"route", std::string(kRouteClasses[i])}}));
        count += static_cast<double>(durations.metric.back().histogram.sample_count);
        seconds += one.seconds();
    }
    families.push_back(
        figure("slipway_http_requests_total", "Requests answered", MetricType::Counter, count));
    families.push_back(figure("slipway_http_request_seconds_total", "Time spent answering",
                              MetricType::Counter, seconds));
    families.push_back(std::move(durations));
}

Result<Reply> metrics(Services &services)
{
    using prometheus::MetricType;
    const auto &requests = services.metrics;
    std::vector<prometheus::MetricFamily> families;
    addRequests(families, requests);
    families.push_back(figure("slipway_http_failures_total", "Requests answered with a 5xx status",
                              MetricType::Counter, static_cast<double>(requests.failures())));
    families.push_back(figure("slipway_database_commits_total", "Commits flushed to disk",
                              MetricType::Counter,
                              static_cast<double>(services.database.commits())));
    families.push_back(histogramOf("slipway_database_commit_duration_seconds",
                                   "Time of a commit, until it is on disk",
                                   store::commitDurations()));
    families.push_back(figure("slipway_database_flushes_total",
                              "Times that SQLite had a file brought to the disk",
                              MetricType::Counter, static_cast<double>(store::flushes())));
    families.push_back(figure("slipway_database_damaged",
                              "1 when damage was found, and nothing is written any more",
                              MetricType::Gauge, services.database.damage() ? 1 : 0));
    families.push_back(histogramOf("slipway_job_queue_wait_seconds",
                                   "Time of jobs in the queue, until a worker is chosen",
                                   scheduler::queueWaits()));
    families.push_back(histogramOf("slipway_job_dispatch_seconds",
                                   "Time from the choice of a worker to the job's first news",
                                   scheduler::dispatches()));
    families.push_back(figure("slipway_jobs_completed_total", "Jobs that ended",
                              MetricType::Counter,
                              static_cast<double>(services.scheduler.jobsCompleted())));
    families.push_back(figure("slipway_workers_connected", "Workers with an open channel",
                              MetricType::Gauge,
                              static_cast<double>(services.workerHub.connections())));
    families.push_back(figure("slipway_event_streams", "Open event streams of browsers",
                              MetricType::Gauge,
                              static_cast<double>(services.eventStreams.count())));
    ASSIGN_OR_RETURN(auto open, services.runs.openCounts());
    families.push_back(figure("slipway_runs_in_progress", "Runs in progress", MetricType::Gauge,
                              static_cast<double>(open[schema::RunStatus::InProgress])));
    families.push_back(figure("slipway_runs_not_started", "Runs that wait for their start",
                              MetricType::Gauge,
                              static_cast<double>(open[schema::RunStatus::NotStarted])));
    ASSIGN_OR_RETURN(const auto pools, services.pools.pools());
    prometheus::MetricFamily workers{
        "slipway_workers", "Registered workers of a pool", MetricType::Gauge, {}};
    prometheus::MetricFamily online{
        "slipway_workers_online", "Workers of a pool that are connected", MetricType::Gauge, {}};
    for (const auto &pool : pools) {
        prometheus::ClientMetric metric;
        metric.label = {{"pool", pool.name}};
        metric.gauge.value = pool.workers;
        workers.metric.push_back(metric);
        metric.gauge.value = pool.online;
        online.metric.push_back(metric);
    }
    families.push_back(std::move(workers));
    families.push_back(std::move(online));
    ASSIGN_OR_RETURN(const auto jobs, services.pools.openJobs());
    prometheus::MetricFamily openJobs{
        "slipway_jobs", "Jobs that have not ended, by state", MetricType::Gauge, {}};
    for (const auto &[state, count] : jobs) {
        prometheus::ClientMetric metric;
        metric.label = {{"state", state}};
        metric.gauge.value = static_cast<double>(count);
        openJobs.metric.push_back(metric);
    }
    families.push_back(std::move(openJobs));
    return Reply::text(prometheus::TextSerializer().Serialize(families),
                       "text/plain; version=0.0.4; charset=utf-8");
}

} // namespace

void addOperationRoutes(Router &router, Services &services)
{
    router.add("GET", "_apis/slipway/about",
               [](Call &) { return Result(Reply::json({{"version", SLIPWAY_VERSION}})); });
    router.add(
        "GET", "healthz", [](Call &) { return Result(Reply::text("ok\n")); }, Access::Public);
    router.add(
        "GET", "readyz",
        [&services](Call &) -> Result<Reply> {
            // Ready means that the database answers and takes what comes; the scheduler runs before
            // the port is open.
            if (services.database.damage())
                return {schema::ErrorCode::Unavailable,
                        "the database is damaged and nothing is written any more; the server's "
                        "log says where"};
            RETURN_IF_ERROR(services.projects.list());
            return Reply::text("ready\n");
        },
        Access::Public);
    router.add("GET", "metrics", [&services](Call &) { return metrics(services); }, Access::Public);
}

} // namespace server::http
