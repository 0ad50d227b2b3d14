// Container jobs, service containers and step targets on a real Docker Engine and a registry that
// asks for a password (tests/parts), and that nothing is left of them however the job ends.
#include "support/fake_server.h"
#include "support/part.h"
#include "support/recording_sink.h"
#include "worker/base/text.h"
#include "worker/container/arguments.h"
#include "worker/listener/listener.h"
#include "worker/local/local_job.h"
#include "worker/sink/spool.h"

#include <QProcess>
#include <QTest>

#include <nlohmann/json.hpp>

#include <csignal>
#include <poll.h>
#include <thread>
#include <unistd.h>

using namespace worker;
using namespace worker::test;
using schema::Container;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

#define ENGINE_OR_SKIP                                                                             \
    if (m_dockerHost.empty())                                                                      \
        QSKIP("no Docker Engine or no image with a shell; see startParts");

namespace {

Container container(const std::string &image)
{
    Container out;
    out.image = image;
    out.mapDockerSocket = false;
    return out;
}

/// This program again, as a worker: it and its job processes can be killed.
void startWorker(QProcess &process, const std::string &url, const QString &work,
                 const std::string &dockerHost)
{
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("DOCKER_HOST"), QString::fromStdString(dockerHost));
    process.setProcessEnvironment(environment);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QCoreApplication::applicationFilePath(),
                  {QStringLiteral("--listener"), QString::fromStdString(url), work});
    process.waitForStarted();
}

int runAsListener(char **argv)
{
    ::close_range(3, ~0U, 0); // the test program's sockets
    ListenerOptions options;
    options.url = argv[2];
    options.registrationToken = "good-token";
    options.name = "w";
    options.worker.work = argv[3];
    options.worker.name = "w";
    options.worker.environment = currentEnvironment();
    const auto status = runListener(options, [](const std::string &line) {
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    });
    return status ? 0 : 2;
}

schema::Step onTarget(schema::Step step, const std::string &alias)
{
    step.target.emplace();
    step.target->container = alias;
    return step;
}

} // namespace

class TestContainers : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void commandLines()
    {
        ContainerSpec spec;
        spec.container.options = "--cpus 1 --label 'a b'";
        spec.container.env = {{"PASSWORD", "hidden"}, {"HOME_OF", ""}};
        spec.container.ports = {"8080:80", "90"};
        spec.container.volumes = {"/a:/b:ro", "data:/data"};
        spec.image = "debian";
        spec.name = "db_1";
        spec.network = "net";
        spec.networkAlias = "db";
        spec.jobLabel = "slipway.job=7";
        spec.idle = false;
        spec.mounts = {{"/w/1", "/__w/1"}};
        QCOMPARE(
            join(createArguments(spec), "|"),
            std::string(
                "create|--name|db_1|--label|slipway.job=7|--network|net|--network-alias|db|"
                "--publish|8080:80|--publish|90|--env|PASSWORD|--env|HOME_OF|--volume|/w/1:/__w/1|"
                "--volume|/a:/b:ro|--volume|data:/data|--cpus|1|--label|a b|debian"));
        QCOMPARE(containerEnvironment(spec.container), (Environment{{"PASSWORD", "hidden"}}));
        spec = {};
        spec.image = "debian";
        VERIFY_CONTAINS(join(createArguments(spec), "|"), "--init|--entrypoint||debian|sh|-c|");
        spec.container.options = "--entrypoint=/bin/busybox";
        VERIFY_CONTAINS(join(createArguments(spec), "|"),
                        "--init|--entrypoint=/bin/busybox|debian|sh|-c|");
    }

    void execKeepsValuesOutOfArguments()
    {
        ExecSpec spec;
        spec.container = "id";
        spec.user = "1:2";
        spec.workingDirectory = "/w";
        spec.pidFile = "/t/p";
        spec.prependPath = "/opt/x";
        spec.program = "bash";
        spec.arguments = {"f.sh"};
        spec.environment = {{"TOKEN", "s3cret"},
                            {"DOCKER_HOST", "tcp://other"},
                            {"DOCKER_TLS_VERIFY", "1"},
                            {"PATH", "/x"}};
        const auto call = execCall(spec, {{"HOME", "/root"}, {"DOCKER_HOST", "unix:///e.sock"}});
        const auto text = join(call.arguments, "|");
        VERIFY_CONTAINS(text, "--host|unix:///e.sock|--config|/root/"
                              ".docker|exec|--interactive|--user|1:2|--workdir|/w|"
                              "--env|TOKEN|--env|DOCKER_HOST|--env|SLIPWAY_PREPEND_PATH|id|sh|-c|");
        QVERIFY(text.ends_with("|/t/p|bash|f.sh"));
        QVERIFY(text.find("s3cret") == std::string::npos);
        QCOMPARE(*findEnvironment(call.environment, "TOKEN"), std::string("s3cret"));
        QVERIFY(findEnvironment(call.environment, "DOCKER_TLS_VERIFY") == nullptr);
    }

    void portsAndImages()
    {
        QCOMPARE(
            publishedPorts(
                "80/tcp -> 0.0.0.0:32768\n80/tcp -> [::]:32768\n53/udp -> 0.0.0.0:5353\nx\n"),
            (std::vector<std::pair<std::string, std::string>>{{"80", "32768"}, {"53", "5353"}}));
        QCOMPARE(imageAt("h:5000", "team/web"), std::string("h:5000/team/web"));
        QCOMPARE(imageAt("h:5000", "h:5000/team/web"), std::string("h:5000/team/web"));
        QCOMPARE(imageAt("", "debian"), std::string("debian"));
    }

    void unknownTargetIsRefusedBeforeAnyStep()
    {
        JobRun run(job({script("touch begun"), onTarget(script("true"), "nowhere")}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.jobText(), "its target 'nowhere' is neither 'host' nor a container");
        QCOMPARE(run.stepResult(0), std::string("none"));
    }

    void startParts()
    {
        m_dockerHost = qgetenv("DOCKER_HOST").toStdString();
        if (m_dockerHost.empty())
            m_dockerHost = m_docker.start("DOCKER_HOST");
        if (m_dockerHost.empty())
            QSKIP(("no Docker Engine: " + m_docker.why()).constData());
        QProcessEnvironment more;
        more.insert(QStringLiteral("DOCKER_HOST"), QString::fromStdString(m_dockerHost));
        m_image = m_base.start("BASE_IMAGE", more);
        if (m_image.empty()) {
            m_dockerHost.clear();
            QSKIP(("no base image: " + m_base.why()).constData());
        }
    }

    void jobRunsInItsContainer()
    {
        ENGINE_OR_SKIP
        auto message = job(
            {script(
                 "echo inside > f; cat /etc/hostname; pwd; echo \"[$GREETING] [$TOKEN]\"; id -u"),
             onTarget(script("cat f; pwd"), "host"),
             script("echo \"##vso[task.prependpath]/opt/mine\""),
             script("echo \"$PATH\"; ls -d /__w/1/s /__w/_temp /__t; echo \"mode $MODE\""),
             script("test -S /var/run/docker.sock && echo socket; true")});
        message.container = container(m_image);
        message.container->env = {{"MODE", "test"}};
        message.variables.push_back({"greeting", "hi", false, false});
        message.variables.push_back({"password", "s3cret-value", true, false});
        message.steps[0].env = {{"TOKEN", "$(password)"}};
        JobRun run(message);
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        const auto sources = (run.options.work / "1" / "s").string();
        VERIFY_CONTAINS(run.stepText(0), "\n" + sources + "\n[hi] [***]\n0\n");
        QVERIFY(run.stepText(0).find("\n" + QSysInfo::machineHostName().toStdString() + "\n") ==
                std::string::npos);
        VERIFY_CONTAINS(run.stepText(1), "inside\n" + sources);
        VERIFY_CONTAINS(run.stepText(3), "\n/opt/mine:/");
        VERIFY_CONTAINS(run.stepText(3), "/__w/1/s");
        VERIFY_CONTAINS(run.stepText(3), "mode test");
        QVERIFY(run.stepText(4).find("socket\n##") == std::string::npos);
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void dockerSocketWhenAskedFor()
    {
        ENGINE_OR_SKIP
        auto message = job({script("test -S /var/run/docker.sock && echo has it")});
        message.container = container(m_image);
        message.container->mapDockerSocket = true;
        JobRun run(message);
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void servicesAreHealthyAndReachableByName()
    {
        ENGINE_OR_SKIP
        auto message =
            job({script("getent hosts db && echo found; test -e /__w/1/s/ready && echo healthy"),
                 onTarget(script("echo \"port $AGENT_SERVICES_DB_PORTS_4000\""), "host"),
                 onTarget(script("echo in the service; cat /proc/1/comm"), "db")});
        message.container = container(m_image);
        auto db = container("service");
        // Healthy only after a while: steps must not begin before.
        db.options =
            "--health-cmd 'test -f /__w/1/s/ready' --health-interval 1s --health-retries 30";
        db.ports = {"4000"};
        message.services = {{"db", db}};
        JobRun run(message);
        prepare(run);
        buildService(run, "sleep 2; touch /__w/1/s/ready; exec sleep 1000");
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(0), "found\nhealthy");
        VERIFY_CONTAINS(run.stepText(1), "port ");
        QVERIFY(run.stepText(1).find("port \n") == std::string::npos);
        VERIFY_CONTAINS(run.stepText(2), "in the service");
        VERIFY_CONTAINS(run.jobText(), "Waiting until the service 'db' is healthy");
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    /// `Agent.ContainerMapping`: each container of the job under its own name, with the id of the
    /// one that runs. A container's host name is the beginning of its id.
    void variableNamesAllContainers()
    {
        ENGINE_OR_SKIP
        auto message = job({script("hostname; echo \"own $AGENT_CONTAINERID\""),
                            onTarget(script("cat /etc/hostname"), "Db"),
                            onTarget(script("echo \"$AGENT_CONTAINERMAPPING\""), "host")});
        message.container = container(m_image);
        message.container->alias = "Linux";
        message.services = {{"Db", container("service")}};
        JobRun run(message);
        prepare(run);
        buildService(run, "exec sleep 1000");
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        const std::string text = run.stepText(2);
        const std::size_t start = text.rfind("\n{") + 1;
        const auto mapping = nlohmann::json::parse(
            text.substr(start, text.find('\n', start) - start), nullptr, false);
        QVERIFY2(mapping.is_object() && mapping.size() == 2, text.c_str());
        for (const auto &[alias, step] :
             {std::pair<const char *, std::size_t>{"Linux", 0}, {"Db", 1}}) {
            const std::string id = mapping.at(alias).at("id");
            QCOMPARE(id.size(), 64U);
            std::string line = "\n";
            line.append(id, 0, 12).append("\n");
            VERIFY_CONTAINS(run.stepText(step), line);
        }
        VERIFY_CONTAINS(run.stepText(0), "own " + std::string(mapping.at("Linux").at("id")) + "\n");
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void failures_data()
    {
        QTest::addColumn<QByteArray>("image");
        QTest::addColumn<QByteArray>("options");
        QTest::addColumn<QByteArray>("service");
        QTest::addColumn<QByteArray>("part");
        QTest::newRow("image that nobody has") << QByteArray("localhost:1/nothing") << QByteArray()
                                               << QByteArray() << QByteArray("cannot be pulled");
        QTest::newRow("image without a shell")
            << QByteArray("empty") << QByteArray() << QByteArray() << QByteArray("has no shell");
        QTest::newRow("bad option") << QByteArray() << QByteArray("--no-such-option")
                                    << QByteArray() << QByteArray("docker create");
        QTest::newRow("service that ends")
            << QByteArray() << QByteArray() << QByteArray("echo why it failed; exit 3")
            << QByteArray("does not stay up");
        QTest::newRow("unhealthy service")
            << QByteArray() << QByteArray() << QByteArray("exec sleep 1000")
            << QByteArray("is unhealthy");
    }

    void failures()
    {
        ENGINE_OR_SKIP
        QFETCH(QByteArray, image);
        QFETCH(QByteArray, options);
        QFETCH(QByteArray, service);
        QFETCH(QByteArray, part);
        auto always = script("echo never in a container");
        always.condition = "always()";
        auto message = job({script("true"), always});
        message.container = container(image.isEmpty() ? m_image : image.toStdString());
        message.container->options = options.toStdString();
        JobRun run(message);
        prepare(run);
        if (!service.isEmpty()) {
            auto sick = container("service");
            sick.options = "--health-cmd false --health-interval 1s --health-retries 1";
            run.message.services = {{"sick", sick}};
            buildService(run, service.toStdString());
        }
        if (image == "empty")
            build(run, "empty", "FROM scratch\nCOPY Dockerfile /f\n");
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(completion.message, part.toStdString());
        QCOMPARE(run.stepResult(0), std::string("skipped"));
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void failedStepLeavesNothing()
    {
        ENGINE_OR_SKIP
        auto message = job({script("sleep 1000 & exit 4")});
        message.container = container(m_image);
        JobRun run(message);
        prepare(run);
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "exited with code '4'");
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void cancelReachesTheProcessInside()
    {
        ENGINE_OR_SKIP
        auto after = script("echo after the cancel");
        after.condition = "always()";
        auto message =
            job({script("trap 'echo got INT; exit 1' INT; echo begun; while :; do sleep 0.1; done"),
                 after});
        message.container = container(m_image);
        JobRun run(message);
        prepare(run);
        run.options.interruptGrace = std::chrono::seconds(20);
        bool asked = false;
        run.sink.onLog = [&](const std::string &, std::string_view bytes) {
            if (!asked && bytes.find("Z begun") != std::string_view::npos) {
                asked = true;
                run.stop.request(StopReason::Canceled);
            }
        };
        QCOMPARE(toString(run.go().result), toString(TaskResult::Canceled));
        VERIFY_CONTAINS(run.stepText(0), "got INT");
        VERIFY_CONTAINS(run.stepText(1), "after the cancel");
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void killOfTheJobProcessLeavesNothing()
    {
        ENGINE_OR_SKIP
        auto message = job({script("echo begun; sleep 1000")});
        message.container = container(m_image);
        JobRun run(message);
        prepare(run);
        auto process = LocalJob::start(run.message, run.options, run.options.work / "artifacts");
        QVERIFY(process);
        bool begun = false;
        LocalEvents events;
        events.log = [&](const std::string &, std::string_view bytes) {
            begun |= bytes.find("Z begun") != std::string_view::npos;
        };
        pollfd ready{(*process)->fd(), POLLIN, 0};
        while (!begun && ::poll(&ready, 1, 60000) > 0 && (*process)->read(events)) {
        }
        QVERIFY(begun);
        QVERIFY(!nothingLeft(run.message.jobId, run.options.work));
        process->reset(); // kill -9 and the clean-up of whoever started it
        QVERIFY(nothingLeft(run.message.jobId, run.options.work));
    }

    void killOfWorkerAndJobLeavesNothing_data()
    {
        QTest::addColumn<bool>("jobToo");
        QTest::newRow("the worker alone: its job goes on and cleans up") << false;
        QTest::newRow("the job process, too: the next worker cleans up") << true;
    }

    void killOfWorkerAndJobLeavesNothing()
    {
        ENGINE_OR_SKIP
        QFETCH(bool, jobToo);
        FakeServer server;
        QTemporaryDir folder;
        const fs::path work = folder.path().toStdString();
        auto message =
            job({script("echo begun; while [ ! -e go ]; do sleep 0.1; done; echo over")});
        message.serverUrl = server.url();
        message.jobToken = "job-token";
        message.container = container(m_image);
        const auto service = fs::path(folder.path().toStdString()) / "service";
        fs::create_directories(service);
        QVERIFY(writeFile(service / "Dockerfile",
                          "FROM " + m_image + "\nCMD [\"sh\", \"-c\", \"sleep 1000\"]\n"));
        dockerSays(m_dockerHost,
                   {QStringLiteral("build"), QStringLiteral("--tag"),
                    QStringLiteral("killed-service"), QString::fromStdString(service.string())});
        message.services = {{"db", container("killed-service")}};
        message.services[0].second.localImage = true;

        QProcess first;
        startWorker(first, server.url(), folder.path(), m_dockerHost);
        QVERIFY(server.waitFor([](const FakeServer::State &state) {
            return state.count<schema::protocol::Hello>() > 0;
        }));
        server.send(schema::protocol::JobOffer{message});
        const auto printed = [](const FakeServer::State &state, const char *text) {
            return std::any_of(state.logs.begin(), state.logs.end(), [text](const auto &log) {
                return log.second.find(text) != std::string::npos;
            });
        };
        QVERIFY2(server.waitFor([&](const auto &state) { return printed(state, "Z begun"); },
                                std::chrono::seconds(120)),
                 first.readAll().constData());
        QVERIFY(!nothingLeft(message.jobId, work));
        const int pid = Spool(work / "_jobs" / message.jobId).livingPid();
        QVERIFY(pid > 0);
        ::kill(static_cast<pid_t>(first.processId()), SIGKILL);
        if (jobToo)
            ::kill(pid, SIGKILL);
        QVERIFY(first.waitForFinished());

        QProcess next;
        startWorker(next, server.url(), folder.path(), m_dockerHost);
        if (!jobToo) {
            for (const auto &entry : fs::recursive_directory_iterator(work)) {
                if (entry.is_directory() && entry.path().filename() == "s")
                    QVERIFY(writeFile(entry.path() / "go", ""));
            }
        }
        QVERIFY2(server.waitFor(
                     [](const FakeServer::State &state) {
                         return state.count<schema::protocol::Finished>() == 1;
                     },
                     std::chrono::seconds(120)),
                 next.readAll().constData());
        const auto state = server.state();
        QCOMPARE(state.completions.size(), std::size_t(1));
        QCOMPARE(toString(state.completions[0].result),
                 toString(jobToo ? TaskResult::Failed : TaskResult::Succeeded));
        QCOMPARE(printed(state, "Z over"), !jobToo);
        QVERIFY(nothingLeft(message.jobId, work));
        QVERIFY(!fs::exists(work / "_temp") || fs::is_empty(work / "_temp"));
        next.terminate();
        QVERIFY(next.waitForFinished());
    }

    void foldersThatMayNotBeWritten()
    {
        ENGINE_OR_SKIP
        for (const bool closed : {false, true}) {
            auto message = job({script("touch here && echo work is open; "
                                       "touch \"$AGENT_TOOLSDIRECTORY/t\" && echo tools are open; "
                                       "touch \"$AGENT_TEMPDIRECTORY/t\" && echo temp is open")});
            message.container = container(m_image);
            if (closed)
                message.container->mountReadOnly = {"work", "tools"};
            JobRun run(message);
            prepare(run);
            QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(0).c_str());
            QCOMPARE(run.stepText(0).find("\nwork is open") == std::string::npos, closed);
            QCOMPARE(run.stepText(0).find("\ntools are open") == std::string::npos, closed);
            VERIFY_CONTAINS(run.stepText(0), "\ntemp is open");
        }
    }

    void localImagesAreNotPulled()
    {
        ENGINE_OR_SKIP
        auto message = job({script("echo inside")});
        message.container = container(m_image);
        message.container->localImage = true;
        JobRun run(message);
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        for (const auto &[id, log] : run.sink.logs)
            QVERIFY2(log.find(" pull ") == std::string::npos, log.c_str());

        message.container = container("nobody/has-this:1");
        message.container->localImage = true;
        JobRun missing(message);
        prepare(missing);
        const auto completion = missing.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(completion.message, "is not on this machine, and 'localImage: true'");
    }

    void privateRegistry()
    {
        ENGINE_OR_SKIP
        QProcessEnvironment secrets;
        secrets.insert(QStringLiteral("REGISTRY_USER"), QStringLiteral("u"));
        secrets.insert(QStringLiteral("REGISTRY_PASSWORD"), QStringLiteral("pull-s3cret"));
        const auto registry = m_registry.start("REGISTRY", secrets);
        if (registry.empty())
            QSKIP(("no registry: " + m_registry.why()).constData());
        schema::protocol::ServiceConnection connection;
        connection.id = connection.name = "Private";
        connection.type = "dockerregistry";
        connection.url = "http://" + registry;
        connection.parameters = {{"username", "u"}, {"password", "pull-s3cret"}};
        {
            JobRun push(job({task(
                "Docker@2",
                {{"containerRegistry", "Private"}, {"repository", "shell"}, {"tags", "1"}})}));
            prepare(push);
            push.message.connections = {connection};
            push.message.steps.insert(push.message.steps.begin(),
                                      script("echo FROM " + m_image + " > Dockerfile"));
            QVERIFY2(push.go().result == TaskResult::Succeeded, push.jobText().c_str());
        }
        dockerSays(m_dockerHost,
                   {QStringLiteral("rmi"), QString::fromStdString(registry + "/shell:1")});
        auto message = job({script(
            "echo works; cat ${DOCKER_CONFIG:-/root/.docker}/config.json 2>/dev/null; true")});
        message.container = container("shell:1");
        message.container->endpoint = "Private";
        for (const bool right : {false, true}) {
            auto used = connection;
            if (!right)
                used.parameters[1].second = "wrong";
            JobRun run(message);
            prepare(run);
            run.message.connections = {used};
            const auto completion = run.go();
            QVERIFY2((completion.result == TaskResult::Succeeded) == right, run.jobText().c_str());
            if (!right)
                VERIFY_CONTAINS(completion.message, "refused the credentials");
            for (const auto &[id, log] : run.sink.logs)
                QVERIFY(log.find("pull-s3cret") == std::string::npos);
            QVERIFY(nothingLeft(run.message.jobId, run.options.work));
            QVERIFY(fs::is_empty(run.options.work / "_temp"));
        }
    }

private:
    void prepare(JobRun &run) const
    {
        setEnvironment(run.options.environment, "DOCKER_HOST", m_dockerHost);
    }

    void build(JobRun &run, const char *name, const std::string &dockerfile) const
    {
        const auto folder = fs::path(run.folder.path().toStdString()) / name;
        fs::create_directories(folder);
        QVERIFY(writeFile(folder / "Dockerfile", dockerfile));
        dockerSays(m_dockerHost,
                   {QStringLiteral("build"), QStringLiteral("--tag"), QString::fromLatin1(name),
                    QString::fromStdString(folder.string())});
    }

    /// The image "service", which runs the shell text.
    void buildService(JobRun &run, const std::string &text) const
    {
        build(run, "service",
              "FROM " + m_image + "\nEXPOSE 4000\nCMD [\"sh\", \"-c\", \"" + text + "\"]\n");
    }

    bool nothingLeft(const std::string &jobId, const fs::path &work) const
    {
        const auto filter = QString::fromStdString("label=slipway.job=" + jobId);
        const auto containers =
            dockerSays(m_dockerHost, {QStringLiteral("ps"), QStringLiteral("-aq"),
                                      QStringLiteral("--filter"), filter});
        const auto networks =
            dockerSays(m_dockerHost, {QStringLiteral("network"), QStringLiteral("ls"),
                                      QStringLiteral("-q"), QStringLiteral("--filter"), filter});
        return containers.empty() && networks.empty() && !fs::exists(work / "_containers" / jobId);
    }

    Part m_docker{"docker"};
    Part m_base{"base-image"};
    Part m_registry{"registry"};
    std::string m_dockerHost, m_image;
};

int main(int argc, char **argv)
{
    if (argc == 4 && std::string(argv[1]) == "--listener")
        return runAsListener(argv);
    QCoreApplication application(argc, argv);
    TestContainers test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_containers.moc"
