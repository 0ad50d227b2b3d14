// The worker as a process of its own against a small server: registration, jobs, its end.
#include "support/listener_test.h"
#include "worker/base/text.h"
#include "worker/listener/address.h"
#include "worker/listener/listener.h"
#include "worker/sink/spool.h"

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

} // namespace

class TestListener : public ListenerTest
{
    Q_OBJECT

private Q_SLOTS:

    void init() { begin(); }

    void cleanup() { end(); }

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
};

int main(int argc, char **argv)
{
    TestListener test;
    return listenerTestMain(test, argc, argv);
}

#include "tst_listener.moc"
