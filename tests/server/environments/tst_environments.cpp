// Which version of which service is where, how it got there, and how it was at another time.
#include "server/workers/image_name.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace tests;
using namespace std::chrono_literals;
using schema::TaskResult;
using server::environments::Cell;
using server::environments::CellState;
using server::environments::Direction;

namespace {

constexpr const char *kWeb = "localhost:5000/space-game/web";

/// A world with dev and production, each with a Kubernetes resource.
struct Targets
{
    World world;
    std::int64_t worker = world.addWorker("w1");
    std::int64_t dev = create("dev");
    std::int64_t production = create("production");

    Targets()
    {
        world.connect(worker);
        world.commits.history = {"c1", "c2", "c3"};
    }

    std::int64_t create(const std::string &name)
    {
        server::environments::Environment environment;
        environment.projectId = world.projectId;
        environment.name = name;
        environment.id = world.environments->create(environment)->id;
        server::environments::Resource resource;
        resource.environmentId = environment.id;
        resource.name = "default";
        resource.type = "kubernetes";
        resource.kubernetesNamespace = name + "-space";
        (void)world.environments->addResource(resource).value();
        return environment.id;
    }

    /// Builds (when `digest` is given a job pushes it first) and deploys web to an environment.
    std::int64_t release(const std::string &environment, const std::string &commit,
                         const std::string &digest, const std::string &tag,
                         TaskResult result = TaskResult::Succeeded)
    {
        server::scheduler::NewRun run;
        run.pipelineId = world.pipelineId;
        run.number = tag;
        run.sourceBranch = "refs/heads/main";
        run.sourceVersion = commit;
        run.commitMessage = "change " + commit;
        run.plan = plan({stage("Build", {job("Images")}),
                         stage("Deploy", {deployment("Web", environment, "default")}, {"Build"})});
        const auto id = world.runs->createRun(run).value();
        const auto build = world.accept(worker);
        const auto pushed = world.jobs->addImage(build.jobId, build.jobToken,
                                                 {kWeb, {tag, commit}, digest, "Registry"});
        if (!pushed)
            qFatal("%s", pushed.error().message.c_str());
        world.complete(worker, build, TaskResult::Succeeded);
        const auto deploy = world.accept(worker);
        const auto put =
            world.jobs->addDeployed(deploy.jobId, deploy.jobToken,
                                    {{"Deployment", "web", "web", std::string(kWeb) + ":" + tag,
                                      digest, environment + "-space"}});
        if (!put)
            qFatal("%s", put.error().message.c_str());
        world.moveClock(1s);
        world.complete(worker, deploy, result);
        return id;
    }

    Cell cell(std::int64_t environment, std::optional<schema::TimePoint> at = {})
    {
        const auto matrix = world.environments->matrix(world.projectId, at).value();
        for (const Cell &one : matrix.cells) {
            if (one.environmentId == environment)
                return one;
        }
        return {};
    }
};

} // namespace

class TestEnvironments : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void knowsWhatIsWhere();
    void movesOnlyOnSuccess();
    void knowsEveryRunThatWaits();
    void remembersEarlierTimes();
    void tellsTheStory();
    void tellsOfDeploymentsByScripts();
    void pagesByDeployment();
    void findsVersionsByTagAndForeignDigests();
    void refusesDeployedItemsOfAPlainJob();
    void validatesNames_data();
    void validatesNames();
    void keepsAHistoryFromRemoval();
    void readsImageNames_data();
    void readsImageNames();
};

void TestEnvironments::knowsWhatIsWhere()
{
    Targets t;
    const auto id = t.release("dev", "c1", "sha256:aaa", "1");
    const auto matrix = t.world.environments->matrix(t.world.projectId, std::nullopt).value();
    QCOMPARE(matrix.services.size(), 1U);
    QCOMPARE(matrix.services.front().key, std::string("web"));
    QCOMPARE(matrix.environments.size(), 2U);
    QCOMPARE(matrix.cells.size(), 1U);
    const Cell &cell = matrix.cells.front();
    QVERIFY(cell.state == CellState::Ok);
    QCOMPARE(cell.environmentId, t.dev);
    QCOMPARE(cell.version->digest, std::string("sha256:aaa"));
    QCOMPARE(cell.version->commit, std::string("c1"));
    QCOMPARE(cell.version->runId, id);
    QCOMPARE(cell.pipeline.id, t.world.pipelineId);
    QVERIFY(!cell.pipeline.name.empty());
    QCOMPARE(cell.version->pipeline.name, cell.pipeline.name);
    QCOMPARE(cell.version->tags, (std::vector<std::string>{"1", "c1"}));
    QCOMPARE(cell.kubernetesNamespace, std::string("dev-space"));
    QCOMPARE(cell.workload, std::string("Deployment/web"));
    QCOMPARE(cell.behind, 0);
    t.release("production", "c2", "sha256:bbb", "2");
    QCOMPARE(t.cell(t.dev).behind, 1);
    QCOMPARE(t.cell(t.production).behind, 0);
    // Built again from the same commit, by another pipeline say: nothing new is in it.
    t.release("dev", "c2", "sha256:ccc", "3");
    QCOMPARE(t.cell(t.production).behind, 0);
    t.release("dev", "c3", "sha256:ddd", "4");
    t.release("dev", "c3", "sha256:eee", "5");
    QCOMPARE(t.cell(t.production).behind, 1);
}

void TestEnvironments::movesOnlyOnSuccess()
{
    Targets t;
    t.release("dev", "c1", "sha256:aaa", "1");
    const auto failed = t.release("dev", "c2", "sha256:bbb", "2", TaskResult::Failed);
    const Cell cell = t.cell(t.dev);
    QVERIFY(cell.state == CellState::Failed);
    QCOMPARE(cell.version->digest, std::string("sha256:aaa"));
    QVERIFY(cell.pending);
    QCOMPARE(cell.pending->runId, failed);
    QCOMPARE(cell.pending->version->digest, std::string("sha256:bbb"));
}

// Two runs that wait for one environment: the approval of each must say what it brings.
void TestEnvironments::knowsEveryRunThatWaits()
{
    Targets t;
    server::checks::Check check;
    check.environmentId = t.production;
    check.approval.approvers = {t.world.addIdentity("ann")};
    check.approval.minRequired = 1;
    QVERIFY(t.world.approvals->addCheck(check));
    std::vector<std::int64_t> runs;
    for (const std::string tag : {"1", "2"}) {
        runs.push_back(t.world.queue(
            plan({stage("Build", {job("Images")}),
                  stage("Deploy", {deployment("Web", "production", "default")}, {"Build"})})));
        const auto build = t.world.accept(t.worker);
        QVERIFY(t.world.jobs->addImage(build.jobId, build.jobToken,
                                       {kWeb, {tag}, "sha256:" + tag, "Registry"}));
        t.world.complete(t.worker, build, TaskResult::Succeeded);
    }
    const Cell cell = t.cell(t.production);
    QVERIFY(cell.state == CellState::Waiting);
    QCOMPARE(cell.waiting.size(), 2U);
    for (const auto &waiting : cell.waiting) {
        const std::string digest = waiting.runId == runs[0] ? "sha256:1" : "sha256:2";
        QVERIFY(waiting.version.has_value());
        QCOMPARE(waiting.version->digest, digest);
        QVERIFY(!waiting.approvalId.empty());
    }
    QVERIFY(cell.waiting[0].runId != cell.waiting[1].runId);
}

void TestEnvironments::remembersEarlierTimes()
{
    Targets t;
    t.release("dev", "c1", "sha256:aaa", "1");
    const auto first = *t.cell(t.dev).since;
    t.world.moveClock(1h);
    t.release("dev", "c2", "sha256:bbb", "2");
    QCOMPARE(t.cell(t.dev).version->digest, std::string("sha256:bbb"));
    QCOMPARE(t.cell(t.dev, first + 30min).version->digest, std::string("sha256:aaa"));
    QCOMPARE(t.cell(t.dev, first - 1min).environmentId, 0);
}

void TestEnvironments::tellsTheStory()
{
    Targets t;
    t.release("dev", "c1", "sha256:aaa", "1");
    t.release("dev", "c3", "sha256:ccc", "3");
    t.release("dev", "c2", "sha256:bbb", "2");
    t.release("dev", "c2", "sha256:bbb", "2b");
    server::environments::HistoryFilter filter;
    filter.projectId = t.world.projectId;
    filter.service = "WEB";
    filter.environmentId = t.dev;
    const auto story = t.world.environments->history(filter).value();
    QCOMPARE(story.size(), 4U);
    QVERIFY(story[0].direction == Direction::Redeploy);
    QVERIFY(story[1].direction == Direction::Rollback);
    QVERIFY(story[2].direction == Direction::Forward);
    QVERIFY(story[3].direction == Direction::First);
    QCOMPARE(story[2].commits.size(), 2U);
    QCOMPARE(story[2].commits.front().id, std::string("c3"));
    QCOMPARE(story[1].commits.size(), 1U); // what the rollback took away
    QCOMPARE(story[1].commits.front().id, std::string("c3"));
    QCOMPARE(story[0].resource->kubernetesNamespace, std::string("dev-space"));
    filter.beforeDeployment = story[1].deployment.id;
    QCOMPARE(t.world.environments->history(filter)->size(), 2U);
    filter.service = "api";
    QVERIFY(t.world.environments->history(filter)->empty());
}

void TestEnvironments::tellsOfDeploymentsByScripts()
{
    Targets t;
    t.release("dev", "c1", "sha256:aaa", "1");
    server::scheduler::NewRun run;
    run.pipelineId = t.world.pipelineId;
    run.number = "2";
    run.sourceVersion = "c2";
    run.commitMessage = "change c2";
    run.plan = plan({stage("Deploy", {deployment("Script", "dev", "default")})});
    const auto id = t.world.runs->createRun(run).value();
    t.world.complete(t.worker, t.world.accept(t.worker), TaskResult::Succeeded);
    server::environments::HistoryFilter filter;
    filter.projectId = t.world.projectId;
    const auto story = t.world.environments->history(filter).value();
    QCOMPARE(story.size(), 2U);
    QCOMPARE(story[0].deployment.runId, id);
    QCOMPARE(story[0].deployment.job, std::string("Script"));
    QCOMPARE(story[0].service.id, 0);
    QCOMPARE(story[0].version->commit, std::string("c2"));
    QCOMPARE(story[0].version->runNumber, std::string("2"));
    QCOMPARE(story[0].version->pipeline.name, story[0].deployment.pipelineName);
    QVERIFY(story[0].commits.empty());
    filter.service = "web";
    QCOMPARE(t.world.environments->history(filter)->size(), 1U);
    // What is in place is not moved by what is not known.
    QCOMPARE(t.cell(t.dev).version->commit, std::string("c1"));
}

void TestEnvironments::pagesByDeployment()
{
    Targets t;
    const auto release = [&t](const std::string &tag) {
        t.world.queue(plan({stage("Deploy", {deployment("Both", "dev", "default")})}));
        const auto deploy = t.world.accept(t.worker);
        QVERIFY(t.world.jobs->addDeployed(
            deploy.jobId, deploy.jobToken,
            {{"Deployment", "web", "web", std::string(kWeb) + ":" + tag, "sha256:a" + tag, "p"},
             {"Deployment", "cache", "redis", "docker.io/library/redis:" + tag, "sha256:b" + tag,
              "p"}}));
        t.world.complete(t.worker, deploy, TaskResult::Succeeded);
    };
    for (const char *tag : {"1", "2", "3"})
        release(tag);
    server::environments::HistoryFilter filter;
    filter.projectId = t.world.projectId;
    filter.top = 2;
    auto page = t.world.environments->history(filter).value();
    QCOMPARE(page.size(), 4U); // both services of two deployments
    filter.beforeDeployment = page.back().deployment.id;
    page = t.world.environments->history(filter).value();
    QCOMPARE(page.size(), 2U);
    QCOMPARE(page[0].deployment.id, page[1].deployment.id);
    QVERIFY(page[0].service.key != page[1].service.key);
}

void TestEnvironments::findsVersionsByTagAndForeignDigests()
{
    Targets t;
    t.release("dev", "c1", "sha256:aaa", "1");
    t.world.queue(plan({stage("Deploy", {deployment("Web", "production", "default")})}));
    const auto deploy = t.world.accept(t.worker);
    QVERIFY(t.world.jobs->addDeployed(
        deploy.jobId, deploy.jobToken,
        {{"Deployment", "web", "web", std::string(kWeb) + ":1", "", "p"},
         {"Deployment", "cache", "redis", "docker.io/library/redis:7@sha256:ddd", "", "p"}}));
    t.world.complete(t.worker, deploy, TaskResult::Succeeded);
    const auto matrix = t.world.environments->matrix(t.world.projectId, std::nullopt).value();
    QCOMPARE(matrix.services.size(), 2U);
    int seen = 0;
    for (const Cell &cell : matrix.cells) {
        if (cell.environmentId != t.production)
            continue;
        ++seen;
        const bool web = cell.image.starts_with(kWeb);
        QCOMPARE(cell.version->digest, std::string(web ? "sha256:aaa" : "sha256:ddd"));
        QCOMPARE(cell.version->commit, std::string(web ? "c1" : ""));
    }
    QCOMPARE(seen, 2);
}

void TestEnvironments::refusesDeployedItemsOfAPlainJob()
{
    Targets t;
    t.world.queue(plan({stage("Build", {job("A")})}));
    const auto build = t.world.accept(t.worker);
    const auto refused = t.world.jobs->addDeployed(build.jobId, build.jobToken,
                                                   {{"Deployment", "web", "web", "web:1", "", ""}});
    QVERIFY(!refused);
    QCOMPARE(int(refused.error().code), int(schema::ErrorCode::InvalidArgument));
}

void TestEnvironments::validatesNames_data()
{
    QTest::addColumn<QString>("name");
    for (const char *name : {"", "a/b", "a%b", "a\nb", "a[b]"})
        QTest::addRow("%s", QByteArray(name).toPercentEncoding().prepend('=').constData()) << name;
    QTest::addRow("long") << QString(129, QLatin1Char('x'));
}

void TestEnvironments::validatesNames()
{
    QFETCH(QString, name);
    World world;
    server::environments::Environment environment;
    environment.projectId = world.projectId;
    environment.name = name.toStdString();
    QCOMPARE(int(world.environments->create(environment).error().code),
             int(schema::ErrorCode::InvalidArgument));
}

void TestEnvironments::keepsAHistoryFromRemoval()
{
    Targets t;
    t.release("dev", "c1", "sha256:aaa", "1");
    QCOMPARE(int(t.world.environments->remove(t.dev).error().code),
             int(schema::ErrorCode::Conflict));
    QVERIFY(t.world.environments->remove(t.production));
    QCOMPARE(int(t.world.environments->find(t.production).error().code),
             int(schema::ErrorCode::NotFound));
}

void TestEnvironments::readsImageNames_data()
{
    QTest::addColumn<QString>("image");
    QTest::addColumn<QString>("repository");
    QTest::addColumn<QString>("tag");
    QTest::addColumn<QString>("digest");
    QTest::addRow("plain") << "redis" << "redis" << "" << "";
    QTest::addRow("tag") << "redis:7" << "redis" << "7" << "";
    QTest::addRow("port") << "localhost:5000/web" << "localhost:5000/web" << "" << "";
    QTest::addRow("port and tag") << "localhost:5000/a/web:1.2" << "localhost:5000/a/web" << "1.2"
                                  << "";
    QTest::addRow("digest") << "r:5/web:1@sha256:ab" << "r:5/web" << "1" << "sha256:ab";
}

void TestEnvironments::readsImageNames()
{
    QFETCH(QString, image);
    QFETCH(QString, repository);
    QFETCH(QString, tag);
    QFETCH(QString, digest);
    const auto name = server::workers::parseImageName(image.toStdString());
    QCOMPARE(name.repository, repository.toStdString());
    QCOMPARE(name.tag, tag.toStdString());
    QCOMPARE(name.digest, digest.toStdString());
}

QTEST_GUILESS_MAIN(TestEnvironments)
#include "tst_environments.moc"
