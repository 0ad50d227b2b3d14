// `slipway run` as a process: pipes, exit status, choice of stages and jobs, questions, secrets;
// and what it draws on a terminal.
#include "cli/command.h"
#include "cli/run_view.h"

#include <QCoreApplication>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QScopeGuard>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

struct Ended
{
    int exitCode = -1;
    QByteArray out, error;
};

/// `slipway run --watch` in a folder, and what it has printed so far.
struct Watched
{
    QProcess process;
    QByteArray out;

    Watched(const QString &folder, const QString &work)
    {
        process.setWorkingDirectory(folder);
        process.start(QCoreApplication::applicationFilePath(),
                      {QStringLiteral("run"), QStringLiteral("azure-pipelines.yml"),
                       QStringLiteral("--watch"), QStringLiteral("--work"), work});
    }

    bool waitFor(const QByteArray &part, int times)
    {
        while (out.count(part) < times && process.waitForReadyRead(60000))
            out += process.readAllStandardOutput();
        return out.count(part) >= times;
    }
};

constexpr const char *kPipeline = R"(
variables:
  color: blue
stages:
- stage: Build
  jobs:
  - job: one
    steps:
    - checkout: self
    - script: "echo color is $(color) $(shade); cat data.txt; echo token is $TOKEN"
      displayName: Show
      env: {TOKEN: $(token)}
  - job: two
    dependsOn: one
    steps:
    - checkout: none
    - script: echo two runs
- stage: Ship
  jobs:
  - deployment: ship
    environment: dev
    strategy:
      runOnce:
        deploy:
          steps:
          - script: echo shipped
)";

} // namespace

class TestRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        write("azure-pipelines.yml", kPipeline);
        write("data.txt", "uncommitted data\n");
    }

    void runsInOrderAndHidesSecrets()
    {
        const auto ended =
            run({"--yes", "--secret", "token=s3cret-token", "--variable", "shade=dark"});
        QVERIFY2(ended.exitCode == 0, ended.out + ended.error);
        QVERIFY(ended.out.contains("[Build/one] color is blue dark\n"));
        QVERIFY(ended.out.contains("[Build/one] uncommitted data\n"));
        QVERIFY(ended.out.contains("[Build/one] token is ***\n"));
        QVERIFY(ended.out.contains("shipped\n"));
        QVERIFY(ended.out.indexOf("color is blue dark") < ended.out.indexOf("two runs"));
        QVERIFY(ended.out.contains("Run succeeded\n"));
        QVERIFY(!ended.out.contains("s3cret-token"));
        QVERIFY2(!ended.out.contains('\033'), "a pipe gets plain lines");
    }

    void deploymentsAskFirst()
    {
        const auto ended = run({});
        QVERIFY2(ended.exitCode == 1, ended.out + ended.error);
        QVERIFY(ended.out.contains("not without --yes"));
        QVERIFY(!ended.out.contains("shipped\n"));
    }

    void aDeploymentAsksOnce_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<bool>("runs");
        QTest::newRow("yes") << QByteArray("y\n") << true;
        QTest::newRow("no") << QByteArray("n\n") << false;
        QTest::newRow("nothing") << QByteArray("\n") << false;
        QTest::newRow("the end of the input") << QByteArray("\4") << false;
        QTest::newRow("Ctrl-C") << QByteArray("\3") << false;
    }

    /// One answer for all hooks of a deployment, and none is needed to leave.
    void aDeploymentAsksOnce()
    {
        QFETCH(QByteArray, answer);
        QFETCH(bool, runs);
        write("azure-pipelines.yml", R"(
jobs:
- deployment: ship
  environment: dev
  strategy:
    runOnce:
      preDeploy: {steps: [{script: echo prepared}]}
      deploy: {steps: [{script: echo shipped}]}
      on: {success: {steps: [{script: echo told}]}}
)");
        // Standard input is the terminal of a session of its own, so that Ctrl-C is its signal.
        const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        QVERIFY(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
        const auto closed = qScopeGuard([terminal] { ::close(terminal); });
        const std::string name = ::ptsname(terminal);
        QProcess process;
        process.setWorkingDirectory(m_folder->path());
        process.setChildProcessModifier([&name] {
            ::setsid();
            const int fd = ::open(name.c_str(), O_RDWR);
            ::ioctl(fd, TIOCSCTTY, 0);
            ::dup2(fd, STDIN_FILENO);
            ::close(fd);
        });
        process.setProcessChannelMode(QProcess::MergedChannels);
        const QString work = m_folder->path() + QStringLiteral("-work");
        process.start(QCoreApplication::applicationFilePath(),
                      {QStringLiteral("run"), QStringLiteral("azure-pipelines.yml"),
                       QStringLiteral("--work"), work});
        QByteArray out;
        while (!out.contains("[y/N]") && process.waitForReadyRead(60000))
            out += process.readAll();
        QVERIFY2(out.contains("Deploy 'ship' to dev?"), out);
        QVERIFY(::write(terminal, answer.constData(), std::size_t(answer.size())) == answer.size());
        QVERIFY(process.waitForFinished(60000));
        out += process.readAll();
        QDir(work).removeRecursively();
        QVERIFY2(process.exitCode() == (runs ? 0 : 1), out);
        QCOMPARE(out.count("[y/N]"), 1);
        for (const char *part : {"prepared\n", "shipped\n", "told\n"})
            QVERIFY2(out.contains(part) == runs, out);
    }

    /// Each has its own folder for artifacts; the workspaces are locked anyway.
    void twoRunsAtOnceKeepTheirArtifacts()
    {
        write("azure-pipelines.yml", "steps:\n- script: 'echo made > f.txt; echo waiting; cat "
                                     "$(fifo)'\n- publish: f.txt\n  artifact: drop\n");
        const QString work = m_folder->path() + QStringLiteral("-work");
        const QTemporaryDir fifos;
        std::array<QProcess, 2> runs;
        std::array<QByteArray, 2> outs;
        const auto fifo = [&fifos](std::size_t i) { return fifos.filePath(QString::number(i)); };
        for (std::size_t i = 0; i < runs.size(); ++i) {
            QVERIFY(::mkfifo(fifo(i).toLocal8Bit().constData(), 0600) == 0);
            runs[i].setWorkingDirectory(m_folder->path());
            runs[i].start(QCoreApplication::applicationFilePath(),
                          {QStringLiteral("run"), QStringLiteral("azure-pipelines.yml"),
                           QStringLiteral("--work"), work, QStringLiteral("--variable"),
                           QStringLiteral("fifo=") + fifo(i)});
            while (!outs[i].contains("] waiting\n") && runs[i].waitForReadyRead(60000))
                outs[i] += runs[i].readAllStandardOutput();
            QVERIFY2(outs[i].contains("] waiting\n"), outs[i]);
        }
        for (std::size_t i = 0; i < runs.size(); ++i) {
            // Opened once the step reads it, and closed: the step goes on.
            ::close(::open(fifo(i).toLocal8Bit().constData(), O_WRONLY | O_CLOEXEC));
            QVERIFY(runs[i].waitForFinished(60000));
            outs[i] += runs[i].readAllStandardOutput();
            QVERIFY2(runs[i].exitCode() == 0, outs[i]);
        }
        QVERIFY2(outs[0].endsWith("/artifacts\n"), outs[0]);
        QVERIFY2(outs[1].endsWith("/artifacts-2\n"), outs[1]);
        QVERIFY(QFile::exists(work + QStringLiteral("/artifacts/drop.tar.zst")));
        QVERIFY(QFile::exists(work + QStringLiteral("/artifacts-2/drop.tar.zst")));
        QDir(work).removeRecursively();
    }

    void choice_data()
    {
        QTest::addColumn<QByteArrayList>("arguments");
        QTest::addColumn<int>("exitCode");
        QTest::addColumn<QByteArrayList>("has");
        QTest::addColumn<QByteArrayList>("lacks");
        const auto row = [](const char *name, const QByteArrayList &arguments, int exitCode,
                            const QByteArrayList &has, const QByteArrayList &lacks) {
            QTest::newRow(name) << arguments << exitCode << has << lacks;
        };
        row("stage", {"--stage", "build"}, 0, {"color is blue", "two runs"}, {"shipped"});
        row("job", {"--job", "two"}, 0, {"two runs"}, {"color is", "shipped"});
        row("step", {"--job", "one", "--step", "show"}, 0, {"color is blue"}, {"two runs"});
        row("unknown stage", {"--stage", "nothing"}, 2, {"no such stage"}, {"color is"});
        row("unknown job", {"--job", "nothing"}, 2, {"no such job"}, {"color is"});
        row("unknown job beside a known one", {"--job", "two", "--job", "nothing"}, 2,
            {"--job nothing: the pipeline has no such job"}, {"two runs"});
        row("unknown step", {"--step", "nothing"}, 2, {"--step nothing: no step"}, {"color is"});
        row("step, in the jobs that have it", {"--step", "show"}, 0, {"color is blue"},
            {"two runs", "Deploy"});
        row("dry run", {"--dry-run"}, 0,
            {"stage Build", "stage Ship after Build", "job two", "to dev", "    deploy:\n      - "},
            {"color is", "uncommitted"});
        row("dry run without checkout", {"--dry-run", "--stage", "Build"}, 0, {"Checkout self"},
            {"Checkout none"});
        row("secret without a value", {"--secret", "NO_SUCH_VARIABLE_HERE"}, 2,
            {"environment variable"}, {"color is"});
        row("several jobs at once", {"--stage", "Build", "--jobs", "4"}, 0, {"two runs"}, {});
    }

    void choice()
    {
        QFETCH(QByteArrayList, arguments);
        QFETCH(int, exitCode);
        QFETCH(QByteArrayList, has);
        QFETCH(QByteArrayList, lacks);
        const auto ended = run(arguments);
        const QByteArray all = ended.out + ended.error;
        QVERIFY2(ended.exitCode == exitCode, all);
        for (const auto &part : has)
            QVERIFY2(all.contains(part), all);
        for (const auto &part : lacks)
            QVERIFY2(!all.contains(part), all);
    }

    void failingStepFailsTheRun()
    {
        write("azure-pipelines.yml", "steps:\n- script: exit 3\n- script: echo never\n");
        const auto ended = run({});
        QCOMPARE(ended.exitCode, 1);
        QVERIFY(ended.out.contains("exited with code '3'"));
        QVERIFY(!ended.out.contains("never"));
        QVERIFY(ended.out.contains("Run failed\n"));
    }

    void invalidFileIsLocated()
    {
        write("azure-pipelines.yml", "steps:\n- script: a\n  nonsense: b\n");
        const auto ended = run({});
        QCOMPARE(ended.exitCode, 1);
        QVERIFY2(ended.error.contains("nonsense"), ended.error);
    }

    void keepsTheNumberThatAStepGives()
    {
        write("azure-pipelines.yml",
              "jobs:\n- job: A\n  steps:\n  - script: echo '##vso[build.updatebuildnumber]7.8'\n"
              "- job: B\n  dependsOn: A\n  steps:\n  - script: echo number $(Build.BuildNumber)\n");
        const auto ended = run({"--format", "json"});
        QVERIFY2(ended.exitCode == 0, ended.out + ended.error);
        QCOMPARE(QJsonDocument::fromJson(ended.out)[QLatin1String("number")].toString(),
                 QStringLiteral("7.8"));
        QVERIFY2(ended.error.contains("number 7.8\n"), ended.error);
    }

    void saysWhichGroupsWereNotGiven()
    {
        write("azure-pipelines.yml", "variables:\n- group: Web\nsteps:\n- script: echo $(App)\n");
        write("web.yml", "App: shop\n");
        const auto without = run({});
        QVERIFY2(without.out.contains("no values of the variable group 'Web' are given"),
                 without.out);
        const auto with = run({"--variable-group", "Web=web.yml"});
        QVERIFY2(with.exitCode == 0 && with.out.contains("shop\n"), with.out);
        QVERIFY2(!with.out.contains("variable group"), with.out);
    }

    void jsonIsAllOfStandardOutput()
    {
        const auto ended = run({"--yes", "--format", "json", "--variable", "shade=dark"});
        QVERIFY2(ended.exitCode == 0, ended.out + ended.error);
        const auto answer = QJsonDocument::fromJson(ended.out).object();
        QCOMPARE(answer[QLatin1String("result")].toString(), QStringLiteral("succeeded"));
        QCOMPARE(answer[QLatin1String("jobs")].toArray().size(), 3);
        QCOMPARE(answer[QLatin1String("jobs")][0][QLatin1String("job")].toString(),
                 QStringLiteral("Build/one"));
        QCOMPARE(answer[QLatin1String("jobs")][0][QLatin1String("result")].toString(),
                 QStringLiteral("succeeded"));
        QVERIFY2(ended.error.contains("[Build/one] color is blue dark\n"), ended.error);

        const auto dry = run({"--dry-run", "--format", "json"});
        QCOMPARE(dry.exitCode, 0);
        QCOMPARE(
            QJsonDocument::fromJson(dry.out).object()[QLatin1String("stages")].toArray().size(), 2);

        write("azure-pipelines.yml", "steps:\n- script: exit 3\n");
        const auto failed = run({"--format", "json"});
        QCOMPARE(failed.exitCode, 1);
        QCOMPARE(QJsonDocument::fromJson(failed.out).object()[QLatin1String("result")].toString(),
                 QStringLiteral("failed"));

        write("azure-pipelines.yml", "nonsense: 1\n");
        const auto invalid = run({"--format", "json"});
        QCOMPARE(invalid.exitCode, 1);
        QVERIFY2(!QJsonDocument::fromJson(invalid.out).isEmpty(), invalid.out);
        QVERIFY2(invalid.out.contains("nonsense"), invalid.out);

        const auto watched = run({"--format", "json", "--watch"});
        QCOMPARE(watched.exitCode, 2);
        QVERIFY(watched.out.isEmpty());
    }

    void artifactsAreKept()
    {
        write("azure-pipelines.yml",
              "steps:\n- script: echo made > f.txt\n- publish: f.txt\n  artifact: drop\n");
        const auto ended = run({});
        QVERIFY2(ended.exitCode == 0, ended.out + ended.error);
        QVERIFY(ended.out.contains("Artifacts: "));
    }

    void breakOnFailureOpensAShell()
    {
        write("azure-pipelines.yml",
              "steps:\n- checkout: self\n- script: 'echo made > here.txt; exit 3'\n"
              "  env: {COLOR: $(token)}\n- script: echo cleanup\n  condition: always()\n");
        qputenv("SHELL", "/bin/sh");
        const auto ended = run({"--break-on-failure", "--secret", "token=blue-secret"},
                               "echo \"in $(cat here.txt) length ${#COLOR}\"; exit\n");
        QCOMPARE(ended.exitCode, 1);
        QVERIFY2(ended.out.contains("in made length 11\n"), ended.out + ended.error);
        QVERIFY(ended.out.indexOf("in made") < ended.out.indexOf("cleanup\n"));
    }

    void watchRunsAgainAfterAChange()
    {
        write("azure-pipelines.yml", "steps:\n- checkout: self\n- script: cat data.txt\n");
        Watched watched(m_folder->path(), m_folder->path() + QStringLiteral("-work"));
        QVERIFY2(watched.waitFor("Waiting for changes", 1), watched.out);
        QVERIFY(watched.out.contains("uncommitted data\n"));
        write("data.txt", "changed data\n");
        QVERIFY2(watched.waitFor("Waiting for changes", 2), watched.out);
        QVERIFY(watched.out.contains("changed data\n"));
        watched.process.terminate();
        QVERIFY(watched.process.waitForFinished(60000));
        QCOMPARE(watched.process.exitCode(), 0);
        QDir(m_folder->path() + QStringLiteral("-work")).removeRecursively();
    }

    /// A work folder in the tree is neither copied nor a change of it.
    void aWorkFolderInTheTree()
    {
        write("azure-pipelines.yml", "steps:\n- checkout: self\n- script: find .\n");
        QDir(m_folder->path()).mkpath(QStringLiteral("mine/artifacts"));
        write("mine/artifacts/old", "");
        Watched watched(m_folder->path(), QStringLiteral("mine/"));
        QVERIFY2(watched.waitFor("Waiting for changes", 1), watched.out);
        // One change in one event.
        write("mine/data.txt", "changed data\n");
        QVERIFY(std::rename(m_folder->filePath(QStringLiteral("mine/data.txt")).toLocal8Bit(),
                            m_folder->filePath(QStringLiteral("data.txt")).toLocal8Bit()) == 0);
        QVERIFY2(watched.waitFor("Waiting for changes", 2), watched.out);
        watched.process.terminate();
        QVERIFY(watched.process.waitForFinished(60000));
        watched.out += watched.process.readAllStandardOutput();
        // Once at the start and once for the change; the runs themselves are none.
        QCOMPARE(watched.out.count("Run succeeded"), 2);
        QVERIFY2(watched.out.contains("] ./data.txt\n") && !watched.out.contains("] ./mine"),
                 watched.out);

        watched.process.start(QCoreApplication::applicationFilePath(),
                              {QStringLiteral("run"), QStringLiteral("azure-pipelines.yml"),
                               QStringLiteral("--work"), QStringLiteral(".")});
        QVERIFY(watched.process.waitForFinished(60000));
        QCOMPARE(watched.process.exitCode(), 2);
        QVERIFY(watched.process.readAllStandardError().contains("--work . is the tree itself"));
    }

    /// Steps ask git and change what it keeps; the tree does not see that.
    void theCopyHasItsHistory_data()
    {
        QTest::addColumn<bool>("linked"); ///< a linked worktree
        QTest::newRow("repository") << false;
        QTest::newRow("worktree") << true;
    }

    void theCopyHasItsHistory()
    {
        QFETCH(bool, linked);
        write(
            "azure-pipelines.yml",
            "steps:\n- checkout: self\n- script: |\n"
            "    git log --format='subject %s'; git branch --show-current; git tag\n"
            "    git status --short; git add -A; git config user.name a; git config user.email b\n"
            "    git commit -qm second && git tag mine && git log --oneline | wc -l; git fsck\n"
            "    git remote\n");
        const auto git = [this](const QStringList &arguments, const QString &folder = {}) {
            QProcess process;
            process.setWorkingDirectory(folder.isEmpty() ? m_folder->path() : folder);
            process.start(QStringLiteral("git"),
                          QStringList{QStringLiteral("-c"), QStringLiteral("user.name=a"),
                                      QStringLiteral("-c"), QStringLiteral("user.email=b")} +
                              arguments);
            process.waitForFinished(60000);
            return process.readAllStandardOutput().trimmed();
        };
        git({QStringLiteral("init"), QStringLiteral("-qb"), QStringLiteral("topic")});
        git({QStringLiteral("add"), QStringLiteral("-A")});
        git({QStringLiteral("commit"), QStringLiteral("-qm"), QStringLiteral("first")});
        git({QStringLiteral("tag"), QStringLiteral("v1")});
        const QTemporaryDir other;
        if (linked) {
            git({QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-qb"),
                 QStringLiteral("side"), other.path() + QStringLiteral("/tree")});
            QVERIFY(QFile::remove(other.path() + QStringLiteral("/tree/data.txt")));
            QVERIFY(QFile::copy(m_folder->filePath(QStringLiteral("azure-pipelines.yml")),
                                other.path() + QStringLiteral("/tree/new.txt")));
        } else {
            QVERIFY(QFile::remove(m_folder->filePath(QStringLiteral("data.txt"))));
            write("new.txt", "");
        }
        const QString tree = linked ? other.path() + QStringLiteral("/tree") : m_folder->path();
        const auto ended = run({}, {}, tree);
        QVERIFY2(ended.exitCode == 0, ended.out + ended.error);
        for (const char *part :
             {"] subject first\n", "] v1\n", "]  D data.txt\n", "] ?? new.txt\n", "] 2\n"})
            QVERIFY2(ended.out.contains(part), ended.out);
        QVERIFY2(ended.out.contains(linked ? "] side\n" : "] topic\n"), ended.out);
        QVERIFY2(!ended.out.contains("fatal") && !ended.out.contains("error"), ended.out);
        QCOMPARE(
            git({QStringLiteral("log"), QStringLiteral("--format=%s"), QStringLiteral("--all")},
                tree),
            QByteArray("first"));
        QCOMPARE(git({QStringLiteral("tag")}, tree), QByteArray("v1"));
    }

    void containersWithoutAnEngine()
    {
        write("azure-pipelines.yml",
              "jobs:\n- job: a\n  container: debian:bookworm\n  steps:\n  - script: echo in it\n");
        const auto ended = run({"--container-engine", "none"});
        QCOMPARE(ended.exitCode, 1);
        QVERIFY2(ended.out.contains("--container-engine none"), ended.out);
        QVERIFY(!ended.out.contains("in it\n"));
    }

    void tasksFromAFolder()
    {
        QDir(m_folder->path()).mkpath(QStringLiteral("mine"));
        write("mine/task.json",
              R"({"id": "22222222-2222-4333-8444-555555555555", "name": "Mine",
                  "version": {"Major": 1, "Minor": 0, "Patch": 0},
                  "inputs": [{"name": "who", "type": "string", "label": "Who"}],
                  "execution": {"Node20_1": {"target": "main.js"}}})");
        write("mine/main.js", "console.log('hello ' + process.env.INPUT_WHO);\n");
        write("azure-pipelines.yml", "steps:\n- task: Mine@1\n  inputs: {who: $(name)}\n");
        if (QStandardPaths::findExecutable(QStringLiteral("node")).isEmpty())
            QSKIP("node is not installed");
        const auto ended = run({"--tasks", "mine", "--variable", "name=you"});
        QVERIFY2(ended.exitCode == 0, ended.out + ended.error);
        QVERIFY2(ended.out.contains("hello you\n"), ended.out);
    }

    void terminalShowsATree()
    {
        std::ostringstream shown;
        auto *const before = std::cout.rdbuf(shown.rdbuf());
        cli::RunView view(true);
        view.jobStarted("Build/one");
        view.step("Build/one", "Compile\033[2J it");
        view.progress("Build/one", 40);
        view.jobStarted("Build/two");
        view.jobEnded("Build/one", schema::TaskResult::Succeeded, "");
        view.jobEnded("Build/two", schema::TaskResult::Failed, "why");
        std::cout.rdbuf(before);
        const auto text = QByteArray::fromStdString(shown.str());
        QVERIFY2(text.contains("Build\033[0m\n\033[7m  one: Compile [2J it (0 s, 40 %)"), text);
        QVERIFY2(text.contains("  two: starting (0 s)"), text);
        QVERIFY2(text.contains("one: succeeded (0."), text);
        QVERIFY2(text.contains("\033[2A\r\033[J"), text);
        QVERIFY2(!text.contains("Compile\033"), text);
        // Nothing is drawn below the last line once nothing runs.
        QVERIFY2(text.endsWith("why\033[0m\n"), text);
    }

    /// On a small screen what runs stays in sight, whatever its name.
    void terminalShowsWhatRuns()
    {
        std::ostringstream shown;
        auto *const before = std::cout.rdbuf(shown.rdbuf());
        cli::RunView view(true);
        view.jobStarted("A/long");
        for (int i = 0; i < 100; ++i) {
            const auto name = "B/job" + std::to_string(i);
            view.jobStarted(name);
            view.jobEnded(name, schema::TaskResult::Succeeded, "");
        }
        shown.str("");
        view.tick();
        std::cout.rdbuf(before);
        const auto text = QByteArray::fromStdString(shown.str());
        QVERIFY2(text.contains("\033[7mA\033[0m\n\033[7m  long: starting"), text);
        QVERIFY2(text.contains("job99: succeeded"), text);
        QVERIFY2(!text.contains("job0: "), text);
    }

    void longLines_data()
    {
        QTest::addColumn<bool>("others"); ///< something else is shown in between
        QTest::newRow("alone") << false;
        QTest::newRow("with another job's line in between") << true;
    }

    /// Nothing holds a line of gigabytes: what has come is shown.
    void longLines()
    {
        QFETCH(bool, others);
        const std::string stamp = "2026-11-21T05:26:26.1234567Z ";
        const std::string piece(50'000, 'x');
        std::ostringstream shown;
        auto *const before = std::cout.rdbuf(shown.rdbuf());
        cli::RunView view(false);
        view.log("one", stamp + piece);
        view.log("one", piece);
        const auto early = shown.str().size();
        if (others)
            view.log("two", stamp + "##[error]broken\n");
        view.log("one", piece);
        view.log("one", "end\n" + stamp + "next\n");
        std::cout.rdbuf(before);
        QVERIFY(early >= 2 * piece.size());
        const auto expected = others ? "[one] " + piece + piece + "\n[two] error: broken\n[one] " +
                                           piece + "end\n[one] next\n"
                                     : "[one] " + piece + piece + piece + "end\n[one] next\n";
        QVERIFY(shown.str() == expected);
    }

    void pipeShowsNoTree()
    {
        std::ostringstream shown;
        auto *const before = std::cout.rdbuf(shown.rdbuf());
        cli::RunView view(false);
        view.jobStarted("one");
        view.step("one", "Compile");
        view.tick();
        std::cout.rdbuf(before);
        QCOMPARE(QByteArray::fromStdString(shown.str()), QByteArray());
    }

private:
    void write(const char *name, const QByteArray &text)
    {
        QFile file(m_folder->filePath(QString::fromLatin1(name)));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(text);
    }

    Ended run(const QByteArrayList &arguments, const QByteArray &input = {}, QString folder = {})
    {
        if (folder.isEmpty())
            folder = m_folder->path();
        // Beside the tree: a copy of the tree goes there.
        const QString work = m_folder->path() + QStringLiteral("-work");
        QStringList all{QStringLiteral("run"), QStringLiteral("azure-pipelines.yml"),
                        QStringLiteral("--work"), work};
        for (const auto &argument : arguments)
            all.append(QString::fromUtf8(argument));
        QProcess process;
        process.setWorkingDirectory(folder);
        process.start(QCoreApplication::applicationFilePath(), all);
        process.write(input);
        process.closeWriteChannel();
        if (!process.waitForFinished(120000))
            return {};
        QDir(work).removeRecursively();
        return {process.exitCode(), process.readAllStandardOutput(),
                process.readAllStandardError()};
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

int main(int argc, char **argv)
{
    if (argc > 1 && std::strcmp(argv[1], "run") == 0) {
        CLI::App app("slipway");
        int exitCode = 0;
        for (const auto add : cli::commands())
            add(app, exitCode);
        CLI11_PARSE(app, argc, argv);
        return exitCode;
    }
    QCoreApplication application(argc, argv);
    TestRun test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_run.moc"
