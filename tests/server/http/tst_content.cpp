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
    QTest::newRow("any") << QByteArray("*") << true;
}

void TestContent::comparesTags()
{
    QFETCH(const QByteArray, header);
    QFETCH(const bool, names);
    QCOMPARE(namesTag(header.toStdString(), "W/\"a\""), names);
}

void TestContent::answersNotModified()
{
    LiveServer server;
    QVERIFY2(server.running(), server.failure().c_str());
    const auto first = server.call("GET", "/_apis/projects");
    QCOMPARE(first.status, 200);
    const std::string tag = first.header("ETag");
    QVERIFY2(tag.starts_with("W/\""), tag.c_str());
    const auto again = server.call("GET", "/_apis/projects", "", "If-None-Match: " + tag + "\r\n");
    QCOMPARE(again.status, 304);
    QVERIFY(again.body.empty());
    QCOMPARE(server.call("POST", "/_apis/projects", "{\"name\": \"new\"}").status, 202);
    const auto changed =
        server.call("GET", "/_apis/projects", "", "If-None-Match: " + tag + "\r\n");
    QCOMPARE(changed.status, 200);
    QVERIFY(changed.header("ETag") != tag);
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
    QCOMPARE(packed.header("ETag"), plain.header("ETag"));
    QVERIFY(packed.body.size() < plain.body.size() / 2);
    std::istringstream in(packed.body);
    Poco::InflatingInputStream inflater(in, Poco::InflatingStreamBuf::STREAM_GZIP);
    QCOMPARE(std::string(std::istreambuf_iterator<char>(inflater), {}), plain.body);
    const auto refused = server.call("GET", "/_apis/projects", "", "Accept-Encoding: gzip;q=0\r\n");
    QVERIFY(refused.header("Content-Encoding").empty());
}

QTEST_GUILESS_MAIN(TestContent)
#include "tst_content.moc"
