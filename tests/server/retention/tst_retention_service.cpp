// Deleting runs for real: what stays, what goes, in which order, and what a crash leaves.
#include "server/backup/backup.h"
#include "server/retention/retention_service.h"
#include "tests/server/support/world.h"

#include <QFile>
#include <QTest>

#include <filesystem>

using namespace tests;
using schema::ErrorCode;
using schema::TaskResult;
using server::retention::RetentionService;

namespace {

/// A world whose retention lives `days` after its runs.
struct Kept
{
    World world;
    std::int64_t worker = world.addWorker("w1");
    int days = 0;
    std::filesystem::path lock = world.dir.path().toStdString() + "/deletion-lock";
    RetentionService retention{*world.database, *world.logs, *world.artifacts, lock, [this] {
                                   return schema::fromEpochMillis(1'800'000'000'000) +
                                          std::chrono::days(days);
                               }};

    Kept() { world.connect(worker); }

    /// A completed run with one log of three bytes.
    std::int64_t run()
    {
        const auto id = world.queue(plan({stage("Build", {job("A")})}));
        const auto job = world.accept(worker);
        const auto put = world.jobs->appendLog(job.jobId, job.jobToken, job.recordId, 0,
                                               std::span<const char>("hi\n", 3));
        if (!put)
            qFatal("%s", put.error().message.c_str());
        world.complete(worker, job, TaskResult::Succeeded);
        return id;
    }

    void policy(int runDays, int minimumRuns)
    {
        if (!retention.setPolicy({world.projectId, 0, runDays, runDays, runDays, minimumRuns}))
            qFatal("policy");
    }

    bool exists(std::int64_t id) { return world.runs->run(id).has_value(); }

    int count(const char *sql, std::int64_t id)
    {
        return world.database
            ->read([&](server::store::Connection &connection) {
                auto statement = connection.prepare(sql);
                statement.bind(id).step();
                return schema::Result(statement.get<int>(0));
            })
            .value();
    }
};

constexpr const char *kRecords = "SELECT count(*) FROM timeline_record WHERE run_id = ?";
constexpr const char *kJobs = "SELECT count(*) FROM job WHERE run_id = ?";
constexpr const char *kRows = "SELECT count(*) FROM run WHERE id = ?";
constexpr const char *kPlans = "SELECT count(*) FROM compiled_plan WHERE id <> ?";

} // namespace

class TestRetentionService : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void deletesWhatIsOld();
    void keepsTheNewest();
    void keepsWhatIsLeased();
    void refusesToDelete();
    void emptiesLargeRunsInPieces();
    void waitsForBackups();
    void keepsSharedArtifacts();
    void goesOnAfterACrash();
    void deletesPipelines();
};

void TestRetentionService::deletesWhatIsOld()
{
    Kept kept;
    kept.policy(30, 0);
    const auto id = kept.run();
    kept.days = 29;
    QCOMPARE(kept.retention.sweep()->runs, 0);
    QVERIFY(kept.exists(id));
    kept.days = 31;
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QVERIFY(!kept.exists(id));
    for (const char *sql : {kRecords, kJobs, kRows})
        QCOMPARE(kept.count(sql, id), 0);
    QCOMPARE(kept.count(kPlans, 0), 0);
    QCOMPARE(kept.world.logs->length({id, 1})->bytes, 0U);
    QCOMPARE(kept.retention.sweep()->runs, 0);
}

void TestRetentionService::keepsTheNewest()
{
    Kept kept;
    kept.policy(1, 2);
    const auto first = kept.run();
    const auto second = kept.run();
    const auto third = kept.run();
    kept.days = 1000;
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QVERIFY(!kept.exists(first));
    QVERIFY(kept.exists(second));
    QVERIFY(kept.exists(third));
}

void TestRetentionService::keepsWhatIsLeased()
{
    Kept kept;
    kept.policy(1, 0);
    const auto id = kept.run();
    const auto leases =
        kept.retention.addLeases(kept.world.projectId, {{id, "User:ann", 100, false}});
    QVERIFY(leases);
    kept.days = 99;
    QCOMPARE(kept.retention.sweep()->runs, 0);
    QVERIFY(kept.retention.verdict(kept.world.projectId, id)->sentence.find("lease") !=
            std::string::npos);
    QVERIFY(kept.retention.deleteRun(id).error().code == ErrorCode::Conflict);
    kept.days = 101; // the lease has ended
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QVERIFY(!kept.exists(id));
    QVERIFY(!kept.retention.addLeases(kept.world.projectId, {{id, "User:ann", 100, false}}));
    QVERIFY(!kept.retention.addLeases(kept.world.projectId, {{id, "", 100, false}}));
}

void TestRetentionService::refusesToDelete()
{
    Kept kept;
    const auto open = kept.world.queue(plan({stage("Build", {job("A")})}));
    QVERIFY(kept.retention.deleteRun(open).error().code == ErrorCode::Conflict);
    QVERIFY(kept.retention.deleteRun(open + 1).error().code == ErrorCode::NotFound);
    QVERIFY(kept.retention.deletePipeline(kept.world.pipelineId).error().code ==
            ErrorCode::Conflict);
    QVERIFY(kept.exists(open));
}

void TestRetentionService::emptiesLargeRunsInPieces()
{
    Kept kept;
    const auto id = kept.run();
    const auto filled =
        kept.world.database->write([&](server::store::Connection &connection) -> schema::Status {
            for (int i = 0; i < 2500; ++i)
                connection.run("INSERT INTO timeline_record(run_id, id, type, name, state,"
                               " change_id) VALUES(?, ?, 'Task', 'x', 2, 1)",
                               id, server::store::Guid{"extra" + std::to_string(i)});
            return {};
        });
    QVERIFY(filled);
    const auto before = kept.world.database->commits();
    QVERIFY(kept.retention.deleteRun(id));
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QCOMPARE(kept.count(kRecords, id), 0);
    // 2,500 records in pieces of 500: others could write at least five times in between.
    QVERIFY(kept.world.database->commits() - before > 5);
}

void TestRetentionService::waitsForBackups()
{
    Kept kept;
    const auto id = kept.run();
    QVERIFY(kept.retention.deleteRun(id));
    {
        const auto backup = server::backup::DeletionLock::shared(kept.lock);
        QVERIFY(backup);
        QCOMPARE(kept.retention.sweep()->runs, 0);
        QCOMPARE(kept.count(kRows, id), 1);
    }
    QCOMPARE(kept.retention.sweep()->runs, 1);
}

void TestRetentionService::keepsSharedArtifacts()
{
    Kept kept;
    const auto first = kept.run();
    const auto second = kept.run();
    const std::string blob(64, 'a');
    const std::filesystem::path file =
        kept.world.dir.path().toStdString() + "/artifacts/blobs/aa/" + blob;
    std::filesystem::create_directories(file.parent_path());
    QVERIFY(
        kept.world.database->write([&](server::store::Connection &connection) -> schema::Status {
            for (const auto run : {first, second})
                connection.run("INSERT INTO artifact(run_id, name, blob_sha256, size, files,"
                               " created_at) VALUES(?, 'drop', ?, 1, 1, 0)",
                               run, blob);
            return {};
        }));
    QFile(QString::fromStdString(file.string())).open(QIODevice::WriteOnly);
    QVERIFY(kept.retention.deleteRun(first));
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QVERIFY(std::filesystem::exists(file));
    QVERIFY(kept.retention.deleteRun(second));
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QVERIFY(!std::filesystem::exists(file));
}

void TestRetentionService::goesOnAfterACrash()
{
    Kept kept;
    const auto id = kept.run();
    QVERIFY(kept.retention.deleteRun(id)); // marked, and then the process ends
    RetentionService next(*kept.world.database, *kept.world.logs, *kept.world.artifacts, kept.lock);
    QCOMPARE(next.sweep()->runs, 1);
    QCOMPARE(kept.count(kRows, id), 0);
}

void TestRetentionService::deletesPipelines()
{
    Kept kept;
    const auto id = kept.run();
    const auto lease = kept.retention.addLeases(kept.world.projectId, {{id, "Pipeline", 10, true}});
    QVERIFY(lease);
    QVERIFY(kept.retention.deletePipeline(kept.world.pipelineId).error().code ==
            ErrorCode::Conflict);
    QVERIFY(kept.retention.removeLeases(kept.world.projectId, {lease->front().id}));
    QVERIFY(kept.retention.deletePipeline(kept.world.pipelineId));
    QCOMPARE(kept.retention.sweep()->runs, 1);
    QVERIFY(!kept.exists(id));
    QCOMPARE(kept.count("SELECT count(*) FROM pipeline WHERE deleted_at IS NOT NULL AND id = ?",
                        kept.world.pipelineId),
             1);
}

QTEST_GUILESS_MAIN(TestRetentionService)
#include "tst_retention_service.moc"
