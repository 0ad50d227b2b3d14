// What is too large, too deep or endless ends with a clear error, in bounded memory.

#include "pipelines/compile/compiler.h"
#include "tests/pipelines/support/memory_source.h"

#include <QTest>

using namespace pipelines;

namespace {

Compilation compileText(std::string text, std::map<std::string, std::string> files = {},
                        Limits limits = {})
{
    CompileRequest request;
    request.text = std::move(text);
    request.limits = limits;
    tests::MemorySource source(std::move(files));
    return compile(request, source);
}

std::string repeated(const std::string &text, int times)
{
    std::string out;
    out.reserve(text.size() * static_cast<std::size_t>(times));
    for (int i = 0; i < times; ++i)
        out += text;
    return out;
}

} // namespace

class TestLimits : public QObject
{
    Q_OBJECT

    static void verifyRefused(const Compilation &result, const char *code)
    {
        QVERIFY(!result.ok());
        QVERIFY(!result.diagnostics.empty());
        bool found = false;
        for (const Diagnostic &diagnostic : result.diagnostics)
            found = found || diagnostic.code == code;
        QVERIFY2(found,
                 (result.diagnostics[0].code + ": " + result.diagnostics[0].message).c_str());
    }

private Q_SLOTS:

    void deepYaml_data()
    {
        QTest::addColumn<QByteArray>("open");
        QTest::addColumn<int>("times");
        QTest::newRow("flow lists") << QByteArray("[") << 10'000;
        QTest::newRow("flow mappings") << QByteArray("{a: ") << 10'000;
        QTest::newRow("just above the limit") << QByteArray("[") << 250;
    }

    void deepYaml()
    {
        QFETCH(QByteArray, open);
        QFETCH(int, times);
        const std::string close = open == "[" ? "]" : "}";
        const Compilation result = compileText("a: " + repeated(open.toStdString(), times) + "x" +
                                               repeated(close, times) + "\n");
        verifyRefused(result, "limit-depth");
    }

    void deepBlocks()
    {
        std::string text;
        for (int i = 0; i < 2000; ++i)
            text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
        verifyRefused(compileText(text), "limit-depth");
        verifyRefused(compileText("a:\n  " + repeated("- ", 3000) + "x\n"), "limit-depth");
    }

    void billionLaughs()
    {
        verifyRefused(compileText("a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n"),
                      "anchor");
    }

    void hugeScalar()
    {
        verifyRefused(compileText("steps:\n- script: '" + std::string(100U << 20U, 'x') + "'\n"),
                      "limit-size");
    }

    void endlessInclude()
    {
        verifyRefused(compileText("steps:\n- template: a.yml\n",
                                  {{"self:/a.yml", "steps:\n- template: a.yml\n"}}),
                      "limit-depth");
    }

    /// Every level includes the next twice: 2^100 inclusions without a limit.
    void doublingInclude()
    {
        Limits limits;
        limits.maxExpandedNodes = 200'000;
        verifyRefused(
            compileText("steps:\n- template: a.yml\n",
                        {{"self:/a.yml", "steps:\n- template: b.yml\n- template: b.yml\n"},
                         {"self:/b.yml", "steps:\n- template: a.yml\n- template: a.yml\n"}},
                        limits),
            "limit-depth");
        verifyRefused(
            compileText("steps:\n- template: a.yml\n  parameters: {n: 1}\n",
                        {{"self:/a.yml",
                          "parameters:\n- {name: n, type: number}\nsteps:\n"
                          "- ${{ each x in split('1,2,3,4,5,6,7,8,9,10', ',') }}:\n"
                          "  - ${{ each y in split('1,2,3,4,5,6,7,8,9,10', ',') }}:\n"
                          "    - ${{ each z in split('1,2,3,4,5,6,7,8,9,10', ',') }}:\n"
                          "      - ${{ each u in split('1,2,3,4,5,6,7,8,9,10', ',') }}:\n"
                          "        - ${{ each v in split('1,2,3,4,5,6,7,8,9,10', ',') }}:\n"
                          "          - ${{ each w in split('1,2,3,4,5,6,7,8,9,10', ',') }}:\n"
                          "            - script: x\n"}},
                        limits),
            "limit-events");
    }

    void manyFiles()
    {
        std::map<std::string, std::string> files;
        std::string text = "steps:\n";
        for (int i = 0; i < 150; ++i) {
            const std::string name = std::to_string(i) + ".yml";
            files["self:/" + name] = "steps:\n- script: x\n";
            text += "- template: " + name + "\n";
        }
        verifyRefused(compileText(text, files), "limit-files");
    }

    void growingText()
    {
        std::string text = "variables:\n  v0: '" + std::string(1000, 'x') + "'\n";
        for (int i = 1; i < 40; ++i) {
            const std::string before = "${{ variables.v" + std::to_string(i - 1) + " }}";
            text += "  v" + std::to_string(i) + ": " + before + before + "\n";
        }
        const Compilation result = compileText(text + "steps:\n- script: x\n");
        verifyRefused(result, "limit-size");
    }

    /// Every turn of a loop makes a text of the whole list.
    void muchWork_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("kept") << QByteArray("  - script: ${{ convertToJson(parameters.l) }}\n");
        QTest::newRow("thrown away")
            << QByteArray("  - script: ${{ length(convertToJson(parameters.l)) }}\n");
        QTest::newRow("too long each time")
            << QByteArray("  - script: ${{ join(join('a', parameters.l), parameters.l) }}\n");
        QTest::newRow("as keys") << QByteArray(
            "  - script: x\n    env: {\"${{ convertToJson(parameters.l) }}\": y}\n");
    }

    void muchWork()
    {
        QFETCH(QByteArray, body);
        Limits limits;
        limits.maxExpandedNodes = 100'000;
        limits.maxFileBytes = 1U << 20U;
        std::string list;
        for (int i = 0; i < 20'000; ++i)
            list += i == 0 ? "x" : ",x";
        verifyRefused(compileText("parameters:\n- {name: l, type: object, default: [" + list +
                                      "]}\nsteps:\n- ${{ each a in parameters.l }}:\n" +
                                      body.toStdString(),
                                  {}, limits),
                      "limit-events");
    }

    void manyProblems_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("head");
        QTest::newRow("duplicate keys") << QByteArray("  k: 1\n") << QByteArray("variables:\n");
        QTest::newRow("unknown keys") << QByteArray("- scrpt: 1\n") << QByteArray("steps:\n");
        QTest::newRow("empty items") << QByteArray("- {}\n") << QByteArray("steps:\n");
        QTest::newRow("syntax of expressions")
            << QByteArray("- script: ${{ eq(1 }}\n") << QByteArray("steps:\n");
    }

    void manyProblems()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, head);
        const Compilation result =
            compileText(head.toStdString() + repeated(line.toStdString(), 5'000));
        QVERIFY(!result.ok());
        QVERIFY(result.diagnostics.size() <= 2 * kMaxDiagnostics + 1);
        QVERIFY(hasErrors(result.diagnostics));
    }

    /// More warnings than are kept do not make a file invalid.
    void manyWarnings()
    {
        std::string text = "parameters:\n";
        for (int i = 0; i < 3000; ++i)
            text += "- {name: p" + std::to_string(i) + ", default: x}\n";
        const Compilation result = compileText(text + "steps:\n- script: x\n");
        QVERIFY(result.ok());
        QCOMPARE(result.diagnostics.size(), kMaxDiagnostics);
    }

    void manyErrors()
    {
        const Compilation result = compileText("variables:\n" + [] {
            std::string lines;
            for (int i = 0; i < 5000; ++i)
                lines += "  v" + std::to_string(i) + ": ${{ parameters.missing }}\n";
            return lines;
        }());
        QVERIFY(!result.ok());
        QVERIFY(result.diagnostics.size() <= 2 * kMaxDiagnostics);
    }

    void bytes_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("code");
        QTest::newRow("NUL") << QByteArray("steps:\n- script: a\0b\n", 21)
                             << QByteArray("encoding");
        QTest::newRow("invalid UTF-8")
            << QByteArray("steps:\n- script: \xff\n") << QByteArray("encoding");
        QTest::newRow("UTF-16") << QByteArray("\xff\xfes\0t\0", 6) << QByteArray("encoding");
        QTest::newRow("BOM") << QByteArray("\xef\xbb\xbfsteps:\n- script: x\n") << QByteArray();
        QTest::newRow("CRLF") << QByteArray("steps:\r\n- script: |\r\n    a\r\n    b\r\n")
                              << QByteArray();
    }

    void bytes()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, code);
        const Compilation result = compileText(text.toStdString());
        if (!code.isEmpty())
            return verifyRefused(result, code.constData());
        QVERIFY(result.ok());
        if (text.contains("\r\n")) {
            const auto *script =
                schema::findText(result.plan->stages[0].jobs[0].steps[0].inputs, "script");
            QCOMPARE(*script, std::string("a\nb\n"));
        }
    }

    void columnsCountCharacters()
    {
        const Compilation result = compileText("variables: {\xc3\xa4\xc3\xb6: 1, b: [x]}\n"
                                               "steps:\n- script: x\n");
        QCOMPARE(result.diagnostics.at(0).position.column, 23U);
    }
};

QTEST_GUILESS_MAIN(TestLimits)
#include "tst_limits.moc"
