// Which repositories a job may fetch (pipeline-language 3.3), of compiled files.

#include "pipelines/compile/compiler.h"
#include "pipelines/run/job_repositories.h"
#include "tests/pipelines/support/memory_source.h"

#include <QTest>

class TestJobRepositories : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void named_data()
    {
        QTest::addColumn<QByteArray>("job");
        QTest::addColumn<QByteArray>("aliases"); ///< in the order of the alphabet
        QTest::newRow("nothing said")
            << QByteArray("job: j\n  steps: [{script: x}]") << QByteArray("self");
        QTest::newRow("no sources")
            << QByteArray("job: j\n  steps: [{checkout: none}]") << QByteArray("none self");
        QTest::newRow("checkout") << QByteArray(
                                         "job: j\n  steps: [{checkout: self}, {checkout: A}]")
                                  << QByteArray("A self");
        QTest::newRow("uses") << QByteArray(
                                     "job: j\n  uses: {repositories: [b]}\n  steps: [{script: x}]")
                              << QByteArray("b self");
        QTest::newRow("both") << QByteArray("job: j\n  uses: {repositories: [b, a]}\n"
                                            "  steps: [{checkout: A}]")
                              << QByteArray("A b self");
        QTest::newRow("by a macro")
            << QByteArray("job: j\n  steps: [{checkout: $(x)}]") << QByteArray("$(x) self");
        QTest::newRow("hooks") << QByteArray("deployment: j\n  environment: e\n  strategy:\n"
                                             "    runOnce:\n"
                                             "      deploy: {steps: [{checkout: a}]}\n"
                                             "      on: {failure: {steps: [{checkout: b}]}}")
                               << QByteArray("a b self");
    }

    void named()
    {
        QFETCH(const QByteArray, job);
        QFETCH(const QByteArray, aliases);
        pipelines::CompileRequest request;
        request.text = "resources:\n  repositories:\n  - {repository: a, name: p/a}\n"
                       "  - {repository: b, name: p/b}\njobs:\n- " +
                       job.toStdString() + "\n";
        tests::MemorySource none;
        const auto compiled = pipelines::compile(request, none);
        QVERIFY(compiled.ok());
        QByteArray found;
        for (const auto &alias : pipelines::run::jobRepositories(compiled.plan->stages[0].jobs[0]))
            found += (found.isEmpty() ? "" : " ") + QByteArray::fromStdString(alias);
        QCOMPARE(found, aliases);
    }
};

QTEST_GUILESS_MAIN(TestJobRepositories)
#include "tst_job_repositories.moc"
