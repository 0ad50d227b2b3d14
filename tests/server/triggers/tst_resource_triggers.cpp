// What starts runs from outside: other pipelines, other repositories, webhooks, registries.
#include "server/triggers/resource_triggers.h"
#include "tests/server/support/live_server.h"

#include <QMessageAuthenticationCode>
#include <QTest>

#include <filesystem>
#include <fstream>

using tests::git;
using tests::LiveServer;

namespace {

/// Body that makes a pipeline of the file `name`.yml in repository `code`.
std::string pipelineBody(const std::string &name)
{
    return nlohmann::json{
        {"name", name},
        {"configuration", {{"path", name + ".yml"}, {"repository", {{"name", "code"}}}}}}
        .dump();
}

} // namespace

class TestResourceTriggers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void checksSignatures_data();
    void checksSignatures();
    void initTestCase();
    void followsAnotherPipeline();
    void countsACompletionOnceOverARestart();
    void takesWebhooks();
    void refusesWebhooks_data();
    void refusesWebhooks();
    void takesRegistryNotifications();
    void followsAnotherRepository();
    void followsAStageOfARunThatGoesOn();

private:
    [[nodiscard]] nlohmann::ordered_json triggered(const std::string &alias) const
    {
        auto out = nlohmann::ordered_json::array();
        const auto all =
            m_server->call("GET", "/p/_apis/build/builds?reasonFilter=resourceTrigger").json();
        for (const auto &run : all.at("value"))
            if (run.at("triggerInfo").value("Resources.TriggeringAlias", "") == alias)
                out.push_back(run);
        return out;
    }

    [[nodiscard]] int count(const std::string &alias) const { return int(triggered(alias).size()); }

    [[nodiscard]] tests::Answer hook(const std::string &name, const std::string &body,
                                     const std::string &header) const
    {
        return m_server->raw("POST /_apis/public/distributedtask/webhooks/" + name +
                             " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }

    static std::string signature(const std::string &body)
    {
        return "X-Checksum: sha1=" +
               QMessageAuthenticationCode::hash(QByteArray::fromStdString(body), "s3cret",
                                                QCryptographicHash::Sha1)
                   .toHex()
                   .toStdString() +
               "\r\n";
    }

    void push(const std::string &repository, const std::string &file, const std::string &text);

    std::unique_ptr<LiveServer> m_server;
};

void TestResourceTriggers::checksSignatures_data()
{
    QTest::addColumn<QString>("signature");
    QTest::addColumn<bool>("accepted");
    // The worked example of GitHub's documentation of webhooks.
    const std::string known = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const auto row = [](const char *name, const std::string &signature, bool accepted) {
        QTest::newRow(name) << QString::fromStdString(signature) << accepted;
    };
    row("sha256", "sha256=" + known, true);
    row("bare digits", known, true);
    row("capitals", "sha256=" + QString::fromStdString(known).toUpper().toStdString(), true);
    row("other kind", "sha1=" + known, false);
    row("unknown kind", "md5=" + known, false);
    row("cut", "sha256=" + known.substr(1), false);
    row("changed", "sha256=8" + known.substr(1), false);
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("only a kind") << "sha256=" << false;
}

void TestResourceTriggers::checksSignatures()
{
    QFETCH(QString, signature);
    QFETCH(bool, accepted);
    QCOMPARE(server::triggers::isSignedBy(signature.toStdString(), "It's a Secret to Everybody",
                                          "Hello, World!"),
             accepted);
}

void TestResourceTriggers::push(const std::string &repository, const std::string &file,
                                const std::string &text)
{
    const std::string tree = m_server->folder() + "/" + repository;
    if (!std::filesystem::exists(tree)) {
        std::filesystem::create_directories(tree);
        git(tree, {"init", "--quiet", "--initial-branch=main"});
    }
    std::ofstream(tree + "/" + file) << text;
    git(tree, {"add", "--all"});
    git(tree, {"commit", "--quiet", "-m", "change " + file});
    const auto pushed = git(tree, {"push", "--quiet",
                                   "http://x:" + m_server->token() + "@127.0.0.1:" +
                                       std::to_string(m_server->port()) + "/p/_git/" + repository,
                                   "main"});
    if (!pushed.empty())
        qFatal("%s", pushed.c_str());
}

void TestResourceTriggers::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
    for (const char *name : {"code", "library"})
        (void)m_server->call("POST", "/p/_apis/git/repositories",
                             std::string(R"({"name": ")") + name + "\"}");
    // Ends at once: there is nothing to do, so no worker is needed.
    push("code", "producer.yml",
         "trigger: none\njobs:\n- job: A\n  condition: false\n"
         "  steps:\n  - script: echo\n");
    push("code", "consumer.yml",
         "trigger: none\nresources:\n  pipelines:\n  - pipeline: built\n    source: producer\n"
         "    trigger: true\n"
         "  repositories:\n  - repository: lib\n    type: git\n    name: library\n"
         "    trigger: {branches: {include: [main]}}\n"
         "  containers:\n  - container: base\n    image: registry:5000/base/os\n"
         "    trigger: {tags: {include: ['1.*']}}\n"
         "  webhooks:\n  - webhook: told\n    connection: hook\n    filters:\n"
         "    - path: repository.name\n      value: orders\n"
         "steps:\n- script: echo\n");
    push("library", "a", "1");
    (void)m_server->call("POST", "/p/_apis/serviceendpoint/endpoints",
                         R"({"name": "hook", "type": "incomingwebhook", "url": "https://x",
                   "authorization": {"scheme": "None", "parameters": {"secret": "s3cret"}},
                   "data": {"webhookname": "orders", "header": "X-Checksum"}})");
    for (const char *name : {"producer", "consumer"})
        QCOMPARE(m_server->call("POST", "/p/_apis/pipelines", pipelineBody(name)).status, 200);
}

void TestResourceTriggers::followsAnotherPipeline()
{
    const auto queued = m_server->call("POST", "/p/_apis/pipelines/1/runs", "{}");
    QCOMPARE(queued.status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(count("built"), 1, 10000);
    const auto run = triggered("built").at(0);
    QCOMPARE(run.at("definition").at("name").get<std::string>(), "consumer");
    const auto trigger = run.at("triggerInfo");
    QCOMPARE(trigger.at("Build.TriggeredBy.DefinitionName").get<std::string>(), "producer");
    QCOMPARE(trigger.at("resources.pipeline.built.runID").get<std::string>(), "1");
    // Bookkeeping of the server is not shown.
    QVERIFY(trigger.dump().find("Slipway.") == std::string::npos);
}

void TestResourceTriggers::countsACompletionOnceOverARestart()
{
    m_server->restart();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/p/_apis/pipelines/1/runs", "{}").status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(count("built"), 2, 10000);
}

void TestResourceTriggers::takesWebhooks()
{
    const std::string body = R"({"repository": {"name": "orders"}, "list": [1]})";
    const auto answer = hook("orders", body, signature(body));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.json().at("runs").get<int>(), 1);
    QCOMPARE(count("told"), 1);
    const std::string other = R"({"repository": {"name": "other"}})";
    QCOMPARE(hook("orders", other, signature(other)).json().at("runs").get<int>(), 0);
}

void TestResourceTriggers::refusesWebhooks_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("body");
    QTest::addColumn<QString>("header");
    QTest::addColumn<int>("status");
    const QString body = QStringLiteral(R"({"repository": {"name": "orders"}})");
    const QString good = QString::fromStdString(signature(body.toStdString()));
    QTest::newRow("unknown") << "absent" << body << good << 404;
    QTest::newRow("no checksum") << "orders" << body << "" << 401;
    QTest::newRow("other body") << "orders" << body + QLatin1Char(' ') << good << 401;
    QTest::newRow("nonsense") << "orders" << body << "X-Checksum: sha1=zz\r\n" << 401;
    QTest::newRow("no JSON") << "orders" << "{" << good << 400;
    QTest::newRow("too large") << "orders" << QString(2 << 20, QLatin1Char(' ')) << good << 413;
}

void TestResourceTriggers::refusesWebhooks()
{
    QFETCH(QString, name);
    QFETCH(QString, body);
    QFETCH(QString, header);
    QFETCH(int, status);
    QCOMPARE(hook(name.toStdString(), body.toStdString(), header.toStdString()).status, status);
    QCOMPARE(count("told"), 1);
}

void TestResourceTriggers::takesRegistryNotifications()
{
    const auto event = [](const char *action, const char *repository, const char *tag) {
        return std::string(R"({"action": ")") + action + R"(", "target": {"repository": ")" +
               repository + R"(", "tag": ")" + tag +
               R"(", "digest": "sha256:aa"}, "request": {"host": "registry:5000"}})";
    };
    const std::string body = R"({"events": [)" + event("pull", "base/os", "1.1") + "," +
                             event("push", "base/other", "1.1") + "," +
                             event("push", "base/os", "2.0") + "," +
                             event("push", "base/os", "1.2") + "]}";
    const auto post = [&](const std::string &text) {
        return m_server->call("POST", "/p/_apis/slipway/registrynotifications", text);
    };
    const auto answer = post(body);
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.json().at("runs").size(), std::size_t(1));
    const auto trigger = triggered("base").at(0).at("triggerInfo");
    QCOMPARE(trigger.at("resources.container.base.tag").get<std::string>(), "1.2");
    // A registry repeats what was not answered in time; the image is the same one.
    QCOMPARE(post(body).json().at("runs").size(), std::size_t(0));
    QCOMPARE(post("{}").status, 400);
    QCOMPARE(post(R"({"events": [7]})").json().at("runs").size(), std::size_t(0));
}

void TestResourceTriggers::followsAnotherRepository()
{
    QCOMPARE(count("lib"), 0);
    push("library", "a", "2");
    QTRY_COMPARE_WITH_TIMEOUT(count("lib"), 1, 10000);
    QCOMPARE(triggered("lib").at(0).at("sourceBranch").get<std::string>(), "refs/heads/main");
}

void TestResourceTriggers::followsAStageOfARunThatGoesOn()
{
    // Without a worker: the first stage is the server's own, the second waits for a person.
    const std::string delay = "  jobs:\n  - job: A\n    pool: server\n    steps:\n"
                              "    - task: Delay@1\n      inputs: {delayForMinutes: '0'}\n";
    push("code", "staged.yml",
         "trigger: none\nstages:\n- stage: Build\n" + delay +
             "- stage: Release\n  trigger: manual\n" + delay);
    push("code", "follower.yml",
         "trigger: none\nresources:\n  pipelines:\n"
         "  - {pipeline: early, source: staged, trigger: {stages: [Build]}}\n"
         "steps:\n- script: echo\n");
    push("code", "patient.yml",
         "trigger: none\nresources:\n  pipelines:\n"
         "  - {pipeline: late, source: staged, trigger: {stages: [Build, Release]}}\n"
         "steps:\n- script: echo\n");
    std::string run;
    for (const char *name : {"staged", "follower", "patient"}) {
        const auto made = m_server->call("POST", "/p/_apis/pipelines", pipelineBody(name));
        QCOMPARE(made.status, 200);
        if (run.empty())
            run = std::to_string(made.json().at("id").get<int>());
    }
    const auto queued = m_server->call("POST", "/p/_apis/pipelines/" + run + "/runs", "{}");
    QCOMPARE(queued.status, 200);
    const std::string build =
        "/p/_apis/build/builds/" + std::to_string(queued.json().at("id").get<int>());
    QTRY_COMPARE_WITH_TIMEOUT(count("early"), 1, 10000);
    QVERIFY(m_server->call("GET", build).json().at("status").get<std::string>() != "completed");
    QCOMPARE(count("late"), 0);
    QCOMPARE(m_server->call("PATCH", build + "/stages/Release", R"({"state": "run"})").status, 204);
    QTRY_COMPARE_WITH_TIMEOUT(count("late"), 1, 10000);
    QCOMPARE(m_server->call("GET", build).json().at("status").get<std::string>(), "completed");
    // Its end starts nothing that its first stage had started.
    QCOMPARE(count("early"), 1);
    m_server->restart();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    push("library", "a", "3"); // makes the restarted server's loop go round
    QTRY_COMPARE_WITH_TIMEOUT(count("lib"), 2, 10000);
    QCOMPARE(count("early"), 1);
    QCOMPARE(count("late"), 1);
}

QTEST_GUILESS_MAIN(TestResourceTriggers)
#include "tst_resource_triggers.moc"
