// Connections that hold no thread: which bytes are a request, and thousands that never become one.
#include "server/http/front_door.h"
#include "tests/server/support/live_server.h"

#include <QDir>
#include <QFile>
#include <QTest>

#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using server::http::Arrival;
using server::http::arrivalOf;
using server::http::FrontDoorOptions;
using tests::LiveServer;

class TestFrontDoor : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void knowsWhenARequestIsThere_data();
    void knowsWhenARequestIsThere();
    void answersPastHalfOpenConnections_data();
    void answersPastHalfOpenConnections();
    void servesKeptAliveAndPipelinedRequests();
    void givesUpOnAHeadThatTrickles();
    void holdsNoAnswerBack();
    void leaksNoSocketToChildren();

private:
    int connected() const;
    std::unique_ptr<LiveServer> m_server;
};

namespace {

void put(int fd, const std::string &bytes)
{
    QCOMPARE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
}

/// Reads until the text stands in what has come, or the peer closed.
std::string readUntil(int fd, const std::string &text)
{
    std::string got;
    char buffer[4096];
    ssize_t count = 0;
    while (got.find(text) == std::string::npos &&
           (count = ::recv(fd, buffer, sizeof buffer, 0)) > 0)
        got.append(buffer, std::size_t(count));
    return got;
}

} // namespace

void TestFrontDoor::initTestCase()
{
    rlimit limit{};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
}

int TestFrontDoor::connected() const
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(m_server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
        qFatal("connect: %s", std::strerror(errno));
    return fd;
}

void TestFrontDoor::knowsWhenARequestIsThere_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("arrival");
    const auto row = [](const char *name, const QByteArray &bytes, Arrival arrival) {
        QTest::newRow(name) << bytes << int(arrival);
    };
    row("nothing", "", Arrival::Incomplete);
    row("blank lines", "\r\n\r\n", Arrival::Incomplete);
    row("half a line", "GET / HT", Arrival::Incomplete);
    row("no end of the head", "GET / HTTP/1.1\r\nHost: x\r\n", Arrival::Incomplete);
    row("a head", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Arrival::Complete);
    row("a head without CR", "GET / HTTP/1.1\nHost: x\n\n", Arrival::Complete);
    row("a head after blank lines", "\r\nGET / HTTP/1.1\r\n\r\n", Arrival::Complete);
    row("no body yet", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n", Arrival::Incomplete);
    row("half a body", "POST / HTTP/1.1\r\ncontent-length:2\r\n\r\n{", Arrival::Incomplete);
    row("a body", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", Arrival::Complete);
    row("a long body", "POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n", Arrival::Complete);
    row("a bad length", "POST / HTTP/1.1\r\nContent-Length: -2\r\n\r\n", Arrival::Complete);
    row("chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Arrival::Complete);
    row("waits for a go", "PUT / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        Arrival::Complete);
    row("no request line", "GET\n\n", Arrival::Malformed);
    row("no target", "GET  HTTP/1.1\r\n\r\n", Arrival::Malformed);
    row("an endless line", QByteArray(40000, 'a'), Arrival::TooLong);
    row("endless headers", "GET / HTTP/1.1\r\n" + QByteArray("A: b\r\n").repeated(6000),
        Arrival::TooLong);
}

void TestFrontDoor::knowsWhenARequestIsThere()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, arrival);
    QCOMPARE(int(arrivalOf(bytes.toStdString(), FrontDoorOptions())), arrival);
}

void TestFrontDoor::answersPastHalfOpenConnections_data()
{
    QTest::addColumn<QByteArray>("sent");
    QTest::newRow("silent") << QByteArray();
    QTest::newRow("half a head") << QByteArray("GET /healthz HTTP/1.1\r\nHost:");
    QTest::newRow("half a body") << QByteArray(
        "POST /_apis/projects HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
    QTest::newRow("what looks like a head") << QByteArray("GET\n\n");
}

/// Far more of them than the server has threads.
void TestFrontDoor::answersPastHalfOpenConnections()
{
    QFETCH(const QByteArray, sent);
    std::vector<int> held;
    for (int i = 0; i < 2000; ++i) {
        held.push_back(connected());
        if (!sent.isEmpty())
            put(held.back(), sent.toStdString());
    }
    for (int i = 0; i < 20; ++i)
        QCOMPARE(m_server->call("GET", "/healthz").status, 200);
    for (const int fd : held)
        ::close(fd);
}

void TestFrontDoor::servesKeptAliveAndPipelinedRequests()
{
    const int fd = connected();
    const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for (int i = 0; i < 3; ++i) {
        put(fd, request);
        QVERIFY(readUntil(fd, "\r\n\r\nok").starts_with("HTTP/1.1 200"));
    }
    put(fd, request + request + request.substr(0, 10)); // two at once and a piece of a third
    std::string both = readUntil(fd, "ok");
    if (both.find("HTTP/1.1 200", 1) == std::string::npos)
        both += readUntil(fd, "ok");
    QVERIFY(both.find("HTTP/1.1 200", 1) != std::string::npos);
    put(fd, request.substr(10));
    QVERIFY(readUntil(fd, "ok").find("HTTP/1.1 200") != std::string::npos);
    ::close(fd);
}

void TestFrontDoor::givesUpOnAHeadThatTrickles()
{
    using namespace server::http;
    Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
    FrontDoorOptions options;
    options.headTime = std::chrono::milliseconds(300);
    std::atomic<int> handled = 0;
    const auto port = listener.address().port();
    auto door =
        FrontDoor::open(listener, [&](const Poco::Net::StreamSocket &) { ++handled; }, options);
    QVERIFY(door);
    Poco::Net::StreamSocket slow(Poco::Net::SocketAddress("127.0.0.1", port));
    slow.setReceiveTimeout(Poco::Timespan(0, 20'000));
    // Each byte comes in time; together they do not.
    bool closed = false;
    for (int i = 0; i < 2000 && !closed; ++i) {
        char byte = 'a';
        try {
            slow.sendBytes(&byte, 1);
            closed = slow.receiveBytes(&byte, 1) == 0;
        } catch (const Poco::TimeoutException &) {
            continue;
        } catch (const Poco::Exception &) {
            closed = true;
        }
    }
    QVERIFY(closed);
    QCOMPARE(handled.load(), 0);
}

/// Nagle's algorithm and delayed acknowledgements together cost 40 ms an answer.
void TestFrontDoor::holdsNoAnswerBack()
{
    using namespace server::http;
    Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
    const auto port = listener.address().port();
    std::promise<bool> atOnce;
    auto door = FrontDoor::open(listener,
                                [&](const Poco::Net::StreamSocket &socket) {
                                    atOnce.set_value(Poco::Net::StreamSocket(socket).getNoDelay());
                                },
                                {});
    QVERIFY(door);
    Poco::Net::StreamSocket client(Poco::Net::SocketAddress("127.0.0.1", port));
    const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    client.sendBytes(head.data(), static_cast<int>(head.size()));
    auto answer = atOnce.get_future();
    QCOMPARE(answer.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    QVERIFY(answer.get());
}

void TestFrontDoor::leaksNoSocketToChildren()
{
    const int fd = connected();
    put(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    readUntil(fd, "ok");
    const auto entries =
        QDir(QStringLiteral("/proc/self/fd")).entryList(QDir::Files | QDir::System);
    int sockets = 0;
    for (const QString &entry : entries) {
        const int number = entry.toInt();
        if (!QFile::symLinkTarget(QStringLiteral("/proc/self/fd/") + entry)
                 .contains(QStringLiteral("socket:")))
            continue;
        ++sockets;
        QVERIFY2((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0, qPrintable(entry));
    }
    QVERIFY(sockets >= 3); // listening, accepted, ours
    ::close(fd);
}

QTEST_GUILESS_MAIN(TestFrontDoor)
#include "tst_front_door.moc"
