// Readers of test result files.
#include "worker/results/test_results.h"

#include <QTest>

using namespace worker;

Q_DECLARE_METATYPE(worker::TestFormat)

class TestTestResults : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void reads_data()
    {
        QTest::addColumn<TestFormat>("format");
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("shown"); ///< suite|class|name|outcome|ms|message; or !error
        const auto row = [](const char *name, TestFormat format, const char *file,
                            const char *shown) {
            QTest::newRow(name) << format << QByteArray(file) << QByteArray(shown);
        };
        row("junit", TestFormat::JUnit,
            "<testsuites><testsuite name='s'><testcase name='a' classname='c' time='1.5'/>"
            "<testcase name='b'><failure message='m'>trace</failure></testcase>"
            "<testcase name='d'><skipped message='later'/></testcase>"
            "<testcase name='e'><error>first\nsecond</error></testcase></testsuite></testsuites>",
            "s|c|a|Passed|1500|\ns||b|Failed|0|m\ns||d|NotExecuted|0|later\ns||e|Failed|0|first\n");
        row("junit nested", TestFormat::JUnit,
            "<testsuite name='o'><testsuite name='i'><testcase name='a'/></testsuite>"
            "<testcase name='b'/></testsuite>",
            "i||a|Passed|0|\no||b|Passed|0|\n");
        row("junit thousands", TestFormat::JUnit,
            "<testsuite name='s'><testcase name='a' time='1,234.5'/></testsuite>",
            "s||a|Passed|1234500|\n");
        row("junit bad time", TestFormat::JUnit,
            "<testsuite name='s'><testcase name='a' time='soon'/></testsuite>", "s||a|Passed|0|\n");
        row("junit system-out is no message", TestFormat::JUnit,
            "<testsuite name='s'><testcase "
            "name='a'><system-out>x</system-out></testcase></testsuite>",
            "s||a|Passed|0|\n");
        row("empty suite", TestFormat::JUnit, "<testsuite/>", "");
        row("other root", TestFormat::JUnit, "<html/>", "!root element is <html>");
        row("not XML", TestFormat::JUnit, "hello", "!line 1");
        row("cut off", TestFormat::JUnit, "<testsuite><testcase name='a'>", "!line 1");
        row("empty", TestFormat::JUnit, "", "!line 1");
        row("external entity", TestFormat::JUnit,
            "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
            "<testsuite name='s'><testcase name='&x;'/></testsuite>",
            "!line 1");
        row("nunit 3", TestFormat::NUnit,
            "<test-run><test-suite name='f'><test-case name='a' classname='c' result='Passed' "
            "duration='0.5'/><test-case name='b' result='Failed'><failure><message>m</message>"
            "</failure></test-case><test-case name='c' result='Skipped'/></test-suite></test-run>",
            "f|c|a|Passed|500|\nf||b|Failed|0|m\nf||c|NotExecuted|0|\n");
        row("xunit", TestFormat::XUnit,
            "<assemblies><assembly name='/x/y.dll'><collection><test name='a' type='c' "
            "result='Pass' time='0.25'/><test name='b' type='c' result='Fail'><failure><message>"
            "m</message></failure></test></collection></assembly></assemblies>",
            "y.dll|c|a|Passed|250|\ny.dll|c|b|Failed|0|m\n");
        row("trx", TestFormat::VSTest,
            "<TestRun><Results><UnitTestResult testId='1' testName='a' outcome='Passed' "
            "duration='00:00:01.5000000'/></Results><TestDefinitions><UnitTest id='1'>"
            "<TestMethod className='N.C, A'/></UnitTest></TestDefinitions></TestRun>",
            "|N.C|a|Passed|1500|\n");
        row("ctest", TestFormat::CTest,
            "<Site><Testing><Test Status='passed'><Name>a</Name><Path>./x</Path><Results>"
            "<NamedMeasurement name='Execution Time'><Value>0.1</Value></NamedMeasurement>"
            "</Results></Test><Test Status='notrun'><Name>b</Name></Test></Testing></Site>",
            "./x||a|Passed|100|\n||b|NotExecuted|0|\n");
    }

    void reads()
    {
        QFETCH(TestFormat, format);
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, shown);
        const auto results = readTestResults(format, file.toStdString());
        if (shown.startsWith('!')) {
            QVERIFY(!results);
            QVERIFY2(results.error().message.find(shown.mid(1).toStdString()) != std::string::npos,
                     results.error().message.c_str());
            return;
        }
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        std::string text;
        for (const auto &result : *results)
            text += result.suite + "|" + result.className + "|" + result.name + "|" +
                    result.outcome + "|" + std::to_string(result.durationMs) + "|" +
                    result.message + "\n";
        QCOMPARE(QByteArray::fromStdString(text), shown);
    }

    void entityBombsAreBounded()
    {
        std::string bomb = "<!DOCTYPE t [<!ENTITY a0 'xxxxxxxxxx'>";
        for (int i = 1; i < 12; ++i) {
            bomb += "<!ENTITY a" + std::to_string(i) + " '";
            for (int j = 0; j < 10; ++j)
                bomb += "&a" + std::to_string(i - 1) + ";";
            bomb += "'>";
        }
        bomb += "]><testsuite name='&a11;'/>";
        QVERIFY(!readTestResults(TestFormat::JUnit, bomb));
    }

    void deepNestingIsBounded()
    {
        std::string deep;
        for (int i = 0; i < 100000; ++i)
            deep += "<testsuite>";
        QVERIFY(!readTestResults(TestFormat::JUnit, deep));
    }
};

QTEST_APPLESS_MAIN(TestTestResults)
#include "tst_test_results.moc"
