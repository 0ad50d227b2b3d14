// Which processes of a job are found when it ends (worker/process/orphans.cpp).
#include "worker/base/files.h"
#include "worker/process/process.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <set>

using namespace worker;

namespace {

/// Of this process alone: the same test may run beside it.
QString job()
{
    return QLatin1String("tst_orphans-") + QString::number(QCoreApplication::applicationPid());
}

QProcessEnvironment markedWith(const QString &mark)
{
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QLatin1String("VSTS_PROCESS_LOOKUP_ID"), mark);
    return environment;
}

/// The processes that were ended for `job()`.
std::set<int> ended()
{
    std::set<int> out;
    endOrphans(job().toStdString(), [&out](int pid, const std::string &) { out.insert(pid); });
    return out;
}

} // namespace

class TestOrphans : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void onlyTheJobsOwn_data()
    {
        QTest::addColumn<QString>("mark");
        QTest::addColumn<bool>("ends");
        QTest::newRow("the job's") << job() << true;
        QTest::newRow("another job's") << job() + QLatin1String("2") << false;
        QTest::newRow("mark cleared") << QString() << false;
    }

    void onlyTheJobsOwn()
    {
        QFETCH(QString, mark);
        QFETCH(bool, ends);
        QProcess process;
        process.setProcessEnvironment(markedWith(mark));
        process.start(QLatin1String("sleep"), {QLatin1String("300")});
        QVERIFY(process.waitForStarted());
        QCOMPARE(ended().contains(static_cast<int>(process.processId())), ends);
        if (!ends)
            process.kill();
        QVERIFY(process.waitForFinished());
    }

    void anEmptyEnvironmentEndsTheLook()
    {
        QProcess process;
        process.start(QLatin1String("env"),
                      {QLatin1String("-i"), QLatin1String("sleep"), QLatin1String("300")});
        QVERIFY(process.waitForStarted());
        QVERIFY(ended().empty());
        process.kill();
        QVERIFY(process.waitForFinished());
    }

    /// The kernel shows no environment between two programs, and this one is there most of its
    /// time.
    void aProcessBetweenTwoProgramsIsFound()
    {
        const QTemporaryDir folder;
        const auto script = folder.filePath(QLatin1String("again.sh"));
        QVERIFY(writeFile(script.toStdString(), "exec /bin/sh \"$0\"\n"));
        constexpr int kTimes = 2000;
        for (int time = 0; time < kTimes; ++time) {
            QProcess process;
            process.setProcessEnvironment(markedWith(job()));
            process.start(QLatin1String("/bin/sh"), {script});
            QVERIFY(process.waitForStarted());
            const auto pid = static_cast<int>(process.processId());
            const bool found = ended().contains(pid);
            if (!found)
                process.kill();
            QVERIFY(process.waitForFinished());
            QVERIFY2(found, ("missed at time " + std::to_string(time + 1)).c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestOrphans)
#include "tst_orphans.moc"
