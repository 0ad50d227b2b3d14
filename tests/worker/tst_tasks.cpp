// Built-in tasks in whole jobs: checkout from a real git repository, files, archives, artifacts,
// cache, test results.
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QProcess>
#include <QTest>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

namespace {

void sh(const QString &folder, const char *script)
{
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(QStringLiteral("sh"), {QStringLiteral("-ec"), QString::fromUtf8(script)});
    QVERIFY2(process.waitForFinished() && process.exitCode() == 0,
             process.readAllStandardError().constData());
}

constexpr const char *kMakeRepository =
    "git init -q -b main . && git config user.email a@b && git config user.name n && "
    "echo one > f && git add f && git commit -qm first && git tag v1 && echo two > f && "
    "git commit -qam second";

} // namespace

class TestTasks : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void checkout_data()
    {
        QTest::addColumn<QByteArray>("input");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("command");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("plain") << QByteArray("clean") << QByteArray("false")
                               << QByteArray("cat f; git log --oneline | wc -l")
                               << QByteArray("\ntwo\n2\n");
        QTest::newRow("shallow") << QByteArray("fetchDepth") << QByteArray("1")
                                 << QByteArray("git log --oneline | wc -l") << QByteArray("\n1\n");
        QTest::newRow("path") << QByteArray("path") << QByteArray("src")
                              << QByteArray("echo $PWD; cat f") << QByteArray("/1/src\ntwo\n");
    }

    void checkout()
    {
        QFETCH(QByteArray, input);
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, command);
        QFETCH(QByteArray, expected);
        QTemporaryDir repository;
        sh(repository.path(), kMakeRepository);
        auto step = task(std::string(schema::kCheckoutTaskId) + "@1",
                         {{"repository", "self"}, {input.toStdString(), value.toStdString()}});
        JobRun run(job({step, script(command.toStdString())}));
        run.message.repositories = {{"self", "repo", "git",
                                     "file://" + repository.path().toStdString(), "refs/heads/main",
                                     "", ""}};
        run.go();
        VERIFY_CONTAINS(run.stepText(1), expected.toStdString());
        // A second run finds its clone, cleans it and sees new commits.
        sh(repository.path(), "echo three > f && git commit -qam third");
        run.message.steps[0].inputs.emplace_back("clean", "true");
        run.message.steps[1] = script("cat f");
        run.sink.logs.clear();
        run.sink.records.clear();
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "\nthree\n");
    }

    void checkoutOfACommit()
    {
        QTemporaryDir repository;
        sh(repository.path(), kMakeRepository);
        sh(repository.path(), "git rev-parse v1 > .git/first");
        const auto first =
            trimmed(readFile(repository.path().toStdString() + "/.git/first").value_or(""));
        JobRun run(job({task(std::string(schema::kCheckoutTaskId) + "@1", {{"repository", "self"}}),
                        script("cat f")}));
        run.message.repositories = {
            {"self", "repo", "git", "file://" + repository.path().toStdString(), "", first, ""}};
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "\none\n");
    }

    void checkoutOfNothing()
    {
        JobRun run(
            job({task(std::string(schema::kCheckoutTaskId) + "@1", {{"repository", "self"}})}));
        run.message.repositories = {{"self", "r", "git", "file:///nowhere/at/all", "", "", ""}};
        run.options.interruptGrace = std::chrono::milliseconds(100);
        run.sink.onLog = [&](const std::string &, std::string_view bytes) {
            if (bytes.find("trying again in 2") != std::string_view::npos)
                run.stop.request(StopReason::Canceled); // the third try is not waited for
        };
        run.go();
        VERIFY_CONTAINS(run.stepText(0), "git fetch failed");
    }

    void files()
    {
        auto copy = task("CopyFiles@2", {{"Contents", "**/*.txt\n!**/b.txt"},
                                         {"TargetFolder", "$(Build.ArtifactStagingDirectory)"}});
        auto remove = task("DeleteFiles@1", {{"SourceFolder", "$(Build.ArtifactStagingDirectory)"},
                                             {"Contents", "c.txt"}});
        JobRun run(job(
            {script("mkdir -p d; echo a > a.txt; echo b > b.txt; echo c > d/c.txt; echo x > d/x.c"),
             copy,
             script("cd $(Build.ArtifactStagingDirectory); find . -type f | sort | tr '\\n' ' '"),
             remove,
             script(
                 "cd $(Build.ArtifactStagingDirectory); find . -type f | sort | tr '\\n' ' '")}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Succeeded));
        VERIFY_CONTAINS(run.stepText(2), "./a.txt ./d/c.txt \n");
        VERIFY_CONTAINS(run.stepText(4), "./a.txt \n");
    }

    void archives()
    {
        auto pack = task("ArchiveFiles@2", {{"rootFolderOrFile", "d"},
                                            {"archiveType", "tar"},
                                            {"includeRootFolder", "false"},
                                            {"archiveFile", "out/x.tar.gz"}});
        auto unpack = task("ExtractFiles@1", {{"archiveFilePatterns", "out/*.tar.gz"},
                                              {"destinationFolder", "back"}});
        JobRun run(job({script("mkdir d; echo hi > d/f"), pack, unpack, script("cat back/f")}));
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(3), "\nhi\n");
    }

    void artifacts()
    {
        auto publish = task("PublishPipelineArtifact@1",
                            {{"targetPath", "$(Build.SourcesDirectory)/f"}, {"artifact", "one"}});
        auto twice = publish;
        twice.id += "2";
        twice.continueOnError = true;
        auto download = task("DownloadPipelineArtifact@2",
                             {{"artifactName", "one"}, {"targetPath", "$(Pipeline.Workspace)/in"}});
        auto missing = task(std::string(schema::kDownloadTaskId) + "@1",
                            {{"alias", "current"}, {"artifact", "none-such"}});
        JobRun run(job({script("echo data > f"), publish, twice, download,
                        script("cat $(Pipeline.Workspace)/in/f"), missing}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(2), "was not published");
        VERIFY_CONTAINS(run.stepText(4), "\ndata\n");
        VERIFY_CONTAINS(run.stepText(5), "no artifact 'none-such'");
    }

    void artifactNames()
    {
        JobRun run(job(
            {task("PublishBuildArtifacts@1", {{"PathtoPublish", "."}, {"ArtifactName", "a/b"}})}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "no artifact name");
    }

    void cacheMissThenHit()
    {
        auto cache = task("Cache@2", {{"key", "\"k\" | lock.txt"},
                                      {"path", "$(Pipeline.Workspace)/c"},
                                      {"cacheHitVar", "HIT"}});
        JobRun run(job({script("echo 1 > lock.txt"), cache,
                        script("echo \"hit=$(HIT)\"; ls $(Pipeline.Workspace)/c 2>&1; mkdir -p "
                               "$(Pipeline.Workspace)/c; touch $(Pipeline.Workspace)/c/kept")}));
        run.go();
        VERIFY_CONTAINS(run.stepText(2), "hit=false");
        run.sink.logs.clear();
        run.sink.records.clear();
        run.message.workspaceClean = "all";
        run.go();
        VERIFY_CONTAINS(run.stepText(2), "hit=true\nkept\n");
    }

    void testResults()
    {
        auto publish = task("PublishTestResults@2", {{"testResultsFormat", "JUnit"},
                                                     {"testResultsFiles", "out/TEST-*.xml"},
                                                     {"testRunTitle", "unit"},
                                                     {"failTaskOnFailedTests", "true"}});
        auto none = task("PublishTestResults@2", {{"testResultsFiles", "no/*.xml"}});
        none.condition = "always()";
        JobRun run(
            job({script("mkdir out; echo '<testsuite name=\"s\"><testcase name=\"a\"/><testcase "
                        "name=\"b\"><failure message=\"bad\"/></testcase></testsuite>' > "
                        "out/TEST-1.xml; echo broken > out/TEST-2.xml"),
                 publish, none}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        QCOMPARE(run.sink.testRuns.size(), std::size_t(1));
        QCOMPARE(run.sink.testRuns[0].results.size(), std::size_t(2));
        VERIFY_CONTAINS(run.stepText(1), "was not read");
        VERIFY_CONTAINS(run.stepText(1), "There are one or more test failures");
        VERIFY_CONTAINS(run.stepText(2), "No test result files matching");
        QCOMPARE(run.stepResult(2), std::string("succeeded"));
    }

    void missingConnections_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("input");
        QTest::newRow("docker") << QByteArray("Docker@2") << QByteArray("containerRegistry");
        QTest::newRow("kubernetes")
            << QByteArray("KubernetesManifest@1") << QByteArray("kubernetesServiceConnection");
        QTest::newRow("compose") << QByteArray("DockerCompose@1")
                                 << QByteArray("dockerRegistryEndpoint");
    }

    void missingConnections()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, input);
        JobRun run(job({task(name.toStdString(), {{input.toStdString(), "Nowhere"}})}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "there is no service connection 'Nowhere'");
    }

    void missingPrograms()
    {
        auto docker = task("Docker@2", {{"command", "build"}, {"Dockerfile", "Dockerfile"}});
        JobRun run(job({script("echo FROM scratch > Dockerfile"), docker}));
        run.message.variables = {{"PATH", "/nonexistent:/bin", false, false}};
        setEnvironment(run.options.environment, "PATH", "/nonexistent");
        run.message.steps.erase(run.message.steps.begin());
        fs::create_directories(run.options.work / "1" / "s");
        QVERIFY(writeFile(run.options.work / "1" / "s" / "Dockerfile", "FROM scratch\n"));
        run.message.variables = {{"PATH", "/nonexistent", false, false}};
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "docker is not installed on this worker");
    }
};

QTEST_APPLESS_MAIN(TestTasks)
#include "tst_tasks.moc"
