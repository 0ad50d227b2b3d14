// The listening side on real sockets: malformed, hostile and oversized requests, sign-in, event
// streams, discovery.
#include "tests/server/support/live_server.h"

#include <QTest>

#include <fstream>
#include <string>

using tests::Answer;
using tests::LiveServer;

class TestLiveServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void refusesMalformed_data();
    void refusesMalformed();
    void ignoresASmuggledRequest();
    void answersLargeBodiesReadably();
    void keepsConnectionsAlive();
    void asksForACredential();
    void signsInByLinkOnce();
    void needsTheHeaderFromBrowsers();
    void discovers();
    void namesTheMethodsOfAnAddress();
    void negotiatesVersions();
    void streamsEvents();
    void writesDownItsAddress();
    void refusesASecondServer();
    void createsWhatSettingUpNeeds();
    void survivesARestart();

private:
    std::string withToken(const std::string &line, const std::string &rest = {}) const
    {
        return line + "\r\nHost: x\r\nAuthorization: Bearer " + m_server->token() + "\r\n" + rest;
    }

    std::unique_ptr<LiveServer> m_server;
};

void TestLiveServer::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
}

void TestLiveServer::refusesMalformed_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status"); ///< 0: closing without an answer is fine too
    const QByteArray host("Host: x\r\nConnection: close\r\n");
    QTest::newRow("length and chunked")
        << "POST /_apis/projects HTTP/1.1\r\n" + host +
               "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        << 400;
    QTest::newRow("two lengths") << "POST /_apis/projects HTTP/1.1\r\n" + host +
                                        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"
                                 << 400;
    QTest::newRow("two equal lengths") << "POST /_apis/projects HTTP/1.1\r\n" + host +
                                              "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"
                                       << 400;
    QTest::newRow("other encoding") << "POST /_apis/projects HTTP/1.1\r\n" + host +
                                           "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
                                    << 400;
    QTest::newRow("length is text")
        << "POST /_apis/projects HTTP/1.1\r\n" + host + "Content-Length: many\r\n\r\n{}" << 400;
    QTest::newRow("list of lengths")
        << "POST /_apis/projects HTTP/1.1\r\n" + host + "Content-Length: 2, 2\r\n\r\n{}" << 400;
    QTest::newRow("blank behind a name")
        << "POST /_apis/projects HTTP/1.1\r\n" + host + "Content-Length : 2\r\n\r\n{}" << 400;
    QTest::newRow("blank behind a name, and a length")
        << "POST /_apis/projects HTTP/1.1\r\n" + host +
               "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}"
        << 400;
    QTest::newRow("NUL in a header")
        << "GET /healthz HTTP/1.1\r\n" + host + QByteArray("A: b\0c\r\n\r\n", 10) << 400;
    QTest::newRow("no host") << QByteArray("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
                             << 400;
    QTest::newRow("two hosts") << "GET /healthz HTTP/1.1\r\nHost: y\r\n" + host + "\r\n" << 400;
    QTest::newRow("negative length")
        << "POST /_apis/projects HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n{}" << 0;
    QTest::newRow("broken escape") << "GET /a%zz HTTP/1.1\r\n" + host + "\r\n" << 400;
    QTest::newRow("NUL") << "GET /a%00 HTTP/1.1\r\n" + host + "\r\n" << 400;
    QTest::newRow("unknown address") << "GET /_apis/absent/x HTTP/1.1\r\n" + host + "\r\n" << 404;
    QTest::newRow("unknown method") << "BREW /_apis/projects HTTP/1.1\r\n" + host + "\r\n" << 405;
    QTest::newRow("another HTTP") << QByteArray("PRI * HTTP/2.0\r\n\r\n") << 505;
    // Nobody is invited to send what is refused.
    QTest::newRow("waits for a go, absurd length")
        << "POST /_apis/projects HTTP/1.1\r\n" + host +
               "Content-Length: 99999999999999999999\r\nExpect: 100-continue\r\n\r\n"
        << 400;
    QTest::newRow("waits for a go, nobody known")
        << "POST /_apis/projects HTTP/1.1\r\n" + host +
               "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        << 401;
    QTest::newRow("garbage") << QByteArray("\x01\x02\x03\r\n\r\n") << 0;
    QTest::newRow("empty line") << QByteArray("\r\n\r\n") << 0;
    QTest::newRow("enormous header")
        << "GET / HTTP/1.1\r\n" + host + "X-Big: " + QByteArray(200000, 'a') + "\r\n\r\n"
        << 0;
    QTest::newRow("thousands of headers")
        << "GET / HTTP/1.1\r\n" + host + QByteArray("A: b\r\n").repeated(5000) + "\r\n"
        << 0;
    QTest::newRow("enormous address")
        << "GET /" + QByteArray(100000, 'a') + " HTTP/1.1\r\n" + host + "\r\n"
        << 0;
}

void TestLiveServer::refusesMalformed()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    const Answer answer = m_server->raw(bytes.toStdString());
    if (status == 0)
        QVERIFY2(answer.status == 0 || (answer.status >= 400 && answer.status < 500),
                 answer.head.c_str());
    else
        QCOMPARE(answer.status, status);
    // Whatever it was: the server goes on.
    QCOMPARE(m_server->call("GET", "/healthz").status, 200);
}

void TestLiveServer::ignoresASmuggledRequest()
{
    // The body of a refused request must not be taken for a request of its own.
    const std::string inner = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string text =
        m_server->exchange("POST /_apis/projects HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                           std::to_string(inner.size()) + "\r\n\r\n" + inner);
    QVERIFY(text.starts_with("HTTP/1.1 401"));
    QCOMPARE(text.find("HTTP/1.1", 1), std::string::npos);
}

void TestLiveServer::answersLargeBodiesReadably()
{
    const std::string large(20U << 20U, ' ');
    const Answer answer = m_server->call("POST", "/_apis/projects", large);
    QCOMPARE(answer.status, 413);
    QVERIFY(answer.json().at("message").get<std::string>().find("larger than") !=
            std::string::npos);
    const std::string deep = std::string(100000, '[');
    const Answer nested = m_server->call("POST", "/_apis/projects", deep);
    QVERIFY(nested.status == 400 || nested.status == 413);
}

void TestLiveServer::keepsConnectionsAlive()
{
    const std::string one = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const std::string text = m_server->exchange(one + one + last);
    std::size_t answers = 0;
    for (auto at = text.find("HTTP/1.1 200"); at != std::string::npos;
         at = text.find("HTTP/1.1 200", at + 1))
        ++answers;
    QCOMPARE(answers, std::size_t(3));
}

void TestLiveServer::asksForACredential()
{
    const std::string close = "Host: x\r\nConnection: close\r\n";
    const Answer none = m_server->raw("GET /_apis/projects HTTP/1.1\r\n" + close + "\r\n");
    QCOMPARE(none.status, 401);
    QVERIFY(none.header("WWW-Authenticate").starts_with("Bearer"));
    const Answer wrong = m_server->raw("GET /_apis/projects HTTP/1.1\r\n" + close +
                                       "Authorization: Bearer nonsense\r\n\r\n");
    QCOMPARE(wrong.status, 401);
    QCOMPARE(wrong.json().at("typeKey").get<std::string>(), "UnauthorizedRequestException");
    const QByteArray basic =
        QByteArray("any:" + QByteArray::fromStdString(m_server->token())).toBase64();
    const Answer password =
        m_server->raw("GET /_apis/projects HTTP/1.1\r\n" + close + "Authorization: Basic " +
                      basic.toStdString() + "\r\n\r\n");
    QCOMPARE(password.status, 200);
    const Answer broken = m_server->raw("GET /_apis/projects HTTP/1.1\r\n" + close +
                                        "Authorization: Basic !!!\r\n\r\n");
    QCOMPARE(broken.status, 401);
}

void TestLiveServer::signsInByLinkOnce()
{
    const auto link = m_server->call("POST", "/_apis/slipway/signinlinks", "{}").json();
    const std::string token = link.at("token").get<std::string>();
    const Answer first = m_server->call("GET", "/signin?token=" + token);
    QCOMPARE(first.status, 302);
    QCOMPARE(first.header("Location"), "/");
    const std::string cookie = first.header("Set-Cookie");
    QVERIFY(cookie.starts_with("slipway_session="));
    QVERIFY(cookie.find("HttpOnly") != std::string::npos);
    QVERIFY(cookie.find("SameSite=Lax") != std::string::npos);
    const Answer second = m_server->call("GET", "/signin?token=" + token);
    QCOMPARE(second.status, 401);
    QVERIFY(second.body.find("used already") != std::string::npos);
}

void TestLiveServer::needsTheHeaderFromBrowsers()
{
    const auto link = m_server->call("POST", "/_apis/slipway/signinlinks", "{}").json();
    const std::string set =
        m_server->call("GET", "/signin?token=" + link.at("token").get<std::string>())
            .header("Set-Cookie");
    const std::string cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
    const std::string close = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n";
    const Answer me = m_server->raw("GET /_apis/slipway/me" + close + cookie + "\r\n");
    QCOMPARE(me.json().at("uniqueName").get<std::string>(), "operator");
    const Answer forged =
        m_server->raw("POST /_apis/slipway/signinlinks" + close + cookie + "\r\n");
    QCOMPARE(forged.status, 403);
    const Answer own = m_server->raw("POST /_apis/slipway/signinlinks" + close + cookie +
                                     "X-Slipway-Request: 1\r\n\r\n");
    QCOMPARE(own.status, 200);
    const Answer out =
        m_server->raw("POST /signout" + close + cookie + "X-Slipway-Request: 1\r\n\r\n");
    QCOMPARE(out.status, 204);
    QCOMPARE(m_server->raw("GET /_apis/slipway/me" + close + cookie + "\r\n").status, 401);
}

void TestLiveServer::discovers()
{
    const auto all =
        m_server->raw("OPTIONS /_apis HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").json();
    QVERIFY(all.at("count").get<int>() > 35);
    const auto location =
        m_server->raw("OPTIONS /_apis/Location HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .json();
    QCOMPARE(location.at("value").size(), location.at("count").get<std::size_t>());
    for (const auto &row : location.at("value"))
        QCOMPARE(row.at("area").get<std::string>(), "Location");
    const auto none =
        m_server->raw("OPTIONS /_apis/absent HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .json();
    QVERIFY(none.at("value").is_array()); // null would throw in the client (D13)
}

void TestLiveServer::namesTheMethodsOfAnAddress()
{
    const std::string host = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const Answer options = m_server->raw("OPTIONS /_apis/distributedtask/pools/1" + host);
    QCOMPARE(options.status, 204);
    QCOMPARE(options.header("Allow"), "DELETE, GET, HEAD, PATCH, OPTIONS");
    const Answer refused = m_server->raw("BREW /_apis/distributedtask/pools/1" + host);
    QCOMPARE(refused.status, 405);
    QCOMPARE(refused.header("Allow"), options.header("Allow"));
}

void TestLiveServer::negotiatesVersions()
{
    const Answer newest = m_server->call("GET", "/_apis/projects?api-version=7.1");
    QCOMPARE(newest.status, 200);
    QVERIFY(newest.header("Content-Type").find("api-version=7.1") != std::string::npos);
    const Answer accept = m_server->call("GET", "/_apis/projects", "",
                                         "Accept: application/json;api-version=7.2-preview.4\r\n");
    QCOMPARE(accept.status, 200);
    const Answer preview = m_server->call("GET", "/_apis/projects?api-version=7.1-Preview");
    QCOMPARE(preview.status, 200);
    // The version comes back in a header: nothing but a version may.
    for (const char *version : {"8.0", "7.3", "0.9", "seven", "7.1;x", "7.1-preview.", "7.10",
                                "7.1%0d%0aX-Evil:%201", "7.1-preview.1%0d%0a%0d%0abody", ""}) {
        const Answer answer =
            m_server->call("GET", std::string("/_apis/projects?api-version=") + version);
        QCOMPARE(answer.status, *version ? 400 : 200);
        QCOMPARE(answer.header("X-Evil"), "");
    }
}

void TestLiveServer::streamsEvents()
{
    const std::string text =
        m_server->exchange(withToken("GET /_apis/slipway/events HTTP/1.1", "\r\n"));
    QVERIFY(text.starts_with("HTTP/1.1 200"));
    QVERIFY(text.find("text/event-stream") != std::string::npos);
    QVERIFY(text.find(": connected") != std::string::npos);
    // An id of another time is a gap: everything has to be fetched again.
    const std::string resumed = m_server->exchange(
        withToken("GET /_apis/slipway/events HTTP/1.1", "Last-Event-ID: 1\r\n\r\n"));
    QVERIFY2(resumed.find("event: reset") != std::string::npos, resumed.c_str());
    const std::string anonymous =
        m_server->exchange("GET /_apis/slipway/events HTTP/1.1\r\nHost: x\r\n"
                           "Connection: close\r\n\r\n");
    QVERIFY(anonymous.starts_with("HTTP/1.1 401"));
}

/// `--data` is all that a command of this machine needs.
void TestLiveServer::writesDownItsAddress()
{
    std::ifstream file(m_server->data() + "/url");
    std::string address;
    std::getline(file, address);
    QCOMPARE(address, "http://127.0.0.1:" + std::to_string(m_server->port()));
}

void TestLiveServer::refusesASecondServer()
{
    server::app::Configuration configuration;
    configuration.data = m_server->data();
    configuration.port = 0;
    const auto same = server::app::Application::start(configuration);
    QVERIFY(!same);
    QVERIFY(same.error().message.find("is using the data folder") != std::string::npos);
    configuration.data = m_server->folder() + "/other";
    configuration.port = m_server->port();
    const auto taken = server::app::Application::start(configuration);
    QVERIFY(!taken);
    QVERIFY2(taken.error().message.find("--listen") != std::string::npos,
             taken.error().message.c_str());
    configuration.port = 0;
    configuration.web = m_server->folder() + "/no-portal";
    const auto web = server::app::Application::start(configuration);
    QVERIFY(!web);
    QVERIFY(web.error().message.find("index.html") != std::string::npos);
}

void TestLiveServer::createsWhatSettingUpNeeds()
{
    const auto post = [this](const std::string &path, const std::string &body) {
        return m_server->call("POST", path, body);
    };
    QCOMPARE(post("/_apis/projects", R"({"name": "my project"})").status, 202);
    QCOMPARE(post("/_apis/projects", R"({"name": "MY PROJECT"})").status, 409);
    QCOMPARE(post("/_apis/projects", R"({"name": "a/b"})").status, 400);
    QCOMPARE(post("/_apis/projects", R"({})").status, 400);
    const std::string p = "/my%20project/_apis/";
    const auto repository = post(p + "git/repositories", R"({"name": "code"})");
    QCOMPARE(repository.status, 201);
    QCOMPARE(repository.json().at("remoteUrl").get<std::string>(),
             "http://127.0.0.1:" + std::to_string(m_server->port()) + "/my%20project/_git/code");
    const auto endpoint = post(p + "serviceendpoint/endpoints",
                               R"({"name": "cluster", "type": "kubernetes", "url": "https://k",
            "authorization": {"scheme": "Kubernetes", "parameters": {"kubeconfig": "s3cret"}}})");
    QCOMPARE(endpoint.status, 200);
    QVERIFY(endpoint.body.find("s3cret") == std::string::npos);
    QVERIFY(m_server->call("GET", p + "serviceendpoint/endpoints").body.find("s3cret") ==
            std::string::npos);
    const auto environment = post(p + "pipelines/environments", R"({"name": "dev"})");
    QCOMPARE(environment.status, 200);
    const std::string id = std::to_string(environment.json().at("id").get<int>());
    const std::string providers = p + "pipelines/environments/" + id + "/providers/";
    QCOMPARE(post(providers + "kubernetes", R"({"name": "default", "namespace": "dev"})").status,
             400); // no connection
    const auto resource =
        post(providers + "kubernetes",
             R"({"name": "default", "namespace": "dev", "serviceEndpointId": "cluster"})");
    QCOMPARE(resource.status, 200);
    QCOMPARE(post(providers + "dockerhosts", R"({"name": "docker"})").status, 200);
    const auto me = m_server->call("GET", "/_apis/slipway/me").json();
    const std::string check =
        R"({"type": {"name": "Approval"}, "settings": {"approvers": [{"id": ")" +
        me.at("id").get<std::string>() + R"("}]}, "resource": {"type": "environment", "id": ")" +
        id + R"("}})";
    QCOMPARE(post(p + "pipelines/checks/configurations", check).status, 200);
    const auto checks =
        m_server
            ->call("GET", p + "pipelines/checks/configurations?$expand=settings&resourceId=" + id)
            .json();
    QCOMPARE(checks.at("count").get<int>(), 1);
    QCOMPARE(checks.at("value").at(0).at("type").at("id").get<std::string>(),
             "8c6f20a7-a545-4486-9777-f762fafe0d4d");
    const auto pipeline = post(
        p + "pipelines",
        R"({"name": "p", "configuration": {"type": "yaml", "path": "p.yml", "repository": {"name": "code"}}})");
    QCOMPARE(pipeline.status, 200);
    // Nothing was pushed yet: queueing says so instead of failing later.
    const auto run = post(
        p + "pipelines/" + std::to_string(pipeline.json().at("id").get<int>()) + "/runs", "{}");
    QCOMPARE(run.status, 400);
    QVERIFY(run.json().at("message").get<std::string>().find("refs/heads/main") !=
            std::string::npos);
}

void TestLiveServer::survivesARestart()
{
    const auto before = m_server->call("GET", "/_apis/projects").body;
    const std::string token = m_server->token();
    m_server->restart();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->token(), token);
    const auto after = m_server->call("GET", "/_apis/projects").json();
    QCOMPARE(after.at("count").get<int>(), 1);
}

QTEST_GUILESS_MAIN(TestLiveServer)
#include "tst_live_server.moc"
