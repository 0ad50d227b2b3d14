// GUIDs as bytes and the packs of ended jobs: what goes in comes out; data of earlier versions too.
#include "server/store/pack_bytes.h"
#include "server/store/record_pack.h"
#include "server/store/timeline_store.h"

#include <QTemporaryDir>
#include <QTest>

using namespace server::store;
using schema::RecordState;
using schema::Result;
using schema::Status;
using schema::TaskResult;

class TestPacks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsGuids_data();
    void keepsGuids();
    void keepsRecords();
    void refusesDamagedPacks();
    void opensDataOfEveryVersion_data();
    void opensDataOfEveryVersion();
};

void TestPacks::keepsGuids_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("readBack");
    QTest::addColumn<int>("bytes");
    const auto row = [](const char *name, const char *text, const char *back, int bytes) {
        QTest::newRow(name) << QByteArray(text) << QByteArray(back) << bytes;
    };
    row("lower case", "0f4785fd-af71-5d88-be7c-01ab7517b1b2",
        "0f4785fd-af71-5d88-be7c-01ab7517b1b2", 16);
    row("upper case", "0F4785FD-AF71-5D88-BE7C-01AB7517B1B2",
        "0f4785fd-af71-5d88-be7c-01ab7517b1b2", 16);
    row("empty", "", "", 0);
    row("a word", "step", "step", 4);
    row("15 characters", "123456789012345", "123456789012345", 15);
    row("16 characters", "1234567890123456", "1234567890123456", 17);
    row("17 characters", "12345678901234567", "12345678901234567", 18);
    row("nearly one", "0f4785fd-af71-5d88-be7c-01ab7517b1bx",
        "0f4785fd-af71-5d88-be7c-01ab7517b1bx", 37);
    row("without dashes", "0f4785fdaf715d88be7c01ab7517b1b20000",
        "0f4785fdaf715d88be7c01ab7517b1b20000", 37);
}

void TestPacks::keepsGuids()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, readBack);
    QFETCH(const int, bytes);
    const Blob blob = Guid{text.toStdString()}.bytes();
    QCOMPARE(int(blob.size()), bytes);
    QCOMPARE(Guid::fromBytes(blob).text, readBack.toStdString());
}

void TestPacks::keepsRecords()
{
    const PackedJob job{7, "ccc53473-ea00-5fad-a37a-8820bcc39e0e",
                        "4f453f6f-0cf2-5530-b4c4-06185485aa34", 3};
    TimelineRow plain;
    plain.runId = job.runId;
    plain.attempt = job.attempt;
    plain.jobId = job.id;
    plain.id = "0f4785fd-af71-5d88-be7c-01ab7517b1b2";
    plain.parentId = job.recordId;
    plain.name = "Bash";
    plain.state = RecordState::Completed;
    plain.result = TaskResult::Succeeded;
    plain.startedAt = schema::fromEpochMillis(1'795'871'411'254);
    plain.finishedAt = schema::fromEpochMillis(1'795'871'411'200); // a clock that was set back
    TimelineRow full = plain;
    full.id = "no guid";
    full.parentId = plain.id;
    full.name = "A name of its own";
    full.refName = "own";
    full.identifier = "a.b";
    full.ordinal = -1;
    full.result = TaskResult::Abandoned;
    full.currentOperation = "";
    full.percentComplete = 100;
    full.workerName = "worker";
    full.taskJson = R"({"id":"","name":"Bash","version":"3"})";
    full.issuesJson = R"([{"type":"error","message":"no","data":{}}])";
    full.errorCount = 1;
    full.warningCount = 300;
    full.logId = 70'000;
    full.sequence = 1ULL << 40U;
    full.changeId = 5;
    TimelineRow skipped = plain;
    skipped.parentId.reset();
    skipped.result = TaskResult::Skipped;
    skipped.startedAt.reset();
    skipped.finishedAt.reset();
    const std::vector<TimelineRow> rows{plain, full, skipped, full};
    const std::vector<TimelineRow> read = unpackRecords(job, packRecords(job, rows));
    QCOMPARE(read.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto &[a, b] = std::tie(rows[i], read[i]);
        QCOMPARE(b.runId, a.runId);
        QCOMPARE(b.id, a.id);
        QCOMPARE(b.attempt, a.attempt);
        QCOMPARE(b.parentId, a.parentId);
        QCOMPARE(b.jobId, a.jobId);
        QVERIFY(b.type == schema::RecordType::Task);
        QCOMPARE(b.name, a.name);
        QCOMPARE(b.refName, a.refName);
        QCOMPARE(b.identifier, a.identifier);
        QCOMPARE(b.ordinal, a.ordinal);
        QVERIFY(b.state == a.state && b.result == a.result);
        QCOMPARE(b.currentOperation, a.currentOperation);
        QCOMPARE(b.percentComplete, a.percentComplete);
        QCOMPARE(b.workerName, a.workerName);
        QCOMPARE(b.taskJson, a.taskJson);
        QCOMPARE(b.issuesJson, a.issuesJson);
        QCOMPARE(b.errorCount, a.errorCount);
        QCOMPARE(b.warningCount, a.warningCount);
        QCOMPARE(b.logId, a.logId);
        QVERIFY(b.startedAt == a.startedAt && b.finishedAt == a.finishedAt);
        QCOMPARE(b.sequence, a.sequence);
        QCOMPARE(b.changeId, a.changeId);
    }
}

void TestPacks::refusesDamagedPacks()
{
    const PackedJob job{1, "j", "r", 1};
    TimelineRow row;
    row.name = "some name";
    const Blob pack = packRecords(job, {row, row});
    for (std::size_t size = 0; size < pack.size(); ++size)
        QVERIFY_THROWS_EXCEPTION(SqlError, unpackRecords(job, std::span(pack).first(size)));
    Blob newer = pack;
    newer.front() = 99;
    QVERIFY_THROWS_EXCEPTION(SqlError, unpackRecords(job, newer));
}

void TestPacks::opensDataOfEveryVersion_data()
{
    QTest::addColumn<int>("version");
    for (const Migration &migration : embeddedMigrations())
        QTest::addRow("%d", migration.version) << migration.version;
}

void TestPacks::opensDataOfEveryVersion()
{
    QFETCH(const int, version);
    constexpr int kBlobs = 9; // GUIDs are bytes from this version on
    const QTemporaryDir dir;
    const auto file = std::filesystem::path(dir.path().toStdString()) / "slipway.db";
    const auto guid = [&](const char *text) { return Guid{text}; };
    const std::string job = "ccc53473-ea00-5fad-a37a-8820bcc39e0e";
    const std::string record = "4f453f6f-0cf2-5530-b4c4-06185485aa34";
    const std::string task = "0f4785fd-af71-5d88-be7c-01ab7517b1b2";
    {
        auto database = Database::open(file, embeddedMigrations().first(std::size_t(version)));
        QVERIFY2(database, database ? "" : database.error().message.c_str());
        QCOMPARE((*database)->version(), version);
        const Status written = (*database)->write([&](Connection &c) -> Status {
            c.run("INSERT INTO project(id, name, created_at) VALUES('p','P',1)");
            c.run("INSERT INTO repository(id, project_id, name, type, url, created_at) "
                  "VALUES('g','p','G','git','',1)");
            c.run(
                "INSERT INTO pipeline(id, project_id, name, repository_id, yaml_path, created_at) "
                "VALUES(1,'p','N','g','/a.yml',1)");
            c.run("INSERT INTO compiled_plan(id, hash, plan_text, final_yaml) "
                  "VALUES(1,x'01','{}','')");
            c.run("INSERT INTO run(id, pipeline_id, number, plan_id, reason, status, result, "
                  "source_branch, source_version, compiled_plan_id, queued_at) "
                  "VALUES(1,1,'1','plan',1,2,2,'refs/heads/main','c',1,1)");
            const auto put = [&](const char *sql, auto... ids) {
                if (version >= kBlobs)
                    c.run(sql, guid(ids)...);
                else
                    c.run(sql, ids...);
            };
            put("INSERT INTO stage_state(run_id, name, record_id, ordinal, phase) "
                "VALUES(1,'S',?,1,'completed')",
                record.c_str());
            put("INSERT INTO phase_state(run_id, stage, name, record_id, ordinal, state) "
                "VALUES(1,'S','J',?,1,2)",
                record.c_str());
            put("INSERT INTO job(id, record_id, run_id, stage, phase, name, identifier, ordinal, "
                "state, queued_at) VALUES(?,?,1,'S','J','x','S.J.x',1,'completed',1)",
                job.c_str(), record.c_str());
            put("INSERT INTO timeline_record(id, parent_id, job_id, run_id, type, name, state, "
                "change_id, log_id) VALUES(?,?,?,1,'Task','Bash',2,1,1)",
                task.c_str(), record.c_str(), job.c_str());
            if (version >= kBlobs)
                put("INSERT INTO log(run_id, log_id, created_at, sealed, job_number) "
                    "VALUES(1,1,1,1,(SELECT number FROM job WHERE id = ?))",
                    job.c_str());
            else
                put("INSERT INTO log(run_id, log_id, record_id, job_id, created_at, sealed) "
                    "VALUES(1,1,?,?,1,1)",
                    task.c_str(), job.c_str());
            c.run("INSERT INTO test_run(id, run_id, job_id, key, title, passed, failed, skipped, "
                  "duration_ms, created_at) VALUES(1,1,?,'k','t',1,0,0,1,1)",
                  job);
            c.run("INSERT INTO test_result(test_run_id, id, suite, class_name, name, outcome, "
                  "duration_ms) VALUES(1,1,'s','c','n','Passed',1)");
            return {};
        });
        QVERIFY2(written, written ? "" : written.error().message.c_str());
    }
    auto database = Database::open(file);
    QVERIFY2(database, database ? "" : database.error().message.c_str());
    const Status seen = (*database)->read([&](Connection &c) -> Status {
        RunStore runs(c);
        TimelineStore timeline(c);
        const auto jobs = runs.jobs(1);
        const auto records = timeline.list(1);
        const auto log = timeline.findLog(1, task, 1);
        const auto rows = [&](const char *sql) {
            Statement s = c.prepare(sql);
            return s.step() ? s.get<int>(0) : -1;
        };
        const bool whole =
            runs.stages(1).front().recordId == record &&
            runs.phases(1).front().recordId == record && jobs.size() == 1 &&
            jobs.front().id == job && jobs.front().recordId == record && records.size() == 1 &&
            records.front().id == task && records.front().parentId == record &&
            records.front().jobId == job && log && log->logId == 1 && log->jobId == job &&
            log->sealed && runs.findJob(job) &&
            timeline.stepLogs(1) == std::vector<std::pair<int, std::string>>{{1, task}} &&
            rows("SELECT count(*) FROM test_result") == 1 &&
            rows("SELECT count(*) FROM pragma_foreign_key_check") == 0;
        return whole ? Status() : Status(schema::ErrorCode::Internal, "something is missing");
    });
    QVERIFY2(seen, seen ? "" : seen.error().message.c_str());
}

QTEST_GUILESS_MAIN(TestPacks)
#include "tst_packs.moc"
