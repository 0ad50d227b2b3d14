// The hub with real sockets: frames both ways, takeover, bad frames, many idle connections on one
// thread.
#include "server/workers/frame_reader.h"
#include "server/workers/worker_hub.h"
#include "tests/server/support/world.h"

#include <QFile>
#include <QTest>

#include <nlohmann/json.hpp>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace tests;
using server::workers::WorkerHub;

namespace {

/// The worker's end of a connection.
class Peer
{
public:
    Peer(WorkerHub &hub, std::int64_t workerId)
    {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
            qFatal("socketpair");
        m_fd = fds[0];
        hub.adopt(fds[1], workerId, "http://server");
    }

    Peer(Peer &&other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {}

    ~Peer() { hangUp(); }

    void hangUp()
    {
        if (m_fd >= 0)
            ::close(std::exchange(m_fd, -1));
    }

    void send(const std::string &text, unsigned char first = 0x81)
    {
        std::string frame{
            static_cast<char>(first), static_cast<char>(0x80U | text.size()), 0, 0, 0, 0};
        Q_ASSERT(text.size() < 126);
        frame += text;
        if (::send(m_fd, frame.data(), frame.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(frame.size()))
            qFatal("send");
    }

    /// Next frame of the server (opcode, payload); opcode 0 when it closed or 10 s passed.
    std::pair<int, std::string> receive()
    {
        const auto need = [&](std::size_t count) {
            while (m_buffer.size() < count) {
                pollfd wait{m_fd, POLLIN, 0};
                char bytes[4096];
                if (::poll(&wait, 1, 10000) != 1)
                    return false;
                const ssize_t got = ::recv(m_fd, bytes, sizeof bytes, 0);
                if (got <= 0)
                    return false;
                m_buffer.append(bytes, static_cast<std::size_t>(got));
            }
            return true;
        };
        if (!need(2))
            return {};
        const int opcode = m_buffer[0] & 0x0f;
        std::size_t length = static_cast<unsigned char>(m_buffer[1]);
        std::size_t header = 2;
        if (length == 126) {
            if (!need(4))
                return {};
            length = static_cast<std::size_t>(static_cast<unsigned char>(m_buffer[2])) << 8U |
                     static_cast<unsigned char>(m_buffer[3]);
            header = 4;
        }
        if (!need(header + length))
            return {};
        std::string payload = m_buffer.substr(header, length);
        m_buffer.erase(0, header + length);
        return {opcode, payload};
    }

private:
    int m_fd = -1;
    std::string m_buffer;
};

const std::string kHello =
    R"({"type":"hello","protocol":1,"version":"1","slots":1,"capabilities":[],"running":[]})";

} // namespace

class TestWorkerHub : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void talksBothWays();
    void closesOnABadFrame_data();
    void closesOnABadFrame();
    void lastConnectionWins();
    void noticesAHangUp();
    void holdsManyIdleConnectionsOnOneThread();
};

void TestWorkerHub::talksBothWays()
{
    World world;
    auto hub = WorkerHub::start(*world.scheduler).value();
    const auto worker = world.addWorker("w1");
    Peer peer(*hub, worker);
    peer.send(kHello);
    QTRY_COMPARE(world.pools->workers(world.poolId)->front().online, true);
    peer.send("ping me", 0x89);
    const auto pong = peer.receive();
    QCOMPARE(pong.first, 10);
    QCOMPARE(pong.second, std::string("ping me"));
    QVERIFY(hub->send(worker, schema::protocol::Drain{}));
    const auto drain = peer.receive();
    QCOMPARE(drain.first, 1);
    QCOMPARE(nlohmann::json::parse(drain.second).at("type").get<std::string>(),
             std::string("drain"));
    QVERIFY(!hub->send(4711, schema::protocol::Drain{}));
}

void TestWorkerHub::closesOnABadFrame_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("first");
    QTest::addColumn<int>("status");
    QTest::addRow("no JSON") << "hello" << 0x81 << 1007;
    QTest::addRow("binary") << "hello" << 0x82 << 1003;
    QTest::addRow("reserved bits") << "hello" << 0xf1 << 1002;
    QTest::addRow("asks to close") << "" << 0x88 << 1000;
}

void TestWorkerHub::closesOnABadFrame()
{
    QFETCH(QString, text);
    QFETCH(int, first);
    QFETCH(int, status);
    World world;
    auto hub = WorkerHub::start(*world.scheduler).value();
    Peer peer(*hub, world.addWorker("w1"));
    peer.send(text.toStdString(), static_cast<unsigned char>(first));
    const auto [opcode, payload] = peer.receive();
    QCOMPARE(opcode, 8);
    QCOMPARE(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]),
             status);
}

void TestWorkerHub::lastConnectionWins()
{
    World world;
    auto hub = WorkerHub::start(*world.scheduler).value();
    const auto worker = world.addWorker("w1");
    Peer first(*hub, worker);
    QTRY_COMPARE(hub->connections(), 1U);
    Peer second(*hub, worker);
    QCOMPARE(first.receive().first, 8);
    QTRY_COMPARE(hub->connections(), 1U);
    second.send(kHello);
    QTRY_COMPARE(world.pools->workers(world.poolId)->front().online, true);
    QVERIFY(hub->send(worker, schema::protocol::Drain{}));
    QCOMPARE(second.receive().first, 1);
}

void TestWorkerHub::noticesAHangUp()
{
    World world;
    auto hub = WorkerHub::start(*world.scheduler).value();
    const auto worker = world.addWorker("w1");
    Peer peer(*hub, worker);
    peer.send(kHello);
    QTRY_COMPARE(world.pools->workers(world.poolId)->front().online, true);
    peer.hangUp();
    QTRY_COMPARE(world.pools->workers(world.poolId)->front().online, false);
    QTRY_COMPARE(hub->connections(), 0U);
}

void TestWorkerHub::holdsManyIdleConnectionsOnOneThread()
{
    rlimit files{};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
    ::setrlimit(RLIMIT_NOFILE, &files);
    const auto count = static_cast<std::size_t>(std::min<rlim_t>(2000, (files.rlim_cur - 100) / 2));
    World world;
    auto hub = WorkerHub::start(*world.scheduler).value();
    const auto threads = [] {
        QFile file(QStringLiteral("/proc/self/status"));
        (void)file.open(QIODevice::ReadOnly);
        for (const QByteArray &line : file.readAll().split('\n')) {
            if (line.startsWith("Threads:"))
                return line.mid(8).trimmed().toInt();
        }
        return 0;
    };
    const int before = threads();
    std::vector<Peer> peers;
    for (std::size_t i = 0; i < count; ++i)
        peers.emplace_back(*hub, 1000 + static_cast<std::int64_t>(i));
    QTRY_COMPARE(hub->connections(), count);
    QCOMPARE(threads(), before);
    QVERIFY(hub->send(1000 + static_cast<std::int64_t>(count) - 1, schema::protocol::Drain{}));
    QCOMPARE(peers.back().receive().first, 1);
}

QTEST_GUILESS_MAIN(TestWorkerHub)
#include "tst_worker_hub.moc"
