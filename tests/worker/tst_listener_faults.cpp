// The worker as a process of its own when something is killed, away or full.
#include "support/listener_test.h"
#include "worker/base/text.h"
#include "worker/listener/job_process.h"
#include "worker/listener/listener.h"
#include "worker/sink/spool.h"

#include <QScopeGuard>

#include <atomic>
#include <csignal>
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

std::string withoutStamps(const std::string &log)
{
    std::string out;
    for (const auto &line : lines(log))
        out += line.substr(std::min<std::size_t>(line.size(), 29)) + "\n";
    return out;
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

class TestListenerFaults : public ListenerTest
{
    Q_OBJECT

private Q_SLOTS:

    void init() { begin(); }

    void cleanup() { end(); }

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
};

int main(int argc, char **argv)
{
    TestListenerFaults test;
    return listenerTestMain(test, argc, argv);
}

#include "tst_listener_faults.moc"
