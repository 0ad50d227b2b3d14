// Summaries of coverage files, and files of variables put into JSON and XML.
#include "worker/base/version_range.h"
#include "worker/results/coverage.h"
#include "worker/results/transform.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <map>

using namespace worker;

namespace {

std::string summary(const schema::protocol::CoverageUpload &coverage)
{
    std::string out = coverage.tool;
    for (const auto &one : coverage.statistics)
        out += "|" + sentence(one);
    return out;
}

} // namespace

class TestResultFiles : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void files_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("cobertura, counts at the root")
            << QByteArray("<?xml version=\"1.0\"?><!DOCTYPE coverage SYSTEM \"x.dtd\"><coverage "
                          "lines-covered=\"13\" lines-valid=\"16\" branches-covered=\"1\" "
                          "branches-valid=\"4\"><packages/></coverage>")
            << QByteArray("Cobertura|Lines: 81.25 % (13 of 16)|Branches: 25.00 % (1 of 4)");
        QTest::newRow("cobertura, counted from lines")
            << QByteArray("<coverage line-rate=\"0.5\"><class><methods><method><lines><line "
                          "number=\"1\" hits=\"3\"/></lines></method></methods><lines><line "
                          "number=\"1\" hits=\"3\"/><line number=\"2\" hits=\"0\" branch=\"true\" "
                          "condition-coverage=\"50% (1/2)\"/></lines></class></coverage>")
            << QByteArray("Cobertura|Lines: 50.00 % (1 of 2)|Branches: 50.00 % (1 of 2)");
        QTest::newRow("jacoco")
            << QByteArray("<report name=\"r\"><package><counter type=\"LINE\" missed=\"9\" "
                          "covered=\"9\"/></package><counter type=\"INSTRUCTION\" missed=\"1\" "
                          "covered=\"3\"/><counter type=\"BRANCH\" missed=\"1\" "
                          "covered=\"1\"/><counter type=\"LINE\" missed=\"0\" covered=\"2\"/>"
                          "<counter type=\"CLASS\" missed=\"0\" covered=\"1\"/></report>")
            << QByteArray("JaCoCo|Instructions: 75.00 % (3 of 4)|Branches: 50.00 % (1 of "
                          "2)|Lines: 100.00 % (2 of 2)|Classes: 100.00 % (1 of 1)");
        QTest::newRow("nothing counted")
            << QByteArray("<report name=\"r\"/>") << QByteArray("JaCoCo");
        QTest::newRow("counts that cannot be")
            << QByteArray("<coverage lines-covered=\"9\" lines-valid=\"-1\"/>")
            << QByteArray("Cobertura");
    }

    void files()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, expected);
        const auto read = readCoverage(file.toStdString());
        QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(summary(*read)), expected);
    }

    void refused_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("why");
        QTest::newRow("other root") << QByteArray("<tests/>") << QByteArray("line 1: the root");
        QTest::newRow("no XML") << QByteArray("lines: 12") << QByteArray("line 1");
        QTest::newRow("cut off") << QByteArray("<coverage><packages>") << QByteArray("line 1");
        QTest::newRow("too deep") << QByteArray("<coverage>") + QByteArray("<a>").repeated(1001)
                                  << QByteArray("nested too deep");
    }

    void refused()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, why);
        const auto read = readCoverage(file.toStdString());
        QVERIFY(!read);
        QVERIFY2(read.error().message.find(why.toStdString()) != std::string::npos,
                 read.error().message.c_str());
    }

    void sumsOfSeveralFiles()
    {
        auto sum = *readCoverage("<coverage lines-covered='1' lines-valid='2'/>");
        addCoverage(sum, *readCoverage("<coverage lines-covered='3' lines-valid='4'/>"));
        QCOMPARE(summary(sum), std::string("Cobertura|Lines: 66.67 % (4 of 6)"));
        addCoverage(sum, *readCoverage("<report name='r'><counter type='METHOD' missed='1' "
                                       "covered='1'/></report>"));
        QCOMPARE(summary(sum), std::string("Cobertura, JaCoCo|Lines: 66.67 % (4 of 6)|Methods: "
                                           "50.00 % (1 of 2)"));
    }

    void transforms_data()
    {
        QTest::addColumn<bool>("json");
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<QByteArray>("after");
        QTest::newRow("values keep their kind")
            << true
            << QByteArray("{\"Data\": {\"Url\": \"x\", \"Port\": 1, \"On\": false}, \"Other\": 1}")
            << QByteArray(
                   "{\"Data\":{\"Url\":\"http://db\",\"Port\":5432,\"On\":true},\"Other\":1}");
        QTest::newRow("in lists") << true << QByteArray("{\"List\": [{\"Name\": \"a\"}]}")
                                  << QByteArray("{\"List\":[{\"Name\":\"first\"}]}");
        QTest::newRow("a whole object")
            << true << QByteArray("{\"Whole\": {\"a\": 1}}") << QByteArray("{\"Whole\":{\"b\":2}}");
        QTest::newRow("comments") << true << QByteArray("{// one\n\"Data\": {\"Port\": 1}}")
                                  << QByteArray("{\"Data\":{\"Port\":5432}}");
        QTest::newRow("appSettings")
            << false
            << QByteArray("<configuration><appSettings><add key=\"Data.Url\" value=\"x\"/><add "
                          "key=\"No\" value=\"y\"/></appSettings></configuration>")
            << QByteArray("<configuration><appSettings><add key=\"Data.Url\" value=\"http://db\"/>"
                          "<add key=\"No\" value=\"y\"/></appSettings></configuration>");
        QTest::newRow("connectionStrings")
            << false
            << QByteArray("<c><connectionStrings><add name=\"Data.Url\" connectionString=\"x\" "
                          "providerName=\"p\"/></connectionStrings></c>")
            << QByteArray("<c><connectionStrings><add name=\"Data.Url\" "
                          "connectionString=\"http://db\" "
                          "providerName=\"p\"/></connectionStrings></c>");
        QTest::newRow("applicationSettings")
            << false
            << QByteArray("<c><applicationSettings><setting "
                          "name=\"Data.Url\"><value>x</value></setting></applicationSettings></c>")
            << QByteArray("<c><applicationSettings><setting name=\"Data.Url\"><value>http://db</"
                          "value></setting></applicationSettings></c>");
        QTest::newRow("parameters") << false
                                    << QByteArray("<parameters><parameter name=\"Data.Url\" "
                                                  "defaultValue=\"x\"/></parameters>")
                                    << QByteArray("<parameters><parameter name=\"Data.Url\" "
                                                  "defaultValue=\"http://db\"/></parameters>");
        QTest::newRow("other elements stay")
            << false << QByteArray("<c><add key=\"Data.Url\" value=\"x\"/></c>")
            << QByteArray("<c><add key=\"Data.Url\" value=\"x\"/></c>");
    }

    void transforms()
    {
        QFETCH(bool, json);
        QFETCH(QByteArray, before);
        QFETCH(QByteArray, after);
        const VariableValue value = [](const std::string &name) -> std::optional<std::string> {
            const std::map<std::string, std::string> values{{"Data.Url", "http://db"},
                                                            {"Data.Port", "5432"},
                                                            {"Data.On", "true"},
                                                            {"List.0.Name", "first"},
                                                            {"Whole", "{\"b\": 2}"}};
            const auto it = values.find(name);
            return it == values.end() ? std::nullopt : std::optional(it->second);
        };
        const auto out = json ? transformJson(before.toStdString(), value)
                              : transformXml(before.toStdString(), value);
        QVERIFY2(out.has_value(), out ? "" : out.error().message.c_str());
        auto text = QByteArray::fromStdString(out->text);
        if (json)
            text =
                QByteArray::fromStdString(nlohmann::ordered_json::parse(text.toStdString()).dump());
        QCOMPARE(text.trimmed(), after);
    }

    void transformsOfBadFiles()
    {
        const VariableValue none = [](const std::string &) { return std::nullopt; };
        QVERIFY(!transformJson("{", none));
        QVERIFY(!transformXml("<a>", none));
    }

    void ranges_data()
    {
        QTest::addColumn<QByteArray>("version");
        QTest::addColumn<QByteArray>("range");
        QTest::addColumn<int>("in"); // 2: unreadable
        const auto row = [](const char *version, const char *range, int in) {
            QTest::addRow("%s in %s", version, range)
                << QByteArray(version) << QByteArray(range) << in;
        };
        row("v18.19.0", "18.x", 1);
        row("v18.19.0", "18", 1);
        row("v18.19.0", "16.x || 18.x", 1);
        row("18.19.0", "17.x", 0);
        row("18.19.0", "", 1);
        row("18.19.0", "*", 1);
        row("18.19.0", ">=18.2 <19", 1);
        row("18.1.9", ">=18.2 <19", 0);
        row("18.19.0", "> 18", 0);
        row("19.0.0", ">18", 1);
        row("18.19.0", "<=18", 1);
        row("18.19.0", "=18.19.0", 1);
        row("18.19.1", "18.19.0", 0);
        row("1.2.9", "~1.2.3", 1);
        row("1.3.0", "~1.2.3", 0);
        row("1.9.0", "^1.2.3", 1);
        row("2.0.0", "^1.2.3", 0);
        row("0.2.9", "^0.2.3", 1);
        row("0.3.0", "^0.2.3", 0);
        row("Python 3.11.2", "3.x", 1);
        row("3.11.2", "lts/*", 2);
        row("3.11.2", "3.x.y", 2);
    }

    void ranges()
    {
        QFETCH(QByteArray, version);
        QFETCH(QByteArray, range);
        QFETCH(int, in);
        const auto number = findVersion(version.toStdString());
        QVERIFY(number.has_value());
        const auto result = inRange(*number, range.toStdString());
        QCOMPARE(result ? static_cast<int>(*result) : 2, in);
    }
};

QTEST_APPLESS_MAIN(TestResultFiles)
#include "tst_result_files.moc"
