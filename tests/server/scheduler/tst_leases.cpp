// Jobs and the workers that hold them: offers, leases, time-outs, restarts.
#include "schema/base/guid.h"
#include "server/store/check_store.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace tests;
using namespace std::chrono_literals;
using schema::RunResult;
using schema::RunStatus;
using schema::TaskResult;
using schema::protocol::CancelJob;
using schema::protocol::JobOffer;
using schema::protocol::LeaseLost;
using server::store::StagePhase;

class TestLeases : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void offersAgainAfterARestart();
    void keepsRunningJobsOverARestart();
    void abandonsAJobWhoseLeaseEnded();
    void takesBackAnOfferThatNobodyAnswered();
    void refusesTheOldTokenOfATakenBackOffer();
    void endsAJobThatRanTooLong();
    void keepsJobsWhenTheClockIsSet_data();
    void keepsJobsWhenTheClockIsSet();
};

void TestLeases::offersAgainAfterARestart()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(plan({stage("Build", {job("A")})}));
    const auto lost =
        world.channel.take<JobOffer>(worker); // the crash comes before the worker answers
    QVERIFY(lost);
    world.restart();
    world.connect(worker);
    const auto message = world.run(worker);
    QCOMPARE(message.jobId, lost->job.jobId);
    QVERIFY(message.jobToken != lost->job.jobToken);
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
}

void TestLeases::keepsRunningJobsOverARestart()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id =
        world.queue(plan({stage("Build", {job("A")}), stage("Test", {job("B")}, {"Build"})}));
    const auto message = world.accept(worker);
    world.restart();
    world.connect(worker, 1, {message.jobId});
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(worker));
    QVERIFY(!world.channel.has<LeaseLost>(worker));
    world.complete(worker, message, TaskResult::Succeeded);
    world.run(worker);
    QVERIFY(world.detail(id).run.result == RunResult::Succeeded);
}

void TestLeases::abandonsAJobWhoseLeaseEnded()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto id = world.queue(plan({stage("Build", {job("A")})}));
    const auto message = world.accept(worker);
    world.moveClock(30s);
    world.scheduler->workerFrame(worker, schema::protocol::Renew{{message.jobId}});
    QVERIFY(world.channel.take<schema::protocol::Renewed>(worker));
    world.moveClock(59s);
    QVERIFY(world.detail(id).run.status == RunStatus::InProgress);
    world.moveClock(2s);
    const auto detail = world.detail(id);
    QVERIFY(detail.run.status == RunStatus::Completed);
    QVERIFY(detail.run.result == RunResult::Failed);
    QVERIFY(detail.jobs.front().result == TaskResult::Abandoned);
    QVERIFY(world.channel.take<LeaseLost>(worker));
    // The worker comes back with a result that nobody waits for any more.
    const auto late = world.jobs->complete(message.jobId, message.jobToken, {});
    QVERIFY(!late);
    QVERIFY(late.error().message.starts_with("leaseLost"));
}

void TestLeases::takesBackAnOfferThatNobodyAnswered()
{
    World world;
    const auto first = world.addWorker("w1");
    const auto second = world.addWorker("w2");
    world.connect(first);
    world.queue(plan({stage("Build", {job("A")})}));
    const auto offer = world.channel.take<JobOffer>(first);
    QVERIFY(offer);
    world.scheduler->workerDisconnected(first);
    world.connect(second);
    world.settle();
    QVERIFY(!world.channel.has<JobOffer>(second)); // the first may have begun: its lease decides
    world.moveClock(61s);
    const auto again = world.channel.take<JobOffer>(second);
    QVERIFY(again);
    QCOMPARE(again->job.jobId, offer->job.jobId);
    world.connect(first, 1, {offer->job.jobId});
    QVERIFY(world.channel.take<LeaseLost>(first));
}

void TestLeases::refusesTheOldTokenOfATakenBackOffer()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    world.queue(plan({stage("Build", {job("A")})}));
    const auto offer = world.channel.take<JobOffer>(worker);
    world.moveClock(61s);
    const auto again = world.channel.take<JobOffer>(worker);
    QVERIFY(again);
    schema::protocol::RecordUpdate update;
    update.id = schema::nameGuid("x", "step");
    update.parentId = offer->job.recordId;
    update.sequence = 1;
    const auto old = world.jobs->mergeRecords(offer->job.jobId, offer->job.jobToken, {update});
    QVERIFY(!old);
    QVERIFY(old.error().message.starts_with("leaseLost"));
    QVERIFY(world.jobs->mergeRecords(offer->job.jobId, again->job.jobToken, {update}));
}

void TestLeases::endsAJobThatRanTooLong()
{
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    schema::Job slow = job("A");
    slow.timeoutMinutes = "1";
    const auto id = world.queue(plan({stage("Build", {slow})}));
    const auto message = world.accept(worker);
    world.moveClock(50s);
    world.scheduler->workerFrame(worker, schema::protocol::Renew{{message.jobId}});
    world.moveClock(11s);
    const auto cancel = world.channel.take<CancelJob>(worker);
    QVERIFY(cancel);
    QVERIFY(cancel->reason.find("maximum time of 1 minutes") != std::string::npos);
    world.complete(worker, message, TaskResult::Canceled);
    QVERIFY(world.detail(id).run.status == RunStatus::Completed);
}

void TestLeases::keepsJobsWhenTheClockIsSet_data()
{
    QTest::addColumn<qint64>("milliseconds");
    QTest::newRow("an hour forward") << qint64(3'600'000);
    QTest::newRow("an hour back") << qint64(-3'600'000);
    QTest::newRow("a minute forward") << qint64(61'000);
}

void TestLeases::keepsJobsWhenTheClockIsSet()
{
    QFETCH(const qint64, milliseconds);
    World world;
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    schema::Job limited = job("A");
    limited.timeoutMinutes = "30";
    const auto id = world.queue(plan({stage("Build", {limited})}));
    const auto message = world.accept(worker);
    world.setClock(std::chrono::milliseconds(milliseconds));
    QVERIFY(world.detail(id).jobs.front().state == server::store::JobState::Running);
    QVERIFY(!world.channel.has<CancelJob>(worker));
    // The lease still is a minute of silence, no more and no less.
    world.moveClock(50s);
    QVERIFY(world.detail(id).jobs.front().state == server::store::JobState::Running);
    world.moveClock(11s);
    const auto job = world.detail(id).jobs.front();
    QVERIFY(job.state == server::store::JobState::Completed);
    QVERIFY(job.result == TaskResult::Abandoned);
}

QTEST_GUILESS_MAIN(TestLeases)
#include "tst_leases.moc"
