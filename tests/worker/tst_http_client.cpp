// Answers of a server as they come over a bad network: whole, or broken off.
#include "worker/sink/http_client.h"

#include <QTest>

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <array>
#include <thread>

using namespace worker;

class TestHttpClient : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void answers_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<int>("status"); // 0: Unavailable, so that the caller tries again
        QTest::newRow("whole") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                               << 200;
        QTest::newRow("no body") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                                 << 200;
        QTest::newRow("refused") << QByteArray("HTTP/1.1 400 Bad Request\r\n"
                                               "Content-Length: 2\r\n\r\n{}")
                                 << 400;
        QTest::newRow("breaks off in the body")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"leng") << 0;
        QTest::newRow("breaks off before the body")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n") << 0;
        QTest::newRow("breaks off in the headers") << QByteArray("HTTP/1.1 200 OK\r\nConte") << 0;
    }

    void answers()
    {
        QFETCH(QByteArray, answer);
        QFETCH(int, status);
        Poco::Net::ServerSocket listening(Poco::Net::SocketAddress("127.0.0.1", 0));
        std::thread server([&] {
            auto socket = listening.acceptConnection();
            std::string request;
            std::array<char, 4096> buffer{};
            while (!request.ends_with("body")) {
                const int count = socket.receiveBytes(buffer.data(), buffer.size());
                if (count <= 0)
                    break;
                request.append(buffer.data(), static_cast<std::size_t>(count));
            }
            socket.sendBytes(answer.constData(), static_cast<int>(answer.size()));
            socket.shutdown();
        });
        const auto client = HttpClient::create("http://" + listening.address().toString(), "");
        const auto reply = (*client)->call("POST", "/deliver", "body");
        server.join();
        if (status == 0) {
            QVERIFY(!reply);
            QVERIFY(reply.error().code == ErrorCode::Unavailable);
        } else {
            QVERIFY(reply);
            QCOMPARE(reply->status, status);
        }
    }
};

QTEST_GUILESS_MAIN(TestHttpClient)
#include "tst_http_client.moc"
