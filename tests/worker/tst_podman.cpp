// Container jobs on Podman (tests/parts/podman), and that nothing is left of them however they end.
#include "support/part.h"
#include "support/recording_sink.h"
#include "worker/base/text.h"
#include "worker/local/local_job.h"

#include <QProcess>
#include <QTest>

#include <poll.h>

using namespace worker;
using namespace worker::test;
using schema::Container;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

class TestPodman : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase()
    {
        m_image = m_podman.start("BASE_IMAGE");
        if (m_image.empty())
            QSKIP(("no Podman: " + m_podman.why()).constData());
    }

    void jobRunsInItsContainer()
    {
        auto message = job({script("echo inside > f; pwd; echo \"[$TOKEN]\""),
                            script("cat f; test ! -e /run/.containerenv && echo host")});
        message.steps[1].target.emplace();
        message.steps[1].target->container = "host";
        message.container = container();
        message.variables.push_back({"password", "s3cret-value", true, false});
        message.steps[0].env = {{"TOKEN", "$(password)"}};
        JobRun run(message);
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(0), "/1/s\n[***]\n");
        VERIFY_CONTAINS(run.stepText(1), "\ninside\nhost\n");
        VERIFY_CONTAINS(run.jobText(), "Podman 4");
        QVERIFY(nothingLeft(run.message.jobId));
    }

    void servicesAreReachableByName()
    {
        auto message = job({script("getent hosts backend && echo found")});
        message.container = container();
        QVERIFY(buildImage("localhost/service", "CMD [\"sleep\", \"600\"]\n"));
        auto service = container();
        service.image = "localhost/service";
        message.services.emplace_back("backend", service);
        JobRun run(message);
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(0), "found\n");
        QVERIFY(nothingLeft(run.message.jobId));
    }

    void servicesAreWaitedFor_data()
    {
        QTest::addColumn<QByteArray>("check");
        QTest::addColumn<bool>("healthy");
        // Where systemd does not run, as in most containers, Podman itself never looks.
        QTest::newRow("healthy at the second look")
            << QByteArray("test -f /seen || ! touch /seen") << true;
        QTest::newRow("never healthy") << QByteArray("false") << false;
    }

    void servicesAreWaitedFor()
    {
        QFETCH(QByteArray, check);
        QFETCH(bool, healthy);
        auto message = job({script("echo ready")});
        message.container = container();
        QVERIFY(buildImage("localhost/checked", "HEALTHCHECK --interval=1s --retries=3 CMD " +
                                                    check + "\nCMD [\"sleep\", \"600\"]\n"));
        auto service = container();
        service.image = "localhost/checked";
        service.localImage = true;
        message.services.emplace_back("backend", service);
        JobRun run(message);
        prepare(run);
        QVERIFY2(run.go().result == (healthy ? TaskResult::Succeeded : TaskResult::Failed),
                 run.jobText().c_str());
        VERIFY_CONTAINS(run.jobText(), "Waiting until the service 'backend' is healthy");
        VERIFY_CONTAINS(run.jobText(), healthy ? "ready\n" : "the service 'backend' is unhealthy");
        QVERIFY(nothingLeft(run.message.jobId));
    }

    void dockerTaskBuildsAndPushes()
    {
        Part registry("registry");
        const auto host = registry.start("REGISTRY");
        if (host.empty())
            QSKIP(("no registry: " + registry.why()).constData());
        // As an operator names a registry without TLS.
        QVERIFY(writeFile(m_podman.folder() + "/registries.conf",
                          "[[registry]]\nlocation = \"" + host + "\"\ninsecure = true\n"));
        auto message =
            job({script("printf 'FROM scratch\\nCOPY f /f\\n' > Dockerfile; echo hi > f"),
                 task("Docker@2", {{"command", "buildAndPush"},
                                   {"containerRegistry", "Registry"},
                                   {"repository", "team/app"},
                                   {"tags", "7\nabc"}})});
        schema::protocol::ServiceConnection connection;
        connection.id = "c-1";
        connection.name = "Registry";
        connection.type = "dockerregistry";
        connection.url = "http://" + host;
        connection.scheme = "UsernamePassword";
        connection.parameters = {{"registry", "http://" + host},
                                 {"username", "registry-user"},
                                 {"password", "registry-pw"}};
        message.connections = {connection};
        JobRun run(message);
        prepare(run);
        setEnvironment(run.options.environment, "CONTAINERS_REGISTRIES_CONF",
                       m_podman.folder() + "/registries.conf");
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        QCOMPARE(run.sink.images.size(), std::size_t(1));
        QCOMPARE(run.sink.images[0].repository, host + "/team/app");
        QCOMPARE(run.sink.images[0].tags, (std::vector<std::string>{"7", "abc"}));
        QCOMPARE(run.sink.images[0].digest.size(), std::size_t(71));
        for (const auto &[id, log] : run.sink.logs)
            QVERIFY(log.find("registry-pw") == std::string::npos);
        QVERIFY(fs::is_empty(run.options.work / "_temp"));
    }

    void failedStepLeavesNothing()
    {
        auto message = job({script("exit 3")});
        message.container = container();
        JobRun run(message);
        prepare(run);
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        QVERIFY(nothingLeft(run.message.jobId));
    }

    void cancelAndKillLeaveNothing_data()
    {
        QTest::addColumn<bool>("kill");
        QTest::newRow("cancel") << false;
        QTest::newRow("kill -9 of the job process") << true;
    }

    void cancelAndKillLeaveNothing()
    {
        QFETCH(bool, kill);
        auto message = job({script("echo begun; sleep 1000")});
        message.container = container();
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
        QVERIFY(!nothingLeft(run.message.jobId));
        if (!kill) {
            (*process)->cancel();
            while (::poll(&ready, 1, 60000) > 0 && (*process)->read(events)) {
            }
            QCOMPARE(toString((*process)->completion().result), toString(TaskResult::Canceled));
        }
        process->reset(); // kill -9 of what still runs, and the clean-up of whoever started it
        QVERIFY(nothingLeft(run.message.jobId));
    }

private:
    Container container() const
    {
        Container out;
        out.image = m_image;
        out.mapDockerSocket = false;
        return out;
    }

    Environment environment() const
    {
        auto out = currentEnvironment();
        const auto folder = fs::path(m_podman.folder());
        setEnvironment(out, "CONTAINERS_CONF", (folder / "containers.conf").string());
        setEnvironment(out, "CONTAINERS_STORAGE_CONF", (folder / "storage.conf").string());
        return out;
    }

    void prepare(JobRun &run) const
    {
        run.options.containerEngine = "podman";
        run.options.environment = environment();
    }

    /// The base image with further lines of a Dockerfile; Docker's format keeps health checks.
    bool buildImage(const char *name, const QByteArray &lines) const
    {
        QProcess build;
        QProcessEnvironment all;
        for (const auto &[key, value] : environment())
            all.insert(QString::fromStdString(key), QString::fromStdString(value));
        build.setProcessEnvironment(all);
        build.start(QStringLiteral("podman"),
                    {QStringLiteral("build"), QStringLiteral("--format"), QStringLiteral("docker"),
                     QStringLiteral("--tag"), QString::fromLatin1(name), QStringLiteral("-")});
        build.write("FROM " + QByteArray::fromStdString(m_image) + "\n" + lines);
        build.closeWriteChannel();
        const bool built = build.waitForFinished(120000) && build.exitCode() == 0;
        if (!built)
            qWarning("%s", build.readAllStandardError().constData());
        return built;
    }

    bool nothingLeft(const std::string &jobId) const
    {
        QProcessEnvironment all;
        for (const auto &[name, value] : environment())
            all.insert(QString::fromStdString(name), QString::fromStdString(value));
        const auto says = [&all, &jobId](QStringList arguments) {
            QProcess process;
            process.setProcessEnvironment(all);
            arguments.append({QStringLiteral("--quiet"), QStringLiteral("--filter"),
                              QString::fromStdString("label=slipway.job=" + jobId)});
            process.start(QStringLiteral("podman"), arguments);
            process.waitForFinished();
            return process.exitCode() != 0 ? QByteArray("?")
                                           : process.readAllStandardOutput().trimmed();
        };
        return says({QStringLiteral("ps"), QStringLiteral("--all")}).isEmpty() &&
               says({QStringLiteral("network"), QStringLiteral("ls")}).isEmpty();
    }

    Part m_podman{"podman"};
    std::string m_image;
};

QTEST_GUILESS_MAIN(TestPodman)
#include "tst_podman.moc"
