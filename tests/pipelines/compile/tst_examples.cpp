// The sample pipelines compile without a word, for both targets.

#include "pipelines/compile/compiler.h"
#include "tests/support/source_tree.h"

#include <QFile>
#include <QTest>

using namespace pipelines;

namespace {

std::string readAll(const std::string &path)
{
    QFile file(QString::fromStdString(path));
    return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
}

const std::string kRoot = ::test::sourceTree("examples/space-game");

class ExampleSource : public FileSource
{
public:
    schema::Result<std::string> read(const std::string &, const schema::RepositoryResource *,
                                     const std::string &path) override
    {
        std::string text = readAll(kRoot + path);
        if (text.empty())
            return schema::Error{schema::ErrorCode::NotFound, "no such file"};
        return text;
    }
};

} // namespace

class TestExamples : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void compiles_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("target");
        for (const char *path : {"/azure-pipelines.yml", "/web/azure-pipelines.yml",
                                 "/leaderboard/azure-pipelines.yml"}) {
            for (const char *target : {"kubernetes", "docker"})
                QTest::addRow("%s %s", path, target) << QByteArray(path) << QByteArray(target);
        }
    }

    void compiles()
    {
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, target);
        CompileRequest request;
        request.path = path.toStdString();
        request.text = readAll(kRoot + request.path);
        request.parameters["target"] = target.toStdString();
        ExampleSource source;
        const Compilation result = compile(request, source);
        for (const Diagnostic &diagnostic : result.diagnostics)
            qWarning("%s:%u:%u: %s", diagnostic.position.file.c_str(), diagnostic.position.line,
                     diagnostic.position.column, diagnostic.message.c_str());
        QVERIFY(result.ok());
        QVERIFY(result.diagnostics.empty());
        const auto &production = result.plan->stages.back();
        QCOMPARE(production.name, std::string("Production"));
        const auto &deploy = production.jobs.at(0);
        QVERIFY(deploy.isDeployment);
        QCOMPARE(deploy.environment->name, std::string("production"));
        QCOMPARE(deploy.environment->resourceName,
                 std::string(target == "kubernetes" ? "default" : "docker"));
        QCOMPARE(deploy.pool.vmImage, std::string("ubuntu-latest"));
        QVERIFY(deploy.hooks.at(0).steps.size() >= 2);
    }
};

QTEST_GUILESS_MAIN(TestExamples)
#include "tst_examples.moc"
