// Every logging command with its effect (worker-and-tasks 3.3 to 3.6), in whole jobs: one row of
// docs/compatibility.md each.
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QTest>

using namespace worker;
using namespace worker::test;

class TestStepCommands : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void effects_data()
    {
        QTest::addColumn<QByteArray>("commands"); ///< lines that the first step prints
        QTest::addColumn<QByteArray>("after");    ///< what the second step runs
        QTest::addColumn<QByteArray>("shown");    ///< in the second step's log, or (first) "1:..."
        QTest::addColumn<QByteArray>("result");   ///< of the first step
        const auto row = [](const char *name, const char *commands, const char *after,
                            const char *shown, const char *result = "succeeded") {
            QTest::newRow(name) << QByteArray(commands) << QByteArray(after) << QByteArray(shown)
                                << QByteArray(result);
        };
        // task.setvariable
        row("setvariable", "##vso[task.setvariable variable=a.b]x y", "echo \"[$A_B]$(a.b)\"",
            "[x y]x y");
        row("setvariable isoutput", "##vso[task.setvariable variable=v;isoutput=true]1",
            "echo '[$(one.v)][$(v)]'", "[1][$(v)]");
        row("setvariable issecret", "##vso[task.setvariable variable=v;issecret=true]hush-hush",
            "echo \"[$V]\"; echo $(v)", "[]\n***");
        row("setvariable isreadonly",
            "##vso[task.setvariable variable=v;isreadonly=true]1\n##vso[task.setvariable "
            "variable=v]2",
            "true", "1:the variable 'v' is read-only");
        row("setvariable of a system name", "##vso[task.setvariable variable=Build.BuildId]2",
            "true", "1:is read-only; the value is set all the same");
        row("setvariable preservecase", "##vso[task.setvariable variable=mIx;preservecase=true]1",
            "echo [$mIx]", "[1]");
        row("setvariable without a name", "##vso[task.setvariable]1", "true",
            "1:the property 'variable' is missing", "failed");
        row("setvariable: a secret of several lines",
            "##vso[task.setvariable variable=v;issecret=true]a%0Ab", "true",
            "1:must not contain a line break", "failed");
        row("setvariable: escapes", "##vso[task.setvariable variable=v]50%AZP25%3B%5D",
            "echo \"$(v)\"", "50%;]");
        // task.settaskvariable, task.setsecret
        row("settaskvariable", "##vso[task.settaskvariable variable=t]1", "echo [$T][$(t)]", "[]");
        row("settaskvariable without a name", "##vso[task.settaskvariable]1", "true",
            "1:the property 'variable' is missing", "failed");
        row("setsecret", "##vso[task.setsecret]open-sesame\nopen-sesame", "echo open-sesame",
            "***");
        // task.logissue, task.issue
        row("logissue error", "##vso[task.logissue type=error]bad", "true", "1:##[error]bad");
        row("issue warning", "##vso[task.issue type=warning;source=TaskInternal]hm", "true",
            "1:##[warning]hm");
        row("logissue with its place",
            "##vso[task.logissue type=error;sourcepath=a.c;linenumber=3;columnnumber=4;code=C1]bad",
            "true", "1:##[error]a.c(3,4): error C1: bad");
        row("logissue of another type", "##vso[task.logissue type=note]x", "true",
            "1:must be error or warning", "failed");
        row("logissue without a type", "##vso[task.logissue]x", "true",
            "1:the property 'type' is missing");
        // task.complete
        row("complete", "##vso[task.complete result=SucceededWithIssues;]done", "true", "",
            "succeededWithIssues");
        row("complete: the worst wins",
            "##vso[task.complete result=Failed]\n##vso[task.complete result=Succeeded]", "true", "",
            "failed");
        row("complete with a number", "##vso[task.complete result=2]", "true", "", "failed");
        row("complete in another case", "##vso[task.complete result=failed]", "true",
            "1:must be Succeeded", "failed");
        // task.setprogress, task.logdetail
        row("setprogress", "##vso[task.setprogress value=40]half", "true", "");
        row("setprogress of nothing", "##vso[task.setprogress value=x]", "true",
            "1:must be a number", "failed");
        row("logdetail",
            "##vso[task.logdetail id=11111111-1111-1111-1111-111111111111;type=build;name=n]m",
            "true", "");
        row("logdetail without an id", "##vso[task.logdetail]m", "true", "1:must be a GUID",
            "failed");
        // task.setendpoint
        row("setendpoint", "##vso[task.setendpoint id=known;field=authParameter;key=k]s3cret-thing",
            "echo s3cret-thing", "***");
        row("setendpoint of an unknown one", "##vso[task.setendpoint id=e;field=url]http://x",
            "true", "1:has no service connection 'e'", "failed");
        row("setendpoint of another field", "##vso[task.setendpoint id=e;field=x]y", "true",
            "1:expected id and field", "failed");
        // attachments
        row("addattachment without a type", "##vso[task.addattachment name=n]f", "true",
            "1:the properties 'type' and 'name' are required", "failed");
        row("addattachment of no file", "##vso[task.addattachment type=t;name=n]/none", "true",
            "1:no such file", "failed");
        row("addattachment with a bad name", "##vso[task.addattachment type=t;name=a:b]/etc/passwd",
            "true", "1:is no valid attachment name", "failed");
        row("addattachment out of its folder",
            "##vso[task.addattachment type=t;name=../a]/etc/passwd", "true",
            "1:is no valid attachment name", "failed");
        row("addattachment of the folder above",
            "##vso[task.addattachment type=t;name=..]/etc/passwd", "true",
            "1:is no valid attachment name", "failed");
        row("uploadsummary of no file", "##vso[task.uploadsummary]/none", "true", "1:no such file",
            "failed");
        row("uploadfile of no file", "##vso[task.uploadfile]/none", "true", "1:no such file",
            "failed");
        // task.prependpath, task.debug
        row("prependpath",
            "##vso[task.prependpath]/first\n##vso[task.prependpath]/second\n##vso[task."
            "prependpath]/first",
            "echo $PATH", "/first:/second:");
        row("prependpath of nothing", "##vso[task.prependpath]", "true", "1:no folder given",
            "failed");
        row("debug is silent", "##vso[task.debug]psst", "true", "");
        // artifact, build
        row("artifact.upload without a name", "##vso[artifact.upload]/etc/passwd", "true",
            "1:'artifactname' is missing", "failed");
        row("artifact.upload of nothing", "##vso[artifact.upload artifactname=a]/none", "true",
            "1:no such file or folder", "failed");
        row("artifact.upload out of its folder",
            "##vso[artifact.upload artifactname=../../a]/etc/passwd", "true",
            "1:'../../a' is no artifact name", "failed");
        row("artifact.upload of the folder above",
            "##vso[artifact.upload artifactname=..]/etc/passwd", "true",
            "1:'..' is no artifact name", "failed");
        row("artifact.associate", "##vso[artifact.associate artifactname=a;type=container]#/1/a",
            "true", "1:associates nothing");
        row("build.updatebuildnumber", "##vso[build.updatebuildnumber]7.8",
            "echo $(Build.BuildNumber)", "7.8");
        row("build.updatebuildnumber with a bad one", "##vso[build.updatebuildnumber]a/b", "true",
            "1:is no run number", "failed");
        row("build.addbuildtag of nothing", "##vso[build.addbuildtag]", "true", "1:no tag given",
            "failed");
        row("build of an unknown action", "##vso[build.paint]x", "true", "1:unknown action",
            "failed");
        // results, coverage; areas without effect here
        row("telemetry is dropped", "##vso[telemetry.publish area=a;feature=f]{}", "true", "");
        row("results.publish of no file", "##vso[results.publish type=JUnit;resultFiles=a.xml]",
            "true", "1:a.xml' was not read: ");
        row("results.publish of nothing", "##vso[results.publish type=JUnit]", "true",
            "1:no result files given", "failed");
        row("results.publish of another format", "##vso[results.publish type=X]a.xml", "true",
            "1:unable to process ##vso[results.publish]", "failed");
        row("codecoverage.publish of another tool",
            "##vso[codecoverage.publish codecoveragetool=X;summaryfile=a]", "true",
            "1:must be Cobertura or JaCoCo", "failed");
        row("codecoverage.publish of nothing",
            "##vso[codecoverage.publish codecoveragetool=JaCoCo]", "true",
            "1:the property 'summaryfile' is missing", "failed");
        row("codecoverage.publish of no file",
            "##vso[codecoverage.publish codecoveragetool=JaCoCo;summaryfile=a.xml]", "true",
            "1:##[error]", "failed");
        row("release.updatereleasename", "##vso[release.updatereleasename]x", "true",
            "1:has no effect here");
        row("an unknown area", "##vso[moon.land]x", "true", "1:unknown area 'moon'");
        // grammar
        row("malformed ones are shown", "##vso[task.debug", "true", "1:##vso[task.debug\n");
        row("text before the command", "noise##vso[task.setvariable variable=v]1", "echo [$(v)]",
            "[1]");
        row("the prefix has one case", "##VSO[task.complete result=Failed]", "true",
            "1:##VSO[task.complete result=Failed]");
    }

    void effects()
    {
        QFETCH(QByteArray, commands);
        QFETCH(QByteArray, after);
        QFETCH(QByteArray, shown);
        QFETCH(QByteArray, result);
        auto second = script(after.toStdString(), "two");
        second.condition = "always()";
        auto message = job({script("cat $(Agent.WorkFolder)/said", "one"), second});
        schema::protocol::ServiceConnection known;
        known.id = known.name = "known";
        message.connections = {known};
        JobRun run(message);
        QVERIFY(writeFile(run.options.work / "said", commands.toStdString() + "\n"));
        run.go();
        const bool first = shown.startsWith("1:");
        const auto text = run.stepText(first ? 0 : 1);
        const auto part = shown.mid(first ? 2 : 0).toStdString();
        QVERIFY2(text.find(part) != std::string::npos, text.c_str());
        QCOMPARE(QByteArray::fromStdString(run.stepResult(0)), result);
    }

    void deliveries()
    {
        JobRun run(job({script("echo text > f; mkdir d; echo x > d/x; cat << 'EOF'\n"
                               "##vso[task.addattachment type=my.type;name=my name]f\n"
                               "##vso[task.uploadsummary]$(Build.SourcesDirectory)/f\n"
                               "##vso[task.uploadfile]f\n"
                               "##vso[build.uploadlog]f\n"
                               "##vso[build.uploadsummary]f\n"
                               "##vso[build.addbuildtag]green\n"
                               "##vso[artifact.upload artifactname=up;containerfolder=up]d\n"
                               "EOF")}));
        run.go();
        QCOMPARE(QByteArray::fromStdString(run.stepResult(0)), QByteArray("succeeded"));
        const std::vector<std::string> attachments{
            "my.type/my name", "DistributedTask.Core.Summary/f",
            "DistributedTask.Core.FileAttachment/f", "DistributedTask.Core.FileAttachment/f",
            "DistributedTask.Core.Summary/f"};
        QCOMPARE(run.sink.attachments, attachments);
        QCOMPARE(run.sink.tags, std::vector<std::string>{"green"});
        QVERIFY(fs::exists(fs::path(run.sink.artifactFolder.path().toStdString()) / "up" / "x"));
    }

    void results_data()
    {
        QTest::addColumn<QByteArray>("command");
        QTest::addColumn<QList<QByteArray>>("titles"); ///< of the test runs
        QTest::addColumn<QByteArray>("result");
        const auto row = [](const char *name, const char *command, const QList<QByteArray> &titles,
                            const char *result = "succeeded") {
            QTest::newRow(name) << QByteArray(command) << titles << QByteArray(result);
        };
        row("merged", "type=JUnit;runTitle=unit;resultFiles=a.xml,b.xml]", {"unit"});
        row("apart", "type=JUnit;mergeResults=false;runTitle=unit;resultFiles=a.xml,b.xml]",
            {"unit_1", "unit_2"});
        row("files as data", "type=junit;runTitle=unit]a.xml", {"unit"});
        row("failed tests",
            "type=JUnit;runTitle=unit;failTaskOnFailedTests=true;resultFiles=b.xml]", {"unit"},
            "failed");
        row("failed tests without the flag", "type=JUnit;runTitle=unit;resultFiles=b.xml]",
            {"unit"});
        row("no title", "type=JUnit]a.xml", {"JUnit_TestResults_"});
    }

    void results()
    {
        QFETCH(QByteArray, command);
        QFETCH(QList<QByteArray>, titles);
        QFETCH(QByteArray, result);
        JobRun run(job({script("cp $(Agent.WorkFolder)/*.xml .; cat $(Agent.WorkFolder)/said")}));
        QVERIFY(writeFile(run.options.work / "said",
                          "##vso[results.publish " + command.toStdString() + "\n"));
        QVERIFY(writeFile(run.options.work / "a.xml",
                          "<testsuite name='s'><testcase name='a'/></testsuite>"));
        QVERIFY(writeFile(run.options.work / "b.xml", "<testsuite name='s'><testcase name='b'>"
                                                      "<failure message='bad'/></testcase>"
                                                      "</testsuite>"));
        run.go();
        QCOMPARE(QByteArray::fromStdString(run.stepResult(0)), result);
        QCOMPARE(run.sink.testRuns.size(), static_cast<std::size_t>(titles.size()));
        for (std::size_t i = 0; i < run.sink.testRuns.size(); ++i)
            QVERIFY2(QByteArray::fromStdString(run.sink.testRuns[i].title)
                         .startsWith(titles[static_cast<qsizetype>(i)]),
                     run.sink.testRuns[i].title.c_str());
    }

    void coverage()
    {
        JobRun run(job({script("echo '<coverage lines-covered=\"3\" lines-valid=\"4\"/>' > c.xml; "
                               "echo '##vso[codecoverage.publish "
                               "codecoveragetool=Cobertura;summaryfile=c.xml]'")}));
        run.go();
        QCOMPARE(QByteArray::fromStdString(run.stepResult(0)), QByteArray("succeeded"));
        QCOMPARE(run.sink.coverage.size(), std::size_t(1));
        QVERIFY(run.stepText(0).find("75.00 % (3 of 4)") != std::string::npos);
    }

    void restrictedSteps_data()
    {
        QTest::addColumn<QByteArray>("command");
        QTest::addColumn<bool>("allowed");
        const auto row = [](const char *command, bool allowed) {
            QTest::newRow(command) << QByteArray(command) << allowed;
        };
        row("##vso[task.logissue type=warning]x", true);
        row("##vso[task.complete result=Succeeded]x", true);
        row("##vso[task.setprogress value=1]x", true);
        row("##vso[task.setsecret]a-secret", true);
        row("##vso[task.setvariable variable=v]x", true);
        row("##vso[task.debug]x", true);
        row("##vso[task.settaskvariable variable=v]x", true);
        row("##vso[task.prependpath]/x", true);
        row("##vso[telemetry.publish area=a;feature=b]{}", true);
        row("##vso[task.uploadfile]/etc/hostname", false);
        row("##vso[task.uploadsummary]/etc/hostname", false);
        row("##vso[task.addattachment type=t;name=n]/etc/hostname", false);
        row("##vso[task.setendpoint id=e;field=url]http://x", false);
        row("##vso[artifact.upload artifactname=a]/etc/hostname", false);
        row("##vso[build.addbuildtag]t", false);
        row("##vso[build.updatebuildnumber]1", false);
    }

    void restrictedSteps()
    {
        QFETCH(QByteArray, command);
        QFETCH(bool, allowed);
        auto step = script("cat $(Agent.WorkFolder)/said");
        step.target = schema::StepTarget{};
        step.target->restrictedCommands = true;
        JobRun run(job({step}));
        QVERIFY(writeFile(run.options.work / "said", command.toStdString() + "\n"));
        run.go();
        QCOMPARE(run.stepText(0).find("is not allowed in this step") == std::string::npos, allowed);
        QCOMPARE(QByteArray::fromStdString(run.stepResult(0)), QByteArray("succeeded"));
    }
};

QTEST_APPLESS_MAIN(TestStepCommands)
#include "tst_step_commands.moc"
