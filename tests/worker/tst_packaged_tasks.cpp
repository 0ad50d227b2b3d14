// Tasks that come as packages: the contract of their handlers, and the unmodified task library.
#include "support/recording_sink.h"
#include "tests/support/source_tree.h"
#include "worker/base/text.h"
#include "worker/node/package.h"

#include <QTest>

#include <algorithm>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())
#define VERIFY_LACKS(text, part) QVERIFY2((text).find(part) == std::string::npos, (text).c_str())

namespace {

std::string tasksFolder()
{
    return ::test::sourceTree("tests/task-lib/tasks");
}

bool haveNode()
{
    const auto environment = currentEnvironment();
    const auto *path = findEnvironment(environment, "PATH");
    return !findProgram("node", path == nullptr ? std::string() : *path).empty();
}

schema::protocol::JobMessage echo(const std::string &reference, const std::string &what)
{
    return job({task(reference, {{"do", what}})});
}

} // namespace

class TestPackagedTasks : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase()
    {
        if (!haveNode())
            QSKIP("node is not installed");
    }

    void everyFunctionOfTheTaskLibrary()
    {
        if (!fs::exists(::test::sourceTree("tests/task-lib/node_modules/azure-pipelines-task-lib")))
            QSKIP("the task library is not installed: npm ci in tests/task-lib");
        auto library = task("Library@1", {{"otherName", "by alias"},
                                          {"items", "one\ntwo\n"},
                                          {"file", "some/file.txt"},
                                          {"connection", "My Service"},
                                          {"certificate", "signing.pem"}});
        library.name = "lib";
        JobRun run(
            job({library, script("echo \"env=$FROMTASK path=$PATH\"; echo 'out=$(lib.outOfTask) "
                                 "declared=$(lib.declared)'; echo late-secret-value")}));
        run.options.taskFolders = {tasksFolder()};
        run.sink.secureFiles["signing.pem"] = "-----the key-----";
        auto &message = run.message;
        message.serverUrl = "http://127.0.0.1:1"; // never asked: the folder has the task
        message.jobToken = "job-token-0815";
        message.variables.push_back({"my.plain", "plain value", false, false});
        message.variables.push_back({"mySecret", "hunter2-secret", true, false});
        message.variables.push_back({"Build.BuildId", "42", false, false});
        message.variables.push_back({"DistributedTask.Tasks.Fast", "true", false, false});
        schema::protocol::ServiceConnection connection;
        connection.id = "0C1D2E3F-0000-4000-8000-000000000001";
        connection.name = "My Service";
        connection.type = "generic";
        connection.url = "https://service.example.com/";
        connection.scheme = "UsernamePassword";
        connection.parameters = {{"username", "me"}, {"password", "endpoint-password"}};
        connection.data = {{"registryType", "Others"}, {"dotted.name", "x"}};
        message.connections.push_back(connection);
        const auto completion = run.go();
        const auto text = run.stepText(0);
        const auto wrong = text.find("NOT ok");
        QVERIFY2(wrong == std::string::npos, text.substr(std::min(wrong, text.size())).c_str());
        VERIFY_CONTAINS(text, "functions were called\n");
        QCOMPARE(toString(completion.result), toString(TaskResult::SucceededWithIssues));
        // What the functions asked for has happened.
        VERIFY_CONTAINS(run.jobText(), "before: from 42\n");
        VERIFY_CONTAINS(run.jobText(), "after: before main from 42\n");
        const auto next = run.stepText(1);
        VERIFY_CONTAINS(next, "env=set; by ] task% path=/second:/first:");
        VERIFY_CONTAINS(next, "out=output value declared=declared value\n");
        for (const char *secret : {"hunter2-secret", "late-secret-value", "made-up-secret",
                                   "task-secret-4711", "endpoint-password", "ticket-for-signing"})
            VERIFY_LACKS(run.jobText(), secret);
        const auto *record = run.sink.named("Library functions");
        QVERIFY(record != nullptr && record->issues);
        QVERIFY(record->issues->size() >= 3); // an error, a warning, one with a file
        QCOMPARE(run.sink.runNumber, std::string("7.0"));
        QCOMPARE(run.sink.tags, std::vector<std::string>{"tagged"});
        QVERIFY(run.sink.attachments.size() >= 4);
        QVERIFY(run.sink.named("Pre-job: Library functions") != nullptr);
        QVERIFY(run.sink.named("Post-job: Library functions") != nullptr);
    }

    void secureFileThatIsNotThere()
    {
        if (!fs::exists(::test::sourceTree("tests/task-lib/node_modules/azure-pipelines-task-lib")))
            QSKIP("the task library is not installed: npm ci in tests/task-lib");
        JobRun run(job({task("Library@1", {{"certificate", "gone.pem"}})}));
        run.options.taskFolders = {tasksFolder()};
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.jobText(), "input 'certificate': no secure file 'gone.pem'");
    }

    void contract_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("result");
        QTest::addColumn<QString>("says");
        const auto row = [](const char *what, const char *result, const char *says) {
            QTest::newRow(what) << QString::fromLatin1(what) << QString::fromLatin1(result)
                                << QString::fromLatin1(says);
        };
        row("completeFailed", "failed", "Echo 2.10");
        row("completeSucceededExit1", "failed", "Exit code 1 returned from process");
        row("upload", "succeeded", "##vso[task.uploadfile] is not allowed in this step");
        row("variables", "succeeded", "may not set the variable 'OTHER'");
        row("afterComplete", "succeeded", "\nstill talking\n");
        row("done", "succeededWithIssues", "Echo 2.10");
        row("crash", "failed", "Error: crashed");
    }

    void contract()
    {
        QFETCH(QString, what);
        QFETCH(QString, result);
        QFETCH(QString, says);
        JobRun run(echo("Echo@2", what.toStdString()));
        run.options.taskFolders = {tasksFolder()};
        run.options.interruptGrace = run.options.terminateGrace = std::chrono::milliseconds(200);
        run.go();
        QCOMPARE(QString::fromStdString(run.stepResult(0)), result);
        VERIFY_CONTAINS(run.stepText(0), says.toStdString());
        VERIFY_CONTAINS(run.stepText(0), "Task         : Echo\n");
    }

    void versions_data()
    {
        QTest::addColumn<QString>("asked");
        QTest::addColumn<QString>("says");
        QTest::newRow("highest of a major") << "Echo@2" << "Echo 2.10\n";
        QTest::newRow("minor") << "Echo@2.0" << "Echo 2.0\n";
        QTest::newRow("exact") << "Echo@2.0.0" << "Echo 2.0\n";
        QTest::newRow("by id") << "7f3d5b1e-2a44-4c6b-8a55-6f1b2c3d4e50@2" << "Echo 2.10\n";
        QTest::newRow("by contribution") << "publisher.extension.Echo@2" << "Echo 2.10\n";
        QTest::newRow("no such major") << "Echo@3" << "the task folders hold version 2.";
        QTest::newRow("no such task") << "Nothing@1" << "task 'Nothing@1' is not one of";
    }

    void versions()
    {
        QFETCH(QString, asked);
        QFETCH(QString, says);
        JobRun run(echo(asked.toStdString(), ""));
        run.options.taskFolders = {tasksFolder()};
        run.go();
        VERIFY_CONTAINS(run.jobText(), says.toStdString());
    }

    void packsAndUnpacks()
    {
        const QTemporaryDir folder;
        const fs::path zip = fs::path(folder.path().toStdString()) / "p.zip";
        const fs::path out = fs::path(folder.path().toStdString()) / "out";
        QVERIFY(packFolder(fs::path(tasksFolder()) / "Library", zip));
        QVERIFY(unpackPackage(zip, out));
        QVERIFY(fs::is_regular_file(out / "Strings/resources.resjson/en-US/resources.resjson"));
        const auto first = sha256OfFile(zip);
        QVERIFY(packFolder(out, zip));
        QCOMPARE(*sha256OfFile(zip), *first); // the same files, the same package
        QVERIFY(writeFile(zip, "no archive"));
        QVERIFY(!unpackPackage(zip, out / "x"));
    }

    void notForLinux()
    {
        const QTemporaryDir folder;
        const fs::path at = fs::path(folder.path().toStdString()) / "Win";
        QVERIFY(makeDirectories(at));
        QVERIFY(writeFile(at / "task.json",
                          R"({"id": "11111111-2222-4333-8444-555555555555", "name": "Win",
                              "version": {"Major": 1, "Minor": 0, "Patch": 0},
                              "execution": {"PowerShell3": {"target": "x.ps1"}}})"));
        JobRun run(job({task("Win@1", {})}));
        run.options.taskFolders = {at.string()};
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(completion.message, "cannot run on Linux: it brings PowerShell3");
    }
};

QTEST_GUILESS_MAIN(TestPackagedTasks)
#include "tst_packaged_tasks.moc"
