// Hooks of deployment strategies: their order, targets, and what a failure or a cancel leaves.
#include "tests/pipelines/support/played_run.h"

#include <QTest>

using namespace tests;

class TestDeploymentGraph : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void rolling_data()
    {
        QTest::addColumn<QByteArray>("maxParallel");
        QTest::addColumn<QByteArray>("machines");
        QTest::addColumn<QByteArray>("failing");
        QTest::addColumn<QByteArray>("log");
        QTest::addColumn<int>("most");
        const auto row = [](const char *name, const char *maxParallel, const char *machines,
                            const char *failing, const char *log, int most) {
            QTest::newRow(name) << QByteArray(maxParallel) << QByteArray(machines)
                                << QByteArray(failing) << QByteArray(log) << most;
        };
        row("one after the other", "", "a b", "",
            "preDeploy_a deploy_a on.success_a preDeploy_b deploy_b on.success_b succeeded", 1);
        row("two at a time", "2", "a b c", "",
            "preDeploy_a preDeploy_b deploy_a deploy_b on.success_a on.success_b preDeploy_c "
            "deploy_c on.success_c succeeded",
            2);
        row("a percentage", "50%", "a b c d", "",
            "preDeploy_a preDeploy_b deploy_a deploy_b on.success_a on.success_b preDeploy_c "
            "preDeploy_d deploy_c deploy_d on.success_c on.success_d succeeded",
            2);
        row("a small percentage is one", "1%", "a b", "",
            "preDeploy_a deploy_a on.success_a preDeploy_b deploy_b on.success_b succeeded", 1);
        row("after a failure no further machine", "", "a b c", "S.D.deploy_b",
            "preDeploy_a deploy_a on.success_a preDeploy_b deploy_b on.failure_b failed", 1);
        row("those under way run on", "2", "a b c", "S.D.preDeploy_a",
            "preDeploy_a preDeploy_b on.failure_a deploy_b on.success_b failed", 2);
        row("more at a time than there are", "10", "a", "",
            "preDeploy_a deploy_a on.success_a succeeded", 1);
        row("without machines the hooks run once", "2", "", "",
            "preDeploy deploy on.success succeeded", 1);
    }

    void rolling()
    {
        QFETCH(QByteArray, maxParallel);
        QFETCH(QByteArray, machines);
        QFETCH(QByteArray, failing);
        QFETCH(QByteArray, log);
        QFETCH(int, most);
        const auto plan = planOf(
            "stages:\n- stage: S\n  jobs:\n  - deployment: D\n    environment: {name: e, "
            "resourceType: VirtualMachine}\n    strategy:\n      rolling:\n" +
            (maxParallel.isEmpty() ? std::string()
                                   : "        maxParallel: " + maxParallel.toStdString() + "\n") +
            "        preDeploy: {steps: [{script: x}]}\n        deploy: {steps: [{script: x}]}\n"
            "        on: {failure: {steps: [{script: x}]}, success: {steps: [{script: x}]}}\n");
        RunProgress progress;
        for (const QByteArray &machine : machines.split(' ')) {
            if (!machine.isEmpty())
                progress.machines["S.D"].push_back(machine.toStdString());
        }
        Script script;
        script.results[failing.toStdString()] = TaskResult::Failed;
        const Outcome outcome = play(plan, script, progress);
        QByteArray seen;
        for (const JobInstance &instance : outcome.instances) {
            seen += QByteArray::fromStdString(instance.name) + " ";
            if (!machines.isEmpty()) {
                QVERIFY(instance.name.ends_with("_" + instance.machine));
                QCOMPARE(variable(instance, "Environment.ResourceName"), instance.machine);
            }
        }
        seen +=
            QByteArray(*outcome.result == schema::RunResult::Succeeded ? "succeeded" : "failed");
        QCOMPARE(seen, log);
        QCOMPARE(outcome.mostRunning, static_cast<std::size_t>(most));
    }

    /// What a canary's hooks give to the input `action` of KubernetesManifest.
    void canaryActions_data()
    {
        QTest::addColumn<QByteArray>("failing");
        QTest::addColumn<QByteArray>("seen");
        QTest::newRow("all is well")
            << QByteArray()
            << QByteArray("preDeploy PreIteration deploy (none); deploy_10 Iteration deploy 10; "
                          "deploy_50 Iteration deploy 50; deploy_100 Iteration promote 100; "
                          "on.success PostIteration promote (none); ");
        QTest::newRow("a round fails")
            << QByteArray("S.D.deploy_50")
            << QByteArray(
                   "preDeploy PreIteration deploy (none); deploy_10 Iteration deploy 10; "
                   "deploy_50 Iteration deploy 50; on.failure PostIteration reject (none); ");
    }

    void canaryActions()
    {
        QFETCH(QByteArray, failing);
        QFETCH(QByteArray, seen);
        const auto plan = planOf(
            "stages:\n- stage: S\n  jobs:\n  - deployment: D\n    environment: e\n    strategy:\n"
            "      canary:\n        increments: [10, 50]\n        preDeploy: {steps: [{script: "
            "x}]}\n"
            "        deploy: {steps: [{script: x}]}\n        on: {failure: {steps: [{script: x}]}, "
            "success: {steps: [{script: x}]}}\n");
        Script script;
        script.results[failing.toStdString()] = TaskResult::Failed;
        QByteArray out;
        for (const JobInstance &instance : play(plan, script).instances) {
            out += QByteArray::fromStdString(instance.name + " " +
                                             variable(instance, "Strategy.CycleName") + " " +
                                             variable(instance, "Strategy.Action") + " " +
                                             variable(instance, "Strategy.Increment") + "; ");
        }
        QCOMPARE(out, seen);
    }

    void rollingIsCancelled()
    {
        const auto plan =
            planOf("jobs:\n- deployment: D\n  environment: e\n  strategy:\n    rolling:\n"
                   "      maxParallel: 2\n      deploy: {steps: [{script: x}]}\n"
                   "      on: {failure: {steps: [{script: x}]}}\n");
        RunProgress progress;
        progress.machines["__default.D"] = {"a", "b", "c"};
        Script script;
        script.cancelAfter = "__default.D.deploy_a";
        const Outcome outcome = play(plan, script, progress);
        QCOMPARE(outcome.instances.size(), std::size_t{2});
        QVERIFY(*outcome.result == schema::RunResult::Canceled);
    }

    void rollingRefusesOtherCounts()
    {
        const auto plan =
            planOf("variables: {many: lots}\njobs:\n- deployment: D\n  environment: e\n"
                   "  strategy:\n    rolling:\n      maxParallel: $(many)\n"
                   "      deploy: {steps: [{script: x}]}\n");
        RunProgress progress;
        progress.machines["__default.D"] = {"a"};
        const Outcome outcome = play(plan, {}, progress);
        QVERIFY(*outcome.result == schema::RunResult::Failed);
        QVERIFY2(outcome.text().contains("'lots' is neither a count"), outcome.text().constData());
    }
};

QTEST_GUILESS_MAIN(TestDeploymentGraph)
#include "tst_deployment_graph.moc"
