// The worker as a process of its own against a small server: registration, jobs, faults.
#include "support/fake_server.h"
#include "support/recording_sink.h"
#include "worker/base/text.h"
#include "worker/listener/address.h"
#include "worker/listener/job_process.h"
#include "worker/listener/listener.h"
#include "worker/sink/spool.h"

#include <QProcess>
#include <QScopeGuard>
#include <QTest>

#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace worker;
using namespace worker::test;
namespace protocol = schema::protocol;
using schema::TaskResult;

namespace {

/// One worker process: this program again, as a listener.
class WorkerProcess
{
public:
    explicit WorkerProcess(const std::string &url, const QString &work, int slots = 1)
    {
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.start(QCoreApplication::applicationFilePath(),
                        {QStringLiteral("--listener"), QString::fromStdString(url), work,
                         QString::number(slots)});
        m_process.waitForStarted();
    }

    ~WorkerProcess()
    {
        if (m_process.state() != QProcess::NotRunning) {
            m_process.terminate();
            m_process.waitForFinished(1000);
            m_process.terminate(); // a second signal cancels
            if (!m_process.waitForFinished(15000))
                m_process.kill();
            m_process.waitForFinished();
        }
    }

    void signal(int number) { ::kill(static_cast<pid_t>(m_process.processId()), number); }

    bool waitForEnd() { return m_process.waitForFinished(20000); }

    int exitCode() const { return m_process.exitCode(); }

    QByteArray output()
    {
        m_process.waitForReadyRead(10);
        return m_process.readAll();
    }

private:
    QProcess m_process;
};

int runAsListener(char **argv)
{
    // The test program's sockets, its listening one above all, are none of this process's business.
    ::close_range(3, ~0U, 0);
    ListenerOptions options;
    options.url = argv[2];
    options.registrationToken = "good-token";
    options.name = "w";
    options.slots = std::stoi(argv[4]);
    options.worker.work = argv[3];
    options.worker.name = "w";
    options.worker.environment = currentEnvironment();
    options.worker.interruptGrace = std::chrono::milliseconds(300);
    options.worker.terminateGrace = std::chrono::milliseconds(300);
    const auto status = runListener(options, [](const std::string &line) {
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    });
    if (!status)
        std::printf("%s\n", status.error().message.c_str());
    return status ? 0 : 2;
}

protocol::JobMessage jobFor(const FakeServer &server, std::vector<schema::Step> steps)
{
    auto message = job(std::move(steps));
    message.serverUrl = server.url();
    message.jobToken = "job-token";
    return message;
}

std::string withoutStamps(const std::string &log)
{
    std::string out;
    for (const auto &line : lines(log))
        out += line.substr(std::min<std::size_t>(line.size(), 29)) + "\n";
    return out;
}

bool connected(const FakeServer::State &state)
{
    return state.count<protocol::Hello>() > 0;
}

/// Why the worker takes no jobs, by what it said last.
std::string unavailable(const FakeServer::State &state)
{
    std::string out;
    const auto look = [&out](const std::vector<protocol::Capability> &capabilities) {
        out.clear();
        for (const auto &capability : capabilities)
            out = capability.name == protocol::kUnavailable ? capability.value : out;
    };
    for (const auto &frame : state.frames) {
        if (const auto *hello = std::get_if<protocol::Hello>(&frame))
            look(hello->capabilities);
        else if (const auto *changed = std::get_if<protocol::CapabilitiesChanged>(&frame))
            look(changed->capabilities);
    }
    return out;
}

} // namespace

class TestListener : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_server = std::make_unique<FakeServer>();
        m_worker.reset();
    }

    void cleanup()
    {
        if (QTest::currentTestFailed() && m_worker)
            qWarning("worker: %s", m_worker->output().constData());
        m_worker.reset();
        const auto errors = m_server->state().errors;
        QVERIFY2(errors.empty(), errors.empty() ? "" : errors.front().c_str());
    }

    void runsAJob()
    {
        start();
        const auto message = jobFor(
            *m_server, {script("echo hello; echo world"), script("echo '##vso[task.setvariable "
                                                                 "variable=o;isOutput=true]v'",
                                                                 "out")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        const auto state = m_server->state();
        QCOMPARE(state.count<protocol::Accepted>(), 1);
        QCOMPARE(state.completions.size(), std::size_t(1));
        QCOMPARE(toString(state.completions[0].result), toString(TaskResult::Succeeded));
        QCOMPARE(state.completions[0].outputs.size(), std::size_t(1));
        const auto text = withoutStamps(state.logs.at(message.recordId));
        QVERIFY2(text.find("\nhello\nworld\n") != std::string::npos, text.c_str());
        QVERIFY(state.records.at(message.recordId).result == TaskResult::Succeeded);
        QVERIFY(fs::is_empty(work() / "_jobs"));
        QCOMPARE(fs::status(work() / ".worker.json").permissions(),
                 fs::perms::owner_read | fs::perms::owner_write);
    }

    void artifactsTravelBothWays()
    {
        start();
        auto publish =
            task("ecdc45f6-832d-4ad9-b52b-ee49e94659be@1",
                 {{"path", "$(Build.ArtifactStagingDirectory)"}, {"artifactName", "drop"}});
        auto download = task("30f35852-3f7e-4c0c-9a88-e127b4f97211@1", {{"alias", "current"}});
        const auto message = jobFor(
            *m_server,
            {script("mkdir -p $(Build.ArtifactStagingDirectory)/x && echo data > "
                    "$(Build.ArtifactStagingDirectory)/x/f && chmod 750 "
                    "$(Build.ArtifactStagingDirectory)/x/f"),
             publish, download,
             script(
                 "cat $(Pipeline.Workspace)/drop/x/f; stat -c %a $(Pipeline.Workspace)/drop/x/f")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        const auto state = m_server->state();
        const auto text = withoutStamps(state.logs.at(message.recordId));
        QVERIFY2(text.find("\ndata\n750\n") != std::string::npos, text.c_str());
    }

    void theServerGoesAwayAndComesBack()
    {
        start();
        const auto message =
            jobFor(*m_server, {script("for i in $(seq 1 200); do echo line $i; sleep 0.01; done")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor([&](const FakeServer::State &state) {
            const auto it = state.logs.find(message.recordId);
            return it != state.logs.end() && it->second.find("line 20") != std::string::npos;
        }));
        m_server->stop();
        QTest::qWait(700);
        m_server->start();
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        const auto state = m_server->state();
        const auto text = withoutStamps(state.logs.at(message.recordId));
        std::string expected;
        for (int i = 1; i <= 200; ++i)
            expected += "line " + std::to_string(i) + "\n";
        QVERIFY2(text.find(expected) != std::string::npos, text.c_str());
        QCOMPARE(text.find("line 50\n"), text.rfind("line 50\n"));
        QCOMPARE(state.completions.size(), std::size_t(1));
    }

    void serverErrorsAreTriedAgain()
    {
        start();
        m_server->answerBulkWith(503);
        const auto message = jobFor(*m_server, {script("echo hello")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Accepted>() == 1; }));
        QTest::qWait(400);
        m_server->answerBulkWith(0);
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        QVERIFY(m_server->state().logs.at(message.recordId).find("hello") != std::string::npos);
    }

    /// The offer may have expired on its way: the job may be another worker's by now.
    void nothingRunsBeforeTheLeaseIsConfirmed_data()
    {
        QTest::addColumn<bool>("cancel");
        QTest::addColumn<int>("answer");
        QTest::addColumn<bool>("runs");
        QTest::newRow("given to another") << false << 409 << false;
        QTest::newRow("token is void") << false << 401 << false;
        QTest::newRow("server comes back") << false << 0 << true;
        QTest::newRow("canceled meanwhile") << true << 0 << false;
    }

    void nothingRunsBeforeTheLeaseIsConfirmed()
    {
        QFETCH(bool, cancel);
        QFETCH(int, answer);
        QFETCH(bool, runs);
        start();
        m_server->answerBulkWith(503);
        const auto mark = work() / "ran";
        auto step = script("touch " + mark.string());
        step.condition = "always()";
        const auto message = jobFor(*m_server, {step});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(
            m_server->waitFor([](const FakeServer::State &state) { return state.refusals >= 4; }));
        QVERIFY(!fs::exists(mark));
        if (cancel) {
            m_server->send(protocol::CancelJob{message.jobId, "by a person"});
            const int before = m_server->state().refusals;
            QVERIFY(m_server->waitFor(
                [&](const FakeServer::State &state) { return state.refusals > before; }));
        }
        m_server->answerBulkWith(answer);
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        QCOMPARE(fs::exists(mark), runs);
        QCOMPARE(m_server->state().completions.size(), std::size_t(answer == 0 ? 1 : 0));
        if (cancel)
            QCOMPARE(toString(m_server->state().completions[0].result),
                     toString(TaskResult::Canceled));
    }

    void aKilledJobProcessIsReportedOnce()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 100")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        const int pid = Spool(work() / "_jobs" / message.jobId).livingPid();
        QVERIFY(pid > 0);
        ::kill(pid, SIGKILL);
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        const auto state = m_server->state();
        QCOMPARE(state.completions.size(), std::size_t(1));
        QCOMPARE(toString(state.completions[0].result), toString(TaskResult::Failed));
        QVERIFY(state.completions[0].message.find("unexpectedly") != std::string::npos);
        for (const auto &[id, record] : state.records)
            QVERIFY(record.state == schema::RecordState::Completed);
        QVERIFY(!stepsAlive(message));
    }

    void aKilledListenerFindsItsJobsAgain()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 1.5; echo ended")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        m_worker->signal(SIGKILL);
        m_worker->waitForEnd();
        m_worker = std::make_unique<WorkerProcess>(m_server->url(), m_folder->path());
        QVERIFY(m_server->waitFor([&](const FakeServer::State &state) {
            const auto *hello = std::get_if<protocol::Hello>(&state.frames.back());
            return state.count<protocol::Hello>() == 2 &&
                   (hello == nullptr || hello->running == std::vector{message.jobId});
        }));
        m_server->send(protocol::JobOffer{message}); // offered again: nothing starts twice
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        const auto state = m_server->state();
        QCOMPARE(state.registrations, 1);
        QCOMPARE(state.count<protocol::Accepted>(), 2);
        QCOMPARE(state.completions.size(), std::size_t(1));
        const auto text = withoutStamps(state.logs.at(message.recordId));
        QVERIFY2(text.find("\nbegun\nended\n") != std::string::npos, text.c_str());
    }

    void bothKilledIsDeliveredByTheNext()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 100")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        const int pid = Spool(work() / "_jobs" / message.jobId).livingPid();
        m_worker->signal(SIGKILL);
        ::kill(pid, SIGKILL);
        m_worker->waitForEnd();
        m_worker = std::make_unique<WorkerProcess>(m_server->url(), m_folder->path());
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        QCOMPARE(toString(m_server->state().completions[0].result), toString(TaskResult::Failed));
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        QVERIFY(!stepsAlive(message));
    }

    // Found by tests/tools/faults (seed 1002): such a job was reported as failed.
    void addressOfTheServer()
    {
        schema::protocol::JobMessage job;
        job.serverUrl = "http://127.0.0.1:8480";
        job.variables = {{"System.CollectionUri", "http://127.0.0.1:8480/", false, true},
                         {"other", "http://127.0.0.1:84801/", false, false},
                         {"secret", "http://127.0.0.1:8480/", true, false}};
        job.repositories.resize(2);
        job.repositories[0].url = "http://127.0.0.1:8480/p/_git/r";
        job.repositories[1].url = "https://elsewhere/r";
        worker::readdress(job, "https://ci.example");
        QCOMPARE(job.serverUrl, std::string("https://ci.example"));
        QCOMPARE(job.variables[0].value, std::string("https://ci.example/"));
        QCOMPARE(job.variables[1].value, std::string("http://127.0.0.1:84801/"));
        QCOMPARE(job.variables[2].value, std::string("http://127.0.0.1:8480/"));
        QCOMPARE(job.repositories[0].url, std::string("https://ci.example/p/_git/r"));
        QCOMPARE(job.repositories[1].url, std::string("https://elsewhere/r"));
    }

    void aJobTakenByAKilledListenerIsStartedByTheNext()
    {
        start();
        QVERIFY(m_server->waitFor(connected));
        m_worker->signal(SIGKILL);
        m_worker->waitForEnd();
        // As far as the other one came: the job is on disk, its process was not started.
        const auto message = jobFor(*m_server, {script("echo hello")});
        QVERIFY(bool(Spool::create(work() / "_jobs" / message.jobId, message)));
        m_worker = std::make_unique<WorkerProcess>(m_server->url(), m_folder->path());
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        const auto state = m_server->state();
        QCOMPARE(state.completions.size(), std::size_t(1));
        QCOMPARE(toString(state.completions[0].result), toString(TaskResult::Succeeded));
    }

    void whatTheServerHasNeedsNoRoom()
    {
        const auto message = jobFor(*m_server, {});
        Spool spool(work() / "_jobs" / message.jobId);
        QVERIFY(bool(Spool::create(spool.folder(), message)));
        constexpr std::size_t kPiece = 1U << 20U;
        for (char c = 'a'; c < 'a' + 8; ++c)
            QVERIFY(bool(spool.appendLog("r", std::string(kPiece, c))));
        const auto blocks = [&spool] {
            struct stat info{};
            return ::stat((spool.folder() / "log-r").c_str(), &info) == 0 ? info.st_blocks : 0;
        };
        const auto before = blocks();
        spool.forgetLog("r", 6 * kPiece);
        if (blocks() == before)
            QSKIP("this file system cannot give back a part of a file");
        QVERIFY(blocks() <= before / 8 * 2 + 16);
        QCOMPARE(spool.logLength("r"), 8 * kPiece);
        QCOMPARE(spool.readLog("r", 6 * kPiece, 3 * kPiece).value(),
                 std::string(kPiece, 'g') + std::string(kPiece, 'h'));
        QVERIFY(bool(spool.appendLog("r", "end")));
        QCOMPARE(spool.readLog("r", 8 * kPiece, 100).value(), std::string("end"));
        spool.forgetLog("nothing", 1);
    }

    void aJobProcessIsKnownByItsLockAlone()
    {
        WorkerOptions options;
        options.work = work();
        options.name = "w";
        auto message = jobFor(*m_server, {});
        message.serverUrl =
            "http://127.0.0.1:1"; // nobody confirms it: nothing begins, and it waits
        const fs::path folder = work() / "_jobs" / message.jobId;
        QVERIFY(bool(Spool::create(folder, message)));
        QVERIFY(!isJobProcessAlive(folder));
        const auto pid = startJobProcess(folder, options, JobProcessMode::Run, &message);
        QVERIFY(bool(pid));
        QVERIFY(isJobProcessAlive(folder));
        ::kill(*pid, SIGKILL);
        ::waitpid(*pid, nullptr, 0);
        QVERIFY(!isJobProcessAlive(folder));
    }

    void aFullDiskTakesNoJobs()
    {
        if (::mount("tmpfs", m_folder->path().toUtf8().constData(), "tmpfs", 0, "size=32m") != 0)
            QSKIP("mounting a small file system needs root");
        const auto unmount = qScopeGuard([this] {
            m_worker.reset();
            ::umount2(m_folder->path().toUtf8().constData(), MNT_DETACH);
        });
        start();
        QVERIFY(m_server->waitFor(connected));
        QVERIFY(!writeFile(work() / "fill", std::string(40U << 20U, 'x')));
        const auto message = jobFor(*m_server, {script("echo hello")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Refused>() == 1; }));
        const auto before = m_server->state();
        QCOMPARE(before.count<protocol::Accepted>(), 0);
        QVERIFY(before.completions.empty());
        // Said before the refusal, so that the job is not offered to this worker again.
        const auto said = unavailable(before);
        QVERIFY2(said.find("no disk space: ") == 0, said.c_str());
        QVERIFY(std::holds_alternative<protocol::Refused>(before.frames.back()));
        fs::remove(work() / "fill");
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return unavailable(state).empty(); }));
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        QCOMPARE(toString(m_server->state().completions[0].result),
                 toString(TaskResult::Succeeded));
    }

    /// Its process cannot even note its number in the job's folder.
    void aJobThatBeginsOnAFullDiskSaysSo()
    {
        if (::mount("tmpfs", m_folder->path().toUtf8().constData(), "tmpfs", 0, "size=1m") != 0)
            QSKIP("mounting a small file system needs root");
        const auto unmount =
            qScopeGuard([this] { ::umount2(m_folder->path().toUtf8().constData(), MNT_DETACH); });
        WorkerOptions options;
        options.work = work();
        prepareJobLog(options.work);
        const auto message = jobFor(*m_server, {script("echo hello")});
        const fs::path folder = work() / "_jobs" / message.jobId;
        QVERIFY(bool(Spool::create(folder, message)));
        QVERIFY(!writeFile(work() / "fill", std::string(2U << 20U, 'x')));
        const auto endOf = [&](JobProcessMode mode) {
            const auto pid = startJobProcess(folder, options, mode, nullptr);
            int status = -1;
            return pid && ::waitpid(*pid, &status, 0) == *pid ? WEXITSTATUS(status) : -1;
        };
        QCOMPARE(endOf(JobProcessMode::Run), 1);
        QCOMPARE(endOf(JobProcessMode::Deliver), 1); // nothing can be written yet
        QVERIFY(m_server->state().completions.empty());
        fs::remove(work() / "fill");
        QCOMPARE(endOf(JobProcessMode::Deliver), 0);
        const auto after = m_server->state();
        QCOMPARE(after.completions.size(), std::size_t(1));
        QCOMPARE(toString(after.completions[0].result), toString(TaskResult::Failed));
        const std::string said = after.completions[0].message;
        QVERIFY2(said.find("No command of this job ran") == 0, said.c_str());
        QVERIFY2(said.find("no disk space") != std::string::npos, said.c_str());
        QVERIFY(after.logs.at(message.recordId).find(said) != std::string::npos);
        QVERIFY(Spool(folder).isDone());
    }

    /// A job that ends while nothing can be written is told of when there is room again, without a
    /// restart of the worker, and nothing of it stays on the disk.
    void aJobThatEndedOnAFullDiskIsDeliveredLater()
    {
        // The folders of jobs are a file system of their own: what a job frees when it tidies up
        // must not be the room in which its end is then written.
        const fs::path jobs = work() / "_jobs";
        if (::mount("tmpfs", work().c_str(), "tmpfs", 0, "size=32m") != 0)
            QSKIP("mounting a small file system needs root");
        const auto unmount = qScopeGuard([&] {
            m_worker.reset();
            ::umount2(jobs.c_str(), MNT_DETACH);
            ::umount2(work().c_str(), MNT_DETACH);
        });
        QVERIFY(fs::create_directory(jobs));
        QCOMPARE(::mount("tmpfs", jobs.c_str(), "tmpfs", 0, "size=1m"), 0);
        const QTemporaryDir elsewhere;
        const auto go = elsewhere.filePath(QStringLiteral("go")).toStdString();
        start();
        // The variable makes the end larger than what may be left of the journal's last page.
        const auto message = jobFor(
            *m_server, {script("echo \"##vso[task.setvariable variable=long;isOutput=true]$(printf "
                               "'%09000d' 0)\"; echo begun; while [ ! -e " +
                               go + " ]; do sleep 0.05; done")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        for (const auto &folder : {work(), jobs})
            QVERIFY(!writeFile(folder / "fill", std::string(40U << 20U, 'x')));
        QVERIFY(writeFile(go, ""));
        QVERIFY(m_server->waitFor([](const FakeServer::State &state) {
            return state.count<protocol::Finished>() == 1 || !state.completions.empty();
        }));
        QVERIFY(m_server->state().completions.empty());
        for (const auto &folder : {work(), jobs})
            fs::remove(folder / "fill");
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        QTRY_VERIFY(!fs::exists(jobs / message.jobId));
    }

    void cancelEndsTheStep()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 100")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        m_server->send(protocol::CancelJob{message.jobId, "by a person"});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        QCOMPARE(toString(m_server->state().completions[0].result), toString(TaskResult::Canceled));
        QVERIFY(!stepsAlive(message));
    }

    void aLostLeaseEndsTheJobSilently()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 100")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        m_server->send(protocol::LeaseLost{message.jobId});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        // What the server still answers 2xx to may arrive; a completion must not have to.
        QVERIFY(!stepsAlive(message));
    }

    void aRefusedTokenEndsTheJob()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 100; echo never")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        m_server->answerBulkWith(409);
        auto other = message;
        QVERIFY(Spool(work() / "_jobs" / message.jobId).livingPid() > 0);
        // The next delivery learns it; the step prints nothing, so a cancel makes one.
        m_server->send(protocol::CancelJob{message.jobId, ""});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Finished>() == 1; }));
        QVERIFY(m_server->state().completions.empty());
        QVERIFY(!stepsAlive(message));
    }

    void slotsAreKept()
    {
        start(2);
        const auto a = jobFor(*m_server, {script("echo begun; sleep 1")});
        const auto b = jobFor(*m_server, {script("echo begun; sleep 1")});
        // Two wait for the slots, as when the server heard of the end before the processes were
        // gone.
        const auto c = jobFor(*m_server, {script("echo begun")});
        const auto d = jobFor(*m_server, {script("echo begun")});
        const auto e = jobFor(*m_server, {script("echo begun")});
        for (const auto &message : {a, b, c, d, e})
            m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Refused>() == 1; }));
        QCOMPARE(m_server->state().count<protocol::Accepted>(), 2);
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.completions.size() == 4; }));
        QCOMPARE(m_server->state().count<protocol::Accepted>(), 4);
        QVERIFY(!m_server->state().records.contains(e.recordId));
    }

    void drainsOnTerminate()
    {
        start();
        const auto message = jobFor(*m_server, {script("echo begun; sleep 0.5; echo ended")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        m_worker->signal(SIGTERM);
        QVERIFY(m_worker->waitForEnd());
        QCOMPARE(m_worker->exitCode(), 0);
        const auto state = m_server->state();
        QCOMPARE(state.completions.size(), std::size_t(1));
        QCOMPARE(toString(state.completions[0].result), toString(TaskResult::Succeeded));
    }

    void leasesAreRenewed()
    {
        start(); // the server grants 3 s: renewed every second
        const auto message = jobFor(*m_server, {script("sleep 2.5")});
        m_server->send(protocol::JobOffer{message});
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return state.count<protocol::Renew>() >= 2; }));
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
    }

    void secretsAreInNoArgumentAndNoReadableFile()
    {
        start();
        auto message = jobFor(*m_server, {script("cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' "
                                                 "> $(Agent.BuildDirectory)/cmdlines; echo begun; "
                                                 "sleep 0.3")});
        message.variables = {{"pw", "very-secret-pw", true, false}};
        message.steps[0].env = {{"PW", "$(pw)"}};
        m_server->send(protocol::JobOffer{message});
        QVERIFY(waitForLog(message, "begun"));
        const auto file = work() / "_jobs" / message.jobId / "job.json";
        QCOMPARE(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
        QVERIFY(m_server->waitFor(
            [](const FakeServer::State &state) { return !state.completions.empty(); }));
        const auto lines = readFile(work() / "1" / "cmdlines");
        QVERIFY(lines);
        QVERIFY(lines->find("very-secret-pw") == std::string::npos);
        QVERIFY(lines->find("job-token") == std::string::npos);
        QVERIFY(lines->find("w-secret") == std::string::npos);
    }

    void aWrongTokenIsSaidClearly()
    {
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        m_server->stop();
        m_server->start();
        // No token at all: not registered, nothing to register with.
        ListenerOptions options;
        options.url = m_server->url();
        options.worker.work = work();
        const auto status = runListener(options, [](const std::string &) {});
        QVERIFY(!status);
        QVERIFY(status.error().message.find("registration token") != std::string::npos);
        QVERIFY(status.error().message.find("slipway pool token") != std::string::npos);
        options.registrationToken = "wrong";
        options.tokenFrom = "the file 'token'";
        const auto again = runListener(options, [](const std::string &) {});
        QVERIFY(!again);
        const std::string said = again.error().message;
        QVERIFY2(said.starts_with(m_server->url() +
                                  " does not accept the registration token of the file 'token'"),
                 said.c_str());
        QVERIFY2(said.find("get a new one with 'slipway pool token") != std::string::npos,
                 said.c_str());
    }

private:
    fs::path work() const { return m_folder->path().toStdString(); }

    void start(int slots = 1)
    {
        m_worker = std::make_unique<WorkerProcess>(m_server->url(), m_folder->path(), slots);
        if (!m_server->waitFor(connected))
            QFAIL(m_worker->output().constData());
    }

    bool waitForLog(const protocol::JobMessage &message, const std::string &text)
    {
        return m_server->waitFor([&](const FakeServer::State &state) {
            const auto it = state.logs.find(message.recordId);
            return it != state.logs.end() &&
                   it->second.find("Z " + text + "\n") != std::string::npos;
        });
    }

    static bool stepsAlive(const protocol::JobMessage &message)
    {
        const auto mark = "VSTS_PROCESS_LOOKUP_ID=" + processLookupId(message.jobId);
        for (const auto &entry : fs::directory_iterator("/proc")) {
            const auto text = readFile(entry.path() / "environ");
            if (text && text->find(mark) != std::string::npos)
                return true;
        }
        return false;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<FakeServer> m_server;
    std::unique_ptr<WorkerProcess> m_worker;
};

int main(int argc, char **argv)
{
    if (argc == 5 && std::strcmp(argv[1], "--listener") == 0)
        return runAsListener(argv);
    QCoreApplication application(argc, argv);
    TestListener test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_listener.moc"
