// Entity tags, conditional requests and compression of answers.
#include "server/http/content.h"
#include "tests/server/support/live_server.h"

#include <QTest>

#include <Poco/InflatingStream.h>

#include <iterator>
#include <sstream>

using namespace server::http;
using tests::LiveServer;

class TestContent : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void comparesTags_data();
    void comparesTags();
    void answersNotModified();
    void changesOnlyWhatIsKnown();
    void compressesLongAnswers();
};

void TestContent::comparesTags_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<bool>("names");
    QTest::newRow("absent") << QByteArray() << false;
    QTest::newRow("same") << QByteArray("W/\"a\"") << true;
    QTest::newRow("strong form") << QByteArray("\"a\"") << true;
    QTest::newRow("other") << QByteArray("\"b\"") << false;
    QTest::newRow("one of several") << QByteArray("\"b\", W/\"a\"") << true;
    QTest::newRow("compressed form") << QByteArray("\"a-gzip\"") << true;
    QTest::newRow("any") << QByteArray("*") << true;
}

void TestContent::comparesTags()
{
    QFETCH(const QByteArray, header);
    QFETCH(const bool, names);
    QCOMPARE(namesTag(header.toStdString(), "\"a\""), names);
}

void TestContent::answersNotModified()
{
    LiveServer server;
    QVERIFY2(server.running(), server.failure().c_str());
    const auto first = server.call("GET", "/_apis/projects");
    QCOMPARE(first.status, 200);
    const std::string tag = first.header("ETag");
    QVERIFY2(tag.starts_with("\""), tag.c_str());
    const auto again = server.call("GET", "/_apis/projects", "", "If-None-Match: " + tag + "\r\n");
    QCOMPARE(again.status, 304);
    QVERIFY(again.body.empty());
    QCOMPARE(server.call("POST", "/_apis/projects", "{\"name\": \"new\"}").status, 202);
    const auto changed =
        server.call("GET", "/_apis/projects", "", "If-None-Match: " + tag + "\r\n");
    QCOMPARE(changed.status, 200);
    QVERIFY(changed.header("ETag") != tag);
}

void TestContent::changesOnlyWhatIsKnown()
{
    LiveServer server;
    QVERIFY2(server.running(), server.failure().c_str());
    const std::string environments = "/sample/_apis/pipelines/environments";
    QCOMPARE(server.call("POST", "/_apis/projects", R"({"name": "sample"})").status, 202);
    const auto created = server.call("POST", environments, R"({"name": "dev"})").json();
    const std::string path = environments + "/" + std::to_string(created.at("id").get<int>());
    const auto change = [&](const std::string &description, const std::string &tag) {
        return server.call("PATCH", path, R"({"description": ")" + description + R"("})",
                           "If-Match: " + tag + "\r\n");
    };
    const std::string first = server.call("GET", path).header("ETag");
    QCOMPARE(change("one", first).status, 200);
    const auto late = change("two", first);
    QCOMPARE(late.status, 412);
    QVERIFY2(late.json().at("message").get<std::string>().find("changed since") !=
                 std::string::npos,
             late.body.c_str());
    const auto now = server.call("GET", path);
    QCOMPARE(now.json().at("description").get<std::string>(), "one");
    QCOMPARE(late.header("ETag"), now.header("ETag"));
    // A weak tag matches nothing, one of several does, and the star what is there.
    QCOMPARE(change("three", "W/" + now.header("ETag")).status, 412);
    QCOMPARE(change("four", "\"other\", " + now.header("ETag")).status, 200);
    QCOMPARE(change("five", "*").status, 200);
    QCOMPARE(server.call("GET", path).json().at("description").get<std::string>(), "five");
    QCOMPARE(server.call("PATCH", environments + "/999", "{}", "If-Match: *\r\n").status, 412);
    // Who may not come in is told only that.
    QCOMPARE(server
                 .raw("PATCH " + path +
                      " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-Match: *\r\n"
                      "Content-Length: 2\r\n\r\n{}")
                 .status,
             401);
    // Nobody waits behind a body that trickles in.
    QCOMPARE(change(std::string(20'000, 'x'), "*").status, 413);
}

void TestContent::compressesLongAnswers()
{
    LiveServer server;
    for (int i = 0; i < 40; ++i) {
        const std::string body = "{\"name\": \"project " + std::to_string(i) + "\"}";
        QCOMPARE(server.call("POST", "/_apis/projects", body).status, 202);
    }
    const auto plain = server.call("GET", "/_apis/projects");
    QVERIFY(plain.header("Content-Encoding").empty());
    const auto packed =
        server.call("GET", "/_apis/projects", "", "Accept-Encoding: deflate, gzip\r\n");
    QCOMPARE(packed.header("Content-Encoding"), std::string("gzip"));
    QCOMPARE(packed.header("Vary"), std::string("Accept-Encoding"));
    // Other bytes, another tag (RFC 9110, 8.8.3.3); with either the caller has what there is.
    QVERIFY(packed.header("ETag") != plain.header("ETag"));
    for (const auto &tag : {packed.header("ETag"), plain.header("ETag")})
        QCOMPARE(server.call("GET", "/_apis/projects", "", "If-None-Match: " + tag + "\r\n").status,
                 304);
    QVERIFY(packed.body.size() < plain.body.size() / 2);
    std::istringstream in(packed.body);
    Poco::InflatingInputStream inflater(in, Poco::InflatingStreamBuf::STREAM_GZIP);
    QCOMPARE(std::string(std::istreambuf_iterator<char>(inflater), {}), plain.body);
    const auto refused = server.call("GET", "/_apis/projects", "", "Accept-Encoding: gzip;q=0\r\n");
    QVERIFY(refused.header("Content-Encoding").empty());
}

QTEST_GUILESS_MAIN(TestContent)
#include "tst_content.moc"
