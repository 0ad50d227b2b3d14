// Traces sent to a real receiver by a real server, and to one that misbehaves; the log as JSON.
#include "server/app/log_format.h"
#include "server/app/trace_exporter.h"
#include "server/http/request_metrics.h"
#include "tests/server/support/live_server.h"

#include <QTest>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <regex>
#include <sstream>

using tests::git;
using tests::LiveServer;

namespace {

/// An HTTP server that keeps what it gets and answers with the statuses it was given, the last one
/// for ever.
class Receiver
{
public:
    explicit Receiver(std::vector<int> statuses)
        : m_statuses(std::move(statuses))
        , m_server(new Factory(*this),
                   Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)),
                   new Poco::Net::HTTPServerParams)
    {
        m_server.start();
    }

    ~Receiver() { m_server.stopAll(true); }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(m_server.port()); }

    std::vector<std::string> bodies()
    {
        const std::lock_guard lock(m_mutex);
        return m_bodies;
    }

    std::string firstHead()
    {
        const std::lock_guard lock(m_mutex);
        return m_head;
    }

private:
    struct Handler : Poco::Net::HTTPRequestHandler
    {
        explicit Handler(Receiver &owner)
            : receiver(owner)
        {}

        void handleRequest(Poco::Net::HTTPServerRequest &request,
                           Poco::Net::HTTPServerResponse &response) override
        {
            std::string body;
            Poco::StreamCopier::copyToString(request.stream(), body);
            int status = 0;
            {
                const std::lock_guard lock(receiver.m_mutex);
                if (receiver.m_head.empty())
                    receiver.m_head = request.getMethod() + " " + request.getURI() + " " +
                                      request.getContentType() + " " + request.get("X-Key", "none");
                const auto nth = std::min(receiver.m_bodies.size(), receiver.m_statuses.size() - 1);
                status = receiver.m_statuses[nth];
                receiver.m_bodies.push_back(body);
            }
            response.setStatus(Poco::Net::HTTPResponse::HTTPStatus(status));
            response.send() << "{}";
        }

        Receiver &receiver;
    };

    struct Factory : Poco::Net::HTTPRequestHandlerFactory
    {
        explicit Factory(Receiver &owner)
            : receiver(owner)
        {}

        Poco::Net::HTTPRequestHandler *
        createRequestHandler(const Poco::Net::HTTPServerRequest &) override
        {
            return new Handler(receiver);
        }

        Receiver &receiver;
    };

    std::vector<int> m_statuses;
    std::mutex m_mutex;
    std::vector<std::string> m_bodies;
    std::string m_head;
    Poco::Net::HTTPServer m_server;
};

} // namespace

class TestObservability : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsTargets_data();
    void readsTargets();
    void triesAgainAndGivesUp();
    void neverBlocks();
    void sendsRunsOfAServer();
    void writesJsonLines_data();
    void writesJsonLines();
    void showsFigures();
    void showsHistograms();
    void sortsRequests_data();
    void sortsRequests();
};

void TestObservability::readsTargets_data()
{
    QTest::addColumn<QString>("endpoint");
    QTest::addColumn<QString>("headers");
    QTest::addColumn<QString>("url"); ///< empty: refused
    QTest::newRow("host") << "http://c:4318" << "" << "http://c:4318/v1/traces";
    QTest::newRow("slash") << "http://c:4318/" << "" << "http://c:4318/v1/traces";
    QTest::newRow("path") << "http://c/x" << "a=b, c=d" << "http://c/x/v1/traces";
    QTest::newRow("whole") << "http://c:1/v1/traces" << "" << "http://c:1/v1/traces";
    QTest::newRow("https") << "https://c:4318" << "" << "https://c:4318/v1/traces";
    QTest::newRow("ftp") << "ftp://c:4318" << "" << "";
    QTest::newRow("words") << "a collector" << "" << "";
    QTest::newRow("no host") << "http://" << "" << "";
    QTest::newRow("headers") << "http://c:4318" << "nonsense" << "";
}

void TestObservability::readsTargets()
{
    QFETCH(QString, endpoint);
    QFETCH(QString, headers);
    QFETCH(QString, url);
    const auto target =
        server::app::parseTraceTarget(endpoint.toStdString(), headers.toStdString());
    QCOMPARE(target ? QString::fromStdString(target->url) : QString(), url);
}

void TestObservability::triesAgainAndGivesUp()
{
    Receiver receiver({503, 200, 400});
    server::app::TraceExporter exporter(
        *server::app::parseTraceTarget(receiver.url(), "X-Key=abc"),
        [](std::int64_t runId) -> schema::Result<std::vector<std::string>> {
            return std::vector{"{\"run\":" + std::to_string(runId) + "}"};
        });
    exporter.ended(1); // 503, then taken
    QTRY_COMPARE_WITH_TIMEOUT(exporter.sent(), 1U, 10000);
    exporter.ended(2); // refused for good: not tried again
    QTRY_COMPARE_WITH_TIMEOUT(exporter.dropped(), 1U, 10000);
    const auto bodies = receiver.bodies();
    QCOMPARE(bodies.size(), std::size_t(3));
    QCOMPARE(bodies[0], bodies[1]);
    QCOMPARE(receiver.firstHead(), "POST /v1/traces application/json abc");
}

void TestObservability::neverBlocks()
{
    // A socket that nobody reads from: connections are accepted by the system and never answered.
    Poco::Net::ServerSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
    server::app::TraceExporter exporter(
        *server::app::parseTraceTarget(
            "http://127.0.0.1:" + std::to_string(silent.address().port()), ""),
        [](std::int64_t) -> schema::Result<std::vector<std::string>> {
            return std::vector<std::string>{"{}"};
        });
    for (int run = 0; run < 5000; ++run)
        exporter.ended(run);
    QVERIFY(exporter.dropped() >= 3990U); // the queue is bounded
    QCOMPARE(exporter.sent(), 0U);
}

void TestObservability::sendsRunsOfAServer()
{
    Receiver receiver({200});
    QTemporaryDir folder;
    server::app::Configuration configuration;
    configuration.data = folder.path().toStdString() + "/data";
    configuration.traces = receiver.url();
    const LiveServer server(configuration);
    QVERIFY2(server.running(), server.failure().c_str());
    (void)server.call("POST", "/_apis/projects", R"({"name": "p"})");
    (void)server.call("POST", "/p/_apis/git/repositories", R"({"name": "code"})");
    const std::string tree = folder.path().toStdString() + "/tree";
    std::filesystem::create_directories(tree);
    git(tree, {"init", "--quiet", "--initial-branch=main"});
    std::ofstream(tree + "/p.yml") << "trigger: none\npr: none\njobs:\n- job: A\n"
                                      "  condition: false\n  steps:\n  - script: echo\n";
    git(tree, {"add", "--all"});
    git(tree, {"commit", "--quiet", "-m", "first"});
    QCOMPARE(git(tree, {"push", "--quiet",
                        "http://x:" + server.token() +
                            "@127.0.0.1:" + std::to_string(server.port()) + "/p/_git/code",
                        "main"}),
             "");
    (void)server.call("POST", "/p/_apis/pipelines",
                      R"({"name": "web", "configuration": {"path": "p.yml",
                "repository": {"name": "code"}}})");
    QCOMPARE(server.call("POST", "/p/_apis/pipelines/1/runs", "{}").status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(receiver.bodies().size(), std::size_t(1), 10000);
    const auto body = nlohmann::json::parse(receiver.bodies().at(0));
    const auto span = body.at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans").at(0);
    QCOMPARE(span.at("name").get<std::string>(), "web");
}

void TestObservability::writesJsonLines_data()
{
    QTest::addColumn<QString>("message");
    QTest::addColumn<QString>("member");
    QTest::addColumn<QString>("value");
    QTest::newRow("plain") << "stopping" << "message" << "stopping";
    QTest::newRow("pair") << "run=7 pipeline=web" << "pipeline" << "web";
    QTest::newRow("sentence") << "url=x error=it did not answer" << "error" << "it did not answer";
    QTest::newRow("taken name") << "level=9" << "level" << "info";
    QTest::newRow("no name") << "a-b=c" << "message" << "a-b=c";
    QTest::newRow("line feed") << "one\ntwo" << "message" << "one\ntwo";
}

void TestObservability::writesJsonLines()
{
    QFETCH(QString, message);
    QFETCH(QString, member);
    QFETCH(QString, value);
    const std::string line = server::app::jsonLogLine(schema::fromEpochMillis(0), "info", "server",
                                                      message.toStdString());
    QCOMPARE(line.find('\n'), std::string::npos);
    const auto json = nlohmann::json::parse(line);
    QCOMPARE(json.at(member.toStdString()).get<std::string>(), value.toStdString());
    // Bytes that are no UTF-8 must not lose the line.
    QVERIFY(nlohmann::json::accept(
        server::app::jsonLogLine(schema::fromEpochMillis(0), "info", "server", "\xff\xfe")));
}

void TestObservability::showsFigures()
{
    const LiveServer server;
    const auto metrics = server.call("GET", "/metrics").body;
    for (const char *name :
         {"slipway_http_requests_total", "slipway_database_commits_total",
          "slipway_workers{pool=\"Default\"} 0", "slipway_workers_online{pool=\"Default\"} 0",
          "slipway_jobs{state=\"queued\"} 0", "slipway_jobs{state=\"running\"} 0"})
        QVERIFY2(metrics.find(name) != std::string::npos, name);
    QCOMPARE(server.call("GET", "/readyz").body, "ready\n");
}

namespace {

/// One sample of the exposition: name with labels, and value.
using Samples = std::map<std::string, double>;

/// Reads the text format line by line; says what is wrong with it in `problem`.
Samples readExposition(const std::string &text, std::string &problem)
{
    static const std::regex kSample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+))re");
    static const std::regex kComment("# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+");
    Samples samples;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_match(line, kComment))
            continue;
        if (!std::regex_match(line, match, kSample) ||
            !samples.emplace(match[1].str(), std::stod(match[2].str())).second)
            problem += "malformed or repeated: " + line + "\n";
    }
    return samples;
}

} // namespace

void TestObservability::showsHistograms()
{
    const LiveServer server;
    QCOMPARE(server.call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
    std::string problem;
    Samples samples;
    // A request is counted when its answer has been sent, so the caller may be back before that.
    QTRY_COMPARE_WITH_TIMEOUT(
        (samples = readExposition(server.call("GET", "/metrics").body, problem),
         samples["slipway_http_request_duration_seconds_count{route=\"change\"}"]),
        1.0, 10000);
    QVERIFY2(problem.empty(), problem.c_str());
    const auto value = [&](const std::string &name) {
        const auto found = samples.find(name);
        return found == samples.end() ? -1 : found->second;
    };
    const std::string requests = "slipway_http_request_duration_seconds";
    for (const auto &[name, labels] : std::vector<std::pair<std::string, std::string>>{
             {requests, "route=\"change\""},
             {requests, "route=\"worker\""},
             {"slipway_database_commit_duration_seconds", ""},
             {"slipway_job_queue_wait_seconds", ""},
             {"slipway_job_dispatch_seconds", ""}}) {
        const std::string braced = labels.empty() ? "" : "{" + labels + "}";
        const std::string open = labels.empty() ? "{" : "{" + labels + ",";
        // Buckets are cumulative and end with all.
        double buckets = 0;
        for (const auto &[sample, count] : samples) {
            if (!sample.starts_with(name + "_bucket" + open))
                continue;
            QVERIFY2(count <= value(name + "_count" + braced), sample.c_str());
            ++buckets;
        }
        QCOMPARE(buckets, double(schema::kDurationBounds.size() + 1));
        QCOMPARE(value(name + "_bucket" + open + "le=\"+Inf\"}"), value(name + "_count" + braced));
        QVERIFY(value(name + "_bucket" + open + "le=\"0.5\"}") <=
                value(name + "_bucket" + open + "le=\"1\"}"));
    }
    QCOMPARE(value(requests + "_count{route=\"change\"}"), 1.0);
    QCOMPARE(value(requests + "_count{route=\"git\"}"), 0.0);
    QVERIFY(value("slipway_database_commit_duration_seconds_count") >= 1);
    QVERIFY(value("slipway_database_flushes_total") >=
            value("slipway_database_commit_duration_seconds_count"));
}

void TestObservability::sortsRequests_data()
{
    QTest::addColumn<QString>("method");
    QTest::addColumn<QString>("target");
    QTest::addColumn<int>("route");
    using server::http::RouteClass;
    const auto row = [](const char *method, const char *target, RouteClass route) {
        QTest::newRow(target) << QString::fromLatin1(method) << QString::fromLatin1(target)
                              << int(route);
    };
    row("GET", "/p/_apis/build/builds?$top=1", RouteClass::Read);
    row("POST", "/p/_apis/pipelines/1/runs", RouteClass::Change);
    row("POST", "/_apis/slipway/jobs/7/deliver", RouteClass::Worker);
    row("GET", "/_apis/slipway/workers/1/channel", RouteClass::Stream);
    row("GET", "/_apis/slipway/events?project=p", RouteClass::Stream);
    row("GET", "/p/_git/code/info/refs?service=git-upload-pack", RouteClass::Git);
    row("GET", "/p/runs/7?next=/_apis/x", RouteClass::Portal);
    row("GET", "", RouteClass::Portal);
}

void TestObservability::sortsRequests()
{
    QFETCH(QString, method);
    QFETCH(QString, target);
    QFETCH(int, route);
    QCOMPARE(int(server::http::routeClass(method.toStdString(), target.toStdString())), route);
}

QTEST_GUILESS_MAIN(TestObservability)
#include "tst_observability.moc"
