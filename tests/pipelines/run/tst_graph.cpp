// Runs of small pipelines: what starts, in which order, with which result.
#include "tests/pipelines/support/played_run.h"

#include <QTest>

using namespace tests;

class TestGraph : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void plays_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        QTest::addColumn<QByteArray>("failing");
        QTest::addColumn<QByteArray>("log");
        QTest::addColumn<int>("result");
        const auto row = [](const char *name, const char *yaml, const char *failing,
                            const char *log, schema::RunResult result) {
            QTest::newRow(name) << QByteArray(yaml) << QByteArray(failing) << QByteArray(log)
                                << static_cast<int>(result);
        };
        using enum schema::RunResult;
        row("one job", "steps: [{script: x}]", "",
            "stage __default\nstart __default.Job.__default\ndone job __default.Job succeeded\n"
            "done stage __default succeeded\n",
            Succeeded);
        row("default stage chain skips after a failure",
            "stages:\n- stage: A\n  jobs: [{job: J, steps: [{script: x}]}]\n"
            "- stage: B\n  jobs: [{job: J, steps: [{script: x}]}]\n"
            "- stage: C\n  condition: failed('A')\n  dependsOn: [A, B]\n"
            "  jobs: [{job: J, steps: [{script: x}]}]\n",
            "A.J.__default",
            "stage A\nstart A.J.__default\ndone job A.J failed\ndone stage A failed\n"
            "skip stage B\nstage C\nstart C.J.__default\ndone job C.J succeeded\n"
            "done stage C succeeded\n",
            Failed);
        row("jobs run side by side, dependants wait",
            "jobs:\n- {job: A, steps: [{script: x}]}\n- {job: B, steps: [{script: x}]}\n"
            "- {job: C, dependsOn: [A, B], steps: [{script: x}]}\n",
            "",
            "stage __default\nstart __default.A.__default\nstart __default.B.__default\n"
            "done job __default.A succeeded\ndone job __default.B succeeded\n"
            "start __default.C.__default\ndone job __default.C succeeded\n"
            "done stage __default succeeded\n",
            Succeeded);
        row("continueOnError on a job",
            "jobs:\n- {job: A, continueOnError: true, steps: [{script: x}]}\n"
            "- {job: B, dependsOn: A, steps: [{script: x}]}\n",
            "__default.A.__default",
            "stage __default\nstart __default.A.__default\n"
            "done job __default.A succeededWithIssues: failed, but continueOnError is set\n"
            "start __default.B.__default\ndone job __default.B succeeded\n"
            "done stage __default succeededWithIssues\n",
            PartiallySucceeded);
        row("a skipped dependency skips, always() runs",
            "jobs:\n- {job: A, condition: false, steps: [{script: x}]}\n"
            "- {job: B, dependsOn: A, steps: [{script: x}]}\n"
            "- {job: C, dependsOn: A, condition: not(canceled()), steps: [{script: x}]}\n",
            "",
            "stage __default\nskip job __default.A\nskip job __default.B\n"
            "start __default.C.__default\ndone job __default.C succeeded\n"
            "done stage __default succeeded\n",
            Succeeded);
        row("indirect dependencies count for succeeded()",
            "jobs:\n- {job: A, steps: [{script: x}]}\n"
            "- {job: B, dependsOn: A, condition: always(), steps: [{script: x}]}\n"
            "- {job: C, dependsOn: B, steps: [{script: x}]}\n",
            "__default.A.__default",
            "stage __default\nstart __default.A.__default\ndone job __default.A failed\n"
            "start __default.B.__default\ndone job __default.B succeeded\n"
            "skip job __default.C\ndone stage __default failed\n",
            Failed);
        row("condition that fails to evaluate",
            "jobs:\n- {job: A, condition: \"lt(1, 'x')\", steps: [{script: x}]}\n"
            "- {job: B, dependsOn: A, condition: always(), steps: [{script: x}]}\n",
            "",
            "stage __default\ndone job __default.A abandoned: condition 'lt(1, 'x')': Unable to "
            "convert from String to Number. Value: 'x'\nstart __default.B.__default\n"
            "done job __default.B succeeded\ndone stage __default abandoned\n",
            Failed);
        row("matrix one at a time",
            "jobs:\n- job: A\n  strategy: {maxParallel: 1, matrix: {l1: {v: 1}, l2: {v: 2}}}\n"
            "  steps: [{script: x}]\n",
            "__default.A.l1",
            "stage __default\nstart __default.A.l1\nstart __default.A.l2\n"
            "done job __default.A failed\ndone stage __default failed\n",
            Failed);
        row("empty matrix",
            "jobs:\n- job: A\n  strategy: {matrix: \"$[ variables.none ]\"}\n"
            "  steps: [{script: x}]\n",
            "", "stage __default\nskip job __default.A\ndone stage __default skipped\n", Succeeded);
        row("bad matrix",
            "jobs:\n- job: A\n  variables: {m: '[1]'}\n"
            "  strategy: {matrix: \"$[ variables.m ]\"}\n  steps: [{script: x}]\n",
            "",
            "stage __default\ndone job __default.A failed: strategy.matrix: expected a JSON object "
            "of legs: [1]\ndone stage __default failed\n",
            Failed);
        const char *deployment = "jobs:\n- deployment: D\n  environment: e.r\n  strategy:\n"
                                 "    runOnce:\n      preDeploy: {steps: [{script: x}]}\n"
                                 "      deploy: {steps: [{script: x}]}\n      on:\n"
                                 "        failure: {steps: [{script: x}]}\n"
                                 "        success: {steps: [{script: x}]}\n";
        row("deployment hooks", deployment, "",
            "stage __default\nstart __default.D.preDeploy\nstart __default.D.deploy\n"
            "start __default.D.on.success\ndone job __default.D succeeded\n"
            "done stage __default succeeded\n",
            Succeeded);
        row("deployment failure hook", deployment, "__default.D.preDeploy",
            "stage __default\nstart __default.D.preDeploy\nstart __default.D.on.failure\n"
            "done job __default.D failed\ndone stage __default failed\n",
            Failed);
        row("canary",
            "jobs:\n- deployment: D\n  environment: e\n  strategy:\n    canary:\n"
            "      increments: [10]\n      deploy: {steps: [{script: x}]}\n",
            "",
            "stage __default\nstart __default.D.deploy_10\nstart __default.D.deploy_100\n"
            "done job __default.D succeeded\ndone stage __default succeeded\n",
            Succeeded);
    }

    void plays()
    {
        QFETCH(QByteArray, yaml);
        QFETCH(QByteArray, failing);
        QFETCH(QByteArray, log);
        QFETCH(int, result);
        Script script;
        script.results[failing.toStdString()] = TaskResult::Failed;
        const Outcome outcome = play(planOf(yaml.toStdString()), script);
        QCOMPARE(outcome.text(), log);
        QVERIFY(outcome.result.has_value());
        QCOMPARE(static_cast<int>(*outcome.result), result);
        QVERIFY(advance(planOf(yaml.toStdString()), outcome.progress).empty());
    }

    void leavesStagesOut()
    {
        const auto plan =
            planOf("stages:\n- stage: A\n  jobs: [{job: J, steps: [{script: x}]}]\n- stage: B\n"
                   "  jobs: [{job: J, steps: [{script: x}]}]\n- stage: C\n"
                   "  jobs: [{job: J, steps: [{script: x}]}]\n");
        RunProgress progress;
        progress.skippedStages = {"b"};
        const Outcome outcome = play(plan, {}, progress);
        QVERIFY(outcome.instance("B.J.__default") == nullptr);
        QVERIFY(outcome.instance("C.J.__default") != nullptr);
        // C then waits for A, and does not run when A fails.
        Script script;
        script.results["A.J.__default"] = TaskResult::Failed;
        QVERIFY(play(plan, script, progress).instance("C.J.__default") == nullptr);
    }

    void cancels()
    {
        const auto plan =
            planOf("stages:\n- stage: A\n  jobs:\n  - {job: J, steps: [{script: x}]}\n"
                   "  - {job: K, dependsOn: J, steps: [{script: x}]}\n"
                   "  - {job: Clean, dependsOn: J, condition: always(), steps: [{script: x}]}\n"
                   "- stage: B\n  jobs: [{job: J, steps: [{script: x}]}]\n");
        Script script;
        script.cancelAfter = "A.J.__default";
        const Outcome outcome = play(plan, script);
        QCOMPARE(outcome.text(),
                 QByteArray("stage A\nstart A.J.__default\ndone job A.J succeeded\nskip job A.K\n"
                            "start A.Clean.__default\ndone job A.Clean succeeded\n"
                            "done stage A canceled\nskip stage B\n"));
        QVERIFY(outcome.result == schema::RunResult::Canceled);
    }

    void cancelsBeforeChecks()
    {
        const auto plan = planOf("steps: [{script: x}]");
        RunProgress progress;
        for (const Step &step : advance(plan, progress))
            apply(progress, step);
        QVERIFY(advance(plan, progress).empty()); // waits for the caller's checks
        progress.cancelRequested = true;
        const auto steps = advance(plan, progress);
        QCOMPARE(steps.size(), std::size_t(1));
        QVERIFY(std::get<StageCompleted>(steps[0]).result == TaskResult::Canceled);
    }
};

QTEST_GUILESS_MAIN(TestGraph)
#include "tst_graph.moc"
