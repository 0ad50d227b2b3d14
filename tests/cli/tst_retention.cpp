// `slipway retention` against a whole server: policies of project and pipeline, leases, deletion.
#include "tests/cli/support/program.h"
#include "tests/server/support/world.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <memory>

using nlohmann::json;
using namespace tests;

class TestRetention : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void setsTheProjectsPolicy();
    void setsAPipelinesPolicy();
    void keepsAndReleases();
    void releasesByLease();
    void refuses_data();
    void refuses();
    void deletesARun();

private:
    Ended call(std::vector<std::string> arguments) const;
    /// The same with --format json, which must succeed.
    json answer(std::vector<std::string> arguments) const;

    std::unique_ptr<LeftWorld> m_world;
    std::unique_ptr<LiveServer> m_server;
    std::vector<std::string> m_runs;
};

void TestRetention::initTestCase()
{
    m_world = std::make_unique<LeftWorld>([this](World &world) {
        const auto worker = world.addWorker("w1");
        world.connect(worker);
        for (int i = 0; i < 2; ++i) {
            m_runs.push_back(std::to_string(world.queue(plan({stage("Build", {job("A")})}))));
            world.run(worker);
        }
    });
    m_server = std::make_unique<LiveServer>(m_world->data());
    QVERIFY2(m_server->running(), m_server->failure().c_str());
}

Ended TestRetention::call(std::vector<std::string> arguments) const
{
    arguments.insert(arguments.begin(), "retention");
    return runSlipway(*m_server, std::move(arguments));
}

json TestRetention::answer(std::vector<std::string> arguments) const
{
    arguments.insert(arguments.end(), {"--format", "json"});
    const Ended ended = call(std::move(arguments));
    if (ended.exitCode != 0)
        qFatal("status %d: %s", ended.exitCode, ended.error.c_str());
    return json::parse(ended.out);
}

void TestRetention::setsTheProjectsPolicy()
{
    const json before{
        {"runDays", 30}, {"artifactDays", 30}, {"pullRequestDays", 10}, {"minimumRuns", 10}};
    QVERIFY(answer({"show"}) == before);
    // What is not given stays.
    json after = before;
    after["runDays"] = 90;
    after["minimumRuns"] = 3;
    QVERIFY(answer({"set", "--runs", "90", "--newest", "3"}) == after);
    QVERIFY(answer({"show"}) == after);
    const Ended text = call({"show"});
    QCOMPARE(text.exitCode, 0);
    QVERIFY2(text.out.find("90 days") != std::string::npos, text.out.c_str());
}

void TestRetention::setsAPipelinesPolicy()
{
    QVERIFY(answer({"show", "space-game"}).at("inherited") == json(true));
    QVERIFY(call({"show", "space-game"}).out.find("follows the project") != std::string::npos);
    const json own = answer({"set", "space-game", "--artifacts", "7"});
    QVERIFY(own.at("inherited") == json(false));
    QVERIFY(own.at("artifactDays") == json(7));
    QVERIFY(answer({"show"}).at("artifactDays") == json(30));
    const json again = answer({"reset", "space-game"});
    QVERIFY(again.at("inherited") == json(true));
    QVERIFY(again.at("artifactDays") == json(30));
}

void TestRetention::keepsAndReleases()
{
    const std::string &run = m_runs[0];
    QCOMPARE(call({"leases", run}).out, "no lease keeps run " + run + "\n");
    const json kept = answer({"keep", run, "--days", "400", "--protect-pipeline"});
    QCOMPARE(kept.size(), std::size_t(1));
    QCOMPARE(std::to_string(kept[0].at("runId").get<int>()), run);
    QVERIFY(kept[0].at("protectPipeline") == json(true));
    QVERIFY(answer({"leases", run}) == kept);
    QVERIFY(answer({"leases", "--pipeline", "space-game"}) == kept);
    const json why = answer({"explain", run});
    QVERIFY(why.at("fate") == json("keep"));
    QVERIFY(why.at("sentence").get<std::string>().find("lease") != std::string::npos);
    const Ended refused = call({"delete", run});
    QCOMPARE(refused.exitCode, 2);
    QVERIFY2(refused.error.find("lease") != std::string::npos, refused.error.c_str());
    QVERIFY(answer({"release", run}) == kept);
    QVERIFY(answer({"leases", run}).empty());
}

void TestRetention::releasesByLease()
{
    const std::string &run = m_runs[0];
    const json mine = answer({"keep", run});
    const json theirs = answer({"keep", run, "--owner", "Audit:2027"});
    // A lease of another run is none of this one, whatever its number.
    QCOMPARE(
        call({"release", m_runs[1], "--lease", std::to_string(theirs[0].at("leaseId").get<int>())})
            .exitCode,
        2);
    QVERIFY(answer({"release", run}) == mine);
    QVERIFY(answer({"leases", run}) == theirs);
    QVERIFY(answer({"release", run, "--lease",
                    std::to_string(theirs[0].at("leaseId").get<int>())}) == theirs);
    QVERIFY(answer({"leases", run}).empty());
    (void)answer({"keep", run, "--owner", "Audit:2027"});
    QCOMPARE(answer({"release", run, "--owner", "Audit:2027"}).size(), std::size_t(1));
}

void TestRetention::refuses_data()
{
    QTest::addColumn<QByteArray>("arguments");
    QTest::addColumn<QString>("says");
    const auto row = [](const char *name, const QByteArray &arguments, const char *says) {
        QTest::newRow(name) << arguments << QString::fromLatin1(says);
    };
    row("nothing to set", "set", "--runs");
    row("days below", "set --runs 0", "from 1 to 36500");
    row("days above", "set --runs 99999", "from 1 to 36500");
    row("days that are none", "set --runs many", "--runs");
    row("no such pipeline", "show none", "'space-game'");
    row("no such run", "explain 4711", "4711");
    row("nobody's leases", "leases", "--pipeline");
    row("a lease that is over at once", "keep 1 --days 0", "daysValid");
    row("nothing to release", "release 1", "slipway retention leases 1");
    row("no pipeline to reset", "reset", "pipeline");
    row("no action", "", "subcommand");
}

void TestRetention::refuses()
{
    QFETCH(QByteArray, arguments);
    QFETCH(QString, says);
    std::vector<std::string> list;
    for (const QByteArray &argument : arguments.split(' '))
        if (!argument.isEmpty())
            list.push_back(argument.toStdString());
    const Ended ended = call(list);
    QVERIFY(ended.exitCode != 0);
    QVERIFY2(ended.error.find(says.toStdString()) != std::string::npos, ended.error.c_str());
    QCOMPARE(ended.out, std::string());
}

void TestRetention::deletesARun()
{
    QCOMPARE(call({"delete", m_runs[1]}).exitCode, 0);
    QCOMPARE(m_server->call("GET", "/space-game/_apis/build/builds/" + m_runs[1]).status, 404);
    QCOMPARE(m_server->call("GET", "/space-game/_apis/build/builds/" + m_runs[0]).status, 200);
}

QTEST_GUILESS_MAIN(TestRetention)
#include "tst_retention.moc"
