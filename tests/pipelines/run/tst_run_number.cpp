#include "pipelines/run/run_number.h"

#include <QTest>

using namespace pipelines::run;

class TestRunNumber : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    // The sample moment of pipeline-language 8: third run of the day.
    void formats_data()
    {
        QTest::addColumn<QByteArray>("format");
        QTest::addColumn<QByteArray>("number");
        QTest::addColumn<QByteArray>("counted");
        const auto row = [](const char *format, const char *number, const char *counted) {
            QTest::newRow(*format ? format : "(default)")
                << QByteArray(format) << QByteArray(number) << QByteArray(counted);
        };
        row("", "20260309.3", "20260309.");
        row("$(Date:yyyyMMdd)", "20260309", "(not)");
        row("$(Date:MMddyy)", "030926", "(not)");
        row("$(Rev:r)", "3", "");
        row("$(Rev:rr)", "03", "");
        row("$(Date:yyyyMMdd)$(Rev:.r)", "20260309.3", "20260309");
        row("$(DayOfMonth) $(DayOfYear) $(Month)", "9 68 3", "(not)");
        row("$(Hours) $(Minutes) $(Seconds)", "7 5 4", "(not)");
        row("$(Year:yy) $(Year:yyyy)", "26 2026", "(not)");
        row("$(BuildDefinitionName) $(BuildID) $(SourceBranchName)", "Api CI 752 main", "(not)");
        row("$(my.variable)_$(NOPE)", "value-main_$(NOPE)", "(not)");
        row("v$(Build.BuildId)-$(rev:rrr)", "v752-003", "v752-");
        row("plain", "plain", "(not)");
        row("$(", "$(", "(not)");
    }

    void formats()
    {
        QFETCH(QByteArray, format);
        QFETCH(QByteArray, number);
        QFETCH(QByteArray, counted);
        QByteArray asked = "(not)";
        const auto result = formatRunNumber(
            format.toStdString(), *schema::parseIso8601("2026-03-09T07:05:04Z"),
            [](std::string_view name) -> std::optional<std::string> {
                if (name == "Build.BuildId")
                    return "752";
                if (name == "Build.DefinitionName")
                    return "Api CI";
                if (name == "Build.SourceBranchName")
                    return "main";
                if (name == "my.variable")
                    return "value-$(Build.SourceBranchName)";
                return std::nullopt;
            },
            [&](const std::string &text) {
                asked = QByteArray::fromStdString(text);
                return std::uint64_t(3);
            });
        QVERIFY2(result, result ? "" : result.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(*result), number);
        QCOMPARE(asked, counted);
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("format");
        QTest::newRow("slash") << QByteArray("a/b");
        QTest::newRow("colon") << QByteArray("$(Date:HH:mm)");
        for (const char c : {'"', '<', '>', '\\', '|', '?', '@', '*'})
            QTest::newRow(QByteArray(1, c)) << QByteArray("a") + c;
        QTest::newRow("in the value of a variable") << QByteArray("v$(bad)");
        QTest::newRow("dot at the end of a value") << QByteArray("v$(dot)");
        QTest::newRow("dot at the end") << QByteArray("a.");
        QTest::newRow("too long") << QByteArray(256, 'x');
    }

    void refuses()
    {
        QFETCH(QByteArray, format);
        const auto result = formatRunNumber(
            format.toStdString(), {},
            [](std::string_view name) -> std::optional<std::string> {
                if (name == "bad")
                    return "a/b";
                return name == "dot" ? std::optional<std::string>("1.") : std::nullopt;
            },
            [](const std::string &) { return std::uint64_t(1); });
        QVERIFY(!result);
        QVERIFY(result.error().message.find("The build number format string") == 0);
    }
};

QTEST_GUILESS_MAIN(TestRunNumber)
#include "tst_run_number.moc"
