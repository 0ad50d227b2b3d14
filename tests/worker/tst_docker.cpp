// Docker@2 and DockerCompose@1 on a real Docker Engine and a real registry (tests/parts).
#include "support/part.h"
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QTest>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

class TestDocker : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase()
    {
        // ./run test starts the parts once for all suites and says where they are.
        m_dockerHost = qgetenv("DOCKER_HOST").toStdString();
        m_registryHost = qgetenv("SLIPWAY_TEST_REGISTRY").toStdString();
        if (!m_dockerHost.empty() && !m_registryHost.empty())
            return;
        m_dockerHost = m_docker.start("DOCKER_HOST");
        if (m_dockerHost.empty())
            QSKIP(("no Docker Engine: " + m_docker.why()).constData());
        m_registryHost = m_registry.start("REGISTRY");
        if (m_registryHost.empty())
            QSKIP(("no registry: " + m_registry.why()).constData());
    }

    void buildAndPushRecordsTheDigest()
    {
        JobRun run(job({script("printf 'FROM scratch\\nCOPY f /f\\n' > Dockerfile; echo hi > f"),
                        task("Docker@2", {{"command", "buildAndPush"},
                                          {"containerRegistry", "Registry"},
                                          {"repository", "Team/Web App"},
                                          {"tags", "7\nabc"}})}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        QCOMPARE(run.sink.images.size(), std::size_t(1));
        const auto &image = run.sink.images[0];
        QCOMPARE(image.repository, m_registryHost + "/team/webapp");
        QCOMPARE(image.tags, (std::vector<std::string>{"7", "abc"}));
        QCOMPARE(image.digest.size(), std::size_t(71));
        QCOMPARE(image.connection, std::string("Registry"));
        const auto config = inspect(m_registryHost + "/team/webapp:7", "{{json .Config.Labels}}");
        VERIFY_CONTAINS(config, "image.build.buildnumber\":\"20261121.1\"");
        for (const auto &[id, log] : run.sink.logs)
            QVERIFY(log.find("registry-pw") == std::string::npos);
        QVERIFY(fs::is_empty(run.options.work / "_temp"));
    }

    void failures_data()
    {
        QTest::addColumn<QByteArray>("connection");
        QTest::addColumn<QByteArray>("dockerfile");
        QTest::addColumn<bool>("engine");
        QTest::addColumn<QByteArray>("part");
        QTest::newRow("registry down")
            << QByteArray("Down") << QByteArray("FROM scratch\\nCOPY f /f\\n") << true
            << QByteArray("cannot be reached");
        QTest::newRow("no engine")
            << QByteArray("Registry") << QByteArray("FROM scratch\\nCOPY f /f\\n") << false
            << QByteArray("Docker Engine does not answer");
        QTest::newRow("broken Dockerfile")
            << QByteArray("Registry") << QByteArray("FORM scratch\\n") << true
            << QByteArray("docker build failed");
    }

    void failures()
    {
        QFETCH(QByteArray, connection);
        QFETCH(QByteArray, dockerfile);
        QFETCH(bool, engine);
        QFETCH(QByteArray, part);
        JobRun run(
            job({script("printf '" + dockerfile.toStdString() + "' > Dockerfile; echo hi > f"),
                 task("Docker@2",
                      {{"containerRegistry", connection.toStdString()}, {"repository", "x"}})}));
        prepare(run);
        if (!engine)
            setEnvironment(run.options.environment, "DOCKER_HOST", "unix:///nonexistent.sock");
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(1), part.toStdString());
        QVERIFY(run.sink.images.empty());
    }

    void buildsWithBuildKitWhereTheClientHasIt_data()
    {
        QTest::addColumn<QByteArray>("folder"); // looked for docker first; empty: as PATH says
        QTest::newRow("the client on PATH") << QByteArray();
        QTest::newRow("Debian's client") << QByteArray("/usr/bin");
    }

    void buildsWithBuildKitWhereTheClientHasIt()
    {
        QFETCH(QByteArray, folder);
        JobRun run(
            job({script("printf 'FROM scratch\\nCOPY f /f\\n' > Dockerfile; echo hi > f; "
                        "DOCKER_BUILDKIT=1 docker build --help >/dev/null 2>&1; echo has=$?"),
                 task("Docker@2", {{"command", "buildAndPush"},
                                   {"containerRegistry", "Registry"},
                                   {"repository", "kit"},
                                   {"tags", "1"}})}));
        prepare(run);
        if (!folder.isEmpty())
            setEnvironment(run.options.environment, "PATH",
                           (folder + ":" + qgetenv("PATH")).toStdString());
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        const bool has = run.stepText(0).find("has=0\n") != std::string::npos;
        QVERIFY2(has != (run.stepText(1).find("Step 1/") != std::string::npos),
                 run.stepText(1).c_str());
        QVERIFY2(has == (run.stepText(1).find("#1 [internal]") != std::string::npos),
                 run.stepText(1).c_str());
        QCOMPARE(run.sink.images.at(0).digest.size(), std::size_t(71));
        VERIFY_CONTAINS(inspect(m_registryHost + "/kit:1", "{{json .Config.Labels}}"),
                        "image.build.buildnumber\":\"20261121.1\"");
    }

    void loginHoldsForLaterSteps()
    {
        JobRun run(
            job({task("Docker@2", {{"command", "login"}, {"containerRegistry", "Registry"}}),
                 script("cat $DOCKER_CONFIG/config.json; stat -c %a $DOCKER_CONFIG/config.json"),
                 task("Docker@2", {{"command", "logout"}, {"containerRegistry", "Registry"}}),
                 script("echo \"[$DOCKER_CONFIG]\"")}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(1), "\"auth\": \"***\"");
        VERIFY_CONTAINS(run.stepText(1), "}600\n");
        VERIFY_CONTAINS(run.stepText(3), "[]");
    }

    void composeDeploysAndSaysWhatRuns()
    {
        // The container needs a program: busybox would have to be pulled, a static one is built.
        JobRun run(job(
            {script("printf '#include <unistd.h>\\nint main(void){for(;;)pause();}' > p.c && gcc "
                    "-static -O p.c -o p && printf 'FROM scratch\\nCOPY p /p\\nCMD [\"/p\"]\\n' > "
                    "Dockerfile && printf 'version: \"3.4\"\\nservices:\\n  web:\\n    image: "
                    "${REG}/pause:7\\n' > docker-compose.yml"),
             task("Docker@2", {{"containerRegistry", "Registry"}, {"repository", "pause"}}),
             task("DockerCompose@1", {{"dockerComposeFileArgs", "REG=" + m_registryHost},
                                      {"projectName", "tst"},
                                      {"action", "Run services"},
                                      {"buildImages", "false"}}),
             task("DockerCompose@1", {{"dockerComposeFileArgs", "REG=" + m_registryHost},
                                      {"projectName", "tst"},
                                      {"dockerComposeCommand", "down"}})}));
        prepare(run);
        schema::protocol::JobEnvironment environment;
        environment.name = "dev";
        environment.resourceType = "dockerHost";
        environment.connection = "Host";
        run.message.environment = environment;
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        QCOMPARE(run.sink.deployed.size(), std::size_t(1));
        const auto &item = run.sink.deployed[0];
        QCOMPARE(item.kind, std::string("ComposeService"));
        QCOMPARE(item.name, std::string("web"));
        QCOMPARE(item.image, m_registryHost + "/pause:7");
        QCOMPARE(item.digest, run.sink.images.at(0).digest);
    }

    void composeFilesByDigest()
    {
        const auto action = [this](const char *name, const char *input, const char *file) {
            return task("DockerCompose@0", {{"dockerComposeFileArgs", "REG=" + m_registryHost},
                                            {"projectName", "tst"},
                                            {"action", name},
                                            {"removeBuildOptions", "true"},
                                            {input, file}});
        };
        JobRun run(job(
            {script(
                 "printf 'FROM scratch\\nCOPY Dockerfile /f\\n' > Dockerfile; printf 'version: "
                 "\"3.4\"\\nservices:\\n  web:\\n    build: .\\n    image: ${REG}/locked:7\\n' > "
                 "docker-compose.yml"),
             task("Docker@2", {{"containerRegistry", "Registry"}, {"repository", "locked"}}),
             action("Combine configuration", "outputDockerComposeFile", "all.yml"),
             action("Lock services", "outputDockerComposeFile", "locked.yml"),
             action("Write service image digests", "imageDigestComposeFile", "digests.yml"),
             script("grep -c build all.yml; grep image all.yml locked.yml digests.yml")}));
        prepare(run);
        QVERIFY(run.go().result != TaskResult::Canceled);
        for (int at = 0; at < 5; ++at)
            QVERIFY2(run.stepResult(at) == "succeeded", run.stepText(at).c_str());
        const auto text = run.stepText(5);
        VERIFY_CONTAINS(text, "\n0\n");
        VERIFY_CONTAINS(text, "all.yml:      \"image\": \"" + m_registryHost + "/locked:7\"");
        const auto byDigest = m_registryHost + "/locked@" + run.sink.images.at(0).digest;
        VERIFY_CONTAINS(text, "locked.yml:      \"image\": \"" + byDigest);
        VERIFY_CONTAINS(text, "digests.yml:      \"image\": \"" + byDigest);
    }

    void logoutOfOneRegistry()
    {
        JobRun run(
            job({task("Docker@2", {{"command", "login"}, {"containerRegistry", "Registry"}}),
                 task("Docker@2", {{"command", "login"}, {"containerRegistry", "Other"}}),
                 task("Docker@2", {{"command", "logout"}, {"containerRegistry", "Registry"}}),
                 script("grep -c localhost: $DOCKER_CONFIG/config.json"),
                 task("Docker@2", {{"command", "logout"}, {"containerRegistry", "Other"}}),
                 script("echo \"[$DOCKER_CONFIG]\"")}));
        prepare(run);
        auto other = run.message.connections[0];
        other.id = other.name = "Other";
        other.url = "http://localhost:2";
        run.message.connections.push_back(other);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(3), "\n1\n");
        VERIFY_CONTAINS(run.stepText(5), "[]");
    }

private:
    void prepare(JobRun &run) const
    {
        setEnvironment(run.options.environment, "DOCKER_HOST", m_dockerHost);
        const auto connection = [](const char *name, const std::string &type,
                                   const std::string &url) {
            schema::protocol::ServiceConnection out;
            out.id = out.name = name;
            out.type = type;
            out.url = url;
            return out;
        };
        run.message.connections = {
            connection("Registry", "dockerregistry", "http://" + m_registryHost),
            connection("Down", "dockerregistry", "http://localhost:1"),
            connection("Host", "dockerHost", m_dockerHost)};
        run.message.connections[0].parameters = {{"username", "u"}, {"password", "registry-pw"}};
    }

    std::string inspect(const std::string &image, const char *format) const
    {
        return dockerSays(m_dockerHost,
                          {QStringLiteral("inspect"), QStringLiteral("--format"),
                           QString::fromLatin1(format), QString::fromStdString(image)});
    }

    Part m_docker{"docker"};
    Part m_registry{"registry"};
    std::string m_dockerHost, m_registryHost;
};

QTEST_GUILESS_MAIN(TestDocker)
#include "tst_docker.moc"
