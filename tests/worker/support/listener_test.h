#pragma once
/// A worker as a process of its own beside a small server, for tests of the listener.

#include "fake_server.h"
#include "recording_sink.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace worker::test {

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

/// What a job of these steps needs of the server that it belongs to.
schema::protocol::JobMessage jobFor(const FakeServer &server, std::vector<schema::Step> steps);
/// The worker has said hello.
bool connected(const FakeServer::State &state);

/// Each test has a folder, a server and, once started, a worker of its own.
class ListenerTest : public QObject
{
protected:
    void begin();
    /// Fails the test when the server was spoken to wrongly.
    void end();

    [[nodiscard]] fs::path work() const { return m_folder->path().toStdString(); }

    /// A worker that is connected.
    void start(int slots = 1);
    /// The line stands in the log of the job.
    bool waitForLog(const schema::protocol::JobMessage &message, const std::string &text);
    /// A process of the job's steps is there.
    static bool stepsAlive(const schema::protocol::JobMessage &message);

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<FakeServer> m_server;
    std::unique_ptr<WorkerProcess> m_worker;
};

/// main() of such a test program, which is its own worker when it is started so.
int listenerTestMain(ListenerTest &test, int argc, char **argv);

} // namespace worker::test
