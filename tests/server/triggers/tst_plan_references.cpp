// Names in a plan that stand for nothing are found before anything runs.
#include "server/triggers/plan_references.h"

#include <QTest>

using namespace server::triggers;

namespace {

schema::RunPlan planWithJob(schema::Job job)
{
    schema::Stage stage;
    stage.name = "Build";
    job.name = "Job";
    job.position = {"/azure-pipelines.yml", 7, 3};
    stage.jobs.push_back(std::move(job));
    schema::RunPlan plan;
    plan.stages.push_back(std::move(stage));
    return plan;
}

schema::Job jobWithInput(const std::string &input, const std::string &value)
{
    schema::Step step;
    step.task = "Docker";
    step.inputs = {{input, value}};
    step.position = {"/azure-pipelines.yml", 9, 5};
    schema::Job job;
    job.steps.push_back(std::move(step));
    return job;
}

KnownNames everything()
{
    KnownNames names;
    names.groups = {"Release"};
    names.connections = {"Registry", "0b7e0f3e-0000-0000-0000-000000000000"};
    names.environments = {{"dev", {"default"}}};
    return names;
}

} // namespace

class TestPlanReferences : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void checksConnections_data();
    void checksConnections();
    void checksConnectionsOfResources();
    void checksGroups();
    void checksConnectionsOfVariables();
    void checksEnvironments_data();
    void checksEnvironments();
    void saysEverythingOnce();
};

void TestPlanReferences::checksConnections_data()
{
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<bool>("known");
    const auto row = [](const char *name, const char *input, const char *value, bool known) {
        QTest::newRow(name) << QByteArray(input) << QByteArray(value) << known;
    };
    row("known", "containerRegistry", "Registry", true);
    row("any case", "ContainerRegistry", "REGISTRY", true);
    row("by id", "containerRegistry", "0b7e0f3e-0000-0000-0000-000000000000", true);
    row("unknown", "kubernetesServiceConnection", "Cluster", false);
    row("macro", "containerRegistry", "$(registry)", true);
    row("empty", "containerRegistry", "", true);
    row("other input", "command", "Cluster", true);
}

void TestPlanReferences::checksConnections()
{
    QFETCH(QByteArray, input);
    QFETCH(QByteArray, value);
    QFETCH(bool, known);
    const auto plan = planWithJob(jobWithInput(input.toStdString(), value.toStdString()));
    const auto found = missingReferences(plan, everything());
    QCOMPARE(found.empty(), known);
    if (!known) {
        QCOMPARE(found.front().code, "unknown-service-connection");
        QCOMPARE(found.front().position.line, 9U);
        QVERIFY(found.front().message.find("'Cluster'") != std::string::npos);
        QVERIFY(found.front().hint.find("'Registry'") != std::string::npos);
    }
}

void TestPlanReferences::checksConnectionsOfResources()
{
    schema::RepositoryResource repository{"shared", "github", "team/shared", "", "Hub", {}};
    repository.endpointPosition = {"/azure-pipelines.yml", 3, 15};
    schema::Container container;
    container.image = "private/tools:1";
    container.endpoint = "Private";
    container.endpointPosition = {"/azure-pipelines.yml", 6, 15};
    schema::Job job;
    job.container = container; // written at the job itself
    auto plan = planWithJob(job);
    plan.repositories.push_back(repository);
    container.alias = "tools";
    plan.containers.emplace_back("tools", container);
    plan.stages[0].jobs.push_back(plan.stages[0].jobs[0]);
    plan.stages[0].jobs[1].container = container; // the resource: said once, where it is declared
    const auto found = missingReferences(plan, everything());
    QCOMPARE(found.size(), std::size_t(3));
    QCOMPARE(found[0].position.line, 3);
    QVERIFY(found[0].message.starts_with("repository resource 'shared' refers to"));
    QCOMPARE(found[1].position.line, 6);
    QVERIFY(found[1].message.starts_with("container resource 'tools' refers to"));
    QVERIFY(found[2].message.starts_with("container 'private/tools:1' refers to"));
}

void TestPlanReferences::checksGroups()
{
    auto plan = planWithJob({});
    plan.variables.push_back({"", "", "release", false});
    QVERIFY(missingReferences(plan, everything()).empty());
    plan.stages[0].variables.push_back({"", "", "Secrets", false, {"/azure-pipelines.yml", 7, 10}});
    const auto found = missingReferences(plan, everything());
    QCOMPARE(found.size(), std::size_t(1));
    QCOMPARE(found.front().code, "unknown-variable-group");
    QCOMPARE(found.front().position.line, 7);
}

/// A name that the file itself gives to a variable is no secret of the run.
void TestPlanReferences::checksConnectionsOfVariables()
{
    auto plan = planWithJob(jobWithInput("containerRegistry", "$(Registry.Name)"));
    QVERIFY(missingReferences(plan, everything()).empty()); // perhaps given when queueing
    plan.variables.push_back({"registry.name", "Registry", "", false});
    QVERIFY(missingReferences(plan, everything()).empty());
    plan.stages[0].variables.push_back({"registry.name", "Other", "", false});
    const auto found = missingReferences(plan, everything());
    QCOMPARE(found.size(), std::size_t(1));
    QVERIFY2(found.front().message.find("'Other'") != std::string::npos,
             found.front().message.c_str());
    plan.stages[0].variables.push_back({"", "", "release", false}); // which may have it, too
    QVERIFY(missingReferences(plan, everything()).empty());
}

void TestPlanReferences::checksEnvironments_data()
{
    QTest::addColumn<QByteArray>("environment");
    QTest::addColumn<QByteArray>("resource");
    QTest::addColumn<bool>("mayCreate");
    QTest::addColumn<QByteArray>("code");
    const auto row = [](const char *name, const char *environment, const char *resource,
                        bool mayCreate, const char *code) {
        QTest::newRow(name) << QByteArray(environment) << QByteArray(resource) << mayCreate
                            << QByteArray(code);
    };
    row("known", "Dev", "", false, "");
    row("known resource", "dev", "default", false, "");
    row("unknown resource", "dev", "other", true, "unknown-environment-resource");
    row("unknown, by trigger", "prod", "", false, "unknown-environment");
    row("unknown, by a person", "prod", "", true, "");
    row("macro", "$(target)", "", false, "");
}

void TestPlanReferences::checksEnvironments()
{
    QFETCH(QByteArray, environment);
    QFETCH(QByteArray, resource);
    QFETCH(bool, mayCreate);
    QFETCH(QByteArray, code);
    schema::Job job;
    job.isDeployment = true;
    job.environment.emplace();
    job.environment->name = environment.toStdString();
    job.environment->resourceName = resource.toStdString();
    auto names = everything();
    names.mayCreateEnvironments = mayCreate;
    const auto found = missingReferences(planWithJob(job), names);
    QCOMPARE(found.empty() ? QByteArray("") : QByteArray::fromStdString(found.front().code), code);
}

void TestPlanReferences::saysEverythingOnce()
{
    auto job = jobWithInput("containerRegistry", "Nope");
    job.steps.push_back(job.steps.front());
    QCOMPARE(missingReferences(planWithJob(job), everything()).size(), std::size_t(1));
}

QTEST_GUILESS_MAIN(TestPlanReferences)
#include "tst_plan_references.moc"
