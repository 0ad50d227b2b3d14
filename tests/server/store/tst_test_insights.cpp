// Flaky tests, failures and durations over runs. On the store, with rows as jobs
// leave them.
#include "server/store/test_insight_store.h"
#include "server/store/test_store.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace tests;
using server::store::Connection;
using server::store::TestInsight;
using server::store::TestInsightStore;

namespace {

/// Runs with test results, without any job having run.
struct Results
{
    World world;
    int jobs = 0;

    std::int64_t run(const std::string &commit)
    {
        server::scheduler::NewRun run;
        run.pipelineId = world.pipelineId;
        run.number = "1";
        run.sourceBranch = "refs/heads/main";
        run.sourceVersion = commit;
        run.plan = plan({stage("Build", {job("A")})});
        return world.runs->createRun(run).value();
    }

    /// One attempt of a job ("Build.A") that ran one test.
    void result(std::int64_t run, const std::string &identifier, const std::string &outcome,
                int milliseconds = 10, const std::string &name = "adds")
    {
        const auto done = world.database->write([&](Connection &connection) -> schema::Status {
            const std::string id = "job" + std::to_string(++jobs);
            connection.run("INSERT INTO job(id, run_id, stage, phase, name, identifier, record_id,"
                           " ordinal, state, queued_at) VALUES(?,?,'Build','A','x',?,x'00',0,"
                           "'completed',0)",
                           server::store::Guid{id}, run, identifier);
            server::store::TestStore(connection)
                .insert(run, id,
                        {"tests", "key", {{name, "Sum", "suite", outcome, milliseconds, "", ""}}},
                        schema::wallClockNow());
            return {};
        });
        if (!done)
            qFatal("%s", done.error().message.c_str());
    }

    std::vector<TestInsight> insights(int runs = 50)
    {
        return world.database
            ->read([&](Connection &connection) {
                return schema::Result(
                    TestInsightStore(connection).insights(world.pipelineId, runs, 100));
            })
            .value();
    }
};

} // namespace

class TestTestInsights : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsFlakyTests_data();
    void findsFlakyTests();
    void countsAndCompares();
};

void TestTestInsights::findsFlakyTests_data()
{
    QTest::addColumn<QString>("results"); ///< "commit job outcome|..."; "run": another run
    QTest::addColumn<int>("flaky");
    QTest::newRow("retry of the job") << "c1 A Failed|c1 A Passed" << 1;
    QTest::newRow("another run of the commit") << "c1 A Failed|run|c1 A Passed" << 1;
    QTest::newRow("mended by a change") << "c1 A Failed|run|c2 A Passed" << 0;
    QTest::newRow("legs of a matrix") << "c1 A.linux Passed|c1 A.arm Failed" << 0;
    QTest::newRow("always fails") << "c1 A Failed|c1 A Failed" << 0;
    QTest::newRow("skipped says nothing") << "c1 A Failed|c1 A NotExecuted" << 0;
    QTest::newRow("at two commits") << "c1 A Failed|c1 A Passed|run|c2 A Passed|c2 A Failed" << 2;
}

void TestTestInsights::findsFlakyTests()
{
    QFETCH(QString, results);
    QFETCH(int, flaky);
    Results all;
    std::int64_t run = 0;
    std::int64_t last = 0;
    for (const QString &line : results.split(QLatin1Char('|'))) {
        if (line == QLatin1String("run")) {
            run = 0;
            continue;
        }
        const QStringList words = line.split(QLatin1Char(' '));
        if (run == 0)
            run = last = all.run(words[0].toStdString());
        all.result(run, words[1].toStdString(), words[2].toStdString());
    }
    const auto insights = all.insights();
    QCOMPARE(insights.size(), 1U);
    QCOMPARE(insights.front().flakyCommits, flaky);
    QCOMPARE(insights.front().lastFlakyRun, flaky == 0 ? 0 : last);
    QCOMPARE(insights.front().lastRun, last);
}

void TestTestInsights::countsAndCompares()
{
    Results all;
    for (int i = 0; i < 4; ++i) {
        const auto run = all.run("c" + std::to_string(i));
        all.result(run, "A", "Passed", i < 2 ? 100 : 300, "slow");
        all.result(run, "B", i == 3 ? "Failed" : "Passed", 10, "breaks");
    }
    const auto insights = all.insights();
    QCOMPARE(insights.size(), 2U);
    QCOMPARE(insights[0].name, std::string("breaks")); // what fails comes first
    QCOMPARE(insights[0].failures, 1);
    QCOMPARE(insights[0].lastOutcome, std::string("Failed"));
    QCOMPARE(insights[1].runs, 4);
    QCOMPARE(insights[1].olderMs, 100);
    QCOMPARE(insights[1].newerMs, 300);
    QCOMPARE(all.insights(1).front().runs, 1);
}

QTEST_GUILESS_MAIN(TestTestInsights)
#include "tst_test_insights.moc"
