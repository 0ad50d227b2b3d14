#include "cli/up/process.h"

#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

cli::Command shell(const std::string &script)
{
    return {{"sh", "-c", script}, {}, {}};
}

std::string readFile(const std::filesystem::path &path)
{
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool exists(pid_t pid)
{
    // A zombie still has its entry, but no command line.
    return !readFile("/proc/" + std::to_string(pid) + "/cmdline").empty();
}

} // namespace

class UpProcess : public QObject
{
    Q_OBJECT

public:
    UpProcess()
        : m_folder(m_temporary.path().toStdString())
    {}

private Q_SLOTS:
    void runs_data();
    void runs();
    void environmentAndFolder();
    void missingProgram();
    void limitEndsTheWholeGroup();
    void stopSignalCancels();
    void keepsABoundedPartOfTheOutput();
    void childEnds();
    void childOutlivesNoOwner();
    void inheritedDescriptor();

private:
    QTemporaryDir m_temporary;
    std::filesystem::path m_folder;
    cli::StopSignals m_signals; // blocks SIGTERM for this program: children get it back
};

void UpProcess::runs_data()
{
    QTest::addColumn<std::string>("script");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<std::string>("out");
    QTest::addColumn<std::string>("err");
    QTest::newRow("success") << std::string("echo a; echo b >&2") << 0 << std::string("a\n")
                             << std::string("b\n");
    QTest::newRow("failure") << std::string("exit 7") << 7 << std::string() << std::string();
    QTest::newRow("a signal counts from 128")
        << std::string("kill -TERM $$") << 128 + SIGTERM << std::string() << std::string();
    QTest::newRow("no input") << std::string("cat") << 0 << std::string() << std::string();
    QTest::newRow("a daemon that keeps the output open")
        << std::string("sleep 60 & echo $!") << 0 << std::string() << std::string();
}

void UpProcess::runs()
{
    QFETCH(std::string, script);
    QFETCH(int, exitCode);
    QFETCH(std::string, out);
    QFETCH(std::string, err);
    const auto output = cli::runProgram(shell(script), m_signals, 30s);
    QVERIFY(output);
    QCOMPARE(output->exitCode, exitCode);
    if (script.find('&') != std::string::npos && script.starts_with("sleep"))
        kill(std::stoi(output->out), SIGKILL);
    else
        QCOMPARE(output->out, out);
    QCOMPARE(output->err, err);
}

void UpProcess::environmentAndFolder()
{
    qputenv("SLIPWAY_TEST_REPLACED", "old");
    cli::Command command = shell("echo $SLIPWAY_TEST_ADDED $SLIPWAY_TEST_REPLACED; pwd");
    command.environment = {{"SLIPWAY_TEST_ADDED", "1 2"}, {"SLIPWAY_TEST_REPLACED", "new"}};
    command.folder = std::filesystem::canonical(m_folder);
    const auto output = cli::runProgram(command, m_signals, 30s);
    QVERIFY(output);
    QCOMPARE(output->out, "1 2 new\n" + command.folder.string() + "\n");
}

void UpProcess::missingProgram()
{
    const auto output = cli::runProgram({{"slipway-no-such-program"}, {}, {}}, m_signals, 30s);
    QVERIFY(!output);
    QVERIFY(output.error().code == schema::ErrorCode::NotFound);
    QVERIFY(output.error().message.find("slipway-no-such-program") != std::string::npos);
}

void UpProcess::limitEndsTheWholeGroup()
{
    const std::string file = m_folder / "grandchild";
    const auto output =
        cli::runProgram(shell("sleep 60 & echo $! > " + file + "; wait"), m_signals, 1s);
    QVERIFY(!output);
    QVERIFY(output.error().code == schema::ErrorCode::Timeout);
    const pid_t grandchild = std::stoi(readFile(file));
    QTRY_VERIFY(!exists(grandchild));
}

void UpProcess::stopSignalCancels()
{
    kill(getpid(), SIGINT); // blocked, so it waits in the signal descriptor
    const auto output = cli::runProgram(shell("sleep 60"), m_signals, 60s);
    QVERIFY(!output);
    QVERIFY(output.error().code == schema::ErrorCode::Canceled);
    QVERIFY(!m_signals.take());
}

void UpProcess::keepsABoundedPartOfTheOutput()
{
    const auto output = cli::runProgram(shell("head -c 3000000 /dev/zero"), m_signals, 60s);
    QVERIFY(output);
    QCOMPARE(output->exitCode, 0);
    QCOMPARE(output->out.size(), std::size_t{1} << 20);
}

void UpProcess::childEnds()
{
    auto child = cli::Child::start(
        shell("trap 'echo bye; exit 3' TERM; echo here; while :; do sleep 0.05; done"),
        m_folder / "log");
    QVERIFY(child);
    QTRY_COMPARE(readFile(m_folder / "log"), std::string("here\n"));
    QVERIFY(child->running());
    child->signal(SIGTERM);
    QVERIFY(child->waitFor(30s, m_signals));
    QVERIFY(!child->running());
    QCOMPARE(child->exitCode(), 3);
    QCOMPARE(readFile(m_folder / "log"), std::string("here\nbye\n"));
}

void UpProcess::childOutlivesNoOwner()
{
    pid_t pid = -1;
    {
        auto child = cli::Child::start(shell("exec sleep 60"), m_folder / "other-log");
        QVERIFY(child);
        pid = child->pid();
        QVERIFY(exists(pid));
    }
    QVERIFY(!exists(pid));
}

void UpProcess::inheritedDescriptor()
{
    int pipes[2];
    QCOMPARE(pipe(pipes), 0);
    const cli::FileDescriptor read_(pipes[0]);
    cli::FileDescriptor write_(pipes[1]);
    auto child = cli::Child::start(shell("echo ready >&3"), m_folder / "third-log", write_.get());
    QVERIFY(child);
    write_.close();
    char text[16] = {};
    QCOMPARE(read(read_.get(), text, sizeof text), ssize_t{6});
    QCOMPARE(std::string(text), std::string("ready\n"));
    QVERIFY(child->waitFor(30s, m_signals));
}

QTEST_GUILESS_MAIN(UpProcess)
#include "tst_up_process.moc"
