// The event ring: resuming, gaps, projects, waking.
#include "server/events/event_hub.h"

#include <QTest>

#include <atomic>
#include <thread>

using server::events::EventHub;

class TestEventHub : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void resumes();
    void tellsOfAGap();
    void wakes();
};

void TestEventHub::resumes()
{
    EventHub hub;
    const auto start = hub.newestId();
    QVERIFY(hub.since(start, "p")->empty());
    hub.publish("run", "p", "{}");
    hub.publish("run", "other", "{}");
    hub.publish("worker", "", "{}");
    const auto events = hub.since(start, "p").value();
    QCOMPARE(events.size(), 2U);
    QCOMPARE(events[1].type, std::string("worker"));
    QVERIFY(hub.since(events[1].id, "p")->empty());
    QCOMPARE(hub.since(start, "p", 1)->size(), 1U);
}

void TestEventHub::tellsOfAGap()
{
    EventHub hub(3);
    const auto start = hub.newestId();
    for (int i = 0; i < 4; ++i)
        hub.publish("run", "p", "{}");
    QVERIFY(!hub.since(start, "p"));
    QCOMPARE(hub.since(start + 1, "p")->size(), 3U);
    QVERIFY(!hub.since(0, "p"));                  // never ours
    QVERIFY(!hub.since(hub.newestId() + 1, "p")); // of a later process
}

void TestEventHub::wakes()
{
    EventHub hub;
    std::atomic<int> woken = 0;
    {
        const auto subscription = hub.subscribe([&] { ++woken; });
        hub.publish("run", "p", "{}");
        QCOMPARE(woken.load(), 1);
    }
    const auto id = hub.newestId();
    std::jthread publisher([&] { hub.publish("run", "p", "{}"); });
    QVERIFY(hub.waitFor(id, std::chrono::seconds(10)));
    QCOMPARE(woken.load(), 1);
    QVERIFY(!hub.waitFor(hub.newestId(), std::chrono::milliseconds(1)));
}

QTEST_GUILESS_MAIN(TestEventHub)
#include "tst_event_hub.moc"
