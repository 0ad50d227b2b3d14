// Runs by the clock, with a clock that the test moves.
#include "server/library/library_service.h"
#include "server/library/project_service.h"
#include "server/triggers/repository_service.h"
#include "server/triggers/schedule_evaluator.h"
#include "tests/server/support/live_server.h"
#include "tests/server/support/world.h"

#include <QTest>

#include <git2.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace std::chrono_literals;
using namespace server;
using tests::git;

namespace {

constexpr const char *kSteps = "trigger: none\nsteps:\n- script: echo\n";

/// The world's clock begins on Friday, 15 January 2027, 8:00 UTC.
const schema::TimePoint kEight = schema::fromEpochMillis(1'800'000'000'000);

template <typename T> T must(schema::Result<T> result)
{
    if (!result)
        qFatal("%s", result.error().message.c_str());
    return std::move(*result);
}

struct ScheduleWorld : tests::World
{
    explicit ScheduleWorld(const std::string &schedules)
        : folder(dir.path().toStdString())
        , projects(*database)
        , repositories(*database, folder / "repositories")
        , library(*database, must(library::SealingKey::loadOrCreate(folder / "key")))
        , tasks(must(tasks::TaskStore::open(folder / "tasks")))
        , pipelines(*database, projects, repositories, library, *environments, *runs, *tasks)
        , evaluator(repositories, pipelines, *runs)
    {
        const auto repository = must(repositories.create(projectId, "code", "refs/heads/main"));
        // The world's own repository, which has a row only.
        git(dir.path().toStdString(),
            {"init", "--bare", "--quiet", (folder / "repositories/space-game.git").string()});
        tree = (folder / "tree").string();
        remote = repositories.folder(repository).string();
        std::filesystem::create_directories(tree);
        git(tree, {"init", "--quiet", "--initial-branch=main"});
        commit("schedules:\n" + schedules + kSteps, "main");
        store::Pipeline pipeline;
        pipeline.projectId = projectId;
        pipeline.name = "nightly";
        pipeline.repositoryId = repository.id;
        pipeline.yamlPath = "/p.yml";
        must(pipelines.create(pipeline));
        worker = addWorker("w1");
        connect(worker);
    }

    void commit(const std::string &text, const std::string &branch)
    {
        std::ofstream(folder / "tree" / "p.yml") << text;
        git(tree, {"add", "--all"});
        git(tree, {"commit", "--quiet", "--allow-empty", "-m", "change"});
        git(tree, {"push", "--quiet", remote, "HEAD:refs/heads/" + branch});
    }

    /// Lets time pass until `hours` after eight o'clock; the number of runs that this started.
    int until(std::chrono::minutes time)
    {
        const auto after = at;
        moveClock(std::chrono::duration_cast<std::chrono::milliseconds>(kEight + time - at));
        at = kEight + time;
        return must(evaluator.evaluate(after, at));
    }

    std::filesystem::path folder;
    std::string tree, remote;
    library::ProjectService projects;
    triggers::RepositoryService repositories;
    library::LibraryService library;
    std::unique_ptr<tasks::TaskStore> tasks;
    triggers::PipelineService pipelines;
    triggers::ScheduleEvaluator evaluator;
    std::int64_t worker = 0;
    schema::TimePoint at = kEight;
};

std::string daily(const std::string &rest)
{
    return "- cron: '0 9 * * *'\n  branches: {include: [main]}\n" + rest;
}

} // namespace

class TestSchedules : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase() { git_libgit2_init(); }

    void cleanupTestCase() { git_libgit2_shutdown(); }

    void startsWhenDueAndOnce();
    void tellsTheRunItsName();
    void startsOnlyAfterChanges_data();
    void startsOnlyAfterChanges();
    void waitsForTheRunBefore();
    void readsEachBranchesOwnFile();
};

void TestSchedules::startsWhenDueAndOnce()
{
    ScheduleWorld world(daily(""));
    QCOMPARE(world.until(59min), 0);
    QCOMPARE(world.until(61min), 1);
    QCOMPARE(must(world.evaluator.evaluate(kEight, world.at)), 0); // as after a restart
    QCOMPARE(world.until(3h), 0);
    const auto runs = must(world.runs->list({}));
    QCOMPARE(runs.size(), 1U);
    QVERIFY(runs.front().reason == schema::RunReason::Schedule);
    QCOMPARE(runs.front().sourceBranch, std::string("refs/heads/main"));
}

/// In template expressions and in jobs.
void TestSchedules::tellsTheRunItsName()
{
    ScheduleWorld world("");
    world.commit("trigger: none\nschedules:\n" + daily("  displayName: Nightly\n") +
                     "steps:\n- script: ${{ variables['Build.CronSchedule.DisplayName'] }} "
                     "${{ variables['System.IsTriggeringRepository'] }} "
                     "${{ variables['System.CollectionUri'] }}\n",
                 "main");
    QCOMPARE(world.until(61min), 1);
    const auto message = world.run(world.worker);
    const auto &inputs = message.steps.back().inputs;
    QCOMPARE(*schema::findText(inputs, "script"),
             std::string("Nightly True $(System.CollectionUri)"));
    const auto named = [](const auto &variable) {
        return variable.name == "Build.CronSchedule.DisplayName" && variable.value == "Nightly";
    };
    QVERIFY(std::any_of(message.variables.begin(), message.variables.end(), named));
}

void TestSchedules::startsOnlyAfterChanges_data()
{
    QTest::addColumn<QByteArray>("rest");
    QTest::addColumn<bool>("change");
    QTest::addColumn<int>("secondDay");
    QTest::newRow("nothing changed") << QByteArray("") << false << 0;
    QTest::newRow("a commit") << QByteArray("") << true << 1;
    QTest::newRow("always") << QByteArray("  always: true\n") << false << 1;
}

void TestSchedules::startsOnlyAfterChanges()
{
    QFETCH(const QByteArray, rest);
    QFETCH(const bool, change);
    QFETCH(const int, secondDay);
    ScheduleWorld world(daily(rest.toStdString()));
    QCOMPARE(world.until(61min), 1);
    world.run(world.worker);
    if (change)
        world.commit("schedules:\n" + daily(rest.toStdString()) + kSteps + "- script: true\n",
                     "main");
    QCOMPARE(world.until(24h + 61min), secondDay);
}

void TestSchedules::waitsForTheRunBefore()
{
    ScheduleWorld world(daily("  always: true\n  batch: true\n"));
    QCOMPARE(world.until(61min), 1);
    QCOMPARE(world.until(24h + 61min), 0); // the first one still waits or runs
    QCOMPARE(must(world.runs->list({})).size(), 1U);
}

void TestSchedules::readsEachBranchesOwnFile()
{
    ScheduleWorld world(daily(""));
    world.commit(std::string("schedules:\n- cron: '30 9 * * *'\n  branches: {include: "
                             "['release/*']}\n") +
                     kSteps,
                 "release/1");
    QCOMPARE(world.until(61min), 1);
    QCOMPARE(world.until(91min), 1);
    const auto runs = must(world.runs->list({}));
    QCOMPARE(runs.front().sourceBranch, std::string("refs/heads/release/1"));
}

QTEST_GUILESS_MAIN(TestSchedules)
#include "tst_schedules.moc"
