// `slipway validate` as a process that may hold a gibibyte of memory, on files that are made to
// take all there is: each ends with the error of a limit, in the file and at the line where it was
// reached. That a process ends at all is what the time limit of the test sees.

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasShadowMemory = true; // a sanitizer reserves more than any limit
#else
constexpr bool kHasShadowMemory = false;
#endif
constexpr rlim_t kMemory = 1U << 30U;

constexpr int kManyItems = 100'000;

QByteArray times(int count, const QByteArray &text)
{
    return text.repeated(count);
}

/// `count` lines, each with `%` replaced by its number.
QByteArray numbered(int count, const char *line)
{
    QByteArray out;
    for (int i = 0; i < count; ++i)
        out += QByteArray(line).replace('%', QByteArray::number(i));
    return out;
}

/// A parameter `l` with a default.
QByteArray parameter(const QByteArray &value)
{
    return "parameters:\n- name: l\n  type: object\n  default: " + value + "\n";
}

QByteArray list()
{
    return "[x" + times(kManyItems - 1, ",x") + "]";
}

/// Variables, each made of the one before by `expression`, in which `@` is that variable.
QByteArray growing(const char *expression)
{
    QByteArray out = "variables:\n  v0: " + QByteArray(1000, 'x') + "\n";
    for (int i = 1; i < 40; ++i)
        out += "  v" + QByteArray::number(i) + ": " +
               QByteArray(expression).replace('@', "variables.v" + QByteArray::number(i - 1)) +
               "\n";
    return out + "steps:\n- script: x\n";
}

/// `head` nested around `core` often enough to pass every limit of size but that of texts.
QByteArray nested(const QByteArray &head, const QByteArray &tail)
{
    return "steps:\n- script: ${{ " + times(30, head) + "'xxxxxxxxxx'" + times(30, tail) + " }}\n";
}

} // namespace

class TestHostileInput : public QObject
{
    Q_OBJECT

    struct Outcome
    {
        int exitCode = -1;
        QJsonArray diagnostics;
        QByteArray text;
    };

    static Outcome validate(const QString &folder)
    {
        QProcess process;
        process.setProgram(QDir(QCoreApplication::applicationDirPath())
                               .filePath(QStringLiteral("../cli/slipway")));
        process.setArguments({QStringLiteral("validate"), QStringLiteral("in.yml"),
                              QStringLiteral("--format"), QStringLiteral("json")});
        process.setWorkingDirectory(folder);
        process.setChildProcessModifier([] {
            const rlimit limit{kMemory, kMemory};
            if (!kHasShadowMemory)
                ::setrlimit(RLIMIT_AS, &limit);
        });
        process.start();
        if (!process.waitForFinished(-1) || process.exitStatus() != QProcess::NormalExit)
            return {-1, {}, "did not end by itself: " + process.readAllStandardError()};
        Outcome outcome;
        outcome.exitCode = process.exitCode();
        const QByteArray out = process.readAllStandardOutput();
        outcome.diagnostics = QJsonDocument::fromJson(out).array();
        outcome.text = out.left(2000) + process.readAllStandardError().left(2000);
        return outcome;
    }

    static void write(const QString &name, const QByteArray &text)
    {
        QFile file(name);
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(text), qint64(text.size()));
    }

private Q_SLOTS:

    /// Made anew for each row: some files are large.
    void endsWithALimit_data()
    {
        QTest::addColumn<QString>("code");
        const auto row = [](const char *name, const char *code) {
            QTest::newRow(name) << QString::fromLatin1(code);
        };
        row("billion laughs", "anchor");
        row("deep lists of flow", "limit-depth");
        row("deep mappings of flow", "limit-depth");
        row("deep lists of blocks", "limit-depth");
        row("deep mappings of blocks", "limit-depth");
        row("brackets that are never closed", "limit-depth");
        row("brackets on lines of their own", "limit-depth");
        row("deep default of a parameter", "limit-depth");
        row("deep calls", "expression-syntax");
        row("deep indexes", "expression-syntax");
        row("file that includes itself", "limit-depth");
        row("file that includes itself twice", "limit-depth");
        row("file that extends itself", "limit-depth");
        row("argument that doubles with every include", "limit-depth");
        row("list that doubles with every include", "limit-events");
        row("coalesce that doubles with every include", "limit-depth");
        row("each in each", "limit-events");
        row("each in each of nothing", "limit-events");
        row("mapping inserted for each", "limit-events");
        row("JSON of a list for each", "limit-events");
        row("split for each", "limit-events");
        row("filter for each", "limit-events");
        row("long texts compared for each", "limit-events");
        row("long text searched for each", "limit-events");
        row("format that multiplies", "expression-evaluation");
        row("replace that multiplies", "expression-evaluation");
        row("text that doubles", "limit-size");
        row("nested formats", "expression-evaluation");
        row("nested replaces", "expression-evaluation");
        row("split of a long text", "expression-evaluation");
        row("joins of a list by a join of it", "expression-evaluation");
        row("scalar of 30 MB", "limit-size");
        row("lines of 30 MB", "limit-size");
        row("matrix of many legs", "limit-jobs");
    }

    void endsWithALimit()
    {
        QFETCH(QString, code);
        QTemporaryDir folder;
        QVERIFY(folder.isValid());
        const QByteArray name = QTest::currentDataTag();
        write(folder.filePath(QStringLiteral("in.yml")), textOf(name));
        if (name.contains("every include"))
            write(folder.filePath(QStringLiteral("t.yml")), templateOf(name));
        const Outcome outcome = validate(folder.path());
        QVERIFY2(outcome.exitCode == 1, outcome.text.constData());
        const auto isTheLimit = [&](const QJsonValue &diagnostic) {
            return diagnostic[QLatin1String("severity")] == QLatin1String("error") &&
                   diagnostic[QLatin1String("code")] == code &&
                   diagnostic[QLatin1String("line")].toInt() > 0 &&
                   diagnostic[QLatin1String("file")].toString().endsWith(QLatin1String(".yml"));
        };
        QVERIFY2(std::any_of(outcome.diagnostics.begin(), outcome.diagnostics.end(), isTheLimit),
                 outcome.text.constData());
    }

    /// Files that are only long: they compile, within the memory.
    void staysSmall_data()
    {
        QTest::addColumn<QByteArray>("text");
        const auto row = [](const char *name, const QByteArray &text) {
            QTest::newRow(name) << text;
        };
        const QByteArray step = "steps:\n- script: x\n";
        row("scalar of 9 MB", "steps:\n- script: '" + QByteArray(9 << 20, 'x') + "'\n");
        row("many variables", "variables:\n" + numbered(kManyItems, "  v%: x\n") + step);
        row("many unused parameters",
            "parameters:\n" + numbered(kManyItems, "- {name: p%, default: x}\n") + step);
        row("many repositories", "resources:\n  repositories:\n" +
                                     numbered(50'000, "  - {repository: r%, name: a/b}\n") +
                                     "steps:\n" + numbered(50'000, "- checkout: r%\n"));
        row("many pipelines", "resources:\n  pipelines:\n" +
                                  numbered(50'000, "  - {pipeline: r%, source: a}\n") + "steps:\n" +
                                  numbered(50'000, "- download: r%\n"));
        row("many expressions", "steps:\n- script: '" + times(200'000, "${{ 1 }}") + "'\n");
        row("many brackets in a text",
            "steps:\n- script: |\n" + numbered(50'000, "    echo '[31m%' # {\n"));
    }

    void staysSmall()
    {
        QFETCH(QByteArray, text);
        QTemporaryDir folder;
        QVERIFY(folder.isValid());
        write(folder.filePath(QStringLiteral("in.yml")), text);
        const Outcome outcome = validate(folder.path());
        QVERIFY2(outcome.exitCode == 0, outcome.text.constData());
    }

    /// A wrong path to an image or a log: not even read.
    void refusesToReadAFileOf100MB()
    {
        QTemporaryDir folder;
        const QString name = folder.filePath(QStringLiteral("in.yml"));
        write(name, "steps:\n- script: '" + QByteArray(100 << 20, 'x') + "'\n");
        const Outcome outcome = validate(folder.path());
        QCOMPARE(outcome.exitCode, 2);
        QVERIFY2(outcome.text.contains("in.yml is larger than 64 MiB"), outcome.text.constData());
    }

private:
    static QByteArray textOf(const QByteArray &name)
    {
        const auto is = [&](const char *other) { return name == other; };
        constexpr int kDeep = 10'000;
        if (is("billion laughs"))
            return "a: &a [x,x,x,x,x,x,x,x,x]\n" + [] {
                QByteArray out;
                for (char c = 'b'; c < 'k'; ++c)
                    out += QByteArray(1, c) + ": &" + c + " [" +
                           QByteArray("*").append(static_cast<char>(c - 1)) +
                           times(8, QByteArray(",*").append(static_cast<char>(c - 1))) + "]\n";
                return out;
            }();
        if (is("deep lists of flow"))
            return "a: " + times(kDeep, "[") + "x" + times(kDeep, "]") + "\n";
        if (is("deep mappings of flow"))
            return "a: " + times(kDeep, "{a: ") + "x" + times(kDeep, "}") + "\n";
        if (is("deep lists of blocks"))
            return "a:\n  " + times(kDeep, "- ") + "x\n";
        if (is("deep mappings of blocks")) {
            QByteArray out;
            for (int i = 0; i < 2000; ++i)
                out += QByteArray(i, ' ') + "a:\n";
            return out;
        }
        if (is("brackets that are never closed"))
            return "a: " + QByteArray(9 << 20, '[');
        if (is("brackets on lines of their own"))
            return "a:\n" + times(1'000'000, "[\n");
        if (is("deep default of a parameter"))
            return parameter(times(150, "{a: ") + "x" + times(150, "}")) +
                   "steps:\n- script: ${{ parameters.l.a }}\n";
        if (is("deep calls"))
            return "steps:\n- script: ${{ " + times(kDeep, "not(") + "true" + times(kDeep, ")") +
                   " }}\n";
        if (is("deep indexes"))
            return "steps:\n- script: ${{ " + times(kDeep, "variables[") + "1" + times(kDeep, "]") +
                   " }}\n";
        if (is("file that includes itself"))
            return "steps:\n- template: in.yml\n";
        if (is("file that includes itself twice"))
            return "steps:\n- template: in.yml\n- template: in.yml\n";
        if (is("file that extends itself"))
            return "extends:\n  template: in.yml\n";
        if (name.contains("every include"))
            return "steps:\n- template: t.yml\n  parameters: {a: " +
                   QByteArray(name.startsWith("list") ? "[x]" : "x") + "}\n";
        const QByteArray forEach = "steps:\n- ${{ each a in parameters.l }}:\n";
        if (is("each in each"))
            return parameter(list()) + forEach +
                   "  - ${{ each b in parameters.l }}:\n    - script: x\n";
        if (is("each in each of nothing"))
            return parameter(list()) + forEach +
                   "  - ${{ each b in parameters.l }}:\n    - ${{ if false }}:\n"
                   "      - script: x\n";
        if (is("mapping inserted for each"))
            return parameter("{" + numbered(kManyItems, "k%: x,") + "}") + forEach +
                   "  - script: x\n    env:\n      ${{ insert }}: ${{ parameters.l }}\n";
        if (is("JSON of a list for each"))
            return parameter(list()) + forEach + "  - script: ${{ convertToJson(parameters.l) }}\n";
        if (is("split for each"))
            return "variables:\n  v: '" + QByteArray(1 << 20, ',') + "'\n" + parameter(list()) +
                   forEach +
                   "  - ${{ if eq(length(split(variables.v, ',')), 1) }}:\n"
                   "    - script: x\n";
        if (is("filter for each"))
            return parameter(list()) + forEach +
                   "  - ${{ if eq(length(parameters.l.*.x), 1) }}:\n    - script: x\n";
        const QByteArray longText = "variables:\n  v: " + QByteArray(1 << 20, 'x') + "\n";
        if (is("long texts compared for each"))
            return longText + parameter(list()) + forEach +
                   "  - ${{ if ne(variables.v, variables.v) }}:\n    - script: x\n";
        if (is("long text searched for each"))
            return longText + parameter(list()) + forEach +
                   "  - ${{ if contains(variables.v, 'y') }}:\n    - script: x\n";
        if (is("format that multiplies"))
            return growing("${{ format('{0}{0}{0}{0}{0}{0}{0}{0}', @) }}");
        if (is("replace that multiplies"))
            return growing("${{ replace(@, 'x', 'xxxxxxxx') }}");
        if (is("text that doubles"))
            return growing("${{ @ }}${{ @ }}");
        if (is("nested formats"))
            return nested("format('{0}{0}{0}{0}{0}{0}{0}{0}', ", ")");
        if (is("nested replaces"))
            return nested("replace(", ", 'x', 'xxxxxxxx')");
        if (is("split of a long text"))
            return "steps:\n- script: ${{ join(',', split(replace('" + times(9000, "a") +
                   "', 'a', '" + times(1000, "b") + "'), 'b')) }}\n";
        if (is("joins of a list by a join of it"))
            return parameter(list()) +
                   "steps:\n- script: ${{ join(join('a', parameters.l), parameters.l) }}\n";
        if (is("scalar of 30 MB"))
            return "steps:\n- script: '" + QByteArray(30 << 20, 'x') + "'\n";
        if (is("lines of 30 MB"))
            return "steps:\n- script: |\n" + times(300'000, "    " + QByteArray(99, 'x') + "\n");
        return "jobs:\n- job: a\n  strategy:\n    matrix:\n" +
               numbered(kManyItems, "      l%: {x: y}\n") + "  steps:\n  - script: x\n";
    }

    static QByteArray templateOf(const QByteArray &name)
    {
        if (name.startsWith("list"))
            return "parameters:\n- {name: a, type: object}\nsteps:\n- template: t.yml\n"
                   "  parameters: {a: ['${{ parameters.a }}', '${{ parameters.a }}']}\n";
        const QByteArray value = name.startsWith("coalesce") ? "${{ coalesce(parameters.a, 'y') }}"
                                                             : "${{ parameters.a }}";
        return "parameters:\n- {name: a, type: object}\nsteps:\n- script: x\n- template: t.yml\n"
               "  parameters: {a: \"" +
               value + value + "\"}\n";
    }
};

QTEST_GUILESS_MAIN(TestHostileInput)
#include "tst_hostile_input.moc"
