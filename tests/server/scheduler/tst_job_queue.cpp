// Which queued job gets a worker: priority, age, shares of pipelines, limits.
#include "server/scheduler/assignment.h"

#include <QTest>

#include <fmt/format.h>

#include <chrono>
#include <map>

using namespace server::scheduler;
using namespace std::chrono_literals;
using schema::RunPriority;

class TestJobQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesInOrder_data();
    void givesInOrder();
    void oneJobIsNotStarvedByAThousand();
    void lowPriorityIsNotStarvedByHigh();
    void keepsLimits_data();
    void keepsLimits();
    void skipsWhatNobodyCanTake();
};

namespace {

const schema::TimePoint kNow = schema::fromEpochMillis(1'800'000'000'000);
const std::vector<schema::protocol::Capability> kNoCapabilities;

QueuedJob job(std::int64_t pipeline, const std::string &id, std::chrono::minutes age = 0min,
              RunPriority priority = RunPriority::Normal)
{
    QueuedJob one;
    one.jobId = id;
    one.runId = one.pipelineId = pipeline;
    one.poolId = 1;
    one.queuedAt = kNow - age;
    one.priority = priority;
    return one;
}

WorkerSlot worker(int slots)
{
    return {1, "w", 1, true, true, slots, 0, &kNoCapabilities};
}

/// Ids of the jobs in their order, when every one gets a worker.
QString orderOf(const JobQueue &queue, const Shares &shares)
{
    QueueOrder order(queue, shares, kNow);
    QStringList ids;
    while (const QueuedJob *next = order.next()) {
        ids << QString::fromStdString(next->jobId);
        order.taken();
    }
    return ids.join(u' ');
}

} // namespace

void TestJobQueue::givesInOrder_data()
{
    QTest::addColumn<int>("kase");
    QTest::addColumn<QString>("order");
    QTest::newRow("the oldest first") << 0 << "a b c";
    QTest::newRow("pipelines by turns") << 1 << "a x b c";
    QTest::newRow("who holds less first") << 2 << "x y a b";
    QTest::newRow("who was served longer ago first") << 3 << "x a b";
    QTest::newRow("the urgent first") << 4 << "x a b";
    QTest::newRow("waiting makes urgent") << 5 << "a x";
    QTest::newRow("of one stage as in the plan") << 6 << "z y x w";
}

void TestJobQueue::givesInOrder()
{
    QFETCH(const int, kase);
    QFETCH(const QString, order);
    JobQueue queue;
    Shares shares;
    switch (kase) {
    case 0:
        for (const auto &[id, age] : std::map<std::string, int>{{"c", 1}, {"b", 2}, {"a", 3}})
            queue.put(job(1, id, std::chrono::minutes(age)));
        break;
    case 1:
        queue.put(job(1, "a", 4min));
        queue.put(job(1, "b", 3min));
        queue.put(job(1, "c", 2min));
        queue.put(job(2, "x", 1min));
        break;
    case 2:
        shares.held[1] = 2;
        queue.put(job(1, "a", 9min));
        queue.put(job(1, "b", 8min));
        queue.put(job(2, "x", 1min));
        queue.put(job(2, "y", 0min));
        break;
    case 3:
        shares.serve(2);
        shares.serve(1);
        queue.put(job(1, "a", 9min));
        queue.put(job(1, "b", 8min));
        queue.put(job(2, "x", 1min));
        break;
    case 4:
        queue.put(job(1, "a", 9min));
        queue.put(job(1, "b", 8min));
        queue.put(job(1, "x", 0min, RunPriority::AboveNormal));
        break;
    case 6: {
        using Position = std::pair<int, int>;
        for (const auto &[id, position] : std::map<std::string, Position>{
                 {"w", {3, 1}}, {"x", {2, 2}}, {"y", {2, 1}}, {"z", {1, 7}}}) {
            QueuedJob one = job(1, id);
            one.position = position;
            queue.put(one);
        }
        break;
    }
    default:
        queue.put(job(1, "a", 21min));
        queue.put(job(2, "x", 0min, RunPriority::High));
        shares.serve(2);
        shares.serve(1);
        shares.held[2] = 1;
    }
    QCOMPARE(orderOf(queue, shares), order);
}

/// A worker with one slot that ends each job before the next one is given out.
void TestJobQueue::oneJobIsNotStarvedByAThousand()
{
    JobQueue queue;
    Shares shares;
    for (int i = 0; i < 1000; ++i)
        queue.put(job(1, std::to_string(i), 5min));
    int turns = 0;
    for (bool found = false; !found; ++turns) {
        QVERIFY(turns < 5);
        if (turns == 1)
            queue.put(job(2, "late"));
        const auto given = assign(QueueOrder(queue, shares, kNow), {}, {worker(1)});
        QCOMPARE(given.size(), std::size_t(1));
        found = given.front().jobId == "late";
        shares.serve(found ? 2 : 1);
        queue.remove(given.front().jobId);
    }
    QCOMPARE(turns, 2);
}

void TestJobQueue::lowPriorityIsNotStarvedByHigh()
{
    JobQueue queue;
    Shares shares;
    QueuedJob low = job(1, "low", 0min, RunPriority::Low);
    queue.put(low);
    bool found = false;
    int minute = 0;
    for (; !found && minute < 120; ++minute) {
        // New urgent work each minute, more than one slot can do.
        for (int i = 0; i < 2; ++i) {
            QueuedJob high = job(2, fmt::format("{}.{}", minute, i), 0min, RunPriority::High);
            high.queuedAt = kNow + std::chrono::minutes(minute);
            queue.put(high);
        }
        const auto given =
            assign(QueueOrder(queue, shares, kNow + std::chrono::minutes(minute)), {}, {worker(1)});
        found = given.front().jobId == "low";
        shares.serve(found ? 1 : 2);
        queue.remove(given.front().jobId);
    }
    QVERIFY(found);
    QCOMPARE(minute, 41); // four steps of ten minutes
}

void TestJobQueue::keepsLimits_data()
{
    QTest::addColumn<int>("pool");
    QTest::addColumn<int>("pipeline");
    QTest::addColumn<int>("ofFirst");
    QTest::addColumn<int>("ofSecond");
    QTest::newRow("none") << INT_MAX << INT_MAX << 3 << 3;
    QTest::newRow("pool") << 2 << INT_MAX << 1 << 1;
    QTest::newRow("pipeline") << INT_MAX << 1 << 1 << 3;
    QTest::newRow("both") << 3 << 1 << 1 << 2;
    QTest::newRow("used up") << 0 << INT_MAX << 0 << 0;
    QTest::newRow("below nothing: the limit was lowered") << INT_MAX << -1 << 0 << 3;
}

void TestJobQueue::keepsLimits()
{
    QFETCH(const int, pool);
    QFETCH(const int, pipeline);
    QFETCH(const int, ofFirst);
    QFETCH(const int, ofSecond);
    JobQueue queue;
    for (int i = 0; i < 3; ++i) {
        queue.put(job(1, fmt::format("a{}", i)));
        queue.put(job(2, fmt::format("b{}", i)));
    }
    Room room{pool, {}};
    if (pipeline != INT_MAX)
        room.pipelines[1] = pipeline;
    std::map<std::int64_t, int> given;
    for (const Assignment &one : assign(QueueOrder(queue, {}, kNow), room, {worker(10)}))
        ++given[one.runId];
    QCOMPARE(given[1], ofFirst);
    QCOMPARE(given[2], ofSecond);
}

void TestJobQueue::skipsWhatNobodyCanTake()
{
    JobQueue queue;
    QueuedJob picky = job(1, "picky", 5min);
    picky.demands = {"gpu"};
    queue.put(picky);
    queue.put(job(1, "b"));
    QueuedJob refused = job(2, "refused", 5min);
    refused.refusedBy = {1};
    queue.put(refused);
    auto given = assign(QueueOrder(queue, {}, kNow), {}, {worker(5)});
    QCOMPARE(given.size(), std::size_t(1));
    QCOMPARE(given.front().jobId, std::string("b"));
    queue.forgetRefusals();
    QCOMPARE(assign(QueueOrder(queue, {}, kNow), {}, {worker(5)}).size(), std::size_t(2));
}

QTEST_GUILESS_MAIN(TestJobQueue)
#include "tst_job_queue.moc"
