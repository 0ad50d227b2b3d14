// Secure files over HTTP, and what jobs leave beside logs and artifacts as it is stored.
#include "server/store/job_resource_store.h"
#include "tests/server/support/live_server.h"
#include "tests/server/support/world.h"

#include <QTest>

#include <filesystem>
#include <fstream>
#include <sstream>

using server::store::Connection;
using server::store::JobResourceStore;
using tests::LiveServer;

class TestResources : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void secureFiles()
    {
        const LiveServer server;
        QVERIFY2(server.running(), server.failure().c_str());
        const std::string base = "/Default/_apis/distributedtask/securefiles";
        QCOMPARE(server.call("POST", "/_apis/projects", R"({"name":"Default"})").status / 100, 2);
        const auto created = server.call("POST", base + "?name=key.pem", "-----the key-----",
                                         "Content-Type: application/octet-stream\r\n");
        QVERIFY2(created.status == 200, created.body.c_str());
        QCOMPARE(created.json()["size"].get<int>(), 17);
        const auto nameIn = [](const auto &json) {
            return json["displayName"].template get<std::string>();
        };
        const std::string me = nameIn(server.call("GET", "/_apis/slipway/me").json());
        QVERIFY(!me.empty());
        QCOMPARE(nameIn(created.json()["createdBy"]), me);
        const auto again = server.call("POST", base + "?name=KEY.pem", "x");
        QCOMPARE(again.status, 409);
        QVERIFY2(again.body.find("'KEY.pem' exists already") != std::string::npos &&
                     again.body.find("UNIQUE") == std::string::npos,
                 again.body.c_str());
        for (const char *name : {"", "a%2Fb", ".hidden", "a%3Ab"})
            QCOMPARE(server.call("POST", base + "?name=" + name, "x").status, 400);
        const auto list = server.call("GET", base);
        QCOMPARE(list.json()["count"].get<int>(), 1);
        QCOMPARE(nameIn(list.json()["value"][0]["createdBy"]), me);
        QVERIFY(list.body.find("the key") == std::string::npos);
        // Nothing in clear on the disk either.
        for (const auto &entry : std::filesystem::recursive_directory_iterator(server.data())) {
            if (!entry.is_regular_file())
                continue;
            std::ifstream file(entry.path(), std::ios::binary);
            std::ostringstream bytes;
            bytes << file.rdbuf();
            QVERIFY(bytes.str().find("the key") == std::string::npos);
        }
        const auto id = created.json()["id"].get<std::string>();
        // The content is for jobs; what is no ticket opens nothing, whoever asks.
        for (const char *query : {"", "?ticket=", "?ticket=AAAA", "?ticket=%2F%2F", "?ticket=x"}) {
            const auto refused = server.call("GET", base + "/" + id + query);
            QCOMPARE(refused.status, 401);
            QVERIFY(refused.body.find("the key") == std::string::npos);
        }
        QCOMPARE(server.call("DELETE", base + "/" + id).status, 204);
        QCOMPARE(server.call("DELETE", base + "/" + id).status, 404);
    }

    void badges_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<int>("status"); // for who is signed in, and for all once they are open
        QTest::addColumn<QByteArray>("holds"); // of the body
        QTest::newRow("by name") << QByteArray("Default/_apis/build/status/web") << 200
                                 << QByteArray("never built");
        QTest::newRow("by number") << QByteArray("_apis/public/build/definitions/Default/1/badge")
                                   << 200 << QByteArray(">pipeline<");
        QTest::newRow("label") << QByteArray("Default/_apis/build/status/1?label=a%3Cb%26%22")
                               << 200 << QByteArray("a&lt;b&amp;&quot;");
        QTest::newRow("long label") << "Default/_apis/build/status/1?label=" + QByteArray(65, 'x')
                                    << 400 << QByteArray("at most 64 bytes");
        QTest::newRow("branch") << QByteArray("Default/_apis/build/status/1?branchName=other")
                                << 200 << QByteArray("never built");
        QTest::newRow("no pipeline") << QByteArray("Default/_apis/build/status/none") << 404
                                     << QByteArray("has no pipeline 'none'");
    }

    void badges()
    {
        QFETCH(QByteArray, path);
        QFETCH(int, status);
        QFETCH(QByteArray, holds);
        const LiveServer server;
        QVERIFY2(server.running(), server.failure().c_str());
        QCOMPARE(server.call("POST", "/_apis/projects", R"({"name":"Default"})").status / 100, 2);
        const auto repository = server.call(
            "POST", "/Default/_apis/git/repositories?api-version=7.1", R"({"name":"code"})");
        QVERIFY2(repository.status / 100 == 2, repository.body.c_str());
        const auto made = server.call(
            "POST", "/Default/_apis/pipelines?api-version=7.1",
            R"({"name":"web","configuration":{"type":"yaml","path":"/azure-pipelines.yml",)"
            R"("repository":{"type":"azureReposGit","id":")" +
                repository.json()["id"].get<std::string>() + R"("}}})");
        QVERIFY2(made.status / 100 == 2, made.body.c_str());
        const auto stranger = [&] {
            return server.raw("GET /" + path.toStdString() +
                              " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        };
        const std::string settings = "/Default/_apis/build/generalSettings?api-version=7.1";
        QCOMPARE(server.call("GET", settings).json()["statusBadgesArePrivate"].get<bool>(), true);
        const auto known = server.call("GET", "/" + path.toStdString());
        QCOMPARE(known.status, status);
        QVERIFY2(known.body.find(holds.toStdString()) != std::string::npos, known.body.c_str());
        // To strangers everything that is private or not there looks the same.
        const auto nothing =
            server.raw("GET /Nowhere/_apis/build/status/1 HTTP/1.1\r\nHost: x\r\nConnection: "
                       "close\r\n\r\n");
        QCOMPARE(nothing.status, 404);
        QCOMPARE(stranger().status, 404);
        QCOMPARE(stranger().body, nothing.body);
        QCOMPARE(server.call("PATCH", settings, R"({"statusBadgesArePrivate":"no"})").status, 400);
        QCOMPARE(server.call("PATCH", settings, R"({"enforceJobAuthScope":true})").status, 400);
        const auto opened = server.call("PATCH", settings, R"({"statusBadgesArePrivate":false})");
        QVERIFY2(opened.status == 200, opened.body.c_str());
        QCOMPARE(stranger().status, status);
        QVERIFY2(stranger().body.find(holds.toStdString()) != std::string::npos,
                 stranger().body.c_str());
        // Nothing but badges is open.
        QCOMPARE(server
                     .raw("GET /Default/_apis/build/generalSettings HTTP/1.1\r\nHost: "
                          "x\r\nConnection: close\r\n\r\n")
                     .status,
                 401);
    }

    void behindAProxy()
    {
        server::app::Configuration configuration;
        QVERIFY(server::app::parseUrl("https://slipway.example:8443/", configuration));
        QCOMPARE(configuration.url, std::string("https://slipway.example:8443"));
        for (const char *wrong : {"slipway.example", "ftp://a", "https://", "https://a/b",
                                  "https://me@a", "https://a?b", "https://a b"})
            QVERIFY2(!server::app::parseUrl(wrong, configuration), wrong);
        QTemporaryDir data;
        configuration.data = data.path().toStdString();
        const LiveServer server(configuration);
        QVERIFY2(server.running(), server.failure().c_str());
        const auto made = server.call("POST", "/_apis/projects", R"({"name":"Default"})");
        QCOMPARE(made.status / 100, 2);
        const auto project = server.call("GET", "/_apis/projects/Default").json();
        QVERIFY2(project["url"].get<std::string>().starts_with("https://slipway.example:8443/"),
                 project.dump().c_str());
        const auto link = server.call("POST", "/_apis/slipway/signinlinks", "{}");
        QVERIFY2(link.body.find("https://slipway.example:8443/signin?token=") != std::string::npos,
                 link.body.c_str());
        const auto token = link.json()["url"].get<std::string>();
        const auto in = server.raw("GET /signin" + token.substr(token.find('?')) +
                                   " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        QCOMPARE(in.status, 302);
        QVERIFY(in.header("Set-Cookie").ends_with("; Secure"));
    }

    void unknownRuns_data()
    {
        QTest::addColumn<QByteArray>("path");
        for (const char *path : {"build/builds/99/tags", "build/builds/99/attachments/t",
                                 "test/codecoverage?buildId=99"})
            QTest::newRow(path) << QByteArray(path);
    }

    void unknownRuns()
    {
        QFETCH(QByteArray, path);
        const LiveServer server;
        QCOMPARE(server.call("POST", "/_apis/projects", R"({"name":"Default"})").status / 100, 2);
        QCOMPARE(server.call("GET", "/Default/_apis/" + path.toStdString()).status, 404);
    }

    void whatJobsLeave()
    {
        tests::World world;
        const auto run = world.queue(tests::plan({tests::stage("Build", {tests::job("A")})}));
        const auto stored = world.database->write([&](Connection &connection) -> schema::Status {
            JobResourceStore store(connection);
            // Two jobs, one of which publishes twice: the repeat replaces.
            store.putCoverage(run, "j1", {"k", "Cobertura", {{"Lines", 1, 2}}});
            store.putCoverage(run, "j1", {"k", "Cobertura", {{"Lines", 3, 4}}});
            store.putCoverage(run, "j2", {"k", "JaCoCo", {{"Lines", 1, 2}, {"Classes", 1, 1}}});
            const server::store::AttachmentRow file{0, "record", "Type", "name", 0};
            store.putAttachment(run, file, {'o', 'l', 'd'}, {});
            store.putAttachment(run, file, {'n', 'e', 'w', '!'}, {});
            store.addTags(run, {"green", "Green", "v1"});
            return {};
        });
        QVERIFY2(stored, stored ? "" : stored.error().message.c_str());
        const auto read = world.database->read([&](Connection &connection) -> schema::Status {
            JobResourceStore store(connection);
            const auto coverage = store.coverage(run);
            [&] {
                QCOMPARE(coverage.size(), std::size_t(2));
                QCOMPARE(coverage[0].label, std::string("Lines"));
                QCOMPARE(coverage[0].covered, std::int64_t(4));
                QCOMPARE(coverage[0].total, std::int64_t(6));
                QCOMPARE(store.attachments(run, "type").size(), std::size_t(1));
                QCOMPARE(store.attachments(run, "other").size(), std::size_t(0));
                QCOMPARE(store.attachment(run, "record", "Type", "name")->size(), std::size_t(4));
                QVERIFY(!store.attachment(run, "record", "Type", "none"));
                QCOMPARE(store.tags(run), (std::vector<std::string>{"green", "v1"}));
            }();
            return {};
        });
        QVERIFY2(read, read ? "" : read.error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(TestResources)
#include "tst_resources.moc"
