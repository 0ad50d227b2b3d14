// Lists in pages: every item once, whatever the size of the page; bad tokens are refused.
#include "tests/server/support/live_server.h"
#include "tests/server/support/world.h"

#include <QTest>

#include <set>

using tests::LiveServer;

class TestPaging : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void givesEveryItemOnce_data();
    void givesEveryItemOnce();
    void refusesBadTokens_data();
    void refusesBadTokens();
    void ordersAndFiltersBuilds_data();
    void ordersAndFiltersBuilds();

private:
    std::unique_ptr<tests::LeftWorld> m_world;
    std::unique_ptr<LiveServer> m_runs; ///< has runs 1 to 5
    std::unique_ptr<LiveServer> m_server;
};

void TestPaging::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    for (const char *name : {"p", "q", "r", "s", "t"}) {
        const std::string text = std::string(R"({"name": ")") + name + R"("})";
        QCOMPARE(m_server->call("POST", "/_apis/projects", text).status, 202);
        QCOMPARE(m_server->call("POST", "/_apis/distributedtask/pools", text).status, 200);
        const std::string group = std::string(R"({"name": ")") + name +
                                  R"(", "variables": {"a": {"value": "b"}}, )" +
                                  R"("variableGroupProjectReferences": [{"projectReference": )" +
                                  R"({"name": "p"}, "name": ")" + name + R"("}]})";
        QCOMPARE(m_server->call("POST", "/_apis/distributedtask/variablegroups", group).status,
                 200);
    }
}

void TestPaging::givesEveryItemOnce_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("count"); ///< the fewest
    for (const auto &[path, count] :
         {std::pair("/_apis/projects", 5), std::pair("/_apis/distributedtask/pools", 5),
          std::pair("/p/_apis/distributedtask/queues", 5),
          std::pair("/p/_apis/distributedtask/variablegroups", 5),
          std::pair("/p/_apis/serviceendpoint/endpoints", 0),
          std::pair("/p/_apis/build/definitions", 0),
          std::pair("/_apis/distributedtask/pools/1/agents", 0)})
        QTest::newRow(path) << QString::fromLatin1(path) << count;
}

void TestPaging::givesEveryItemOnce()
{
    QFETCH(const QString, path);
    QFETCH(const int, count);
    const auto whole = m_server->call("GET", path.toStdString());
    QCOMPARE(whole.status, 200);
    const auto all = whole.json().at("value");
    QVERIFY(int(all.size()) >= count);
    QVERIFY(!whole.json().contains("continuationToken"));
    for (const int top : {1, 2, 3, 100}) {
        auto seen = nlohmann::ordered_json::array();
        std::string token;
        do {
            const auto page =
                m_server->call("GET", path.toStdString() + "?$top=" + std::to_string(top) +
                                          (token.empty() ? "" : "&continuationToken=") + token);
            QCOMPARE(page.status, 200);
            const auto json = page.json();
            QCOMPARE(json.at("count").get<std::size_t>(), json.at("value").size());
            QVERIFY(int(json.at("value").size()) <= top);
            for (const auto &item : json.at("value"))
                seen.push_back(item);
            token = json.value("continuationToken", "");
            QCOMPARE(page.header("x-ms-continuationtoken"), token);
        } while (!token.empty() && seen.size() <= all.size());
        QCOMPARE(seen.size(), all.size());
        for (std::size_t i = 0; i < all.size(); ++i)
            QCOMPARE(seen[i].at("id").dump(), all[i].at("id").dump());
    }
    // Beyond the end there is nothing.
    const auto end = m_server->call("GET", path.toStdString() + "?continuationToken=1000000");
    QCOMPARE(end.json().at("count").get<int>(), 0);
}

void TestPaging::refusesBadTokens_data()
{
    QTest::addColumn<QString>("query");
    for (const char *query : {"continuationToken=-1", "continuationToken=1;DROP%20TABLE%20run",
                              "continuationToken=99999999999999999999", "$top=0", "$skip=-1"})
        QTest::newRow(query) << QString::fromLatin1(query);
}

void TestPaging::refusesBadTokens()
{
    QFETCH(const QString, query);
    const auto answer = m_server->call("GET", "/_apis/projects?" + query.toStdString());
    QCOMPARE(answer.status, 400);
}

void TestPaging::ordersAndFiltersBuilds_data()
{
    m_world = std::make_unique<tests::LeftWorld>([](tests::World &world) {
        for (int i = 0; i < 5; ++i)
            world.queue(tests::plan({tests::stage("Build", {tests::job("A")})}));
    });
    m_runs = std::make_unique<LiveServer>(m_world->data());
    QVERIFY2(m_runs->running(), m_runs->failure().c_str());
    for (const char *tag : {"2/tags/a", "4/tags/a", "4/tags/b", "5/tags/b"})
        QCOMPARE(m_runs->call("PUT", std::string("/space-game/_apis/build/builds/") + tag, "null")
                     .status,
                 200);
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<QByteArray>("runs");
    const auto row = [](const char *query, const char *runs) {
        QTest::newRow(query) << QByteArray(query) << QByteArray(runs);
    };
    row("", "54321");
    row("queryOrder=queueTimeDescending", "54321");
    row("queryOrder=QUEUETIMEASCENDING", "12345");
    row("queryOrder=5", "12345"); // as azure-devops-node-api sends it
    row("queryOrder=finishTimeDescending", "54321");
    row("queryOrder=startTimeAscending", "12345");
    row("queryOrder=queueTimeAscending&definitions=1", "12345");
    row("queryOrder=queueTimeAscending&buildIds=4,2,3", "234");
    row("buildIds=4,2,3", "432");
    row("buildIds=4,2,3&tagFilters=a", "42");
    row("tagFilters=a", "42");
    row("tagFilters=A,b", "4");
    row("tagFilters=b&queryOrder=queueTimeAscending", "45");
    row("tagFilters=absent", "");
}

void TestPaging::ordersAndFiltersBuilds()
{
    QFETCH(const QByteArray, query);
    QFETCH(const QByteArray, runs);
    const std::string path = "/space-game/_apis/build/builds?" + query.toStdString();
    for (const int top : {1, 2, 100}) {
        QByteArray seen;
        std::string token;
        do {
            const auto page =
                m_runs->call("GET", path + "&$top=" + std::to_string(top) +
                                        (token.empty() ? "" : "&continuationToken=" + token));
            QCOMPARE(page.status, 200);
            const auto json = page.json();
            for (const auto &run : json.at("value"))
                seen += QByteArray::number(run.at("id").get<int>());
            token = json.value("continuationToken", "");
        } while (!token.empty() && seen.size() <= runs.size());
        QCOMPARE(seen, runs);
    }
}

QTEST_GUILESS_MAIN(TestPaging)
#include "tst_paging.moc"
