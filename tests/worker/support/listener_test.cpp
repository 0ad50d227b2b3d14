#include "listener_test.h"

#include "worker/base/text.h"
#include "worker/listener/job_process.h"
#include "worker/listener/listener.h"

#include <cstring>
#include <unistd.h>

namespace worker::test {

namespace protocol = schema::protocol;

namespace {

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

} // namespace

protocol::JobMessage jobFor(const FakeServer &server, std::vector<schema::Step> steps)
{
    auto message = job(std::move(steps));
    message.serverUrl = server.url();
    message.jobToken = "job-token";
    return message;
}

bool connected(const FakeServer::State &state)
{
    return state.count<protocol::Hello>() > 0;
}

void ListenerTest::begin()
{
    m_folder = std::make_unique<QTemporaryDir>();
    m_server = std::make_unique<FakeServer>();
    m_worker.reset();
}

void ListenerTest::end()
{
    if (QTest::currentTestFailed() && m_worker)
        qWarning("worker: %s", m_worker->output().constData());
    m_worker.reset();
    const auto errors = m_server->state().errors;
    QVERIFY2(errors.empty(), errors.empty() ? "" : errors.front().c_str());
}

void ListenerTest::start(int slots)
{
    m_worker = std::make_unique<WorkerProcess>(m_server->url(), m_folder->path(), slots);
    if (!m_server->waitFor(connected))
        QFAIL(m_worker->output().constData());
}

bool ListenerTest::waitForLog(const protocol::JobMessage &message, const std::string &text)
{
    return m_server->waitFor([&](const FakeServer::State &state) {
        const auto it = state.logs.find(message.recordId);
        return it != state.logs.end() && it->second.find("Z " + text + "\n") != std::string::npos;
    });
}

bool ListenerTest::stepsAlive(const protocol::JobMessage &message)
{
    const auto mark = "VSTS_PROCESS_LOOKUP_ID=" + processLookupId(message.jobId);
    for (const auto &entry : fs::directory_iterator("/proc")) {
        const auto text = readFile(entry.path() / "environ");
        if (text && text->find(mark) != std::string::npos)
            return true;
    }
    return false;
}

int listenerTestMain(ListenerTest &test, int argc, char **argv)
{
    if (argc == 5 && std::strcmp(argv[1], "--listener") == 0)
        return runAsListener(argv);
    const QCoreApplication application(argc, argv);
    return QTest::qExec(&test, argc, argv);
}

} // namespace worker::test
