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
