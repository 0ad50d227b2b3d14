// `slipway explain` against a whole server: a run whose jobs no worker can take.
#include "tests/cli/support/program.h"
#include "tests/server/support/world.h"

#include <QTest>

#include <memory>

using namespace tests;

class TestExplain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void speaksOfTheRunWhenTheFileHasNoStages();
    void namesTheFirstOfMany();
    void speaksOfOne_data();
    void speaksOfOne();
    void refusesWhatIsNotThere_data();
    void refusesWhatIsNotThere();

private:
    std::unique_ptr<LeftWorld> m_world;
    std::unique_ptr<LiveServer> m_server;
    std::string m_run;
};

namespace {

constexpr int kJobs = 50;

qsizetype linesOf(const std::string &text)
{
    return QByteArray::fromStdString(text).count('\n');
}

} // namespace

void TestExplain::initTestCase()
{
    m_world = std::make_unique<LeftWorld>([this](World &world) {
        schema::Job wide = job("J");
        for (int i = 0; i < kJobs; ++i)
            wide.matrix.push_back({"leg" + std::to_string(i), {}});
        m_run = std::to_string(world.queue(plan({stage("__default", {wide})})));
    });
    m_server = std::make_unique<LiveServer>(m_world->data());
    QVERIFY2(m_server->running(), m_server->failure().c_str());
}

void TestExplain::speaksOfTheRunWhenTheFileHasNoStages()
{
    const Ended ended = runSlipway(*m_server, {"explain", m_run});
    QCOMPARE(ended.exitCode, 0);
    QVERIFY2(ended.out.find(" waits for a worker\n") != std::string::npos, ended.out.c_str());
    QVERIFY2(ended.out.find("__default") == std::string::npos, ended.out.c_str());
}

void TestExplain::namesTheFirstOfMany()
{
    const Ended ended = runSlipway(*m_server, {"explain", m_run});
    QCOMPARE(linesOf(ended.out), 42); // the run, forty jobs, how many more
    QVERIFY2(ended.out.find("\nand 10 more; ") != std::string::npos, ended.out.c_str());
    const Ended all = runSlipway(*m_server, {"explain", m_run, "--format", "json"});
    QVERIFY2(all.out.find("leg49") != std::string::npos, all.out.c_str());
}

void TestExplain::speaksOfOne_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("shown name") << QByteArray("J leg49");
    QTest::newRow("identifier") << QByteArray("J.leg49");
    QTest::newRow("leg, other case") << QByteArray("LEG49");
}

void TestExplain::speaksOfOne()
{
    QFETCH(QByteArray, name);
    const Ended ended = runSlipway(*m_server, {"explain", m_run, name.toStdString()});
    QCOMPARE(ended.exitCode, 0);
    QCOMPARE(linesOf(ended.out), 2);
    QVERIFY2(ended.out.find("- job 'J leg49' waits for a worker: ") != std::string::npos,
             ended.out.c_str());
}

void TestExplain::refusesWhatIsNotThere_data()
{
    QTest::addColumn<QByteArrayList>("arguments");
    QTest::addColumn<QByteArray>("says");
    const QByteArray run = QByteArray::fromStdString(m_run);
    QTest::newRow("job to explain")
        << QByteArrayList{"explain", run, "leg50"} << QByteArray("no job or stage 'leg50'");
    QTest::newRow("job to retry") << QByteArrayList{"job", "retry", run, "K"}
                                  << QByteArray(
                                         "no job 'K' that did not succeed; there are: J.leg0,");
    QTest::newRow("several jobs") << QByteArrayList{"job", "cancel", run, "__default"}
                                  << QByteArray("no job '__default'");
    QTest::newRow("command") << QByteArrayList{"explian", run}
                             << QByteArray("no command 'explian'; did you mean 'explain'?");
    QTest::newRow("command of a command")
        << QByteArrayList{"job", "start", run}
        << QByteArray("'slipway job' has no command 'start' (slipway job --help lists them)");
}

void TestExplain::refusesWhatIsNotThere()
{
    QFETCH(QByteArrayList, arguments);
    QFETCH(QByteArray, says);
    std::vector<std::string> words;
    for (const QByteArray &argument : arguments)
        words.push_back(argument.toStdString());
    const Ended ended = runSlipway(*m_server, words);
    QCOMPARE(ended.exitCode, 2);
    QVERIFY2(ended.error.find(says.toStdString()) != std::string::npos, ended.error.c_str());
}

QTEST_GUILESS_MAIN(TestExplain)
#include "tst_explain.moc"
