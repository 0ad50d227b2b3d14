// Values that runs carry along: outputs, matrices from them, variables, counters.
#include "tests/pipelines/support/played_run.h"

#include <QTest>

using namespace tests;

class TestGraphValues : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void readsOutputs_data()
    {
        QTest::addColumn<QByteArray>("producer");
        QTest::addColumn<QByteArray>("instance");
        QTest::addColumn<QByteArray>("expression");
        const auto row = [](const char *name, const char *producer, const char *instance,
                            const char *expression) {
            QTest::newRow(name) << QByteArray(producer) << QByteArray(instance)
                                << QByteArray(expression);
        };
        const char *plain = "{job: A, steps: [{script: x}]}";
        const char *matrix = "{job: A, strategy: {matrix: {L: {v: 1}}}, steps: [{script: x}]}";
        const char *slices = "{job: A, strategy: {parallel: 2}, steps: [{script: x}]}";
        const char *deploy = "{deployment: A, environment: e.res, strategy: {runOnce: {deploy: "
                             "{steps: [{script: x}]}}}}";
        const char *canary = "{deployment: A, environment: e, strategy: {canary: {increments: "
                             "[10], deploy: {steps: [{script: x}]}}}}";
        row("plain", plain, "S.A.__default", "dependencies.A.outputs['s.v']");
        row("ignoring case", plain, "S.A.__default", "dependencies.a.outputs['S.V']");
        row("matrix", matrix, "S.A.L", "dependencies.A.outputs['L.s.v']");
        row("slice", slices, "S.A.Job2", "dependencies.A.outputs['job2.s.v']");
        row("deployment by job", deploy, "S.A.deploy", "dependencies.A.outputs['A.s.v']");
        row("deployment by hook", deploy, "S.A.deploy", "dependencies.A.outputs['deploy.s.v']");
        row("deployment with resource", deploy, "S.A.deploy",
            "dependencies.A.outputs['Deploy_res.s.v']");
        row("canary", canary, "S.A.deploy_10", "dependencies.A.outputs['deploy_10.s.v']");
        row("later stage", plain, "S.A.__default", "stageDependencies.S.A.outputs['s.v']");
        row("later stage deployment", deploy, "S.A.deploy",
            "stageDependencies.S.A.outputs['A.s.v']");
    }

    void readsOutputs()
    {
        QFETCH(QByteArray, producer);
        QFETCH(QByteArray, instance);
        QFETCH(QByteArray, expression);
        const bool laterStage = expression.startsWith("stageDependencies");
        QByteArray yaml = "stages:\n- stage: S\n  jobs:\n  - " + producer + "\n";
        if (laterStage)
            yaml += "- stage: T\n  jobs:\n";
        yaml += "  - job: B\n    variables: {imported: \"$[ " + expression + " ]\"}\n";
        if (!laterStage)
            yaml += "    dependsOn: A\n";
        yaml += "    steps: [{script: x}]\n";
        Script script;
        script.outputs[instance.toStdString()] = {{"s", "v", "carried", false}};
        const Outcome outcome = play(planOf(yaml.toStdString()), script);
        const JobInstance *consumer =
            outcome.instance(laterStage ? "T.B.__default" : "S.B.__default");
        QVERIFY2(consumer != nullptr, outcome.text().constData());
        QCOMPARE(variable(*consumer, "imported"), std::string("carried"));
    }

    void stageConditionsReadOutputs()
    {
        const auto plan =
            planOf("stages:\n- stage: A\n  jobs: [{job: J, steps: [{script: x}]}]\n- stage: B\n"
                   "  condition: and(succeeded(), eq(dependencies.A.outputs['J.s.v'], 'go'), "
                   "eq(dependencies.A.result, 'Succeeded'))\n"
                   "  jobs: [{job: J, steps: [{script: x}]}]\n");
        Script script;
        QVERIFY(play(plan, script).instance("B.J.__default") == nullptr);
        script.outputs["A.J.__default"] = {{"s", "v", "go", false}};
        QVERIFY(play(plan, script).instance("B.J.__default") != nullptr);
    }

    void matrixFromOutput()
    {
        const auto plan = planOf(
            "jobs:\n- {job: A, steps: [{script: x}]}\n- job: B\n  dependsOn: A\n  strategy:\n"
            "    matrix: $[ dependencies.A.outputs['s.m'] ]\n    maxParallel: 2\n"
            "  steps: [{script: x}]\n");
        Script script;
        script.outputs["__default.A.__default"] = {
            {"s", "m", "{'one': {'v': 1}, 'two': {'v': 2}, \"three\": {\"v\": 3}}", false}};
        const Outcome outcome = play(plan, script);
        QCOMPARE(outcome.mostRunning, std::size_t(2));
        QCOMPARE(variable(*outcome.instance("__default.B.three"), "v"), std::string("3"));
        QCOMPARE(outcome.instance("__default.B.two")->displayName, std::string("B two"));
        QCOMPARE(outcome.instance("__default.B.two")->position, 2);
        QCOMPARE(outcome.instance("__default.B.two")->total, 3);
    }

    void mergesVariables()
    {
        const auto plan = planOf(
            "variables:\n- {name: a, value: root}\n- {name: b, value: root}\n- group: G\n"
            "- {name: r, value: \"$[ format('{0}-{1}', variables.a, variables.g) ]\"}\n"
            "stages:\n- stage: S\n  variables: {b: stage, c: stage}\n  jobs:\n  - job: J\n"
            "    variables: {c: job, d: \"$[ variables.b ]\"}\n"
            "    pool: {vmImage: $(image)}\n    timeoutInMinutes: $[ variables.minutes ]\n"
            "    strategy: {matrix: {L: {image: ubuntu, minutes: 7}}}\n    steps: [{script: x}]\n");
        RunProgress progress;
        progress.variables = {{"queued", "q", false, false},
                              {"a", "queued", false, false},
                              {"minutes", "3", false, false}};
        progress.groups["g"] = {{"g", "group", true, false}};
        const Outcome outcome = play(plan, {}, progress);
        const JobInstance *instance = outcome.instance("S.J.L");
        QVERIFY2(instance != nullptr, outcome.text().constData());
        QCOMPARE(variable(*instance, "a"), std::string("root"));
        QCOMPARE(variable(*instance, "b"), std::string("stage"));
        QCOMPARE(variable(*instance, "c"), std::string("job"));
        QCOMPARE(variable(*instance, "d"), std::string("stage"));
        QCOMPARE(variable(*instance, "r"), std::string("root-group"));
        QCOMPARE(variable(*instance, "queued"), std::string("q"));
        QCOMPARE(variable(*instance, "System.JobIdentifier"), std::string("S.J.L"));
        QCOMPARE(instance->pool.vmImage, std::string("ubuntu"));
        QCOMPARE(instance->timeoutMinutes, 7U);
    }

    void addsImplicitSteps()
    {
        const auto plan = planOf(
            "jobs:\n- {job: A, steps: [{script: x}]}\n"
            "- {job: B, steps: [{checkout: none}, {script: x}]}\n"
            "- {job: C, steps: [{checkout: self}, {script: x}]}\n"
            "- {job: E, pool: server, steps: [{task: Delay@1}]}\n"
            "- {deployment: D, environment: e, strategy: {runOnce: {deploy: {steps: [{script: "
            "x}]}}}}\n"
            "- {deployment: F, environment: e, strategy: {runOnce: {deploy: {steps: [{download: "
            "none}, {script: x}]}}}}\n");
        const Outcome outcome = play(plan, {});
        const auto tasks = [&](const char *identifier) {
            std::string all;
            for (const auto &step : outcome.instance(identifier)->steps)
                all += step.task.substr(0, 4) + " ";
            return all;
        };
        QCOMPARE(tasks("__default.A.__default"), std::string("6d15 CmdL "));
        QCOMPARE(tasks("__default.B.__default"), std::string("CmdL "));
        QCOMPARE(tasks("__default.C.__default"), std::string("6d15 CmdL "));
        QCOMPARE(tasks("__default.E.__default"), std::string("Dela "));
        QCOMPARE(tasks("__default.D.deploy"), std::string("30f3 CmdL "));
        QCOMPARE(tasks("__default.F.deploy"), std::string("CmdL "));
    }

    void resolvesCounters()
    {
        const auto plan =
            planOf("variables:\n  major: 2\n"
                   "  minor: $[ counter(variables.major, 100) ]\n"
                   "  both: $[ format('{0}.{1}', variables.major, variables.minor) ]\n"
                   "steps: [{script: x}]\n");
        std::vector<std::string> asked;
        const auto values =
            resolveRootVariables(plan, {}, [&](const std::string &prefix, std::int64_t seed) {
                asked.push_back(prefix);
                return seed + 5;
            });
        QVERIFY(values);
        QCOMPARE(asked, std::vector<std::string>{"2"});
        RunProgress progress;
        progress.rootValues = *values;
        const Outcome outcome = play(plan, {}, progress);
        QCOMPARE(variable(*outcome.instance("__default.Job.__default"), "both"),
                 std::string("2.105"));
    }

    void reportsBadRuntimeExpressions()
    {
        auto plan = planOf("steps: [{script: x}]");
        plan.stages[0].jobs[0].variables = {{"x", "$[ nosuch ]", "", false}};
        const Outcome outcome = play(plan, {});
        QVERIFY2(outcome.text().contains("done job __default.Job failed: variable x: Unrecognized "
                                         "value: 'nosuch'"),
                 outcome.text().constData());
        plan = planOf("steps: [{script: x}]");
        plan.stages[0].jobs[0].timeoutMinutes = "soon";
        QVERIFY(play(plan, {}).text().contains(
            "timeoutInMinutes: 'soon' is not a whole number of at least 0"));
    }
};

QTEST_GUILESS_MAIN(TestGraphValues)
#include "tst_graph_values.moc"
