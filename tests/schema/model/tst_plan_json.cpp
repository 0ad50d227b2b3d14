#include "schema/model/plan_json.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace schema;

namespace {

Step sampleStep()
{
    Step step;
    step.id = "s1";
    step.name = "build";
    step.displayName = "Build $(x)";
    step.task = "CmdLine";
    step.taskVersion = "2";
    step.condition = "always()";
    step.continueOnError = true;
    step.timeoutMinutes = 7;
    step.retryCount = 3;
    step.target = StepTarget{"host", true, std::vector<std::string>{}};
    step.inputs = {{"script", "echo ü\n"}, {"script", "twice"}};
    step.env = {{"A", ""}};
    step.position = {"/azure-pipelines.yml", 3, 5};
    step.includedFrom = {{"/a.yml", 1, 2}};
    return step;
}

RunPlan samplePlan()
{
    RunPlan plan;
    plan.name = "$(Rev:r)";
    plan.appendCommitMessageToRunName = false;
    plan.lockBehavior = LockBehavior::Sequential;
    plan.variables = {{"a", "1", "", true}, {"", "", "Release", false}};
    plan.repositories = {{"tools", "git", "p/tools", "refs/heads/main", "e", {"/p.yml", 4, 15}}};
    plan.pipelines = {{"up", "src", "proj", "1", "main"}};
    Container container;
    container.image = "alpine";
    container.ports = {"80:80"};
    container.mapDockerSocket = false;
    container.mountReadOnly = {"work", "tasks"};
    container.localImage = true;
    plan.containers = {{"c", container}};
    Job job;
    job.name = "J";
    job.timeoutMinutes = "";
    job.steps = {sampleStep()};
    job.matrix = {{"leg", {{"v", "1"}}}};
    job.services = {{"db", container}};
    Job deploy;
    deploy.isDeployment = true;
    deploy.environment = EnvironmentReference{"dev", "default", "Kubernetes", {"t"}};
    deploy.strategy = DeploymentStrategy::Canary;
    deploy.canaryIncrements = {10, 20};
    deploy.hooks = {{HookKind::OnFailure, {sampleStep()}, Pool{"p", "", {"git"}, false}}};
    Stage stage;
    stage.name = "S";
    stage.lockBehavior = LockBehavior::RunLatest;
    stage.isSkippable = false;
    stage.jobs = {job, deploy};
    plan.stages = {stage};
    return plan;
}

} // namespace

class TestPlanJson : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void roundTrips()
    {
        const RunPlan plan = samplePlan();
        const auto back = planFromText(planToText(plan));
        QVERIFY2(back, back ? "" : back.error().message.c_str());
        QVERIFY(*back == plan);
        QVERIFY(*stepFromJson(toJson(sampleStep())) == sampleStep());
    }

    void leavesOutDefaults() { QCOMPARE(planToText(RunPlan{}), std::string("{}")); }

    void findsTextIgnoringCase()
    {
        const TextMap map{{"Script", "x"}};
        QVERIFY(findText(map, "sCRIPT") != nullptr);
        QVERIFY(findText(map, "other") == nullptr);
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("message");
        QTest::newRow("not json") << QByteArray("{") << QByteArray("run plan: not valid JSON");
        QTest::newRow("not an object")
            << QByteArray("[]") << QByteArray("document: expected an object");
        QTest::newRow("wrong type")
            << QByteArray(R"({"stages":[{"jobs":[{"timeoutMinutes":5}]}]})")
            << QByteArray("stages[0].jobs[0].timeoutMinutes: expected text");
        QTest::newRow("negative")
            << QByteArray(R"({"stages":[{"jobs":[{"steps":[{"retryCount":-1}]}]}]})")
            << QByteArray("stages[0].jobs[0].steps[0].retryCount: expected a whole number from 0 "
                          "to 4294967295");
        QTest::newRow("unknown word")
            << QByteArray(R"({"lockBehavior":"never"})")
            << QByteArray("lockBehavior: expected one of runLatest, sequential");
        QTest::newRow("pair of three")
            << QByteArray(R"({"containers":[["a",{},1]]})")
            << QByteArray("containers[0]: expected a list of two: name and value");
        QTest::newRow("boolean") << QByteArray(R"({"appendCommitMessageToRunName":"yes"})")
                                 << QByteArray(
                                        "appendCommitMessageToRunName: expected true or false");
    }

    void refuses()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, message);
        const auto plan = planFromText(text.toStdString());
        QVERIFY(!plan);
        QCOMPARE(QByteArray::fromStdString(plan.error().message), message);
    }

    void takesUnknownMembers()
    {
        QVERIFY(planFromText(R"({"name":"n","later":{"a":[1]}})").has_value());
    }
};

QTEST_GUILESS_MAIN(TestPlanJson)
#include "tst_plan_json.moc"
