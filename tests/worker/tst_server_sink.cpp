// How a job's deliveries are put together (worker/sink/server_sink.h); whether they arrive is
// tst_listener's and the real server's affair.
#include "support/fake_server.h"
#include "worker/sink/server_sink.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using namespace worker;
using namespace worker::test;
namespace protocol = schema::protocol;

class TestServerSink : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    /// A log that fills every delivery must not keep the others back until it ends.
    void eachLogHasItsTurn()
    {
        FakeServer server;
        const QTemporaryDir folder;
        protocol::JobMessage message;
        message.jobId = "job";
        message.serverUrl = server.url();
        message.jobToken = "job-token";
        const fs::path place = fs::path(folder.path().toStdString()) / "job";
        QVERIFY(bool(Spool::create(place, message)));
        Spool spool(place);
        StopSignal stop;
        auto sink = ServerSink::create(spool, message, stop);
        QVERIFY(bool(sink));
        constexpr std::size_t kDeliveries = 4;
        const std::string piece(protocol::kMaxLogChunkBytes / 8, 'x');
        for (std::size_t i = 0; i < 8 * kDeliveries; ++i)
            (*sink)->log("a flood", piece);
        for (const char *other : {"before it", "one behind", "two behind"})
            (*sink)->log(other, "a line\n");
        QVERIFY(bool((*sink)->complete({})));
        const auto state = server.state();
        QCOMPARE(state.logs.at("a flood").size(), piece.size() * 8 * kDeliveries);
        for (const char *other : {"before it", "one behind", "two behind"}) {
            QCOMPARE(state.logs.at(other), std::string("a line\n"));
            const auto first = std::find_if(
                state.deliveries.begin(), state.deliveries.end(), [&](const auto &records) {
                    return std::find(records.begin(), records.end(), other) != records.end();
                });
            QVERIFY2(first - state.deliveries.begin() <= 1, other);
        }
        QVERIFY(state.deliveries.size() >= kDeliveries);
    }
};

QTEST_GUILESS_MAIN(TestServerSink)
#include "tst_server_sink.moc"
