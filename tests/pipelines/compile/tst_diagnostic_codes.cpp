// The table of diagnostic codes against the golden cases and against docs/compatibility.md: every
// code has a case as data, and is explained. SLIPWAY_GOLDEN_UPDATE=1 writes the table of the
// document.

#include "pipelines/base/diagnostic_codes.h"
#include "tests/support/source_tree.h"

#include <QDirIterator>
#include <QRegularExpression>
#include <QTest>

#include <algorithm>
#include <map>

using namespace pipelines;

namespace {

QByteArray readAll(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QString inTree(const char *path)
{
    return QString::fromStdString(::test::sourceTree(path));
}

/// Codes that no case of tests/golden can bring about, and what holds them.
const std::map<QByteArray, const char *> kElsewhere{{"internal", "a defect: none is known"}};

struct Seen
{
    bool error = false;
    bool warning = false;
};

/// The codes at the ends of the lines of all expected.txt.
std::map<QByteArray, Seen> seenCodes()
{
    static const QRegularExpression kLine(QStringLiteral("^(warning: )?/.*\\[([a-z-]+)\\]$"));
    std::map<QByteArray, Seen> seen;
    QDirIterator found(inTree("tests/golden"), {QStringLiteral("expected.txt")}, QDir::Files,
                       QDirIterator::Subdirectories);
    while (found.hasNext()) {
        for (const QByteArray &line : readAll(found.next()).split('\n')) {
            const auto match = kLine.match(QString::fromUtf8(line));
            if (!match.hasMatch())
                continue;
            Seen &entry = seen[match.captured(2).toUtf8()];
            (match.captured(1).isEmpty() ? entry.error : entry.warning) = true;
        }
    }
    return seen;
}

QByteArray level(const DiagnosticCode &code)
{
    if (code.isError && code.isWarning)
        return "error or warning";
    return code.isError ? "error" : "warning";
}

QByteArray table()
{
    QByteArray out = "| Code | Level | What it says |\n|---|---|---|\n";
    for (const DiagnosticCode &code : diagnosticCodes())
        out += "| `" + QByteArray::fromStdString(std::string(code.code)) + "` | " + level(code) +
               " | " + QByteArray::fromStdString(std::string(code.meaning)) + " |\n";
    return out;
}

} // namespace

class TestDiagnosticCodes : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void everyCodeHasCases()
    {
        const auto seen = seenCodes();
        QByteArray missing;
        for (const DiagnosticCode &code : diagnosticCodes()) {
            const QByteArray name = QByteArray::fromStdString(std::string(code.code));
            const auto found = seen.find(name);
            const Seen cases = found == seen.end() ? Seen{} : found->second;
            if (kElsewhere.contains(name))
                continue;
            if (code.isError && !cases.error)
                missing += name + " as an error; ";
            if (code.isWarning && !cases.warning)
                missing += name + " as a warning; ";
        }
        QCOMPARE(missing, QByteArray());
    }

    void everyCaseHasAKnownCode()
    {
        QByteArray unknown;
        for (const auto &[name, cases] : seenCodes()) {
            const auto codes = diagnosticCodes();
            const auto found = std::find_if(codes.begin(), codes.end(), [&](const auto &code) {
                return code.code == std::string_view(name.constData());
            });
            if (found == codes.end())
                unknown += name + "; ";
            else if ((cases.error && !found->isError) || (cases.warning && !found->isWarning))
                unknown += name + " on another level; ";
        }
        QCOMPARE(unknown, QByteArray());
    }

    void documentHasTheTable()
    {
        const QString name = inTree("docs/compatibility.md");
        const QByteArray text = readAll(name);
        const auto start = text.indexOf("| Code | Level |");
        QVERIFY2(start >= 0, "docs/compatibility.md has no table of codes");
        const auto end = text.indexOf("\n\n", start) + 1;
        if (qEnvironmentVariableIsSet("SLIPWAY_GOLDEN_UPDATE")) {
            QFile file(name);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text.left(start) + table() + text.mid(end));
            return;
        }
        QCOMPARE(text.mid(start, end - start), table());
    }
};

QTEST_GUILESS_MAIN(TestDiagnosticCodes)
#include "tst_diagnostic_codes.moc"
