// Bodies of requests that do not arrive whole: nothing is done with their beginning. An artifact
// needs a job, and is met in tst_artifact_store.
#include "tests/server/support/live_server.h"

#include <QTest>

#include <fmt/format.h>

using tests::LiveServer;

class TestRequestBodies : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase()
    {
        m_server = std::make_unique<LiveServer>();
        QVERIFY2(m_server->running(), m_server->failure().c_str());
    }

    void endings_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body"); ///< {} is a whole JSON text, with its length in {:x}
        QTest::addColumn<bool>("whole");
        QTest::addColumn<int>("refusal"); ///< 400: the sender's mistake, 500: the connection's
        const auto chunked = [](const char *name, const char *body, bool whole, int refusal = 500) {
            QTest::newRow(name) << QByteArray("Transfer-Encoding: chunked\r\n") << QByteArray(body)
                                << whole << refusal;
        };
        chunked("all chunks", "{1:x}\r\n{0}\r\n0\r\n\r\n", true);
        chunked("fields behind the chunks", "{1:x}\r\n{0}\r\n0\r\nA: b\r\n\r\n", true);
        chunked("no last chunk", "{1:x}\r\n{0}\r\n", false);
        chunked("cut behind the bytes of a chunk", "{1:x}\r\n{0}", false);
        chunked("cut in the size of the last chunk", "{1:x}\r\n{0}\r\n0", false);
        chunked("cut before the empty line", "{1:x}\r\n{0}\r\n0\r\n", false);
        chunked("cut in a chunk", "ff\r\n{0}", false);
        chunked("no size", "{1:x}\r\n{0}\r\nx\r\n\r\n", false, 400);
        chunked("a negative size", "-2\r\n{0}\r\n0\r\n\r\n", false, 400);
        chunked("a size with 0x", "0x{1:x}\r\n{0}\r\n0\r\n\r\n", false, 400);
        chunked("a size of 68 bits", "FFFFFFFFFFFFFFFFF\r\n{0}\r\n0\r\n\r\n", false, 400);
        chunked("more bytes than the size", "{1:x}\r\n{0}xx\r\n0\r\n\r\n", false, 400);
        const auto measured = [](const char *name, const char *length, bool whole) {
            QTest::newRow(name) << QByteArray("Content-Length: ") + length + "\r\n"
                                << QByteArray("{0}") << whole << 500;
        };
        measured("all bytes", "{1}", true);
        measured("fewer bytes than announced", "200", false);
        measured("fewer bytes than announced, of a long body", "4000000", false);
    }

    void endings()
    {
        QFETCH(QByteArray, head);
        QFETCH(QByteArray, body);
        QFETCH(bool, whole);
        QFETCH(int, refusal);
        const std::string name = fmt::format("project-{}", ++m_count);
        const std::string json = fmt::format(R"({{"name": "{}"}})", name);
        const std::string sent = fmt::format(
            fmt::runtime("POST /_apis/projects HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                         "Content-Type: application/json\r\nAuthorization: Bearer {2}\r\n" +
                         head.toStdString() + "\r\n" + body.toStdString()),
            json, json.size(), m_server->token());
        const auto answer = m_server->rawAndNoMore(sent);
        if (whole) {
            QVERIFY2(answer.status >= 200 && answer.status < 300, answer.body.c_str());
        } else {
            // The front door takes a short body that never comes for no request at all.
            QVERIFY2(answer.status == 0 || answer.status == refusal, answer.head.c_str());
            if (answer.status != 0)
                QVERIFY(answer.body.find(refusal == 400 ? "breaks off" : "ended early") !=
                        std::string::npos);
        }
        QCOMPARE(m_server->call("GET", "/_apis/projects/" + name).status, whole ? 200 : 404);
    }

    /// A worker that vanishes while it uploads a task's package, or anybody.
    void halfAPackageIsNotInstalled()
    {
        const auto answer = m_server->rawAndNoMore(
            "POST /_apis/slipway/tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
            "Bearer " +
            m_server->token() + "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nPK\x03\x04\r\n");
        QCOMPARE(answer.status, 500);
        QVERIFY2(answer.body.find("the package ended early") != std::string::npos,
                 answer.body.c_str());
    }

private:
    std::unique_ptr<LiveServer> m_server;
    int m_count = 0;
};

QTEST_GUILESS_MAIN(TestRequestBodies)
#include "tst_request_bodies.moc"
