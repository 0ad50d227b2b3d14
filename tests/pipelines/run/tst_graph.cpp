// Runs of small pipelines, driven by advance() alone: what starts, in which order, with which
// result.

#include "pipelines/compile/compiler.h"
#include "pipelines/run/graph.h"
#include "tests/pipelines/support/memory_source.h"

#include <QTest>

using namespace pipelines;
using namespace pipelines::run;
using schema::TaskResult;
using schema::protocol::OutputVariable;

namespace {

/// How instances end, by "stage.job.instance"; others succeed.
struct Script
{
    std::map<std::string, TaskResult> results;
    std::map<std::string, std::vector<OutputVariable>> outputs;
    std::string cancelAfter; ///< identifier of the instance after which the run is cancelled
};

struct Outcome
{
    std::vector<std::string> log;
    std::vector<JobInstance> instances;
    RunProgress progress;
    std::optional<schema::RunResult> result;
    std::size_t mostRunning = 0;

    const JobInstance *instance(const std::string &identifier) const
    {
        for (const JobInstance &one : instances) {
            if (one.identifier == identifier)
                return &one;
        }
        return nullptr;
    }

    QByteArray text() const
    {
        QByteArray out;
        for (const std::string &line : log)
            out += QByteArray::fromStdString(line) + "\n";
        return out;
    }
};

schema::RunPlan planOf(const std::string &yaml)
{
    CompileRequest request;
    request.text = yaml;
    tests::MemorySource files;
    const Compilation result = compile(request, files);
    for (const Diagnostic &diagnostic : result.diagnostics)
        qWarning("%u:%u %s", diagnostic.position.line, diagnostic.position.column,
                 diagnostic.message.c_str());
    return result.plan.value_or(schema::RunPlan{});
}

/// Plays a run to its end: ready stages start at once, one running instance ends per round.
Outcome play(const schema::RunPlan &plan, const Script &script, RunProgress progress = {})
{
    Outcome out;
    std::vector<JobInstance> running;
    for (int round = 0; round < 1000; ++round) {
        const auto steps = advance(plan, progress);
        for (const Step &step : steps) {
            apply(progress, step);
            if (const auto *ready = std::get_if<StageReady>(&step)) {
                out.log.push_back("stage " + ready->stage);
                startStage(progress, ready->stage);
            } else if (const auto *skipped = std::get_if<StageSkipped>(&step)) {
                out.log.push_back("skip stage " + skipped->stage);
            } else if (const auto *done = std::get_if<StageCompleted>(&step)) {
                out.log.push_back("done stage " + done->stage + " " +
                                  std::string(schema::toString(done->result)));
            } else if (const auto *noJob = std::get_if<JobSkipped>(&step)) {
                out.log.push_back("skip job " + noJob->stage + "." + noJob->job);
            } else if (const auto *expanded = std::get_if<JobExpanded>(&step)) {
                for (const JobInstance &instance : expanded->instances) {
                    out.log.push_back("start " + instance.identifier);
                    out.instances.push_back(instance);
                    running.push_back(instance);
                }
            } else if (const auto *job = std::get_if<JobCompleted>(&step)) {
                out.log.push_back("done job " + job->stage + "." + job->job + " " +
                                  std::string(schema::toString(job->result)) +
                                  (job->message.empty() ? "" : ": " + job->message));
            } else if (const auto *run = std::get_if<RunCompleted>(&step)) {
                out.result = run->result;
            }
        }
        out.mostRunning = std::max(out.mostRunning, running.size());
        if (!steps.empty())
            continue;
        if (running.empty())
            break;
        const JobInstance instance = running.front();
        running.erase(running.begin());
        InstanceResult result;
        result.name = instance.name;
        if (const auto found = script.results.find(instance.identifier);
            found != script.results.end())
            result.result = found->second;
        if (const auto found = script.outputs.find(instance.identifier);
            found != script.outputs.end())
            result.outputs = found->second;
        finishInstance(progress, instance.stage, instance.job, result);
        if (script.cancelAfter == instance.identifier)
            progress.cancelRequested = true;
    }
    out.progress = progress;
    return out;
}

std::string variable(const JobInstance &instance, const std::string &name)
{
    for (const auto &one : instance.variables) {
        if (one.name == name)
            return one.value;
    }
    return "(none)";
}

} // namespace

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

QTEST_GUILESS_MAIN(TestGraph)
#include "tst_graph.moc"
