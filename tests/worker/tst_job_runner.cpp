// Whole jobs of script steps: variables, commands, conditions, results, masking, cancel.
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QTest>

#include <fcntl.h>
#include <unistd.h>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

class TestJobRunner : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void runsStepsInOrder()
    {
        JobRun run(job({script("echo one; echo two >&2"), script("echo three")}));
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Succeeded));
        const auto text = run.stepText(0);
        VERIFY_CONTAINS(text, "##[section]Starting: Command Line Script\n");
        VERIFY_CONTAINS(text, "\none\n");
        VERIFY_CONTAINS(text, "\ntwo\n");
        VERIFY_CONTAINS(text, "##[section]Finishing: Command Line Script\n");
        VERIFY_CONTAINS(run.jobText(), "\nthree\n");
        const auto *record = run.sink.named("Finalize Job");
        QVERIFY(record != nullptr && record->result == TaskResult::Succeeded);
        QVERIFY(fs::is_empty(run.options.work / "_temp"));
    }

    void results_data()
    {
        QTest::addColumn<QStringList>("scripts");
        QTest::addColumn<QStringList>("conditions");
        QTest::addColumn<QString>("results"); ///< of the steps, then of the job
        const auto row = [](const char *name, const QStringList &scripts,
                            const QStringList &conditions, const char *results) {
            QTest::newRow(name) << scripts << conditions << QString::fromLatin1(results);
        };
        const QString none;
        const auto text = [](const char *t) { return QString::fromLatin1(t); };
        row("failure skips the rest", {text("exit 3"), text("echo no")}, {none, none},
            "failed skipped failed");
        row("always runs", {text("exit 1"), text("true")}, {none, text("always()")},
            "failed succeeded failed");
        row("failed() runs", {text("exit 1"), text("true")}, {none, text("failed()")},
            "failed succeeded failed");
        row("failed() after success", {text("true"), text("true")}, {none, text("failed()")},
            "succeeded skipped succeeded");
        row("variable condition",
            {text("echo '##vso[task.setvariable variable=go]yes'"), text("true")},
            {none, text("eq(variables['go'], 'YES')")}, "succeeded succeeded succeeded");
        row("task.complete fails a good exit",
            {text("echo '##vso[task.complete result=Failed]bad'")}, {none}, "failed failed");
        row("with issues",
            {text("echo '##vso[task.complete result=SucceededWithIssues]'"), text("true")},
            {none, none}, "succeededWithIssues succeeded succeededWithIssues");
        row("exit code beats complete",
            {text("echo '##vso[task.complete result=Succeeded]'; exit 1")}, {none},
            "failed failed");
        row("error issue alone does not fail", {text("echo '##vso[task.logissue type=error]x'")},
            {none}, "succeeded succeeded");
        row("bad command fails", {text("echo '##vso[task.complete result=Great]'")}, {none},
            "failed failed");
        row("unknown action fails", {text("echo '##vso[task.dance]'")}, {none}, "failed failed");
        row("unknown area warns", {text("echo '##vso[dance.now]'")}, {none}, "succeeded succeeded");
        row("malformed is shown", {text("echo '##vso[broken'")}, {none}, "succeeded succeeded");
    }

    void results()
    {
        QFETCH(QStringList, scripts);
        QFETCH(QStringList, conditions);
        QFETCH(QString, results);
        std::vector<schema::Step> steps;
        for (qsizetype i = 0; i < scripts.size(); ++i) {
            steps.push_back(script(scripts[i].toStdString()));
            steps.back().condition = conditions[i].toStdString();
        }
        JobRun run(job(steps));
        const auto completion = run.go();
        std::string shown;
        for (std::size_t i = 0; i < steps.size(); ++i)
            shown += run.stepResult(i) + " ";
        shown += toString(completion.result);
        QVERIFY2(shown == results.toStdString(), (shown + "\n" + run.jobText()).c_str());
    }

    void continueOnErrorAndRetry()
    {
        auto failing = script("exit 1");
        failing.continueOnError = true;
        auto flaky = script("test -e marker || { touch marker; exit 1; }");
        flaky.retryCount = 1;
        JobRun run(job({failing, flaky}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::SucceededWithIssues));
        QCOMPARE(run.stepResult(0), std::string("succeededWithIssues"));
        QCOMPARE(run.stepResult(1), std::string("succeeded"));
        VERIFY_CONTAINS(run.stepText(1), "attempt 1 of 1");
    }

    void variablesReachLaterSteps()
    {
        JobRun run(
            job({script("echo '##vso[task.setvariable variable=my.var]v$(In)'"),
                 script("echo \"env=$MY_VAR macro=$(my.var) gone=$(nothing)x in=$IN_SIDE\"")}));
        run.message.variables = {{"In", "1", false, false}, {"in side", "$(In)2", false, false}};
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "env=v1 macro=v1 gone=");
        VERIFY_CONTAINS(run.stepText(1), "in=12");
    }

    void outputs()
    {
        JobRun run(
            job({script("echo '##vso[task.setvariable variable=tag;isOutput=true]1.2'", "build"),
                 script("echo \"$(build.tag) [$(tag)] $BUILD_TAG\" || true")}));
        const auto completion = run.go();
        QCOMPARE(completion.outputs.size(), std::size_t(1));
        QVERIFY((completion.outputs[0] ==
                 schema::protocol::OutputVariable{"build", "tag", "1.2", false}));
        VERIFY_CONTAINS(run.stepText(1), "1.2 [");
    }

    void secretsAreMaskedEverywhere()
    {
        JobRun run(
            job({script("echo \"direct $(pw) env=[$PW]\"; echo \"$MAPPED\" | base64"),
                 script("echo '##vso[task.setvariable variable=late;isSecret=true]l4te-secret'; "
                        "echo l4te-secret; echo '##vso[task.logissue type=error]has l4te-secret'"),
                 script("printf l4te; sleep 0.05; echo -secret; echo \"[$LATE]\"")}));
        run.message.variables = {{"pw", "hunter2!x", true, false}};
        run.message.steps[0].env = {{"MAPPED", "$(pw)"}};
        run.message.steps[2].displayName = "Shows $(late)";
        run.go();
        for (const auto &[id, text] : run.sink.logs) {
            QVERIFY2(text.find("hunter2!x") == std::string::npos, text.c_str());
            QVERIFY2(text.find("l4te-secret") == std::string::npos, text.c_str());
            QVERIFY2(text.find(encodeBase64("hunter2!x\n").substr(0, 10)) == std::string::npos,
                     text.c_str());
        }
        for (const auto &[id, record] : run.sink.records) {
            QVERIFY(record.name.value_or("").find("l4te-secret") == std::string::npos);
            for (const auto &issue : record.issues.value_or(std::vector<schema::protocol::Issue>{}))
                QVERIFY(issue.message.find("l4te-secret") == std::string::npos);
        }
        VERIFY_CONTAINS(run.stepText(0), "direct *** env=[]\n");
        VERIFY_CONTAINS(run.stepText(2), "***\n[]\n");
        QVERIFY(run.sink.named("Shows ***") != nullptr);
    }

    void prependPathAndTags()
    {
        JobRun run(
            job({script("mkdir -p bin; printf '#!/bin/sh\\necho from-bin' > bin/mytool; chmod +x "
                        "bin/mytool; echo \"##vso[task.prependpath]$PWD/bin\"; echo "
                        "'##vso[build.addbuildtag]nice'; echo '##vso[build.updatebuildnumber]9.9'"),
                 script("mytool; echo \"$(Build.BuildNumber)\"")}));
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "from-bin\n9.9\n");
        QCOMPARE(run.sink.tags, std::vector<std::string>{"nice"});
        QCOMPARE(run.sink.runNumber, std::string("9.9"));
    }

    void restrictedStep()
    {
        auto step =
            script("echo '##vso[task.setvariable variable=a]1'; echo "
                   "'##vso[task.setvariable variable=OK_1]2'; echo '##vso[build.addbuildtag]t'");
        step.target = schema::StepTarget{"", true, std::vector<std::string>{"ok*"}};
        JobRun run(job({step, script("echo \"[$A][$OK_1]\"")}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Succeeded));
        VERIFY_CONTAINS(run.stepText(0), "may not set the variable 'a'");
        VERIFY_CONTAINS(run.stepText(0), "not allowed in this step");
        VERIFY_CONTAINS(run.stepText(1), "[][2]");
        QVERIFY(run.sink.tags.empty());
    }

    void unknownTaskFailsBeforeAnyStep()
    {
        auto unknown = task("NoSuchTask@4", {});
        unknown.position = {"/azure-pipelines.yml", 12, 3};
        JobRun run(job({script("echo never"), unknown}));
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(completion.message, "NoSuchTask@4");
        VERIFY_CONTAINS(completion.message, "/azure-pipelines.yml line 12");
        QCOMPARE(run.stepResult(0), std::string("none"));
    }

    void stepTimeoutEndsTheWholeGroup()
    {
        // The process ignores INT and TERM and has a child: both must go.
        auto step =
            script("trap '' INT TERM; sleep 300 & echo child=$!; while :; do sleep 1; done");
        step.timeoutMinutes = 0;
        JobRun run(job({step, script("echo after")}));
        run.message.steps[1].condition = "always()";
        std::string child;
        run.sink.onLog = [&](const std::string &, std::string_view bytes) {
            if (const auto at = bytes.find("child="); at != std::string::npos && child.empty()) {
                child = trimmed(bytes.substr(at + 6));
                run.stop.request(StopReason::Canceled);
            }
        };
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Canceled));
        QCOMPARE(run.stepResult(0), std::string("canceled"));
        QCOMPARE(run.stepResult(1), std::string("succeeded"));
        QVERIFY(!child.empty());
        QVERIFY(!fs::exists("/proc/" + child) ||
                readFile("/proc/" + child + "/stat").value_or("Z").find(" Z ") !=
                    std::string::npos);
    }

    void cancelLetsAlwaysStepsGoOn()
    {
        auto step = script("echo ready; sleep 0.3; echo done");
        step.condition = "always()";
        JobRun run(job({step, script("echo no"), script("echo cleanup")}));
        run.message.steps[2].condition = "canceled()";
        run.sink.onLog = [&](const std::string &, std::string_view bytes) {
            if (bytes.find("ready") != std::string::npos)
                run.stop.request(StopReason::Canceled);
        };
        QCOMPARE(toString(run.go().result), toString(TaskResult::Canceled));
        VERIFY_CONTAINS(run.stepText(0), "\ndone\n");
        QCOMPARE(run.stepResult(0), std::string("succeeded"));
        QCOMPARE(run.stepResult(1), std::string("skipped"));
        QCOMPARE(run.stepResult(2), std::string("succeeded"));
    }

    void orphansAreEnded()
    {
        JobRun run(job({script("setsid sleep 300 >/dev/null 2>&1 & echo pid=$!")}));
        run.go();
        const auto text = run.stepText(0);
        const auto at = text.find("pid=");
        QVERIFY(at != std::string::npos);
        VERIFY_CONTAINS(run.jobText(), "Terminate orphan process");
    }

    void oddOutput_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<QByteArray>("expected");
        const auto text = [](const char *t) { return QString::fromLatin1(t); };
        QTest::newRow("no line end") << text("printf abc") << QByteArray("\nabc\n");
        QTest::newRow("carriage return")
            << text("printf 'a\\r\\nb\\r\\n'") << QByteArray("\na\nb\n");
        QTest::newRow("empty lines") << text("printf '\\n\\nx\\n'") << QByteArray("\n\n\nx\n");
        QTest::newRow("binary") << text("printf '\\377\\000\\001x\\n'")
                                << QByteArray("\n\xff\x00\x01x\n", 6);
        QTest::newRow("formatting stays") << text("echo '##[group]G'; echo '##[error]E'")
                                          << QByteArray("\n##[group]G\n##[error]E\n");
        QTest::newRow("closed streams")
            << text("echo x; exec >&- 2>&-; sleep 0.1") << QByteArray("\nx\n");
    }

    void oddOutput()
    {
        QFETCH(QString, command);
        QFETCH(QByteArray, expected);
        JobRun run(job({script(command.toStdString())}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Succeeded));
        const auto text = run.stepText(0);
        QVERIFY2(text.find(expected.toStdString()) != std::string::npos, text.c_str());
    }

    void aHugeLineArrivesWhole()
    {
        JobRun run(job({script("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end")}));
        run.message.variables = {{"s", "xyz-secret", true, false}};
        run.go();
        const auto text = run.stepText(0);
        VERIFY_CONTAINS(text, "\nend\n");
        QVERIFY(text.find(std::string(5000000, 'x')) != std::string::npos);
    }

    void stepsInheritNoDescriptors()
    {
        const int leak = ::open("/dev/null", O_RDONLY); // without close-on-exec, as libraries do
        JobRun run(job({script("ls /proc/self/fd | tr '\\n' ' '")}));
        run.go();
        ::close(leak);
        VERIFY_CONTAINS(run.stepText(0), "\n0 1 2 3 \n"); // 3 is ls reading the folder
    }

    void missingWorkingDirectory()
    {
        auto step = script("true");
        step.inputs.emplace_back("workingDirectory", "nowhere");
        JobRun run(job({step}));
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "does not exist");
    }

    void workspacesAreReusedAndNeverShared()
    {
        JobRun run(
            job({script("echo \"at $(Pipeline.Workspace)\"; touch $(Build.BinariesDirectory)/kept "
                        "$(Build.ArtifactStagingDirectory)/gone")}));
        run.go();
        const auto first = run.stepText(0);
        run.sink.logs.clear();
        run.sink.records.clear();
        run.message.steps[0].inputs[0].second =
            "echo \"at $(Pipeline.Workspace)\"; ls b a; ls ../b ../a";
        run.go();
        VERIFY_CONTAINS(first, "/_work/1\n");
        VERIFY_CONTAINS(run.stepText(0), "/_work/1\n");
        VERIFY_CONTAINS(run.stepText(0), "kept");
        QVERIFY(run.stepText(0).find("gone") == std::string::npos);
        const auto held = takeWorkspace(run.options.work, "Default/test", "x");
        QVERIFY(held);
        const auto second = takeWorkspace(run.options.work, "Default/test", "y");
        QVERIFY(second);
        QVERIFY(held->layout.workspace != second->layout.workspace);
    }
};

QTEST_APPLESS_MAIN(TestJobRunner)
#include "tst_job_runner.moc"
