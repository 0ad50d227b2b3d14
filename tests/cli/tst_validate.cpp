// `slipway validate` and `preview`: files below folders, the three forms of diagnostics.

#include "cli/validate_format.h"
#include "cli/validate_options.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

using namespace pipelines;

class TestValidate : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    QString write(const QString &name, const QByteArray &text)
    {
        const QString path = m_folder.filePath(name);
        QDir().mkpath(QFileInfo(path).path());
        QFile file(path);
        if (file.open(QIODevice::WriteOnly))
            file.write(text);
        return path;
    }

    cli::LanguageOptions options(const QString &file) const
    {
        cli::LanguageOptions result;
        result.file = file.toStdString();
        return result;
    }

private Q_SLOTS:

    void resolvesTemplatesAcrossRepositories()
    {
        const QString file =
            write(QStringLiteral("self/ci/p.yml"),
                  "parameters:\n- {name: n, type: number}\n- {name: o, type: object}\n"
                  "resources:\n  repositories:\n  - {repository: tools, name: org/tools, ref: v1}\n"
                  "variables:\n- group: G\n"
                  "steps:\n- template: /t/a.yml\n- template: b.yml@tools\n"
                  "- script: ${{ parameters.n }} ${{ parameters.o[1] }} ${{ variables.fromGroup }} "
                  "${{ variables.given }}\n");
        write(QStringLiteral("self/t/a.yml"), "steps:\n- script: a\n");
        write(QStringLiteral("tools/b.yml"), "steps:\n- script: b\n");
        auto request = options(file);
        request.root = m_folder.filePath(QStringLiteral("self")).toStdString();
        request.repositories = {"ORG/tools@v1=" +
                                m_folder.filePath(QStringLiteral("tools")).toStdString()};
        request.parametersFile = write(QStringLiteral("p.yml"), "n: 3\no: [x, y]\n").toStdString();
        request.parameters = {"n=4"};
        request.variables = {"given=v"};
        request.variableGroups = {
            "G=" + write(QStringLiteral("g.json"), "{\"fromGroup\": \"g\"}").toStdString()};
        const auto compiled = cli::compileFile(request, true);
        QVERIFY2(compiled, compiled ? "" : compiled.error().message.c_str());
        QVERIFY2(compiled->result.ok(),
                 cli::diagnosticsAsText(compiled->result.diagnostics, [](const std::string &) {
                     return std::nullopt;
                 }).c_str());
        const auto &steps = compiled->result.plan->stages[0].jobs[0].steps;
        QCOMPARE(steps.size(), std::size_t(3));
        QCOMPARE(*schema::findText(steps[2].inputs, "script"), std::string("4 y g v"));
        QCOMPARE(steps[1].position.file, std::string("/b.yml@tools"));
    }

    void explainsUsage_data()
    {
        QTest::addColumn<int>("mistake");
        QTest::addColumn<QByteArray>("message");
        QTest::newRow("no file") << 0 << QByteArray("does not exist");
        QTest::newRow("a folder") << 1 << QByteArray("is not a file");
        QTest::newRow("parameter") << 2 << QByteArray("--parameter x: write it as NAME=VALUE");
        QTest::newRow("repository") << 3 << QByteArray("is not a folder");
        QTest::newRow("group") << 4 << QByteArray("does not exist");
        QTest::newRow("root") << 5 << QByteArray("is not below the root");
        QTest::newRow("root that is not there") << 6 << QByteArray("elsewhere is not a folder");
        QTest::newRow("list in a group") << 7 << QByteArray("list.yml:2: a is no text");
    }

    void explainsUsage()
    {
        QFETCH(int, mistake);
        QFETCH(QByteArray, message);
        auto request = options(write(QStringLiteral("ok.yml"), "steps:\n- script: x\n"));
        if (mistake == 0)
            request.file = m_folder.filePath(QStringLiteral("none.yml")).toStdString();
        else if (mistake == 1)
            request.file = m_folder.path().toStdString();
        else if (mistake == 2)
            request.parameters = {"x"};
        else if (mistake == 3)
            request.repositories = {"a=/nonexistent"};
        else if (mistake == 4)
            request.variableGroups = {"G=/nonexistent"};
        else if (mistake == 5)
            request.root = QFileInfo(write(QStringLiteral("other/x.yml"), "")).path().toStdString();
        else if (mistake == 6)
            request.root = m_folder.filePath(QStringLiteral("elsewhere")).toStdString();
        else
            request.variableGroups = {
                "G=" + write(QStringLiteral("list.yml"), "b: 1\na: [x]\n").toStdString()};
        const auto compiled = cli::compileFile(request, false);
        QVERIFY(!compiled);
        QVERIFY2(QByteArray::fromStdString(compiled.error().message).contains(message),
                 compiled.error().message.c_str());
    }

    /// Lines of templates are shown, those of other repositories as well.
    void showsLinesOfOtherRepositories()
    {
        auto request =
            options(write(QStringLiteral("x/p.yml"),
                          "resources:\n  repositories:\n  - {repository: tools, name: org/tools}\n"
                          "steps:\n- template: bad.yml@tools\n"));
        write(QStringLiteral("others/bad.yml"), "steps:\n- scirpt: here\n");
        request.repositories = {"org/tools=" +
                                m_folder.filePath(QStringLiteral("others")).toStdString()};
        const auto compiled = cli::compileFile(request, true);
        QVERIFY2(compiled, compiled ? "" : compiled.error().message.c_str());
        const std::string text =
            cli::diagnosticsAsText(compiled->result.diagnostics, cli::excerpts(*compiled));
        QVERIFY2(text.find("  2 | - scirpt: here\n    |   ^~~~~~\n") != std::string::npos,
                 text.c_str());
    }

    void saysWhereARepositoryIsMissing()
    {
        const auto compiled = cli::compileFile(
            options(write(QStringLiteral("r.yml"),
                          "resources:\n  repositories:\n  - {repository: t, name: o/t}\n"
                          "steps:\n- template: a.yml@t\n")),
            false);
        QVERIFY(compiled);
        QVERIFY(compiled->result.diagnostics.at(0).hint.find("--repository t=DIR") !=
                std::string::npos);
    }

    void formats()
    {
        Diagnostic diagnostic =
            makeDiagnostic(Severity::Error, "unexpected-value", "Unexpected value 'stpes'",
                           {"/a.yml", 2, 3}, "did you mean `steps`?");
        diagnostic.length = 5;
        diagnostic.includedFrom = {{"/p.yml", 1, 2}};
        const auto text = [](const std::string &) -> std::optional<std::string> {
            return "x: 1\n  stpes: []\n";
        };
        QCOMPARE(
            QByteArray::fromStdString(cli::diagnosticsAsText({diagnostic}, text)),
            QByteArray("/a.yml (Line: 2, Col: 3): Unexpected value 'stpes' [unexpected-value]\n"
                       "  2 |   stpes: []\n    |   ^~~~~\n  hint: did you mean `steps`?\n"
                       "  included from /p.yml (Line: 1, Col: 2)\n"));
        const auto json = nlohmann::json::parse(cli::diagnosticsAsJson({diagnostic}));
        QCOMPARE(json.size(), std::size_t(1));
        QCOMPARE(json[0]["line"].get<int>(), 2);
        QCOMPARE(json[0]["includedFrom"][0]["file"].get<std::string>(), std::string("/p.yml"));
        const auto sarif = nlohmann::json::parse(cli::diagnosticsAsSarif({diagnostic}));
        QCOMPARE(sarif["version"].get<std::string>(), std::string("2.1.0"));
        const auto &result = sarif["runs"][0]["results"][0];
        QCOMPARE(result["ruleId"].get<std::string>(), std::string("unexpected-value"));
        const auto &location = result["locations"][0]["physicalLocation"];
        QCOMPARE(location["artifactLocation"]["uri"].get<std::string>(), std::string("a.yml"));
        QCOMPARE(location["region"]["startLine"].get<int>(), 2);
        QCOMPARE(location["region"]["endColumn"].get<int>(), 8);
        QCOMPARE(sarif["runs"][0]["columnKind"].get<std::string>(),
                 std::string("unicodeCodePoints"));
        QCOMPARE(sarif["runs"][0]["tool"]["driver"]["rules"][0]["shortDescription"]["text"]
                     .get<std::string>(),
                 std::string("a key or a value that does not belong there"));
        const auto &related = result["relatedLocations"][0]["physicalLocation"];
        QCOMPARE(related["artifactLocation"]["uri"].get<std::string>(), std::string("p.yml"));
        QVERIFY(cli::diagnosticsAsJson({}) == "[]\n");
    }

    /// One problem that several references lead to is told once, with all of them; other formats
    /// keep every one.
    void problemsOfTemplatesAreToldOnce()
    {
        std::vector<Diagnostic> diagnostics;
        for (std::uint32_t line = 1; line <= 8; ++line) {
            diagnostics.push_back(makeDiagnostic(Severity::Error, "missing-parameter", "no value",
                                                 {"/t.yml", 3, 1}, "add it"));
            diagnostics.back().includedFrom = {{"/p.yml", line, 5}};
        }
        diagnostics.push_back(
            makeDiagnostic(Severity::Error, "missing-parameter", "other", {"/t.yml", 3, 1}));
        const auto text = [](const std::string &) { return std::optional<std::string>(); };
        QCOMPARE(QByteArray::fromStdString(cli::diagnosticsAsText(diagnostics, text)),
                 QByteArray("/t.yml (Line: 3, Col: 1): no value [missing-parameter]\n"
                            "  hint: add it\n"
                            "  included from /p.yml (Line: 1, Col: 5)\n"
                            "  also from /p.yml (Line: 2, Col: 5)\n"
                            "  also from /p.yml (Line: 3, Col: 5)\n"
                            "  also from /p.yml (Line: 4, Col: 5)\n"
                            "  also from /p.yml (Line: 5, Col: 5)\n"
                            "  also from /p.yml (Line: 6, Col: 5)\n"
                            "  and from 2 more\n"
                            "/t.yml (Line: 3, Col: 1): other [missing-parameter]\n"));
        QCOMPARE(nlohmann::json::parse(cli::diagnosticsAsJson(diagnostics)).size(),
                 diagnostics.size());
    }

    /// Nothing of a file reaches the terminal that it would obey.
    void textHoldsNoControlCharacters()
    {
        const auto diagnostic = makeDiagnostic(Severity::Error, "unexpected-value",
                                               "Unexpected value '\x1b[2J\xc2\x9b'",
                                               {"/a.yml", 1, 1}, "did you mean `\a`?");
        const auto text = [](const std::string &) -> std::optional<std::string> {
            return std::string("a\0b\x1b[2J\xff \xc2\x9b \xc3\xa4 \xf0\x9f\x8e\x89\x7f", 20);
        };
        QCOMPARE(QString::fromStdString(cli::diagnosticsAsText({diagnostic}, text)),
                 QStringLiteral("/a.yml (Line: 1, Col: 1): Unexpected value '\uFFFD[2J\uFFFD' "
                                "[unexpected-value]\n"
                                "  1 | a\uFFFDb\uFFFD[2J\uFFFD \uFFFD \u00E4 \U0001F389\uFFFD\n"
                                "    | ^\n"
                                "  hint: did you mean `\uFFFD`?\n"));
    }

    /// What the standard asks of every log (SARIF 2.1.0, 3.13 to 3.27), of any diagnostic.
    void sarifKeepsToItsStandard()
    {
        auto nowhere = makeDiagnostic(Severity::Error, "missing-parameter", "no place", {});
        auto strange = makeDiagnostic(Severity::Warning, "key-case", "\xff bytes",
                                      {"/a folder/\xc3\xa4%.yml@tools", 1, 1});
        const auto log =
            nlohmann::json::parse(cli::diagnosticsAsSarif({nowhere, strange, strange}));
        QVERIFY(log["$schema"].is_string());
        const auto &run = log["runs"].at(0);
        const auto &rules = run["tool"]["driver"]["rules"];
        QCOMPARE(rules.size(), std::size_t{2}); // one for each code
        QCOMPARE(run["results"].size(), std::size_t{3});
        for (const auto &result : run["results"]) {
            QVERIFY(!result["message"]["text"].get<std::string>().empty());
            const auto level = result["level"].get<std::string>();
            QVERIFY(level == "error" || level == "warning");
            const auto named = [&](const auto &rule) { return rule["id"] == result["ruleId"]; };
            QVERIFY(std::any_of(rules.begin(), rules.end(), named));
        }
        QVERIFY(run["results"][0]["locations"].empty());
        const auto &place = run["results"][1]["locations"][0]["physicalLocation"];
        QCOMPARE(place["artifactLocation"]["uri"].get<std::string>(),
                 std::string("a%20folder/%C3%A4%25.yml@tools"));
    }

    void checksInputsOfInstalledTasks()
    {
        write(QStringLiteral("tasks/Greet/1.2.3/task.json"),
              "// written by hand\n{\"id\": \"11111111-2222-3333-4444-555555555555\", \"name\": "
              "\"Greet\", \"version\": {\"Major\": 1, \"Minor\": \"2\", \"Patch\": 3}, \"inputs\": "
              "[{\"name\": \"who\", \"required\": true}]}");
        auto request = options(
            write(QStringLiteral("greet.yml"), "steps:\n- task: Greet@1\n  inputs: {whom: x}\n"));
        QCOMPARE(cli::compileFile(request, false)->result.diagnostics.size(), std::size_t{0});
        request.tasks = {m_folder.filePath(QStringLiteral("tasks")).toStdString()};
        const auto compiled = cli::compileFile(request, false);
        QVERIFY(compiled);
        QCOMPARE(compiled->result.diagnostics.size(), std::size_t{2});
        QCOMPARE(compiled->result.diagnostics[0].code, std::string("missing-input"));
        QCOMPARE(compiled->result.diagnostics[1].hint, std::string("did you mean `who`?"));
        QVERIFY(compiled->result.ok());
        write(QStringLiteral("tasks/Bad/task.json"), "{\"id\": 1}");
        QVERIFY2(cli::compileFile(request, false).error().message.find("Bad/task.json") !=
                     std::string::npos,
                 cli::compileFile(request, false).error().message.c_str());
        request.tasks = {"/nonexistent"};
        QVERIFY(!cli::compileFile(request, false));
    }

    void limits_data()
    {
        QTest::addColumn<QByteArray>("limit");
        QTest::addColumn<QByteArray>("code"); ///< of the diagnostic; empty: usage
        QTest::newRow("files") << QByteArray("files=1") << QByteArray("limit-files");
        QTest::newRow("depth") << QByteArray("depth=1") << QByteArray("limit-depth");
        QTest::newRow("size") << QByteArray("file-bytes=20") << QByteArray("limit-size");
        QTest::newRow("nodes") << QByteArray("expanded-nodes=3") << QByteArray("limit-");
        QTest::newRow("YAML") << QByteArray("yaml-depth=1") << QByteArray("limit-depth");
        QTest::newRow("expression depth")
            << QByteArray("expression-depth=1") << QByteArray("expression-syntax");
        QTest::newRow("expression length")
            << QByteArray("expression-length=5") << QByteArray("expression-syntax");
        QTest::newRow("unknown") << QByteArray("fils=1") << QByteArray();
        QTest::newRow("zero") << QByteArray("files=0") << QByteArray();
        QTest::newRow("text") << QByteArray("files=many") << QByteArray();
        QTest::newRow("no number") << QByteArray("files") << QByteArray();
    }

    void limits()
    {
        QFETCH(QByteArray, limit);
        QFETCH(QByteArray, code);
        write(QStringLiteral("l2.yml"), "steps:\n- script: ${{ eq(1, 1) }}\n");
        write(QStringLiteral("l1.yml"), "steps:\n- template: l2.yml\n");
        auto request = options(write(QStringLiteral("limits.yml"), "steps:\n- template: l1.yml\n"));
        QVERIFY(cli::compileFile(request, false)->result.ok());
        request.limits = {limit.toStdString()};
        const auto compiled = cli::compileFile(request, false);
        QCOMPARE(compiled.has_value(), !code.isEmpty());
        if (!compiled)
            return;
        QVERIFY(!compiled->result.ok());
        QVERIFY2(compiled->result.diagnostics.at(0).code.starts_with(code.toStdString()),
                 compiled->result.diagnostics[0].code.c_str());
    }
};

QTEST_GUILESS_MAIN(TestValidate)
#include "tst_validate.moc"
