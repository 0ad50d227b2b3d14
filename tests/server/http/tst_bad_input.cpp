// Parameters that nobody sends by accident: SQL, enormous pages, dates and numbers out of range.
// Each gets a clear answer, and the data is as it was.
#include "tests/server/support/live_server.h"

#include <QTest>

using tests::LiveServer;

class TestBadInput : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void answersParameters_data();
    void answersParameters();
    void answersBodies_data();
    void answersBodies();

private:
    std::unique_ptr<LiveServer> m_server;
};

void TestBadInput::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
    (void)m_server->call("POST", "/p/_apis/git/repositories", R"({"name": "code"})");
    (void)m_server->call("POST", "/p/_apis/pipelines/environments", R"({"name": "dev"})");
}

void TestBadInput::answersParameters_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("status");
    const auto row = [](const char *path, int status) {
        QTest::newRow(path) << QString::fromLatin1(path) << status;
    };
    // SQL where a name, an order or a filter stands: a value like any other.
    row("/p/_apis/build/builds?branchName=';DROP%20TABLE%20run;--", 200);
    row("/p/_apis/build/builds?queryOrder=id;DROP%20TABLE%20run", 400);
    row("/p/_apis/build/builds?queryOrder=queueTimeAscending", 200);
    row("/p/_apis/build/builds?tagFilters=a',(SELECT%201)", 200);
    row("/p/_apis/pipelines?orderBy=name%20desc", 200);
    row("/p/_apis/pipelines?orderBy=name;DROP%20TABLE%20run", 400);
    row("/p/_apis/pipelines?orderBy=name%20desc--", 400);
    row("/p/_apis/build/builds?buildNumber='%20OR%201=1--*", 200);
    row("/p/_apis/build/builds?definitions=1;DROP%20TABLE%20run", 400);
    row("/p/_apis/build/builds?statusFilter=all'--", 400);
    row("/p/_apis/build/builds?requestedFor=%22%20OR%20%22%22=%22", 200);
    row("/p/_apis/slipway/runs?branch='%20UNION%20SELECT%20token_hash%20FROM%20access_token--",
        200);
    row("/p/_apis/slipway/history?service='--", 200);
    row("/p/_apis/pipelines?orderBy=name;DELETE%20FROM%20pipeline", 400);
    row("/'%20OR%20'1'='1/_apis/build/builds", 404);
    row("/p/_apis/git/pullrequests?searchCriteria.sourceRefName='--", 200);
    row("/p/_apis/git/pullrequests?searchCriteria.status=1%20OR%201", 400);
    row("/p/_apis/build/retention/leases?ownerId='%20OR%201=1--", 200);
    row("/_apis/slipway/identities/'%20OR%201=1--/tokens", 404);
    // Pages and numbers out of range.
    row("/p/_apis/build/builds?$top=99999999999999999999", 400);
    row("/p/_apis/build/builds?$top=-1", 400);
    row("/p/_apis/build/builds?$top=1000000000", 400);
    row("/p/_apis/build/builds?continuationToken=-9223372036854775808", 400);
    row("/p/_apis/slipway/runs?top=2147483648", 400);
    row("/p/_apis/git/pullrequests?$top=1001", 400);
    row("/p/_apis/git/pullrequests?$skip=99999999999", 400);
    row("/p/_apis/build/builds/99999999999999999999", 404);
    row("/p/_apis/build/builds/0", 404);
    row("/p/_apis/build/builds/1e3", 404);
    row("/p/_apis/pipelines/environments?$top=1e9", 400);
    row("/p/_apis/test/runs?buildIds=99999999999999999999", 200);
    // Times that are none, and the ends of time.
    row("/p/_apis/build/builds?minTime=yesterday", 400);
    row("/p/_apis/build/builds?minTime=9999-12-31T23:59:59Z", 200);
    row("/p/_apis/build/builds?maxTime=0001-01-01T00:00:00Z", 200);
    row("/p/_apis/slipway/matrix?at=2026-13-45T00:00:00Z", 400);
    // Names with what paths and texts are cut by.
    row("/p/_apis/git/repositories/..%2F..%2Foperator-token", 404);
    row("/p/_apis/git/repositories/code/items?path=/../../operator-token", 404);
    row("/p/_apis/slipway/logs/1/..%2f1", 404);
}

void TestBadInput::answersParameters()
{
    QFETCH(QString, path);
    QFETCH(int, status);
    const auto answer = m_server->call("GET", path.toStdString());
    QVERIFY2(answer.status == status,
             (std::to_string(answer.status) + " " + answer.body.substr(0, 300)).c_str());
    QVERIFY(answer.body.size() < 4096);
    if (status >= 400)
        QVERIFY(!answer.json().at("message").get<std::string>().empty());
    // Nothing was dropped, deleted or given away.
    QVERIFY(answer.body.find(m_server->token()) == std::string::npos);
    QCOMPARE(m_server->call("GET", "/_apis/projects").json().at("count").get<int>(), 1);
    QCOMPARE(m_server->call("GET", "/p/_apis/git/repositories").json().at("count").get<int>(), 1);
}

void TestBadInput::answersBodies_data()
{
    QTest::addColumn<QString>("method");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("body");
    const auto row = [](const char *name, const char *method, const char *path,
                        const QString &body) {
        QTest::newRow(name) << QString::fromLatin1(method) << QString::fromLatin1(path) << body;
    };
    row("days out of range", "PATCH", "/p/_apis/build/retention",
        QStringLiteral(R"({"purgeRuns": {"value": 99999999999}})"));
    row("days below", "PATCH", "/p/_apis/build/retention", QStringLiteral(R"({"purgeRuns": 0})"));
    row("days as text", "PATCH", "/p/_apis/build/retention",
        QStringLiteral(R"({"purgeRuns": "many"})"));
    row("no list", "POST", "/p/_apis/build/retention/leases", QStringLiteral("{}"));
    row("lease of nothing", "POST", "/p/_apis/build/retention/leases",
        QStringLiteral(R"([{"ownerId": "x", "daysValid": 1, "runId": 4711}])"));
    row("lease without end", "POST", "/p/_apis/build/retention/leases",
        QStringLiteral(R"([{"ownerId": "x", "daysValid": -1, "runId": 1}])"));
    row("name of a pool", "POST", "/_apis/distributedtask/pools",
        QStringLiteral("{\"name\": \"a\\u0000b\"}"));
    row("long name", "POST", "/_apis/distributedtask/pools",
        QStringLiteral("{\"name\": \"%1\"}").arg(QString(1000, QLatin1Char('a'))));
    row("array for object", "POST", "/_apis/distributedtask/pools", QStringLiteral("[1, 2]"));
    // All members of these have defaults: the form of the body is all there is to refuse.
    for (const char *other : {"[]", "5", "true", "\"x\""})
        row(other, "POST", "/_apis/slipway/signinlinks", QString::fromLatin1(other));
    row("number for name", "POST", "/p/_apis/pipelines/environments",
        QStringLiteral(R"({"name": {"a": 1}})"));
    row("cut off", "POST", "/p/_apis/pipelines/environments", QStringLiteral(R"({"name": ")"));
    row("twice", "POST", "/p/_apis/pipelines/environments", QStringLiteral("{}{}"));
}

void TestBadInput::answersBodies()
{
    QFETCH(QString, method);
    QFETCH(QString, path);
    QFETCH(QString, body);
    const auto answer =
        m_server->call(method.toStdString(), path.toStdString(), body.toStdString());
    QVERIFY2(answer.status == 400, (std::to_string(answer.status) + " " + answer.body).c_str());
    QVERIFY(!answer.json().at("message").get<std::string>().empty());
}

QTEST_GUILESS_MAIN(TestBadInput)
#include "tst_bad_input.moc"
