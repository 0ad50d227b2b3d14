// Cases as data: tests/golden/<area>/<case>/in.yml, further files beside it, and what comes out:
// expected.yml (the canonical document) or expected.txt (one line per diagnostic, with its code).
// Comments at the top of in.yml say more: `# source: ...`, `# parameter: name=value`, `# variable:
// name=value`,
// `# path: /ci/main.yml`, `# limit: files=2`. Files below a folder `@alias` belong to the
// repository of that alias.
// `# tasks` checks the inputs of the built-in tasks and of the case's task.json, `# triggers` adds
// what starts a run to the diagnostics, `# plan` also holds the run plan against
// expected.plan.json. SLIPWAY_GOLDEN_UPDATE=1 writes the expectations; look at the difference
// before keeping it.

#include "pipelines/compile/compiler.h"
#include "schema/model/plan_json.h"
#include "tests/support/source_tree.h"

#include <QDir>
#include <QDirIterator>
#include <QRegularExpression>
#include <QTest>

#include <nlohmann/json.hpp>

#include <list>

using namespace pipelines;

namespace {

QByteArray readAll(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

class CaseSource : public FileSource
{
public:
    explicit CaseSource(QString folder)
        : m_folder(std::move(folder))
    {}

    schema::Result<std::string> read(const std::string &alias, const schema::RepositoryResource *,
                                     const std::string &path) override
    {
        QString name = m_folder;
        if (alias != "self")
            name += QStringLiteral("/@") + QString::fromStdString(alias);
        name += QString::fromStdString(path);
        if (QFileInfo(name).isDir())
            return schema::Error{schema::ErrorCode::Io, "it is a folder"};
        QFile file(name);
        if (!file.open(QIODevice::ReadOnly))
            return schema::Error{schema::ErrorCode::NotFound, "not in the case"};
        return file.readAll().toStdString();
    }

private:
    QString m_folder;
};

/// `files=2`; the names are those of `slipway validate --limit`.
void setLimit(const std::pair<std::string, std::string> &limit, Limits &limits)
{
    const std::map<std::string, std::size_t *> known{
        {"files", &limits.maxFiles},
        {"depth", &limits.maxDepth},
        {"file-bytes", &limits.maxFileBytes},
        {"expanded-nodes", &limits.maxExpandedNodes},
        {"yaml-depth", &limits.maxYamlDepth},
        {"expression-length", &limits.expression.length},
        {"expression-depth", &limits.expression.depth}};
    *known.at(limit.first) = std::stoul(limit.second);
}

/// The built-in tasks, and the one of a task.json of the case.
const schema::TaskCatalogue &tasksOf(const QString &folder)
{
    static std::list<schema::TaskCatalogue> catalogues;
    const QString name = folder + QStringLiteral("/task.json");
    if (!QFile::exists(name))
        return schema::builtInTaskCatalogue();
    auto &catalogue = catalogues.emplace_back(schema::builtInTaskCatalogue());
    auto task = schema::parseTaskDefinition(readAll(name).toStdString());
    if (task)
        catalogue.add(std::move(*task));
    return catalogue;
}

CompileRequest requestOf(const QString &folder)
{
    CompileRequest request;
    request.path = "/in.yml";
    request.text = readAll(folder + QStringLiteral("/in.yml")).toStdString();
    const auto pair = [](const QByteArray &text) {
        const auto equals = text.indexOf('=');
        return std::pair(text.left(equals).trimmed().toStdString(),
                         text.mid(equals + 1).trimmed().toStdString());
    };
    for (const QByteArray &line : QByteArray::fromStdString(request.text).split('\n')) {
        if (line.startsWith("# parameter: "))
            request.parameters.insert(pair(line.mid(13)));
        else if (line.startsWith("# variable: "))
            request.variables.insert(pair(line.mid(12)));
        else if (line.startsWith("# limit: "))
            setLimit(pair(line.mid(9)), request.limits);
        else if (line == "# tasks")
            request.tasks = &tasksOf(folder);
        else if (line.startsWith("# path: "))
            request.path = line.mid(8).trimmed().toStdString();
        else if (line.startsWith("# optional parameters"))
            request.requireParameters = false;
        else if (!line.startsWith('#'))
            break;
    }
    return request;
}

QByteArray shown(const std::vector<Diagnostic> &diagnostics)
{
    QByteArray out;
    for (const Diagnostic &diagnostic : diagnostics) {
        if (diagnostic.severity == Severity::Warning)
            out += "warning: ";
        out += QByteArray::fromStdString(diagnostic.position.file);
        if (diagnostic.position.line != 0)
            out += " (Line: " + QByteArray::number(diagnostic.position.line) +
                   ", Col: " + QByteArray::number(diagnostic.position.column) + ")";
        out += ": " + QByteArray::fromStdString(diagnostic.message) + " [" +
               QByteArray::fromStdString(diagnostic.code) + "]\n";
        if (!diagnostic.hint.empty())
            out += "  hint: " + QByteArray::fromStdString(diagnostic.hint) + "\n";
        for (const auto &from : diagnostic.includedFrom)
            out += "  from " + QByteArray::fromStdString(from.file) + ":" +
                   QByteArray::number(from.line) + ":" + QByteArray::number(from.column) + "\n";
    }
    return out;
}

QByteArray shown(const char *name, const BranchFilter &filter)
{
    QByteArray out;
    for (const std::string &pattern : filter.include)
        out += " +" + QByteArray::fromStdString(pattern);
    for (const std::string &pattern : filter.exclude)
        out += " -" + QByteArray::fromStdString(pattern);
    return out.isEmpty() ? out : " " + QByteArray(name) + out;
}

QByteArray shown(const Triggers &triggers)
{
    QByteArray out;
    out += "push " + QByteArray(triggers.push.enabled ? "on" : "off") +
           (triggers.push.batch ? " batch" : "") + shown("branches", triggers.push.branches) +
           shown("tags", triggers.push.tags) + shown("paths", triggers.push.paths) + "\n";
    const auto &pullRequest = triggers.pullRequest;
    out += "pr " + QByteArray(pullRequest.enabled ? "on" : "off") +
           (pullRequest.autoCancel ? " autoCancel" : "") + (pullRequest.drafts ? " drafts" : "") +
           shown("branches", pullRequest.branches) + shown("paths", pullRequest.paths) + "\n";
    for (const auto &schedule : triggers.schedules)
        out += "schedule '" + QByteArray::fromStdString(schedule.cron) + "' '" +
               QByteArray::fromStdString(schedule.displayName) + "'" +
               (schedule.always ? " always" : "") + (schedule.batch ? " batch" : "") +
               shown("branches", schedule.branches) + "\n";
    constexpr const char *kKinds[] = {"pipeline", "repository", "container",
                                      "build",    "package",    "webhook"};
    for (const auto &resource : triggers.resources) {
        out += QByteArray(kKinds[static_cast<int>(resource.kind)]) + " " +
               QByteArray::fromStdString(resource.alias + " '" + resource.source + "' '" +
                                         resource.project + "' '" + resource.connection + "'") +
               (resource.batch ? " batch" : "") + shown("branches", resource.branches) +
               shown("tags", resource.tags) + shown("paths", resource.paths);
        for (const std::string &stage : resource.stages)
            out += " stage " + QByteArray::fromStdString(stage);
        for (const auto &[path, value] : resource.filters)
            out += QByteArray::fromStdString(" if " + path + "=" + value);
        out += "\n";
    }
    return out;
}

bool wants(const QString &folder, const QByteArray &what)
{
    return readAll(folder + QStringLiteral("/in.yml")).split('\n').contains("# " + what);
}

QByteArray planOf(const Compilation &result)
{
    if (!result.plan)
        return {};
    return QByteArray::fromStdString(schema::toJson(*result.plan).dump(1)) + "\n";
}

} // namespace

class TestGolden : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void compiles_data()
    {
        QTest::addColumn<QString>("folder");
        const QString root = QString::fromStdString(::test::sourceTree("tests/golden"));
        QStringList cases;
        QDirIterator found(root, {QStringLiteral("in.yml")}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (found.hasNext())
            cases << QFileInfo(found.next()).path();
        cases.sort();
        QVERIFY(!cases.isEmpty());
        for (const QString &folder : std::as_const(cases))
            QTest::newRow(qPrintable(folder.mid(root.size() + 1))) << folder;
    }

    void compiles()
    {
        QFETCH(QString, folder);
        CaseSource source(folder);
        const Compilation result = compile(requestOf(folder), source);
        QByteArray problems = shown(result.diagnostics);
        if (wants(folder, "triggers"))
            problems += shown(result.triggers);
        const QByteArray yaml = QByteArray::fromStdString(result.finalYaml);
        const QString yamlFile = folder + QStringLiteral("/expected.yml");
        const QString textFile = folder + QStringLiteral("/expected.txt");
        const QString planFile = folder + QStringLiteral("/expected.plan.json");
        if (qEnvironmentVariableIsSet("SLIPWAY_GOLDEN_UPDATE")) {
            const auto write = [](const QString &name, const QByteArray &text) {
                QFile file(name);
                if (text.isEmpty())
                    return void(file.remove());
                QVERIFY(file.open(QIODevice::WriteOnly));
                file.write(text);
            };
            write(yamlFile, result.ok() ? yaml : QByteArray());
            write(textFile, problems);
            write(planFile, wants(folder, "plan") ? planOf(result) : QByteArray());
            return;
        }
        QCOMPARE(problems, readAll(textFile));
        if (result.ok())
            QCOMPARE(yaml, readAll(yamlFile));
        else
            QVERIFY(!QFile::exists(yamlFile));
        if (wants(folder, "plan"))
            QCOMPARE(planOf(result), readAll(planFile));
    }

    /// Every case says which rule it holds, even those that are no UTF-8.
    void namesItsSource_data() { compiles_data(); }

    void namesItsSource()
    {
        QFETCH(QString, folder);
        QByteArray text = readAll(folder + QStringLiteral("/in.yml"));
        text.replace('\0', "");
        QVERIFY2(text.contains("# source: "), "add a comment `# source: ...` at the top");
    }

    /// docs/compatibility.md says how many cases there are.
    void documentCountsTheCases()
    {
        int cases = 0;
        QDirIterator found(QString::fromStdString(::test::sourceTree("tests/golden")),
                           {QStringLiteral("in.yml")}, QDir::Files, QDirIterator::Subdirectories);
        for (; found.hasNext(); found.next())
            ++cases;
        const QString name = QString::fromStdString(::test::sourceTree("docs/compatibility.md"));
        const QByteArray count = QByteArray::number(cases) + " cases as data";
        if (qEnvironmentVariableIsSet("SLIPWAY_GOLDEN_UPDATE")) {
            static const QRegularExpression kCount(QStringLiteral("[0-9]+ cases as data"));
            QString text = QString::fromUtf8(readAll(name));
            QFile file(name);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text.replace(kCount, QString::fromUtf8(count)).toUtf8());
            return;
        }
        QVERIFY2(readAll(name).contains(count), "write: " + count);
    }

    /// The canonical document is a fixpoint (1.2), apart from `enabled: false`.
    void canonicalIsStable_data() { compiles_data(); }

    void canonicalIsStable()
    {
        QFETCH(QString, folder);
        CaseSource source(folder);
        CompileRequest request = requestOf(folder);
        if (!request.requireParameters)
            return; // stand-ins for values are not the values' text
        const Compilation first = compile(request, source);
        if (!first.ok() || first.finalYaml.find("${{") != std::string::npos)
            return;
        request.text = first.finalYaml;
        const Compilation second = compile(request, source);
        QCOMPARE(QByteArray::fromStdString(second.finalYaml),
                 QByteArray::fromStdString(first.finalYaml));
        QVERIFY2(second.ok(), shown(second.diagnostics).constData());
    }
};

QTEST_GUILESS_MAIN(TestGolden)
#include "tst_golden.moc"
