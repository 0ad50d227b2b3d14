// Built-in tasks in whole jobs: checkout from a real git repository, files, archives, artifacts,
// cache, test results.
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QProcess>
#include <QTest>

using namespace worker;
using namespace worker::test;
using namespace std::string_literals;
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

    void coverage()
    {
        auto publish = task("PublishCodeCoverageResults@2", {{"summaryFileLocation", "out/*.xml"}});
        auto none = task("PublishCodeCoverageResults@1",
                         {{"summaryFileLocation", "no.xml"}, {"failIfCoverageEmpty", "true"}});
        JobRun run(job({script("mkdir out; echo '<coverage lines-covered=\"1\" "
                               "lines-valid=\"2\"/>' > out/a.xml; echo broken > out/b.xml"),
                        publish, none}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(1), "Lines: 50.00 % (1 of 2)");
        VERIFY_CONTAINS(run.stepText(1), "was not read");
        QCOMPARE(run.sink.coverage.size(), std::size_t(1));
        QCOMPARE(run.sink.coverage[0].statistics[0].covered, std::int64_t(1));
        QVERIFY(fs::exists(fs::path(run.sink.artifactFolder.path().toStdString()) /
                           "Code Coverage Files_7"));
        VERIFY_CONTAINS(run.stepText(2), "No code coverage file matches 'no.xml'");
    }

    /// As Microsoft's samples name it: `$(System.DefaultWorkingDirectory)/**/coverage`.
    void coverageReports()
    {
        const auto publish = [](const char *folder) {
            return task("PublishCodeCoverageResults@1",
                        {{"summaryFileLocation", "out/a.xml"}, {"reportDirectory", folder}});
        };
        JobRun run(
            job({script("mkdir -p out/b/coverage; echo '<coverage lines-covered=\"1\" "
                        "lines-valid=\"2\"/>' > out/a.xml; echo hello > out/b/coverage/i.html"),
                 publish("$(System.DefaultWorkingDirectory)/**/coverage"), publish("**/none"),
                 publish("absent")}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Succeeded));
        const auto kept = fs::path(run.sink.artifactFolder.path().toStdString());
        QVERIFY(fs::exists(kept / "Code Coverage Report_7" / "i.html"));
        QVERIFY(run.stepText(1).find("warning") == std::string::npos);
        VERIFY_CONTAINS(run.stepText(2), "No report directory matches '**/none'");
        VERIFY_CONTAINS(run.stepText(3), "does not exist");
    }

    void transform()
    {
        JobRun run(
            job({script("printf '{\"Db\": {\"Url\": \"x\"}}' > a.json; mkdir pkg; cp "
                        "a.json pkg"),
                 task("FileTransform@2", {{"folderPath", "."}, {"jsonTargetFiles", "a.json"}}),
                 script("grep -o http://db a.json pkg/a.json"),
                 task("ArchiveFiles@2", {{"rootFolderOrFile", "pkg"},
                                         {"includeRootFolder", "false"},
                                         {"archiveFile", "p.zip"}}),
                 task("FileTransform@1",
                      {{"folderPath", "p.zip"}, {"fileType", "json"}, {"targetFiles", "a.json"}}),
                 task("ExtractFiles@1",
                      {{"archiveFilePatterns", "p.zip"}, {"destinationFolder", "out"}}),
                 script("grep -c http://db out/a.json")}));
        run.message.variables = {{"Db.Url", "http://db", false, false}};
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(2), "a.json:http://db");
        VERIFY_CONTAINS(run.stepText(6), "\n1\n");
    }

    /// XDT is for Windows: @1 has it off and refuses it, @2 has it on and leaves it out (task.json
    /// and filetransform.ts of both versions in microsoft/azure-pipelines-tasks, 2.279 and 1.279).
    void transformOfXml_data()
    {
        QTest::addColumn<std::string>("version");
        QTest::addColumn<std::string>("enable"); // empty: not said
        QTest::addColumn<bool>("succeeds");
        QTest::addColumn<std::string>("says");
        QTest::newRow("1, not said") << "1"s << ""s << true << "a.json: 1 value replaced"s;
        QTest::newRow("1, on") << "1"s << "true"s << false
                               << "supported on Windows only, here as in Azure Pipelines; for"s;
        QTest::newRow("2, not said") << "2"s << ""s << true << "a.json: 1 value replaced"s;
        QTest::newRow("2, off") << "2"s << "false"s << true << "a.json: 1 value replaced"s;
        QTest::newRow("2, on") << "2"s << "true"s << true << "Azure Pipelines: left out"s;
    }

    void transformOfXml()
    {
        QFETCH(std::string, version);
        QFETCH(std::string, enable);
        QFETCH(bool, succeeds);
        QFETCH(std::string, says);
        schema::TextMap inputs{{"folderPath", "."}};
        if (version == "1")
            inputs.emplace_back("fileType", "json"); // its files: **/*.json
        else
            inputs.emplace_back("jsonTargetFiles", "a.json");
        if (!enable.empty())
            inputs.emplace_back("enableXmlTransform", enable);
        JobRun run(job(
            {script("printf '{\"Db\": 1}' > a.json"), task("FileTransform@" + version, inputs)}));
        run.message.variables = {{"Db", "2", false, false}};
        QCOMPARE(run.go().result == TaskResult::Succeeded, succeeds);
        VERIFY_CONTAINS(run.stepText(1), says);
        QCOMPARE(run.stepText(1).find("left out") != std::string::npos,
                 enable == "true" && succeeds);
    }

    void tools()
    {
        const auto tool = [](const char *folder, const char *program) {
            return "mkdir -p $(Agent.ToolsDirectory)/" + std::string(folder) +
                   "/x64/bin; touch $(Agent.ToolsDirectory)/" + folder +
                   "/x64.complete; printf '#!/bin/sh\\necho cached " + program +
                   "' > $(Agent.ToolsDirectory)/" + folder + "/x64/bin/" + program +
                   "; chmod +x $(Agent.ToolsDirectory)/" + folder + "/x64/bin/" + program;
        };
        auto missing = task("UseNode@1", {{"version", "99.x"}});
        missing.continueOnError = true;
        auto unreadable = task("NodeTool@0", {{"versionSpec", "lts/*"}});
        unreadable.continueOnError = true;
        auto python =
            task("UsePythonVersion@0", {{"versionSpec", "3.99.x"}, {"architecture", "x64"}});
        python.name = "py";
        auto node = task("NodeTool@0", {{"versionSpec", ">=98 <99"}});
        JobRun run(job({script(tool("node/98.1.0", "node")),
                        script(tool("Python/3.99.1", "python3")), node, script("node"), missing,
                        unreadable, python, script("python; echo \"[$(py.pythonLocation)]\""),
                        task("ReviewApp@0", {{"resourceName", "web"}})}));
        setEnvironment(run.options.environment, "AGENT_OSARCHITECTURE", "X64");
        run.go();
        VERIFY_CONTAINS(run.stepText(2), "Found tool in cache: node 98.1.0 x64");
        VERIFY_CONTAINS(run.stepText(3), "cached node");
        VERIFY_CONTAINS(run.stepText(4), "this worker has no Node.js 99.x");
        VERIFY_CONTAINS(run.stepText(5), "'lts/*' is no version");
        VERIFY_CONTAINS(run.stepText(7), "cached python3");
        VERIFY_CONTAINS(run.stepText(7), "Python/3.99.1/x64/bin]");
        VERIFY_CONTAINS(run.stepText(8), "A dynamic resource is created using web");
    }

    void secureFile()
    {
        auto take = task("DownloadSecureFile@1", {{"secureFile", "key.pem"}});
        take.name = "key";
        auto outside = task("DownloadSecureFile@1", {{"secureFile", "../key.pem"}});
        outside.continueOnError = true;
        auto unknown = task("DownloadSecureFile@1", {{"secureFile", "none.pem"}});
        unknown.continueOnError = true;
        JobRun run(job({take, script("cat $(key.secureFilePath); stat -c %a $(key.secureFilePath)"),
                        outside, unknown}));
        run.sink.secureFiles = {{"key.pem", "the key"}};
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "the key600\n");
        VERIFY_CONTAINS(run.stepText(2), "must be the name of a file");
        VERIFY_CONTAINS(run.stepText(3), "no secure file");
        QVERIFY(!fs::exists(run.options.work / "_temp" / "key.pem"));
    }

    void artifactsOfOtherRuns()
    {
        auto take = task("DownloadPipelineArtifact@2", {{"buildType", "specific"},
                                                        {"definition", "lib"},
                                                        {"runVersion", "latestFromBranch"},
                                                        {"runBranch", "refs/heads/x"},
                                                        {"tags", "good"},
                                                        {"artifactName", "drop"},
                                                        {"targetPath", "in"}});
        take.name = "take";
        auto resource = task(std::string(schema::kDownloadTaskId) + "@1",
                             {{"alias", "lib"}, {"artifact", "drop"}});
        auto bad = task("DownloadBuildArtifacts@1", {{"buildType", "specific"},
                                                     {"buildVersionToDownload", "specific"},
                                                     {"buildId", "abc"},
                                                     {"artifactName", "drop"}});
        JobRun run(
            job({script("echo data > f"),
                 task("PublishBuildArtifacts@1", {{"PathtoPublish", "f"}, {"StoreAsTar", "true"}}),
                 task("DownloadBuildArtifacts@1", {{"artifactName", "drop"},
                                                   {"downloadPath", "$(Pipeline.Workspace)"},
                                                   {"extractTars", "true"}}),
                 script("cat $(Pipeline.Workspace)/drop/f"), take,
                 script("ls in; echo $(take.BuildNumber)"), resource,
                 script("ls $(Pipeline.Workspace)/lib/drop"), bad}));
        run.sink.otherRun = 41;
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(3), "\ndata\n");
        VERIFY_CONTAINS(run.stepText(5), "\ndrop.tar\n41\n");
        VERIFY_CONTAINS(run.stepText(7), "drop.tar");
        VERIFY_CONTAINS(run.stepText(8), "'buildId' ('abc') is no run");
        QCOMPARE(run.sink.queries.at(0).branch, std::string("refs/heads/x"));
        QCOMPARE(run.sink.queries.at(0).tags, std::vector<std::string>{"good"});
        QCOMPARE(run.sink.queries.at(1).pipeline, std::string("lib"));
    }

    /// The keyword downloadBuild: the run of a pipeline resource, each artifact in its folder.
    void downloadBuild()
    {
        JobRun run(job(
            {script("echo data > f"),
             task("PublishPipelineArtifact@1", {{"path", "f"}, {"artifactName", "drop"}}),
             task("DownloadBuildArtifacts@1", {{"alias", "lib"}}),
             task(
                 "DownloadBuildArtifacts@1",
                 {{"alias", "lib"}, {"artifact", "drop"}, {"path", "in"}, {"patterns", "**/none"}}),
             task("DownloadBuildArtifacts@1",
                  {{"alias", "lib"}, {"artifact", "drop"}, {"path", "in"}}),
             script("cat $(Pipeline.Workspace)/lib/drop/f in/drop/f")}));
        run.sink.otherRun = 41;
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(3), "Downloaded 0 files");
        VERIFY_CONTAINS(run.stepText(5), "\ndata\ndata\n");
        QCOMPARE(run.sink.queries.size(), std::size_t(3));
        QCOMPARE(run.sink.queries.at(0).pipeline, std::string("lib"));
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
