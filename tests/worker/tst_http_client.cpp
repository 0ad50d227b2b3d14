// Answers of a server as they come over a bad network: whole, or broken off.
#include "worker/sink/http_client.h"

#include <QTest>

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

using namespace worker;

namespace {

/// Takes one request, answers with the bytes and ends the connection.
void answerAndCut(Poco::Net::ServerSocket &listening, const std::string &bytes)
{
    auto socket = listening.acceptConnection();
    std::string request;
    std::array<char, 4096> buffer{};
    while (request.find("\r\n\r\n") == std::string::npos) {
        const int count = socket.receiveBytes(buffer.data(), buffer.size());
        if (count <= 0)
            break;
        request.append(buffer.data(), static_cast<std::size_t>(count));
    }
    std::size_t at = 0;
    try {
        while (at < bytes.size())
            at += static_cast<std::size_t>(
                socket.sendBytes(bytes.data() + at, static_cast<int>(bytes.size() - at)));
        socket.shutdownSend();
    } catch (const Poco::Exception &) {
        // The client has enough.
    }
}

/// The chunked coding of a body, without its last chunk.
std::string inChunks(const std::string &body)
{
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += 7000) {
        const auto piece = body.substr(at, 7000);
        out += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    }
    return out;
}

} // namespace

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
        const auto chunks = [](const char *name, const char *body, int status) {
            QTest::newRow(name) << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                              "chunked\r\n\r\n") +
                                       body
                                << status;
        };
        chunks("chunks", "1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n", 200);
        chunks("chunks with fields behind them", "2\r\n{}\r\n0\r\nA: b\r\n\r\n", 200);
        chunks("a field with the byte that Poco takes for the end",
               "2\r\n{}\r\n0\r\nA: \xff\r\n\r\n", 200);
        chunks("no chunk but the last", "0\r\n\r\n", 200);
        chunks("chunks cut in a chunk", "9\r\n{\"leng", 0);
        chunks("chunks cut behind a chunk", "2\r\n{}\r\n", 0);
        chunks("chunks cut in a size", "2\r\n{}\r\n1", 0);
        chunks("chunks cut before the empty line of the end", "2\r\n{}\r\n0\r\n", 0);
        chunks("chunks cut before the first", "", 0);
        chunks("chunks without a size", "2\r\n{}\r\nx\r\n", 0);
        chunks("a chunk of a size that is no number", "2\r\n{}\r\nfffffffffffffffff\r\n", 0);
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

    /// A chunked answer leaves the connection as good as one with a length.
    void keepsTheConnectionAfterChunks()
    {
        Poco::Net::ServerSocket listening(Poco::Net::SocketAddress("127.0.0.1", 0));
        std::thread server([&] {
            auto socket = listening.acceptConnection();
            std::array<char, 4096> buffer{};
            for (int i = 0; i < 3; ++i) {
                std::string request;
                while (!request.ends_with("body"))
                    request.append(buffer.data(),
                                   static_cast<std::size_t>(std::max(
                                       0, socket.receiveBytes(buffer.data(), buffer.size()))));
                const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                           "1\r\n" +
                                           std::to_string(i) + "\r\n0\r\n\r\n";
                socket.sendBytes(answer.data(), static_cast<int>(answer.size()));
            }
        });
        const auto client = HttpClient::create("http://" + listening.address().toString(), "");
        for (int i = 0; i < 3; ++i) {
            const auto reply = (*client)->call("POST", "/deliver", "body");
            QVERIFY(reply);
            QCOMPARE(reply->body, std::to_string(i));
        }
        server.join();
    }

    void downloads_data()
    {
        /// -1: the end of the connection is the end; -2: chunks, with the last one; -3: without
        QTest::addColumn<qint64>("announced");
        QTest::addColumn<qint64>("sent");
        QTest::addColumn<qint64>("wanted");  ///< bytes after which the reader has enough
        QTest::addColumn<bool>("complains"); ///< the reader does not like what it got
        QTest::addColumn<QString>("error");  ///< empty: none
        const auto row = [](const char *name, qint64 announced, qint64 sent, qint64 wanted,
                            bool complains, const char *error) {
            QTest::newRow(name) << announced << sent << wanted << complains
                                << QString::fromLatin1(error);
        };
        constexpr qint64 kAll = 1LL << 40;
        row("whole", 300'000, 300'000, kAll, false, "");
        row("empty", 0, 0, kAll, false, "");
        row("no length", -1, 300'000, kAll, false, "");
        row("chunks", -2, 300'000, kAll, false, "");
        row("chunks, cut", -3, 300'000, kAll, false, "breaks off after 300000 bytes, before");
        row("chunks, cut, and the reader fails on it", -3, 70'000, kAll, true,
            "breaks off after 70000 bytes");
        row("chunks, the reader has enough", -2, 300'000, 1000, false, "");
        row("cut", 300'000, 299'999, kAll, false, "breaks off after 299999 of 300000 bytes");
        row("cut at once", 300'000, 0, kAll, false, "breaks off after 0 of 300000 bytes");
        row("cut, and the reader fails on it", 300'000, 70'000, kAll, true,
            "breaks off after 70000");
        row("the reader has enough", 300'000, 300'000, 1000, false, "");
        row("cut behind what the reader wants", 300'000, 100'000, 1000, false, "");
        row("the reader fails", 300'000, 300'000, kAll, true, "a damaged archive");
    }

    void downloads()
    {
        QFETCH(qint64, announced);
        QFETCH(qint64, sent);
        QFETCH(qint64, wanted);
        QFETCH(bool, complains);
        QFETCH(QString, error);
        std::string body;
        while (body.size() < static_cast<std::size_t>(sent))
            body += static_cast<char>('a' + body.size() % 26);
        std::string head = "HTTP/1.1 200 OK\r\n";
        if (announced >= 0)
            head += "Content-Length: " + std::to_string(announced) + "\r\n";
        std::string sentBody = body;
        if (announced <= -2) {
            head += "Transfer-Encoding: chunked\r\n";
            sentBody = inChunks(body) + (announced == -2 ? "0\r\n\r\n" : "");
        }
        Poco::Net::ServerSocket listening(Poco::Net::SocketAddress("127.0.0.1", 0));
        std::thread server([&] { answerAndCut(listening, head + "\r\n" + sentBody); });
        const auto client = HttpClient::create("http://" + listening.address().toString(), "");
        std::string got;
        const auto reply = (*client)->download("/file", [&](std::istream &in) -> Status {
            std::array<char, 10'000> buffer{};
            while (in && got.size() < static_cast<std::size_t>(wanted)) {
                got += static_cast<char>(in.get()); // both ways of reading
                if (!in) {
                    got.pop_back();
                    break;
                }
                in.read(buffer.data(), buffer.size());
                got.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
            }
            if (complains)
                return schema::Error{ErrorCode::InvalidArgument, "a damaged archive"};
            return {};
        });
        server.join();
        QCOMPARE(bool(reply), error.isEmpty());
        if (!reply) {
            QVERIFY2(reply.error().message.find(error.toStdString()) != std::string::npos,
                     reply.error().message.c_str());
            QCOMPARE(reply.error().code == ErrorCode::Unavailable,
                     error.startsWith(QLatin1String("breaks off")));
        }
        QVERIFY(body.starts_with(got) && (wanted < sent || got == body));
    }
};

QTEST_GUILESS_MAIN(TestHttpClient)
#include "tst_http_client.moc"
